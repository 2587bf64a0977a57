//! The site's own server: API keys, users under the site's own key, tokens for its pages.

use countersign::app::Caller;
use countersign::app::api_keys::NewKey;
use countersign::app::attributes::Change;
use countersign::core::api_key::Scope;
use countersign::core::attribute::Kind;
use countersign::core::user::{Login, Role};
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::server::{Answer, Browser, Place, World, everywhere};
use crate::store::at_once;

const DAY: i64 = 24 * 3600;

fn new_key(scopes: &[Scope]) -> NewKey {
    NewKey {
        id: None,
        name: "shop server".into(),
        scopes: scopes.to_vec(),
        messengers: vec!["default".into()],
        email_verified: false,
        prefix: None,
        lifetime: 365 * DAY,
    }
}

/// A key with every scope.
pub fn key(world: &World) -> String {
    world.app.create_api_key(&new_key(&Scope::ALL), &Caller::cli()).expect("a key").1
}

/// A key with every scope for one messenger.
pub fn key_for(world: &World, messenger: &str) -> String {
    let new = NewKey { messengers: vec![messenger.into()], ..new_key(&Scope::ALL) };
    world.app.create_api_key(&new, &Caller::cli()).expect("a key").1
}

/// The site's server, with a key.
pub fn server(world: &World, key: &str) -> Browser {
    world.browser().with("authorization", &format!("Bearer {key}"))
}

pub fn ask(server: &Browser, method: &str, path: &str, body: &Value) -> Answer {
    server.send(method, path, Some(&body.to_string()), &[("content-type", "application/json")])
}

pub fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

fn attribute(world: &World, name: &str, kind: Kind) {
    let change = Change { kind: Some(kind), ..Change::default() };
    world.app.set_attribute(name, change, &Caller::cli(), |_| {}).expect("an attribute");
}

#[apply(everywhere)]
fn a_server_keeps_its_user_up_to_date(world: &World) {
    attribute(world, "plan", Kind::Text);
    attribute(world, "vip", Kind::YesNo);
    attribute(world, "credit", Kind::Number);
    attribute(world, "tags", Kind::List);
    let shop = server(world, &key(world));
    let all = json!({"email": "Ana@Example.com", "email_verified": true, "display_name": "Ana Kovač",
            "plan": "gold", "vip": true, "credit": 12.5, "tags": ["a", "b"]});
    let made = ask(&shop, "PUT", "/api/v1/users/A-7", &all);
    assert_eq!(made.status, 201, "{}", made.body);
    let shown = made.json();
    assert_eq!(
        (&shown["external_id"], &shown["login"], &shown["changed"]),
        (&json!("A-7"), &json!("a-7"), &json!(true))
    );
    assert_eq!(shown["attributes"]["email"], "Ana@example.com");
    assert_eq!(
        (&shown["attributes"]["credit"], &shown["attributes"]["tags"]),
        (&json!(12.5), &json!(["a", "b"]))
    );
    assert!(shown.get("role").is_none());
    let again = ask(&shop, "PUT", "/api/v1/users/A-7", &all);
    assert_eq!((again.status, &again.json()["changed"]), (200, &json!(false)));
    // What is not named stays, null takes away, and a new address is not proved by the old proof.
    let changed =
        ask(&shop, "PUT", "/api/v1/users/A-7", &json!({"plan": null, "email": "other@example.com"}));
    let attributes = &changed.json()["attributes"];
    assert_eq!((attributes.get("plan"), attributes.get("email_verified")), (None, None));
    assert_eq!(attributes["display_name"], "Ana Kovač");
    let events: Vec<String> = world
        .app
        .events(&countersign::app::history::Filter::default(), 10)
        .expect("events")
        .expect("all")
        .into_iter()
        .filter(|row| row.word.starts_with("user_"))
        .map(|row| row.word)
        .collect();
    assert_eq!(events, ["user_changed", "user_added"], "the same call again is no event");
    // Another user, whose key differs by capitals alone.
    let twin = ask(&shop, "PUT", "/api/v1/users/a-7", &json!({}));
    assert_eq!(twin.status, 201, "{}", twin.body);
    assert!(twin.json()["login"].as_str().is_some_and(|login| login.starts_with("a-7~")));
    // Keys with signs that paths spell otherwise.
    for (path, id) in [("x%2Fy", "x/y"), ("%C3%A4%20b", "ä b"), ("1%3A%3F%23", "1:?#"), ("50%25", "50%")] {
        let answer = ask(&shop, "PUT", &format!("/api/v1/users/{path}"), &json!({}));
        assert_eq!((answer.status, &answer.json()["external_id"]), (201, &json!(id)), "{path}");
    }
}

