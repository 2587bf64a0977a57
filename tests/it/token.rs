//! `GET /api/v1/token`, and what a token may and may not say.

use countersign::app::Caller;
use countersign::core::user::{Login, Role};
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::server::{KEY, Place, World, everywhere};

fn claims(token: &str) -> Value {
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
    validation.validate_exp = false;
    countersign::core::hs256::install();
    let key = jsonwebtoken::DecodingKey::from_secret(KEY.as_bytes());
    jsonwebtoken::decode::<Value>(token, &key, &validation).expect("our key verifies it").claims
}

#[apply(everywhere)]
fn the_answer_has_the_token_its_times_and_the_messenger(world: &World) {
    world.user("ana");
    let answer = world.browser().signed_in("ana").get("/api/v1/token");
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("private, no-store")));
    let body = answer.json();
    let now = world.now();
    assert_eq!(body["expires_at"], now + 600);
    assert_eq!(
        (&body["expires_in"], &body["refresh_in"], &body["server_time"]),
        (&json!(600), &json!(480), &json!(now))
    );
    assert_eq!(body["messenger"]["messenger_id"], "01HGFZRNX7M9S4PX2G3RIA8S0C");
    let claims = claims(body["token"].as_str().expect("a token"));
    assert_eq!(
        claims,
        json!({"email": "ana@example.com", "name": "ana", "iat": now - 60, "exp": now + 600})
            .as_object()
            .map(|expected| {
                let mut expected = expected.clone();
                expected.remove("name");
                Value::Object(expected)
            })
            .expect("an object")
    );
}

#[apply(everywhere)]
fn a_token_never_outlives_the_session(world: &World) {
    world.user("ana");
    let browser = world.browser().signed_in("ana");
    world.advance(8 * 3600 - 100);
    // Use is written, so idleness begins anew; the absolute limit comes closer.
    assert_eq!(browser.get("/api/v1/token").json()["expires_in"], 600);
    for _ in 0..2 {
        world.advance(8 * 3600 - 100);
        browser.get("/api/v1/token");
    }
    let last = browser.get("/api/v1/token").json();
    assert_eq!(last["expires_in"], 300, "three times 100 seconds before 24 hours are over");
    assert_eq!(claims(last["token"].as_str().expect("a token"))["exp"], last["expires_at"]);
}

#[apply(everywhere)]
fn nobody_gets_a_problem_with_what_a_page_needs_all_the_same(world: &World) {
    let answer = world.browser().get("/api/v1/token");
    assert_eq!((answer.status, answer.header("content-type")), (401, Some("application/problem+json")));
    let body = answer.json();
    assert_eq!((&body["code"], &body["status"]), (&json!("signed_out"), &json!(401)));
    assert_eq!(body["messenger"]["anonymous"], "allow");
    assert_eq!(world.browser().get("/api/v1/token?optional=1").status, 204);
    let cross_site = world.browser().with("sec-fetch-site", "cross-site").get("/api/v1/token");
    assert_eq!(cross_site.json()["code"], "cookie_not_sent");
    assert_eq!(world.browser().get("/api/v1/token?messenger=other").json()["code"], "unknown_messenger");
}

#[apply(everywhere)]
fn an_unverified_user_gets_the_reason_and_a_page_without_a_token(world: &World) {
    world.user_with("bob", Role::User, &[("email", "bob@example.com")]);
    let bob = world.browser().signed_in("bob");
    let answer = bob.get("/api/v1/token");
    assert_eq!((answer.status, &answer.json()["code"]), (403, &json!("unverified")));
    let page = bob.get("/");
    assert_eq!(page.status, 200);
    assert!(page.signed_user_info().is_none() && page.body.contains("DpMessengerOptions"), "{}", page.body);
}

#[apply(everywhere)]
fn the_caller_chooses_neither_user_nor_claims_nor_lifetime(world: &World) {
    world.user("ana");
    world.user("bob");
    let ana = world.browser().signed_in("ana");
    let plain = ana.get("/api/v1/token").json();
    for query in [
        "user=bob",
        "login=bob",
        "user_id=bob",
        "email=bob@example.com",
        "exp=9999999999",
        "lifetime=99999",
        "alg=none",
    ] {
        assert_eq!(ana.get(&format!("/api/v1/token?{query}")).json(), plain, "{query}");
    }
    let with_headers = ana.send(
        "GET",
        "/api/v1/token",
        None,
        &[("x-user", "bob"), ("x-forwarded-user", "bob"), ("authorization", "Basic Ym9iOmJvYg==")],
    );
    assert_eq!(with_headers.json(), plain);
    // A device token is asked for itself: where it is none, the cookie does not stand in for it.
    assert_eq!(ana.send("GET", "/api/v1/token", None, &[("authorization", "Bearer bob")]).status, 401);
}

#[apply(everywhere)]
fn the_subject_is_the_same_for_a_user_and_differs_between_users(world: &World) {
    world.user("ana");
    world.user("bob");
    let subject =
        |login: &str| world.browser().signed_in(login).get("/api/v1/token").json()["subject"].clone();
    assert_eq!(subject("ana"), subject("ana"));
    assert_ne!(subject("ana"), subject("bob"));
    let page = world.browser().signed_in("ana").get("/");
    assert!(page.body.contains(&format!("data-subject=\"{}\"", subject("ana").as_str().expect("a text"))));
}

