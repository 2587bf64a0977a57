//! Who somebody is by the API, and what a code does to the session that is there.

use countersign::app::Caller;
use countersign::app::api_keys::NewKey;
use countersign::core::api_key::Scope;
use countersign::core::messenger::fields::Texts;
use countersign::core::user::Role;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::server::{Browser, PASSWORD, World, everywhere};
use crate::site::{ask, code, key, server};

const PAGE: &str = "https://www.example.com";

fn new_key(messenger: &str, prefix: Option<&str>) -> NewKey {
    NewKey {
        id: None,
        name: format!("server of {messenger}"),
        scopes: Scope::ALL.to_vec(),
        messengers: vec![messenger.into()],
        email_verified: false,
        prefix: prefix.map(str::to_owned),
        lifetime: 24 * 3600,
    }
}

fn proved(address: &str) -> Value {
    json!({"email": address, "email_verified": true})
}

/// A second messenger whose pages have the same origin as those of `default`.
fn two_messengers(world: &World) {
    let changes = || Texts::from([("allowed_origins".to_owned(), PAGE.to_owned())]);
    world.app.add_messenger(&"shop".into(), &Caller::cli()).expect("added");
    for messenger in ["default", "shop"] {
        world.app.change_messenger(&messenger.into(), &changes(), None, &Caller::cli()).expect("changed");
    }
    let secret = "another key of the tests, long enough for HS256";
    world
        .app
        .add_signing_key(
            &"shop".into(),
            secret,
            countersign::core::secret::Encoding::Raw,
            false,
            &Caller::cli(),
        )
        .expect("a key");
}

fn swap(browser: &Browser, shop: &Browser, id: &str, messenger: &str) -> crate::server::Answer {
    let asked = json!({"external_id": id, "origin": PAGE, "messenger": messenger, "user": proved(&format!("{id}@example.com"))});
    let made = ask(shop, "POST", "/api/v1/handovers", &asked);
    let body = json!({"code": made.json()["code"]}).to_string();
    let headers = [("origin", PAGE), ("x-countersign", "1"), ("content-type", "application/json")];
    browser.send("POST", "/api/v1/session", Some(&body), &headers)
}

#[apply(everywhere)]
fn a_strong_key_beats_a_weak_one_by_every_route(world: &World) {
    let shop = server(world, &key(world));
    ask(
        &shop,
        "PUT",
        "/api/v1/users/1041",
        &json!({"login": "jdoe", "email": "john@example.com", "email_verified": true}),
    );
    for (user, expected) in
        [(json!({"login": "jdoe"}), "other_external_id"), (proved("John@Example.com"), "other_external_id")]
    {
        let put = ask(&shop, "PUT", "/api/v1/users/2290", &user);
        let mint = ask(&shop, "POST", "/api/v1/mint", &json!({"external_id": "2290", "user": user}));
        let code_made =
            ask(&shop, "POST", "/api/v1/handovers", &json!({"external_id": "2290", "user": user}));
        for answer in [put, mint, code_made] {
            assert_eq!(code(&answer), (409, expected.into()));
            // Not in the request's id, which has any digits.
            let said = format!("{} {}", answer.json()["title"], answer.json()["detail"]);
            assert!(!said.contains("jdoe") && !said.contains("1041"), "nobody is named: {}", answer.body);
        }
    }
    world.user("ana");
    assert_eq!(
        code(&ask(&shop, "PUT", "/api/v1/users/9", &json!({"login": "ana"}))),
        (409, "not_proved_same".into())
    );
    let adopted = ask(&shop, "PUT", "/api/v1/users/9", &proved("ana@example.com"));
    assert_eq!((adopted.status, &adopted.json()["login"]), (200, &json!("ana")));
    // A proof belongs to the address that comes with it.
    world.user_with("tom", Role::User, &[("email", "ceo@example.com")]);
    world
        .app
        .set_password(
            &world.app.user_called("tom").expect("asked").expect("tom").login,
            PASSWORD,
            &Caller::cli(),
        )
        .expect("set");
    assert_eq!(
        code(&ask(&shop, "PUT", "/api/v1/users/10", &json!({"login": "tom", "email_verified": true}))),
        (409, "not_proved_same".into())
    );
}

