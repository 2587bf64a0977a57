//! Signing in and out: who gets in, what the others are told, how fast one may guess.

use countersign::app::Caller;
use countersign::core::user::Role;
use rstest_reuse::apply;

use crate::server::{Browser, PASSWORD, Place, World, everywhere};

#[apply(everywhere)]
fn a_user_signs_in_sees_the_own_name_and_signs_out(world: &World) {
    world.user_with(
        "ana",
        Role::User,
        &[("display_name", "Ana Kovač"), ("email", "ana@example.com"), ("email_verified", "yes")],
    );
    let browser = world.browser().signed_in("ANA ");
    let page = browser.get("/");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Ana Kovač"), "{}", page.body);
    let token = page.signed_user_info().expect("a token on the page");
    assert!(world.app.inspect_token(&token).expect("a token").verified == Some(true));
    let answer = browser.sign_out();
    assert_eq!(answer.status, 303);
    let page = browser.get("/");
    assert!(!page.body.contains("Ana Kovač") && page.signed_user_info().is_none(), "{}", page.body);
    assert_eq!(browser.get("/api/v1/token").status, 401);
}

#[apply(everywhere)]
fn unknown_known_disabled_and_password_less_users_get_the_same_answer(world: &World) {
    world.user("known");
    world.user("disabled");
    world.app.disable_user(&"disabled".parse_login(), &Caller::cli()).expect("disabled");
    world.app.add_user(&"bare".parse_login(), Role::User, &[], &Caller::cli()).expect("added");
    let wrong = world.browser().sign_in("nobody", "x");
    assert_eq!(wrong.status, 401);
    let long = "x".repeat(900);
    for (login, password) in [
        ("known", "x"),
        ("known", ""),
        ("known", long.as_str()),
        ("disabled", PASSWORD),
        ("disabled", "x"),
        ("bare", ""),
        ("bare", "x"),
        ("nobody", ""),
        ("nobody", long.as_str()),
        ("nobody", PASSWORD),
    ] {
        // A network of its own each, so that no wait comes between.
        let answer = world.browser().sign_in(login, password);
        let expected = wrong.shape().replace("nobody", login);
        assert_eq!(answer.shape(), expected, "{login} {password}");
        world.advance(1000);
    }
}

#[apply(everywhere)]
fn the_reference_is_new_at_every_sign_in_and_a_planted_one_is_never_adopted(world: &World) {
    world.user("ana");
    let browser = world.browser().signed_in("ana");
    let first = session_cookie(world, &browser);
    let again = world.browser();
    again.cookies.borrow_mut().insert(world.session_cookie(), first.clone());
    assert_eq!(again.get("/login").status, 303, "already signed in");
    let planted = world.browser();
    planted.cookies.borrow_mut().insert(world.session_cookie(), "planted".repeat(10));
    let planted = planted.signed_in("ana");
    let second = session_cookie(world, &planted);
    assert!(second != first && !second.contains("planted"));
}

#[apply(everywhere)]
fn a_cookie_replayed_after_sign_out_is_nobody(world: &World) {
    world.user("ana");
    let browser = world.browser().signed_in("ana");
    let stolen = world.browser();
    *stolen.cookies.borrow_mut() = browser.cookies.borrow().clone();
    assert_eq!(stolen.get("/api/v1/token").status, 200);
    browser.sign_out();
    assert_eq!(stolen.get("/api/v1/token").status, 401);
    assert!(stolen.get("/").signed_user_info().is_none());
}

#[apply(everywhere)]
fn a_disabled_user_is_out_at_the_next_request(world: &World) {
    let ana = world.user("ana");
    let browser = world.browser().signed_in("ana");
    world.app.disable_user(&ana, &Caller::cli()).expect("disabled");
    assert_eq!(browser.get("/api/v1/token").status, 401);
    world.app.enable_user(&ana, &Caller::cli()).expect("enabled");
    assert_eq!(browser.get("/api/v1/token").status, 401, "the old session stays dead");
}

#[apply(everywhere)]
fn a_new_password_ends_all_sessions(world: &World) {
    let ana = world.user("ana");
    let (one, other) = (world.browser().signed_in("ana"), world.browser().signed_in("ana"));
    world.app.set_password(&ana, "another set of words", &Caller::cli()).expect("set");
    assert_eq!((one.get("/api/v1/token").status, other.get("/api/v1/token").status), (401, 401));
}

