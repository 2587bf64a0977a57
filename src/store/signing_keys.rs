//! Secrets shared with Deskpro, encrypted. A key from the environment is never stored here.

use super::{Error, Row, Sql, secrets};
use crate::args;
use crate::core::id::MessengerId;
use crate::core::secret::{Encoding, KeyState};

/// A key as it is stored. Times in unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedKey {
    /// Its ID.
    pub id: String,
    /// The messenger it belongs to.
    pub messenger_id: MessengerId,
    /// What it is used for.
    pub state: KeyState,
    /// The key as it was added, encrypted.
    pub sealed: String,
    /// The encoding of the key.
    pub encoding: Encoding,
    /// When it was added.
    pub created_at: i64,
    /// When its state last changed.
    pub changed_at: i64,
}

const SELECT: &str = "SELECT k.id, k.messenger_id, k.state, s.sealed, k.encoding, k.created_at, k.changed_at \
    FROM signing_keys k JOIN secrets s ON s.id = k.id";

/// The keys of a messenger, newest first.
pub fn of(db: &mut dyn Sql, messenger: &MessengerId) -> Result<Vec<SealedKey>, Error> {
    let sql = format!("{SELECT} WHERE k.messenger_id = $1 ORDER BY k.id DESC");
    db.query(&sql, args![messenger])?.iter().map(read).collect()
}

/// The key that signs a messenger's tokens.
pub fn active(db: &mut dyn Sql, messenger: &MessengerId) -> Result<Option<SealedKey>, Error> {
    let sql = format!("{SELECT} WHERE k.messenger_id = $1 AND k.state = 'active' LIMIT 1");
    db.query_one(&sql, args![messenger])?.as_ref().map(read).transpose()
}

/// Whether any messenger has a key that signs.
pub fn any_active(db: &mut dyn Sql) -> Result<bool, Error> {
    Ok(db.query_one("SELECT id FROM signing_keys WHERE state = 'active' LIMIT 1", &[])?.is_some())
}

/// Adds a key.
pub fn insert(db: &mut dyn Sql, key: &SealedKey) -> Result<(), Error> {
    db.execute(
        "INSERT INTO signing_keys (id, messenger_id, state, encoding, created_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        args![
            &key.id,
            &key.messenger_id,
            key.state.as_str(),
            key.encoding.as_str(),
            key.created_at,
            key.changed_at
        ],
    )?;
    secrets::put(db, &key.id, secrets::SIGNING_KEY, &key.sealed)
}

/// Sets the state of a key.
pub fn set_state(db: &mut dyn Sql, id: &str, state: KeyState, now: i64) -> Result<(), Error> {
    db.execute(
        "UPDATE signing_keys SET state = $2, changed_at = $3 WHERE id = $1",
        args![id, state.as_str(), now],
    )?;
    Ok(())
}

/// Deletes a key.
pub fn delete(db: &mut dyn Sql, id: &str) -> Result<(), Error> {
    db.execute("DELETE FROM signing_keys WHERE id = $1", args![id])?;
    secrets::delete(db, id)
}

fn read(row: &Row) -> Result<SealedKey, Error> {
    let encoding = row.text(4)?;
    Ok(SealedKey {
        id: row.text(0)?,
        messenger_id: row.text_as(1)?,
        state: KeyState::parse(row.str(2)?),
        sealed: row.text(3)?,
        encoding: Encoding::parse(&encoding)
            .ok_or_else(|| Error::Failed(format!("a key has the encoding '{encoding}'").into()))?,
        created_at: row.int(5)?,
        changed_at: row.int(6)?,
    })
}