#[apply(everywhere)]
fn a_proved_address_is_given_up_by_whoever_did_not_prove_it(world: &World) {
    let shop = server(world, &key(world));
    ask(&shop, "PUT", "/api/v1/users/1", &json!({"email": "ana@example.com"}));
    assert_eq!(
        code(&ask(&shop, "PUT", "/api/v1/users/2", &json!({"email": "ana@example.com"}))),
        (409, "other_external_id".into())
    );
    let put = ask(&shop, "PUT", "/api/v1/users/2", &proved("ana@example.com"));
    assert_eq!(put.status, 201, "{}", put.body);
    let lost = ask(&shop, "PUT", "/api/v1/users/1", &json!({})).json();
    assert_eq!(lost["attributes"].get("email"), None);
    let events =
        world.app.events(&countersign::app::history::Filter::default(), 20).expect("events").expect("all");
    assert!(events.iter().any(|row| row.word == "address_lost"), "{events:?}");
}

#[apply(everywhere)]
fn an_account_that_is_gone_frees_its_names_and_does_not_come_back(world: &World) {
    let shop = server(world, &key(world));
    ask(
        &shop,
        "PUT",
        "/api/v1/users/1",
        &json!({"login": "ana", "email": "ana@example.com", "email_verified": true}),
    );
    for _ in 0..2 {
        assert_eq!(
            shop.send("DELETE", "/api/v1/users/1", None, &[]).status,
            204,
            "said again, it changes nothing"
        );
    }
    assert_eq!(code(&shop.send("DELETE", "/api/v1/users/2", None, &[])), (404, "unknown_user".into()));
    assert_eq!(code(&ask(&shop, "PUT", "/api/v1/users/1", &proved("ana@example.com"))), (409, "gone".into()));
    assert_eq!(code(&ask(&shop, "POST", "/api/v1/mint", &json!({"external_id": "1"}))), (409, "gone".into()));
    let new = ask(
        &shop,
        "PUT",
        "/api/v1/users/2",
        &json!({"login": "ana", "email": "ana@example.com", "email_verified": true}),
    );
    assert_eq!((new.status, &new.json()["login"]), (201, &json!("ana")));
}

#[apply(everywhere)]
fn a_disabled_user_holds_no_address_and_gets_it_back_only_if_it_is_free(world: &World) {
    let shop = server(world, &key(world));
    let ana = world.user("ana");
    world.app.disable_user(&ana, &Caller::cli()).expect("disabled");
    assert_eq!(ask(&shop, "PUT", "/api/v1/users/2", &proved("ana@example.com")).status, 201);
    let refused = world.app.enable_user(&ana, &Caller::cli()).expect_err("taken by now");
    assert!(refused.to_string().contains("already used by '2'"), "{refused}");
}

#[apply(everywhere)]
fn prefixes_keep_the_customers_of_two_shops_apart(world: &World) {
    two_messengers(world);
    let (_, first) = world.app.create_api_key(&new_key("default", None), &Caller::cli()).expect("a key");
    let asked =
        world.app.create_api_key(&new_key("shop", None), &Caller::cli()).expect_err("a prefix is asked for");
    assert!(asked.to_string().contains("--prefix"), "{asked}");
    let (_, second) = world.app.create_api_key(&new_key("shop", Some("b-")), &Caller::cli()).expect("a key");
    let (a, b) = (server(world, &first), server(world, &second));
    ask(&a, "PUT", "/api/v1/users/7", &proved("a7@example.com"));
    assert_eq!(ask(&b, "PUT", "/api/v1/users/7", &proved("b7@example.com")).json()["external_id"], "b-7");
    // A page of shop B that shows customer 7 means its own.
    let browser = world.browser();
    assert_eq!(swap(&browser, &b, "7", "shop").status, 201);
    let shown = |browser: &Browser, id: &str| {
        browser.send("GET", &format!("/api/v1/token?messenger=shop&shown={id}"), None, &[("origin", PAGE)])
    };
    assert_eq!(
        (shown(&browser, "7").status, shown(&browser, "b-7").status, shown(&browser, "8").status),
        (200, 200, 401)
    );
    world.user_with("seven", Role::User, &[("email", "s@example.com"), ("email_verified", "yes")]);
    ask(
        &a,
        "PUT",
        "/api/v1/users/70",
        &json!({"login": "seven", "email": "s@example.com", "email_verified": true}),
    );
    let other = world.browser().signed_in("seven");
    assert_eq!(shown(&other, "70").status, 401, "shop A's customer is nobody on a page of shop B");
}

