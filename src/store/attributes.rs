//! The definitions of the site's attributes.

use super::{Error, Sql};
use crate::args;
use crate::core::attribute::{Definition, Definitions, Kind};

/// Waits until no other transaction creates attributes, so that no two names differ only by case; held
/// until the end of the transaction.
pub fn lock(db: &mut dyn Sql) -> Result<(), Error> {
    super::lock(db, "attributes")
}

/// All custom attributes, and which built-in ones are trusted.
pub fn all(db: &mut dyn Sql) -> Result<Definitions, Error> {
    let rows = db.query("SELECT name, type, searchable, proved FROM attributes ORDER BY name", &[])?;
    let mut definitions = Definitions::default();
    for row in &rows {
        let kind = Kind::parse(row.str(1)?)
            .ok_or_else(|| Error::Failed("an attribute has an unknown type".into()))?;
        let definition = Definition { kind, searchable: row.flag(2)?, proved: row.flag(3)? };
        definitions.restore(&row.text(0)?, definition);
    }
    Ok(definitions)
}

/// Deletes the definition of an attribute.
pub fn delete(db: &mut dyn Sql, name: &str) -> Result<(), Error> {
    db.execute("DELETE FROM attributes WHERE name = $1", args![name])?;
    Ok(())
}

/// Creates an attribute or changes it, or stores whether a built-in one is trusted.
pub fn put(db: &mut dyn Sql, name: &str, definition: &Definition, now: i64) -> Result<(), Error> {
    db.execute(
        "INSERT INTO attributes (name, name_key, type, searchable, proved, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO UPDATE
         SET type = excluded.type, searchable = excluded.searchable, proved = excluded.proved",
        args![
            name,
            name.to_lowercase(),
            definition.kind.as_str(),
            definition.searchable,
            definition.proved,
            now
        ],
    )?;
    Ok(())
}
