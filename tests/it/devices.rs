//! Native apps: signed in by a password or a code, known by a device token alone.

use countersign::app::Caller;
use countersign::core::user::{Login, Role};
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::server::{Answer, Browser, PASSWORD, World, everywhere};
use crate::site::{ask, code, key, server};

const DAY: i64 = 24 * 3600;

pub fn sign_in(browser: &Browser, login: &str, password: &str) -> Answer {
    ask(
        browser,
        "POST",
        "/api/v1/devices",
        &json!({"login": login, "password": password, "name": "Ana's phone", "platform": "ios"}),
    )
}

/// An app with its device token, and the device's id.
pub fn app(world: &World, login: &str) -> (Browser, String) {
    let answer = sign_in(&world.browser(), login, PASSWORD);
    assert_eq!(answer.status, 201, "{}", answer.body);
    let begun = answer.json();
    let token = begun["device_token"].as_str().expect("a token");
    (
        world.browser().with("authorization", &format!("Bearer {token}")),
        begun["id"].as_str().expect("an id").to_owned(),
    )
}

fn token(app: &Browser) -> Answer {
    app.get("/api/v1/token")
}

fn is_out(app: &Browser) {
    let answer = token(app);
    assert_eq!(code(&answer), (401, "device_token_unknown".into()), "{}", answer.body);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"countersign\""));
}

#[apply(everywhere)]
fn an_app_signs_in_fetches_tokens_and_signs_out(world: &World) {
    world.user("ana");
    let (phone, id) = app(world, "ana");
    let answer = token(&phone);
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (200, Some("private, no-store")),
        "{}",
        answer.body
    );
    let seen = world.app.inspect_token(answer.json()["token"].as_str().expect("a token")).expect("a JWT");
    assert_eq!((seen.verified, &seen.claims["email"]), (Some(true), &json!("ana@example.com")));
    let (tablet, other) = app(world, "ana");
    let listed = phone.get("/api/v1/devices").json();
    let ids: Vec<(&Value, &Value)> =
        listed["devices"].as_array().expect("a list").iter().map(|it| (&it["id"], &it["current"])).collect();
    assert_eq!(ids, [(&json!(other), &json!(false)), (&json!(id), &json!(true))]);
    assert!(!listed.to_string().contains("device_") && !listed.to_string().contains("digest"));
    assert_eq!(phone.send("DELETE", &format!("/api/v1/devices/{other}"), None, &[]).status, 204);
    is_out(&tablet);
    assert_eq!(code(&phone.send("DELETE", &format!("/api/v1/devices/{other}"), None, &[])).0, 404);
    assert_eq!(phone.send("DELETE", "/api/v1/devices/current", None, &[]).status, 204);
    is_out(&phone);
}

#[apply(everywhere)]
fn nobody_ends_the_devices_of_others(world: &World) {
    world.user("ana");
    world.user("bob");
    let ((ana, id), (bob, _)) = (app(world, "ana"), app(world, "bob"));
    assert_eq!(code(&bob.send("DELETE", &format!("/api/v1/devices/{id}"), None, &[])).0, 404);
    assert_eq!(token(&ana).status, 200);
    assert!(!bob.get("/api/v1/devices").body.contains(&id));
}

#[apply(everywhere)]
fn whoever_is_disabled_has_no_device_any_more(world: &World) {
    let ana = world.user("ana");
    let (phone, _) = app(world, "ana");
    world.app.disable_user(&ana, &Caller::cli()).expect("disabled");
    is_out(&phone);
    world.app.enable_user(&ana, &Caller::cli()).expect("enabled");
    is_out(&phone);
    let (phone, _) = app(world, "ana");
    world.app.set_password(&ana, "another long phrase of hers", &Caller::cli()).expect("set");
    is_out(&phone);
}

#[apply(everywhere)]
fn an_admin_ends_the_device_of_a_user(world: &World) {
    world.user("ana");
    let (phone, id) = app(world, "ana");
    assert_eq!(world.cli(&["device", "list", "ana"])["id"], json!(id));
    assert_eq!(world.cli(&["device", "revoke", "ana", &id])["ended"], json!(true));
    is_out(&phone);
}

#[apply(everywhere)]
fn a_device_dies_without_use_and_of_age(world: &World) {
    world.user("ana");
    let (unused, _) = app(world, "ana");
    world.advance(14 * DAY - 1);
    assert_eq!(token(&unused).status, 200);
    world.advance(14 * DAY);
    is_out(&unused);
    let (busy, _) = app(world, "ana");
    for _ in 0..29 {
        world.advance(DAY);
        assert_eq!(token(&busy).status, 200);
    }
    world.advance(DAY - 100);
    assert_eq!(token(&busy).json()["expires_in"], 100, "no token outlives the device");
    world.advance(100);
    is_out(&busy);
}

