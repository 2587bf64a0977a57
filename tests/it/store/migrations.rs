//! Schemas: brought up once however many start together, refused when they are too new, whole or
//! not at all. And the master key, which belongs to one database.

use countersign::app::AppError;
use countersign::args;
use countersign::store::{Error, SCHEMA_VERSION, Sql as _, Store, users};
use rstest_reuse::apply;

use super::{MASTER_KEY, Storage, at_once, empty, every_storage, open};
use crate::process::countersign;
use crate::server::{BEGIN, Place};

/// The sentence that refuses a start.
pub fn refusal<T>(opened: Result<T, AppError>) -> String {
    match opened {
        Err(AppError::Refused(text) | AppError::Store(Error::Unusable(text))) => text,
        Err(other) => panic!("it names no way out: {other:?}"),
        Ok(_) => panic!("it was opened"),
    }
}

fn set_schema(storage: &Storage, version: i64, min_reader: i64) {
    let sql = "UPDATE schema_info SET version = $1, min_reader = $2";
    assert_eq!(storage.write(|db| db.execute(sql, args![version, min_reader])), 1);
}

/// One schema, made once: a script that ran twice would have failed or left its rows twice.
fn is_made_once(url: &str) {
    let store = Store::open(url).expect("it opens");
    let numbers = |sql: &str| {
        store
            .read(|db| db.query(sql, &[]))
            .expect("it is read")
            .iter()
            .map(|row| row.int(0).expect("a number"))
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers("SELECT version FROM schema_info"), [SCHEMA_VERSION]);
    assert_eq!(numbers("SELECT COUNT(*) FROM locks"), [5]);
    assert_eq!(numbers("SELECT COUNT(*) FROM facts WHERE name = 'master_key'"), [1]);
}

fn five_start_at_once(place: Place) {
    for _ in 0..5 {
        let (url, _folder) = empty(place);
        let apps = at_once((0..5).map(|_| || open(&url, MASTER_KEY)));
        for (number, app) in apps.into_iter().enumerate() {
            let app = app.expect("each of the five opens");
            let login = format!("user{number}").parse_login();
            let caller = countersign::app::Caller::cli();
            app.add_user(&login, countersign::core::user::Role::User, &[], &caller).expect("and is usable");
        }
        is_made_once(&url);
    }
}

fn five_processes_start_at_once(place: Place) {
    let (url, _folder) = empty(place);
    let processes: Vec<_> = (0..5)
        .map(|_| {
            countersign(&url)
                .env("COUNTERSIGN_MASTER_KEY", MASTER_KEY)
                .args(["user", "list"])
                .spawn()
                .expect("it starts")
        })
        .collect();
    for process in processes {
        let ended = process.wait_with_output().expect("it ends");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    is_made_once(&url);
}

trait ParseLogin {
    fn parse_login(&self) -> countersign::core::user::Login;
}

impl ParseLogin for String {
    fn parse_login(&self) -> countersign::core::user::Login {
        countersign::core::user::Login::parse(self).expect("a login")
    }
}

#[test]
fn five_instances_that_start_at_once_on_sqlite_make_one_schema() {
    five_start_at_once(Place::Sqlite);
}

#[test]
fn five_instances_that_start_at_once_on_postgres_make_one_schema() {
    five_start_at_once(Place::Postgres);
}

#[test]
fn five_processes_that_start_at_once_on_sqlite_make_one_schema() {
    five_processes_start_at_once(Place::Sqlite);
}

#[test]
fn five_processes_that_start_at_once_on_postgres_make_one_schema() {
    five_processes_start_at_once(Place::Postgres);
}

#[apply(every_storage)]
fn a_second_start_changes_nothing(storage: &Storage) {
    storage.user("ana", &[]);
    storage.another().migrate().expect("nothing to do");
    assert_eq!(storage.read(users::count), 1);
    assert_eq!(storage.number("SELECT COUNT(*) FROM schema_info"), 1);
}

#[apply(every_storage)]
fn a_schema_that_this_program_cannot_read_is_refused_with_what_to_do(storage: &Storage) {
    set_schema(storage, SCHEMA_VERSION + 5, SCHEMA_VERSION + 1);
    let text = refusal(open(&storage.url, MASTER_KEY));
    assert!(
        text.contains("newer Countersign") && text.contains(&format!("version {}", SCHEMA_VERSION + 5)),
        "{text}"
    );
    assert!(text.contains("Install the newer program") && text.contains("backup"), "{text}");
    if let Some(path) = storage.url.strip_prefix("sqlite:") {
        assert!(text.contains(path), "{text}");
    }
    assert_eq!(storage.number("SELECT version FROM schema_info"), SCHEMA_VERSION + 5, "left as it was");
}

#[apply(every_storage)]
fn a_newer_schema_that_this_program_can_read_is_used_as_it_is(storage: &Storage) {
    set_schema(storage, SCHEMA_VERSION + 5, SCHEMA_VERSION);
    storage.app();
    assert_eq!(storage.number("SELECT version FROM schema_info"), SCHEMA_VERSION + 5);
}

#[apply(every_storage)]
fn another_master_key_is_refused_and_the_right_one_goes_on(storage: &Storage) {
    storage.app();
    let other = MASTER_KEY.replace("5a17", "9c3e");
    let text = refusal(open(&storage.url, &other));
    assert!(text.contains("COUNTERSIGN_MASTER_KEY") && !text.contains("9c3e"), "{text}");
    storage.app();
}

fn a_migration_that_fails_leaves_nothing(place: Place) {
    let (url, _folder) = empty(place);
    let store = Store::open(&url).expect("it opens");
    // In the way of the script's last table.
    store.write(BEGIN, |tx| tx.batch("CREATE TABLE counts (n BIGINT)")).expect("it is made");
    store.migrate().expect_err("the table is there already");
    for table in ["schema_info", "users", "facts"] {
        let found = store.read(|db| db.query(&format!("SELECT * FROM {table}"), &[]));
        assert!(matches!(found, Err(Error::Failed(_))), "{table}: {found:?}");
    }
    store.write(BEGIN, |tx| tx.batch("DROP TABLE counts")).expect("it is dropped");
    store.migrate().expect("nothing is in the way any more");
}

#[test]
fn a_migration_that_fails_on_sqlite_leaves_nothing() {
    a_migration_that_fails_leaves_nothing(Place::Sqlite);
}

#[test]
fn a_migration_that_fails_on_postgres_leaves_nothing() {
    a_migration_that_fails_leaves_nothing(Place::Postgres);
}

#[test]
fn postgres_without_a_master_key_is_refused_with_how_to_make_one() {
    let (url, _folder) = empty(Place::Postgres);
    let text = refusal(open(&url, ""));
    assert!(text.contains("openssl rand -hex 32") && text.contains("COUNTERSIGN_MASTER_KEY"), "{text}");
}
