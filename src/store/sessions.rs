//! Sessions of browsers. Only the digest of the reference that the browser holds is stored. A session
//! that is too old, or whose user is disabled, is not found.

use std::sync::LazyLock;

use super::sql::empty_for_none;
use super::users::{self, Held};
use super::{Error, Row, Sql, Tx};
use crate::args;
use crate::core::id::{MessengerId, SessionDigest, UserId};
use crate::core::session::{Door, Limits, Session, Stay};
use crate::core::user::User;

const COLUMNS: &str = "s.digest, s.user_id, s.created_at, s.used_at, s.confirmed_at, s.address, s.agent, s.door, s.kept, s.messenger_id, \
    s.key_id, s.console_used_at";

/// Adds a session of a user who is held: no other transaction disables the user or sets a password in
/// between.
pub fn insert(tx: &mut Tx<'_>, user: &Held<'_>, session: &Session) -> Result<(), Error> {
    if user.id != session.user_id || user.disabled {
        return Err(Error::Failed("a session can start only for its own enabled user".into()));
    }
    tx.execute(
        "INSERT INTO sessions (digest, user_id, created_at, used_at, confirmed_at, address, agent, door, kept, messenger_id,
         key_id, console_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        args![
            &session.digest,
            &session.user_id,
            session.created_at,
            session.used_at,
            session.confirmed_at,
            &session.address,
            &session.agent,
            session.door.as_str(),
            session.stay == Stay::Kept,
            empty_for_none(session.messenger.as_ref()),
            empty_for_none(session.key_id.as_ref()),
            session.console_used_at
        ],
    )?;
    Ok(())
}

/// What a request needs of a session that may be used; see [`Session`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Unix seconds, as all times.
    pub created_at: i64,
    /// Exact to five minutes.
    pub used_at: i64,
    /// The same for the console.
    pub console_used_at: i64,
    /// When the password was last typed.
    pub confirmed_at: i64,
    /// How long it lasts.
    pub stay: Stay,
    /// The only messenger it gets tokens for; `None` for any.
    pub messenger: Option<MessengerId>,
}

/// The session of a digest with its user, if it may still be used at `now`.
pub fn live(
    db: &mut dyn Sql,
    digest: &SessionDigest,
    now: i64,
    limits: &Limits,
) -> Result<Option<(Live, User)>, Error> {
    // Most requests need it, so the text is composed once.
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let columns = users::columns_of_u();
        format!(
            "SELECT {columns}, s.created_at, s.used_at, s.console_used_at, s.confirmed_at, s.kept, s.messenger_id
             FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.digest = $1 AND u.disabled = 0"
        )
    });
    let row = db.query_one(&SQL, args![digest])?;
    let Some(row) = row else { return Ok(None) };
    let (user, first) = (users::read(&row)?, users::WIDTH);
    let session = Live {
        created_at: row.int(first)?,
        used_at: row.int(first + 1)?,
        console_used_at: row.int(first + 2)?,
        confirmed_at: row.int(first + 3)?,
        stay: stay(row.flag(first + 4)?),
        messenger: row.unless_empty(first + 5)?,
    };
    let ends_at = limits.end(session.stay, user.role, session.created_at, session.used_at);
    Ok((now < ends_at).then_some((session, user)))
}

