//! One-time codes with which a site's server signs in its user. Only digests are stored.

use super::sql::empty_for_none;
use super::{Error, Row, Sql};
use crate::args;
use crate::core::id::{MessengerId, UserId};

/// A code as it is stored. Times in unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// SHA-256 of the code, in hex.
    pub digest: String,
    /// The user it signs in.
    pub user_id: UserId,
    /// For which messenger.
    pub messenger_id: MessengerId,
    /// The page that may swap it; `None` if only an app may.
    pub origin: Option<String>,
    /// The API key that created it.
    pub key_id: String,
    /// When it stops working.
    pub expires_at: i64,
    /// When it was swapped, if it was.
    pub spent_at: Option<i64>,
}

const COLUMNS: &str = "digest, user_id, messenger_id, origin, key_id, expires_at, spent_at";

/// Adds a code.
pub fn insert(db: &mut dyn Sql, handover: &Handover) -> Result<(), Error> {
    db.execute(
        "INSERT INTO handovers (digest, user_id, messenger_id, origin, key_id, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        args![
            &handover.digest,
            &handover.user_id,
            &handover.messenger_id,
            empty_for_none(handover.origin.as_ref()),
            &handover.key_id,
            handover.expires_at
        ],
    )?;
    Ok(())
}

/// The code with a digest, used or not.
pub fn by_digest(db: &mut dyn Sql, digest: &str) -> Result<Option<Handover>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM handovers WHERE digest = $1");
    db.query_one(&sql, args![digest])?.as_ref().map(read).transpose()
}

/// Uses up a code; `false` if it was used before. Of several attempts at the same time, only one gets
/// `true`.
pub fn spend(db: &mut dyn Sql, digest: &str, now: i64) -> Result<bool, Error> {
    let sql = "UPDATE handovers SET spent_at = $2 WHERE digest = $1 AND spent_at IS NULL";
    Ok(db.execute(sql, args![digest, now])? == 1)
}

/// Ends codes at `latest` that would end later, because the clock was set back since they were created.
pub fn pull_back(db: &mut dyn Sql, latest: i64) -> Result<u64, Error> {
    db.execute("UPDATE handovers SET expires_at = $1 WHERE expires_at > $1", args![latest])
}

/// Whether a code ends after a given time.
pub fn is_any_after(db: &mut dyn Sql, moment: i64) -> Result<bool, Error> {
    Ok(db.query_one("SELECT digest FROM handovers WHERE expires_at > $1 LIMIT 1", args![moment])?.is_some())
}

/// Removes codes that ended before a given time.
pub fn sweep(db: &mut dyn Sql, before: i64) -> Result<u64, Error> {
    db.execute("DELETE FROM handovers WHERE expires_at < $1", args![before])
}

fn read(row: &Row) -> Result<Handover, Error> {
    Ok(Handover {
        digest: row.text(0)?,
        user_id: row.text_as(1)?,
        messenger_id: row.text_as(2)?,
        origin: row.unless_empty(3)?,
        key_id: row.text(4)?,
        expires_at: row.int(5)?,
        spent_at: row.opt_int(6)?,
    })
}