#[apply(everywhere)]
fn a_session_ends_without_use_and_however_busy(world: &World) {
    world.user("ana");
    let idle = world.browser().signed_in("ana");
    let busy = world.browser().signed_in("ana");
    for _ in 0..5 {
        world.advance(2 * 3600);
        if world.now() % (8 * 3600) != 0 {
            assert_eq!(busy.get("/api/v1/token").status, 200);
        }
    }
    assert_eq!(idle.get("/api/v1/token").status, 401, "idle for ten hours");
    for _ in 0..8 {
        world.advance(2 * 3600);
        busy.get("/api/v1/token");
    }
    assert_eq!(busy.get("/api/v1/token").status, 401, "26 hours after the sign-in");
}

#[apply(everywhere)]
fn an_admin_s_console_closes_after_half_an_hour_without_use_of_its_own(world: &World) {
    world.user_with("root", Role::Admin, &[("email", "root@example.com"), ("email_verified", "yes")]);
    let browser = world.browser().signed_in("root");
    world.advance(1799);
    assert_eq!(browser.get("/admin/mapping").status, 200);
    // A tab of the website that fetches tokens is nobody who uses the console.
    for _ in 0..3 {
        world.advance(600);
        assert_eq!(browser.get("/api/v1/token").status, 200);
    }
    let closed = browser.get("/admin/mapping");
    assert_eq!(closed.status, 303);
    assert!(closed.header("location").is_some_and(|to| to.contains("/admin/confirm?next=")), "{closed:?}");
    assert_eq!(browser.get("/api/v1/admin/mapping").status, 401);
    assert_eq!(browser.get("/api/v1/token").status, 200, "the sign-in at the website goes on");
    // The password opens it again.
    let form = browser.get("/admin/confirm").csrf();
    let answer =
        browser.post("/admin/confirm", &[("csrf_token", &form), ("password", PASSWORD), ("next", "")]);
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(browser.get("/admin/mapping").status, 200);
}

#[apply(everywhere)]
fn several_browsers_are_signed_in_at_once_and_end_alone(world: &World) {
    world.user("ana");
    let (one, other) = (world.browser().signed_in("ana"), world.browser().signed_in("ana"));
    one.sign_out();
    assert_eq!((one.get("/api/v1/token").status, other.get("/api/v1/token").status), (401, 200));
}

#[apply(everywhere)]
fn waits_begin_after_five_wrong_guesses_and_a_success_clears_them(world: &World) {
    world.user("ana");
    for _ in 0..5 {
        assert_eq!(world.browser().sign_in("ana", "wrong").status, 401);
    }
    let waits = world.browser().sign_in("ana", PASSWORD);
    assert_eq!((waits.status, waits.header("retry-after")), (429, Some("1")));
    assert!(waits.body.contains("value=\"ana\""), "what was typed stays");
    world.advance(1);
    world.browser().signed_in("ana");
    for _ in 0..5 {
        assert_eq!(world.browser().sign_in("ana", "wrong").status, 401, "counted anew");
    }
}

#[apply(everywhere)]
fn other_spellings_and_forged_headers_share_the_limit(world: &World) {
    world.user("ana");
    let hashed = world.app.hashes();
    let spellings = ["ana", "ANA", " ana", "Ana ", "aNa", "anA", "ana\u{a0}", "AN\u{41}"];
    for (number, spelling) in spellings.iter().enumerate() {
        let browser = world.browser().with("X-Forwarded-For", &format!("198.51.100.{number}"));
        browser.sign_in(spelling, "wrong");
    }
    assert_eq!(world.app.hashes() - hashed, 5, "judged guesses");
}

#[apply(everywhere)]
fn forged_posts_are_refused_before_a_password_is_hashed(world: &World) {
    world.user("ana");
    let browser = world.browser();
    let token = browser.get("/login").csrf();
    let foreign = world.browser().get("/login").csrf();
    let hashed = world.app.hashes();
    let form = |token: &str| {
        [("csrf_token", token.to_owned()), ("login", "ana".into()), ("password", PASSWORD.into())]
    };
    let check = |token: &str, headers: &[(&str, &str)]| {
        let form = form(token);
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = browser.post_with("/login", &form, headers);
        assert_eq!(answer.status, 403, "{token} {headers:?}");
        assert!(answer.body.contains("value=\"ana\""), "nothing typed is lost");
    };
    check("", &[]);
    check(&"0".repeat(64), &[]);
    check(&foreign, &[]);
    check(&token, &[("origin", "https://evil.example")]);
    check(&token, &[("origin", "null")]);
    check(&token, &[("sec-fetch-site", "cross-site")]);
    check(&token, &[("sec-fetch-site", "same-site")]);
    assert_eq!(world.app.hashes(), hashed, "nothing was hashed");
    let origin = world.base.trim_end_matches("/accounts").to_owned();
    let form = form(&token);
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(
        browser.post_with("/login", &form, &[("origin", &origin), ("sec-fetch-site", "same-origin")]).status,
        303
    );
}