/// All sessions of a user, the most recently used first, live or not.
pub fn of(db: &mut dyn Sql, user_id: &UserId) -> Result<Vec<Session>, Error> {
    let sql =
        format!("SELECT {COLUMNS} FROM sessions s WHERE s.user_id = $1 ORDER BY s.used_at DESC, s.digest");
    db.query(&sql, args![user_id])?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Session, Error> {
    Ok(Session {
        digest: row.text_as(0)?,
        user_id: row.text_as(1)?,
        created_at: row.int(2)?,
        used_at: row.int(3)?,
        confirmed_at: row.int(4)?,
        address: row.text(5)?,
        agent: row.text(6)?,
        door: Door::parse(row.str(7)?),
        stay: stay(row.flag(8)?),
        messenger: row.unless_empty(9)?,
        key_id: row.unless_empty(10)?,
        console_used_at: row.int(11)?,
    })
}

fn stay(is_kept: bool) -> Stay {
    if is_kept { Stay::Kept } else { Stay::Usual }
}

/// Records that a session was used, perhaps by the console. Times in the future, because the clock was
/// set back, become now: they age from now on.
pub fn touch(db: &mut dyn Sql, digest: &SessionDigest, now: i64, by_console: bool) -> Result<(), Error> {
    let console =
        if by_console { "$2" } else { "CASE WHEN console_used_at > $2 THEN $2 ELSE console_used_at END" };
    let sql = format!(
        "UPDATE sessions SET used_at = $2, console_used_at = {console},
         created_at = CASE WHEN created_at > $2 THEN $2 ELSE created_at END,
         confirmed_at = CASE WHEN confirmed_at > $2 THEN $2 ELSE confirmed_at END WHERE digest = $1"
    );
    db.execute(&sql, args![digest, now])?;
    Ok(())
}

/// Whether a session was used after a given time. No session was started after its last use.
pub fn is_any_after(db: &mut dyn Sql, moment: i64) -> Result<bool, Error> {
    Ok(db.query_one("SELECT digest FROM sessions WHERE used_at > $1 LIMIT 1", args![moment])?.is_some())
}

/// Sets times in the future to now, in every session.
pub fn pull_back(db: &mut dyn Sql, now: i64) -> Result<u64, Error> {
    let mut rewritten = 0;
    for moment in ["created_at", "used_at", "console_used_at", "confirmed_at"] {
        let sql = format!("UPDATE sessions SET {moment} = $1 WHERE {moment} > $1");
        rewritten += db.execute(&sql, args![now])?;
    }
    Ok(rewritten)
}

/// Holds a session until the end of the transaction; `false` if it has ended.
pub fn hold(tx: &mut Tx<'_>, digest: &SessionDigest) -> Result<bool, Error> {
    let sql = "SELECT digest FROM sessions WHERE digest = $1";
    Ok(!tx.hold("sessions", sql, args![digest])?.is_empty())
}

/// Lets a session that is held fetch tokens for one more messenger, because of a handover code of an API
/// key.
pub fn join(
    tx: &mut Tx<'_>,
    digest: &SessionDigest,
    messenger: &MessengerId,
    key_id: &str,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO session_messengers (digest, messenger_id, key_id) VALUES ($1, $2, $3)
         ON CONFLICT (digest, messenger_id) DO UPDATE SET key_id = $3",
        args![digest, messenger, key_id],
    )?;
    Ok(())
}

/// The messengers that were added to a session, besides the one it started for.
pub fn joined(db: &mut dyn Sql, digest: &SessionDigest) -> Result<Vec<MessengerId>, Error> {
    let sql = "SELECT messenger_id FROM session_messengers WHERE digest = $1 ORDER BY messenger_id";
    db.query(sql, args![digest])?.iter().map(|row| row.text_as(0)).collect()
}

/// Records that the password was typed again; `false` if the session has ended.
pub fn confirm(db: &mut dyn Sql, digest: &SessionDigest, user_id: &UserId, now: i64) -> Result<bool, Error> {
    let confirmed = db.execute(
        "UPDATE sessions SET confirmed_at = $3, console_used_at = $3 WHERE digest = $1 AND user_id = $2",
        args![digest, user_id, now],
    )?;
    Ok(confirmed == 1)
}

/// Ends a session; returns the ID of its user, or `None` if there was none.
pub fn delete(db: &mut dyn Sql, digest: &SessionDigest) -> Result<Option<UserId>, Error> {
    db.query_one("DELETE FROM sessions WHERE digest = $1 RETURNING user_id", args![digest])?
        .map(|row| row.text_as(0))
        .transpose()
}

/// Ends all sessions of a user except `except`; returns how many.
pub fn delete_all(db: &mut dyn Sql, user_id: &UserId, except: Option<&SessionDigest>) -> Result<u64, Error> {
    db.execute(
        "DELETE FROM sessions WHERE user_id = $1 AND digest <> $2",
        args![user_id, empty_for_none(except)],
    )
}

/// Ends sessions of a user who is held, the least recently used first, until `keep` are left: the
/// digests of those that ended.
pub fn end_oldest(tx: &mut Tx<'_>, user_id: &UserId, keep: i64) -> Result<Vec<SessionDigest>, Error> {
    super::end_oldest(tx, "sessions", "digest", user_id, keep)
}

/// How many were started by codes of an API key.
pub fn count_of_key(db: &mut dyn Sql, key_id: &str) -> Result<i64, Error> {
    db.query_one("SELECT COUNT(*) FROM sessions WHERE key_id = $1", args![key_id])?
        .map_or(Ok(0), |row| row.int(0))
}

/// Ends those; returns how many. Sessions that were started in another way and later joined with a code of
/// this key lose only its messenger, and are included in the number.
pub fn delete_of_key(db: &mut dyn Sql, key_id: &str) -> Result<u64, Error> {
    let ended = db.execute("DELETE FROM sessions WHERE key_id = $1", args![key_id])?;
    Ok(ended + db.execute("DELETE FROM session_messengers WHERE key_id = $1", args![key_id])?)
}

/// Removes sessions that are too old at `now` under every limit (unix seconds).
pub fn sweep(db: &mut dyn Sql, now: i64, limits: &Limits) -> Result<u64, Error> {
    let oldest = now - limits.absolute.max(limits.admin_absolute);
    let idle_since = now - limits.idle;
    db.execute(
        "DELETE FROM sessions WHERE (kept = 0 AND (created_at < $1 OR used_at < $2)) OR created_at < $3",
        args![oldest, idle_since, oldest.min(now - limits.kept)],
    )
}