#[apply(everywhere)]
fn a_code_for_ids_that_may_be_of_other_people_says_whose_they_are(world: &World) {
    // From a file of a CRM, say: its customer 7 may be the website's customer 7, or not.
    world.user_with("ana", Role::User, &[("external_id", "7")]);
    let make =
        |prefix| world.app.create_api_key(&new_key("default", prefix), &Caller::cli()).expect("a key").0;
    let offer = |prefix| world.app.offer_api_key(&new_key("default", prefix), &Caller::cli());
    let asked = offer(None).expect_err("asked");
    assert!(asked.to_string().contains("already have an external_id, such as '7'"), "{asked}");
    // A code that nobody has used, and a key with another answer, settle nothing.
    offer(Some("")).expect("a code");
    make(Some("b-"));
    offer(None).expect_err("asked");
    // Nor does the key of another website.
    world
        .app
        .create_api_key(&NewKey { name: "another".into(), ..new_key("default", Some("")) }, &Caller::cli())
        .expect("a key");
    offer(None).expect_err("asked");
    // Once it is said, the next key of the website needs no answer, also when the first is gone.
    let key = make(Some(""));
    world.app.revoke_api_key(&key.id, false, &Caller::cli()).expect("revoked");
    offer(None).expect("a code");
}

#[apply(everywhere)]
fn two_messengers_fit_in_one_session_and_what_was_there_stays(world: &World) {
    two_messengers(world);
    let new = NewKey { messengers: vec!["default".into(), "shop".into()], ..new_key("default", None) };
    let (_, secret) = world.app.create_api_key(&new, &Caller::cli()).expect("a key");
    let shop = server(world, &secret);
    let browser = world.browser();
    assert_eq!(swap(&browser, &shop, "ana", "default").status, 201);
    let second = swap(&browser, &shop, "ana", "shop");
    assert_eq!((second.status, second.header("set-cookie")), (201, None), "the cookie stays as it is");
    for messenger in ["default", "shop"] {
        let token =
            browser.send("GET", &format!("/api/v1/token?messenger={messenger}"), None, &[("origin", PAGE)]);
        assert_eq!(token.status, 200, "{messenger}: {}", token.body);
    }
    // A code that leads to no token ends nothing.
    let signed_in = world.browser();
    world.user("bob");
    let signed_in = signed_in.signed_in("bob");
    let asked =
        json!({"external_id": "nobody", "origin": PAGE, "user": {"display_name": "without an address"}});
    let made = ask(&shop, "POST", "/api/v1/handovers", &asked).json();
    let body = json!({"code": made["code"]}).to_string();
    let headers = [("origin", PAGE), ("x-countersign", "1"), ("content-type", "application/json")];
    assert_eq!(signed_in.send("POST", "/api/v1/session", Some(&body), &headers).status, 403);
    assert_eq!(signed_in.get("/api/v1/token").status, 200);
}

#[apply(everywhere)]
fn a_list_names_the_item_that_is_none(world: &World) {
    let change = countersign::app::attributes::Change {
        kind: countersign::core::attribute::Kind::parse("list"),
        ..Default::default()
    };
    world.app.set_attribute("tags", change, &Caller::cli(), |_| {}).expect("made");
    let shop = server(world, &key(world));
    let answer = ask(&shop, "PUT", "/api/v1/users/1", &json!({"tags": ["a", null]}));
    assert!(answer.body.contains("item 2 is null"), "{}", answer.body);
}
