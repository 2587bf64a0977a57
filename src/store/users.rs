//! The local user table. Attributes are columns where they are built in and JSON where they are
//! custom; callers see one map.

use std::collections::HashMap;

use super::{Error, Row, Sql, sql};
use crate::args;
use crate::core::address::Address;
use crate::core::attribute::{Attributes, BUILT_IN, Definitions, Value};
use crate::core::user::{Login, Role, User};

/// Built-in attributes in the order of [`COLUMNS`], from the column after `login`.
const TEXTS: [&str; 8] =
    ["external_id", "email", "display_name", "first_name", "last_name", "language", "timezone", "deskpro_id"];
const COLUMNS: &str = "id, login, external_id, email, display_name, first_name, last_name, language, \
    timezone, deskpro_id, email_verified, custom, role, disabled, created_at, updated_at";

/// The same columns of a table that a join calls `u`.
pub(super) fn columns_of_u() -> String {
    COLUMNS.split(", ").map(|column| format!("u.{}", column.trim())).collect::<Vec<_>>().join(", ")
}

/// How many columns [`read`] takes.
pub(super) const WIDTH: usize = 16;

pub(super) fn read(row: &Row) -> Result<User, Error> {
    read_from(row, 0)
}

/// The same of a row whose columns begin at `first`.
pub(super) fn read_from(row: &Row, first: usize) -> Result<User, Error> {
    let login = row.text(first + 1)?;
    let login = Login::parse(&login)
        .map_err(|error| Error::Failed(format!("login of user {}: {error}", row.0.len()).into()))?;
    let custom: Attributes = serde_json::from_str(&row.text(first + 11)?)
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
        id: row.text(first)?,
        login,
        role: Role::parse(&row.text(first + 12)?),
        disabled: row.flag(first + 13)?,
        attributes,
        created_at: row.int(first + 14)?,
        updated_at: row.int(first + 15)?,
    })
}

fn values(user: &User) -> Result<Vec<super::Value>, Error> {
    let custom: Attributes = user
        .attributes
        .iter()
        .filter(|(name, _)| !BUILT_IN.contains(name))
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    let custom = serde_json::to_string(&custom).map_err(|error| Error::Failed(error.into()))?;
    let email_key =
        user.text("email").and_then(|email| Address::parse(&email).ok()).map(|email| email.folded());
    let verified = user.attributes.email_verified();
    let mut values = vec![super::Value::from(&user.id), user.login.as_str().into()];
    values.extend(TEXTS.iter().map(|name| user.text(name).into()));
    values.extend([verified.map(i64::from).into(), custom.into(), user.role.as_str().into()]);
    values.extend([user.disabled.into(), user.created_at.into(), user.updated_at.into(), email_key.into()]);
    Ok(values)
}

fn one(db: &mut dyn Sql, condition: &str, key: &str) -> Result<Option<User>, Error> {
    db.query_one(&format!("SELECT {COLUMNS} FROM users WHERE {condition} = $1"), args![key])?
        .as_ref()
        .map(read)
        .transpose()
}

/// The user with an id.
pub fn by_id(db: &mut dyn Sql, id: &str) -> Result<Option<User>, Error> {
    one(db, "id", id)
}

/// The logins of users by their ids; ids that nobody has are left out.
pub fn logins(db: &mut dyn Sql, ids: &[&str]) -> Result<HashMap<String, String>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let places: Vec<String> = (1..=ids.len()).map(|n| format!("${n}")).collect();
    let args: Vec<sql::Value> = ids.iter().map(|id| sql::Value::Text((*id).to_owned())).collect();
    let sql = format!("SELECT id, login FROM users WHERE id IN ({})", places.join(", "));
    db.query(&sql, &args)?.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// The user with a login.
pub fn by_login(db: &mut dyn Sql, login: &Login) -> Result<Option<User>, Error> {
    one(db, "login", login.as_str())
}

/// The user with the site's own key.
pub fn by_external_id(db: &mut dyn Sql, external_id: &str) -> Result<Option<User>, Error> {
    one(db, "external_id", external_id)
}

/// The user with an address, whatever its capitals.
pub fn by_address(db: &mut dyn Sql, address: &Address) -> Result<Option<User>, Error> {
    one(db, "email_key", &address.folded())
}

/// The users who have an external id, a login, or an address (folded): usually none or one.
pub fn by_any_key(
    db: &mut dyn Sql,
    external_id: Option<&str>,
    login: Option<&str>,
    email_key: Option<&str>,
) -> Result<Vec<User>, Error> {
    db.query(
        &format!("SELECT {COLUMNS} FROM users WHERE external_id = $1 OR login = $2 OR email_key = $3"),
        args![external_id, login, email_key],
    )?
    .iter()
    .map(read)
    .collect()
}

/// Users in the order of their logins, above `after`, at most `limit`.
pub fn page(db: &mut dyn Sql, after: &str, limit: i64) -> Result<Vec<User>, Error> {
    db.query(
        &format!("SELECT {COLUMNS} FROM users WHERE login > $1 ORDER BY login LIMIT $2"),
        args![after, limit],
    )?
    .iter()
    .map(read)
    .collect()
}

/// How many users there are.
pub fn count(db: &mut dyn Sql) -> Result<i64, Error> {
    db.query_one("SELECT COUNT(*) FROM users", &[])?.map_or(Ok(0), |row| row.int(0))
}

