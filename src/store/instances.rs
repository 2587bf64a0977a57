//! Servers that use this database, each with digests of its settings.

use super::{Error, Sql};
use crate::args;

/// A server, as it recorded itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// UUIDv7, a new one at each start.
    pub id: String,
    /// A JSON object: digests by the names of settings.
    pub settings: String,
    /// When it was last active, by its own clock.
    pub seen_at: i64,
}

/// Records a server, or that it is still running.
pub fn put(db: &mut dyn Sql, instance: &Instance) -> Result<(), Error> {
    db.execute(
        "INSERT INTO instances (id, settings, seen_at) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
        args![&instance.id, &instance.settings, instance.seen_at],
    )?;
    Ok(())
}

/// All recorded servers.
pub fn all(db: &mut dyn Sql) -> Result<Vec<Instance>, Error> {
    db.query("SELECT id, settings, seen_at FROM instances ORDER BY id", &[])?
        .iter()
        .map(|row| Ok(Instance { id: row.text(0)?, settings: row.text(1)?, seen_at: row.int(2)? }))
        .collect()
}

/// Deletes a server.
pub fn remove(db: &mut dyn Sql, id: &str) -> Result<(), Error> {
    db.execute("DELETE FROM instances WHERE id = $1", args![id])?;
    Ok(())
}

/// Deletes servers that ended without removing their entry: those whose last activity is outside a time
/// span. A running server with a different clock adds its entry again.
pub fn sweep(db: &mut dyn Sql, from: i64, to: i64) -> Result<(), Error> {
    db.execute("DELETE FROM instances WHERE seen_at < $1 OR seen_at > $2", args![from, to])?;
    Ok(())
}
