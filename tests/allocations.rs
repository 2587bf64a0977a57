//! How often memory is allocated for a token that is remembered. A program of its own, because the count is of the whole
//! process.

use std::alloc::System;
use std::sync::Arc;

use countersign::app::entries::{Credential, Request, Wanted};
use countersign::app::login::{Browser, Guess};
use countersign::app::sessions::Use;
use countersign::app::{App, Caller};
use countersign::config::{self, Source};
use countersign::core::id::MessengerId;
use countersign::core::user::{Login, Role};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const WORDS: &str = "a load of four words";

#[test]
fn a_remembered_token_allocates_its_own_text_and_the_part_with_the_times() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let source = Source::default()
        .with("database_url", &url)
        .with("signing_key", "a key of the tests that is long enough");
    let settings = config::check(&source).expect("settings");
    let app = App::open(settings, Arc::new(|| 1_800_000_000)).expect("the product opens");
    let (login, caller) = (Login::parse("ana").expect("a login"), Caller::cli());
    let address = [("email", "ana@example.com"), ("email_verified", "true")];
    let address = address.map(|(name, value)| (name.to_owned(), value.to_owned()));
    app.add_user(&login, Role::User, &address, &caller).expect("added");
    app.set_password(&login, WORDS, &caller).expect("set");
    let guess = app.log_in("ana", WORDS, "192.0.2.1", &Browser::default(), &caller);
    let Guess::Right(reference) = guess.expect("it is checked") else { panic!("the password is right") };
    app.poll_changes().expect("the database answers");
    let signed_in = app.session(&reference, Use::Website).expect("it is read").expect("a session");
    let wanted = Wanted { messenger: None, platform: None, shown: None, page: None };
    let credential = Credential::Cookie("the value of a cookie");
    let request = Request { before: app.before_reading(), credential, wanted, shown_until: i64::MAX };
    let fresh = app.issue_fresh(&request, &signed_in, &MessengerId::default(), &caller).expect("a token");
    app.remember(fresh, "".into());

    let next = || app.remembered(credential, &wanted).expect("below the limit").expect("it is remembered");
    drop(next());
    let region = Region::new(ALLOCATOR);
    for _ in 0..100 {
        drop(next());
    }
    let counted = region.change();
    // The end of the claims with the times, and the token.
    assert_eq!((counted.allocations, counted.reallocations), (200, 0), "{counted:?}");
}
