//! A user who opens a page before the helpdesk knows them.

use std::time::Duration;

use countersign::app::clock::Stopwatch;
use countersign::core::sync::PersonState;
use countersign::standin::{Fault, FaultRule, On};
use rstest_reuse::apply;
use serde_json::json;

use super::Synced;
use crate::server::{Place, every_place};
use crate::site;

/// A helpdesk that answers nothing.
fn asleep(synced: &Synced) {
    synced.set("request_seconds", "1");
    synced.standin.set_faults(vec![FaultRule { fault: Fault::Hang, on: On::All }]);
}

fn person_of(token: &str) -> serde_json::Value {
    let mut claims = countersign::core::token::inspect(token, None).expect("a token").claims;
    let claims = claims.as_object_mut().expect("an object");
    claims.retain(|name, _| !["iat", "exp"].contains(&name.as_str()));
    json!(claims)
}

#[apply(every_place)]
fn a_page_waits_for_its_user_and_has_the_token(place: Place) {
    let synced = Synced::new(place);
    synced.set("wait_ms", "10000");
    synced.settle();
    // So that the change of the user is not what sends them.
    synced.world.app.pause_desk(&synced.desk, true, &countersign::app::Caller::cli()).expect("paused");
    synced.world.user("ana");
    let browser = synced.world.browser().signed_in("ana");
    synced.world.app.pause_desk(&synced.desk, false, &countersign::app::Caller::cli()).expect("resumed");
    let token = browser.get("/").signed_user_info().expect("a token on the first page");
    let ana = synced.person("ana@example.com").expect("created");
    assert_eq!(person_of(&token), json!({ "deskpro_id": ana.id.to_string() }));
    assert_eq!(synced.standin.people().len(), 1);
}

#[apply(every_place)]
fn a_site_s_server_waits_and_the_token_route_does_not(place: Place) {
    let synced = Synced::new(place);
    synced.set("wait_ms", "10000");
    let shop = site::server(&synced.world, &site::key(&synced.world));
    let body = json!({"external_id": "7", "user": {"email": "u@example.com", "email_verified": true}});
    let minted = site::ask(&shop, "POST", "/api/v1/mint", &body);
    assert_eq!(minted.status, 200, "{}", minted.body);
    let person = synced.person("u@example.com").expect("created");
    let token = minted.json()["token"].as_str().expect("a token").to_owned();
    assert_eq!(person_of(&token), json!({ "deskpro_id": person.id.to_string() }));

    asleep(&synced);
    synced.world.user("ben");
    let browser = synced.world.browser().signed_in("ben");
    let watch = Stopwatch::start();
    let refused = browser.get("/api/v1/token");
    assert!(watch.elapsed() < Duration::from_secs(5), "it does not wait");
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert_eq!(
        (&refused.json()["code"], &refused.json()["refresh_in"]),
        (&json!("no_identifier"), &json!(5))
    );
    synced.standin.set_faults(vec![]);
    crate::server::wait_until("ben is there", || {
        synced.known("ben").is_some_and(|row| row.deskpro_id.is_some())
    });
    assert_eq!(browser.get("/api/v1/token").status, 200);
}

#[apply(every_place)]
fn with_the_helpdesk_asleep_a_page_opens_in_time_and_the_policy_holds(place: Place) {
    let synced = Synced::new(place);
    asleep(&synced);
    synced.set("wait_ms", "300");
    let world = &synced.world;
    world.user("ana");
    let browser = world.browser().signed_in("ana");
    let opened = |what: &str| {
        let watch = Stopwatch::start();
        let page = browser.get("/");
        assert!(page.status == 200 && watch.elapsed() < Duration::from_secs(5), "{what}: {page:?}");
        page.signed_user_info()
    };
    assert_eq!(opened("as for anonymous visitors"), None);
    synced.set("on_missing", "on_demand");
    let token = opened("on demand").expect("a token");
    assert_eq!(person_of(&token)["email"], "ana@example.com");
    assert_eq!(browser.get("/api/v1/token").status, 200);
    // Somebody whom Deskpro must not be told about gets none that way either.
    synced.standin.set_faults(vec![]);
    synced.standin.seed(countersign::standin::Person {
        email: Some("agent@example.com".into()),
        is_agent: true,
        ..countersign::standin::Person::default()
    });
    world.user("agent");
    crate::server::wait_until("it is known", || {
        synced.known("agent").is_some_and(|row| row.state == PersonState::Conflict)
    });
    assert_eq!(world.browser().signed_in("agent").get("/").signed_user_info(), None);
}

#[apply(every_place)]
fn a_person_who_was_not_looked_at_for_long_is_compared_again(place: Place) {
    let synced = Synced::new(place);
    synced.world.user("ana");
    synced.run();
    synced.settle();
    let before = synced.row("ana").tried_at;
    synced.world.advance(25 * 3600);
    synced.world.browser().signed_in("ana").get("/");
    synced.settle();
    assert!(synced.row("ana").tried_at > before);
}
