//! Deskpro reports people who have changed.

use countersign::app::Caller;
use countersign::core::sync::PersonState;
use countersign::standin::{Person, Webhook};
use rstest_reuse::apply;
use serde_json::json;

use super::Synced;
use crate::server::{Answer, Browser, Place, every_place, wait_until};

fn allowed(synced: &Synced) -> (String, String) {
    let password = synced.world.app.allow_calls(&synced.desk, &Caller::cli()).expect("allowed");
    (format!("/api/v1/deskpro/{}/people", synced.desk), password)
}

fn basic(name: &str, password: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}")))
}

fn call(synced: &Synced, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    Browser::impatient(&synced.world.base).send("POST", path, Some(body), headers)
}

/// What agents do at Deskpro arrives here, without a run.
#[apply(every_place)]
fn a_person_who_changes_at_deskpro_is_looked_at_soon(place: Place) {
    let synced = Synced::new(place);
    for (login, plan) in [("ana", "gold"), ("ben", "gold"), ("cleo", "")] {
        synced.world.user(login);
        synced.change(login, "plan", plan);
    }
    synced.settle();
    let (path, password) = allowed(&synced);
    synced.standin.report_to(Some(Webhook {
        url: format!("{}{path}", synced.world.base),
        credentials: ("deskpro".into(), password),
    }));
    let person = |login: &str| synced.person(&format!("{login}@example.com")).expect("a person");
    let (ana, ben, cleo) = (person("ana"), person("ben"), person("cleo"));

    // Long after they were sent.
    synced.world.advance(3_601);
    // An agent takes a group away, makes somebody an agent, and deletes somebody.
    synced.standin.seed(Person { usergroup_ids: vec![], ..ana.clone() });
    synced.standin.seed(Person { is_agent: true, ..ben.clone() });
    synced.standin.remove(cleo.id);
    synced.world.advance(4);
    wait_until("all three were looked at", || {
        synced.world.advance(1);
        person("ana").usergroup_ids == ["7"]
            && synced.state("ben") == (PersonState::Conflict, "agent".into())
            && synced.row("cleo").deskpro_id.is_some_and(|id| id != cleo.id.to_string())
    });
    assert_eq!(synced.payload("ana"), json!({ "deskpro_id": ana.id.to_string() }));
    assert_eq!(synced.payload("ben"), json!("no_identifier"));
    assert_eq!(person("cleo").id.to_string(), synced.row("cleo").deskpro_id.expect("another"));
    // What we have just written is reported, too. It is looked at, and nothing more comes of it.
    wait_until("nobody is left to look at", || {
        synced.world.advance(1);
        synced.row("ana").look_at.is_none() && synced.row("cleo").look_at.is_none()
    });
    let writes = synced.writes().len();
    let reported = synced.standin.seed(Person { ..person("ana") });
    wait_until("the report has arrived", || synced.row("ana").look_at.is_some());
    wait_until("it was looked at", || {
        synced.world.advance(1);
        synced.row("ana").look_at.is_none()
    });
    assert_eq!((reported, synced.writes().len()), (ana.id, writes));

    // A helpdesk that stores something else than it is told would be told for ever: the next time is an hour later.
    synced.standin.seed(Person { usergroup_ids: vec!["8".into()], ..person("ana") });
    wait_until("the report has arrived", || synced.row("ana").look_at.is_some());
    let reported_at = synced.row("ana").look_at;
    wait_until("the next look is later", || {
        synced.world.advance(1);
        synced.row("ana").look_at > reported_at.map(|at| at + 1_000)
    });
    assert_eq!((person("ana").usergroup_ids, synced.writes().len()), (vec!["8".into()], writes));
    if place != Place::Postgres {
        // Its clock is the real one.
        synced.world.advance(3_600);
        wait_until("it is as it should be", || person("ana").usergroup_ids == ["7"]);
    }
}

#[apply(every_place)]
fn only_deskpro_may_call_and_a_call_tells_nothing(place: Place) {
    let synced = Synced::new(place);
    synced.world.user("ana");
    synced.settle();
    let ana = synced.person("ana@example.com").expect("a person");
    let known = json!({ "id": ana.id }).to_string();
    let path = format!("/api/v1/deskpro/{}/people", synced.desk);
    let nobody = call(&synced, &path, &[("x-countersign-secret", "")], &known);
    assert_eq!(nobody.status, 401, "no webhook was made");
    let (_, first) = allowed(&synced);
    let (_, password) = allowed(&synced);

    let right = basic("deskpro", &password);
    for (name, value) in [
        ("authorization", basic("deskpro", &first)),
        ("authorization", basic("ada", &password)),
        ("authorization", basic("deskpro", "")),
        ("authorization", format!("Bearer {password}")),
        ("authorization", "Basic ".to_owned()),
        ("x-countersign-secret", first.clone()),
        ("x-other", password.clone()),
    ] {
        let refused = call(&synced, &path, &[(name, &value)], &known);
        assert_eq!(
            (refused.status, refused.json()["code"].as_str()),
            (401, Some("webhook_secret_wrong")),
            "{name}"
        );
        assert_eq!(refused.header("www-authenticate"), Some("Basic realm=\"countersign\""));
    }
    let elsewhere = call(&synced, "/api/v1/deskpro/none/people", &[("authorization", &right)], &known);
    assert_eq!((elsewhere.status, elsewhere.json()["code"].as_str()), (401, Some("webhook_secret_wrong")));
    let page = call(&synced, &path, &[("authorization", &right), ("origin", "https://x.example")], &known);
    assert_eq!(page.status, 403);
    assert_eq!(synced.row("ana").look_at, None, "nothing of this was believed");

    let unknown = call(&synced, &path, &[("authorization", &right)], r#"{"id": 4711}"#);
    assert_eq!((unknown.status, unknown.json()), (200, json!({ "id": "4711" })));
    let header = call(&synced, &path, &[("x-countersign-secret", &password)], &known);
    assert_eq!((header.status, header.json()), (200, json!({ "id": ana.id.to_string() })));
    assert!(synced.row("ana").look_at.is_some() && synced.status().stored.called_at.is_some());
    for odd in ["", "{", "[]", "{\"id\": null}", "{\"id\": -1}"] {
        let refused = call(&synced, &path, &[("authorization", &right)], odd);
        assert_eq!((refused.status, refused.json()["code"].as_str()), (400, Some("bad_body")), "{odd}");
    }
    let long = format!("{{\"id\": 1, \"x\": \"{}\"}}", "x".repeat(64 << 10));
    assert_eq!(call(&synced, &path, &[("authorization", &right)], &long).status, 413);

    synced.world.app.refuse_calls(&synced.desk, &Caller::cli()).expect("removed");
    assert_eq!(call(&synced, &path, &[("authorization", &right)], &known).status, 401);
}

#[test]
fn more_than_ten_calls_in_a_second_are_refused() {
    let synced = Synced::new(Place::Sqlite);
    let (path, password) = allowed(&synced);
    let right = basic("deskpro", &password);
    let answers: Vec<u16> =
        (0..30).map(|_| call(&synced, &path, &[("authorization", &right)], r#"{"id": 1}"#).status).collect();
    assert_eq!(answers[..10], [200; 10]);
    assert!(answers.contains(&429), "{answers:?}");
}
