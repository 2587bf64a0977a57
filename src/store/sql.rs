//! The interface that both databases offer to the rest of the store: a few calls over one SQL dialect,
//! and the values that cross it. It contains no SQL of its own.

use prometheus::IntCounter;

use super::Error;
use crate::core::id::{DeskId, MessengerId, SessionDigest, UserId};

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

impl From<&DeskId> for Value {
    fn from(id: &DeskId) -> Self {
        id.as_str().into()
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

/// One row of a result, read by position. All its strings are in one piece of memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    cells: Vec<Cell>,
    text: String,
}

/// A value in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Null,
    Int(i64),
    /// Where it begins and ends in the text of the row.
    Text(usize, usize),
}

impl Row {
    /// A row with room for this many columns.
    pub(super) fn with_capacity(columns: usize) -> Self {
        Self { cells: Vec::with_capacity(columns), text: String::with_capacity(columns * 16) }
    }

    /// Adds a number, or NULL.
    pub(super) fn push_int(&mut self, value: Option<i64>) {
        self.cells.push(value.map_or(Cell::Null, Cell::Int));
    }

    /// Adds a string.
    pub(super) fn push_text(&mut self, value: &str) {
        let begin = self.text.len();
        self.text.push_str(value);
        self.cells.push(Cell::Text(begin, self.text.len()));
    }

    /// The number in a column that is never NULL.
    pub fn int(&self, column: usize) -> Result<i64, Error> {
        self.opt_int(column)?.ok_or_else(|| self.unexpected(column, "a number"))
    }

    /// The number in a column, or `None` for NULL.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, Error> {
        match self.cells.get(column) {
            Some(Cell::Int(value)) => Ok(Some(*value)),
            Some(Cell::Null) => Ok(None),
            _ => Err(self.unexpected(column, "a number")),
        }
    }

    /// Whether a 0/1 column is 1.
    pub fn flag(&self, column: usize) -> Result<bool, Error> {
        Ok(self.int(column)? != 0)
    }

    /// The string in a column that is never NULL.
    pub fn str(&self, column: usize) -> Result<&str, Error> {
        self.opt_str(column)?.ok_or_else(|| self.unexpected(column, "a string"))
    }

    /// A copy of the string.
    pub fn text(&self, column: usize) -> Result<String, Error> {
        self.str(column).map(str::to_owned)
    }

    /// The string in a column that is never NULL, converted to the type that it represents.
    pub fn text_as<T: From<String>>(&self, column: usize) -> Result<T, Error> {
        self.text(column).map(T::from)
    }

    /// The same for a column that is empty if there is no value.
    pub fn unless_empty<T: From<String>>(&self, column: usize) -> Result<Option<T>, Error> {
        let text = self.str(column)?;
        Ok((!text.is_empty()).then(|| T::from(text.to_owned())))
    }

    /// The string in a column, or `None` for NULL.
    pub fn opt_str(&self, column: usize) -> Result<Option<&str>, Error> {
        match self.cells.get(column) {
            Some(Cell::Text(begin, end)) => Ok(Some(&self.text[*begin..*end])),
            Some(Cell::Null) => Ok(None),
            _ => Err(self.unexpected(column, "a string")),
        }
    }

    /// A copy of the string.
    pub fn opt_text(&self, column: usize) -> Result<Option<String>, Error> {
        Ok(self.opt_str(column)?.map(str::to_owned))
    }

    fn unexpected(&self, column: usize, wanted: &str) -> Error {
        let found = match self.cells.get(column) {
            None => "no such column",
            Some(Cell::Null) => "NULL",
            Some(Cell::Int(_)) => "a number",
            Some(Cell::Text(..)) => "a string",
        };
        Error::Failed(format!("column {column}: expected {wanted}, found {found}").into())
    }
}

/// A row as tests write it.
impl From<Vec<Value>> for Row {
    fn from(values: Vec<Value>) -> Self {
        let mut row = Self::with_capacity(values.len());
        for value in values {
            match value {
                Value::Null => row.push_int(None),
                Value::Int(value) => row.push_int(Some(value)),
                Value::Text(value) => row.push_text(&value),
            }
        }
        row
    }
}

/// A connection whose statements are counted.
pub(super) struct Counted<'a> {
    pub db: &'a mut dyn Sql,
    pub statements: &'a IntCounter,
}

impl Counted<'_> {
    fn next(&mut self) -> &mut dyn Sql {
        self.statements.inc();
        self.db
    }
}

impl Sql for Counted<'_> {
    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, Error> {
        self.next().execute(sql, args)
    }

    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, Error> {
        self.next().query(sql, args)
    }

    fn hold(&mut self, table: &str, sql: &str, args: &[Value]) -> Result<Vec<Row>, Error> {
        self.next().hold(table, sql, args)
    }

    fn batch(&mut self, script: &str) -> Result<(), Error> {
        self.next().batch(script)
    }

    fn lock_schema(&mut self) -> Result<(), Error> {
        self.next().lock_schema()
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
