//! Transactions: whole or not at all, one moment for reads that must agree, changes numbered in
//! the order of commits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use countersign::args;
use countersign::store::changes;
use countersign::store::{Change, ChangeKind, Error, Sql, facts, lock, users};
use rstest_reuse::apply;

use super::{Storage, at_once, every_storage};
use crate::server::BEGIN;

/// What listeners of a store were told, in order.
fn listened(storage: &Storage) -> Arc<Mutex<Vec<Change>>> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = told.clone();
    storage.store.on_change(move |changes| kept.lock().extend_from_slice(changes));
    told
}

fn remember(db: &mut dyn Sql, name: &str) -> Result<(), Error> {
    facts::settle(db, name, "so").map(drop)
}

fn is_known(storage: &Storage, name: &str) -> bool {
    !storage.rows("SELECT name FROM facts WHERE name = $1", args![name]).is_empty()
}

#[apply(every_storage)]
fn an_error_undoes_everything_and_tells_nobody(storage: &Storage) {
    let told = listened(storage);
    let failed = storage.store.write(BEGIN, |tx| {
        remember(tx, "one")?;
        tx.changed(ChangeKind::User, "ana");
        Err::<(), _>(Error::Unusable("the test says no".into()))
    });
    assert!(matches!(failed, Err(Error::Unusable(_))), "the caller's own error comes back: {failed:?}");
    assert!(!is_known(storage, "one") && told.lock().is_empty());
    assert_eq!(storage.read(changes::latest), 0);
}

#[apply(every_storage)]
fn a_panic_undoes_everything_and_the_next_write_goes_on(storage: &Storage) {
    let told = listened(storage);
    for _ in 0..3 {
        let fell = catch_unwind(AssertUnwindSafe(|| {
            storage.store.write(BEGIN, |tx| {
                remember(tx, "one")?;
                lock(tx, "admins")?;
                tx.changed(ChangeKind::All, "");
                assert!(is_known(storage, "one"), "not visible outside, so this panics");
                Ok::<_, Error>(())
            })
        }));
        assert!(fell.is_err());
    }
    assert!(!is_known(storage, "one") && told.lock().is_empty());
    storage.write(|db| {
        lock(db, "admins")?;
        remember(db, "two")
    });
    assert!(is_known(storage, "two"));
}

#[apply(every_storage)]
fn an_error_that_was_swallowed_is_not_committed(storage: &Storage) {
    storage.write(|db| remember(db, "here"));
    let told = listened(storage);
    for changes in [false, true] {
        let committed = storage.store.write(BEGIN, |tx| {
            remember(tx, "one")?;
            let refused = tx.execute("INSERT INTO facts (name, value) VALUES ('here', 'x')", &[]);
            assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
            if changes {
                tx.changed(ChangeKind::All, "");
            }
            Ok::<_, Error>(())
        });
        assert!(matches!(committed, Err(Error::Failed(_))), "{committed:?}");
        assert!(!is_known(storage, "one") && told.lock().is_empty());
    }
}

#[apply(every_storage)]
fn a_statement_that_cannot_be_read_is_a_defect_not_an_outage(storage: &Storage) {
    let refused = storage.store.read(|db| db.query("SELEC 1", &[]));
    assert!(matches!(refused, Err(Error::Failed(_))), "{refused:?}");
    assert_eq!(storage.number("SELECT COUNT(*) FROM users"), 0, "the connection goes on");
}

#[apply(every_storage)]
fn a_snapshot_sees_one_moment_and_reads_see_the_latest(storage: &Storage) {
    let count = |db: &mut dyn Sql| users::count(db);
    let seen = storage.store.snapshot(|db| {
        let before = count(db)?;
        storage.user("ana", &[]);
        Ok::<_, Error>((before, count(db)?))
    });
    assert_eq!(seen.expect("it is read"), (0, 0));
    let seen = storage.store.read(|db| {
        let before = count(db)?;
        storage.user("bob", &[]);
        Ok::<_, Error>((before, count(db)?))
    });
    assert_eq!(seen.expect("it is read"), (1, 2));
}

#[apply(every_storage)]
fn a_snapshot_that_failed_or_panicked_leaves_nothing_open(storage: &Storage) {
    for _ in 0..40 {
        let failed = storage.store.snapshot(|db| {
            users::count(db)?;
            db.query("SELECT nothing FROM nowhere", &[])
        });
        assert!(matches!(failed, Err(Error::Failed(_))), "{failed:?}");
        let fell = catch_unwind(AssertUnwindSafe(|| {
            storage.store.snapshot(|db| -> Result<(), Error> {
                users::count(db)?;
                panic!("the test falls")
            })
        }));
        assert!(fell.is_err());
    }
    storage.user("ana", &[]);
    assert_eq!(storage.store.snapshot(users::count).expect("it is read"), 1, "no old moment is left");
}

