//! What one outsider can make grow has a bound: a row of the table in docs/running.md each.

use rstest_reuse::apply;
use serde_json::json;

use crate::server::{PASSWORD, Place, World, everywhere};
use crate::site;

fn rows(world: &World, sql: &str) -> i64 {
    let store = countersign::store::Store::open(&world.database_url()).expect("the database opens");
    store.read(|db| db.query(sql, &[])).expect("it is read")[0].int(0).expect("a number")
}

#[apply(everywhere)]
fn a_user_has_at_most_fifty_sessions_and_loses_the_one_used_least_recently(world: &World) {
    world.user("ana");
    let first = world.browser().signed_in("ana");
    world.advance(1);
    let second = world.browser().signed_in("ana");
    world.advance(1);
    assert_eq!(first.get("/api/v1/token").status, 200);
    world.advance(400);
    assert_eq!(first.get("/api/v1/token").status, 200, "its use is written");
    for _ in 0..49 {
        world.advance(1);
        world.browser().signed_in("ana");
    }
    assert_eq!(rows(world, "SELECT COUNT(*) FROM sessions"), 50);
    assert_eq!((first.get("/api/v1/token").status, second.get("/api/v1/token").status), (200, 401));
}

#[apply(everywhere)]
fn what_one_user_does_by_the_hundred_makes_sixty_rows_an_hour(world: &World) {
    world.user("ana");
    for _ in 0..70 {
        world.browser().signed_in("ana");
    }
    let signed_in = || rows(world, "SELECT COUNT(*) FROM audit WHERE event = 'signed_in'");
    assert_eq!(signed_in(), 60);
    world.advance(3601);
    world.browser().signed_in("ana");
    assert_eq!(signed_in(), 61, "the next hour has its own");
}

#[apply(everywhere)]
fn a_user_has_at_most_fifty_devices(world: &World) {
    world.user("ana");
    let body = json!({"login": "ana", "password": PASSWORD, "name": "phone", "platform": "ios"}).to_string();
    for _ in 0..55 {
        let made = world.browser().send(
            "POST",
            "/api/v1/devices",
            Some(&body),
            &[("content-type", "application/json")],
        );
        assert_eq!(made.status, 201, "{}", made.body);
    }
    assert_eq!(rows(world, "SELECT COUNT(*) FROM devices"), 50);
}

#[apply(everywhere)]
fn codes_are_one_line_of_the_audit_an_hour_and_go_after_a_day(world: &World) {
    let shop = site::server(world, &site::key(world));
    let body = json!({"external_id": "1", "user": {"email": "u@example.com", "email_verified": true}});
    for _ in 0..20 {
        assert_eq!(site::ask(&shop, "POST", "/api/v1/handovers", &body).status, 201);
    }
    assert_eq!(rows(world, "SELECT COUNT(*) FROM audit WHERE event = 'handover_made'"), 1);
    assert_eq!(rows(world, "SELECT COUNT(*) FROM handovers"), 20);
    world.advance(25 * 3600);
    world.app.sweep().expect("swept");
    assert_eq!(rows(world, "SELECT COUNT(*) FROM handovers"), 0);
}

#[apply(everywhere)]
fn what_is_older_than_it_is_kept_is_removed(world: &World) {
    world.user("ana");
    world.browser().signed_in("ana");
    world.app.flush_counts().expect("written");
    assert!(rows(world, "SELECT COUNT(*) FROM counts") > 0);
    world.advance(399 * 24 * 3600);
    world.app.sweep().expect("swept");
    assert!(rows(world, "SELECT COUNT(*) FROM audit") > 0 && rows(world, "SELECT COUNT(*) FROM counts") > 0);
    world.advance(2 * 24 * 3600);
    world.app.sweep().expect("swept");
    assert_eq!(
        (rows(world, "SELECT COUNT(*) FROM audit"), rows(world, "SELECT COUNT(*) FROM counts")),
        (0, 0)
    );
    assert_eq!(
        (rows(world, "SELECT COUNT(*) FROM sessions"), rows(world, "SELECT COUNT(*) FROM attempts")),
        (0, 0)
    );
}

#[test]
fn a_network_that_must_wait_makes_one_line_of_the_audit_an_hour() {
    for place in [Place::Sqlite, Place::Postgres] {
        let world = &World::with(place, |source| source.with("trusted_proxies", "127.0.0.1"));
        for number in 0..130 {
            let browser = world.browser().with("x-forwarded-for", &format!("2001:db8::{number:x}"));
            let expected = if number < 100 { 401 } else { 429 };
            assert_eq!(browser.sign_in(&format!("nobody{number}"), "wrong").status, expected, "{number}");
        }
        assert_eq!(rows(world, "SELECT COUNT(*) FROM audit WHERE event = 'sign_in_throttled'"), 1);
    }
}
