//! The audit log, append-only. No row contains a secret, a token or a password.

use super::sql::empty_for_none;
use super::{Error, Row, Sql};
use crate::args;
use crate::core::id::UserId;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `UUIDv7`.
    pub id: String,
    /// Unix seconds.
    pub at: i64,
    /// A stable word such as `signed_in`.
    pub event: String,
    /// Who: `user:ID`, `cli`, `system` or `anonymous`.
    pub actor: String,
    /// The user or thing it is about.
    pub subject: String,
    /// A JSON object.
    pub detail: String,
    /// The ID of the request it came from; empty outside a request.
    pub request_id: String,
    /// The client's address; empty outside a request.
    pub address: String,
}

/// Appends a row. Of rows with the same `dedup`, only the first is stored.
pub fn append(db: &mut dyn Sql, entry: &Entry, dedup: Option<&str>) -> Result<(), Error> {
    db.execute(
        "INSERT INTO audit (id, at, event, actor, subject, detail, request_id, address, dedup)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        args![
            &entry.id,
            entry.at,
            &entry.event,
            &entry.actor,
            &entry.subject,
            &entry.detail,
            &entry.request_id,
            &entry.address,
            dedup
        ],
    )?;
    Ok(())
}

/// Whether there is a row with this `dedup`.
pub fn has(db: &mut dyn Sql, dedup: &str) -> Result<bool, Error> {
    Ok(db.query_one("SELECT id FROM audit WHERE dedup = $1", args![dedup])?.is_some())
}

/// When the event before the newest `skip` events about a subject was recorded; `None` if there is none.
pub fn at_before(db: &mut dyn Sql, event: &str, subject: &str, skip: i64) -> Result<Option<i64>, Error> {
    db.query_one(
        "SELECT at FROM audit WHERE subject = $1 AND event = $2 ORDER BY id DESC LIMIT 1 OFFSET $3",
        args![subject, event, skip],
    )?
    .map(|row| row.int(0))
    .transpose()
}

/// Removes at most `most` rows that were written before a given time, the oldest first.
pub fn sweep(db: &mut dyn Sql, before: i64, most: i64) -> Result<u64, Error> {
    db.execute(
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit ORDER BY id LIMIT $2) AND at < $1",
        args![before, most],
    )
}

/// Rows, newest first. Where given: older than the row `before` (an ID), of one event, about or by one user.
pub fn page(
    db: &mut dyn Sql,
    event: Option<&str>,
    user_id: Option<&UserId>,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    let actor = user_id.map(|id| format!("user:{id}"));
    db.query(
        "SELECT id, at, event, actor, subject, detail, request_id, address FROM audit
         WHERE ($1 = '' OR id < $1) AND ($2 = '' OR event = $2)
         AND ($3 = '' OR subject = $3 OR actor = $4) ORDER BY id DESC LIMIT $5",
        args![
            before.unwrap_or_default(),
            event.unwrap_or_default(),
            empty_for_none(user_id),
            actor.unwrap_or_default(),
            limit
        ],
    )?
    .iter()
    .map(read)
    .collect()
}

fn read(row: &Row) -> Result<Entry, Error> {
    Ok(Entry {
        id: row.text(0)?,
        at: row.int(1)?,
        event: row.text(2)?,
        actor: row.text(3)?,
        subject: row.text(4)?,
        detail: row.text(5)?,
        request_id: row.text(6)?,
        address: row.text(7)?,
    })
}