#[apply(everywhere)]
fn a_forged_sign_out_changes_nothing(world: &World) {
    world.user("ana");
    let browser = world.browser().signed_in("ana");
    assert_eq!(browser.post("/logout", &[]).status, 403);
    assert_eq!(browser.post("/logout", &[("csrf_token", "x")]).status, 403);
    assert_eq!(browser.get("/logout").status, 405);
    assert_eq!(browser.get("/api/v1/token").status, 200, "still signed in");
}

#[apply(everywhere)]
fn sign_in_leads_to_a_place_of_ours_only(world: &World) {
    world.user("ana");
    let home = format!(
        "{}/",
        world
            .base
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('/'))
            .map_or(String::new(), |(_, path)| format!("/{path}"))
    );
    for (next, expected) in [
        ("/account?x=1", "/account?x=1"),
        ("https://evil.example/", home.as_str()),
        ("//evil.example", home.as_str()),
        ("/\\evil.example", home.as_str()),
    ] {
        let browser = world.browser();
        let token = browser.get(&format!("/login?next={}", crate::server::encode(next))).csrf();
        let answer = browser.post(
            "/login",
            &[("csrf_token", &token), ("login", "ana"), ("password", PASSWORD), ("next", next)],
        );
        assert_eq!((answer.status, answer.header("location")), (303, Some(expected)), "{next}");
    }
    // A page of the website whose path Countersign is.
    let cart = format!("{}/cart", world.base.splitn(4, '/').take(3).collect::<Vec<_>>().join("/"));
    let browser = world.browser();
    let token = browser.get("/login").csrf();
    let answer = browser
        .post("/login", &[("csrf_token", &token), ("login", "ana"), ("password", PASSWORD), ("next", &cart)]);
    let has_public_url = world.app.settings().public_url.is_some();
    assert_eq!(answer.header("location"), Some(if has_public_url { cart.as_str() } else { home.as_str() }));
}

fn session_cookie(world: &World, browser: &Browser) -> String {
    browser.cookies.borrow().get(&world.session_cookie()).cloned().expect("a session cookie")
}

trait ParseLogin {
    fn parse_login(&self) -> countersign::core::user::Login;
}

impl ParseLogin for &str {
    fn parse_login(&self) -> countersign::core::user::Login {
        countersign::core::user::Login::parse(self).expect("a login")
    }
}

#[test]
fn of_200_parallel_guesses_no_more_than_the_limit_are_judged() {
    for place in [Place::Sqlite, Place::Postgres] {
        let world = World::new(place);
        world.user("ana");
        let hashed = world.app.hashes();
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..200).map(|_| scope.spawn(|| world.browser().sign_in("ana", "wrong").status)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        let judged = statuses.iter().filter(|status| **status == 401).count();
        assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
        assert_eq!(judged, 5);
        assert_eq!(world.app.hashes() - hashed, 5);
    }
}

/// The statuses of sign-ins of Ana that start at the same time, one for each password.
fn at_once(world: &World, passwords: &[&str]) -> Vec<u16> {
    let start = std::sync::Barrier::new(passwords.len());
    let sign_in = |password| {
        start.wait();
        world.browser().sign_in("ana", password).status
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = passwords.iter().map(|password| scope.spawn(|| sign_in(password))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

#[test]
fn a_user_whose_devices_all_sign_in_at_once_is_never_refused() {
    for place in [Place::Sqlite, Place::Postgres] {
        let world = World::new(place);
        world.user("ana");
        assert_eq!(at_once(&world, &[PASSWORD; 12]), [303; 12]);
        // A wait that is there already stays, whatever runs beside.
        for _ in 0..5 {
            assert_eq!(world.browser().sign_in("ana", "wrong").status, 401);
        }
        assert_eq!(at_once(&world, &[PASSWORD; 6]), [429; 6]);
    }
}
