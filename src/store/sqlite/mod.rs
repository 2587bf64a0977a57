//! SQLite: one writer behind a fair lock, separate readers, write-ahead log.

mod executor;
mod file;

use std::path::PathBuf;
use std::time::Duration;

use parking_lot::{FairMutex, Mutex};
use prometheus::Histogram;
use rusqlite::{Connection, ErrorCode};

use self::executor::{Executor, classify};
use super::{Error, Sql};

/// How long a write waits for the writer of this process. Together with `file::BUSY`, it stays below the
/// 6 s in which every request ends.
const QUEUE: Duration = Duration::from_secs(2);
/// The pause after a long transaction, which lets other processes write: they cannot queue, so without
/// it the lock would return to the process that released it. A transaction with this many statements is
/// long.
const BREATH: Duration = Duration::from_millis(10);
const LONG: usize = 200;
/// Readers kept open between uses.
const IDLE_READERS: usize = 16;

pub(super) struct Database {
    path: PathBuf,
    // Fair, so that a stream of sign-ins cannot starve an import, nor the other way round.
    writer: FairMutex<Connection>,
    readers: Readers,
    readers_at_once: Readers,
    /// How long writes waited, in seconds.
    waits: Histogram,
}

/// Connections that are kept between uses.
#[derive(Default)]
struct Readers(Mutex<Vec<Connection>>);

impl Readers {
    fn take(&self, connect: impl FnOnce() -> rusqlite::Result<Connection>) -> rusqlite::Result<Connection> {
        let idle = self.0.lock().pop();
        idle.map_or_else(connect, Ok)
    }

    fn give_back(&self, reader: Connection) {
        let mut readers = self.0.lock();
        // A transaction that could not be ended would show its old state to the next user of the
        // connection.
        if readers.len() < IDLE_READERS && reader.is_autocommit() {
            readers.push(reader);
        }
    }
}

/// The version of the schema in a file, 0 if there is none yet. Nothing is created or changed.
pub(super) fn peek(path: &str) -> Result<i64, Error> {
    let path = file::path(path)?;
    if path.exists() { file::judge(&path) } else { file::ensure_place(&path).map(|()| 0) }
}

impl Database {
    /// Opens or creates the file; its folder is created, the file gets mode 600.
    pub(super) fn open(path: &str, waits: Histogram) -> Result<Self, Error> {
        let path = file::path(path)?;
        file::create_private(&path)?;
        file::judge(&path)?;
        let writer = file::open_for_writing(&path)?;
        let (readers, readers_at_once) = Default::default();
        Ok(Self { path, writer: FairMutex::new(writer), readers, readers_at_once, waits })
    }

    /// The name of the database for messages.
    pub(super) fn name(&self) -> String {
        file::name(&self.path)
    }

    pub(super) fn read<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, E>,
    ) -> Result<T, E> {
        let reader = self.readers.take(|| file::connect(&self.path)).map_err(classify)?;
        let answer = work(&mut Executor::new(&reader));
        self.readers.give_back(reader);
        answer
    }

    /// The same without waiting for another process that holds the file; `None` if that would be necessary, or if
    /// anything else fails.
    pub(super) fn read_at_once<T>(&self, work: impl FnOnce(&mut dyn Sql) -> Result<T, Error>) -> Option<T> {
        let reader = self.readers_at_once.take(|| file::connect_at_once(&self.path)).ok()?;
        let answer = work(&mut Executor::new(&reader));
        self.readers_at_once.give_back(reader);
        answer.ok()
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
        let waited = self.waits.start_timer();
        let writer = self.writer.try_lock_for(QUEUE);
        waited.observe_duration();
        let Some(writer) = writer else {
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
    /// Writes without waiting. If another transaction has the writer, in this process or another one,
    /// the database can be written, so that is not a failure.
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

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::args;
    use crate::store::{Store, sessions};

    /// Without QPSG, this counts one preparation for each call with a different parameter.
    #[test]
    fn a_join_is_prepared_once_however_often_it_is_asked() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("test.db").display().to_string();
        Store::open(&format!("sqlite:{path}")).and_then(|store| store.migrate()).expect("a database");
        let database = Database::open(&path, crate::store::waits()).expect("it opens");
        let sql = "SELECT u.login FROM sessions s JOIN users u ON u.id = s.user_id
                   WHERE s.digest = $1 AND s.created_at > $2";
        let prepared_again = database.read(|db| {
            for number in 0..50 {
                db.query(sql, args![number.to_string(), number])?;
                let limits = crate::core::session::Limits::default();
                sessions::live(db, &number.to_string().into(), number, &limits)?;
            }
            Ok::<_, Error>(())
        });
        prepared_again.expect("it is read");
        let reader = database.readers.0.lock().pop().expect("the reader that was used");
        let statement = reader.prepare_cached(sql).expect("it is prepared");
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
        assert_eq!(statement.get_status(StatementStatus::Run), 50, "it is the statement that ran");
    }
}