#[apply(everywhere)]
fn what_a_server_may_not_write_is_refused_whole(world: &World) {
    attribute(world, "plan", Kind::Text);
    let shop = server(world, &key(world));
    let errors = |body: &Value| -> Vec<String> {
        let answer = ask(&shop, "PUT", "/api/v1/users/7", body);
        assert_eq!(code(&answer), (422, "bad_attributes".into()), "{body}: {}", answer.body);
        let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let hostile = json!({"role": "admin", "deskpro_id": "1", "password": "x", "password_hash": "$argon2id$v=19$m=1,t=1,p=1$a$b",
            "disabled": false, "id": "x", "external_id": "8", "plan": 7, "email": "no address", "email_verified": "maybe",
            "nothing~of/ours": "x", "timezone": ["Europe/Berlin"], "display_name": {"a": 1}});
    let mut named = errors(&hostile);
    named.sort();
    let mut expected: Vec<String> = hostile
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| format!("/{}", name.replace('~', "~0").replace('/', "~1")))
        .collect();
    expected.sort();
    assert_eq!(named, expected, "each with its place");
    assert!(world.app.user_called("7").expect("asked").is_none(), "nothing was written");
    for body in ["", "[]", "7", "{", "{\"a\":1}x", "\"x\"", "{\"email\":null,\"email\":null}"] {
        let answer = shop.send("PUT", "/api/v1/users/7", Some(body), &[("content-type", "application/json")]);
        assert_eq!(code(&answer), (400, "bad_body".into()), "{body}");
    }
    assert_eq!(code(&shop.send("PUT", "/api/v1/users/7", Some("{}"), &[])).0, 415);
    for id in ["%20", &"x".repeat(201), "a%0Ab", "%C2%A07", "7%E3%80%80", "7%20"] {
        assert_eq!(
            code(&ask(&shop, "PUT", &format!("/api/v1/users/{id}"), &json!({}))),
            (400, "bad_body".into()),
            "{id}"
        );
    }
    // Somebody else's address.
    world.user("ana");
    let taken = ask(&shop, "PUT", "/api/v1/users/7", &json!({"email": "ANA@example.com"}));
    assert_eq!(code(&taken), (409, "address_taken".into()));
    assert!(!taken.body.contains("'ana'"), "{}", taken.body);
    // Admins are changed by admins alone; nobody learns here what is so already.
    world.user_with("ada", Role::Admin, &[("external_id", "1"), ("display_name", "Ada")]);
    let admin = ask(&shop, "PUT", "/api/v1/users/1", &json!({"email": "thief@example.com"}));
    assert_eq!(code(&admin), (403, "about_admin".into()));
    let same = ask(&shop, "PUT", "/api/v1/users/1", &json!({"display_name": "Ada"}));
    assert_eq!(code(&same), (403, "about_admin".into()));
    for path in ["/api/v1/mint", "/api/v1/handovers"] {
        assert_eq!(
            code(&ask(&shop, "POST", path, &json!({"external_id": "1"}))),
            (403, "about_admin".into()),
            "{path}"
        );
    }
}

