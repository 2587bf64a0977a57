//! Everything that is encrypted with the master key, in one table: a new master key cannot miss any of it.

use super::{Error, Sql};
use crate::args;

/// A key that signs tokens.
pub const SIGNING_KEY: &str = "signing_key";
/// The API key of a desk.
pub const API_KEY: &str = "api_key";
/// What Deskpro proves its calls with.
pub const WEBHOOK: &str = "webhook";
/// What signs alerts.
pub const ALERTS: &str = "alerts";

/// Stores a secret, in place of an earlier one with this id.
pub fn put(db: &mut dyn Sql, id: &str, purpose: &str, sealed: &str) -> Result<(), Error> {
    db.execute(
        "INSERT INTO secrets (id, purpose, sealed) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed",
        args![id, purpose, sealed],
    )?;
    Ok(())
}

/// A secret.
pub fn by_id(db: &mut dyn Sql, id: &str) -> Result<Option<String>, Error> {
    db.query_one("SELECT sealed FROM secrets WHERE id = $1", args![id])?.map(|row| row.text(0)).transpose()
}

/// Deletes a secret.
pub fn delete(db: &mut dyn Sql, id: &str) -> Result<(), Error> {
    db.execute("DELETE FROM secrets WHERE id = $1", args![id])?;
    Ok(())
}
