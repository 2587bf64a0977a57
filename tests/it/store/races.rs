//! Races between threads and instances: 20 rounds each, none may end wrong.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use countersign::app::login::Browser;
use countersign::app::login::Guess;
use countersign::app::{App, AppError, Caller};
use countersign::core::id::SessionDigest;
use countersign::core::job::JobState;
use countersign::core::mapping::Version;
use countersign::core::session::Session;
use countersign::core::session::{Door, Limits, Stay};
use countersign::core::user::{Login, Role};
use countersign::store::mappings;
use countersign::store::{Error, jobs, sessions, users};
use rstest_reuse::apply;

use super::{Storage, at_once, every_storage};
use crate::server::BEGIN;

const ROUNDS: usize = 20;

fn login(text: &str) -> Login {
    Login::parse(text).expect("a login")
}

fn add(app: &App, name: &str, role: Role, email: &str) -> Result<(), AppError> {
    let address = [("email".to_owned(), email.to_owned())];
    app.add_user(&login(name), role, if email.is_empty() { &[] } else { &address }, &Caller::cli()).map(drop)
}

/// Of two outcomes one is good; the other one's refusal.
fn one_won(outcomes: Vec<Result<(), AppError>>) -> String {
    let shown = format!("{outcomes:?}");
    let mut refusals: Vec<String> = outcomes
        .into_iter()
        .filter_map(Result::err)
        .map(|error| match error {
            AppError::Refused(text) | AppError::Taken(text) => text,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(refusals.len(), 1, "{shown}");
    refusals.remove(0)
}

#[apply(every_storage)]
fn of_fifty_jobs_each_goes_to_exactly_one_of_eight_workers(storage: &Storage) {
    let stores = [storage.another(), storage.another()];
    for round in 0..ROUNDS {
        storage.write(|db| {
            (0..50).try_for_each(|job| jobs::insert(db, &format!("{round}-{job}"), "kind", "{}", BEGIN))
        });
        let taken = Mutex::new(BTreeMap::<String, Vec<usize>>::new());
        at_once((0..8).map(|worker| {
            let (store, taken) = (&stores[worker % 2], &taken);
            // A worker that came second finds nothing and asks again.
            move || {
                while taken.lock().len() < 50 {
                    let leased = store.write(BEGIN, |tx| jobs::take(tx, &worker.to_string(), BEGIN));
                    if let Some(job) = leased.expect("it is leased") {
                        taken.lock().entry(job.id).or_default().push(worker);
                    }
                }
            }
        }));
        let taken = taken.into_inner();
        assert_eq!(taken.len(), 50, "round {round}");
        for (job, workers) in taken {
            assert_eq!(workers.len(), 1, "round {round}: job {job} went to {workers:?}");
            storage.write(|db| jobs::finish(db, &job, &workers[0].to_string(), JobState::Done, "{}", BEGIN));
        }
    }
}

#[apply(every_storage)]
fn of_two_admins_who_are_disabled_at_once_one_remains(storage: &Storage) {
    let apps = [storage.app(), storage.app()];
    add(&apps[0], "a", Role::Admin, "").expect("added");
    add(&apps[0], "b", Role::Admin, "").expect("added");
    for _ in 0..ROUNDS {
        let outcomes = at_once(
            apps.iter()
                .zip(["a", "b"])
                .map(|(app, admin)| move || app.disable_user(&login(admin), &Caller::cli())),
        );
        assert!(one_won(outcomes).contains("last admin"));
        assert_eq!(storage.read(users::enabled_admins), 1);
        for admin in ["a", "b"] {
            apps[0].enable_user(&login(admin), &Caller::cli()).expect("enabled");
        }
    }
}

#[apply(every_storage)]
fn of_two_publishers_of_one_version_one_wins(storage: &Storage) {
    let stores = [storage.another(), storage.another()];
    for number in 1..=20 {
        let outcomes = at_once(stores.iter().zip(["ana", "bob"]).map(|(store, author)| {
            let version = Version {
                number,
                text: author.into(),
                author: author.into(),
                reason: String::new(),
                created_at: BEGIN,
            };
            move || {
                store.write(BEGIN, |tx| mappings::insert(tx, &"default".into(), &version)).map(|()| author)
            }
        }));
        let winners: Vec<&str> =
            outcomes.iter().filter_map(|outcome| outcome.as_ref().ok().copied()).collect();
        let lost = outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Conflict(_)))).count();
        assert_eq!((winners.len(), lost), (1, 1), "{outcomes:?}");
        let published =
            storage.read(|db| mappings::published(db, &"default".into())).expect("one is published");
        assert_eq!((published.number, published.text.as_str()), (number, winners[0]));
    }
}

