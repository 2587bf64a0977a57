//! Storage, in SQLite or PostgreSQL: users, sessions, messengers, mappings, attempts, audit log. Every
//! statement is written once, in the subset that both databases understand, and runs through [`Sql`].
//! This module decides nothing: `app` and `core` decide what may be written.
//!
//! The API is synchronous. A transaction is a closure, so it can neither be forgotten nor left open;
//! callers on an asynchronous thread switch threads once for a whole use case.

// The two databases behind one API.
mod migrate;
mod postgres;
mod sql;
mod sqlite;
mod tls;
mod tx;

// Users, and how they sign in.
pub mod attempts;
pub mod attributes;
pub mod devices;
pub mod expected;
pub mod handovers;
pub mod sessions;
pub mod users;

// What tokens depend on.
pub mod drafts;
pub mod mappings;
pub mod messengers;
pub mod secrets;
pub mod signing_keys;

// The site's own server.
pub mod alerts;
pub mod api_keys;

// Users who are kept in Deskpro.
pub mod desks;
pub mod people;
pub mod runs;

// What happened, how often, and in which order.
pub mod audit;
pub mod catalogues;
pub mod changes;
pub mod counts;

// What servers share.
pub mod facts;
pub mod instances;
pub mod jobs;

use std::sync::{Arc, RwLock};

use prometheus::{Histogram, HistogramOpts, IntCounter};

use crate::core::id::UserId;

pub use changes::{Change, ChangeKind};
pub use migrate::VERSION as SCHEMA_VERSION;
use sql::Counted;
pub use sql::{Row, Sql, Value};
pub use tx::Tx;

