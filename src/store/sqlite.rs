//! The SQLite executor: one writer behind a fair lock, readers of their own, write-ahead log.

use std::path::PathBuf;
use std::time::Duration;

use parking_lot::{FairMutex, Mutex};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, ErrorCode, ffi};

use super::{Error, Row, Sql, Value, file};

/// How long a write waits for the writer of this process. Together with `file::BUSY` it stays below the
/// 6 s in which every request ends.
const QUEUE: Duration = Duration::from_secs(2);
/// What a long transaction leaves to other processes before the next: they cannot queue, so the
/// lock would go back to whoever let it go. Long is what has this many statements.
const BREATH: Duration = Duration::from_millis(10);
const LONG: usize = 200;
/// Readers kept open between uses.
const IDLE_READERS: usize = 16;

pub(super) struct Database {
    path: PathBuf,
    // Fair, so that a stream of sign-ins cannot starve an import, nor the other way round.
    writer: FairMutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl Database {
    /// Opens or creates the file; its folder is created, the file gets mode 600.
    pub(super) fn open(path: &str) -> Result<Self, Error> {
        let path = file::path(path)?;
        file::create_private(&path)?;
        file::judge(&path)?;
        let writer = file::open_for_writing(&path)?;
        Ok(Self { path, writer: FairMutex::new(writer), readers: Mutex::default() })
    }

    /// What to call the database in a message.
    pub(super) fn name(&self) -> String {
        file::name(&self.path)
    }

    pub(super) fn read<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = self.readers.lock().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => file::connect(&self.path).map_err(classify)?,
        };
        let answer = work(&mut Executor::new(&reader));
        let mut readers = self.readers.lock();
        // A transaction that could not be ended would show its moment to whoever comes next.
        if readers.len() < IDLE_READERS && reader.is_autocommit() {
            readers.push(reader);
        }
        answer
    }

    pub(super) fn snapshot<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, E>,
    ) -> Result<T, E> {
        self.read(|db| {
            db.execute("BEGIN", &[])?;
            let answer = work(db);
            let ended = db.execute("ROLLBACK", &[]);
            answer.and_then(|answer| ended.map(|_| answer).map_err(Into::into))
        })
    }

    pub(super) fn write<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, E>,
    ) -> Result<T, E> {
        let Some(writer) = self.writer.try_lock_for(QUEUE) else {
            return Err(Error::Unavailable("the writer is busy".into()).into());
        };
        let mut db = Executor::new(&writer);
        db.execute("BEGIN IMMEDIATE", &[])?;
        // A panic in `work` must not leave the transaction to the next writer.
        let undo = Undo(&writer);
        let answer = work(&mut db)?;
        db.execute("COMMIT", &[])?;
        std::mem::forget(undo);
        let was_long = db.statements > LONG;
        drop(writer);
        if was_long {
            std::thread::sleep(BREATH);
        }
        Ok(answer)
    }
}

impl Database {
    /// Writes without waiting. Whoever has the writer, here or in another process, is writing, so that is
    /// no failure.
    pub(super) fn try_write(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(mut writer) = self.writer.try_lock() else { return Ok(()) };
        writer.busy_timeout(Duration::ZERO).map_err(classify)?;
        let begun = writer.execute_batch("BEGIN IMMEDIATE");
        writer.busy_handler(Some(file::nap)).map_err(classify)?;
        match begun {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => return Ok(()),
            begun => begun.map_err(classify)?,
        }
        let _undo = Undo(&writer);
        let mut db = Executor::new(&writer);
        work(&mut db)?;
        db.execute("COMMIT", &[]).map(drop)
    }
}

/// Rolls back when dropped.
struct Undo<'a>(&'a Connection);

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        // A failed statement may have ended the transaction already; then there is nothing to do.
        if !self.0.is_autocommit()
            && let Err(error) = self.0.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a rollback failed");
        }
    }
}

pub(super) struct Executor<'a> {
    connection: &'a Connection,
    statements: usize,
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
            let values: rusqlite::Result<Vec<Value>> = (0..columns)
                .map(|column| {
                    Ok(match row.get_ref(column)? {
                        ValueRef::Integer(value) => Value::Int(value),
                        ValueRef::Text(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
                        ValueRef::Null => Value::Null,
                        // A number beyond 64 bits, which SQLite makes a fraction.
                        other => {
                            let kind = other.data_type();
                            return Err(rusqlite::Error::InvalidColumnType(column, sql.to_owned(), kind));
                        }
                    })
                })
                .collect();
            answer.push(Row(values.map_err(classify)?));
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
        // BEGIN IMMEDIATE holds the only write lock there is.
        Ok(())
    }
}

/// SQLite numbers `$1`, `$2` … by first appearance, so they are bound by name.
fn bind(statement: &mut CachedStatement<'_>, args: &[Value]) -> Result<(), Error> {
    if statement.parameter_count() > args.len() {
        // SQLite would take NULL for what is missing.
        return Err(Error::Failed(format!("the statement has more than {} parameters", args.len()).into()));
    }
    for (position, value) in args.iter().enumerate() {
        let name = format!("${}", position + 1);
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

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::args;
    use crate::store::{Store, sessions};

    /// Without QPSG this counts one for each call with another parameter.
    #[test]
    fn a_join_is_prepared_once_however_often_it_is_asked() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("test.db").display().to_string();
        Store::open(&format!("sqlite:{path}")).and_then(|store| store.migrate()).expect("a database");
        let database = Database::open(&path).expect("it opens");
        let sql = "SELECT u.login FROM sessions s JOIN users u ON u.id = s.user_id
                   WHERE s.digest = $1 AND s.created_at > $2";
        let prepared_again = database.read(|db| {
            for number in 0..50 {
                db.query(sql, args![number.to_string(), number])?;
                let limits = crate::core::session::Limits::default();
                sessions::live(db, &number.to_string(), number, &limits)?;
            }
            Ok::<_, Error>(())
        });
        prepared_again.expect("it is read");
        let reader = database.readers.lock().pop().expect("the reader that was used");
        let statement = reader.prepare_cached(sql).expect("it is prepared");
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
        assert_eq!(statement.get_status(StatementStatus::Run), 50, "it is the statement that ran");
    }
}