#[apply(every_storage)]
fn publishing_at_once_loses_nothing_that_was_accepted(storage: &Storage) {
    let apps = [storage.app(), storage.app()];
    let draft = countersign::app::mapping::STARTER;
    let mut accepted = 0;
    for round in 0..ROUNDS {
        let outcomes = at_once(apps.iter().enumerate().map(|(number, app)| {
            move || {
                app.publish_mapping(&"default".into(), draft, &format!("{round} {number}"), &Caller::cli())
                    .map(|(version, _)| version.number)
            }
        }));
        for outcome in outcomes {
            match outcome {
                Ok(_) => accepted += 1,
                Err(error @ AppError::MappingMoved(_)) => {
                    assert!(error.to_string().contains("Another admin has just published"), "{error}");
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(storage.number("SELECT COUNT(*) FROM mappings"), accepted);
    assert_eq!(storage.number("SELECT MAX(version) FROM mappings"), accepted, "no number is left out");
}

#[apply(every_storage)]
fn of_two_users_with_one_address_one_is_added(storage: &Storage) {
    let apps = [storage.app(), storage.app()];
    for round in 0..ROUNDS {
        let emails = [format!("user{round}@example.com"), format!("USER{round}@Example.com")];
        let outcomes = at_once(apps.iter().zip(&emails).enumerate().map(|(number, (app, email))| {
            move || add(app, &format!("login-{round}-{number}"), Role::User, email)
        }));
        let why = one_won(outcomes);
        assert!(why.contains("address"), "{why}");
    }
    assert_eq!(storage.read(users::count), 20);
    assert_eq!(
        storage.number("SELECT COUNT(*) FROM audit WHERE event = 'user_added'"),
        20,
        "the losers left no trace"
    );
}

#[apply(every_storage)]
fn of_two_users_with_one_login_one_is_added(storage: &Storage) {
    let apps = [storage.app(), storage.app()];
    for round in 0..ROUNDS {
        let names = [format!("Müller{round}"), format!("mu\u{308}ller{round} ")];
        let outcomes =
            at_once(apps.iter().zip(&names).map(|(app, name)| move || add(app, name, Role::User, "")));
        let why = one_won(outcomes);
        assert!(why.contains("login"), "{why}");
    }
    assert_eq!(storage.read(users::count), 20);
}

#[apply(every_storage)]
fn a_session_begun_while_its_user_is_disabled_stays_dead(storage: &Storage) {
    let (app, store) = (storage.app(), storage.another());
    add(&app, "ana", Role::User, "").expect("added");
    let ana = storage.read(|db| users::by_login(db, &login("ana"))).expect("a user");
    for round in 0..ROUNDS {
        let digest = SessionDigest::from(format!("d{round}"));
        let session = Session {
            digest: digest.clone(),
            user_id: ana.id.clone(),
            created_at: BEGIN,
            used_at: BEGIN,
            console_used_at: BEGIN,
            confirmed_at: BEGIN,
            address: String::new(),
            agent: String::new(),
            door: Door::Password,
            stay: Stay::Usual,
            messenger: None,
            key_id: None,
        };
        let work: [Box<dyn FnOnce() + Send>; 2] = [
            Box::new(|| app.disable_user(&ana.login, &Caller::cli()).expect("disabled")),
            Box::new(|| {
                store
                    .write(BEGIN, |tx| match users::hold(tx, &ana.id)?.filter(|ana| !ana.disabled) {
                        Some(ana) => sessions::insert(tx, &ana, &session),
                        None => Ok(()),
                    })
                    .expect("it is written");
            }),
        ];
        at_once(work);
        app.enable_user(&ana.login, &Caller::cli()).expect("enabled");
        let found = storage.read(|db| sessions::live(db, &digest, BEGIN, &Limits::default()));
        assert_eq!(found, None, "round {round}: a session outlived the disabling");
    }
}
#[apply(every_storage)]
fn a_sign_in_under_way_while_its_password_is_replaced_begins_nothing_that_lasts(storage: &Storage) {
    let (app, other) = (storage.app(), storage.app());
    add(&app, "ana", Role::User, "").expect("added");
    let ana = login("ana");
    for round in 0..ROUNDS {
        let set =
            |app: &App, password: &str| app.set_password(&ana, password, &Caller::cli()).expect("it is set");
        set(&app, "nine small birds sing");
        let began = Mutex::new(None);
        let work: [Box<dyn FnOnce() + Send>; 2] = [
            Box::new(|| set(&app, "ten large whales dive")),
            Box::new(|| {
                *began.lock() = Some(
                    other
                        .log_in(
                            "ana",
                            "nine small birds sing",
                            "192.0.2.1",
                            &Browser::default(),
                            &Caller::cli(),
                        )
                        .expect("it is judged"),
                );
            }),
        ];
        at_once(work);
        if let Some(Guess::Right(reference)) = began.into_inner() {
            let found =
                app.session(&reference, countersign::app::sessions::Use::Website).expect("it is looked up");
            assert_eq!(found, None, "round {round}: a session outlived its password");
        }
        app.unlock(&ana, &Caller::cli()).expect("no wait is left");
    }
}
