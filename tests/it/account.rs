//! The account page: what support sees, another password, an end to sign-ins; and staying signed in.

use countersign::core::user::Role;
use rstest_reuse::apply;
use serde_json::json;

use crate::server::{Answer, Browser, PASSWORD, World, everywhere};
use crate::site::{ask, key, server};

const NEW: &str = "seven tall trees by a river";

fn press(browser: &Browser, what: &str, fields: &[(&str, &str)]) -> Answer {
    let token = browser.get("/account").csrf();
    let mut form = vec![("csrf_token", token.as_str()), ("do", what)];
    form.extend(fields);
    browser.post("/account", &form)
}

fn change(browser: &Browser, current: &str, new: &str) -> Answer {
    press(browser, "password", &[("current", current), ("new", new)])
}

fn is_in(browser: &Browser) -> bool {
    browser.get("/api/v1/token?optional=1").status == 200
}

fn app(world: &World, login: &str) -> Browser {
    let body = json!({"login": login, "password": PASSWORD, "name": "Ana's phone", "platform": "ios"});
    let begun = ask(&world.browser(), "POST", "/api/v1/devices", &body).json();
    world
        .browser()
        .with("authorization", &format!("Bearer {}", begun["device_token"].as_str().expect("a token")))
}

/// The values of the buttons that end a place.
fn places(page: &Answer) -> Vec<String> {
    let buttons = page.body.split("name=\"do\" value=\"").skip(1);
    buttons
        .filter_map(|rest| rest.split('"').next())
        .filter(|value| value.contains('-'))
        .map(str::to_owned)
        .collect()
}

