//! A SQLite file whose write lock another holds: writes wait a while and then say so, reads go on,
//! and so does everything as soon as the lock is free.

use rusqlite::Connection;

use countersign::store::{Error, Store, lock};

use crate::server::{Answer, Browser, PASSWORD, Place, World};
use crate::store::{Storage, at_once};

/// Somebody else's connection to the file.
fn other(url: &str) -> Connection {
    let path = url.strip_prefix("sqlite:").expect("a file");
    Connection::open(path).expect("it opens")
}

fn is_busy(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.body);
    let seconds = answer.header("retry-after").and_then(|value| value.parse::<u32>().ok());
    assert!(seconds.is_some_and(|seconds| seconds > 0), "{:?}", answer.headers);
}

#[test]
fn while_another_holds_the_file_writes_end_with_503_reads_go_on_and_then_all_does() {
    let world = World::new(Place::Sqlite);
    world.user("ana");
    let browser = Browser::impatient(&world.base).signed_in("ana");
    let strangers: Vec<_> = (0..8)
        .map(|_| {
            let stranger = Browser::impatient(&world.base);
            let token = stranger.get("/login").csrf();
            (stranger, token)
        })
        .collect();
    let holder = other(&world.database_url());
    for _ in 0..2 {
        let hashed = world.app.hashes();
        holder.execute_batch("BEGIN IMMEDIATE").expect("the lock is taken");
        let sign_ins = strangers.iter().map(|(stranger, token)| {
            // A browser belongs to one thread; the form's cookie is what matters.
            let copy = Browser::impatient(&stranger.base);
            *copy.cookies.borrow_mut() = stranger.cookies.borrow().clone();
            move || {
                copy.post(
                    "/login",
                    &[("csrf_token", token), ("login", "ana"), ("password", PASSWORD), ("next", "")],
                )
            }
        });
        for answer in at_once(sign_ins) {
            is_busy(&answer);
        }
        assert_eq!(world.app.hashes(), hashed, "a guess that cannot be counted is not judged");
        assert_eq!(browser.get("/api/v1/token").status, 200, "reads go on");
        assert_eq!(browser.get("/readyz").status, 200);
        holder.execute_batch("ROLLBACK").expect("the lock is given back");
        Browser::impatient(&world.base).signed_in("ana");
    }
}

#[test]
fn a_write_waits_for_another_s_transaction_to_end() {
    let storage = Storage::new(Place::Sqlite);
    let holder = other(&storage.url);
    for round in 0..5 {
        holder.execute_batch("BEGIN IMMEDIATE").expect("the lock is taken");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| storage.store.write(0, |tx| lock(tx, "admins")));
            let mut insert =
                holder.prepare("INSERT INTO facts (name, value) VALUES (?1, ?1)").expect("a statement");
            for number in 0..50_000 {
                insert.execute([format!("{round}-{number}")]).expect("it is written");
            }
            holder.execute_batch("COMMIT").expect("it is committed");
            waiting.join().expect("no panic").expect("it had its turn");
        });
    }
    assert_eq!(storage.number("SELECT n FROM locks WHERE name = 'admins'"), 5);
}

#[test]
fn a_start_waits_for_another_s_transaction_and_then_says_that_the_file_is_busy() {
    let storage = Storage::new(Place::Sqlite);
    let holder = other(&storage.url);
    holder.execute_batch("BEGIN IMMEDIATE").expect("the lock is taken");
    let opened = Store::open(&storage.url).and_then(|store| store.migrate());
    assert!(matches!(opened, Err(Error::Unavailable(_))), "{opened:?}");
    holder.execute_batch("ROLLBACK").expect("the lock is given back");
    storage.another().migrate().expect("it is free");
}
