//! The user table: every attribute comes back, pages meet everybody once, and a search by
//! prefix finds all and nothing else.

use std::collections::BTreeSet;

use countersign::core::address::Address;
use countersign::core::attribute::{Definition, Definitions, Kind, Value};
use countersign::core::id::UserId;
use countersign::core::user::{Login, Role};
use countersign::store::users;
use rstest_reuse::apply;

use super::{Storage, every_storage, user};
use crate::server::BEGIN;

/// All keys that a search answers, a page of two at a time.
fn search(storage: &Storage, prefix: &str) -> Vec<(String, UserId)> {
    let mut found: Vec<(String, UserId)> = Vec::new();
    loop {
        let after = found.last().map(|(key, id)| (key.as_str(), id));
        let page = storage.read(|db| users::search(db, prefix, after, 2));
        assert!(page.len() <= 2);
        if page.is_empty() {
            return found;
        }
        found.extend(page.into_iter().map(|(key, user)| (key, user.id)));
    }
}

/// Adds one user with these keys, by a searchable attribute.
fn with_keys(storage: &Storage, login: &str, keys: &[&str]) {
    let mut definitions = Definitions::default();
    let searchable = Definition { kind: Kind::List, searchable: true, proved: false };
    definitions.define("nicknames", searchable).expect("a name");
    let mut user = user(login, &[]);
    user.attributes.set("nicknames", Value::List(keys.iter().map(|key| (*key).into()).collect()));
    storage.insert(&user, &definitions);
}

#[apply(every_storage)]
fn a_user_comes_back_with_every_attribute(storage: &Storage) {
    let mut ana = user(
        "ana",
        &[
            ("external_id", "Ä-1"),
            ("email", "Ana.K@example.com"),
            ("display_name", "Ana \"K\" O'Neil"),
            ("first_name", "Ana"),
            ("last_name", "Ковач"),
            ("language", "de-AT"),
            ("timezone", "Europe/Vienna"),
            ("deskpro_id", "42"),
            ("notes", "two\nlines"),
            ("plan", "gold"),
        ],
    );
    ana.attributes.set("email_verified", true);
    ana.attributes.set("newsletter", false);
    ana.attributes.set("groups", Value::List(vec!["a".into(), 7_i64.into(), true.into()]));
    ana.role = Role::Admin;
    storage.insert(&ana, &Definitions::default());
    assert_eq!(storage.read(|db| users::by_id(db, &ana.id)).as_ref(), Some(&ana));
    assert_eq!(storage.read(|db| users::by_login(db, &ana.login)).as_ref(), Some(&ana));
    assert_eq!(storage.read(|db| users::by_external_id(db, "Ä-1")).as_ref(), Some(&ana));
    let address = Address::parse("ANA.k@EXAMPLE.com").expect("an address");
    assert_eq!(storage.read(|db| users::by_address(db, &address)).as_ref(), Some(&ana));

    for name in ["external_id", "email", "email_verified", "display_name", "groups", "deskpro_id"] {
        ana.attributes.remove(name);
    }
    ana.disabled = true;
    ana.updated_at = BEGIN + 9;
    storage.update(&ana);
    assert_eq!(storage.read(|db| users::by_login(db, &ana.login)).as_ref(), Some(&ana));
    assert_eq!(storage.read(|db| users::by_address(db, &address)), None);
}

#[apply(every_storage)]
fn a_user_is_found_by_any_key_and_missing_keys_match_nobody(storage: &Storage) {
    let ana = storage.user("ana", &[("external_id", "E-1")]);
    let bob = storage.user("bob", &[("email", "bob@example.com")]);
    let found = |id: Option<&str>, login: Option<&str>, email: Option<&str>| {
        let mut ids: Vec<_> = storage
            .read(|db| users::by_any_key(db, id, login, email))
            .into_iter()
            .map(|user| user.id)
            .collect();
        ids.sort();
        ids
    };
    assert!(found(None, None, None).is_empty());
    assert_eq!(found(Some("E-1"), None, None), [ana.id.as_str()]);
    assert_eq!(found(None, Some("bob"), Some("bob@example.com")), [bob.id.as_str()]);
    assert_eq!(found(Some("E-1"), Some("bob"), None), [ana.id.as_str(), bob.id.as_str()]);
}

#[apply(every_storage)]
fn pages_meet_everybody_once_also_who_is_renamed_meanwhile(storage: &Storage) {
    let logins = ["zoe", "ana", "ärger", "anna", "ana-2", "émile", "日本", "👍", "_", "0", "ñ"]
        .map(|login| Login::parse(login).expect("a login"));
    for login in &logins {
        storage.user(login.as_str(), &[]);
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = storage.read(|db| users::page(db, after.as_ref(), 3));
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        // Whoever was met goes to the end of all logins, and whoever was not to their beginning.
        for login in &logins {
            let Some(mut user) = storage.read(|db| users::by_login(db, login)) else { continue };
            let begin = if Some(&user.id) <= after.as_ref() { "zz" } else { "!" };
            user.login = Login::parse(&format!("{begin}{login}")).expect("a login");
            storage.update(&user);
        }
        seen.extend(page.into_iter().map(|user| user.id));
    }
    assert_eq!(
        seen.iter().map(UserId::as_str).collect::<Vec<_>>(),
        storage.texts("SELECT id FROM users ORDER BY id")
    );
    assert_eq!(storage.read(users::count), 11);
}