#[apply(everywhere)]
fn a_page_that_shows_the_site_s_user_gets_no_token_of_whoever_has_that_login(world: &World) {
    world.user("bob");
    let bob = world.browser().signed_in("bob");
    let shown = |name: &str| bob.get(&format!("/api/v1/token?shown={name}")).status;
    assert_eq!(shown("bob"), 200, "nobody else is called so");
    let user = json!({"email": "other@example.com", "email_verified": true});
    assert_eq!(ask(&server(world, &key(world)), "PUT", "/api/v1/users/bob", &user).status, 201);
    assert_eq!(shown("bob"), 401);
}

#[apply(everywhere)]
fn a_server_mints_a_token_for_its_user_in_one_call(world: &World) {
    let shop = server(world, &key(world));
    let user = json!({"email": "ana@example.com", "email_verified": true});
    let minted = ask(&shop, "POST", "/api/v1/mint", &json!({"external_id": "7", "user": user}));
    assert_eq!(minted.status, 200, "{}", minted.body);
    let (minted, again) =
        (minted.json(), ask(&shop, "POST", "/api/v1/mint", &json!({"external_id": "7"})).json());
    assert_eq!(minted, again, "the same user, the same moment");
    let token = minted["token"].as_str().expect("a token");
    let seen = world.app.inspect_token(token).expect("a JWT");
    assert_eq!((seen.verified, &seen.claims["email"]), (Some(true), &json!("ana@example.com")));
    assert_eq!(minted["expires_in"], 600);
    assert_eq!(minted["messenger"]["messenger_id"], "01HGFZRNX7M9S4PX2G3RIA8S0C");
    // A password of hers here would sign in as the same user: the subject says so.
    world
        .app
        .set_password(&Login::parse("7").expect("a login"), crate::server::PASSWORD, &Caller::cli())
        .expect("set");
    assert_eq!(world.browser().signed_in("7").get("/api/v1/token").json()["subject"], minted["subject"]);
    let unknown = ask(&shop, "POST", "/api/v1/mint", &json!({"external_id": "8"}));
    assert_eq!(code(&unknown), (404, "unknown_user".into()));
    let elsewhere = ask(&shop, "POST", "/api/v1/mint", &json!({"external_id": "7", "messenger": "other"}));
    assert_eq!(code(&elsewhere), (404, "unknown_messenger".into()));
    let unproved = json!({"external_id": "9", "user": {"email": "bob@example.com"}});
    assert_eq!(code(&ask(&shop, "POST", "/api/v1/mint", &unproved)), (403, "unverified".into()));
    world.app.disable_user(&Login::parse("7").expect("a login"), &Caller::cli()).expect("disabled");
    assert_eq!(
        code(&ask(&shop, "POST", "/api/v1/mint", &json!({"external_id": "7"}))),
        (403, "disabled".into())
    );
    for (body, why) in [
        (json!({}), "nobody"),
        (json!({"external_id": 7}), "a number"),
        (json!({"external_id": "7", "exp": 1}), "a lifetime"),
    ] {
        assert_eq!(code(&ask(&shop, "POST", "/api/v1/mint", &body)), (400, "bad_body".into()), "{why}");
    }
}

#[apply(everywhere)]
fn a_key_proves_addresses_only_where_it_says_so(world: &World) {
    let new = NewKey { email_verified: true, ..new_key(&[Scope::Users, Scope::Mint]) };
    let (_, proving) = world.app.create_api_key(&new, &Caller::cli()).expect("a key");
    let shop = server(world, &proving);
    let verified = |body: Value| {
        ask(&shop, "PUT", "/api/v1/users/7", &body).json()["attributes"]["email_verified"].clone()
    };
    assert_eq!(verified(json!({"email": "a@example.com"})), json!(true));
    assert_eq!(verified(json!({"email": "b@example.com", "email_verified": false})), json!(false));
    assert_eq!(verified(json!({"display_name": "Ana"})), json!(false), "nothing was said of the address");
    assert_eq!(verified(json!({"email": null})), Value::Null);
}

