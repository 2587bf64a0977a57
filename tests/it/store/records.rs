//! The smaller tables: guesses, audit, counts, jobs, facts.

use countersign::core::job::JobState;
use countersign::core::throttle::Counter;
use countersign::store::audit::{self, Entry};
use countersign::store::counts::{self, Count};
use countersign::store::jobs::{self, Job};
use countersign::store::{attempts, facts};
use rstest_reuse::apply;

use super::{Storage, at_once, every_storage};
use crate::server::BEGIN;

fn entry(id: &str) -> Entry {
    Entry {
        id: id.to_owned(),
        at: BEGIN,
        event: "signed_in".to_owned(),
        actor: "user:1".to_owned(),
        subject: "1".to_owned(),
        detail: "{\"text\":\"\\\"quoted\\\"\"}".to_owned(),
        request_id: "r".to_owned(),
        address: "2001:db8::1".to_owned(),
    }
}

fn count(kind: &'static str, code: &'static str) -> Count {
    Count { kind, code: Some(code), messenger: Some("default".into()), key: None }
}

fn take(storage: &Storage, worker: &str, at: i64) -> Option<Job> {
    storage.write(|db| jobs::take(db, worker, BEGIN + at))
}

#[apply(every_storage)]
fn guesses_are_counted_given_back_and_forgotten(storage: &Storage) {
    let guesses = |key: &str| storage.read(|db| attempts::by_key(db, key)).map(|counter| counter.guesses);
    assert_eq!(guesses("k"), None);
    let fresh = storage.write(|db| attempts::lock(db, "k", BEGIN));
    assert_eq!(fresh, Counter { guesses: 0, since: BEGIN, at: BEGIN, next_at: 0 });
    let counter = Counter { guesses: 2, since: BEGIN, at: BEGIN + 5, next_at: BEGIN + 7 };
    storage.write(|db| attempts::put(db, "k", &counter));
    assert_eq!(storage.write(|db| attempts::lock(db, "k", BEGIN + 99)), counter, "locking changes nothing");
    for left in [1, 0, 0] {
        storage.write(|db| attempts::give_back(db, "k", BEGIN + 8));
        assert_eq!(guesses("k"), Some(left), "never below nothing");
    }
    assert!(storage.write(|db| attempts::clear(db, "k")));
    assert!(!storage.write(|db| attempts::clear(db, "k")));
}

#[apply(every_storage)]
fn the_counters_of_an_account_go_together_and_leave_others(storage: &Storage) {
    for key in ["aa", "aa n1", "aa n2", "aa!", "aab n1", "b n1", "n1"] {
        storage.write(|db| attempts::lock(db, key, BEGIN));
    }
    assert_eq!(storage.write(|db| attempts::clear_below(db, "aa")), 2);
    assert_eq!(storage.texts("SELECT key FROM attempts ORDER BY key"), ["aa", "aa!", "aab n1", "b n1", "n1"]);
    storage.write(|db| attempts::lock(db, "late", BEGIN + 10));
    assert_eq!(storage.write(|db| attempts::sweep(db, BEGIN + 10)), 5);
    assert_eq!(storage.texts("SELECT key FROM attempts"), ["late"]);
}

#[apply(every_storage)]
fn a_hundred_parallel_guesses_are_all_counted(storage: &Storage) {
    let stores = [storage.another(), storage.another()];
    at_once((0..10).map(|thread| {
        let store = &stores[thread % 2];
        move || {
            for _ in 0..10 {
                store
                    .write(BEGIN, |tx| {
                        let counter = attempts::lock(tx, "k", BEGIN)?;
                        attempts::put(tx, "k", &Counter { guesses: counter.guesses + 1, ..counter })
                    })
                    .expect("it is written");
            }
        }
    }));
    assert_eq!(storage.read(|db| attempts::by_key(db, "k")).map(|counter| counter.guesses), Some(100));
}

#[apply(every_storage)]
fn of_audit_rows_with_one_mark_only_the_first_is_kept(storage: &Storage) {
    let append = |id: &str, mark: Option<&str>| storage.write(|db| audit::append(db, &entry(id), mark));
    append("1", Some("mark"));
    append("2", Some("mark"));
    append("3", None);
    append("4", None);
    append("5", Some("other mark"));
    let ids: Vec<String> =
        storage.read(|db| audit::page(db, None, None, None, 10)).into_iter().map(|entry| entry.id).collect();
    assert_eq!(ids, ["5", "4", "3", "1"]);
    assert_eq!(storage.read(|db| audit::page(db, None, None, None, 1)), [entry("5")]);
}

#[apply(every_storage)]
fn two_writers_of_one_mark_both_go_on(storage: &Storage) {
    let stores = [storage.another(), storage.another()];
    for round in 0..20 {
        let kept = at_once(stores.iter().enumerate().map(|(number, store)| {
            move || {
                store.write(BEGIN, |tx| {
                    audit::append(tx, &entry(&format!("{round}-{number}")), Some(&round.to_string()))
                })
            }
        }));
        assert!(kept.iter().all(Result::is_ok), "{kept:?}");
    }
    assert_eq!(storage.number("SELECT COUNT(*) FROM audit"), 20);
}

