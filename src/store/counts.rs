//! Statistics by the minute: tokens issued and refused, sign-ins, hashes.

use super::sql::empty_for_none;
use super::{Error, Sql};
use crate::args;
use crate::core::id::MessengerId;

/// What is counted: the columns of the table except the minute and the number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Count {
    /// `token_issued`, `token_refused`, `sign_in`, `hash`.
    pub kind: &'static str,
    /// A refusal's or outcome's code.
    pub code: Option<&'static str>,
    /// The messenger.
    pub messenger: Option<MessengerId>,
    /// The signing key's ID.
    pub key: Option<String>,
}

/// Adds to the numbers of a minute (`at`: unix seconds).
pub fn add(db: &mut dyn Sql, at: i64, counts: &[(Count, i64)]) -> Result<(), Error> {
    let minute = at - at.rem_euclid(60);
    let rows: Vec<_> = counts
        .iter()
        .map(|(count, n)| {
            let (code, messenger) =
                (count.code.unwrap_or_default(), empty_for_none(count.messenger.as_ref()));
            args![minute, count.kind, code, messenger, empty_for_none(count.key.as_ref()), *n].to_vec()
        })
        .collect();
    db.insert_all(
        "INSERT INTO counts (minute, kind, code, messenger, key, n)",
        "ON CONFLICT (minute, kind, code, messenger, key) DO UPDATE SET n = counts.n + excluded.n",
        &rows,
    )?;
    Ok(())
}

/// Removes numbers of minutes before a given time.
pub fn sweep(db: &mut dyn Sql, before: i64) -> Result<u64, Error> {
    db.execute("DELETE FROM counts WHERE minute < $1", args![before])
}

/// The counts of a signing key.
pub struct KeyCount {
    /// Its ID; empty for what was counted without one.
    pub key: String,
    /// The last minute in which something was counted, unix seconds.
    pub last: i64,
    /// How many in total.
    pub tokens: i64,
}

/// The counts of a kind for a messenger, by key.
pub fn by_key(db: &mut dyn Sql, kind: &str, messenger: &MessengerId) -> Result<Vec<KeyCount>, Error> {
    db.query(
        "SELECT key, MAX(minute), CAST(SUM(n) AS BIGINT) FROM counts WHERE kind = $1 AND messenger = $2
         GROUP BY key ORDER BY key",
        args![kind, messenger],
    )?
    .iter()
    .map(|row| Ok(KeyCount { key: row.text(0)?, last: row.int(1)?, tokens: row.int(2)? }))
    .collect()
}

/// The total of a kind by code, from `since` (unix seconds) on.
pub fn by_code(db: &mut dyn Sql, kind: &str, since: i64) -> Result<Vec<(String, i64)>, Error> {
    db.query(
        "SELECT code, CAST(SUM(n) AS BIGINT) FROM counts WHERE kind = $1 AND minute >= $2
         GROUP BY code ORDER BY code",
        args![kind, since],
    )?
    .iter()
    .map(|row| Ok((row.text(0)?, row.int(1)?)))
    .collect()
}
