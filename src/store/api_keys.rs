//! API keys of the site's own servers: everything except the keys themselves, of which only a digest is
//! stored.

use super::{Error, Row, Sql, Tx, Value};
use crate::args;
use crate::core::api_key::{ApiKey, Scope};

const COLUMNS: &str = "id, name, hint, scopes, messengers, email_verified, created_by, created_at, expires_at, \
    used_at, revoked_at, prefix, code_until";

/// Adds a key.
pub fn insert(db: &mut dyn Sql, key: &ApiKey, digest: &str) -> Result<(), Error> {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    db.execute(
        "INSERT INTO api_keys (id, name, hint, scopes, messengers, email_verified, created_by, created_at,
         expires_at, digest, prefix) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        args![
            &key.id,
            &key.name,
            &key.hint,
            json(&scopes),
            json(&key.messengers),
            key.email_verified,
            &key.created_by,
            key.created_at,
            key.expires_at,
            digest,
            &key.prefix
        ],
    )?;
    Ok(())
}

/// The key with a digest, whatever its state.
pub fn by_digest(db: &mut dyn Sql, digest: &str) -> Result<Option<ApiKey>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE digest = $1");
    db.query_one(&sql, args![digest])?.as_ref().map(read).transpose()
}

/// The key with an ID.
pub fn by_id(db: &mut dyn Sql, id: &str) -> Result<Option<ApiKey>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE id = $1");
    db.query_one(&sql, args![id])?.as_ref().map(read).transpose()
}

/// Adds a key that waits for its connection code. Nobody has the secret of `digest` until the code is used.
pub fn insert_waiting(db: &mut dyn Sql, key: &ApiKey, digest: &str, code_digest: &str) -> Result<(), Error> {
    insert(db, key, digest)?;
    db.execute(
        "UPDATE api_keys SET code_digest = $2, code_until = $3 WHERE id = $1",
        args![&key.id, code_digest, key.code_until],
    )?;
    Ok(())
}

/// Whether a connection code was ever created.
pub fn has_code(db: &mut dyn Sql, code_digest: &str) -> Result<bool, Error> {
    Ok(db.query_one("SELECT id FROM api_keys WHERE code_digest = $1", args![code_digest])?.is_some())
}

/// The key of a connection code, held to the end of the transaction.
pub fn hold_by_code(tx: &mut Tx<'_>, code_digest: &str) -> Result<Option<ApiKey>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE code_digest = $1");
    tx.hold("api_keys", &sql, args![code_digest])?.first().map(read).transpose()
}

/// Gives a waiting key its digest and the hint that is shown; its connection code stops working.
pub fn collect(tx: &mut Tx<'_>, key: &ApiKey, digest: &str) -> Result<(), Error> {
    tx.execute(
        "UPDATE api_keys SET digest = $2, hint = $3, expires_at = $4, created_at = $5, code_until = NULL WHERE id = $1",
        args![&key.id, digest, &key.hint, key.expires_at, key.created_at],
    )?;
    Ok(())
}

/// All keys, newest first.
pub fn all(db: &mut dyn Sql) -> Result<Vec<ApiKey>, Error> {
    db.query(&format!("SELECT {COLUMNS} FROM api_keys ORDER BY id DESC"), &[])?.iter().map(read).collect()
}

/// The names of keys, by their IDs; unknown IDs are left out.
pub fn names(db: &mut dyn Sql, ids: &[&str]) -> Result<Vec<(String, String)>, Error> {
    let places: Vec<String> = (1..=ids.len()).map(|n| format!("${n}")).collect();
    let args: Vec<Value> = ids.iter().map(|id| Value::from(*id)).collect();
    let sql = format!("SELECT id, name FROM api_keys WHERE id IN ({})", places.join(", "));
    db.query(&sql, &args)?.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// Holds a key until the end of the transaction: a request that revokes it now waits, and then finds
/// what was started with it.
pub fn hold(tx: &mut Tx<'_>, id: &str) -> Result<Option<ApiKey>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE id = $1");
    tx.hold("api_keys", &sql, args![id])?.first().map(read).transpose()
}

/// Revokes a key; `false` if it was revoked before.
pub fn revoke(db: &mut dyn Sql, id: &str, now: i64) -> Result<bool, Error> {
    let sql = "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    Ok(db.execute(sql, args![id, now])? == 1)
}

/// Sets times in the future to now, because the clock was set back: keys keep their remaining lifetime.
pub fn pull_back(db: &mut dyn Sql, now: i64) -> Result<u64, Error> {
    let sql = "UPDATE api_keys SET expires_at = expires_at - (created_at - $1), code_until = code_until - (created_at - $1),
         created_at = $1 WHERE created_at > $1";
    let moved = db.execute(sql, args![now])?;
    Ok(moved + db.execute("UPDATE api_keys SET used_at = $1 WHERE used_at > $1", args![now])?)
}

/// Whether a key was created or used after a given time.
pub fn is_any_after(db: &mut dyn Sql, moment: i64) -> Result<bool, Error> {
    let sql = "SELECT id FROM api_keys WHERE created_at > $1 OR used_at > $1 LIMIT 1";
    Ok(db.query_one(sql, args![moment])?.is_some())
}

/// Records that a key was used.
pub fn touch(db: &mut dyn Sql, id: &str, now: i64) -> Result<(), Error> {
    db.execute("UPDATE api_keys SET used_at = $2 WHERE id = $1", args![id, now])?;
    Ok(())
}

fn json(words: &impl serde::Serialize) -> String {
    serde_json::to_string(words).expect("a list of strings is JSON")
}

fn list<T: serde::de::DeserializeOwned>(row: &Row, column: usize) -> Result<Vec<T>, Error> {
    serde_json::from_str(&row.text(column)?).map_err(|error| Error::Failed(error.into()))
}

fn read(row: &Row) -> Result<ApiKey, Error> {
    Ok(ApiKey {
        id: row.text(0)?,
        name: row.text(1)?,
        hint: row.text(2)?,
        // A scope of a newer version of the program gives no right here.
        scopes: list::<String>(row, 3)?.iter().filter_map(|word| Scope::parse(word)).collect(),
        messengers: list(row, 4)?,
        email_verified: row.flag(5)?,
        created_by: row.text(6)?,
        created_at: row.int(7)?,
        expires_at: row.int(8)?,
        used_at: row.opt_int(9)?,
        revoked_at: row.opt_int(10)?,
        prefix: row.text(11)?,
        code_until: row.opt_int(12)?,
    })
}
