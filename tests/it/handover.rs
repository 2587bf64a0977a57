//! Handing users over: a code of the site's server becomes a session or a device, once, within a
//! minute, for the page it was made for.

use countersign::app::Caller;
use countersign::core::user::{Login, Role};
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::server::{Answer, Browser, Place, World, every_place};
use crate::site::{ask, code, key, key_for, server};
use crate::store::at_once;

const PAGE: &str = "https://www.example.com";
const OTHER: &str = "https://shop.example.com";

fn world(place: Place) -> World {
    World::with(place, |source| {
        source.with("allowed_origins", "https://www.example.com,https://shop.example.com")
    })
}

fn verified(login: &str) -> Value {
    json!({"email": format!("{login}@example.com"), "email_verified": true, "display_name": login})
}

fn hand_over(shop: &Browser, id: &str) -> String {
    let made = ask(
        shop,
        "POST",
        "/api/v1/handovers",
        &json!({"external_id": id, "origin": PAGE, "user": verified(id)}),
    );
    assert_eq!((made.status, &made.json()["expires_in"]), (201, &json!(60)), "{}", made.body);
    made.json()["code"].as_str().expect("a code").to_owned()
}

fn swap(browser: &Browser, origin: &str, code: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("x-countersign", "1"),
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-site"),
    ];
    browser.send("POST", "/api/v1/session", Some(&json!({"code": code}).to_string()), &headers)
}

fn refused(answer: &Answer) {
    assert_eq!(code(answer), (403, "code_invalid".into()), "{}", answer.body);
    assert!(answer.header("set-cookie").is_none());
}

#[apply(every_place)]
fn a_code_signs_in_once_within_a_minute_on_its_page(place: Place) {
    let world = world(place);
    let shop = server(&world, &key(&world));
    let browser = world.browser();
    let once = hand_over(&shop, "ana");
    let swapped = swap(&browser, PAGE, &once);
    assert_eq!(swapped.status, 201, "{}", swapped.body);
    assert_eq!(swapped.header("access-control-allow-origin"), Some(PAGE));
    let first = swapped.json();
    assert_eq!(first, browser.get("/api/v1/token").json(), "the cookie is hers");
    assert!(browser.get("/").body.contains("ana"), "and opens pages");
    let refusals = std::cell::Cell::new(0);
    let never = |answer: &Answer| {
        refused(answer);
        refusals.set(refusals.get() + 1);
    };
    // A replay, by the same and by a second visitor.
    never(&swap(&browser, PAGE, &once));
    never(&swap(&world.browser(), PAGE, &once));
    assert_eq!(browser.get("/api/v1/token").status, 200, "who is signed in stays so");
    // Another page of the list; after that nobody has it any more.
    let stolen = hand_over(&shop, "ana");
    never(&swap(&world.browser(), OTHER, &stolen));
    never(&swap(&world.browser(), PAGE, &stolen));
    // Pages that are on no list, and no page at all.
    for origin in
        ["https://evil.example", "null", "https://www.example.com.evil.example", "http://www.example.com", ""]
    {
        let code = hand_over(&shop, "ana");
        let answer = swap(&world.browser(), origin, &code);
        assert_eq!(self::code(&answer), (403, "header_needed".into()), "{origin}");
        refusals.set(refusals.get() + 1);
    }
    // After a minute.
    let (late, last) = (hand_over(&shop, "ana"), hand_over(&shop, "ana"));
    world.advance(59);
    assert_eq!(swap(&world.browser(), PAGE, &last).status, 201);
    world.advance(1);
    never(&swap(&world.browser(), PAGE, &late));
    for odd in ["", "x", &once.to_uppercase(), &format!("{late}="), &late[1..]] {
        never(&swap(&world.browser(), PAGE, odd));
    }
    // The key that made it was taken back, the user disabled.
    let disabled = hand_over(&shop, "bob");
    world.app.disable_user(&Login::parse("bob").expect("a login"), &Caller::cli()).expect("disabled");
    never(&swap(&world.browser(), PAGE, &disabled));
    let revoked = hand_over(&shop, "ana");
    for known in world.app.api_keys().expect("keys") {
        world.app.revoke_api_key(&known.id, false, &Caller::cli()).expect("revoked");
    }
    never(&swap(&world.browser(), PAGE, &revoked));
    assert_eq!(refusals.get(), 17, "tried, 0 accepted");
}

