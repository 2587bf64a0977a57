//! What a token costs, in numbers that are the same on every machine.

use countersign::app::entries::{Credential, Request, Wanted};
use countersign::app::login::{Browser, Guess};
use countersign::app::sessions::Use;
use countersign::app::{App, Caller};
use countersign::core::id::MessengerId;
use countersign::core::user::{Login, Role};
use rstest_reuse::apply;

use crate::metrics::{value, watched};
use crate::server::{PASSWORD, Place, every_place};
use crate::store::{Storage, every_storage};

const WANTED: Wanted<'_> = Wanted { messenger: None, platform: None, shown: None, page: None };

/// How many statements some work runs.
fn statements<T>(app: &App, work: impl FnOnce() -> T) -> (u64, T) {
    let before = app.statements();
    let answer = work();
    (app.statements() - before, answer)
}

#[apply(every_storage)]
fn a_first_token_runs_one_statement_and_the_next_ones_none(storage: &Storage) {
    let (app, caller) = (storage.app(), Caller::cli());
    let ana = Login::parse("ana").expect("a login");
    let address = [("email", "ana@example.com"), ("email_verified", "true")];
    let address = address.map(|(name, value)| (name.to_owned(), value.to_owned()));
    app.add_user(&ana, Role::User, &address, &caller).expect("added");
    app.set_password(&ana, PASSWORD, &caller).expect("set");
    let session = || match app.log_in("ana", PASSWORD, "192.0.2.1", &Browser::default(), &caller) {
        Ok(Guess::Right(reference)) => reference,
        other => panic!("{:?}", other.is_ok()),
    };
    let (first, second) = (session(), session());
    app.poll_changes().expect("the database answers");
    let issue = |reference, credential| {
        let request =
            Request { before: app.before_reading(), credential, wanted: WANTED, shown_until: i64::MAX };
        let signed_in = app.session(reference, Use::Website).expect("it is read").expect("a session");
        let fresh = app.issue_fresh(&request, &signed_in, &MessengerId::default(), &caller);
        app.remember(fresh.expect("a token"), "".into());
    };
    // What all tokens share is read before the first one.
    issue(&first, Credential::Cookie("first"));
    let (ran, ()) = statements(&app, || issue(&second, Credential::Cookie("second")));
    assert_eq!(ran, 1, "the session with its user");
    let next = || app.remembered(Credential::Cookie("second"), &WANTED).expect("below the limit").is_some();
    let (ran, are_remembered) = statements(&app, || (0..50).all(|_| next()));
    assert_eq!((ran, are_remembered), (0, true));
}

#[apply(every_place)]
fn only_what_may_wait_leaves_the_thread_of_the_request(place: Place) {
    let (world, monitoring) = watched(place);
    let counted = |series: &str| value(&monitoring.get("/metrics").body, &format!("countersign_{series}"));
    world.user("ana");
    let (first, second) = (world.browser().signed_in("ana"), world.browser().signed_in("ana"));
    let (phone, _) = crate::devices::app(&world, "ana");
    world.app.poll_changes().expect("the database answers");
    assert_eq!(first.get("/api/v1/token").status, 200);
    let firsts = if place == Place::Postgres { 1.0 } else { 0.0 };
    for (who, waits) in [(&first, 0.0), (&second, firsts), (&second, 0.0), (&phone, firsts), (&phone, 0.0)] {
        let before = counted("waiting_work_total");
        assert_eq!(who.get("/api/v1/token").status, 200);
        // The page of metrics is one itself.
        let more = counted("waiting_work_total") - before - 1.0;
        assert!((more - waits).abs() < f64::EPSILON, "{more} and not {waits}");
    }
}

#[apply(every_place)]
fn a_published_mapping_is_compiled_once(place: Place) {
    let (world, monitoring) = watched(place);
    let compiled = || value(&monitoring.get("/metrics").body, "countersign_mapping_compilations_total");
    world.user("ana");
    let browsers = [world.browser().signed_in("ana"), world.browser().signed_in("ana")];
    let tokens = || {
        for _ in 0..3 {
            for browser in &browsers {
                assert_eq!(browser.get("/api/v1/token").status, 200);
            }
        }
    };
    tokens();
    let before = compiled();
    let text = r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}]}"#;
    world.app.publish_mapping(&MessengerId::default(), text, "", &Caller::cli()).expect("published");
    tokens();
    // A change of something else does not compile it again.
    world.user("bob");
    tokens();
    assert!((compiled() - before - 1.0).abs() < f64::EPSILON, "{before}, then {}", compiled());
}
