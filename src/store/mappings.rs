//! Published mappings, every version of them.

use super::{Error, Sql};
use crate::args;

/// A published mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// 1 for the first.
    pub number: i64,
    /// The mapping as it was written.
    pub text: String,
    /// Who published it: the actor of the audit.
    pub author: String,
    /// Why; may be empty.
    pub reason: String,
    /// Unix seconds.
    pub created_at: i64,
}

/// The version in force, or `None` when nothing was published.
pub fn published(db: &mut dyn Sql, messenger: &str) -> Result<Option<Version>, Error> {
    db.query_one(
        "SELECT version, text, author, reason, created_at FROM mappings
         WHERE messenger_id = $1 ORDER BY version DESC LIMIT 1",
        args![messenger],
    )?
    .map(|row| {
        Ok(Version {
            number: row.int(0)?,
            text: row.text(1)?,
            author: row.text(2)?,
            reason: row.text(3)?,
            created_at: row.int(4)?,
        })
    })
    .transpose()
}

/// Adds a version. `Conflict` when its number was published meanwhile.
pub fn insert(db: &mut dyn Sql, messenger: &str, version: &Version) -> Result<(), Error> {
    db.execute(
        "INSERT INTO mappings (messenger_id, version, text, author, reason, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        args![messenger, version.number, &version.text, &version.author, &version.reason, version.created_at],
    )?;
    Ok(())
}