#[apply(every_place)]
fn of_eight_visitors_with_one_code_one_gets_in(place: Place) {
    let world = world(place);
    let code = hand_over(&server(&world, &key(&world)), "ana");
    let answers = at_once((0..8).map(|_| {
        let (browser, code) = (world.browser(), &code);
        move || swap(&browser, PAGE, code).status
    }));
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| matches!(status, 201 | 403)), "{answers:?}");
}

#[apply(every_place)]
fn another_user_takes_the_place_of_the_one_before(place: Place) {
    let world = world(place);
    let shop = server(&world, &key(&world));
    let browser = world.browser();
    let ana = swap(&browser, PAGE, &hand_over(&shop, "ana")).json();
    let cookies = browser.cookies.borrow().clone();
    // The same user once more keeps the sign-in of the other tabs.
    let again = swap(&browser, PAGE, &hand_over(&shop, "ana"));
    assert_eq!((again.status, *browser.cookies.borrow() == cookies), (201, true));
    let bob = swap(&browser, PAGE, &hand_over(&shop, "bob")).json();
    assert_ne!(ana["subject"], bob["subject"]);
    let replay = world.browser();
    *replay.cookies.borrow_mut() = cookies;
    assert_eq!(replay.get("/api/v1/token").status, 401, "the old sign-in has ended");
}

#[apply(every_place)]
fn no_code_makes_an_admin_and_none_leaves_the_list(place: Place) {
    let world = world(place);
    world.user_with("ada", Role::Admin, &[("external_id", "1")]);
    let shop = server(&world, &key(&world));
    let make = |body: Value| code(&ask(&shop, "POST", "/api/v1/handovers", &body));
    assert_eq!(make(json!({"external_id": "1", "origin": PAGE})), (403, "about_admin".into()));
    assert_eq!(make(json!({"external_id": "2", "origin": PAGE})), (404, "unknown_user".into()));
    for origin in ["https://evil.example", "http://www.example.com"] {
        assert_eq!(
            make(json!({"external_id": "2", "origin": origin, "user": {}})),
            (422, "origin_not_allowed".into())
        );
    }
    for origin in ["*", "null", "", "https://www.example.com/page", "www.example.com"] {
        assert_eq!(
            make(json!({"external_id": "2", "origin": origin, "user": {}})),
            (400, "bad_body".into()),
            "{origin}"
        );
    }
    // A user without anything to know them by: no token, and no sign-in that nobody would end.
    let made =
        ask(&shop, "POST", "/api/v1/handovers", &json!({"external_id": "2", "origin": PAGE, "user": {}}));
    let browser = world.browser();
    let answer = swap(&browser, PAGE, made.json()["code"].as_str().expect("a code"));
    assert_eq!((answer.status, browser.cookies.borrow().len()), (403, 0), "{}", answer.body);
}

