//! Published mappings, every version of them.

use super::{Error, Row, Sql};
use crate::args;
use crate::core::id::MessengerId;
use crate::core::mapping::Version;

const COLUMNS: &str = "version, text, author, reason, created_at";

fn read(row: &Row) -> Result<Version, Error> {
    Ok(Version {
        number: row.int(0)?,
        text: row.text(1)?,
        author: row.text(2)?,
        reason: row.text(3)?,
        created_at: row.int(4)?,
    })
}

/// The published version, or `None` if nothing was published.
pub fn published(db: &mut dyn Sql, messenger: &MessengerId) -> Result<Option<Version>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM mappings WHERE messenger_id = $1 ORDER BY version DESC LIMIT 1");
    db.query_one(&sql, args![messenger])?.as_ref().map(read).transpose()
}

/// Every version, newest first.
pub fn all(db: &mut dyn Sql, messenger: &MessengerId) -> Result<Vec<Version>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM mappings WHERE messenger_id = $1 ORDER BY version DESC");
    db.query(&sql, args![messenger])?.iter().map(read).collect()
}

/// One version.
pub fn by_number(db: &mut dyn Sql, messenger: &MessengerId, number: i64) -> Result<Option<Version>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM mappings WHERE messenger_id = $1 AND version = $2");
    db.query_one(&sql, args![messenger, number])?.as_ref().map(read).transpose()
}

/// Adds a version. `Conflict` if its number was published in the meantime.
pub fn insert(db: &mut dyn Sql, messenger: &MessengerId, version: &Version) -> Result<(), Error> {
    db.execute(
        "INSERT INTO mappings (messenger_id, version, text, author, reason, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        args![messenger, version.number, &version.text, &version.author, &version.reason, version.created_at],
    )?;
    Ok(())
}
