//! Expected payloads: what a messenger's mapping must produce for some users.

use super::{Error, Sql, users};
use crate::args;
use crate::core::id::{MessengerId, UserId};
use crate::core::user::User;

/// All of a messenger, by login: the user and the expectation, a JSON object.
pub fn all(db: &mut dyn Sql, messenger: &MessengerId) -> Result<Vec<(User, String)>, Error> {
    let columns = users::columns_of_u();
    let sql = format!(
        "SELECT {columns}, e.outcome FROM expected e JOIN users u ON u.id = e.user_id
         WHERE e.messenger_id = $1 ORDER BY u.login"
    );
    db.query(&sql, args![messenger])?
        .iter()
        .map(|row| Ok((users::read(row)?, row.text(users::WIDTH)?)))
        .collect()
}

/// The expectation of one user, a JSON object.
pub fn of(db: &mut dyn Sql, messenger: &MessengerId, user_id: &UserId) -> Result<Option<String>, Error> {
    let sql = "SELECT outcome FROM expected WHERE messenger_id = $1 AND user_id = $2";
    db.query_one(sql, args![messenger, user_id])?.map(|row| row.text(0)).transpose()
}

/// How many a messenger has.
pub fn count(db: &mut dyn Sql, messenger: &MessengerId) -> Result<i64, Error> {
    let row = db.query_one("SELECT COUNT(*) FROM expected WHERE messenger_id = $1", args![messenger])?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// Stores the expectation of a user, replacing an earlier one.
pub fn put(
    db: &mut dyn Sql,
    messenger: &MessengerId,
    user_id: &UserId,
    outcome: &str,
    now: i64,
) -> Result<(), Error> {
    db.execute(
        "INSERT INTO expected (messenger_id, user_id, outcome, updated_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (messenger_id, user_id) DO UPDATE SET outcome = $3, updated_at = $4",
        args![messenger, user_id, outcome, now],
    )?;
    Ok(())
}

/// Deletes the expectation of a user; returns whether there was one.
pub fn delete(db: &mut dyn Sql, messenger: &MessengerId, user_id: &UserId) -> Result<bool, Error> {
    let deleted = db.execute(
        "DELETE FROM expected WHERE messenger_id = $1 AND user_id = $2",
        args![messenger, user_id],
    )?;
    Ok(deleted == 1)
}
