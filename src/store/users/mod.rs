//! The local user table. Built-in attributes are columns, custom ones are JSON; callers see one map.
//! This file reads users; `held` contains everything that writes them.

use std::collections::HashMap;

mod held;

use super::sql::{self, empty_for_none};
use super::{Error, Row, Sql};
use crate::args;
use crate::core::address::Address;
use crate::core::attribute::{Attributes, Value};
use crate::core::desk::Persons;
use crate::core::id::UserId;
use crate::core::user::{Login, Role, User};
pub use held::{
    Held, by_login_held, delete, hold, hold_all, insert, park, password_hash, rekey, rekey_all, set_password,
    set_persons, settle_origin, update,
};

/// Built-in attributes in the order of [`COLUMNS`], from the column after `login`.
const TEXTS: [&str; 8] =
    ["external_id", "email", "display_name", "first_name", "last_name", "language", "timezone", "deskpro_id"];
const COLUMNS: &str = "id, login, external_id, email, display_name, first_name, last_name, language, \
    timezone, deskpro_id, email_verified, custom, role, disabled, created_at, updated_at, gone_at";
/// The columns that are read; those behind [`COLUMNS`] are written elsewhere.
const READ: &str = "id, login, external_id, email, display_name, first_name, last_name, language, timezone, deskpro_id, \
    email_verified, custom, role, disabled, created_at, updated_at, gone_at, people, deskpro_origin";

/// The same columns of a table that a join names `u`.
pub(super) fn columns_of_u() -> String {
    READ.split(", ").map(|column| format!("u.{}", column.trim())).collect::<Vec<_>>().join(", ")
}

/// How many columns [`read`] reads.
pub(super) const WIDTH: usize = 19;

pub(super) fn read(row: &Row) -> Result<User, Error> {
    read_from(row, 0)
}

/// The same for a row whose columns start at `first`.
pub(super) fn read_from(row: &Row, first: usize) -> Result<User, Error> {
    let login = Login::stored(row.text(first + 1)?);
    let custom: Attributes = serde_json::from_str(row.str(first + 11)?)
        .map_err(|error| Error::Failed(format!("custom attributes of {login}: {error}").into()))?;
    let mut attributes = custom;
    attributes.set("login", Value::Text(login.as_str().to_owned()));
    for (column, name) in TEXTS.iter().enumerate() {
        if let Some(text) = row.opt_text(first + column + 2)? {
            attributes.set(*name, Value::Text(text));
        }
    }
    if let Some(verified) = row.opt_int(first + 10)? {
        attributes.set("email_verified", Value::YesNo(verified != 0));
    }
    Ok(User {
        id: row.text_as(first)?,
        login,
        role: Role::parse(row.str(first + 12)?),
        disabled: row.flag(first + 13)?,
        attributes,
        created_at: row.int(first + 14)?,
        updated_at: row.int(first + 15)?,
        gone_at: row.opt_int(first + 16)?,
        persons: Persons::stored(row.str(first + 17)?),
        deskpro_origin: row.opt_text(first + 18)?,
    })
}

fn one(db: &mut dyn Sql, condition: &str, key: &str) -> Result<Option<User>, Error> {
    db.query_one(&format!("SELECT {READ} FROM users WHERE {condition} = $1"), args![key])?
        .as_ref()
        .map(read)
        .transpose()
}

/// The user with an ID.
pub fn by_id(db: &mut dyn Sql, id: &UserId) -> Result<Option<User>, Error> {
    one(db, "id", id.as_str())
}

/// The placeholders between the brackets of `IN (…)` for some IDs.
fn places(ids: &[&UserId]) -> (String, Vec<sql::Value>) {
    let places: Vec<String> = (1..=ids.len()).map(|n| format!("${n}")).collect();
    (places.join(", "), ids.iter().map(|id| (*id).into()).collect())
}

/// The users with some IDs, in their order; unknown IDs are left out.
pub fn by_ids(db: &mut dyn Sql, ids: &[UserId]) -> Result<Vec<User>, Error> {
    let mut found = Vec::new();
    for ids in ids.chunks(200) {
        let (places, args) = places(&ids.iter().collect::<Vec<_>>());
        let sql = format!("SELECT {READ} FROM users WHERE id IN ({places}) ORDER BY id");
        for row in db.query(&sql, &args)? {
            found.push(read(&row)?);
        }
    }
    Ok(found)
}

/// The logins of users by their IDs; unknown IDs are left out.
pub fn logins(db: &mut dyn Sql, ids: &[&UserId]) -> Result<HashMap<UserId, String>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (places, args) = places(ids);
    let sql = format!("SELECT id, login FROM users WHERE id IN ({places})");
    db.query(&sql, &args)?.iter().map(|row| Ok((row.text_as(0)?, row.text(1)?))).collect()
}

/// The user with a login.
pub fn by_login(db: &mut dyn Sql, login: &Login) -> Result<Option<User>, Error> {
    one(db, "login", login.as_str())
}

/// The user with the site's own user ID.
pub fn by_external_id(db: &mut dyn Sql, external_id: &str) -> Result<Option<User>, Error> {
    one(db, "external_id", external_id)
}

/// One of the users who have an external ID.
pub fn any_with_external_id(db: &mut dyn Sql) -> Result<Option<User>, Error> {
    let sql = format!("SELECT {READ} FROM users WHERE external_id IS NOT NULL LIMIT 1");
    db.query(&sql, &[])?.first().map(read).transpose()
}

/// The user with an address, ignoring case.
pub fn by_address(db: &mut dyn Sql, address: &Address) -> Result<Option<User>, Error> {
    one(db, "email_key", &address.folded())
}

