//! Limits that last: an hour and a half, by a clock that is a thousand times faster.

use std::sync::Arc;
use std::time::Duration;

use countersign::app::Caller;
use countersign::app::clock;
use countersign::core::sync::{PersonState, RunKind, RunState};
use countersign::core::user::{Login, Role};
use countersign::standin::{Fault, FaultRule, On};
use rstest_reuse::apply;

use super::{connect, standin, world_by};
use crate::server::{Place, every_place, wait_until};

const FASTER: u32 = 1_000;

#[apply(every_place)]
fn a_limit_without_a_time_fails_nobody_and_is_asked_rarely(place: Place) {
    let standin = standin();
    let real = clock::monotonic();
    let began = real();
    let fast: clock::Monotonic = Arc::new(move || began + real().saturating_sub(began) * FASTER);
    let world = world_by(place, &standin, fast.clone());
    let desk = connect(&world);
    for n in 0..30 {
        let address = format!("u{n}@example.com");
        let attributes = [("email".to_owned(), address), ("email_verified".to_owned(), "yes".to_owned())];
        let login = Login::parse(&format!("u{n}")).expect("a login");
        world.app.add_user(&login, Role::User, &attributes, &Caller::cli()).expect("added");
    }
    standin.set_faults(vec![FaultRule { fault: Fault::Limited(String::new()), on: On::All }]);
    let before = standin.asked().len();
    world.app.start_run(&desk, RunKind::Sync, "button", &Caller::cli()).expect("asked for");
    wait_until("the limit was met", || standin.asked().len() > before);
    let met = fast();
    wait_until("ninety minutes have passed", || fast().saturating_sub(met) > Duration::from_mins(90));
    let asked = standin.asked().len() - before;
    assert!((3..=12).contains(&asked), "{asked} requests in ninety minutes");
    let status = world.app.desk_status(&desk).expect("a status");
    assert_eq!((status.count(PersonState::Failed), status.stored.stopped), (0, None));
    assert!(status.until.is_some() && status.health.as_str() == "waiting", "{}", status.words);
    // Meanwhile everything else goes on.
    world.user("late");

    standin.set_faults(Vec::new());
    wait_until("the run ended by itself", || {
        let status = world.app.desk_status(&desk).expect("a status");
        status.last_done.is_some_and(|run| run.state == RunState::Done) && status.due == 0
    });
    let people = standin.people();
    assert_eq!(people.len(), 31, "everybody is there once");
}