/// What can go wrong below the use cases. The cause is for the log, never for a user.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A row with this unique value exists: `table.column`, as in `users.login`.
    #[error("{0} is taken")]
    Conflict(String),
    /// The database cannot be used at the moment: unreachable, locked, full, or too slow. Try again.
    #[error("the database does not answer")]
    Unavailable(#[source] Cause),
    /// The file or server exists, but this program cannot work with it; the message says what to do.
    #[error("{0}")]
    Unusable(String),
    /// The database rolled back the transaction, because it and another one waited for each other or saw
    /// different states. [`Store::write`] tries such a transaction once more.
    #[error("the database rolled back the transaction")]
    Undone(#[source] Cause),
    /// Anything else: an error in this program or in the data.
    #[error("the database refused a statement")]
    Failed(#[source] Cause),
}

/// The name under which the PostgreSQL driver logs.
pub const DRIVER: &str = "tokio_postgres";

/// The cause of an [`Error`].
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

type Listener = Box<dyn Fn(&[Change]) + Send + Sync>;

/// The database. Cheap to clone; shared by all threads.
#[derive(Clone)]
pub struct Store {
    backend: Arc<Backend>,
    listeners: Arc<RwLock<Vec<Listener>>>,
    /// How many statements ran, polls left out.
    statements: IntCounter,
    waits: Histogram,
}

enum Backend {
    Sqlite(sqlite::Database),
    Postgres(postgres::Database),
}

impl Store {
    /// Opens the database of a URL, `sqlite:PATH` or `postgres://…`, without touching its schema.
    pub fn open(url: &str) -> Result<Self, Error> {
        let waits = waits();
        let backend = if let Some(path) = url.strip_prefix("sqlite:") {
            Backend::Sqlite(sqlite::Database::open(path.strip_prefix("//").unwrap_or(path), waits.clone())?)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Backend::Postgres(postgres::Database::open(url, waits.clone())?)
        } else {
            return Err(Error::Unusable(
                "The database URL starts with neither 'sqlite:' nor 'postgres:'. Use for example \
                 sqlite:data/countersign.db or postgres://user@host/countersign."
                    .into(),
            ));
        };
        Ok(Self { backend: Arc::new(backend), listeners: Arc::default(), statements: statements(), waits })
    }

    /// The host of a database that is reached over a network and whose URL does not require TLS.
    pub fn host_without_tls(url: &str) -> Option<String> {
        tls::host_without_tls(url)
    }

    /// The version of the schema of a URL, without creating, changing or migrating anything; `None` if
    /// there is no database or no schema yet.
    pub fn peek(url: &str) -> Result<Option<i64>, Error> {
        let version = if let Some(path) = url.strip_prefix("sqlite:") {
            sqlite::peek(path.strip_prefix("//").unwrap_or(path))?
        } else {
            Self::open(url)?.read(|db| migrate::peek(db, "The database"))?
        };
        Ok((version > 0).then_some(version))
    }

    /// Updates the schema to this program's version, once, however many instances start together.
    pub fn migrate(&self) -> Result<(), Error> {
        match &*self.backend {
            Backend::Sqlite(database) => {
                let name = database.name();
                self.transaction(|tx| migrate::run(tx, &name)).map_err(|error| match error {
                    Error::Failed(cause) => Error::Unusable(format!("{name} cannot be used: {cause}.")),
                    error => error,
                })
            }
            Backend::Postgres(_) => self.transaction(|tx| migrate::run(tx, "The database")),
        }
    }

    /// Runs single statements that need not be consistent with each other.
    pub fn read<T, E: From<Error>>(&self, work: impl FnOnce(&mut dyn Sql) -> Result<T, E>) -> Result<T, E> {
        let work = |db: &mut dyn Sql| work(&mut self.counted(db));
        match &*self.backend {
            Backend::Sqlite(database) => database.read(work),
            Backend::Postgres(database) => database.read(work),
        }
    }

    /// The same without waiting: only on SQLite, and only if no other process has locked the file. `None`: use
    /// [`Store::read`].
    pub fn read_at_once<T>(&self, work: impl FnOnce(&mut dyn Sql) -> Result<T, Error>) -> Option<T> {
        let Backend::Sqlite(database) = &*self.backend else { return None };
        database.read_at_once(|db| work(&mut self.counted(db)))
    }

    /// The same for what must not wait for the connections of requests: one caller at a time.
    pub fn poll<T, E: From<Error>>(&self, work: impl FnOnce(&mut dyn Sql) -> Result<T, E>) -> Result<T, E> {
        match &*self.backend {
            // Reading never waits there.
            Backend::Sqlite(database) => database.read(work),
            Backend::Postgres(database) => database.poll(work),
        }
    }

    /// Runs reads that must be consistent: all see the same state.
    pub fn snapshot<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, E>,
    ) -> Result<T, E> {
        let work = |db: &mut dyn Sql| work(&mut self.counted(db));
        match &*self.backend {
            Backend::Sqlite(database) => database.snapshot(work),
            Backend::Postgres(database) => database.snapshot(work),
        }
    }

    /// Runs a write transaction at `now` (unix seconds): committed if `work` returns `Ok`, rolled back
    /// otherwise. The changes it noted with [`Tx::changed`] are numbered by its last statement and
    /// passed to the listeners after the commit, before this returns. `work` runs a second time if the
    /// database rolled back the first run in favour of another transaction, so it must keep nothing from
    /// the first run.
    pub fn write<T, E: From<Error>>(
        &self,
        now: i64,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (answer, changes) = match self.attempt(now, &mut work) {
            Err((_, true)) => self.attempt(now, &mut work),
            answered => answered,
        }
        .map_err(|(error, _)| error)?;
        if !changes.is_empty() {
            let listeners = self.listeners.read().expect("no listener panics");
            for listener in listeners.iter() {
                listener(&changes);
            }
        }
        Ok(answer)
    }

    /// One try of a write transaction; an error says whether the database rolled it back.
    fn attempt<T, E: From<Error>>(
        &self,
        now: i64,
        work: &mut impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<(T, Vec<Change>), (E, bool)> {
        let mut undone = false;
        let answered = self.transaction(|sql| {
            let mut tx = Tx::new(sql);
            let answer = work(&mut tx);
            undone = tx.undone;
            let answer = answer.map_err(Attempted::Work)?;
            if tx.failed {
                // PostgreSQL can only roll back such a transaction, but answers COMMIT as if it had not.
                return Err(Error::Failed("a statement failed and the transaction continued".into()).into());
            }
            let changed = std::mem::take(&mut tx.changed);
            Ok::<_, Attempted<E>>((answer, changes::number(&mut tx, now, changed)?))
        });
        answered.map_err(|error| match error {
            Attempted::Work(error) => (error, undone),
            Attempted::Store(error) => {
                let undone = undone || matches!(error, Error::Undone(_));
                (error.into(), undone)
            }
        })
    }

    /// Writes one row of its own, to find out whether the database can be written. It does not wait:
    /// while another transaction writes, the answer is yes.
    pub fn try_write(&self, now: i64) -> Result<(), Error> {
        let work = |db: &mut dyn Sql| facts::put(db, "written_at", &now.to_string());
        match &*self.backend {
            Backend::Sqlite(database) => database.try_write(work),
            Backend::Postgres(database) => database.write(work),
        }
    }

    /// The database's own clock (unix seconds), if it has one.
    pub fn clock(&self) -> Result<Option<i64>, Error> {
        match &*self.backend {
            Backend::Sqlite(_) => Ok(None),
            Backend::Postgres(database) => database.clock().map(Some),
        }
    }

    /// How many statements of readings and transactions ran since it was opened; polls are not counted.
    pub fn statements(&self) -> &IntCounter {
        &self.statements
    }

    fn counted<'a>(&'a self, db: &'a mut dyn Sql) -> Counted<'a> {
        Counted { db, statements: &self.statements }
    }

    /// How long work waited for a connection to PostgreSQL, or for the only writer of SQLite, in seconds.
    pub fn waits(&self) -> &Histogram {
        &self.waits
    }

    /// Calls `listener` after every commit of this process that changed something.
    pub fn on_change(&self, listener: impl Fn(&[Change]) + Send + Sync + 'static) {
        self.listeners.write().expect("no listener panics").push(Box::new(listener));
    }

    fn transaction<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, E>,
    ) -> Result<T, E> {
        let work = |db: &mut dyn Sql| work(&mut self.counted(db));
        match &*self.backend {
            Backend::Sqlite(database) => database.write(work),
            Backend::Postgres(database) => database.write(work),
        }
    }
}

fn statements() -> IntCounter {
    IntCounter::new("countersign_database_statements_total", "Statements of SQL").expect("a name and a help")
}

fn waits() -> Histogram {
    let help = "Time until there was a connection to PostgreSQL, or the only writer of SQLite was free";
    let options = HistogramOpts::new("countersign_database_wait_seconds", help);
    Histogram::with_opts(options.buckets(vec![0.0001, 0.001, 0.01, 0.1, 0.5, 1.0, 2.0]))
        .expect("a name and a help")
}

/// Why one try of a transaction failed.
enum Attempted<E> {
    Work(E),
    Store(Error),
}

impl<E> From<Error> for Attempted<E> {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// Serialises transactions that count and then write: this must be the first statement of each. `name`
/// is a row of the table `locks`.
pub fn lock(db: &mut dyn Sql, name: &str) -> Result<(), Error> {
    match db.execute("UPDATE locks SET n = n + 1 WHERE name = $1", crate::args![name])? {
        1 => Ok(()),
        _ => Err(Error::Failed(format!("there is no lock named {name}").into())),
    }
}

/// Ends rows of a user in a table of sessions or devices, the least recently used first, until `keep`
/// are left: the keys of those that ended. The user is held.
fn end_oldest<K: From<String>>(
    tx: &mut Tx<'_>,
    table: &str,
    key: &str,
    user_id: &UserId,
    keep: i64,
) -> Result<Vec<K>, Error> {
    let row =
        tx.query_one(&format!("SELECT COUNT(*) FROM {table} WHERE user_id = $1"), crate::args![user_id])?;
    let surplus = row.map_or(Ok(0), |row| row.int(0))? - keep;
    if surplus <= 0 {
        return Ok(Vec::new());
    }
    let sql = format!(
        "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE user_id = $1
         ORDER BY used_at, {key} LIMIT $2) RETURNING {key}"
    );
    tx.query(&sql, crate::args![user_id, surplus])?.iter().map(|row| row.text_as(0)).collect()
}
