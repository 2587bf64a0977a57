//! The SQLite executor: one writer behind a fair lock, readers of their own, write-ahead log.

use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::{FairMutex, Mutex};
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags, ffi};

use super::{Error, Row, Sql, Value};

/// How long a write waits for the writer, or for another process that holds the file.
const PATIENCE: Duration = Duration::from_secs(4);
/// Readers kept open between uses.
const IDLE_READERS: usize = 16;
/// Prepared statements kept for each connection.
const STATEMENTS: usize = 128;

pub(super) struct Database {
    path: PathBuf,
    // Fair, so that a stream of sign-ins cannot starve an import, nor the other way round.
    writer: FairMutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl Database {
    /// Opens or creates the file; its folder is created, the file gets mode 600.
    pub(super) fn open(path: &str) -> Result<Self, Error> {
        let path = PathBuf::from(path);
        create_private(&path)?;
        let writer = connect(&path).map_err(|error| explain(&path, error))?;
        writer
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
            .map_err(|error| explain(&path, error))?;
        Ok(Self { path, writer: FairMutex::new(writer), readers: Mutex::default() })
    }

    pub(super) fn read<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = self.readers.lock().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => connect(&self.path).map_err(classify)?,
        };
        let answer = work(&mut Executor(&reader));
        let mut readers = self.readers.lock();
        if readers.len() < IDLE_READERS {
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
            db.execute("ROLLBACK", &[])?;
            answer
        })
    }

    pub(super) fn write<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, E>,
    ) -> Result<T, E> {
        let Some(writer) = self.writer.try_lock_for(PATIENCE) else {
            return Err(Error::Unavailable("the writer is busy".into()).into());
        };
        let mut db = Executor(&writer);
        db.execute("BEGIN IMMEDIATE", &[])?;
        // A panic in `work` must not leave the transaction to the next writer.
        let undo = Undo(&writer);
        let answer = work(&mut db)?;
        db.execute("COMMIT", &[])?;
        std::mem::forget(undo);
        Ok(answer)
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

fn create_private(path: &Path) -> Result<(), Error> {
    let unusable = |what: &str, error: std::io::Error| {
        Error::Unusable(format!("The database file {} {what}: {error}.", path.display()))
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| unusable("has no folder", error))?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unusable("cannot be created", error)),
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Without it rusqlite's cached statements are prepared anew on every call of a join
    // (shared measurements: 45 µs instead of 2.7).
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

struct Executor<'a>(&'a Connection);

impl<'a> Executor<'a> {
    fn prepare(&self, sql: &str) -> Result<CachedStatement<'a>, Error> {
        self.0.prepare_cached(sql).map_err(classify)
    }
}

impl Sql for Executor<'_> {
    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, Error> {
        let mut statement = self.prepare(sql)?;
        bind(&mut statement, args)?;
        Ok(statement.raw_execute().map_err(classify)? as u64)
    }

    fn execute_all(&mut self, sql: &str, rows: &[Vec<Value>]) -> Result<u64, Error> {
        let mut statement = self.prepare(sql)?;
        let mut touched = 0;
        for row in rows {
            bind(&mut statement, row)?;
            touched += statement.raw_execute().map_err(classify)? as u64;
        }
        Ok(touched)
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
                        _ => Value::Null,
                    })
                })
                .collect();
            answer.push(Row(values.map_err(classify)?));
        }
        Ok(answer)
    }

    fn batch(&mut self, script: &str) -> Result<(), Error> {
        self.0.execute_batch(script).map_err(classify)
    }

    fn lock_schema(&mut self) -> Result<(), Error> {
        // BEGIN IMMEDIATE holds the only write lock there is.
        Ok(())
    }
}

/// SQLite numbers `$1`, `$2` … by first appearance, so they are bound by name.
fn bind(statement: &mut CachedStatement<'_>, args: &[Value]) -> Result<(), Error> {
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

fn classify(error: rusqlite::Error) -> Error {
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
        | ErrorCode::SystemIoFailure
        | ErrorCode::OutOfMemory => Error::Unavailable(error.into()),
        _ => Error::Failed(error.into()),
    }
}

/// Names the file in what stops a start.
fn explain(path: &Path, error: rusqlite::Error) -> Error {
    let what = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            "is no SQLite database. Point COUNTERSIGN_DATABASE_URL to another file, or restore a backup"
        }
        Some(ErrorCode::DatabaseCorrupt) => "is damaged. Restore a backup",
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "cannot be written. Check that this user owns the file and its folder"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => return classify(error),
        _ => return Error::Unusable(format!("The database file {}: {error}.", path.display())),
    };
    Error::Unusable(format!("The database file {} {what} ({error}).", path.display()))
}
