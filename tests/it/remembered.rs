//! Tokens that a server remembers: they need no database, and are never older than what they depend on.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::app::Caller;
use countersign::app::attributes::Change;
use countersign::core::id::MessengerId;
use countersign::core::messenger::fields::Texts;
use countersign::core::user::Role;
use rstest_reuse::apply;
use serde_json::Value;

use crate::postgres::Postgres;
use crate::server::{Answer, Browser, PASSWORD, Place, World, every_place, everywhere};

const TOKEN: &str = "/api/v1/token";

/// The claims of the token that a browser gets, or the status of the refusal.
fn asked(browser: &Browser, path: &str) -> Result<Value, u16> {
    let answer = browser.get(path);
    if answer.status != 200 {
        return Err(answer.status);
    }
    let token = answer.json()["token"].as_str().expect("a token").to_owned();
    let claims = token.split('.').nth(1).expect("three parts");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64url");
    Ok(serde_json::from_slice(&claims).expect("JSON"))
}

/// Asks until the token is certainly remembered.
fn warm(world: &World, browser: &Browser, path: &str) -> Value {
    world.app.poll_changes().expect("the database answers");
    asked(browser, path).expect("a token");
    asked(browser, path).expect("a token")
}

#[apply(everywhere)]
fn a_remembered_token_is_like_the_first_and_needs_no_database(world: &World) {
    world.user("ana");
    let browser = world.browser().signed_in("ana");
    world.app.poll_changes().expect("the database answers");
    let first = browser.get(&format!("{TOKEN}?nonce=a1"));
    let before = world.app.statements();
    let mut others = 0;
    for _ in 0..500 {
        let next = browser.get(&format!("{TOKEN}?nonce=a1"));
        others += u32::from(next.body != first.body);
    }
    assert_eq!(others, 0, "within one second of the clock");
    // Other work of the server uses it now and then.
    assert!(world.app.statements() - before < 100, "{}", world.app.statements() - before);
    assert!(world.app.remembered_bytes() > 500);
}

#[apply(everywhere)]
fn only_the_times_are_new_and_no_token_outlives_the_session(world: &World) {
    world.user("ana");
    let browser = world.browser().signed_in("ana");
    let first = warm(world, &browser, TOKEN);
    world.advance(7);
    let next = warm(world, &browser, TOKEN);
    let now = world.now();
    assert_eq!((&next["iat"], &next["exp"]), (&(now - 60).into(), &(now + 600).into()));
    assert_eq!(first["email"], next["email"]);
    // The session is used now and then, and so it does not end for want of use.
    for _ in 0..40 {
        world.advance(1000);
        assert!(asked(&browser, TOKEN).is_ok());
    }
    let ends_at = now - 7 + 24 * 3600;
    while world.now() + 400 < ends_at {
        world.advance(400);
        let claims = warm(world, &browser, TOKEN);
        assert!(claims["exp"].as_i64() <= Some(ends_at), "{claims} {ends_at}");
    }
    world.advance(400);
    assert_eq!(asked(&browser, TOKEN), Err(401));
}

/// The routes give a response that is not remembered to every request in which something is unusual.
#[apply(every_place)]
fn the_short_way_answers_like_the_routes(place: Place) {
    let origin = "https://www.example.com";
    let world = &World::with(place, |source| source.with("allowed_origins", origin));
    world.user_with(
        "ana",
        Role::User,
        &[
            ("email", "ana@example.com"),
            ("email_verified", "true"),
            ("display_name", "Ana <Kovač>"),
            ("external_id", "4 2"),
        ],
    );
    world.app.poll_changes().expect("the database answers");
    let page = world.browser().signed_in("ana");
    let (phone, _) = crate::devices::app(world, "ana");
    for (browser, path, headers) in [
        (&page, TOKEN, vec![]),
        (&page, "/api/v1/token?messenger=default&optional=1&nonce=a-1&other=x", vec![]),
        (&page, "/api/v1/token?shown=4%202", vec![("origin", origin)]),
        (&page, TOKEN, vec![("origin", "https://other.example.com")]),
        (&page, "/api/v1/token?platform=ios", vec![]),
        (&page, "/", vec![]),
        (&page, "/", vec![("accept-language", "fr, de-AT;q=0.8, en;q=0.5")]),
        (&phone, TOKEN, vec![]),
        (&phone, "/api/v1/token?nonce=b", vec![("origin", origin)]),
    ] {
        let get = |unusual: bool| {
            let more = unusual.then_some(("sec-purpose", "none"));
            browser.send("GET", path, None, &headers.iter().copied().chain(more).collect::<Vec<_>>())
        };
        let first = get(true);
        assert_eq!(first.status, 200, "{path} {headers:?}: {}", first.body);
        assert_eq!(first.header("set-cookie"), None, "shapes do not show it");
        let before = world.app.statements();
        for _ in 0..50 {
            assert_eq!(get(false).shape(), first.shape(), "{path} {headers:?}");
        }
        // Other work of the server uses it now and then.
        assert!(world.app.statements() - before < 25, "{path} {headers:?}");
    }
}

