//! Updates a database to this program's schema. Several instances may start together: each waits for the
//! lock, and only the first has something to do.

use super::{Error, Sql};
use crate::args;

/// A step from the version before it. `min_reader` is the oldest program version that can still work
/// with the resulting schema.
struct Migration {
    version: i64,
    min_reader: i64,
    script: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, min_reader: 1, script: include_str!("../../migrations/0001_base.sql") },
    Migration { version: 2, min_reader: 1, script: include_str!("../../migrations/0002_console.sql") },
    Migration { version: 3, min_reader: 1, script: include_str!("../../migrations/0003_expected.sql") },
    Migration { version: 4, min_reader: 1, script: include_str!("../../migrations/0004_delivery.sql") },
    Migration {
        version: 5,
        min_reader: 1,
        script: include_str!("../../migrations/0005_key_of_sign_ins.sql"),
    },
    Migration { version: 6, min_reader: 1, script: include_str!("../../migrations/0006_ground.sql") },
    Migration { version: 7, min_reader: 1, script: include_str!("../../migrations/0007_instances.sql") },
    Migration {
        version: 8,
        min_reader: 1,
        script: include_str!("../../migrations/0008_connection_codes.sql"),
    },
    // A program before it looks for the encrypted keys where they were.
    Migration { version: 9, min_reader: 9, script: include_str!("../../migrations/0009_desks.sql") },
    Migration {
        version: 10,
        min_reader: 9,
        script: include_str!("../../migrations/0010_webhooks_names_alerts.sql"),
    },
];

/// The schema version this program writes.
pub const VERSION: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// The migration's own table; its single row says which version a database has.
const SCHEMA_INFO: &str = "CREATE TABLE IF NOT EXISTS schema_info (
    id         BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    version    BIGINT NOT NULL,
    min_reader BIGINT NOT NULL
)";

/// Runs the missing migrations in the database called `name`. Call inside one transaction: it is
/// committed as a whole or not at all.
pub(super) fn run(db: &mut dyn Sql, name: &str) -> Result<(), Error> {
    db.lock_schema()?;
    db.batch(SCHEMA_INFO)?;
    let found = version_of(db, name)?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > found) {
        tracing::info!(version = migration.version, "migrating the database");
        db.batch(migration.script)?;
        db.execute(
            "INSERT INTO schema_info (id, version, min_reader) VALUES (1, $1, $2)
             ON CONFLICT (id) DO UPDATE SET version = excluded.version, min_reader = excluded.min_reader",
            args![migration.version, migration.min_reader],
        )?;
    }
    Ok(())
}

/// The version of the schema (0: none yet), after checking that this program may use it.
pub(super) fn version_of(db: &mut dyn Sql, name: &str) -> Result<i64, Error> {
    let Some(row) = db.query_one("SELECT version, min_reader FROM schema_info WHERE id = 1", &[])? else {
        return Ok(0);
    };
    let (version, min_reader) = (row.int(0)?, row.int(1)?);
    if min_reader > VERSION {
        return Err(Error::Unusable(format!(
            "{name} was written by a newer Countersign (schema version {version}); this program knows version {VERSION}. Install the newer program, or restore the backup made before the upgrade."
        )));
    }
    Ok(version)
}

/// The same for a PostgreSQL database that may not even have the table.
pub(super) fn peek(db: &mut dyn Sql, name: &str) -> Result<i64, Error> {
    let known = db.query_one("SELECT COUNT(to_regclass('schema_info'))", &[])?;
    match known.map(|row| row.int(0)).transpose()? {
        Some(1) => version_of(db, name),
        _ => Ok(0),
    }
}