#[apply(every_storage)]
fn more_users_than_one_statement_names_are_held_and_found_by_new_keys(storage: &Storage) {
    let ids: Vec<UserId> = (0..230)
        .map(|number| storage.user(&format!("u{number:03}"), &[("plan", &format!("plan {number}"))]).id)
        .collect();
    let searchable = Definition { searchable: true, ..Definition::default() };
    let mut definitions = Definitions::default();
    definitions.define("plan", searchable).expect("a definition");
    let held = storage.write(|tx| {
        tx.lock_bulk()?;
        let nobody = UserId::from("nobody");
        let mut asked: Vec<&UserId> = ids.iter().rev().collect();
        asked.push(&nobody);
        let held = users::hold_all(tx, &asked)?;
        users::rekey_all(tx, &held, &definitions)?;
        Ok(held.iter().map(|held| held.id.clone()).collect::<Vec<_>>())
    });
    assert_eq!(held, ids, "each once, in the order of ids");
    assert_eq!(storage.number("SELECT COUNT(*) FROM user_keys WHERE key >= 'plan ' AND key < 'plan!'"), 230);
    assert_eq!(
        storage.number("SELECT COUNT(*) FROM user_keys WHERE key >= 'u' AND key < 'v'"),
        230,
        "the other keys are still there, once"
    );
}

#[apply(every_storage)]
fn a_search_finds_every_key_with_the_prefix_in_order_and_page_by_page(storage: &Storage) {
    let keys = [
        "an",
        "ana",
        "ana b",
        "anaà",
        "ana\u{ffff}",
        "ana👍",
        "ana👍🏽",
        "ana\u{10ffff}",
        "ana\u{10ffff}z",
        "ana\u{10ffff}\u{10ffff}",
        "anb",
        "ao",
        "b",
        "Ä",
        "ä",
        "äa",
        "👍",
        "👍a",
        "👎",
        "\u{d7ff}",
        "\u{d7ff}x",
        "\u{e000}",
        "\u{10ffff}",
        "\u{10ffff}\u{10ffff}x",
        "a'b\"c%_\\",
    ];
    with_keys(storage, "one", &keys);
    with_keys(storage, "two", &keys[5..]);
    let all: BTreeSet<(String, UserId)> = storage
        .rows("SELECT key, user_id FROM user_keys", &[])
        .iter()
        .map(|row| (row.text(0).expect("a key"), row.text_as(1).expect("an id")))
        .collect();
    let prefixes = [
        "",
        "a",
        "an",
        "ana",
        "ana ",
        "anaà",
        "ana\u{ffff}",
        "ana👍",
        "ana\u{10ffff}",
        "ana\u{10ffff}\u{10ffff}",
        "anb",
        "b",
        "c",
        "ä",
        "👍",
        "\u{d7ff}",
        "\u{e000}",
        "\u{10ffff}",
        "\u{10ffff}\u{10ffff}",
        "\u{10ffff}\u{10ffff}y",
        "a'b\"",
        "%",
        "_",
        "\u{7f}",
        "\u{10fffe}",
    ];
    for prefix in prefixes {
        let expected: Vec<_> = all.iter().filter(|(key, _)| key.starts_with(prefix)).cloned().collect();
        assert_eq!(search(storage, prefix), expected, "{prefix:?}");
    }
}

#[apply(every_storage)]
fn search_keys_follow_the_user(storage: &Storage) {
    let mut ana = storage.user("ana", &[("display_name", "Ana Maria Kovač"), ("email", "ANA@example.com")]);
    let keys = || storage.texts("SELECT key FROM user_keys ORDER BY key");
    assert_eq!(keys(), ["ana", "ana@example.com", "kovač", "maria"]);
    ana.attributes.set("display_name", "Bea Kovač");
    storage.update(&ana);
    assert_eq!(keys(), ["ana", "ana@example.com", "bea", "kovač"]);
    storage.write(|db| {
        let ana = users::hold(db, &ana.id)?.expect("a user");
        users::delete(db, ana)
    });
    assert_eq!((keys(), storage.read(users::count)), (vec![], 0));
    assert!(storage.write(|db| Ok(users::hold(db, &ana.id)?.is_none())), "deleted already");
}

#[apply(every_storage)]
fn a_password_hash_is_stored_apart_from_attributes(storage: &Storage) {
    let ana = storage.user("ana", &[]);
    let credentials = || storage.read(|db| users::credentials(db, &ana.login)).expect("a user");
    assert_eq!(credentials().password_hash, None);
    assert!(!storage.read(|db| users::has_password(db, &ana.id)));
    let set = |hash: Option<&str>| {
        storage.write(|db| {
            let ana = users::hold(db, &ana.id)?.expect("a user");
            users::set_password(db, &ana, hash)
        });
    };
    set(Some("$argon2id$…"));
    assert_eq!(credentials().password_hash.as_deref(), Some("$argon2id$…"));
    assert!(storage.read(|db| users::has_password(db, &ana.id)));
    storage.update(&ana);
    assert!(storage.read(|db| users::has_password(db, &ana.id)), "attributes leave it alone");
    set(None);
    assert!(!storage.read(|db| users::has_password(db, &ana.id)));
    let nobody = Login::parse("nobody").expect("a login");
    assert!(storage.read(|db| users::credentials(db, &nobody)).is_none());
}

#[apply(every_storage)]
fn only_enabled_admins_are_counted(storage: &Storage) {
    for (login, role, disabled) in [
        ("a", Role::Admin, false),
        ("b", Role::Admin, true),
        ("c", Role::User, false),
        ("d", Role::Admin, false),
    ] {
        let mut user = user(login, &[]);
        (user.role, user.disabled) = (role, disabled);
        storage.insert(&user, &Definitions::default());
    }
    assert_eq!(storage.read(users::enabled_admins), 2);
}
