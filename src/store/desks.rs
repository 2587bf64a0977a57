//! Desks: helpdesks whose API keeps the site's users as people. One server at a time talks to a desk; whether it is
//! alive is decided by the others, by their own clocks, from the desk's beat.

use super::{Error, Row, Sql};
use crate::args;
use crate::core::id::{DeskId, MessengerId};
use crate::core::messenger::fields::Texts;

/// A desk as it is stored. Times in unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredDesk {
    /// Its id.
    pub id: DeskId,
    /// The helpdesk.
    pub origin: String,
    /// The messenger whose mapping describes its people.
    pub messenger_id: MessengerId,
    /// The secret that is its API key.
    pub key_id: String,
    /// Whether it may be in a private network or without TLS.
    pub is_private: bool,
    /// Its settings by name.
    pub texts: Texts,
    /// When an admin paused it.
    pub paused_at: Option<i64>,
    /// Why it stopped by itself, and since when.
    pub stopped: Option<Stopped>,
    /// The run that is wanted.
    pub wanted: Option<WantedRun>,
    /// The number of the last change that was looked at.
    pub seen: i64,
    /// What was spent of the budget, and until when to wait: JSON.
    pub spent: String,
    /// Who talks to Deskpro.
    pub worker: String,
    /// Grows while the worker is alive.
    pub beat: i64,
    /// When the worker last showed that it is alive; only for people to read.
    pub beat_at: Option<i64>,
    /// The secret that Deskpro proves its calls with, if it may call.
    pub webhook_id: Option<String>,
    /// About when Deskpro called last.
    pub called_at: Option<i64>,
    /// Where alerts are sent, if anywhere.
    pub alert_url: Option<String>,
    /// The secret that signs them.
    pub alert_id: Option<String>,
    /// When it was connected.
    pub created_at: i64,
    /// Changes with each change of an admin, so that a second window is noticed.
    pub updated_at: i64,
}

/// Why a desk stopped by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Stable.
    pub code: String,
    /// What to do.
    pub words: String,
    /// Unix seconds.
    pub at: i64,
}

/// A run that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedRun {
    /// Who or what: `button`, `cli`, `import`, `mapping`.
    pub cause: String,
    /// `sync` or `verify`.
    pub kind: String,
}

const COLUMNS: &str = "id, origin, messenger_id, key_id, is_private, settings, paused_at, stopped, words, \
    stopped_at, requested, kind, seen, spent, worker, beat, created_at, \
    updated_at, beat_at, webhook_id, called_at, alert_url, alert_id";

fn read(row: &Row) -> Result<StoredDesk, Error> {
    let stopped: Option<String> = row.unless_empty(7)?;
    let cause: Option<String> = row.unless_empty(10)?;
    let texts = serde_json::from_str(row.str(5)?)
        .map_err(|error| Error::Failed(format!("the settings of a desk: {error}").into()))?;
    Ok(StoredDesk {
        id: row.text_as(0)?,
        origin: row.text(1)?,
        messenger_id: row.text_as(2)?,
        key_id: row.text(3)?,
        is_private: row.flag(4)?,
        texts,
        paused_at: row.opt_int(6)?,
        stopped: match stopped {
            Some(code) => {
                Some(Stopped { code, words: row.text(8)?, at: row.opt_int(9)?.unwrap_or_default() })
            }
            None => None,
        },
        wanted: match cause {
            Some(cause) => Some(WantedRun { cause, kind: row.text(11)? }),
            None => None,
        },
        seen: row.int(12)?,
        spent: row.text(13)?,
        worker: row.text(14)?,
        beat: row.int(15)?,
        created_at: row.int(16)?,
        updated_at: row.int(17)?,
        beat_at: row.opt_int(18)?,
        webhook_id: row.opt_text(19)?,
        called_at: row.opt_int(20)?,
        alert_url: row.opt_text(21)?,
        alert_id: row.opt_text(22)?,
    })
}

/// All desks, by helpdesk.
pub fn all(db: &mut dyn Sql) -> Result<Vec<StoredDesk>, Error> {
    db.query(&format!("SELECT {COLUMNS} FROM desks ORDER BY origin"), &[])?.iter().map(read).collect()
}

/// The desk with an id.
pub fn by_id(db: &mut dyn Sql, id: &DeskId) -> Result<Option<StoredDesk>, Error> {
    db.query_one(&format!("SELECT {COLUMNS} FROM desks WHERE id = $1"), args![id])?
        .as_ref()
        .map(read)
        .transpose()
}

/// The desk of a helpdesk.
pub fn by_origin(db: &mut dyn Sql, origin: &str) -> Result<Option<StoredDesk>, Error> {
    db.query_one(&format!("SELECT {COLUMNS} FROM desks WHERE origin = $1"), args![origin])?
        .as_ref()
        .map(read)
        .transpose()
}

/// Adds a desk that nobody talks to yet.
pub fn insert(db: &mut dyn Sql, desk: &StoredDesk, now: i64) -> Result<(), Error> {
    db.execute(
        "INSERT INTO desks (id, origin, messenger_id, key_id, is_private, settings, seen, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        args![
            &desk.id,
            &desk.origin,
            &desk.messenger_id,
            &desk.key_id,
            desk.is_private,
            json(&desk.texts),
            desk.seen,
            now
        ],
    )?;
    Ok(())
}

fn json(texts: &Texts) -> String {
    serde_json::to_string(texts).expect("strings are JSON")
}

