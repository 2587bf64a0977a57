//! Work that outlives a request, taken by one worker at a time through a lease.

use super::{Error, Row, Sql};
use crate::args;

/// A job as its worker sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// UUIDv7.
    pub id: String,
    /// What to do.
    pub kind: String,
    /// A JSON object.
    pub input: String,
    /// How far it got; the meaning is the kind's own.
    pub cursor: String,
    /// Steps done and to do.
    pub done: i64,
    /// Steps in all; 0 while unknown.
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
        cursor: row.text(3)?,
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

/// Adds a waiting job with what is known of it already, to be found again by its subject.
pub fn insert_about(db: &mut dyn Sql, job: &Job, subject: &str, now: i64) -> Result<(), Error> {
    db.execute(
        "INSERT INTO jobs (id, kind, input, cursor, done, total, state, report, lease_until, created_at, updated_at, subject)
         VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, 0, $8, $8, $9)",
        args![&job.id, &job.kind, &job.input, &job.cursor, job.done, job.total, &job.report, now, subject],
    )?;
    Ok(())
}

/// The latest job of a kind about a subject, with its state and when it was made and moved.
pub fn latest(db: &mut dyn Sql, kind: &str, subject: &str) -> Result<Option<(Job, String, i64, i64)>, Error> {
    let sql = format!(
        "SELECT {COLUMNS}, state, created_at, updated_at FROM jobs WHERE kind = $1 AND subject = $2
         ORDER BY created_at DESC, id DESC LIMIT 1"
    );
    let row = db.query_one(&sql, args![kind, subject])?;
    row.map(|row| Ok((read(&row)?, row.text(7)?, row.int(8)?, row.int(9)?))).transpose()
}

/// Whether there is a job that nobody works on.
pub fn is_any_free(db: &mut dyn Sql, now: i64) -> Result<bool, Error> {
    let row = db.query_one(
        "SELECT id FROM jobs WHERE state IN ('waiting', 'running') AND lease_until <= $1 LIMIT 1",
        args![now],
    )?;
    Ok(row.is_some())
}

/// Ends the jobs of a kind that are not done and whose subject begins so; their workers notice at
/// their next step.
pub fn cancel_all(db: &mut dyn Sql, kind: &str, subject: &str, now: i64) -> Result<(), Error> {
    db.execute(
        "UPDATE jobs SET state = 'cancelled', worker = NULL, updated_at = $4
         WHERE kind = $1 AND subject >= $2 AND subject < $3 AND state IN ('waiting', 'running')",
        args![kind, subject, format!("{subject}\u{10ffff}"), now],
    )?;
    Ok(())
}

/// Takes the oldest job that nobody works on, for `seconds`.
///
/// The condition stands again in the outer WHERE: without it, two sessions of PostgreSQL that
/// chose the same row both get it, one after the other.
pub fn lease(db: &mut dyn Sql, worker: &str, now: i64, seconds: i64) -> Result<Option<Job>, Error> {
    db.query_one(
        &format!(
            "UPDATE jobs SET worker = $1, state = 'running', lease_until = $2, updated_at = $3
             WHERE id = (SELECT id FROM jobs WHERE state IN ('waiting', 'running') AND lease_until <= $3
                         ORDER BY created_at, id LIMIT 1)
             AND state IN ('waiting', 'running') AND lease_until <= $3
             RETURNING {COLUMNS}"
        ),
        args![worker, now + seconds, now],
    )?
    .as_ref()
    .map(read)
    .transpose()
}

/// Moves a job on and keeps the lease; `false` when another worker has it by now.
pub fn advance(db: &mut dyn Sql, job: &Job, worker: &str, now: i64, seconds: i64) -> Result<bool, Error> {
    let touched = db.execute(
        "UPDATE jobs SET cursor = $3, done = $4, total = $5, lease_until = $6, updated_at = $7, report = $8
         WHERE id = $1 AND worker = $2 AND state = 'running'",
        args![&job.id, worker, &job.cursor, job.done, job.total, now + seconds, now, &job.report],
    )?;
    Ok(touched == 1)
}

/// Lets another worker go on with a job at once.
pub fn release(db: &mut dyn Sql, id: &str, worker: &str, now: i64) -> Result<(), Error> {
    db.execute("UPDATE jobs SET lease_until = $3 WHERE id = $1 AND worker = $2", args![id, worker, now])?;
    Ok(())
}

/// Ends a job; `false` when another worker has it by now.
pub fn finish(
    db: &mut dyn Sql,
    id: &str,
    worker: &str,
    state: &str,
    report: &str,
    now: i64,
) -> Result<bool, Error> {
    let touched = db.execute(
        "UPDATE jobs SET state = $3, report = $4, worker = NULL, updated_at = $5
         WHERE id = $1 AND worker = $2 AND state = 'running'",
        args![id, worker, state, report, now],
    )?;
    Ok(touched == 1)
}
