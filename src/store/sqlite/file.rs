//! The file of a SQLite database: created, checked and opened. A file that is not a database of this
//! program, or is from a newer version, is refused before a byte in it or a file beside it is changed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::executor::{Executor, classify};
use crate::store::{Error, migrate};

/// How long a connection waits for another process that holds the file.
const BUSY: Duration = Duration::from_secs(3);
/// How often a process that waits for another one tries again. SQLite's own handler soon tries only ten
/// times a second, and rarely hits the moment between two transactions of an import.
const NAP: Duration = Duration::from_millis(2);
/// Prepared statements cached per connection.
const STATEMENTS: usize = 128;

/// The path in a URL, without `sqlite:`.
pub(super) fn path(text: &str) -> Result<PathBuf, Error> {
    if text.is_empty() || text.starts_with(':') || text.starts_with("file:") {
        return Err(Error::Unusable(
            "The database URL names no file. Use a path, such as sqlite:data/countersign.db.".into(),
        ));
    }
    Ok(PathBuf::from(text))
}

/// The version of the schema in a file that exists (0: it has no tables), after checking that this
/// program may use it. Changes nothing, and leaves no new file beside it.
pub(super) fn judge(path: &Path) -> Result<i64, Error> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if !std::fs::exists(PathBuf::from(log)).unwrap_or(false) {
        return look(path, Log::None);
    }
    match look(path, Log::OfNobody) {
        // Another process has the file open, and keeps log and index consistent.
        Err(Error::Unavailable(_)) => look(path, Log::InUse),
        judged => judged,
    }
}

/// The write-ahead log beside a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Log {
    /// There is none. If reading creates one, it is removed at the end.
    None,
    /// A program that was killed left it. It is read with an index in memory, and stays as it is.
    OfNobody,
    /// Other processes read and write it.
    InUse,
}

fn look(path: &Path, log: Log) -> Result<i64, Error> {
    let failed = |error| explain(path, error);
    let mut connection = open(path).map_err(failed)?;
    // SQLite is queried, because closing a file of our own would release SQLite's locks.
    if connection.is_readonly(rusqlite::MAIN_DB).map_err(failed)? {
        return Err(unwritable(path, "it is read-only"));
    }
    if log == Log::OfNobody {
        connection.busy_timeout(Duration::ZERO).map_err(failed)?;
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(failed)?;
    } else {
        connection.busy_handler(Some(nap)).map_err(failed)?;
    }
    if log != Log::None {
        // At the end, the log is not written into the file.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
    }
    let count = |condition: &str| {
        let sql = format!("SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'{condition}");
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(failed)
    };
    if count(" AND name = 'schema_info'")? == 1 {
        return migrate::version_of(&mut Executor::new(&connection), &name(path)).map_err(
            |error| match error {
                Error::Failed(cause) => {
                    Error::Unusable(format!("{} cannot be used: {cause}. Restore a backup.", name(path)))
                }
                error => error,
            },
        );
    }
    match count("")? {
        0 => Ok(0),
        _ => Err(Error::Unusable(format!(
            "{} is the database of another program. Point COUNTERSIGN_DATABASE_URL to a file of its own.",
            name(path)
        ))),
    }
}

/// Refuses if a file could not be created there.
pub(super) fn ensure_place(path: &Path) -> Result<(), Error> {
    let folder = std::path::absolute(path).ok().and_then(|path| Some(path.parent()?.to_owned()));
    let there = folder.iter().flat_map(|folder| folder.ancestors()).find(|folder| folder.exists());
    match there.map(std::fs::metadata) {
        Some(Ok(found)) if found.is_dir() && !found.permissions().readonly() => Ok(()),
        _ => Err(Error::Unusable(format!(
            "{} cannot be created. Check that its folder is writable.",
            name(path)
        ))),
    }
}

/// Opens a file that has been checked, for its only writer.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection, Error> {
    let mut writer = open(path).map_err(|error| explain(path, error))?;
    writer.busy_timeout(Duration::ZERO).map_err(|error| explain(path, error))?;
    let to_wal =
        || writer.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
    patiently(to_wal).map_err(|error| explain(path, error))?;
    writer.busy_handler(Some(nap)).map_err(|error| explain(path, error))?;
    configure(&mut writer).map_err(|error| explain(path, error))?;
    Ok(writer)
}

/// Creates the file and its folder, readable only by their owner, if they do not exist.
pub(super) fn create_private(path: &Path) -> Result<(), Error> {
    let unusable =
        |what: &str, error: std::io::Error| Error::Unusable(format!("{} {what}: {error}.", name(path)));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| unusable("has no folder, and the folder cannot be created", error))?;
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

/// A connection to a file that has been opened before.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = open(path)?;
    connection.busy_handler(Some(nap))?;
    configure(&mut connection)?;
    Ok(connection)
}

/// The same, without ever waiting for another process that holds the file.
pub(super) fn connect_at_once(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = open(path)?;
    connection.busy_timeout(Duration::ZERO)?;
    configure(&mut connection)?;
    Ok(connection)
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

fn configure(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Without it, rusqlite's cached statements are prepared again on every call of a join (shared
    // measurements: 45 µs instead of 2.7).
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Tries again while the file is locked, for a connection that does not wait by itself. SQLite's own
/// waiting is omitted where two waiting processes could lock each other out, as when several instances
/// switch the same new file to WAL.
fn patiently<T>(mut work: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let mut times = 0;
    loop {
        match work() {
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) && nap(times) =>
            {
                times += 1;
            }
            answer => return answer,
        }
    }
}

/// Sleeps briefly, unless it was called too often: SQLite's handler of a busy database.
pub(super) fn nap(times: i32) -> bool {
    let has_patience = NAP.saturating_mul(times.unsigned_abs()) < BUSY;
    if has_patience {
        std::thread::sleep(NAP);
    }
    has_patience
}

/// The name of the file for messages.
pub(super) fn name(path: &Path) -> String {
    format!("The database file {}", path.display())
}

fn unwritable(path: &Path, cause: &str) -> Error {
    let name = name(path);
    Error::Unusable(format!(
        "{name} cannot be written. Check that this user owns the file and its folder ({cause})."
    ))
}

/// Adds the file's name to an error that stops a start.
fn explain(path: &Path, error: rusqlite::Error) -> Error {
    let what = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            "is not a SQLite database. Point COUNTERSIGN_DATABASE_URL to another file, or restore a backup"
        }
        Some(ErrorCode::DatabaseCorrupt) => "is damaged. Restore a backup",
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            return unwritable(path, &error.to_string());
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => return classify(error),
        _ => return Error::Unusable(format!("{}: {error}.", name(path))),
    };
    Error::Unusable(format!("{} {what} ({error}).", name(path)))
}
