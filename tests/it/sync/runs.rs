//! When people are sent, and what ends that.

use std::time::Duration;

use countersign::app::Caller;
use countersign::app::sync::Health;
use countersign::core::sync::{PersonState, RunState};
use countersign::standin::{Fault, FaultRule, On};
use rstest_reuse::apply;

use super::{Synced, publish};
use crate::server::{Place, every_place, wait_until};

#[apply(every_place)]
fn a_key_that_is_refused_stops_everything_with_one_request(place: Place) {
    let synced = Synced::new(place);
    for number in 0..5 {
        synced.world.user(&format!("user{number}"));
    }
    synced.settle();
    synced.standin.set_api_key("2:ANOTHER");
    let before = synced.standin.asked().len();
    let run = synced.run();
    assert_eq!((run.state, run.code.as_str()), (RunState::Stopped, "key_refused"), "{run:?}");
    assert_eq!(synced.standin.asked().len(), before + 1);
    let status = synced.status();
    assert_eq!((status.health, status.code.as_deref()), (Health::Bad, Some("key_refused")));
    assert!(status.words.contains("Copy the key again"), "{}", status.words);
    // Nothing is tried for users who change meanwhile.
    synced.change("user1", "plan", "gold");
    assert_eq!(synced.standin.asked().len(), before + 1);
    synced.standin.set_api_key(countersign::standin::API_KEY);
    let run = synced.run();
    assert_eq!(run.state, RunState::Done, "{run:?}");
    synced.settle();
    assert_eq!(synced.status().health, Health::Good, "{}", synced.status().words);
}

#[apply(every_place)]
fn another_helpdesk_is_noticed_before_anybody_is_created_there(place: Place) {
    let synced = Synced::new(place);
    for number in 0..30 {
        synced.world.user(&format!("user{number}"));
    }
    synced.run();
    for person in synced.standin.people() {
        synced.standin.remove(person.id);
    }
    // One change, so that everybody has to be sent.
    publish(&synced.world, &super::UPFRONT.replace("A customer", "A client"));
    wait_until("the synchronization stops", || synced.status().stored.stopped.is_some());
    let status = synced.status();
    assert_eq!(status.code.as_deref(), Some("wrong_helpdesk"), "{}", status.words);
    assert_eq!(synced.standin.people().len(), 0, "nobody was created");
    let anyway = synced.world.app.start_run(
        &synced.desk,
        countersign::core::sync::RunKind::Sync,
        "cli anyway",
        &Caller::cli(),
    );
    anyway.expect("asked for");
    wait_until("they are created again", || synced.standin.people().len() == 30);
    synced.settle();
    assert_eq!(synced.status().count(PersonState::Sent), 30);
}

#[apply(every_place)]
fn what_deskpro_refuses_is_listed_in_its_words_and_not_sent_again(place: Place) {
    let synced = Synced::new(place);
    for login in ["ana", "ben", "eve"] {
        synced.world.user(login);
    }
    let on = On::Person("ben@example.com".into());
    synced.standin.set_faults(vec![FaultRule { fault: Fault::Field("timezone".into()), on }]);
    let run = synced.run();
    assert_eq!((run.state, run.counts.created, run.counts.refused), (RunState::Done, 2, 1), "{run:?}");
    let row = synced.row("ben");
    assert_eq!(row.state, PersonState::Refused);
    assert!(row.words.contains("timezone"), "{}", row.words);
    synced.settle();
    assert_eq!(synced.status().health, Health::Trouble);
    let before = synced.writes().len();
    synced.run();
    assert_eq!(synced.writes().len(), before);
    synced.standin.set_faults(vec![]);
    let ben = countersign::core::user::Login::parse("ben").expect("a login");
    let ben = synced.world.app.user(&ben).expect("a user");
    synced.world.app.retry_people(&synced.desk, Some(&ben)).expect("asked for");
    synced.settle();
    assert_eq!(synced.row("ben").state, PersonState::Sent);
    assert_eq!(synced.status().health, Health::Good);
}

#[apply(every_place)]
fn a_helpdesk_that_fails_now_and_then_gets_everybody_once(place: Place) {
    let synced = Synced::new(place);
    for number in 0..40 {
        synced.world.user(&format!("user{number}"));
    }
    let one_in = |fault: Fault, n: u32| FaultRule { fault, on: On::OneIn(n) };
    synced.standin.set_faults(vec![
        one_in(Fault::Status(502), 17),
        one_in(Fault::Lost, 9),
        one_in(Fault::Reset, 19),
        one_in(Fault::Html, 21),
        one_in(Fault::BadJson, 23),
    ]);
    let run = synced.run();
    assert_eq!(run.state, RunState::Done, "{run:?}");
    assert_eq!((synced.standin.people().len(), run.counts.failed), (40, 0), "{run:?}");
    assert_eq!(synced.status().count(PersonState::Sent), 40);
    let before = synced.writes().len();
    synced.standin.set_faults(vec![]);
    synced.run();
    assert_eq!(synced.writes().len(), before, "a second run sends nothing");
}

#[apply(every_place)]
fn a_limit_pauses_everything_as_long_as_it_says(place: Place) {
    let synced = Synced::new(place);
    for number in 0..8 {
        synced.world.user(&format!("user{number}"));
    }
    synced.standin.set_faults(vec![FaultRule { fault: Fault::Limited("3".into()), on: On::Next(1) }]);
    let watch = countersign::app::clock::Stopwatch::start();
    synced
        .world
        .app
        .start_run(&synced.desk, countersign::core::sync::RunKind::Sync, "button", &Caller::cli())
        .expect("asked");
    wait_until("it waits", || synced.status().until.is_some() || synced.status().health == Health::Good);
    wait_until("all are there", || synced.standin.people().len() == 8);
    assert!(watch.elapsed() >= Duration::from_secs(3));
    synced.settle();
    assert_eq!(synced.status().count(PersonState::Sent), 8);
}

#[apply(every_place)]
fn a_schedule_runs_by_itself_and_once(place: Place) {
    // Schedules go by the database's clock, which cannot be moved there.
    if place == Place::Postgres {
        return;
    }
    let synced = Synced::new(place);
    synced.world.user("ana");
    synced.set("every_minutes", "60");
    wait_until("the first run", || synced.status().last_done.is_some());
    let (_app, _server) = synced.world.second_instance();
    synced.world.advance(3_601);
    wait_until("the second run", || synced.status().runs.len() == 2);
    synced.settle();
    assert_eq!(synced.status().runs.len(), 2);
    // A run that nobody starts is overdue.
    synced.world.app.pause_desk(&synced.desk, true, &Caller::cli()).expect("paused");
    synced.world.advance(3_600 + 1_000);
    assert_eq!((synced.status().health, synced.status().is_overdue), (Health::Paused, false));
}

/// Servers agree on when runs began by the database's clock: otherwise one that is behind would begin a scheduled run again.
#[test]
fn a_server_whose_clock_is_behind_moves_no_run() {
    let synced = Synced::new(Place::Postgres);
    // Far behind the database's clock, which is the machine's.
    synced.world.advance(-200 * 86_400);
    let run = synced.run();
    synced.world.app.pull_back_moments().expect("looked at");
    let after = synced.status().runs.into_iter().next().expect("the same run");
    assert_eq!((after.id, after.started_at, after.ended_at), (run.id, run.started_at, run.ended_at));
}
