//! SQL on a connection to SQLite.

use std::borrow::Cow;

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, ErrorCode, ffi};

use crate::store::{Error, Row, Sql, Value};

pub(super) struct Executor<'a> {
    connection: &'a Connection,
    pub(super) statements: usize,
}

impl<'a> Executor<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, statements: 0 }
    }

    fn prepare(&mut self, sql: &str) -> Result<CachedStatement<'a>, Error> {
        self.statements += 1;
        self.connection.prepare_cached(sql).map_err(classify)
    }
}

impl Sql for Executor<'_> {
    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, Error> {
        let mut statement = self.prepare(sql)?;
        bind(&mut statement, args)?;
        Ok(statement.raw_execute().map_err(classify)? as u64)
    }

    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, Error> {
        let mut statement = self.prepare(sql)?;
        bind(&mut statement, args)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut answer = Vec::new();
        while let Some(row) = rows.next().map_err(classify)? {
            let mut read = Row::with_capacity(columns);
            for column in 0..columns {
                match row.get_ref(column).map_err(classify)? {
                    ValueRef::Integer(value) => read.push_int(Some(value)),
                    ValueRef::Text(bytes) => read.push_text(&String::from_utf8_lossy(bytes)),
                    ValueRef::Null => read.push_int(None),
                    // A number beyond 64 bits, which SQLite turns into a floating-point number.
                    other => {
                        let kind = other.data_type();
                        let error = rusqlite::Error::InvalidColumnType(column, sql.to_owned(), kind);
                        return Err(classify(error));
                    }
                }
            }
            answer.push(read);
        }
        Ok(answer)
    }

    fn hold(&mut self, _: &str, sql: &str, args: &[Value]) -> Result<Vec<Row>, Error> {
        self.query(sql, args)
    }

    fn batch(&mut self, script: &str) -> Result<(), Error> {
        self.connection.execute_batch(script).map_err(classify)
    }

    fn lock_schema(&mut self) -> Result<(), Error> {
        // BEGIN IMMEDIATE holds the only write lock.
        Ok(())
    }
}

/// The names of the first parameters.
const NAMES: [&str; 8] = ["$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8"];

/// SQLite numbers `$1`, `$2` … by first appearance, so they are bound by name.
fn bind(statement: &mut CachedStatement<'_>, args: &[Value]) -> Result<(), Error> {
    if statement.parameter_count() > args.len() {
        // SQLite would use NULL for a missing value.
        return Err(Error::Failed(format!("the statement has more than {} parameters", args.len()).into()));
    }
    for (position, value) in args.iter().enumerate() {
        let name = NAMES
            .get(position)
            .map_or_else(|| format!("${}", position + 1).into(), |name| Cow::Borrowed(*name));
        let Some(index) = statement.parameter_index(&name).map_err(classify)? else {
            return Err(Error::Failed(format!("the statement has no parameter {name}").into()));
        };
        match value {
            Value::Null => statement.raw_bind_parameter(index, rusqlite::types::Null),
            Value::Int(value) => statement.raw_bind_parameter(index, value),
            Value::Text(value) => statement.raw_bind_parameter(index, value),
        }
        .map_err(classify)?;
    }
    Ok(())
}

pub(super) fn classify(error: rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(failure, message) = &error else {
        return Error::Failed(error.into());
    };
    match failure.code {
        ErrorCode::ConstraintViolation
            if matches!(
                failure.extended_code,
                ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            ) =>
        {
            // "UNIQUE constraint failed: users.login" or "…: mappings.messenger_id, mappings.version"
            let columns = message.as_deref().and_then(|text| text.rsplit(": ").next());
            let first = columns.and_then(|columns| columns.split(',').next());
            Error::Conflict(first.unwrap_or("a value").to_owned())
        }
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::CannotOpen
        | ErrorCode::ReadOnly
        | ErrorCode::SystemIoFailure
        | ErrorCode::OutOfMemory => Error::Unavailable(error.into()),
        _ => Error::Failed(error.into()),
    }
}