/// Users of whom a search key begins with `prefix`, in the order of (key, id), at most `limit`.
/// `after` is the key and id of the last one seen.
pub fn search(
    db: &mut dyn Sql,
    prefix: &str,
    after: Option<(&str, &str)>,
    limit: i64,
) -> Result<Vec<(String, User)>, Error> {
    let (key, id) = after.unwrap_or((prefix, ""));
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

/// The first text above all that begin with a prefix; `None` when every text above it does.
fn end_of(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        // Nothing follows the last scalar value; then the letter before it is moved on.
        if let Some(next) = (last..=char::MAX).nth(1) {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

/// Adds a user. `Conflict` names the column that is taken.
pub fn insert(db: &mut dyn Sql, user: &User, definitions: &Definitions) -> Result<(), Error> {
    db.execute(
        &format!(
            "INSERT INTO users ({COLUMNS}, email_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        ),
        &values(user)?,
    )?;
    add_keys(db, user, definitions)
}

/// Writes a user's login, attributes, role and state. `Conflict` names the column that is taken.
pub fn update(db: &mut dyn Sql, user: &User, definitions: &Definitions) -> Result<(), Error> {
    db.execute(
        "UPDATE users SET login = $2, external_id = $3, email = $4, display_name = $5, first_name = $6,
         last_name = $7, language = $8, timezone = $9, deskpro_id = $10, email_verified = $11, custom = $12,
         role = $13, disabled = $14, created_at = $15, updated_at = $16, email_key = $17 WHERE id = $1",
        &values(user)?,
    )?;
    db.execute("DELETE FROM user_keys WHERE user_id = $1", args![&user.id])?;
    add_keys(db, user, definitions)
}

fn add_keys(db: &mut dyn Sql, user: &User, definitions: &Definitions) -> Result<(), Error> {
    let rows: Vec<_> = user.keys(definitions).iter().map(|key| args![key, &user.id].to_vec()).collect();
    db.execute_all("INSERT INTO user_keys (key, user_id) VALUES ($1, $2)", &rows)?;
    Ok(())
}

/// What judging a password needs: the id, whether the user is disabled, and the stored hash.
pub struct Credentials {
    /// The user's id.
    pub id: String,
    /// Disabled users are refused after the same work.
    pub disabled: bool,
    /// PHC string; `None` for users who cannot sign in with a password.
    pub password_hash: Option<String>,
    /// Admins have shorter sessions.
    pub role: Role,
}

/// The credentials behind a login.
pub fn credentials(db: &mut dyn Sql, login: &Login) -> Result<Option<Credentials>, Error> {
    db.query_one(
        "SELECT id, disabled, password_hash, role FROM users WHERE login = $1",
        args![login.as_str()],
    )?
    .map(|row| {
        Ok(Credentials {
            id: row.text(0)?,
            disabled: row.flag(1)?,
            password_hash: row.opt_text(2)?,
            role: Role::parse(&row.text(3)?),
        })
    })
    .transpose()
}

/// Takes a user's row until the transaction ends; `false` when the user is gone or disabled. Whoever
/// disables the user or sets a password at this moment is either waited for, or finds what is begun
/// now and ends it. INSERT … SELECT would read the row as it was before.
pub(super) fn hold_enabled(db: &mut dyn Sql, id: &str) -> Result<bool, Error> {
    Ok(db.execute("UPDATE users SET disabled = 0 WHERE id = $1 AND disabled = 0", args![id])? == 1)
}

/// Takes a user's row until the transaction ends.
pub fn hold(db: &mut dyn Sql, id: &str) -> Result<(), Error> {
    db.execute("UPDATE users SET updated_at = updated_at WHERE id = $1", args![id])?;
    Ok(())
}

/// Takes a user's row until the transaction ends, if the stored hash is still this one.
pub fn hold_password(db: &mut dyn Sql, id: &str, hash: &str) -> Result<bool, Error> {
    let held = db.execute(
        "UPDATE users SET password_hash = $2 WHERE id = $1 AND password_hash = $2",
        args![id, hash],
    )?;
    Ok(held == 1)
}

/// Stores a password hash; `None` takes the password away.
pub fn set_password(db: &mut dyn Sql, id: &str, hash: Option<&str>) -> Result<(), Error> {
    db.execute("UPDATE users SET password_hash = $2 WHERE id = $1", args![id, hash])?;
    Ok(())
}

/// Whether a user has a password.
pub fn has_password(db: &mut dyn Sql, id: &str) -> Result<bool, Error> {
    let row = db.query_one("SELECT id FROM users WHERE id = $1 AND password_hash IS NOT NULL", args![id])?;
    Ok(row.is_some())
}

/// How many admins could sign in. Call under the lock `admins` before taking one away.
pub fn enabled_admins(db: &mut dyn Sql) -> Result<i64, Error> {
    db.query_one("SELECT COUNT(*) FROM users WHERE role = 'admin' AND disabled = 0", &[])?
        .map_or(Ok(0), |row| row.int(0))
}

/// Deletes a user with sessions and search keys.
pub fn delete(db: &mut dyn Sql, id: &str) -> Result<bool, Error> {
    Ok(db.execute("DELETE FROM users WHERE id = $1", args![id])? == 1)
}
