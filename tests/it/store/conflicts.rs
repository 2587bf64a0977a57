//! UNIQUE violations: both databases name the same column in the same words.

use countersign::args;
use countersign::core::attribute::{Definition, Definitions};
use countersign::core::id::UserId;
use countersign::core::mapping::Version;
use countersign::core::session::Session;
use countersign::core::session::{Door, Limits, Stay};
use countersign::store::mappings;
use countersign::store::{Error, Sql, Tx, attributes, sessions, users};
use rstest_reuse::apply;

use super::{Storage, every_storage, user};
use crate::server::BEGIN;

/// Makes sure that a write ends with the conflict, and leaves nothing behind.
fn check(storage: &Storage, column: &str, mut write: impl FnMut(&mut Tx<'_>) -> Result<(), Error>) {
    match storage.store.write(BEGIN, |tx| {
        tx.lock_bulk()?;
        tx.execute("UPDATE locks SET n = 99", &[])?;
        write(tx)
    }) {
        Err(Error::Conflict(found)) => assert_eq!(found, column),
        other => panic!("{column}: {other:?}"),
    }
    assert_eq!(storage.number("SELECT COUNT(*) FROM locks WHERE n = 99"), 0, "it was undone");
}

fn version(number: i64) -> Version {
    Version { number, text: "{}".into(), author: "cli".into(), reason: String::new(), created_at: BEGIN }
}

#[apply(every_storage)]
fn a_user_who_is_added_twice_is_a_conflict_of_the_column(storage: &Storage) {
    let none = Definitions::default();
    storage.user("ana", &[("external_id", "E-1"), ("email", "ana@example.com")]);
    let with = |login: &str, id: &str, attributes: &[(&str, &str)]| {
        let mut user = user(login, attributes);
        user.id = id.into();
        user
    };
    check(storage, "users.login", |db| users::insert(db, &with("ana", "other", &[]), &none).map(drop));
    check(storage, "users.external_id", |db| {
        users::insert(db, &with("bob", "bob", &[("external_id", "E-1")]), &none).map(drop)
    });
    check(storage, "users.email_key", |db| {
        users::insert(db, &with("bob", "bob", &[("email", "ANA@example.com")]), &none).map(drop)
    });
    check(storage, "users.id", |db| users::insert(db, &with("bob", "id-ana", &[]), &none).map(drop));
    assert_eq!(storage.number("SELECT COUNT(*) FROM users"), 1);
}

#[apply(every_storage)]
fn a_user_who_is_changed_into_another_is_a_conflict_of_the_column(storage: &Storage) {
    let none = Definitions::default();
    storage.user("ana", &[("external_id", "E-1"), ("email", "ana@example.com")]);
    let bob = storage.user("bob", &[]);
    for (name, value, column) in
        [("email", "Ana@Example.com", "users.email_key"), ("external_id", "E-1", "users.external_id")]
    {
        let mut bob = bob.clone();
        bob.attributes.set(name, value);
        check(storage, column, |db| {
            let mut held = users::hold(db, &bob.id)?.expect("a user");
            users::update(db, &mut held, &bob, &none)
        });
    }
    assert_eq!(storage.read(|db| users::by_id(db, &bob.id)), Some(bob));
}

#[apply(every_storage)]
fn users_without_address_or_external_id_do_not_conflict(storage: &Storage) {
    for login in ["ana", "bob", "cem"] {
        storage.user(login, &[]);
    }
    assert_eq!(
        storage.number("SELECT COUNT(*) FROM users WHERE external_id IS NULL AND email_key IS NULL"),
        3
    );
}

#[apply(every_storage)]
fn a_mapping_published_twice_is_a_conflict_of_its_first_key_column(storage: &Storage) {
    storage.write(|db| mappings::insert(db, &"default".into(), &version(1)));
    check(storage, "mappings.messenger_id", |db| mappings::insert(db, &"default".into(), &version(1)));
    storage.write(|db| mappings::insert(db, &"default".into(), &version(2)));
    assert_eq!(storage.read(|db| mappings::published(db, &"default".into())), Some(version(2)));
}

#[apply(every_storage)]
fn attributes_that_differ_by_capitals_alone_are_a_conflict(storage: &Storage) {
    let definition = Definition::default();
    storage.write(|db| attributes::put(db, "Plan", &definition, BEGIN));
    check(storage, "attributes.name_key", |db| attributes::put(db, "plan", &definition, BEGIN));
    storage.write(|db| attributes::put(db, "Plan", &Definition { searchable: true, ..definition }, BEGIN));
    assert_eq!(storage.number("SELECT COUNT(*) FROM attributes WHERE searchable = 1"), 1);
}

#[apply(every_storage)]
fn one_digest_is_never_two_sessions(storage: &Storage) {
    let (ana, bob) = (storage.user("ana", &[]), storage.user("bob", &[]));
    let session = |user_id: &UserId| Session {
        digest: "d".into(),
        user_id: user_id.clone(),
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
    let insert = |db: &mut Tx<'_>, id: &UserId| {
        let held = users::hold(db, id)?.expect("a user");
        sessions::insert(db, &held, &session(id))
    };
    storage.write(|db| insert(db, &ana.id));
    check(storage, "sessions.digest", |db| insert(db, &bob.id));
    let found = storage.read(|db| sessions::live(db, &"d".into(), BEGIN, &Limits::default()));
    assert_eq!(found.map(|(_, user)| user.id), Some(ana.id));
}

#[apply(every_storage)]
fn a_row_without_its_parent_is_refused_and_is_no_conflict(storage: &Storage) {
    let orphan = storage.store.write(BEGIN, |tx| mappings::insert(tx, &"unknown".into(), &version(1)));
    assert!(matches!(orphan, Err(Error::Failed(_))), "{orphan:?}");
    let keys = storage.store.write(BEGIN, |tx| {
        tx.execute("INSERT INTO user_keys (key, user_id) VALUES ('k', $1)", args!["nobody"])
    });
    assert!(matches!(keys, Err(Error::Failed(_))), "{keys:?}");
}

#[apply(every_storage)]
fn a_lock_that_does_not_exist_is_refused(storage: &Storage) {
    let unknown = storage.store.write(BEGIN, |tx| countersign::store::lock(tx, "no such lock"));
    assert!(matches!(unknown, Err(Error::Failed(_))), "{unknown:?}");
}
