//! Guesses at passwords, counted before they are checked. `core::throttle` defines the delays that follow.

use super::{Error, Sql};
use crate::args;
use crate::core::throttle::Counter;

/// The counter under a key (a keyed digest), if there is one.
pub fn by_key(db: &mut dyn Sql, key: &str) -> Result<Option<Counter>, Error> {
    db.query_one("SELECT guesses, since, at, next_at FROM attempts WHERE key = $1", args![key])?
        .map(|row| {
            Ok(Counter { guesses: row.int(0)?, since: row.int(1)?, at: row.int(2)?, next_at: row.int(3)? })
        })
        .transpose()
}

/// Locks a key's counter until the end of the transaction, and creates it if it is missing.
pub fn lock(db: &mut dyn Sql, key: &str, now: i64) -> Result<Counter, Error> {
    db.execute(
        "INSERT INTO attempts (key, guesses, since, at, next_at) VALUES ($1, 0, $2, $2, 0)
         ON CONFLICT (key) DO UPDATE SET guesses = attempts.guesses",
        args![key, now],
    )?;
    by_key(db, key)?.ok_or_else(|| Error::Failed("a counter vanished under its lock".into()))
}

/// Writes a counter.
pub fn put(db: &mut dyn Sql, key: &str, counter: &Counter) -> Result<(), Error> {
    db.execute(
        "UPDATE attempts SET guesses = $2, since = $3, at = $4, next_at = $5 WHERE key = $1",
        args![key, counter.guesses, counter.since, counter.at, counter.next_at],
    )?;
    Ok(())
}

/// Removes a guess from the count: it was right, or never checked. It causes no waiting time.
pub fn give_back(db: &mut dyn Sql, key: &str, now: i64) -> Result<(), Error> {
    let sql = "UPDATE attempts SET guesses = guesses - 1, next_at = $2 WHERE key = $1 AND guesses > 0";
    db.execute(sql, args![key, now])?;
    Ok(())
}

/// Deletes a counter.
pub fn clear(db: &mut dyn Sql, key: &str) -> Result<bool, Error> {
    Ok(db.execute("DELETE FROM attempts WHERE key = $1", args![key])? == 1)
}

/// Sets times in the future to now, because the clock was set back: waiting times keep their remaining
/// length.
pub fn pull_back(db: &mut dyn Sql, now: i64) -> Result<u64, Error> {
    let sql = "UPDATE attempts SET next_at = next_at - (at - $1), at = $1 WHERE at > $1";
    let moved = db.execute(sql, args![now])?;
    Ok(moved + db.execute("UPDATE attempts SET since = $1 WHERE since > $1", args![now])?)
}

/// Whether a counter was last used after a given time.
pub fn is_any_after(db: &mut dyn Sql, moment: i64) -> Result<bool, Error> {
    Ok(db.query_one("SELECT key FROM attempts WHERE at > $1 LIMIT 1", args![moment])?.is_some())
}

/// Deletes counters that were last used before `oldest` (unix seconds).
pub fn sweep(db: &mut dyn Sql, oldest: i64) -> Result<u64, Error> {
    db.execute("DELETE FROM attempts WHERE at < $1", args![oldest])
}

/// Deletes the counters of an account from every network: their keys start with the account's key.
pub fn clear_below(db: &mut dyn Sql, account: &str) -> Result<u64, Error> {
    let (first, end) = (format!("{account} "), format!("{account}!"));
    db.execute("DELETE FROM attempts WHERE key >= $1 AND key < $2", args![first, end])
}
