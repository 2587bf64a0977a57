//! Connection codes: a plugin picks up its API key, and nobody else sees it.

use countersign::app::Caller;
use countersign::app::api_keys::NewKey;
use countersign::app::history::Filter;
use countersign::core::api_key::{CODE_LIFETIME, Scope, State};
use rstest_reuse::apply;
use serde_json::json;

use crate::server::{Answer, World, everywhere};
use crate::site::{ask, code, server};
use crate::store::at_once;

const DAY: i64 = 24 * 3600;

fn offered(world: &World, name: &str) -> (String, String) {
    let new = NewKey {
        id: None,
        name: name.into(),
        scopes: vec![Scope::Users, Scope::Mint],
        messengers: vec!["default".into()],
        email_verified: false,
        prefix: Some(String::new()),
        lifetime: 365 * DAY,
    };
    let (key, code) = world.app.offer_api_key(&new, &Caller::cli()).expect("a code");
    (key.id, code)
}

fn connect(world: &World, code: &str) -> Answer {
    ask(
        &world.browser(),
        "POST",
        "/api/v1/connections",
        &json!({ "code": code, "site": "https://shop.example" }),
    )
}

fn state_of(world: &World, id: &str) -> State {
    let keys = world.app.api_keys().expect("keys");
    keys.iter().find(|key| key.id == id).expect("the key").state(world.now())
}

#[apply(everywhere)]
fn a_connection_code_makes_one_key_that_works(world: &World) {
    world.user_with(
        "ana",
        countersign::core::user::Role::User,
        &[("external_id", "7"), ("email", "ana@example.com"), ("email_verified", "true")],
    );
    let (id, secret) = offered(world, "WordPress");
    assert_eq!(state_of(world, &id), State::Waiting);
    // The code is no key.
    assert_eq!(
        code(&ask(&server(world, &secret), "POST", "/api/v1/mint", &json!({"external_id": "7"}))),
        (401, "api_key_unknown".into())
    );
    world.advance(CODE_LIFETIME - 1);
    let answer = connect(world, &format!(" {secret}\n"));
    assert_eq!(answer.status, 201, "{}", answer.body);
    let body = answer.json();
    assert_eq!(
        (&body["messengers"], &body["scopes"], &body["name"]),
        (&json!(["default"]), &json!(["users", "mint"]), &json!("WordPress"))
    );
    // It lasts as long as was said, from now on.
    assert_eq!(body["expires_at"], world.now() + 365 * DAY);
    let key = body["api_key"].as_str().expect("a key");
    assert_eq!(ask(&server(world, key), "POST", "/api/v1/mint", &json!({"external_id": "7"})).status, 200);
    assert_eq!(state_of(world, &id), State::Live);
    let again = connect(world, &secret);
    assert_eq!(code(&again), (403, "connection_code_invalid".into()));
    assert!(
        again.json()["detail"].as_str().is_some_and(|why| why.contains("already used")),
        "{}",
        again.body
    );
    let events = world.app.events(&Filter::default(), 50).expect("events").expect("all");
    let words: Vec<&str> =
        events.iter().map(|event| event.word.as_str()).filter(|word| word.starts_with("api_key")).collect();
    assert_eq!(words, ["api_key_collected", "api_key_offered"]);
    let collected = events.iter().find(|event| event.word == "api_key_collected").expect("it");
    assert!(
        collected.detail.contains(&("site".into(), "https://shop.example".into())),
        "{:?}",
        collected.detail
    );
}

#[apply(everywhere)]
fn a_connection_code_that_is_late_revoked_or_none_makes_nothing(world: &World) {
    let (_, late) = offered(world, "late");
    let (id, revoked) = offered(world, "revoked");
    world.app.revoke_api_key(&id, false, &Caller::cli()).expect("revoked");
    let why = |secret: &str| {
        let answer = connect(world, secret);
        assert_eq!(code(&answer), (403, "connection_code_invalid".into()), "{}", answer.body);
        answer.json()["detail"].as_str().expect("why").to_owned()
    };
    assert!(why(&revoked).contains("revoked"));
    world.advance(CODE_LIFETIME);
    assert!(why(&late).contains("older than 15 minutes"));
    assert!(why("").contains("Copy the whole code"));
    assert!(why(&late[..late.len() - 1]).contains("Copy the whole code"));
    // Never into a page.
    let (_, good) = offered(world, "good");
    for header in [("origin", "https://www.example.com"), ("sec-fetch-site", "same-origin")] {
        let answer = world.browser().send(
            "POST",
            "/api/v1/connections",
            Some(&json!({"code": good}).to_string()),
            &[("content-type", "application/json"), header],
        );
        assert_eq!(code(&answer), (403, "not_for_browsers".into()));
    }
    assert_eq!(connect(world, &good).status, 201);
    world.app.flush_counts().expect("written");
    assert_eq!(
        world.app.counted("connection", 0).expect("counted"),
        [("refused".to_owned(), 4), ("swapped".to_owned(), 1)]
    );
}

#[apply(everywhere)]
fn of_many_plugins_with_one_code_one_gets_the_key(world: &World) {
    let (_, secret) = offered(world, "WordPress");
    let answers = at_once((0..8).map(|_| || connect(world, &secret).status));
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 403).count(), 7, "{answers:?}");
}

#[apply(everywhere)]
fn after_a_clock_that_was_ahead_a_code_lasts_no_longer_than_it_should(world: &World) {
    world.advance(3 * DAY);
    let (id, _) = offered(world, "ahead");
    world.advance(-3 * DAY);
    world.app.pull_back_moments().expect("pulled back");
    assert_eq!(state_of(world, &id), State::Waiting);
    world.advance(CODE_LIFETIME);
    assert_eq!(state_of(world, &id), State::Missed);
    // Used before anybody has looked: the key lives as long as was said.
    world.advance(3 * DAY);
    let (id, secret) = offered(world, "used");
    world.advance(-3 * DAY);
    assert_eq!(connect(world, &secret).status, 201);
    world.app.pull_back_moments().expect("pulled back");
    world.advance(365 * DAY - 1);
    assert_eq!(state_of(world, &id), State::Live);
}
