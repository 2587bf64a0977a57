//! Writing users. A user is written by the transaction that holds the row, or in single columns under a
//! condition: what a writer has read stays true until it has written, so that neither of two writers
//! undoes the other's change. There is no third way, and a [`Held`] cannot leave its transaction.

use std::marker::PhantomData;

use super::{COLUMNS, READ, TEXTS, places, read};
use crate::args;
use crate::core::attribute::{Attributes, BUILT_IN, Definitions};
use crate::core::desk::Persons;
use crate::core::id::UserId;
use crate::core::user::{Login, User};
use crate::store::{Error, Row, Sql, Tx, Value, facts};

/// The maximum number of users in one statement.
const AT_ONCE: usize = 100;

/// The helpdesk that a `deskpro_id` belongs to when it is written.
const DEFAULT_ORIGIN: &str = "SELECT value FROM facts WHERE name = 'default_origin'";

/// A user whose row this transaction holds: unchanged by others until the commit.
pub struct Held<'tx> {
    user: User,
    transaction: PhantomData<&'tx ()>,
}

impl std::ops::Deref for Held<'_> {
    type Target = User;

    fn deref(&self) -> &User {
        &self.user
    }
}

fn hold_by<'tx>(tx: &mut Tx<'tx>, column: &str, key: &str) -> Result<Option<Held<'tx>>, Error> {
    let rows = tx.hold("users", &format!("SELECT {READ} FROM users WHERE {column} = $1"), args![key])?;
    let Some(row) = rows.first() else { return Ok(None) };
    take(tx, row).map(Some)
}

fn take<'tx>(tx: &mut Tx<'tx>, row: &Row) -> Result<Held<'tx>, Error> {
    let user = read(row)?;
    tx.take_user(&user.id)?;
    Ok(Held { user, transaction: PhantomData })
}

/// Holds the user with an ID; `None` if there is none.
pub fn hold<'tx>(tx: &mut Tx<'tx>, id: &UserId) -> Result<Option<Held<'tx>>, Error> {
    hold_by(tx, "id", id.as_str())
}

/// Holds the user with a login; `None` if there is none.
pub fn by_login_held<'tx>(tx: &mut Tx<'tx>, login: &Login) -> Result<Option<Held<'tx>>, Error> {
    hold_by(tx, "login", login.as_str())
}

/// Holds several users, in the order of their IDs; users who do not exist are left out.
pub fn hold_all<'tx>(tx: &mut Tx<'tx>, ids: &[&UserId]) -> Result<Vec<Held<'tx>>, Error> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut held = Vec::new();
    for ids in ids.chunks(AT_ONCE) {
        let (places, args) = places(ids);
        let sql = format!("SELECT {READ} FROM users WHERE id IN ({places}) ORDER BY id");
        for row in tx.hold("users", &sql, &args)? {
            held.push(take(tx, &row)?);
        }
    }
    Ok(held)
}

fn values(user: &User) -> Result<Vec<Value>, Error> {
    let custom: Attributes = user
        .attributes
        .iter()
        .filter(|(name, _)| !BUILT_IN.contains(name))
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    let custom = serde_json::to_string(&custom).map_err(|error| Error::Failed(error.into()))?;
    let verified = user.attributes.email_verified();
    let mut values = vec![Value::from(&user.id), user.login.as_str().into()];
    values.extend(TEXTS.iter().map(|name| user.text(name).into()));
    values.extend([verified.map(i64::from).into(), custom.into(), user.role.as_str().into()]);
    values.extend([user.disabled.into(), user.created_at.into(), user.updated_at.into()]);
    values.extend([user.gone_at.into(), user.email_key().into()]);
    Ok(values)
}

/// Adds a user. `Conflict` names the column whose value is taken.
pub fn insert<'tx>(tx: &mut Tx<'tx>, user: &User, definitions: &Definitions) -> Result<Held<'tx>, Error> {
    tx.execute(
        &format!(
            "INSERT INTO users ({COLUMNS}, email_key, deskpro_origin) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
             $12, $13, $14, $15, $16, $17, $18, CASE WHEN CAST($10 AS TEXT) IS NULL THEN NULL ELSE ({DEFAULT_ORIGIN}) END)"
        ),
        &values(user)?,
    )?;
    tx.insert_all("INSERT INTO user_keys (key, user_id)", "", &keys(user, definitions))?;
    Ok(Held { user: user.clone(), transaction: PhantomData })
}

