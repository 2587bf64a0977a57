//! Facts about the whole installation, such as the fingerprint of the master key.

use super::{Error, Sql};
use crate::args;

/// Stores a fact if none is stored under its name, and returns the stored one.
pub fn settle(db: &mut dyn Sql, name: &str, value: &str) -> Result<String, Error> {
    db.execute(
        "INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        args![name, value],
    )?;
    db.query_one("SELECT value FROM facts WHERE name = $1", args![name])?
        .ok_or_else(|| Error::Failed("a fact vanished".into()))?
        .text(0)
}

/// Stores a fact, replacing an earlier one.
pub fn put(db: &mut dyn Sql, name: &str, value: &str) -> Result<(), Error> {
    db.execute(
        "INSERT INTO facts (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        args![name, value],
    )?;
    Ok(())
}

/// A fact, or `None`.
pub fn of(db: &mut dyn Sql, name: &str) -> Result<Option<String>, Error> {
    db.query_one("SELECT value FROM facts WHERE name = $1", args![name])?.map(|row| row.text(0)).transpose()
}