#[apply(everywhere)]
fn a_user_reads_what_support_sees_from_the_real_payload(world: &World) {
    world.user_with(
        "ana",
        Role::User,
        &[("email", "ana@example.com"), ("email_verified", "yes"), ("display_name", "Ana <b>Kovač</b>")],
    );
    let ana = world.browser().signed_in("ana");
    let page = ana.get("/account");
    for text in
        ["What support sees about you", "ana@example.com", "Ana &#60;b&#62;Kovač&#60;/b&#62;", "this browser"]
    {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert!(!page.body.contains("eyJ"), "no token on it");
    world.user_with("bob", Role::User, &[("email", "bob@example.com")]);
    let unproved = world.browser().signed_in("bob").get("/account");
    assert!(
        unproved.body.contains("is not verified yet") && !unproved.body.contains("<dl"),
        "{}",
        unproved.body
    );
    world.app.flush_counts().expect("written");
    for kind in ["token_issued", "token_refused"] {
        assert_eq!(world.app.counted(kind, 0).expect("counted"), [], "looking takes no token");
    }
    let nobody = world.browser().get("/account");
    assert!(
        nobody.status == 303
            && nobody
                .header("location")
                .is_some_and(|to| to.contains("/login?next=") && to.ends_with("account"))
    );
    let german = world.browser().with("accept-language", "de").signed_in("ana").get("/account");
    assert!(german.body.contains("Hier sind Sie angemeldet"));
}

#[apply(everywhere)]
fn another_password_needs_the_current_one_and_ends_every_other_sign_in(world: &World) {
    world.user("ana");
    let (ana, other, phone) =
        (world.browser().signed_in("ana"), world.browser().signed_in("ana"), app(world, "ana"));
    for (current, new, status, text) in [
        ("wrong words of hers", NEW, 401, "current password is incorrect"),
        (PASSWORD, "short", 422, "at least 15 characters"),
        (PASSWORD, "", 422, "enter both"),
        (PASSWORD, "passwordpassword", 422, "easy to guess"),
        (PASSWORD, "countersigncountersign", 422, "name of this website"),
    ] {
        let refused = change(&ana, current, new);
        assert!(
            refused.status == status && refused.body.contains(text),
            "{new}: {} {}",
            refused.status,
            refused.body
        );
        assert!(
            new.is_empty() || !refused.body.contains(&format!("value=\"{new}\"")),
            "it is not written back"
        );
    }
    assert!(is_in(&ana) && is_in(&other) && is_in(&phone), "nothing was changed");
    let before = ana.cookies.borrow().clone();
    let done = change(&ana, PASSWORD, NEW);
    assert!(
        done.header("location").is_some_and(|to| to.ends_with("/account?done=password")),
        "{}",
        done.body
    );
    assert_ne!(*ana.cookies.borrow(), before, "under a new reference");
    assert!(is_in(&ana) && !is_in(&other));
    assert_eq!(phone.get("/api/v1/token").status, 401);
    let replay = world.browser();
    *replay.cookies.borrow_mut() = before;
    assert!(!is_in(&replay), "the old reference is nobody's");
    assert_eq!(world.browser().sign_in("ana", PASSWORD).status, 401);
    assert_eq!(world.browser().sign_in("ana", NEW).status, 303);
    // Guesses are counted as at the form.
    for _ in 0..5 {
        change(&ana, "guess after guess", NEW);
    }
    let held = change(&ana, NEW, PASSWORD);
    assert_eq!((held.status, held.header("retry-after").is_some()), (429, true));
}

#[apply(everywhere)]
fn each_sign_in_is_listed_and_ended(world: &World) {
    world.user("ana");
    world.user("bob");
    let bob = world.browser().signed_in("bob");
    let firefox = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0";
    let (ana, other, phone) = (
        world.browser().signed_in("ana"),
        world.browser().with("user-agent", firefox).signed_in("ana"),
        app(world, "ana"),
    );
    let page = ana.get("/account");
    assert!(
        page.body.contains("Firefox on Windows")
            && page.body.contains("Ana&#39;s phone")
            && page.body.contains("127.0.0.1"),
        "{}",
        page.body
    );
    let listed = places(&page);
    assert_eq!(listed.len(), 2, "{listed:?}");
    let session =
        listed.iter().find(|value| value.starts_with("session-")).expect("the other browser").clone();
    let device = listed.iter().find(|value| value.starts_with("device-")).expect("the phone").clone();
    // What others have is not found.
    for place in [&session, &device] {
        assert!(press(&bob, place, &[]).header("location").is_some_and(|to| to.ends_with("done=nothing")));
    }
    assert!(is_in(&other) && is_in(&phone));
    for (place, gone) in [(&session, &other), (&device, &phone)] {
        assert!(press(&ana, place, &[]).header("location").is_some_and(|to| to.ends_with("done=ended")));
        assert_ne!(gone.get("/api/v1/token").status, 200);
    }
    let (second, third) = (world.browser().signed_in("ana"), app(world, "ana"));
    press(&ana, "others", &[]);
    assert!(is_in(&ana) && !is_in(&second) && third.get("/api/v1/token").status == 401);
    let last = world.browser().signed_in("ana");
    press(&ana, "everything", &[]);
    assert!(!is_in(&ana) && !is_in(&last) && is_in(&bob));
    assert_eq!(ana.get("/account").status, 303);
}

#[apply(everywhere)]
fn the_account_s_form_is_proved(world: &World) {
    world.user("ana");
    let ana = world.browser().signed_in("ana");
    for (token, headers) in [
        ("", vec![]),
        ("0", vec![]),
        ("right", vec![("origin", "https://evil.example")]),
        ("right", vec![("sec-fetch-site", "cross-site")]),
    ] {
        let right = ana.get("/account").csrf();
        let token = if token == "right" { &right } else { token };
        let hashes = world.app.hashes();
        let refused = ana.post_with(
            "/account",
            &[("csrf_token", token), ("do", "everything"), ("current", PASSWORD), ("new", NEW)],
            &headers,
        );
        assert_eq!((refused.status, world.app.hashes()), (403, hashes));
    }
    assert!(is_in(&ana));
}

#[apply(everywhere)]
fn a_user_of_the_site_s_own_login_has_no_password_to_change(world: &World) {
    let shop = server(world, &key(world));
    ask(&shop, "PUT", "/api/v1/users/7", &json!({"email": "ana@example.com", "email_verified": true}));
    assert_eq!(world.browser().sign_in("7", "").status, 401);
    let page = "https://www.example.com";
    let origins = [("allowed_origins".to_owned(), page.to_owned())].into();
    world
        .app
        .change_messenger(&"default".into(), &origins, None, &countersign::app::Caller::cli())
        .expect("allowed");
    let code =
        ask(&shop, "POST", "/api/v1/handovers", &json!({"external_id": "7", "origin": page})).json()["code"]
            .clone();
    let browser = world.browser();
    let headers = [("origin", page), ("x-countersign", "1"), ("content-type", "application/json")];
    assert_eq!(
        browser.send("POST", "/api/v1/session", Some(&json!({"code": code}).to_string()), &headers).status,
        201
    );
    let account = browser.get("/account");
    assert!(
        account.body.contains("ana@example.com") && !account.body.contains("name=\"new\""),
        "{}",
        account.body
    );
    assert_eq!(change(&browser, "", NEW).status, 422);
    assert_eq!(change(&browser, "x", NEW).status, 401);
}

#[apply(everywhere)]
fn who_asks_stays_signed_in_and_nobody_else(world: &World) {
    world.user("ana");
    world.user_with("ada", Role::Admin, &[]);
    let sign_in = |login: &str, keep: &str| {
        let browser = world.browser();
        let token = browser.get("/login").csrf();
        let answer = browser.post(
            "/login",
            &[("csrf_token", &token), ("login", login), ("password", PASSWORD), ("keep", keep)],
        );
        let cookie =
            answer.headers.iter().find(|(name, _)| name == "set-cookie").expect("a cookie").1.clone();
        (browser, cookie)
    };
    let ((kept, cookie), (usual, plain)) = (sign_in("ana", "yes"), sign_in("ana", ""));
    assert!(
        cookie.contains("Max-Age=2592000") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    assert!(!plain.contains("Max-Age"), "{plain}");
    let (admin, _) = sign_in("ada", "yes");
    world.advance(24 * 3600);
    assert_eq!(admin.get("/admin/mapping").status, 303, "admins are asked again all the same");
    assert!(is_in(&kept) && !is_in(&usual));
    world.advance(28 * 24 * 3600);
    assert!(is_in(&kept), "without use for four weeks");
    world.app.sweep().expect("swept");
    assert!(is_in(&kept));
    world.advance(24 * 3600 - 60);
    assert_eq!(kept.get("/api/v1/token").json()["expires_in"], 60, "no token outlives it");
    world.advance(60);
    assert!(!is_in(&kept));
}

#[test]
fn where_the_setting_says_so_nobody_stays_signed_in() {
    let world = World::with(crate::server::Place::Sqlite, |source| source.with("session_kept", "0"));
    world.user("ana");
    let browser = world.browser();
    let page = browser.get("/login");
    assert!(!page.body.contains("name=\"keep\""));
    browser.post(
        "/login",
        &[("csrf_token", &page.csrf()), ("login", "ana"), ("password", PASSWORD), ("keep", "yes")],
    );
    world.advance(24 * 3600);
    assert!(!is_in(&browser));
}