#[apply(everywhere)]
fn only_a_live_key_with_the_scope_opens_anything(world: &World) {
    let (made, secret) = world.app.create_api_key(&new_key(&[Scope::Mint]), &Caller::cli()).expect("a key");
    let put = |headers: &[(&str, &str)]| {
        let mut all = headers.to_vec();
        all.push(("content-type", "application/json"));
        world.browser().send("POST", "/api/v1/mint", Some("{\"external_id\":\"7\"}"), &all)
    };
    let bearer = format!("Bearer {secret}");
    assert_eq!(code(&put(&[("authorization", &bearer)])), (404, "unknown_user".into()), "it is let in");
    assert_eq!(code(&put(&[("authorization", &format!("bearer {secret}"))])).0, 404);
    let missing = put(&[]);
    assert_eq!(code(&missing), (401, "api_key_missing".into()));
    assert_eq!(missing.header("www-authenticate"), Some("Bearer realm=\"countersign\""));
    for wrong in [secret.clone(), format!("Basic {secret}"), "Bearer".into(), "Bearer ".into()] {
        assert_eq!(code(&put(&[("authorization", &wrong)])), (401, "api_key_missing".into()), "{wrong}");
    }
    for wrong in [&secret[..secret.len() - 1], &secret.to_uppercase(), "countersign_", &made.id, &made.hint] {
        assert_eq!(
            code(&put(&[("authorization", &format!("Bearer {wrong}"))])),
            (401, "api_key_unknown".into())
        );
    }
    assert_eq!(code(&put(&[("authorization", &bearer), ("authorization", &bearer)])).0, 401, "twice");
    assert_eq!(
        code(&put(&[("cookie", &format!("{}={secret}", world.session_cookie()))])).0,
        401,
        "no cookie"
    );
    let shop = server(world, &secret);
    assert_eq!(code(&ask(&shop, "PUT", "/api/v1/users/7", &json!({}))), (403, "scope_missing".into()));
    assert_eq!(
        code(&ask(&shop, "POST", "/api/v1/mint", &json!({"external_id": "7", "user": {}}))),
        (403, "scope_missing".into())
    );
    // A browser, whatever the key.
    for header in [
        ("origin", "https://www.example.com"),
        ("origin", "null"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let answer = put(&[("authorization", &bearer), header]);
        assert_eq!(code(&answer), (403, "not_for_browsers".into()), "{header:?}");
        assert!(!answer.headers.iter().any(|(name, _)| name.starts_with("access-control")));
    }
    world.advance(365 * DAY - 1);
    assert_eq!(code(&put(&[("authorization", &bearer)])).0, 404);
    world.advance(1);
    assert_eq!(code(&put(&[("authorization", &bearer)])), (401, "api_key_expired".into()));
    let (other, secret) = world.app.create_api_key(&new_key(&Scope::ALL), &Caller::cli()).expect("a key");
    world.app.revoke_api_key(&other.id, false, &Caller::cli()).expect("revoked");
    assert_eq!(
        code(&ask(&server(world, &secret), "POST", "/api/v1/mint", &json!({"external_id": "7"}))),
        (401, "api_key_revoked".into())
    );
}

#[apply(everywhere)]
fn of_many_calls_at_once_about_one_user_none_is_lost(world: &World) {
    for name in ["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"] {
        attribute(world, name, Kind::Text);
    }
    let secret = key(world);
    at_once((0..8).map(|number| {
        let shop = server(world, &secret);
        move || {
            let answer = ask(&shop, "PUT", "/api/v1/users/7", &json!({format!("a{number}"): "x"}));
            assert!(matches!(answer.status, 200 | 201), "{}", answer.body);
        }
    }));
    let user = world.app.user_called("7").expect("asked").expect("one user");
    assert!((0..8).all(|number| user.text(&format!("a{number}")).is_some()), "{:?}", user.attributes);
}

#[apply(everywhere)]
fn of_many_first_calls_about_one_user_each_gets_the_token(world: &World) {
    let secret = key(world);
    for round in 0..4 {
        let answers = at_once((0..6).map(|_| {
            let shop = server(world, &secret);
            move || {
                let user = json!({"email": format!("new{round}@example.com"), "email_verified": true});
                ask(&shop, "POST", "/api/v1/mint", &json!({"external_id": format!("N{round}"), "user": user}))
                    .status
            }
        }));
        assert_eq!(answers, [200; 6], "round {round}");
    }
}

#[apply(everywhere)]
fn an_id_that_is_no_text_is_refused_and_a_taken_login_makes_room(world: &World) {
    let shop = server(world, &key(world));
    for id in ["M%FCller", "%C3%28", "%ED%A0%80", "%ff", "%zz", "%"] {
        assert_eq!(ask(&shop, "PUT", &format!("/api/v1/users/{id}"), &json!({})).status, 400, "{id}");
    }
    let mark = countersign::core::secret::digest("victim");
    for (id, login) in [("F1", "victim".to_owned()), ("F2", format!("victim~{}", &mark[..8]))] {
        assert_eq!(ask(&shop, "PUT", &format!("/api/v1/users/{id}"), &json!({"login": login})).status, 201);
    }
    let made = ask(&shop, "PUT", "/api/v1/users/victim", &json!({}));
    assert_eq!(
        (made.status, made.json()["login"].as_str()),
        (201, Some(format!("victim~{}", &mark[..16]).as_str()))
    );
}

#[apply(everywhere)]
fn a_key_is_kept_nowhere_in_the_clear(world: &World) {
    let (made, secret) = world.app.create_api_key(&new_key(&Scope::ALL), &Caller::cli()).expect("a key");
    let listed = world.cli(&["api-key", "list"]);
    assert_eq!(
        (&listed["id"], &listed["state"], &listed["used_at"]),
        (&json!(made.id), &json!("live"), &Value::Null)
    );
    assert!(!listed.to_string().contains(&secret));
    ask(&server(world, &secret), "PUT", "/api/v1/users/7", &json!({}));
    assert_eq!(world.cli(&["api-key", "list"])["used_at"], json!(world.now()));
    let events =
        world.app.events(&countersign::app::history::Filter::default(), 20).expect("events").expect("all");
    assert!(events.iter().any(
        |row| row.word == "user_added" && row.actor == world.app.actor_name(&format!("key:{}", made.id))
    ));
    assert!(!format!("{events:?}").contains(&secret));
    assert_eq!(world.app.actor_name(&format!("key:{}", made.id)), "API key “shop server”");
    let revoked = world.cli(&["api-key", "revoke", &made.id]);
    assert_eq!(revoked["state"], "revoked");
}

#[test]
fn a_program_that_runs_wild_is_told_when_to_come_back() {
    let world = World::with(Place::Sqlite, |source| {
        source
            .with("api_key_requests", "3")
            .with("token_requests", "3")
            .with("allowed_origins", "https://www.example.com")
    });
    world.user("ana");
    let shop = server(&world, &key(&world));
    let (ana, other) = (world.browser().signed_in("ana"), world.browser().signed_in("ana"));
    let mut last = None;
    for _ in 0..4 {
        let headers = [("origin", "https://www.example.com")];
        last = Some((
            ask(&shop, "PUT", "/api/v1/users/7", &json!({})),
            ana.send("GET", "/api/v1/token", None, &headers),
        ));
    }
    let (put, token) = last.expect("asked");
    for answer in [&put, &token] {
        assert_eq!(code(answer), (429, "too_many_requests".into()));
        assert!(
            answer.header("retry-after").is_some_and(|wait| wait.parse::<u32>().is_ok_and(|wait| wait > 0))
        );
    }
    assert_eq!(token.header("access-control-allow-origin"), Some("https://www.example.com"));
    assert_eq!(other.get("/api/v1/token").status, 200, "another sign-in has a bucket of its own");
}
