//! A clock that was wrong and is set right: moments that lie ahead age from now, nobody is locked out, and
//! nothing lives longer than twice its limit.

use countersign::app::Caller;
use rstest_reuse::apply;
use serde_json::json;

use crate::server::{PASSWORD, World, everywhere};
use crate::site;

const HOUR: i64 = 3600;
const YEAR: i64 = 365 * 24 * HOUR;

#[apply(everywhere)]
fn a_right_sign_in_by_a_fast_clock_keeps_nobody_out_when_it_is_set_right(world: &World) {
    for ahead in [20, 3 * HOUR, YEAR] {
        world.user(&format!("ana{ahead}"));
        world.user(&format!("bob{ahead}"));
        world.advance(ahead);
        assert_eq!(world.browser().sign_in(&format!("ana{ahead}"), PASSWORD).status, 303);
        world.advance(-ahead);
        assert_eq!(world.browser().sign_in(&format!("bob{ahead}"), PASSWORD).status, 303, "{ahead} s ahead");
    }
}

#[apply(everywhere)]
fn waits_of_a_fast_clock_go_on_as_long_as_they_had_left(world: &World) {
    world.user("ana");
    world.advance(3 * HOUR);
    for _ in 0..8 {
        world.browser().sign_in("ana", "wrong");
        world.advance(1);
    }
    world.advance(-3 * HOUR);
    let waits = world.browser().sign_in("ana", PASSWORD);
    let seconds: i64 = waits.header("retry-after").and_then(|text| text.parse().ok()).expect("a wait");
    assert!((1..=20).contains(&seconds), "{seconds}");
    // Another counter may have more left; all of it is over soon.
    world.advance(20);
    assert_eq!(world.browser().sign_in("ana", PASSWORD).status, 303);
}

#[apply(everywhere)]
fn a_session_of_a_fast_clock_ends_by_its_limits_from_where_the_clock_was_set_right(world: &World) {
    world.user("ana");
    world.advance(YEAR);
    let (used, unused) = (world.browser().signed_in("ana"), world.browser().signed_in("ana"));
    world.advance(-YEAR);
    world.app.pull_back_moments().expect("rewritten");
    assert_eq!(used.get("/api/v1/token").status, 200);
    world.advance(8 * HOUR);
    assert_eq!(unused.get("/api/v1/token").status, 401, "without use");
    let used = {
        world.advance(-4 * HOUR);
        used
    };
    for _ in 0..10 {
        used.get("/api/v1/token");
        world.advance(2 * HOUR);
    }
    assert_eq!(used.get("/api/v1/token").status, 401, "a day after the clock was set right, however busy");
}

#[apply(everywhere)]
fn a_code_of_a_fast_clock_lives_no_longer_than_twice_its_minute(world: &World) {
    let key = site::key(world);
    let shop = site::server(world, &key);
    for (external_id, after, status) in [("1", 59, 201), ("2", 121, 403)] {
        world.advance(3 * HOUR);
        let body = json!({"external_id": external_id, "user": {"email": format!("u{external_id}@example.com"), "email_verified": true}});
        let made = site::ask(&shop, "POST", "/api/v1/handovers", &body).json();
        world.advance(-3 * HOUR);
        world.app.pull_back_moments().expect("rewritten");
        world.advance(after);
        let swap = json!({"code": made["code"], "name": "phone", "platform": "ios"}).to_string();
        let swapped = world.browser().send(
            "POST",
            "/api/v1/devices",
            Some(&swap),
            &[("content-type", "application/json")],
        );
        assert_eq!(swapped.status, status, "{}", swapped.body);
    }
}

#[apply(everywhere)]
fn a_network_is_unlocked_by_name_and_forgives_one_guess_a_minute(world: &World) {
    world.user("ana");
    let guess = |login: &str| world.browser().sign_in(login, "wrong").status;
    let mut judged = 0;
    while guess(&format!("nobody{judged}")) == 401 {
        judged += 1;
    }
    assert_eq!(judged, 100, "the network's limit");
    assert_eq!(world.browser().sign_in("ana", PASSWORD).status, 429);
    world.app.unlock_network("127.0.0.1".parse().expect("an address"), &Caller::cli()).expect("unlocked");
    assert_eq!(world.browser().sign_in("ana", PASSWORD).status, 303);
    // A typing error every five minutes, all day, then everybody comes back from lunch.
    for _ in 0..288 {
        guess("somebody else");
        world
            .app
            .unlock(&world.app.user_called("ana").expect("asked").expect("ana").login, &Caller::cli())
            .expect("unlocked");
        world.advance(300);
    }
    for _ in 0..24 {
        assert_eq!(world.browser().sign_in("ana", PASSWORD).status, 303);
        world.advance(10);
    }
}
