//! What helpdesks call the ids in payloads.

use super::{Error, Row, Sql};
use crate::args;
use crate::core::catalogue::Catalogue;

/// The names of one helpdesk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredCatalogue {
    /// The names.
    pub names: Catalogue,
    /// Where they are from: `api` or `file`.
    pub source: String,
    /// The lists that the API did not give, and why; empty if it gave all.
    pub missing: String,
    /// When they were read, in unix seconds.
    pub read_at: i64,
}

fn read(row: &Row) -> Result<StoredCatalogue, Error> {
    let names = serde_json::from_str(row.str(0)?)
        .map_err(|error| Error::Failed(format!("the names of a helpdesk: {error}").into()))?;
    Ok(StoredCatalogue { names, source: row.text(1)?, missing: row.text(2)?, read_at: row.int(3)? })
}

/// The names of a helpdesk, if any are known.
pub fn of(db: &mut dyn Sql, origin: &str) -> Result<Option<StoredCatalogue>, Error> {
    let sql = "SELECT names, source, missing, read_at FROM catalogues WHERE origin = $1";
    db.query_one(sql, args![origin])?.as_ref().map(read).transpose()
}

/// Stores the names of a helpdesk, in place of earlier ones.
pub fn put(db: &mut dyn Sql, origin: &str, catalogue: &StoredCatalogue) -> Result<(), Error> {
    let names = serde_json::to_string(&catalogue.names).expect("names are JSON");
    db.execute(
        "INSERT INTO catalogues (origin, names, source, missing, read_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (origin) DO UPDATE SET names = $2, source = $3, missing = $4, read_at = $5",
        args![origin, names, &catalogue.source, &catalogue.missing, catalogue.read_at],
    )?;
    Ok(())
}

/// When the names of a helpdesk were read from its API.
pub fn read_at(db: &mut dyn Sql, origin: &str) -> Result<Option<i64>, Error> {
    let sql = "SELECT read_at FROM catalogues WHERE origin = $1 AND source = 'api'";
    db.query_one(sql, args![origin])?.map(|row| row.int(0)).transpose()
}
