//! A write transaction: statements, what they changed, and the one order in which rows are locked.
//!
//! Two transactions that lock the same rows in different orders wait for each other on PostgreSQL. So
//! there is one order for all of them, and in builds with debug assertions every statement is checked
//! against it: a use case that locks rows in another order fails in its first test, not under load.

use super::{ChangeKind, Error, Row, Sql, Value};
use crate::core::id::UserId;

/// The lock for transactions that write many users, or add one: its holder may lock users in any order.
pub(super) const BULK: &str = "bulk";

/// Tables whose rows a transaction locks, in the order in which it may lock them. Tables that rows are
/// only ever added to, and tables that one transaction at a time reaches through another row, are not
/// listed.
const ORDER: [&str; 17] = [
    "locks",
    "attempts",
    "handovers",
    "users",
    "people",
    "api_keys",
    "sessions",
    "devices",
    "messengers",
    "mappings",
    "desks",
    "alerts",
    "runs",
    "jobs",
    "drafts",
    "instances",
    "change_counter",
];

/// A write transaction. Listeners learn what it changed after the commit.
pub struct Tx<'a> {
    sql: &'a mut dyn Sql,
    pub(super) changed: Vec<(ChangeKind, String)>,
    /// A statement failed: the transaction can only be rolled back.
    pub(super) failed: bool,
    /// The database rolled it back in favour of another one: it may be tried again.
    pub(super) undone: bool,
    /// The place in [`ORDER`] of the last table whose rows were locked.
    reached: usize,
    /// Whether it has the lock [`BULK`].
    bulk: bool,
    /// The last user that was held.
    held: Option<UserId>,
}

impl<'a> Tx<'a> {
    pub(super) fn new(sql: &'a mut dyn Sql) -> Self {
        Self { sql, changed: Vec::new(), failed: false, undone: false, reached: 0, bulk: false, held: None }
    }

    /// Notes that tokens or sessions of `subject` may have changed (see [`super::changes`]).
    pub fn changed(&mut self, kind: ChangeKind, subject: impl AsRef<str>) {
        self.changed.push((kind, subject.as_ref().to_owned()));
    }

    /// Takes the lock for transactions that write many users, hold several, or add one. The first
    /// statement.
    pub fn lock_bulk(&mut self) -> Result<(), Error> {
        if !self.bulk {
            super::lock(self, BULK)?;
            self.bulk = true;
        }
        Ok(())
    }

    /// Whether it has that lock.
    pub fn has_bulk(&self) -> bool {
        self.bulk
    }

    /// Notes that a user's row is locked: of two users, the one with the lower ID first.
    pub(super) fn take_user(&mut self, id: &UserId) -> Result<(), Error> {
        if let Some(held) =
            self.held.as_ref().filter(|held| cfg!(debug_assertions) && !self.bulk && *held > id)
        {
            return Err(Error::Failed(format!("user {id} is locked after user {held}").into()));
        }
        self.held = Some(id.clone());
        Ok(())
    }

    /// Makes sure that a statement locks rows in the common order.
    fn take(&mut self, sql: &str) -> Result<(), Error> {
        if cfg!(debug_assertions) && sql.starts_with("INSERT INTO users ") && !self.bulk {
            return Err(Error::Failed("a user is added without the lock for adding users".into()));
        }
        taken(sql).map_or(Ok(()), |table| self.take_rows(table))
    }

    fn take_rows(&mut self, table: &str) -> Result<(), Error> {
        let place = ORDER.iter().position(|known| *known == table);
        let Some(place) = place.filter(|_| cfg!(debug_assertions)) else { return Ok(()) };
        if place < self.reached {
            let text = format!("rows of {} are locked after rows of {}", ORDER[place], ORDER[self.reached]);
            return Err(Error::Failed(text.into()));
        }
        self.reached = place;
        Ok(())
    }

    fn note<T>(&mut self, answer: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &answer {
            self.failed = true;
            self.undone |= matches!(error, Error::Undone(_));
        }
        answer
    }
}

/// The table whose rows a statement locks. Users are written only by the transaction that holds them, so
/// their rows are locked only by [`Sql::hold`].
fn taken(sql: &str) -> Option<&str> {
    let sql = sql.trim_start();
    let rest = sql.strip_prefix("UPDATE ").or_else(|| sql.strip_prefix("DELETE FROM ")).or_else(|| {
        let rest = sql.strip_prefix("INSERT INTO ")?;
        sql.contains("DO UPDATE").then_some(rest)
    })?;
    rest.split_whitespace().next().filter(|table| *table != "users")
}

impl Sql for Tx<'_> {
    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, Error> {
        self.take(sql)?;
        let answer = self.sql.execute(sql, args);
        self.note(answer)
    }
    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, Error> {
        self.take(sql)?;
        let answer = self.sql.query(sql, args);
        self.note(answer)
    }
    fn hold(&mut self, table: &str, sql: &str, args: &[Value]) -> Result<Vec<Row>, Error> {
        self.take_rows(table)?;
        let answer = self.sql.hold(table, sql, args);
        self.note(answer)
    }
    fn batch(&mut self, script: &str) -> Result<(), Error> {
        let answer = self.sql.batch(script);
        self.note(answer)
    }
    fn lock_schema(&mut self) -> Result<(), Error> {
        self.sql.lock_schema()
    }
}
