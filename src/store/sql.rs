//! The interface that both databases offer to the rest of the store: a few calls over one SQL dialect,
//! and the values that cross it. It contains no SQL of its own.

use super::Error;
use crate::core::id::{MessengerId, SessionDigest, UserId};

/// A value in a statement or a row. There are no others: see `migrations/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// SQL's NULL.
    Null,
    /// A BIGINT: numbers, unix seconds, 0 and 1.
    Int(i64),
    /// A `TEXT` value without NUL characters.
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<&UserId> for Value {
    fn from(id: &UserId) -> Self {
        id.as_str().into()
    }
}

impl From<&SessionDigest> for Value {
    fn from(digest: &SessionDigest) -> Self {
        digest.as_str().into()
    }
}

impl From<&MessengerId> for Value {
    fn from(id: &MessengerId) -> Self {
        id.as_str().into()
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The value of a column that is empty if there is none.
pub fn empty_for_none<T: AsRef<str>>(value: Option<&T>) -> &str {
    value.map_or("", AsRef::as_ref)
}

/// The arguments of a statement, each turned into a [`Value`]: `args![id, now]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::store::Value::from($value)),*] };
}

/// One row of a result, read by position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// The number in a column that is never NULL.
    pub fn int(&self, column: usize) -> Result<i64, Error> {
        self.opt_int(column)?.ok_or_else(|| self.unexpected(column, "a number"))
    }

    /// The number in a column, or `None` for NULL.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, Error> {
        match self.0.get(column) {
            Some(Value::Int(value)) => Ok(Some(*value)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.unexpected(column, "a number")),
        }
    }

    /// Whether a 0/1 column is 1.
    pub fn flag(&self, column: usize) -> Result<bool, Error> {
        Ok(self.int(column)? != 0)
    }

    /// The string in a column that is never NULL.
    pub fn text(&self, column: usize) -> Result<String, Error> {
        self.opt_text(column)?.ok_or_else(|| self.unexpected(column, "a string"))
    }

    /// The string in a column that is never NULL, converted to the type that it represents.
    pub fn text_as<T: From<String>>(&self, column: usize) -> Result<T, Error> {
        self.text(column).map(T::from)
    }

    /// The same for a column that is empty if there is no value.
    pub fn unless_empty<T: From<String>>(&self, column: usize) -> Result<Option<T>, Error> {
        let text = self.text(column)?;
        Ok((!text.is_empty()).then(|| T::from(text)))
    }

    /// The string in a column, or `None` for NULL.
    pub fn opt_text(&self, column: usize) -> Result<Option<String>, Error> {
        match self.0.get(column) {
            Some(Value::Text(value)) => Ok(Some(value.clone())),
            Some(Value::Null) => Ok(None),
            _ => Err(self.unexpected(column, "a string")),
        }
    }

    fn unexpected(&self, column: usize, wanted: &str) -> Error {
        let found = match self.0.get(column) {
            None => "no such column",
            Some(Value::Null) => "NULL",
            Some(Value::Int(_)) => "a number",
            Some(Value::Text(_)) => "a string",
        };
        Error::Failed(format!("column {column}: expected {wanted}, found {found}").into())
    }
}

/// The maximum number of rows that one statement adds.
const AT_ONCE: usize = 100;

/// A connection to either database. Statements number their parameters `$1`, `$2` …
pub trait Sql {
    /// Runs a statement and returns how many rows it touched.
    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, Error>;

    /// Runs a statement that returns rows.
    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, Error>;

    /// Runs a SELECT over one table and holds the rows it returns, as they are now, until the end of the
    /// transaction: no other transaction writes them before that. SQLite's write transaction already
    /// holds everything; for PostgreSQL `FOR NO KEY UPDATE` is added. These are the only words that only
    /// one of the databases receives (an UPDATE to the same values would work for both, but would write
    /// every row that is read).
    fn hold(&mut self, table: &str, sql: &str, args: &[Value]) -> Result<Vec<Row>, Error>;

    /// Runs a script without parameters: migrations.
    fn batch(&mut self, script: &str) -> Result<(), Error>;

    /// Waits until no other instance changes the schema; held until the end of the transaction.
    fn lock_schema(&mut self) -> Result<(), Error>;

    /// Adds many rows with few statements: `INSERT INTO table (columns)`, and what follows the values,
    /// such as `ON CONFLICT …`. Returns how many rows were written.
    fn insert_all(&mut self, into: &str, conflict: &str, rows: &[Vec<Value>]) -> Result<u64, Error> {
        let mut written = 0;
        for rows in rows.chunks(AT_ONCE) {
            let mut number = 0;
            let mut place = |_: &Value| {
                number += 1;
                format!("${number}")
            };
            let places =
                |row: &Vec<Value>| format!("({})", row.iter().map(&mut place).collect::<Vec<_>>().join(", "));
            let values = rows.iter().map(places).collect::<Vec<_>>().join(", ");
            written += self.execute(&format!("{into} VALUES {values} {conflict}"), &rows.concat())?;
        }
        Ok(written)
    }

    /// The first row of a result, or `None`.
    fn query_one(&mut self, sql: &str, args: &[Value]) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, args)?.into_iter().next())
    }
}