/// The users who have an external ID, a login, or an address (folded): usually none or one.
pub fn by_any_key(
    db: &mut dyn Sql,
    external_id: Option<&str>,
    login: Option<&str>,
    email_key: Option<&str>,
) -> Result<Vec<User>, Error> {
    db.query(
        &format!("SELECT {READ} FROM users WHERE external_id = $1 OR login = $2 OR email_key = $3"),
        args![external_id, login, email_key],
    )?
    .iter()
    .map(read)
    .collect()
}

/// Users with IDs above `after` (`None`: from the first one), in the order of IDs (so the oldest first),
/// at most `limit`. IDs never change, so a caller that reads page by page sees every user once,
/// including users who are renamed in the meantime.
pub fn page(db: &mut dyn Sql, after: Option<&UserId>, limit: i64) -> Result<Vec<User>, Error> {
    db.query(
        &format!("SELECT {READ} FROM users WHERE id > $1 ORDER BY id LIMIT $2"),
        args![empty_for_none(after), limit],
    )?
    .iter()
    .map(read)
    .collect()
}

/// The IDs of users above `after`, in their order, at most `limit`.
pub fn ids_after(db: &mut dyn Sql, after: Option<&UserId>, limit: i64) -> Result<Vec<UserId>, Error> {
    db.query("SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT $2", args![empty_for_none(after), limit])?
        .iter()
        .map(|row| row.text_as(0))
        .collect()
}

/// How many users there are.
pub fn count(db: &mut dyn Sql) -> Result<i64, Error> {
    db.query_one("SELECT COUNT(*) FROM users", &[])?.map_or(Ok(0), |row| row.int(0))
}

/// Users with a search key that starts with `prefix`, in the order of (key, ID), at most `limit`.
/// `after` is the key and ID of the last one seen.
pub fn search(
    db: &mut dyn Sql,
    prefix: &str,
    after: Option<(&str, &UserId)>,
    limit: i64,
) -> Result<Vec<(String, User)>, Error> {
    let (key, id) = after.map_or((prefix, ""), |(key, id)| (key, id.as_str()));
    let columns = columns_of_u();
    let mut args = args![key, id, limit].to_vec();
    let below = match end_of(prefix) {
        Some(end) => {
            args.push(end.into());
            "AND k.key < $4"
        }
        None => "",
    };
    db.query(
        &format!(
            "SELECT {columns}, k.key FROM user_keys k JOIN users u ON u.id = k.user_id
             WHERE k.key >= $1 AND (k.key > $1 OR k.user_id > $2) {below}
             ORDER BY k.key, k.user_id LIMIT $3"
        ),
        &args,
    )?
    .iter()
    .map(|row| Ok((row.text(WIDTH)?, read(row)?)))
    .collect()
}

/// The first string above all strings that start with a prefix; `None` if there is no such string.
fn end_of(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        // Nothing follows the last scalar value; then the character before it is advanced.
        if let Some(next) = (last..=char::MAX).nth(1) {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

/// What checking a password needs: the ID, whether the user is disabled, and the stored hash.
pub struct Credentials {
    /// The user's ID.
    pub id: UserId,
    /// Disabled users are refused after the same work.
    pub disabled: bool,
    /// PHC string; `None` for users who cannot sign in with a password.
    pub password_hash: Option<String>,
    /// Admins have shorter sessions.
    pub role: Role,
}

/// The credentials of a login.
pub fn credentials(db: &mut dyn Sql, login: &Login) -> Result<Option<Credentials>, Error> {
    db.query_one(
        "SELECT id, disabled, password_hash, role FROM users WHERE login = $1",
        args![login.as_str()],
    )?
    .map(|row| {
        Ok(Credentials {
            id: row.text_as(0)?,
            disabled: row.flag(1)?,
            password_hash: row.opt_text(2)?,
            role: Role::parse(row.str(3)?),
        })
    })
    .transpose()
}

/// Whether a user has a password.
pub fn has_password(db: &mut dyn Sql, id: &UserId) -> Result<bool, Error> {
    let row = db.query_one("SELECT id FROM users WHERE id = $1 AND password_hash IS NOT NULL", args![id])?;
    Ok(row.is_some())
}

/// Whether only a login and attributes are known about a user: no ID of the site, no person at Deskpro,
/// no verified address, no password, no sign-in. Nothing is lost if another user turns out to be meant.
pub fn is_bare(db: &mut dyn Sql, user: &User) -> Result<bool, Error> {
    let has = |name: &str| user.attributes.get(name).is_some();
    if has("external_id") || has("deskpro_id") || user.attributes.email_verified() == Some(true) {
        return Ok(false);
    }
    let row = db.query_one(
        "SELECT id FROM users WHERE id = $1 AND (password_hash IS NOT NULL
         OR EXISTS (SELECT digest FROM sessions WHERE user_id = $1)
         OR EXISTS (SELECT id FROM devices WHERE user_id = $1))",
        args![&user.id],
    )?;
    Ok(row.is_none())
}

/// A user other than `id` who has a `deskpro_id`, if there is one.
pub fn other_with_deskpro_id(db: &mut dyn Sql, deskpro_id: &str, id: &UserId) -> Result<Option<User>, Error> {
    db.query_one(
        &format!("SELECT {READ} FROM users WHERE deskpro_id = $1 AND id <> $2 ORDER BY id LIMIT 1"),
        args![deskpro_id, id],
    )?
    .as_ref()
    .map(read)
    .transpose()
}

/// How many admins can sign in. Call under the lock `admins` before removing one.
pub fn enabled_admins(db: &mut dyn Sql) -> Result<i64, Error> {
    db.query_one("SELECT COUNT(*) FROM users WHERE role = 'admin' AND disabled = 0", &[])?
        .map_or(Ok(0), |row| row.int(0))
}
