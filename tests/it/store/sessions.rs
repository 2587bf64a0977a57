//! Sessions: live as long as the limits and the user allow, found by digest alone.

use countersign::core::attribute::Definitions;
use countersign::core::session::{Door, Limits, Session, Stay};
use countersign::core::user::{Role, User};
use countersign::store::sessions::{self, Live};
use countersign::store::users;
use rstest_reuse::apply;

use super::{Storage, every_storage, user};
use crate::server::BEGIN;

const LIMITS: Limits = Limits {
    idle: 100,
    absolute: 1000,
    admin_idle: 10,
    admin_absolute: 50,
    kept: 5000,
    device_idle: 200,
    device_absolute: 2000,
};

fn session(digest: &str, user: &User) -> Session {
    Session {
        digest: digest.into(),
        user_id: user.id.clone(),
        created_at: BEGIN,
        used_at: BEGIN,
        console_used_at: BEGIN,
        confirmed_at: BEGIN,
        address: "192.0.2.7".to_owned(),
        agent: "A browser 🦊".to_owned(),
        door: Door::Handover,
        stay: Stay::Usual,
        messenger: Some("shop".into()),
        key_id: None,
    }
}

fn begin(storage: &Storage, digest: &str, user: &User) -> bool {
    storage.write(|db| {
        let Some(held) = users::hold(db, &user.id)?.filter(|held| !held.disabled) else { return Ok(false) };
        sessions::insert(db, &held, &session(digest, user)).map(|()| true)
    })
}

fn is_live(storage: &Storage, digest: &str, after: i64) -> bool {
    storage.read(|db| sessions::live(db, &digest.into(), BEGIN + after, &LIMITS)).is_some()
}

#[apply(every_storage)]
fn a_session_comes_back_with_its_user(storage: &Storage) {
    let ana = storage.user("ana", &[("email", "ana@example.com"), ("plan", "gold")]);
    assert!(begin(storage, "d1", &ana));
    let found = storage.read(|db| sessions::live(db, &"d1".into(), BEGIN, &LIMITS));
    let Session { created_at, used_at, console_used_at, confirmed_at, stay, messenger, .. } =
        session("d1", &ana);
    let live = Live { created_at, used_at, console_used_at, confirmed_at, stay, messenger };
    assert_eq!(found, Some((live, ana.clone())));
    assert_eq!(storage.read(|db| sessions::of(db, &ana.id)), [session("d1", &ana)]);
    assert_eq!(storage.read(|db| sessions::live(db, &"d2".into(), BEGIN, &LIMITS)), None);
}

#[apply(every_storage)]
fn a_session_ends_without_use_and_however_busy(storage: &Storage) {
    let ana = storage.user("ana", &[]);
    begin(storage, "d", &ana);
    assert!(is_live(storage, "d", 99) && !is_live(storage, "d", 100));
    storage.write(|db| sessions::touch(db, &"d".into(), BEGIN + 950, false));
    assert!(is_live(storage, "d", 999) && !is_live(storage, "d", 1000));
}

#[apply(every_storage)]
fn a_session_from_the_future_ages_from_now_on(storage: &Storage) {
    let ana = storage.user("ana", &[]);
    begin(storage, "d", &ana);
    // The clock was set back by 700 s.
    storage.write(|db| sessions::touch(db, &"d".into(), BEGIN - 700, true));
    assert!(is_live(storage, "d", -601) && !is_live(storage, "d", -600), "without use");
    storage.write(|db| sessions::touch(db, &"d".into(), BEGIN + 250, false));
    assert!(
        is_live(storage, "d", 299) && !is_live(storage, "d", 300),
        "however busy, from where it was found"
    );

    begin(storage, "e", &ana);
    assert!(storage.write(|db| sessions::pull_back(db, BEGIN - 50)) > 0);
    assert!(is_live(storage, "e", 49) && !is_live(storage, "e", 50));
    assert_eq!(storage.write(|db| sessions::pull_back(db, BEGIN + 300)), 0, "what lies behind stays");
}

#[apply(every_storage)]
fn an_admin_s_session_ends_without_use_like_all_and_has_the_admins_absolute_limit(storage: &Storage) {
    let mut root = user("root", &[]);
    root.role = Role::Admin;
    storage.insert(&root, &Definitions::default());
    begin(storage, "d", &root);
    assert!(is_live(storage, "d", 49) && !is_live(storage, "d", 50));
}

#[apply(every_storage)]
fn a_disabled_user_has_no_session_and_gets_none(storage: &Storage) {
    let mut ana = storage.user("ana", &[]);
    begin(storage, "d", &ana);
    ana.disabled = true;
    storage.update(&ana);
    assert!(!is_live(storage, "d", 0));
    assert!(!begin(storage, "d2", &ana), "a new one is refused");
    assert!(!begin(storage, "d3", &user("nobody", &[])), "as for a user who is gone");
    assert_eq!(storage.number("SELECT COUNT(*) FROM sessions"), 1);
}

#[apply(every_storage)]
fn sessions_end_alone_together_or_with_their_user(storage: &Storage) {
    let (ana, bob) = (storage.user("ana", &[]), storage.user("bob", &[]));
    for digest in ["a1", "a2", "a3"] {
        begin(storage, digest, &ana);
    }
    begin(storage, "b1", &bob);
    assert_eq!(storage.write(|db| sessions::delete(db, &"a1".into())), Some(ana.id.clone()));
    assert_eq!(storage.write(|db| sessions::delete(db, &"a1".into())), None, "once");
    assert_eq!(storage.write(|db| sessions::delete_all(db, &ana.id, Some(&"a3".into()))), 1);
    assert!(is_live(storage, "a3", 0) && is_live(storage, "b1", 0));
    assert_eq!(storage.write(|db| sessions::delete_all(db, &ana.id, None)), 1);
    storage.write(|db| {
        let bob = users::hold(db, &bob.id)?.expect("a user");
        users::delete(db, bob)
    });
    assert_eq!(storage.number("SELECT COUNT(*) FROM sessions"), 0);
}

#[apply(every_storage)]
fn the_sweep_takes_what_no_limit_lets_live(storage: &Storage) {
    let ana = storage.user("ana", &[]);
    for (digest, created_at, used_at, stay) in [
        ("old", 0, 950, Stay::Usual),
        ("idle", 400, 400, Stay::Usual),
        ("live", 400, 950, Stay::Usual),
        ("kept", 400, 400, Stay::Kept),
        ("kept too long", -4000, 950, Stay::Kept),
    ] {
        let session = Session { created_at, used_at, stay, ..session(digest, &ana) };
        storage.write(|db| {
            let ana = users::hold(db, &ana.id)?.expect("a user");
            sessions::insert(db, &ana, &session)
        });
    }
    assert_eq!(storage.write(|db| sessions::sweep(db, 1001, &LIMITS)), 3);
    assert_eq!(storage.texts("SELECT digest FROM sessions ORDER BY digest"), ["kept", "live"]);
}
