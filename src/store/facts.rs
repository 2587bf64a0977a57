//! Facts about the whole installation, such as the fingerprint of the master key.

use super::{Error, Sql};
use crate::args;

/// Remembers a fact if none is known under its name, and says which one stands.
pub fn settle(db: &mut dyn Sql, name: &str, value: &str) -> Result<String, Error> {
    db.execute(
        "INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        args![name, value],
    )?;
    db.query_one("SELECT value FROM facts WHERE name = $1", args![name])?
        .ok_or_else(|| Error::Failed("a fact vanished".into()))?
        .text(0)
}