#[apply(every_storage)]
fn counts_add_up_by_the_minute(storage: &Storage) {
    let minute = BEGIN - BEGIN.rem_euclid(60);
    let add = |at, counted: &[(Count, i64)]| storage.write(|db| counts::add(db, at, counted));
    add(minute, &[(count("token_issued", ""), 2), (count("token_refused", "unverified"), 1)]);
    add(minute + 59, &[(count("token_issued", ""), 3)]);
    add(minute + 60, &[(count("token_issued", ""), 10), (count("token_refused", "blocked"), 4)]);
    add(minute, &[]);
    let by_code = |kind, since| storage.read(|db| counts::by_code(db, kind, since));
    assert_eq!(by_code("token_issued", 0), [(String::new(), 15)]);
    assert_eq!(by_code("token_issued", minute + 1), [(String::new(), 10)]);
    assert_eq!(by_code("token_refused", 0), [("blocked".to_owned(), 4), ("unverified".to_owned(), 1)]);
    assert_eq!(by_code("hash", 0), []);
    assert_eq!(storage.number("SELECT COUNT(*) FROM counts"), 4);
}

#[apply(every_storage)]
fn counts_of_two_instances_add_up(storage: &Storage) {
    let stores = [storage.another(), storage.another()];
    at_once((0..4).map(|thread| {
        let store = &stores[thread % 2];
        move || {
            for _ in 0..20 {
                let both = [(count("sign_in", "right"), 1), (count("sign_in", "wrong"), 2)];
                store.write(BEGIN, |tx| counts::add(tx, BEGIN, &both)).expect("it is written");
            }
        }
    }));
    let sums = storage.read(|db| counts::by_code(db, "sign_in", 0));
    assert_eq!(sums, [("right".to_owned(), 80), ("wrong".to_owned(), 160)]);
}

#[apply(every_storage)]
fn a_job_is_taken_moved_on_and_finished_by_one_worker(storage: &Storage) {
    storage.write(|db| {
        jobs::insert(db, "j2", "sync", "{}", BEGIN + 1)?;
        jobs::insert(db, "j1", "import", "{\"a\":1}", BEGIN)
    });
    let mut job = take(storage, "w1", 10).expect("the oldest job");
    assert_eq!(
        (job.id.as_str(), job.kind.as_str(), job.input.as_str(), job.total),
        ("j1", "import", "{\"a\":1}", 0)
    );
    assert_eq!(take(storage, "w2", 10).map(|job| job.id).as_deref(), Some("j2"));
    assert_eq!(take(storage, "w3", 10), None);
    (job.cursor, job.done, job.total) = (Some("row 5".to_owned()), 5, 9);
    assert!(storage.write(|db| jobs::advance(db, &job, "w1", BEGIN + 20)));
    assert!(!storage.write(|db| jobs::advance(db, &job, "w2", BEGIN + 20)), "only its worker");
    assert!(!storage.write(|db| jobs::finish(db, "j1", "w2", JobState::Done, "{}", BEGIN + 20)));
    assert!(storage.write(|db| jobs::finish(db, "j1", "w1", JobState::Done, "{}", BEGIN + 20)));
    assert!(!storage.write(|db| jobs::advance(db, &job, "w1", BEGIN + 20)), "it has ended");
    assert_eq!(take(storage, "w1", 39), None, "j2 has its worker");
}

#[apply(every_storage)]
fn a_job_whose_worker_died_goes_on_from_its_cursor(storage: &Storage) {
    storage.write(|db| jobs::insert(db, "j", "import", "{}", BEGIN));
    let mut job = take(storage, "dead", 0).expect("a job");
    (job.cursor, job.done) = (Some("row 5".to_owned()), 5);
    let beat = || storage.read(jobs::beats)[0].beat;
    let seen = beat();
    assert!(storage.write(|db| jobs::advance(db, &job, "dead", BEGIN)));
    assert_eq!(take(storage, "alive", 99), None, "somebody works on it");
    let over = |beat: i64| storage.write(|db| jobs::take_over(db, "j", beat, "alive", BEGIN + 31));
    assert_eq!(over(seen), None, "it has moved since");
    let seen = beat();
    assert_eq!(over(seen), Some(job.clone()), "with what was done");
    assert_eq!(over(seen), None, "by one worker");
    assert!(!storage.write(|db| jobs::advance(db, &job, "dead", BEGIN + 31)), "it is not its job any more");
    assert!(!storage.write(|db| jobs::finish(db, "j", "dead", JobState::Failed, "{}", BEGIN + 31)));
}

#[apply(every_storage)]
fn the_first_to_settle_a_fact_wins(storage: &Storage) {
    assert_eq!(storage.write(|db| facts::settle(db, "key", "one")), "one");
    assert_eq!(storage.write(|db| facts::settle(db, "key", "two")), "one");
    let stores: Vec<_> = (0..4).map(|_| storage.another()).collect();
    let settled = at_once(stores.iter().enumerate().map(|(number, store)| {
        move || {
            store.write(BEGIN, |tx| facts::settle(tx, "race", &number.to_string())).expect("it is written")
        }
    }));
    assert!(settled.iter().all(|value| *value == settled[0]), "{settled:?}");
}
