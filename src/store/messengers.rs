//! Messengers and their sealed signing keys. What the environment sets is not here.

use super::{Error, Sql};
use crate::args;

/// The settings (JSON) of an enabled messenger.
pub fn settings(db: &mut dyn Sql, id: &str) -> Result<Option<String>, Error> {
    db.query_one("SELECT settings FROM messengers WHERE id = $1 AND enabled = 1", args![id])?
        .map(|row| row.text(0))
        .transpose()
}

/// The ids of enabled messengers.
pub fn ids(db: &mut dyn Sql) -> Result<Vec<String>, Error> {
    db.query("SELECT id FROM messengers WHERE enabled = 1 ORDER BY id", &[])?
        .iter()
        .map(|row| row.text(0))
        .collect()
}
