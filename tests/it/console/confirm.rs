//! The password once more: for the audit as a file, after five minutes.

use rstest_reuse::apply;

use super::{admin, fill, filled_in, send};
use crate::server::{Answer, Browser, PASSWORD, World, everywhere};

const FILE: &str = "/admin/audit/file?event=signed_in&user=";

fn type_password(browser: &Browser, password: &str) -> Answer {
    let page = browser.get(&format!("/admin/confirm?next={}", crate::server::encode(FILE)));
    let mut fields = filled_in(&page, "<form id=\"confirm\"", "");
    fill(&mut fields, "password", password);
    send(browser, "/admin/confirm", &fields)
}

#[apply(everywhere)]
fn the_audit_is_a_file_for_whoever_typed_the_password_lately(world: &World) {
    let ada = admin(world, "ada");
    let file = ada.get(FILE);
    assert_eq!(
        (file.status, file.header("content-type")),
        (200, Some("text/csv; charset=utf-8")),
        "who just signed in"
    );
    assert!(
        file.body.starts_with("time,event,by,about,address,detail\n")
            && file.body.contains(",signed_in,ada,ada,127.0.0.1,"),
        "{}",
        file.body
    );
    world.advance(299);
    assert_eq!(ada.get(FILE).status, 200);
    world.advance(1);
    let asked = ada.get(FILE);
    assert_eq!(asked.status, 303);
    assert!(asked.header("location").is_some_and(|to| to.contains("/admin/confirm?next=%2F")), "{asked:?}");
    assert_eq!(ada.get("/admin/mapping").status, 200, "the rest is open");
    let wrong = type_password(&ada, "not the password");
    assert_eq!(
        (wrong.status, wrong.body.contains("This is not your password")),
        (401, true),
        "{}",
        wrong.body
    );
    assert_eq!(ada.get(FILE).status, 303);
    let right = type_password(&ada, PASSWORD);
    assert_eq!(right.status, 303);
    let to = right.header("location").expect("a place").to_owned();
    assert!(ada.get(&to[to.find("/admin").expect("ours")..]).body.contains("Download the file"));
    assert_eq!(ada.get(FILE).status, 200);
    let audit = ada.get("/admin/audit").body;
    assert!(audit.contains("Password confirmed") && audit.contains("Password not confirmed"), "{audit}");
    let other = world.browser().signed_in("ada");
    world.advance(200);
    assert_eq!(other.get(FILE).status, 200, "each sign-in for itself");
    world.advance(100);
    assert_eq!(ada.get(FILE).status, 303);
}

#[apply(everywhere)]
fn every_door_to_the_same_data_asks_for_the_password(world: &World) {
    let ada = admin(world, "ada");
    world.app.add_messenger(&"shop".into(), &countersign::app::Caller::cli()).expect("added");
    let files =
        ["/admin/audit/file", "/admin/mapping/expected/file", "/admin/messengers/shop/mapping/expected/file"];
    let programs = [
        "/api/v1/admin/audit",
        "/api/v1/admin/audit?limit=1",
        "/api/v1/admin/mapping/expected",
        "/api/v1/admin/mapping/expected?messenger=shop",
    ];
    for path in files.iter().chain(&programs) {
        assert_eq!(ada.get(path).status, 200, "{path}: who just signed in");
    }
    world.advance(300);
    for path in files {
        assert_eq!(ada.get(path).status, 303, "{path}");
    }
    for path in programs {
        for method in ["GET", "HEAD"] {
            assert_eq!(ada.send(method, path, None, &[]).status, 403, "{method} {path}");
        }
        assert_eq!(ada.get(path).json()["code"], "password_needed", "{path}");
    }
    assert_eq!(ada.get("/api/v1/admin/mapping").status, 200, "the rest is open");
    assert_eq!(type_password(&ada, PASSWORD).status, 303);
    for path in files.iter().chain(&programs) {
        assert_eq!(ada.get(path).status, 200, "{path}: who typed it");
    }
}

#[apply(everywhere)]
fn a_page_of_another_sign_in_never_shows_the_password_again(world: &World) {
    let ada = admin(world, "ada");
    let form =
        [("csrf_token", "of another page"), ("password", "typed and secret"), ("next", "/admin/audit/file")];
    let late = ada.post("/admin/confirm", &form);
    assert_eq!((late.status, late.body.contains("typed and secret")), (401, false), "{}", late.body);
    let empty = type_password(&ada, "");
    assert_eq!((empty.status, empty.body.contains("Enter your password.")), (422, true));
}

