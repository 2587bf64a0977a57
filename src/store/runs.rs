//! Runs of desks over all users: how far each is, and what it did.

use super::sql::empty_for_none;
use super::{Error, Row, Sql};
use crate::args;
use crate::core::id::{DeskId, UserId};
use crate::core::sync::{Counts, RunKind, RunState};

/// A run. Times in unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// `UUIDv7`.
    pub id: String,
    /// Whether everybody is compared with Deskpro.
    pub kind: RunKind,
    /// What started it: `schedule`, `button`, `cli`, `import`, `mapping`.
    pub cause: String,
    /// The version of the mapping that it began with.
    pub mapping: i64,
    /// How it stands.
    pub state: RunState,
    /// The last user whose page is done.
    pub cursor: Option<UserId>,
    /// How many users there were when it began.
    pub total: i64,
    /// What it did so far.
    pub counts: Counts,
    /// Why it stopped, stable.
    pub code: String,
    /// The same in words.
    pub words: String,
    /// When it began.
    pub started_at: i64,
    /// When it last moved on.
    pub moved_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
}

const COLUMNS: &str =
    "id, kind, cause, mapping, state, cursor, total, counts, code, words, started_at, moved_at, ended_at";

fn read(row: &Row) -> Result<Run, Error> {
    Ok(Run {
        id: row.text(0)?,
        kind: RunKind::parse(row.str(1)?),
        cause: row.text(2)?,
        mapping: row.int(3)?,
        state: RunState::parse(row.str(4)?),
        cursor: row.unless_empty(5)?,
        total: row.int(6)?,
        counts: serde_json::from_str(row.str(7)?).unwrap_or_default(),
        code: row.text(8)?,
        words: row.text(9)?,
        started_at: row.int(10)?,
        moved_at: row.int(11)?,
        ended_at: row.opt_int(12)?,
    })
}

/// Adds a run that has just begun.
pub fn insert(db: &mut dyn Sql, desk: &DeskId, run: &Run) -> Result<(), Error> {
    db.execute(
        "INSERT INTO runs (id, desk, kind, cause, mapping, state, total, started_at, moved_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        args![
            &run.id,
            desk,
            run.kind.as_str(),
            &run.cause,
            run.mapping,
            run.state.as_str(),
            run.total,
            run.started_at
        ],
    )?;
    Ok(())
}

/// Stores how a run stands.
pub fn update(db: &mut dyn Sql, run: &Run) -> Result<(), Error> {
    let counts = serde_json::to_string(&run.counts).expect("counts are JSON");
    db.execute(
        "UPDATE runs SET state = $2, cursor = $3, counts = $4, code = $5, words = $6, moved_at = $7, ended_at = $8
         WHERE id = $1",
        args![
            &run.id,
            run.state.as_str(),
            empty_for_none(run.cursor.as_ref()),
            counts,
            &run.code,
            &run.words,
            run.moved_at,
            run.ended_at
        ],
    )?;
    Ok(())
}

/// The latest runs of a desk, newest first.
pub fn latest(db: &mut dyn Sql, desk: &DeskId, limit: i64) -> Result<Vec<Run>, Error> {
    let sql =
        format!("SELECT {COLUMNS} FROM runs WHERE desk = $1 ORDER BY started_at DESC, id DESC LIMIT $2");
    db.query(&sql, args![desk, limit])?.iter().map(read).collect()
}

/// The latest run that ended well.
pub fn last_done(db: &mut dyn Sql, desk: &DeskId, only_verify: bool) -> Result<Option<Run>, Error> {
    let kind = if only_verify { "AND kind = 'verify'" } else { "" };
    let sql = format!(
        "SELECT {COLUMNS} FROM runs WHERE desk = $1 AND state = 'done' {kind} ORDER BY started_at DESC, id DESC LIMIT 1"
    );
    db.query_one(&sql, args![desk])?.as_ref().map(read).transpose()
}

/// The latest run that the schedule began.
pub fn last_scheduled(db: &mut dyn Sql, desk: &DeskId) -> Result<Option<Run>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM runs WHERE desk = $1 AND cause = 'schedule' ORDER BY started_at DESC, id DESC LIMIT 1"
    );
    db.query_one(&sql, args![desk])?.as_ref().map(read).transpose()
}

/// The run that goes on.
pub fn running(db: &mut dyn Sql, desk: &DeskId) -> Result<Option<Run>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE desk = $1 AND state = 'running' ORDER BY id LIMIT 1");
    db.query_one(&sql, args![desk])?.as_ref().map(read).transpose()
}

/// Removes runs that ended before a given time (unix seconds).
pub fn sweep(db: &mut dyn Sql, before: i64) -> Result<u64, Error> {
    db.execute("DELETE FROM runs WHERE ended_at < $1", args![before])
}

/// Sets times in the future to now, because the clock was set back.
pub fn pull_back(db: &mut dyn Sql, now: i64) -> Result<u64, Error> {
    let mut moved = 0;
    for column in ["started_at", "moved_at", "ended_at"] {
        moved += db.execute(&format!("UPDATE runs SET {column} = $1 WHERE {column} > $1"), args![now])?;
    }
    Ok(moved)
}

/// Whether a time is after a given one.
pub fn is_any_after(db: &mut dyn Sql, moment: i64) -> Result<bool, Error> {
    Ok(db.query_one("SELECT id FROM runs WHERE started_at > $1 LIMIT 1", args![moment])?.is_some())
}