#[apply(every_storage)]
fn readers_do_not_wait_for_a_writer(storage: &Storage) {
    storage.write(|db| {
        remember(db, "one")?;
        let other = storage.another();
        assert_eq!(other.read(users::count).expect("it is read"), 0);
        assert!(!is_known(storage, "one"), "not before the commit");
        Ok(())
    });
    assert!(is_known(storage, "one"));
}

#[apply(every_storage)]
fn a_lock_serialises_count_then_write(storage: &Storage) {
    let stores: Vec<_> = (0..4).map(|_| storage.another()).collect();
    at_once((0..8).map(|thread| {
            let store = stores[thread % 4].clone();
            move || for _ in 0..10 {
                store.write(BEGIN, |tx| {
                    lock(tx, "jobs")?;
                    let n = tx.query("SELECT value FROM facts WHERE name = 'n'", &[])?;
                    let n: i64 = n.first().map_or(Ok("0".into()), |row| row.text(0))?.parse().expect("a number");
                    tx.execute("INSERT INTO facts (name, value) VALUES ('n', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value", args![(n + 1).to_string()])
                }).expect("it is written");
            }
        }));
    assert_eq!(storage.texts("SELECT value FROM facts WHERE name = 'n'"), ["80"]);
}

#[apply(every_storage)]
fn listeners_are_told_after_the_commit_and_before_the_write_returns(storage: &Storage) {
    let seen = Arc::new(AtomicBool::new(false));
    let (store, flag) = (storage.store.clone(), seen.clone());
    storage.store.on_change(move |changes| {
        assert_eq!(changes, [Change { seq: 1, kind: ChangeKind::User, subject: "ana".into() }]);
        let written = store.read(|db| db.query("SELECT name FROM facts WHERE name = 'one'", &[]));
        flag.store(written.expect("it is read").len() == 1, Ordering::SeqCst);
    });
    storage
        .store
        .write(BEGIN, |tx| {
            remember(tx, "one")?;
            tx.changed(ChangeKind::User, "ana");
            Ok::<_, Error>(())
        })
        .expect("it is written");
    assert!(seen.load(Ordering::SeqCst), "the listener saw what was committed");
}

#[apply(every_storage)]
fn a_write_that_changes_nobody_takes_no_number(storage: &Storage) {
    let told = listened(storage);
    storage.write(|db| remember(db, "one"));
    assert_eq!((storage.read(changes::latest), told.lock().len()), (0, 0));
}

#[apply(every_storage)]
fn whoever_follows_the_numbers_misses_no_change(storage: &Storage) {
    let told = listened(storage);
    let (done, followed) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut last, store) = (0, storage.another());
            while !(done.load(Ordering::SeqCst) && store.read(changes::latest).expect("it is read") == last) {
                let new = store.read(|db| changes::since(db, last)).expect("it is read");
                last = new.last().map_or(last, |change| change.seq);
                followed.lock().extend(new);
            }
        });
        at_once((0..8).map(|thread| {
            let store = storage.store.clone();
            move || {
                for round in 0..10 {
                    store
                        .write(BEGIN, |tx| {
                            tx.changed(ChangeKind::User, format!("{thread}-{round}"));
                            tx.changed(ChangeKind::Session, format!("{thread}-{round}"));
                            Ok::<_, Error>(())
                        })
                        .expect("it is written");
                }
            }
        }));
        done.store(true, Ordering::SeqCst);
    });
    let followed = followed.into_inner();
    let numbers: Vec<i64> = followed.iter().map(|change| change.seq).collect();
    assert_eq!(numbers, (1..=160).collect::<Vec<_>>());
    let mut told = told.lock().clone();
    told.sort_by_key(|change| change.seq);
    assert_eq!(told, followed, "listeners learn the same");
}

#[apply(every_storage)]
fn changes_go_by_their_number_whatever_the_clock_says(storage: &Storage) {
    let note = |at, subject: &str| {
        storage
            .store
            .write(at, |tx| {
                tx.changed(ChangeKind::Mapping, subject);
                Ok::<_, Error>(())
            })
            .expect("it is written");
    };
    for (at, subject) in [(BEGIN, "old"), (BEGIN + 999_999, "future"), (BEGIN - 999_999, "new")] {
        note(at, subject);
    }
    let subjects = || storage.texts("SELECT subject FROM changes ORDER BY seq");
    assert_eq!(subjects(), ["old", "future", "new"], "no write removes any");
    assert_eq!(storage.write(|db| changes::sweep(db, 2)), 1);
    assert_eq!(subjects(), ["future", "new"]);
    assert_eq!(storage.read(changes::latest), 3, "numbers go on");
}

#[apply(every_storage)]
fn a_change_of_a_newer_program_means_forget_everything(storage: &Storage) {
    storage.write(|db| {
        db.execute("INSERT INTO changes (seq, kind, subject, at) VALUES (7, 'invention', 'x', 0)", &[])
    });
    let found = storage.read(|db| changes::since(db, 6));
    assert_eq!(found, [Change { seq: 7, kind: ChangeKind::All, subject: "x".into() }]);
}
