//! What changed, in the order of commits: the feed that tells a process to discard what it knew about a
//! user. It does not contain the new value.

use std::collections::BTreeMap;

use super::{Error, Sql};
use crate::args;

/// The number of newest rows that stay: a reader that is further behind starts again.
pub const KEPT: i64 = 100_000;

/// What kind of thing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// A user's attributes, role or state.
    User,
    /// Which person a user is at a helpdesk; the subject is the user.
    Person,
    /// A session ended; the subject is its digest.
    Session,
    /// A mapping was published; the subject is the messenger.
    Mapping,
    /// A messenger's settings.
    Messenger,
    /// A signing key; the subject is the messenger.
    Key,
    /// A file of users was imported, and its users were noted one by one: results about all users are
    /// outdated, what is known about a single user is not.
    Import,
    /// Too many to name: a bulk job.
    All,
}

impl ChangeKind {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Person => "person",
            Self::Session => "session",
            Self::Mapping => "mapping",
            Self::Messenger => "messenger",
            Self::Key => "key",
            Self::Import => "import",
            Self::All => "all",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "user" => Self::User,
            "person" => Self::Person,
            "session" => Self::Session,
            "mapping" => Self::Mapping,
            "messenger" => Self::Messenger,
            "key" => Self::Key,
            "import" => Self::Import,
            // A word of a newer version of the program: discard everything rather than too little.
            _ => Self::All,
        }
    }
}

/// One numbered change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number; higher is later.
    pub seq: i64,
    /// What kind of thing changed.
    pub kind: ChangeKind,
    /// The ID of what changed; empty for [`ChangeKind::All`].
    pub subject: String,
}

/// How many changes one poll reads. Whoever has missed more starts again.
const POLLED: i64 = 1_000;

/// What a poll has found above a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Above {
    /// The number of the latest change.
    pub latest: i64,
    /// The changes above the number, oldest first; perhaps not all of them.
    pub changes: Vec<Change>,
}

impl Above {
    /// Whether these are all changes after `seen`: none was removed, left out, or undone by a restored database.
    pub fn follows(&self, seen: i64) -> bool {
        let numbers = self.changes.iter().map(|change| change.seq);
        self.latest >= seen && numbers.eq(seen + 1..=self.latest)
    }
}

/// The latest number and the changes above another one, in one statement: both are of the same moment.
pub fn above(db: &mut dyn Sql, seen: i64) -> Result<Above, Error> {
    let sql = "SELECT k.n, c.seq, c.kind, c.subject FROM change_counter k
        LEFT JOIN (SELECT seq, kind, subject FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2) c ON 1 = 1
        WHERE k.id = 1 ORDER BY c.seq";
    let rows = db.query(sql, args![seen, POLLED])?;
    let first = rows.first().ok_or_else(|| Error::Failed("change_counter has no row".into()))?;
    let latest = first.int(0)?;
    // Without a change, there is one row with the counter alone.
    let mut changes = Vec::new();
    for row in &rows {
        if let Some(seq) = row.opt_int(1)? {
            changes.push(Change { seq, kind: ChangeKind::parse(row.str(2)?), subject: row.text(3)? });
        }
    }
    Ok(Above { latest, changes })
}

/// Numbers the changes of a transaction. The counter's row stays locked until the commit, so this must
/// be the last thing a transaction does.
pub(super) fn number(
    db: &mut dyn Sql,
    now: i64,
    changed: Vec<(ChangeKind, String)>,
) -> Result<Vec<Change>, Error> {
    let Ok(count) = i64::try_from(changed.len()) else {
        return Err(Error::Failed("too many changes in one transaction".into()));
    };
    if count == 0 {
        return Ok(Vec::new());
    }
    let last = db
        .query_one("UPDATE change_counter SET n = n + $1 WHERE id = 1 RETURNING n", args![count])?
        .ok_or_else(|| Error::Failed("change_counter has no row".into()))?
        .int(0)?;
    let changes: Vec<Change> = (last - count + 1..)
        .zip(changed)
        .map(|(seq, (kind, subject))| Change { seq, kind, subject })
        .collect();
    let rows: Vec<_> = changes
        .iter()
        .map(|change| args![change.seq, change.kind.as_str(), &change.subject, now].to_vec())
        .collect();
    db.insert_all("INSERT INTO changes (seq, kind, subject, at)", "", &rows)?;
    let latest: BTreeMap<&str, i64> =
        changes.iter().map(|change| (change.kind.as_str(), change.seq)).collect();
    for (kind, seq) in latest {
        db.execute(
            "INSERT INTO changed (kind, seq) VALUES ($1, $2) ON CONFLICT (kind) DO UPDATE SET seq = $2",
            args![kind, seq],
        )?;
    }
    Ok(changes)
}

/// Removes all rows except the newest `kept`. By number, not by time, and not inside each write.
pub fn sweep(db: &mut dyn Sql, kept: i64) -> Result<u64, Error> {
    let newest = latest(db)?;
    db.execute("DELETE FROM changes WHERE seq <= $1", args![newest - kept])
}

/// The number of the latest change of a kind; 0 if there was none.
pub fn latest_of(db: &mut dyn Sql, kind: ChangeKind) -> Result<i64, Error> {
    let row = db.query_one("SELECT seq FROM changed WHERE kind = $1", args![kind.as_str()])?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// The changes above a number, oldest first.
pub fn since(db: &mut dyn Sql, seq: i64) -> Result<Vec<Change>, Error> {
    db.query("SELECT seq, kind, subject FROM changes WHERE seq > $1 ORDER BY seq", args![seq])?
        .iter()
        .map(|row| {
            Ok(Change { seq: row.int(0)?, kind: ChangeKind::parse(row.str(1)?), subject: row.text(2)? })
        })
        .collect()
}

/// The number of the latest change.
pub fn latest(db: &mut dyn Sql) -> Result<i64, Error> {
    db.query_one("SELECT n FROM change_counter WHERE id = 1", &[])?
        .ok_or_else(|| Error::Failed("change_counter has no row".into()))?
        .int(0)
}
