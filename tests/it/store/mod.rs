//! The conformance suite: what every database must do alike. Each test runs on SQLite and on
//! PostgreSQL by `every_storage`, so neither can have one more than the other.

mod compare;
mod conflicts;
mod files;
mod migrations;
mod races;
mod records;
mod sessions;
mod transactions;
mod users;
mod values;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign::app::{App, AppError};
use countersign::config::{self, Settings, Source};
use countersign::core::attribute::Definitions;
use countersign::core::user::{Login, Role, User};
use countersign::store::{self, Error, Row, Sql, Store, Tx, Value};
use rstest_reuse::template;

use crate::postgres;
use crate::server::{BEGIN, KEY, Place};

/// Runs a test on SQLite and on PostgreSQL.
#[template]
#[rstest::rstest]
#[case::on_sqlite(&crate::store::Storage::new(crate::server::Place::Sqlite))]
#[case::on_postgres(&crate::store::Storage::new(crate::server::Place::Postgres))]
pub fn every_storage(#[case] storage: &Storage) {}

/// A database of the test's own, migrated and otherwise empty.
pub struct Storage {
    pub store: Store,
    pub url: String,
    _folder: tempfile::TempDir,
}

impl Storage {
    pub fn new(place: Place) -> Self {
        let (url, folder) = empty(place);
        let store = Store::open(&url).expect("the database opens");
        store.migrate().expect("it is migrated");
        Self { store, url, _folder: folder }
    }

    /// The same database, opened once more as another instance would.
    pub fn another(&self) -> Store {
        Store::open(&self.url).expect("the database opens again")
    }

    /// The product on this database; each call is an instance of its own.
    pub fn app(&self) -> App {
        open(&self.url, MASTER_KEY).expect("the product opens")
    }

    /// The product with a monotonic clock that the test moves: its seconds.
    pub fn app_with_seconds(&self) -> (App, Arc<AtomicU64>) {
        let seconds = Arc::new(AtomicU64::new(0));
        let moved = seconds.clone();
        let settings = settings(&self.url, MASTER_KEY);
        let monotonic = Arc::new(move || std::time::Duration::from_secs(moved.load(Ordering::SeqCst)));
        (App::open_with(settings, Arc::new(|| BEGIN), monotonic).expect("the product opens"), seconds)
    }

    /// Writes in one transaction that must succeed.
    pub fn write<T>(&self, work: impl FnMut(&mut Tx<'_>) -> Result<T, Error>) -> T {
        self.store.write(BEGIN, work).expect("it is written")
    }

    /// Adds a user as it is, without the rules of use cases.
    pub fn insert(&self, user: &User, definitions: &Definitions) {
        self.try_insert(user, definitions).expect("the user is added");
    }

    /// The same, or why not.
    pub fn try_insert(&self, user: &User, definitions: &Definitions) -> Result<(), Error> {
        self.store.write(BEGIN, |tx| {
            tx.lock_bulk()?;
            store::users::insert(tx, user, definitions).map(drop)
        })
    }

    /// Writes a user over the one with the same id, without the rules of use cases.
    pub fn update(&self, user: &User) {
        self.try_update(user).expect("the user is written");
    }

    /// The same, or why not.
    pub fn try_update(&self, user: &User) -> Result<(), Error> {
        self.store.write(BEGIN, |tx| {
            let mut held = store::users::hold(tx, &user.id)?.expect("the user is there");
            store::users::update(tx, &mut held, user, &Definitions::default())
        })
    }

    /// Reads what must be readable.
    pub fn read<T>(&self, work: impl FnOnce(&mut dyn Sql) -> Result<T, Error>) -> T {
        self.store.read(work).expect("it is read")
    }

    /// The rows of a query.
    pub fn rows(&self, sql: &str, args: &[Value]) -> Vec<Row> {
        self.read(|db| db.query(sql, args))
    }

    /// The number that a query answers.
    pub fn number(&self, sql: &str) -> i64 {
        self.rows(sql, &[])[0].int(0).expect("a number")
    }

    /// The texts that a query answers.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        self.rows(sql, &[]).iter().map(|row| row.text(0).expect("a text")).collect()
    }

    /// Adds a user with attributes, without the rules of use cases.
    pub fn user(&self, login: &str, attributes: &[(&str, &str)]) -> User {
        let user = user(login, attributes);
        self.insert(&user, &Definitions::default());
        user
    }
}

/// The master key of the suite.
pub const MASTER_KEY: &str = "5a175a175a175a175a175a175a175a175a175a175a175a175a175a175a175a17";

/// The URL of a database without a schema, and the folder that holds it on SQLite.
pub fn empty(place: Place) -> (String, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = match place {
        Place::Postgres => postgres::shared().database(),
        _ => format!("sqlite:{}", folder.path().join("test.db").display()),
    };
    (url, folder)
}

/// Opens the product; an empty `master_key` is not set at all.
pub fn open(url: &str, master_key: &str) -> Result<App, AppError> {
    App::open(settings(url, master_key), Arc::new(|| BEGIN))
}

fn settings(url: &str, master_key: &str) -> Settings {
    let source = Source::default().with("database_url", url).with("signing_key", KEY);
    let source = if master_key.is_empty() { source } else { source.with("master_key", master_key) };
    config::check(&source).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// A user who is nowhere yet; the id is made of the login.
pub fn user(login: &str, attributes: &[(&str, &str)]) -> User {
    let parsed = Login::parse(login).expect("a login");
    let mut user = User::new(format!("id-{login}").into(), parsed, Role::User, BEGIN);
    for (name, value) in attributes {
        user.attributes.set((*name).to_owned(), *value);
    }
    user
}

/// Runs all at the same moment, each on a thread of its own, and answers what each answered.
pub fn at_once<T: Send>(work: impl IntoIterator<Item = impl FnOnce() -> T + Send>) -> Vec<T> {
    let work: Vec<_> = work.into_iter().collect();
    let gate = std::sync::Barrier::new(work.len());
    std::thread::scope(|scope| {
        let threads: Vec<_> = work
            .into_iter()
            .map(|work| {
                let gate = &gate;
                scope.spawn(move || {
                    gate.wait();
                    work()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    })
}