#[apply(every_place)]
fn a_redirect_asks_first_and_leads_back_to_the_site(place: Place) {
    let world = world(place);
    let shop = server(&world, &key(&world));
    let browser = world.browser();
    let open = |code: &str, referer: &[(&str, &str)]| {
        browser.send(
            "GET",
            &format!("/handover?code={code}&next=https%3A%2F%2Fwww.example.com%2Fcart"),
            None,
            referer,
        )
    };
    let code = hand_over(&shop, "ana");
    // A page elsewhere that leads here signs nobody in.
    for from in ["https://evil.example/", "https://shop.example.com/", "nonsense"] {
        assert_eq!(open(&code, &[("referer", from)]).status, 403, "{from}");
    }
    let asking = open(&code, &[]);
    assert!(
        asking.status == 200
            && asking.body.contains("Continue as ana")
            && !asking.body.contains("data-at-once")
    );
    let page = open(&code, &[("referer", "https://www.example.com/support")]);
    assert!(page.body.contains("data-at-once"));
    let send = |csrf: &str, next: &str| {
        browser.post("/handover", &[("csrf_token", csrf), ("code", &code), ("next", next)])
    };
    let unproved = send("0", "");
    assert!(unproved.status == 403 && unproved.body.contains("Continue as ana"), "it is asked once more");
    assert_eq!(browser.get("/api/v1/token").status, 401);
    let done = send(&page.csrf(), "https://www.example.com/cart");
    assert_eq!((done.status, done.header("location")), (303, Some("https://www.example.com/cart")));
    assert_eq!(browser.get("/api/v1/token").status, 200);
    assert_eq!(open(&code, &[]).status, 403, "once");
    // Back to nobody but the site itself.
    let browser = world.browser();
    for next in
        ["https://evil.example/", "https://shop.example.com/", "//evil.example", "javascript:alert(1)"]
    {
        let code = hand_over(&shop, "ana");
        let csrf = browser.get(&format!("/handover?code={code}")).csrf();
        let done = browser.post("/handover", &[("csrf_token", &csrf), ("code", &code), ("next", next)]);
        assert_eq!(done.header("location"), Some("https://www.example.com/"), "{next}");
    }
    let asked = ask(&shop, "POST", "/api/v1/handovers", &json!({"external_id": "ana"}));
    let app_code = asked.json()["code"].as_str().expect("a code").to_owned();
    assert_eq!(open(&app_code, &[]).status, 403, "a code for apps opens no page");
}

/// What was handed over for one messenger is known to that alone.
#[apply(every_place)]
fn who_was_handed_over_for_one_messenger_is_known_to_that_alone(place: Place) {
    let world = world(place);
    world.app.add_messenger(&"shop".into(), &Caller::cli()).expect("added");
    let origins = [("allowed_origins".to_owned(), "https://b.example.com".to_owned())].into();
    world.app.change_messenger(&"shop".into(), &origins, None, &Caller::cli()).expect("set");
    let encoding = countersign::core::secret::Encoding::Raw;
    world
        .app
        .add_signing_key(
            &"shop".into(),
            "the shop's own key, long enough for HS256",
            encoding,
            false,
            &Caller::cli(),
        )
        .expect("a key");
    let shop = server(&world, &key_for(&world, "shop"));
    let make = |origin: Value| {
        let made = ask(
            &shop,
            "POST",
            "/api/v1/handovers",
            &json!({"external_id": "ana", "origin": origin, "user": verified("ana")}),
        );
        made.json()["code"].as_str().unwrap_or_else(|| panic!("{}", made.body)).to_owned()
    };
    let begun = ask(
        &world.browser(),
        "POST",
        "/api/v1/devices",
        &json!({"code": make(Value::Null), "name": "x", "platform": "ios"}),
    )
    .json();
    let device = world
        .browser()
        .with("authorization", &format!("Bearer {}", begun["device_token"].as_str().expect("a token")));
    let browser = world.browser();
    assert_eq!(swap(&browser, "https://b.example.com", &make(json!("https://b.example.com"))).status, 201);
    for known in [&device, &browser] {
        assert_eq!(
            known.get("/api/v1/token").json()["messenger"]["id"],
            "shop",
            "its own where none is named"
        );
        assert_eq!(known.get("/api/v1/token?messenger=shop").status, 200);
        assert_eq!(
            code(&known.get("/api/v1/token?messenger=default")),
            (403, "messenger_not_allowed".into())
        );
    }
    assert!(browser.get("/").signed_user_info().is_none(), "nor on the page of another messenger");
    assert!(browser.get("/account").body.contains("ana@example.com"));
    // A page reads tokens of its own messenger alone.
    let ana = world.browser();
    world.user("bea");
    let bea = ana.signed_in("bea");
    for (messenger, origin, reads) in [
        ("default", PAGE, true),
        ("shop", PAGE, false),
        ("default", "https://b.example.com", false),
        ("shop", "https://b.example.com", true),
        ("nothing", PAGE, false),
    ] {
        let answer =
            bea.send("GET", &format!("/api/v1/token?messenger={messenger}"), None, &[("origin", origin)]);
        assert_eq!(answer.header("access-control-allow-origin").is_some(), reads, "{messenger} {origin}");
    }
    // A page that names no messenger asks for `default`: a page of that list reads nothing of this sign-in.
    let of_shop = world.browser();
    let headers =
        [("origin", "https://b.example.com"), ("x-countersign", "1"), ("content-type", "application/json")];
    let body = json!({"code": make(json!("https://b.example.com"))}).to_string();
    assert_eq!(of_shop.send("POST", "/api/v1/session", Some(&body), &headers).status, 201);
    assert_eq!(of_shop.get("/api/v1/token").status, 200);
    let read = of_shop.send("GET", "/api/v1/token", None, &[("origin", PAGE)]);
    assert_eq!(code(&read), (403, "messenger_not_allowed".into()), "{}", read.body);
    // Whom the page shows.
    for (shown, status) in [("ana", 201), ("bob", 403), ("", 403)] {
        let body = json!({"code": make(json!("https://b.example.com")), "shown": shown}).to_string();
        let headers = [
            ("origin", "https://b.example.com"),
            ("x-countersign", "1"),
            ("content-type", "application/json"),
        ];
        assert_eq!(
            world.browser().send("POST", "/api/v1/session", Some(&body), &headers).status,
            status,
            "{shown}"
        );
    }
    assert_eq!(device.get("/api/v1/token?shown=bob").json()["code"], "other_user");
}

