//! Work that outlives a request, taken by one worker at a time. A living worker moves its job's beat;
//! whether a worker is dead is decided by the process that watches the beat, by its own clock.

use std::collections::BTreeMap;

use super::sql::empty_for_none;
use super::{Error, Row, Sql};
use crate::args;
use crate::core::job::JobState;

/// A job as its worker sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// UUIDv7.
    pub id: String,
    /// What to do.
    pub kind: String,
    /// A JSON object.
    pub input: String,
    /// How far it got, if it has started; each kind defines the meaning.
    pub cursor: Option<String>,
    /// Steps done.
    pub done: i64,
    /// All steps; 0 while unknown.
    pub total: i64,
    /// What it found so far, a JSON object.
    pub report: String,
}

const COLUMNS: &str = "id, kind, input, cursor, done, total, report";

fn read(row: &Row) -> Result<Job, Error> {
    Ok(Job {
        id: row.text(0)?,
        kind: row.text(1)?,
        input: row.text(2)?,
        cursor: row.unless_empty(3)?,
        done: row.int(4)?,
        total: row.int(5)?,
        report: row.text(6)?,
    })
}

/// Adds a waiting job.
pub fn insert(db: &mut dyn Sql, id: &str, kind: &str, input: &str, now: i64) -> Result<(), Error> {
    db.execute(
        "INSERT INTO jobs (id, kind, input, cursor, done, total, state, report, lease_until, created_at, updated_at)
         VALUES ($1, $2, $3, '', 0, 0, 'waiting', '{}', 0, $4, $4)",
        args![id, kind, input, now],
    )?;
    Ok(())
}

/// Adds a waiting job with what is already known; it can be found again by its subject.
pub fn insert_about(db: &mut dyn Sql, job: &Job, subject: &str, now: i64) -> Result<(), Error> {
    db.execute(
        "INSERT INTO jobs (id, kind, input, cursor, done, total, state, report, lease_until, created_at, updated_at, subject)
         VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, 0, $8, $8, $9)",
        args![&job.id, &job.kind, &job.input, empty_for_none(job.cursor.as_ref()), job.done, job.total, &job.report, now, subject],
    )?;
    Ok(())
}

/// A job as seen by those who wait for it. Times in unix seconds.
pub struct LatestJob {
    /// The job.
    pub job: Job,
    /// How far it is.
    pub state: JobState,
    /// When it was created.
    pub created_at: i64,
    /// When it last moved on.
    pub updated_at: i64,
}

/// The latest job of a kind about a subject.
pub fn latest(db: &mut dyn Sql, kind: &str, subject: &str) -> Result<Option<LatestJob>, Error> {
    let sql = format!(
        "SELECT {COLUMNS}, state, created_at, updated_at FROM jobs WHERE kind = $1 AND subject = $2
         ORDER BY created_at DESC, id DESC LIMIT 1"
    );
    let row = db.query_one(&sql, args![kind, subject])?;
    let seen = |row: Row| {
        // A word of a newer program means nothing here.
        let state = JobState::parse(row.str(7)?).unwrap_or(JobState::Failed);
        Ok(LatestJob { job: read(&row)?, state, created_at: row.int(8)?, updated_at: row.int(9)? })
    };
    row.map(seen).transpose()
}

/// The beat of a job that a worker has.
pub struct Beat {
    /// The job's ID.
    pub job: String,
    /// A new number at every step of the worker.
    pub beat: i64,
}

/// The beats of all jobs that workers have.
pub fn beats(db: &mut dyn Sql) -> Result<Vec<Beat>, Error> {
    db.query("SELECT id, beat FROM jobs WHERE state = 'running' ORDER BY created_at, id", &[])?
        .iter()
        .map(|row| Ok(Beat { job: row.text(0)?, beat: row.int(1)? }))
        .collect()
}

/// How many jobs there are, by state.
pub fn states(db: &mut dyn Sql) -> Result<BTreeMap<String, i64>, Error> {
    let rows = db.query("SELECT state, COUNT(*) FROM jobs GROUP BY state", &[])?;
    rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
}

/// Whether a job is waiting for a worker.
pub fn is_any_waiting(db: &mut dyn Sql) -> Result<bool, Error> {
    Ok(db.query_one("SELECT id FROM jobs WHERE state = 'waiting' LIMIT 1", &[])?.is_some())
}

