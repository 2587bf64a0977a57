//! Sessions of native apps. Only the digest of the device token is stored. A device that is too old, or
//! whose user is disabled, is not found.

use std::sync::LazyLock;

use super::sql::empty_for_none;
use super::users::{self, Held};
use super::{Error, Row, Sql, Tx};
use crate::args;
use crate::core::id::UserId;
use crate::core::session::{Device, Limits, Stay};
use crate::core::user::User;

const COLUMNS: &str =
    "d.id, d.user_id, d.name, d.platform, d.created_at, d.used_at, d.address, d.messenger_id, d.key_id";
const WIDTH: usize = 9;

/// Adds a device of a user who is held: no other transaction disables the user or sets a password in
/// between.
pub fn insert(tx: &mut Tx<'_>, user: &Held<'_>, device: &Device, digest: &str) -> Result<(), Error> {
    if user.id != device.user_id || user.disabled {
        return Err(Error::Failed("a device can be signed in only by its own enabled user".into()));
    }
    tx.execute(
        "INSERT INTO devices (id, digest, user_id, name, platform, created_at, used_at, address, messenger_id,
         key_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![
            &device.id,
            digest,
            &device.user_id,
            &device.name,
            &device.platform,
            device.created_at,
            device.used_at,
            &device.address,
            empty_for_none(device.messenger.as_ref()),
            empty_for_none(device.key_id.as_ref())
        ],
    )?;
    Ok(())
}

/// The device of a token's digest with its user, if it may still be used at `now`.
pub fn live(
    db: &mut dyn Sql,
    digest: &str,
    now: i64,
    limits: &Limits,
) -> Result<Option<(Device, User)>, Error> {
    // Most requests of apps need it, so the text is composed once.
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let columns = users::columns_of_u();
        format!(
            "SELECT {COLUMNS}, {columns} FROM devices d JOIN users u ON u.id = d.user_id
             WHERE d.digest = $1 AND u.disabled = 0"
        )
    });
    let Some(row) = db.query_one(&SQL, args![digest])? else { return Ok(None) };
    let device = read(&row)?;
    let user = users::read_from(&row, WIDTH)?;
    let ends_at = limits.end(Stay::Device, user.role, device.created_at, device.used_at);
    Ok((now < ends_at).then_some((device, user)))
}

/// The devices of a user that may be used at `now`, the most recently used first.
pub fn of(db: &mut dyn Sql, user_id: &UserId, now: i64, limits: &Limits) -> Result<Vec<Device>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM devices d WHERE d.user_id = $1 AND d.created_at > $2 AND d.used_at > $3
         ORDER BY d.used_at DESC, d.id DESC"
    );
    let args = args![user_id, now - limits.device_absolute, now - limits.device_idle];
    db.query(&sql, args)?.iter().map(read).collect()
}

/// Records that a device was used, and from where.
pub fn touch(db: &mut dyn Sql, id: &str, now: i64, address: &str) -> Result<(), Error> {
    let sql = "UPDATE devices SET used_at = $2, address = $3,
        created_at = CASE WHEN created_at > $2 THEN $2 ELSE created_at END WHERE id = $1";
    db.execute(sql, args![id, now, address])?;
    Ok(())
}

/// Whether a device was used after a given time. No device was signed in after its last use.
pub fn is_any_after(db: &mut dyn Sql, moment: i64) -> Result<bool, Error> {
    Ok(db.query_one("SELECT id FROM devices WHERE used_at > $1 LIMIT 1", args![moment])?.is_some())
}

/// Sets times in the future to now, because the clock was set back: they age from now on.
pub fn pull_back(db: &mut dyn Sql, now: i64) -> Result<u64, Error> {
    let created = db.execute("UPDATE devices SET created_at = $1 WHERE created_at > $1", args![now])?;
    Ok(created + db.execute("UPDATE devices SET used_at = $1 WHERE used_at > $1", args![now])?)
}

/// Ends one of a user's devices; returns its name and its digest, or `None` if there is no such device.
pub fn delete(db: &mut dyn Sql, id: &str, user_id: &UserId) -> Result<Option<(String, String)>, Error> {
    let sql = "DELETE FROM devices WHERE id = $1 AND user_id = $2 RETURNING name, digest";
    db.query_one(sql, args![id, user_id])?.map(|row| Ok((row.text(0)?, row.text(1)?))).transpose()
}

/// Ends all devices of a user; returns how many.
pub fn delete_all(db: &mut dyn Sql, user_id: &UserId) -> Result<u64, Error> {
    db.execute("DELETE FROM devices WHERE user_id = $1", args![user_id])
}

/// Ends devices of a user who is held, the least recently used first, until `keep` are left: the
/// digests of those that ended.
pub fn end_oldest(tx: &mut Tx<'_>, user_id: &UserId, keep: i64) -> Result<Vec<String>, Error> {
    super::end_oldest(tx, "devices", "digest", user_id, keep)
}

/// How many were started by codes of an API key.
pub fn count_of_key(db: &mut dyn Sql, key_id: &str) -> Result<i64, Error> {
    db.query_one("SELECT COUNT(*) FROM devices WHERE key_id = $1", args![key_id])?
        .map_or(Ok(0), |row| row.int(0))
}

/// Ends those; returns how many.
pub fn delete_of_key(db: &mut dyn Sql, key_id: &str) -> Result<u64, Error> {
    db.execute("DELETE FROM devices WHERE key_id = $1", args![key_id])
}

/// Removes devices that are too old under every limit (unix seconds).
pub fn sweep(db: &mut dyn Sql, oldest: i64, idle_since: i64) -> Result<u64, Error> {
    db.execute("DELETE FROM devices WHERE created_at < $1 OR used_at < $2", args![oldest, idle_since])
}

fn read(row: &Row) -> Result<Device, Error> {
    Ok(Device {
        id: row.text(0)?,
        user_id: row.text_as(1)?,
        name: row.text(2)?,
        platform: row.text(3)?,
        created_at: row.int(4)?,
        used_at: row.int(5)?,
        address: row.text(6)?,
        messenger: row.unless_empty(7)?,
        key_id: row.unless_empty(8)?,
    })
}
