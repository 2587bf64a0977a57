//! Messengers: their settings as strings by name. Settings from the environment are not stored here.

use super::{Error, Row, Sql};
use crate::args;
use crate::core::id::MessengerId;
use crate::core::messenger::fields::Texts;

/// A messenger as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessenger {
    /// Its ID.
    pub id: MessengerId,
    /// Its settings.
    pub texts: Texts,
    /// Whether the stored settings are not a JSON object of strings, so that `texts` is empty. Reported
    /// per messenger, because one damaged row must not make the others unusable.
    pub damaged: bool,
    /// Whether it may be used.
    pub enabled: bool,
    /// Changes with each write, so that a second window is noticed: unix seconds and a counter.
    pub updated_at: i64,
}

/// All of them, by ID.
pub fn all(db: &mut dyn Sql) -> Result<Vec<StoredMessenger>, Error> {
    db.query("SELECT id, settings, enabled, updated_at FROM messengers ORDER BY id", &[])?
        .iter()
        .map(read)
        .collect()
}

/// One of them.
pub fn by_id(db: &mut dyn Sql, id: &MessengerId) -> Result<Option<StoredMessenger>, Error> {
    db.query_one("SELECT id, settings, enabled, updated_at FROM messengers WHERE id = $1", args![id])?
        .as_ref()
        .map(read)
        .transpose()
}

/// Holds a messenger's row until the transaction ends; `false` if there is none.
pub fn hold(db: &mut dyn Sql, id: &MessengerId) -> Result<bool, Error> {
    Ok(db.execute("UPDATE messengers SET enabled = enabled WHERE id = $1", args![id])? == 1)
}

/// Adds a messenger.
pub fn insert(db: &mut dyn Sql, id: &MessengerId, texts: &Texts, now: i64) -> Result<(), Error> {
    db.execute(
        "INSERT INTO messengers (id, settings, enabled, created_at, updated_at) VALUES ($1, $2, 1, $3, $3)",
        args![id, json(texts), now],
    )?;
    Ok(())
}

/// Stores the settings of a messenger.
pub fn update(db: &mut dyn Sql, kept: &StoredMessenger) -> Result<(), Error> {
    db.execute(
        "UPDATE messengers SET settings = $2, enabled = $3, updated_at = $4 WHERE id = $1",
        args![&kept.id, json(&kept.texts), kept.enabled, kept.updated_at],
    )?;
    Ok(())
}

fn json(texts: &Texts) -> String {
    serde_json::to_string(texts).expect("strings are JSON")
}

fn read(row: &Row) -> Result<StoredMessenger, Error> {
    let texts = serde_json::from_str(&row.text(1)?);
    Ok(StoredMessenger {
        id: row.text_as(0)?,
        damaged: texts.is_err(),
        texts: texts.unwrap_or_default(),
        enabled: row.flag(2)?,
        updated_at: row.int(3)?,
    })
}