#[apply(everywhere)]
fn guesses_at_the_password_are_held_back_as_at_the_sign_in(world: &World) {
    let ada = admin(world, "ada");
    for _ in 0..5 {
        assert_eq!(type_password(&ada, "guess").status, 401);
    }
    let held = type_password(&ada, PASSWORD);
    assert_eq!(held.status, 429, "{}", held.body);
    assert!(held.header("retry-after").is_some() && held.body.contains("Try again in"));
    assert_eq!(world.browser().sign_in("ada", PASSWORD).status, 429, "the account is the same");
}

#[apply(everywhere)]
fn what_asks_for_the_password_takes_it_on_its_own_page_and_loses_nothing(world: &World) {
    let ada = admin(world, "ada");
    let form = "<form class=\"sheet\" method=\"post\" id=\"make\">";
    let mut typed = filled_in(&ada.get("/admin/api-keys"), form, "");
    fill(&mut typed, "name", "shop server");
    world.advance(300);
    let asked = send(&ada, "/admin/api-keys", &typed);
    assert_eq!(asked.status, 401, "{}", asked.body);
    let keys = || world.app.api_keys().expect("keys").into_iter().map(|key| key.name).collect::<Vec<_>>();
    let with = |page: &Answer, password: &str| {
        let mut fields = filled_in(page, "<form id=\"again\"", "");
        fill(&mut fields, "confirm_password", password);
        send(&ada, "/admin/api-keys", &fields)
    };
    let empty = with(&asked, "");
    assert_eq!((empty.status, empty.body.contains("Enter your password.")), (422, true), "{}", empty.body);
    let wrong = with(&empty, "not the password");
    assert_eq!(
        (wrong.status, wrong.body.contains("This is not your password")),
        (401, true),
        "{}",
        wrong.body
    );
    assert!(!wrong.body.contains("not the password") && keys().is_empty());
    let right = with(&wrong, PASSWORD);
    assert_eq!(right.status, 201, "{}", right.body);
    assert_eq!(keys(), ["shop server"]);
    // It counts for the next five minutes.
    assert_eq!(ada.get("/admin/api-keys").status, 200);
    // A key is never shown again: it is asked for once more, beside the password.
    world.app.add_messenger(&"shop".into(), &countersign::app::Caller::cli()).expect("added");
    let mut pasted = filled_in(&ada.get("/admin/messengers/shop/keys"), "id=\"paste\"", "");
    fill(&mut pasted, "signing_key", "a signing key that is long enough for this");
    world.advance(300);
    let asked = send(&ada, "/admin/messengers/shop/keys", &pasted);
    assert!(
        !asked.body.contains("long enough") && asked.body.contains("Paste the key again"),
        "{}",
        asked.body
    );
    for _ in 0..5 {
        assert_eq!(with(&asked, "guess").status, 401);
    }
    let held = with(&asked, PASSWORD);
    assert_eq!((held.status, held.header("retry-after").is_some()), (429, true), "{}", held.body);
}

#[apply(everywhere)]
fn the_way_on_never_leaves_the_site(world: &World) {
    let ada = admin(world, "ada");
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"] {
        let page = ada.get(&format!("/admin/confirm?done=true&next={}", crate::server::encode(next)));
        assert!(!page.body.contains("evil.example") && !page.body.contains("javascript:"), "{next}");
    }
}

#[apply(everywhere)]
fn a_file_of_events_runs_no_formula(world: &World) {
    let ada = admin(world, "ada");
    world
        .app
        .import_draft(
            &"default".into(),
            &world.app.user(&countersign::core::user::Login::parse("ada").expect("a login")).expect("ada").id,
            0,
            r#"{"rules": [{"claim": "labels", "from": {"constant": "=cmd|' /C calc'!A0"}}]}"#,
            &countersign::app::Caller { actor: "=1+1".to_owned(), ..countersign::app::Caller::default() },
        )
        .expect("kept");
    let file = ada.get("/admin/audit/file?event=draft_imported").body;
    assert!(file.contains(",'=1+1,"), "{file}");
    assert!(file.contains("Added: Labels"), "{file}");
}
