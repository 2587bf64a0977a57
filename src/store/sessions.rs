//! Sign-ins of browsers. Only the digest of the reference that the browser holds is stored; a
//! session whose user is disabled, or that is too old, is not found.

use super::{Error, Sql, users};
use crate::args;
use crate::core::session::Limits;
use crate::core::user::User;

/// A sign-in of one browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the reference, in hex.
    pub digest: String,
    /// Whose it is.
    pub user_id: String,
    /// Unix seconds; the absolute limit counts from here.
    pub created_at: i64,
    /// Unix seconds, exact to five minutes; the idle limit counts from here.
    pub used_at: i64,
    /// When the password was typed last, unix seconds.
    pub confirmed_at: i64,
    /// Where it was signed in from.
    pub address: String,
    /// What the browser called itself, at most 200 characters.
    pub agent: String,
}

/// Adds a session of an enabled user; `false` when the user is gone or disabled.
pub fn insert(db: &mut dyn Sql, session: &Session) -> Result<bool, Error> {
    // Takes the user's row: whoever disables the user or sets a password at this moment is either
    // waited for, or finds the session and ends it. INSERT … SELECT read the row as it was before.
    let enabled =
        db.execute("UPDATE users SET disabled = 0 WHERE id = $1 AND disabled = 0", args![&session.user_id])?;
    if enabled == 0 {
        return Ok(false);
    }
    db.execute(
        "INSERT INTO sessions (digest, user_id, created_at, used_at, confirmed_at, address, agent)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![
            &session.digest,
            &session.user_id,
            session.created_at,
            session.used_at,
            session.confirmed_at,
            &session.address,
            &session.agent
        ],
    )?;
    Ok(true)
}

/// The session behind a digest with its user, if it may still be used at `now`.
pub fn live(
    db: &mut dyn Sql,
    digest: &str,
    now: i64,
    limits: &Limits,
) -> Result<Option<(Session, User)>, Error> {
    let columns = users::columns_of_u();
    let row = db.query_one(
        &format!(
            "SELECT {columns}, s.created_at, s.used_at, s.confirmed_at, s.address, s.agent
             FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.digest = $1 AND u.disabled = 0"
        ),
        args![digest],
    )?;
    let Some(row) = row else { return Ok(None) };
    let user = users::read(&row)?;
    let session = Session {
        digest: digest.to_owned(),
        user_id: user.id.clone(),
        created_at: row.int(users::WIDTH)?,
        used_at: row.int(users::WIDTH + 1)?,
        confirmed_at: row.int(users::WIDTH + 2)?,
        address: row.text(users::WIDTH + 3)?,
        agent: row.text(users::WIDTH + 4)?,
    };
    let ends_at = limits.end(user.role, session.created_at, session.used_at);
    Ok((now < ends_at).then_some((session, user)))
}

/// Writes that a session was used.
pub fn touch(db: &mut dyn Sql, digest: &str, now: i64) -> Result<(), Error> {
    db.execute("UPDATE sessions SET used_at = $2 WHERE digest = $1 AND used_at < $2", args![digest, now])?;
    Ok(())
}

/// Writes that the password was typed again; `false` when the session has ended.
pub fn confirm(db: &mut dyn Sql, digest: &str, user_id: &str, now: i64) -> Result<bool, Error> {
    let confirmed = db.execute(
        "UPDATE sessions SET confirmed_at = $3 WHERE digest = $1 AND user_id = $2",
        args![digest, user_id, now],
    )?;
    Ok(confirmed == 1)
}

/// Ends a session; the id of its user, or `None` when there was none.
pub fn delete(db: &mut dyn Sql, digest: &str) -> Result<Option<String>, Error> {
    db.query_one("DELETE FROM sessions WHERE digest = $1 RETURNING user_id", args![digest])?
        .map(|row| row.text(0))
        .transpose()
}

/// Ends all sessions of a user but `except`; how many.
pub fn delete_all(db: &mut dyn Sql, user_id: &str, except: Option<&str>) -> Result<u64, Error> {
    db.execute(
        "DELETE FROM sessions WHERE user_id = $1 AND digest <> $2",
        args![user_id, except.unwrap_or_default()],
    )
}

/// Removes what no limit lets live: rows older than `oldest` (created, unix seconds).
pub fn sweep(db: &mut dyn Sql, oldest: i64, idle_since: i64) -> Result<u64, Error> {
    db.execute("DELETE FROM sessions WHERE created_at < $1 OR used_at < $2", args![oldest, idle_since])
}