/// Writes a user's login, attributes, role and state over the held row. `Conflict` names the column
/// whose value is taken.
pub fn update(
    tx: &mut Tx<'_>,
    held: &mut Held<'_>,
    user: &User,
    definitions: &Definitions,
) -> Result<(), Error> {
    if user.id != held.user.id {
        return Err(Error::Failed("one user is held and another one written".into()));
    }
    let sql = format!(
        "UPDATE users SET login = $2, external_id = $3, email = $4, display_name = $5, first_name = $6,
         last_name = $7, language = $8, timezone = $9, deskpro_id = $10, email_verified = $11, custom = $12,
         role = $13, disabled = $14, created_at = $15, updated_at = $16, gone_at = $17, email_key = $18,
         deskpro_origin = CASE WHEN CAST($10 AS TEXT) IS NULL THEN NULL WHEN deskpro_id = $10 THEN deskpro_origin
         ELSE ({DEFAULT_ORIGIN}) END WHERE id = $1"
    );
    tx.execute(&sql, &values(user)?)?;
    let has_other_keys = user.keys(definitions) != held.user.keys(definitions);
    held.user = user.clone();
    if has_other_keys { rekey(tx, held, definitions) } else { Ok(()) }
}

/// Writes a user's search keys again, after the definition of an attribute changed.
pub fn rekey(tx: &mut Tx<'_>, held: &Held<'_>, definitions: &Definitions) -> Result<(), Error> {
    rekey_all(tx, std::slice::from_ref(held), definitions)
}

/// The same for several users.
pub fn rekey_all(tx: &mut Tx<'_>, held: &[Held<'_>], definitions: &Definitions) -> Result<(), Error> {
    for held in held.chunks(AT_ONCE) {
        let ids: Vec<&UserId> = held.iter().map(|held| &held.id).collect();
        let (places, args) = places(&ids);
        tx.execute(&format!("DELETE FROM user_keys WHERE user_id IN ({places})"), &args)?;
        let keys: Vec<_> = held.iter().flat_map(|held| keys(&held.user, definitions)).collect();
        tx.insert_all("INSERT INTO user_keys (key, user_id)", "", &keys)?;
    }
    Ok(())
}

/// A user's rows of search keys.
fn keys(user: &User, definitions: &Definitions) -> Vec<Vec<Value>> {
    user.keys(definitions).iter().map(|key| args![key, &user.id].to_vec()).collect()
}

/// Frees a user's login and address, so that other users who are held can take them: the login is
/// replaced by one made from the ID, and the address belongs to no user. [`update`] must follow in the
/// same transaction.
pub fn park(tx: &mut Tx<'_>, held: &Held<'_>) -> Result<(), Error> {
    let login = format!("parked~{}", held.id);
    tx.execute("UPDATE users SET login = $2, email_key = NULL WHERE id = $1", args![&held.id, login])?;
    Ok(())
}

/// The stored hash of a user's password, if there is one.
pub fn password_hash(tx: &mut Tx<'_>, held: &Held<'_>) -> Result<Option<String>, Error> {
    let row = tx.query_one("SELECT password_hash FROM users WHERE id = $1", args![&held.id])?;
    row.map_or(Ok(None), |row| row.opt_text(0))
}

/// Stores a password hash; `None` removes the password.
pub fn set_password(tx: &mut Tx<'_>, held: &Held<'_>, hash: Option<&str>) -> Result<(), Error> {
    tx.execute("UPDATE users SET password_hash = $2 WHERE id = $1", args![&held.id, hash])?;
    Ok(())
}

/// Stores which persons a user is, by desk. Returns whether that is a change.
pub fn set_persons(tx: &mut Tx<'_>, held: &mut Held<'_>, persons: &Persons) -> Result<bool, Error> {
    if held.user.persons == *persons {
        return Ok(false);
    }
    tx.execute("UPDATE users SET people = $2 WHERE id = $1", args![&held.user.id, persons.as_str()])?;
    held.user.persons = persons.clone();
    Ok(true)
}

/// Stores the helpdesk of the messenger `default`, to which a `deskpro_id` belongs that is written from now on, and those
/// that were written before there was one. Returns whether that is a change.
pub fn settle_origin(tx: &mut Tx<'_>, origin: &str) -> Result<bool, Error> {
    tx.lock_bulk()?;
    if facts::of(tx, "default_origin")?.as_deref() == Some(origin) {
        return Ok(false);
    }
    facts::put(tx, "default_origin", origin)?;
    tx.execute(
        "UPDATE users SET deskpro_origin = $1 WHERE deskpro_id IS NOT NULL AND deskpro_origin IS NULL",
        args![origin],
    )?;
    Ok(true)
}

/// Deletes a user with sessions and search keys.
#[expect(clippy::needless_pass_by_value, reason = "a deleted user is no longer held")]
pub fn delete(tx: &mut Tx<'_>, held: Held<'_>) -> Result<(), Error> {
    tx.execute("DELETE FROM users WHERE id = $1", args![&held.user.id])?;
    Ok(())
}