/// Holds a desk's row until the transaction ends; `None` if there is none.
pub fn hold(db: &mut dyn Sql, id: &DeskId) -> Result<Option<StoredDesk>, Error> {
    db.execute("UPDATE desks SET beat = beat WHERE id = $1", args![id])?;
    by_id(db, id)
}

/// Stores what an admin changes: messenger, access and settings.
pub fn update(db: &mut dyn Sql, desk: &StoredDesk) -> Result<(), Error> {
    db.execute(
        "UPDATE desks SET messenger_id = $2, is_private = $3, settings = $4, updated_at = $5 WHERE id = $1",
        args![&desk.id, &desk.messenger_id, desk.is_private, json(&desk.texts), desk.updated_at],
    )?;
    Ok(())
}

/// Gives a desk another API key.
pub fn set_key(db: &mut dyn Sql, id: &DeskId, key_id: &str) -> Result<(), Error> {
    db.execute("UPDATE desks SET key_id = $2 WHERE id = $1", args![id, key_id])?;
    Ok(())
}

/// Lets Deskpro call with a secret, or not.
pub fn set_webhook(db: &mut dyn Sql, id: &DeskId, webhook_id: Option<&String>) -> Result<(), Error> {
    let sql = "UPDATE desks SET webhook_id = $2, called_at = NULL WHERE id = $1";
    db.execute(sql, args![id, webhook_id])?;
    Ok(())
}

/// Sends alerts to a URL, signed with a secret; or nowhere.
pub fn set_alerts(db: &mut dyn Sql, id: &DeskId, to: Option<(&str, &String)>) -> Result<(), Error> {
    let sql = "UPDATE desks SET alert_url = $2, alert_id = $3 WHERE id = $1";
    db.execute(sql, args![id, to.map(|(url, _)| url.to_owned()), to.map(|(_, secret)| secret.clone())])?;
    Ok(())
}

/// Notes that Deskpro called, at most once in `every` seconds.
pub fn called(db: &mut dyn Sql, id: &DeskId, now: i64, every: i64) -> Result<(), Error> {
    db.execute(
        "UPDATE desks SET called_at = $2
         WHERE id = $1 AND (called_at IS NULL OR called_at <= $3 OR called_at > $2)",
        args![id, now, now - every],
    )?;
    Ok(())
}

/// Deletes a desk with everything that is known of its people.
pub fn delete(db: &mut dyn Sql, id: &DeskId) -> Result<(), Error> {
    db.execute("DELETE FROM desks WHERE id = $1", args![id])?;
    Ok(())
}

/// Pauses a desk (unix seconds), or lets it go on.
pub fn set_paused(db: &mut dyn Sql, id: &DeskId, at: Option<i64>) -> Result<(), Error> {
    db.execute("UPDATE desks SET paused_at = $2 WHERE id = $1", args![id, at])?;
    Ok(())
}

/// Records why a desk stopped by itself, or that it goes on.
pub fn set_stopped(db: &mut dyn Sql, id: &DeskId, stopped: Option<&Stopped>) -> Result<(), Error> {
    let (code, words) = stopped.map_or(("", ""), |it| (it.code.as_str(), it.words.as_str()));
    db.execute(
        "UPDATE desks SET stopped = $2, words = $3, stopped_at = $4 WHERE id = $1",
        args![id, code, words, stopped.map(|it| it.at)],
    )?;
    Ok(())
}

/// Asks for a run, or says that nobody asks any more.
pub fn set_wanted(db: &mut dyn Sql, id: &DeskId, wanted: Option<&WantedRun>) -> Result<(), Error> {
    let (cause, kind) = wanted.map_or(("", ""), |it| (it.cause.as_str(), it.kind.as_str()));
    db.execute("UPDATE desks SET requested = $2, kind = $3 WHERE id = $1", args![id, cause, kind])?;
    Ok(())
}

/// Takes a desk whose beat has stopped at `beat`, or that nobody has; `false` if another server was faster.
pub fn take(db: &mut dyn Sql, id: &DeskId, beat: i64, worker: &str, now: i64) -> Result<bool, Error> {
    let sql = "UPDATE desks SET worker = $3, beat = beat + 1, beat_at = $4 WHERE id = $1 AND beat = $2";
    Ok(db.execute(sql, args![id, beat, worker, now])? == 1)
}

/// Shows that the worker is alive, and stores what it spent; `false` if another server has the desk.
pub fn renew(db: &mut dyn Sql, id: &DeskId, worker: &str, now: i64, spent: &str) -> Result<bool, Error> {
    let sql = "UPDATE desks SET beat = beat + 1, beat_at = $3, spent = $4 WHERE id = $1 AND worker = $2";
    Ok(db.execute(sql, args![id, worker, now, spent])? == 1)
}

/// Stores which changes were looked at.
pub fn set_seen(db: &mut dyn Sql, id: &DeskId, worker: &str, seen: i64) -> Result<(), Error> {
    db.execute("UPDATE desks SET seen = $3 WHERE id = $1 AND worker = $2", args![id, worker, seen])?;
    Ok(())
}

/// Lets another server take the desk at once.
pub fn release(db: &mut dyn Sql, id: &DeskId, worker: &str) -> Result<(), Error> {
    db.execute(
        "UPDATE desks SET worker = '', beat = beat + 1 WHERE id = $1 AND worker = $2",
        args![id, worker],
    )?;
    Ok(())
}

/// Whether a server has a desk.
pub fn is_worker(db: &mut dyn Sql, id: &DeskId, worker: &str) -> Result<bool, Error> {
    let sql = "SELECT id FROM desks WHERE id = $1 AND worker = $2";
    Ok(db.query_one(sql, args![id, worker])?.is_some())
}