/// A key that is replaced signs nobody out; one that was stolen takes with it what its codes began, and nothing else.
#[apply(every_place)]
fn what_a_revoked_key_began_goes_on_or_ends_with_it(place: Place) {
    let world = world(place);
    let begin = |shop: &Browser| {
        let (page, app) = (world.browser(), world.browser());
        assert_eq!(swap(&page, PAGE, &hand_over(shop, "ana")).status, 201);
        let body = json!({"code": hand_over(shop, "ana"), "name": "x", "platform": "ios"});
        let begun = ask(&app, "POST", "/api/v1/devices", &body);
        let token = format!("Bearer {}", begun.json()["device_token"].as_str().expect("a token"));
        (page, app.with("authorization", &token))
    };
    let status =
        |(page, app): &(Browser, Browser)| [page, app].map(|asking| asking.get("/api/v1/token").status);
    let (stolen, other) = (key(&world), key(&world));
    let (by_stolen, by_other) = (begin(&server(&world, &stolen)), begin(&server(&world, &other)));
    world.user("bea");
    let bea = world.browser().signed_in("bea");
    let id = |key: &str| {
        let keys = world.app.api_keys().expect("keys");
        keys.into_iter().find(|known| key.ends_with(&known.hint)).expect("the key").id
    };
    let revoke = |end| world.app.revoke_api_key(&id(&stolen), end, &Caller::cli()).expect("revoked").1;
    assert_eq!(world.app.sign_ins_of_key(&id(&stolen)).expect("counted"), (1, 1));
    assert_eq!(revoke(false), 0);
    assert_eq!(status(&by_stolen), [200, 200], "it goes on");
    assert_eq!(revoke(true), 2, "also later");
    assert_eq!(status(&by_stolen), [401, 401]);
    assert_eq!(status(&by_other), [200, 200], "another key's");
    assert_eq!(bea.get("/api/v1/token").status, 200, "nor one by a password");
    assert_eq!(revoke(true), 0);
}