#[test]
fn what_the_edge_refuses_has_no_short_way() {
    let host = "accounts.example.com";
    let world = World::with(Place::Sqlite, |source| source.with("public_url", &format!("https://{host}")));
    world.user("ana");
    let begun = crate::devices::sign_in(&world.browser().with("host", host), "ana", PASSWORD).json();
    let device = format!("Bearer {}", begun["device_token"].as_str().expect("a token"));
    world.app.poll_changes().expect("the database answers");
    let status = |method: &str, host: &str, path: &str, more: &[(&str, &str)]| {
        let headers = [("host", host), ("authorization", device.as_str())];
        world.browser().send(method, path, None, &[&headers, more].concat()).status
    };
    for _ in 0..2 {
        assert_eq!(status("GET", host, TOKEN, &[]), 200);
    }
    assert_eq!(status("GET", "ACCOUNTS.example.com:443", TOKEN, &[]), 200);
    assert_eq!(status("GET", "other.example.com", TOKEN, &[]), 421);
    assert_eq!(status("GET", host, TOKEN, &[("sec-purpose", "prefetch")]), 503);
    for query in ["other=%00", "nonce=%2B", "messenger=default&messenger=default", "platform=tv"] {
        let status = status("GET", host, &format!("{TOKEN}?{query}"), &[]);
        assert!(matches!(status, 400 | 422), "{query}: {status}");
    }
    assert_eq!(status("POST", host, TOKEN, &[]), 405);
}

#[apply(everywhere)]
fn a_page_that_is_remembered_has_a_nonce_of_its_own_and_ends_with_the_session(world: &World) {
    let ana = world.user("ana");
    let browser = world.browser().signed_in("ana");
    world.app.poll_changes().expect("the database answers");
    let nonce = |answer: &Answer| {
        let (_, rest) = answer.body.split_once(" nonce=\"").expect("a script");
        rest.split('"').next().expect("a nonce").to_owned()
    };
    let mut nonces = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let answer = browser.get("/");
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains(&format!("'nonce-{}'", nonce(&answer))), "{policy}");
        nonces.insert(nonce(&answer));
    }
    assert_eq!(nonces.len(), 3);
    world.advance(7);
    world.app.poll_changes().expect("the database answers");
    let token = browser.get("/").signed_user_info().expect("a token");
    let claims = world.app.inspect_token(&token).expect("a JWT").claims;
    assert_eq!(claims["exp"].as_i64(), Some(world.now() + 600));
    let name = [("display_name".to_owned(), "Ana Kovač".to_owned())];
    world.app.change_user(&ana, &name, &Caller::cli()).expect("changed");
    assert!(browser.get("/").body.contains("<bdi>Ana Kovač</bdi>"));
    // The form on the page is that of the session.
    assert_eq!(browser.sign_out().status, 303);
    assert_eq!(browser.get("/").signed_user_info(), None);
}