/// Ends the jobs of a kind that are not done and whose subject starts with a prefix; their workers
/// notice it at their next step.
pub fn cancel_all(db: &mut dyn Sql, kind: &str, subject: &str, now: i64) -> Result<(), Error> {
    db.execute(
        "UPDATE jobs SET state = 'cancelled', worker = NULL, updated_at = $4
         WHERE kind = $1 AND subject >= $2 AND subject < $3 AND state IN ('waiting', 'running')",
        args![kind, subject, format!("{subject}\u{10ffff}"), now],
    )?;
    Ok(())
}

/// Takes the oldest job that is waiting.
///
/// The condition is repeated in the outer WHERE: without it, two sessions of PostgreSQL that chose the
/// same row both get it, one after the other.
pub fn take(db: &mut dyn Sql, worker: &str, now: i64) -> Result<Option<Job>, Error> {
    db.query_one(
        &format!(
            "UPDATE jobs SET worker = $1, state = 'running', beat = beat + 1, updated_at = $2
             WHERE id = (SELECT id FROM jobs WHERE state = 'waiting' ORDER BY created_at, id LIMIT 1)
             AND state = 'waiting' RETURNING {COLUMNS}"
        ),
        args![worker, now],
    )?
    .as_ref()
    .map(read)
    .transpose()
}

/// Takes a job from a worker whose beat has stopped at `beat`; `None` if the beat moves on, or another
/// worker has taken the job.
pub fn take_over(
    db: &mut dyn Sql,
    id: &str,
    beat: i64,
    worker: &str,
    now: i64,
) -> Result<Option<Job>, Error> {
    db.query_one(
        &format!(
            "UPDATE jobs SET worker = $3, beat = beat + 1, updated_at = $4
             WHERE id = $1 AND beat = $2 AND state = 'running' RETURNING {COLUMNS}"
        ),
        args![id, beat, worker, now],
    )?
    .as_ref()
    .map(read)
    .transpose()
}

/// Moves a job on; `false` if another worker has it by now.
pub fn advance(db: &mut dyn Sql, job: &Job, worker: &str, now: i64) -> Result<bool, Error> {
    let touched = db.execute(
        "UPDATE jobs SET cursor = $3, done = $4, total = $5, beat = beat + 1, updated_at = $6, report = $7
         WHERE id = $1 AND worker = $2 AND state = 'running'",
        args![&job.id, worker, empty_for_none(job.cursor.as_ref()), job.done, job.total, now, &job.report],
    )?;
    Ok(touched == 1)
}

/// Lets another worker continue a job at once.
pub fn release(db: &mut dyn Sql, id: &str, worker: &str) -> Result<(), Error> {
    let sql = "UPDATE jobs SET state = 'waiting', worker = NULL WHERE id = $1 AND worker = $2 AND state = 'running'";
    db.execute(sql, args![id, worker])?;
    Ok(())
}

/// Removes jobs that ended before a given time (unix seconds).
pub fn sweep(db: &mut dyn Sql, before: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM jobs WHERE state IN ('done', 'failed', 'cancelled') AND updated_at < $1";
    db.execute(sql, args![before])
}

/// Whether a job was moved after a given time.
pub fn is_any_after(db: &mut dyn Sql, moment: i64) -> Result<bool, Error> {
    Ok(db.query_one("SELECT id FROM jobs WHERE updated_at > $1 LIMIT 1", args![moment])?.is_some())
}

/// Removes the ended jobs of a kind whose subject starts with a prefix, except the newest `keep`.
pub fn trim(db: &mut dyn Sql, kind: &str, subject: &str, keep: i64) -> Result<u64, Error> {
    db.execute(
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs
         WHERE kind = $1 AND subject >= $2 AND subject < $3 AND state IN ('done', 'failed', 'cancelled')
         ORDER BY created_at DESC, id DESC LIMIT 1000 OFFSET $4)",
        args![kind, subject, format!("{subject}\u{10ffff}"), keep],
    )
}

/// Sets times in the future to now, because the clock was set back.
pub fn pull_back(db: &mut dyn Sql, now: i64) -> Result<u64, Error> {
    let created = db.execute("UPDATE jobs SET created_at = $1 WHERE created_at > $1", args![now])?;
    Ok(created + db.execute("UPDATE jobs SET updated_at = $1 WHERE updated_at > $1", args![now])?)
}

/// Ends a job; `false` if another worker has it by now.
pub fn finish(
    db: &mut dyn Sql,
    id: &str,
    worker: &str,
    state: JobState,
    report: &str,
    now: i64,
) -> Result<bool, Error> {
    let touched = db.execute(
        "UPDATE jobs SET state = $3, report = $4, worker = NULL, updated_at = $5
         WHERE id = $1 AND worker = $2 AND state = 'running'",
        args![id, worker, state.as_str(), report, now],
    )?;
    Ok(touched == 1)
}