#[apply(everywhere)]
fn each_token_is_counted_and_each_refusal_written_down_once_an_hour(world: &World) {
    world.user("ana");
    world.user_with("bob", Role::User, &[]);
    let (ana, bob) = (world.browser().signed_in("ana"), world.browser().signed_in("bob"));
    for _ in 0..3 {
        ana.get("/api/v1/token");
        bob.get("/api/v1/token");
    }
    world.app.flush_counts().expect("written");
    assert_eq!(world.app.counted("token_issued", 0).expect("counted"), [(String::new(), 3)]);
    assert_eq!(world.app.counted("token_refused", 0).expect("counted"), [("no_identifier".to_owned(), 3)]);
    let refusals = |world: &World| {
        let events = world
            .app
            .events(&countersign::app::history::Filter::default(), 100)
            .expect("events")
            .expect("all");
        events.iter().filter(|event| event.word == "token_refused").count()
    };
    assert_eq!(refusals(world), 1);
    world.advance(3600);
    bob.get("/api/v1/token");
    assert_eq!(refusals(world), 2);
}

#[apply(everywhere)]
fn a_page_s_nonce_is_repeated_and_nothing_else(world: &World) {
    world.user("ana");
    let ana = world.browser().signed_in("ana");
    let ask = |query: &str| ana.get(&format!("/api/v1/token{query}"));
    assert_eq!(ask("?nonce=a-Z_09").json()["nonce"], "a-Z_09");
    assert_eq!(ask("").json().get("nonce"), None);
    for odd in ["a%20b", "%22", "%C3%A4", &"a".repeat(65)] {
        let answer = ask(&format!("?nonce={odd}"));
        assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("bad_body")), "{odd}");
    }
}

#[apply(everywhere)]
fn in_a_frame_of_another_site_the_reason_is_told_and_no_code_is_spent(world: &World) {
    world.user("ana");
    let frame = [("sec-fetch-site", "same-site"), ("sec-fetch-storage-access", "none")];
    let answer = world.browser().send("GET", "/api/v1/token", None, &frame);
    assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("cookie_not_sent")));
    let answer = world.browser().send("GET", "/api/v1/token?optional=1", None, &frame);
    assert_eq!((answer.status, answer.header("x-countersign-code")), (204, Some("cookie_not_sent")));
    // A browser that was let sends the cookie, and then it counts.
    let ana = world.browser().signed_in("ana");
    assert_eq!(ana.send("GET", "/api/v1/token", None, &frame).status, 200);
}

#[apply(everywhere)]
fn a_published_mapping_counts_at_the_next_request(world: &World) {
    world.user_with(
        "ana",
        Role::User,
        &[("deskpro_id", "42"), ("email", "ana@example.com"), ("email_verified", "yes")],
    );
    let ana = world.browser().signed_in("ana");
    let draft = r#"{"token": "id", "rules": [{"claim": "deskpro_id", "from": {"attribute": "deskpro_id"}}]}"#;
    world.app.publish_mapping(&"default".into(), draft, "upfront", &Caller::cli()).expect("published");
    let body = ana.get("/api/v1/token").json();
    let claims = claims(body["token"].as_str().expect("a token"));
    assert_eq!(claims, json!({"deskpro_id": "42", "iat": world.now() - 60, "exp": world.now() + 600}));
}

#[test]
fn nobody_ever_gets_another_user_s_token_at_400_parallel_requests() {
    for place in [Place::Sqlite, Place::Postgres] {
        let world = World::new(place);
        let logins: Vec<Login> = (0..20).map(|number| world.user(&format!("user{number}"))).collect();
        let browsers: Vec<_> = logins.iter().map(|login| world.browser().signed_in(login.as_str())).collect();
        let cookies: Vec<_> = browsers.iter().map(|browser| browser.cookies.borrow().clone()).collect();
        std::thread::scope(|scope| {
            for number in 0..400 {
                let (login, cookies, world) = (&logins[number % 20], &cookies[number % 20], &world);
                scope.spawn(move || {
                    let browser = world.browser();
                    *browser.cookies.borrow_mut() = cookies.clone();
                    let token = match number % 2 {
                        0 => browser.get("/api/v1/token").json()["token"].as_str().map(str::to_owned),
                        _ => browser.get("/").signed_user_info(),
                    };
                    let claims = claims(&token.expect("a token"));
                    assert_eq!(claims["email"], format!("{login}@example.com"));
                });
            }
        });
    }
}

#[test]
fn iat_and_exp_can_each_be_left_out() {
    for (iat, exp) in [("true", "false"), ("false", "true"), ("false", "false")] {
        let world = World::with(Place::Sqlite, |source| source.with("token_iat", iat).with("token_exp", exp));
        world.user("ana");
        let body = world.browser().signed_in("ana").get("/api/v1/token").json();
        let payload =
            world.app.inspect_token(body["token"].as_str().expect("a token")).expect("a token").claims;
        assert_eq!(payload.get("iat").is_some(), iat == "true");
        assert_eq!(payload.get("exp").is_some(), exp == "true");
        assert_eq!(body["refresh_in"], 480, "without exp the lifetime stands in");
    }
}