#[apply(everywhere)]
fn a_device_token_opens_no_page_and_no_cookie_stands_in_for_it(world: &World) {
    world.user_with("ada", Role::Admin, &[("email", "ada@example.com"), ("email_verified", "yes")]);
    let (app, id) = app(world, "ada");
    assert_eq!(token(&app).status, 200);
    for (path, status) in [("/admin/mapping", 303), ("/api/v1/admin/mapping", 401), ("/admin/audit", 303)] {
        assert_eq!(app.get(path).status, status, "{path}");
    }
    assert!(app.get("/").signed_user_info().is_none());
    let value = app.headers.borrow()[0].1["Bearer ".len()..].to_owned();
    let as_cookie = world.browser().with("cookie", &format!("{}={value}", world.session_cookie()));
    assert_eq!(token(&as_cookie).status, 401);
    assert_eq!(
        world.browser().get(&format!("/api/v1/token?device_token={value}")).status,
        401,
        "in no address"
    );
    let browser = world.browser().signed_in("ada");
    for path in ["/api/v1/devices", "/api/v1/devices/current"] {
        let method = if path.ends_with("current") { "DELETE" } else { "GET" };
        assert_eq!(
            code(&browser.send(method, path, None, &[("x-countersign", "1")])).1,
            "device_token_unknown",
            "{path}"
        );
    }
    let cookie = browser.cookies.borrow().values().next().expect("a cookie").clone();
    let as_bearer = world.browser().with("authorization", &format!("Bearer {cookie}"));
    is_out(&as_bearer);
    // A bad token is refused, even beside a good cookie.
    assert_eq!(browser.send("GET", "/api/v1/token", None, &[("authorization", "Bearer x")]).status, 401);
    assert_eq!(token(&world.browser().with("authorization", &format!("Bearer {id}"))).status, 401);
    assert_eq!(
        token(&world.browser().with("authorization", &format!("Bearer {}", key(world)))).status,
        401,
        "an API key is none"
    );
}

#[apply(everywhere)]
fn unknown_known_and_disabled_users_get_the_same_answer(world: &World) {
    world.user("ana");
    let bob = world.user("bob");
    world.app.disable_user(&bob, &Caller::cli()).expect("disabled");
    let nobody = sign_in(&world.browser(), "nobody", PASSWORD).shape();
    assert!(nobody.starts_with("401"), "{nobody}");
    assert_eq!(sign_in(&world.browser(), "ana", "wrong").shape(), nobody);
    assert_eq!(sign_in(&world.browser(), "bob", PASSWORD).shape(), nobody);
    for _ in 0..4 {
        sign_in(&world.browser(), "ana", "wrong");
    }
    let held = sign_in(&world.browser(), "ana", PASSWORD);
    assert_eq!(code(&held), (429, "too_many_requests".into()));
    assert!(held.header("retry-after").is_some());
    assert_eq!(world.browser().sign_in("ana", PASSWORD).status, 429, "one limiter for both doors");
}

#[apply(everywhere)]
fn what_an_app_sends_wrongly_is_told(world: &World) {
    world.user("ana");
    let send = |body: Value| code(&ask(&world.browser(), "POST", "/api/v1/devices", &body));
    let right = json!({"login": "ana", "password": PASSWORD, "name": "x", "platform": "android"});
    for (name, value) in [
        ("platform", json!("windows")),
        ("platform", Value::Null),
        ("name", json!(" ")),
        ("name", json!("a\nb")),
        ("name", json!("x".repeat(101))),
        ("code", json!("x")),
        ("password", Value::Null),
        ("role", json!("admin")),
    ] {
        let mut body = right.clone();
        body[name] = value;
        assert_eq!(send(body.clone()), (400, "bad_body".into()), "{body}");
    }
    let browser = [("origin", "https://evil.example"), ("content-type", "application/json")];
    let answer = world.browser().send("POST", "/api/v1/devices", Some(&right.to_string()), &browser);
    assert_eq!(code(&answer), (403, "not_for_browsers".into()));
    assert_eq!(send(right), (201, String::new()));
}

#[apply(everywhere)]
fn an_app_is_handed_over_by_a_code(world: &World) {
    let shop = server(world, &key(world));
    let user = json!({"email": "ana@example.com", "email_verified": true});
    let made = ask(&shop, "POST", "/api/v1/handovers", &json!({"external_id": "7", "user": user})).json();
    let swap = |headers: &[(&str, &str)]| {
        let body = json!({"code": made["code"], "name": "x", "platform": "android"}).to_string();
        let mut all = headers.to_vec();
        all.push(("content-type", "application/json"));
        world.browser().send("POST", "/api/v1/devices", Some(&body), &all)
    };
    let begun = swap(&[]);
    assert_eq!(begun.status, 201, "{}", begun.body);
    let bearer = format!("Bearer {}", begun.json()["device_token"].as_str().expect("a token"));
    assert_eq!(token(&world.browser().with("authorization", &bearer)).status, 200);
    assert_eq!(code(&swap(&[])), (403, "code_invalid".into()), "once");
    assert!(
        world
            .app
            .user_called("7")
            .expect("asked")
            .is_some_and(|user| user.login == Login::parse("7").expect("a login"))
    );
}