/// Everything that a token depends on: the change, and what the same browser gets right after it.
#[apply(everywhere)]
fn whatever_changes_is_seen_by_the_next_request(world: &World) {
    let ana = world.user("ana");
    let app = &world.app;
    let caller = Caller::cli();
    let browser = world.browser().signed_in("ana");
    let default = MessengerId::default();
    let path = &format!("{TOKEN}?messenger=default");
    let publish = |rules: &str| {
        let text = format!(r#"{{"rules": [{{"claim": "email", "from": {{"attribute": "email"}}}}{rules}]}}"#);
        app.publish_mapping(&default, &text, "a test", &caller).expect("published");
    };
    let set = |name: &str, value: &str| {
        app.change_user(&ana, &[(name.to_owned(), value.to_owned())], &caller).expect("changed");
    };
    let messenger = |name: &str, value: &str| {
        let texts = Texts::from([(name.to_owned(), value.to_owned())]);
        app.change_messenger(&default, &texts, None, &caller).expect("changed");
    };

    warm(world, &browser, path);
    publish(r#", {"claim": "name", "from": {"attribute": "display_name"}}"#);
    assert!(warm(world, &browser, path).get("name").is_none());
    set("display_name", "Ana Kovač");
    assert_eq!(warm(world, &browser, path)["name"], "Ana Kovač");
    messenger("token_lifetime", "60");
    let claims = warm(world, &browser, path);
    assert_eq!(claims["exp"].as_i64(), Some(world.now() + 60));
    messenger("token_iat", "false");
    assert!(warm(world, &browser, path).get("iat").is_none());
    messenger("blocked", "ana@example.com");
    assert_eq!(asked(&browser, path), Err(403));
    messenger("blocked", "");
    warm(world, &browser, path);

    let change = Change { kind: None, searchable: None, proved: Some(true) };
    app.set_attribute("other", change, &caller, |_| {}).expect("an attribute");
    set("other", "ana.k@example.com");
    publish(r#", {"claim": "emails", "from": {"attribute": "other"}}"#);
    assert_eq!(warm(world, &browser, path)["emails"][0], "ana.k@example.com");
    let change = Change { kind: None, searchable: None, proved: Some(false) };
    app.set_attribute("other", change, &caller, |_| {}).expect("an attribute");
    assert!(warm(world, &browser, path).get("emails").is_none());

    app.disable_user(&ana, &caller).expect("disabled");
    assert_eq!(asked(&browser, path), Err(401));
    app.enable_user(&ana, &caller).expect("enabled");
    let (one, other) = (world.browser().signed_in("ana"), world.browser().signed_in("ana"));
    warm(world, &one, path);
    warm(world, &other, path);
    one.sign_out();
    assert_eq!((asked(&one, path), asked(&other, path).is_ok()), (Err(401), true));
    app.set_password(&ana, crate::server::PASSWORD, &caller).expect("a password");
    assert_eq!(asked(&other, path), Err(401));
}

#[apply(everywhere)]
fn what_the_page_shows_is_asked_each_time_unless_it_is_the_external_id(world: &World) {
    let ana = world.user("ana");
    let app = &world.app;
    let browser = world.browser().signed_in("ana");
    let by_login = &format!("{TOKEN}?shown=ana");
    warm(world, &browser, by_login);
    // Another user gets the external ID that was a login a moment ago.
    let attributes = [("external_id".to_owned(), "ana".to_owned())];
    let ben = countersign::core::user::Login::parse("ben").expect("a login");
    app.add_user(&ben, countersign::core::user::Role::User, &attributes, &Caller::cli()).expect("added");
    assert_eq!(asked(&browser, by_login), Err(401));
    app.change_user(&ana, &[("external_id".to_owned(), "7".to_owned())], &Caller::cli()).expect("changed");
    let by_id = &format!("{TOKEN}?shown=7");
    warm(world, &browser, by_id);
    assert_eq!(asked(&browser, &format!("{TOKEN}?shown=8")), Err(401), "another request of the same session");
    app.change_user(&ana, &[("external_id".to_owned(), "9".to_owned())], &Caller::cli()).expect("changed");
    assert_eq!(asked(&browser, by_id), Err(401));
}

#[apply(everywhere)]
fn the_change_of_another_server_arrives_with_the_poll(world: &World) {
    let ana = world.user("ana");
    let (second, server) = world.second_instance();
    let browser = world.browser().signed_in("ana");
    warm(world, &browser, TOKEN);
    second.disable_user(&ana, &Caller::cli()).expect("disabled");
    world.app.poll_changes().expect("the database answers");
    assert_eq!(asked(&browser, TOKEN), Err(401));
    drop(server);
}

#[test]
fn a_clock_that_was_set_and_a_memory_of_nothing_remember_nothing() {
    let world = World::new(Place::Sqlite);
    world.user("ana");
    let browser = world.browser().signed_in("ana");
    for hours in [1, -1, 30] {
        warm(&world, &browser, TOKEN);
        world.advance(hours * 3600);
        let before = world.app.statements();
        let answer = asked(&browser, TOKEN);
        assert!(world.app.statements() > before, "{hours}");
        assert_eq!(answer.is_ok(), hours < 24, "{hours}");
    }
    let without = World::with(Place::Sqlite, |source| source.with("token_cache", "0"));
    without.user("ana");
    let browser = without.browser().signed_in("ana");
    warm(&without, &browser, TOKEN);
    assert_eq!(without.app.remembered_bytes(), 0);
}

/// A database whose server has stopped, and Ana's browser, whose token is remembered.
fn without_a_database() -> (Postgres, World, Browser) {
    let mut postgres = Postgres::start();
    let url = postgres.database();
    let world = World::with(Place::Sqlite, |source| source.with("database_url", &url));
    world.user("ana");
    let browser = world.browser().signed_in("ana");
    warm(&world, &browser, TOKEN);
    postgres.stop();
    (postgres, world, browser)
}

#[test]
fn without_the_database_nothing_is_remembered() {
    let (mut postgres, world, browser) = without_a_database();
    assert!(world.app.poll_changes().is_err());
    assert_eq!(asked(&browser, TOKEN), Err(503));
    postgres.start_again();
    world.app.poll_changes().expect("the database answers");
    assert!(asked(&browser, TOKEN).is_ok());
}

#[test]
fn tokens_are_counted_once_although_the_database_was_away() {
    let (mut postgres, world, browser) = without_a_database();
    assert!(world.app.flush_counts().is_err());
    postgres.start_again();
    warm(&world, &browser, TOKEN);
    world.app.flush_counts().expect("each row is written once");
    let counted = world.app.counted("token_issued", 0).expect("counts");
    assert_eq!(counted.iter().map(|(_, tokens)| tokens).sum::<i64>(), 4);
}
