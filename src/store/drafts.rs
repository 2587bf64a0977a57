//! Mappings while an admin edits them: one per messenger and admin.

use super::{Error, Sql};
use crate::args;
use crate::core::id::{MessengerId, UserId};
use crate::core::mapping::Draft;

/// The draft of an admin, if there is one.
pub fn of(db: &mut dyn Sql, messenger: &MessengerId, user_id: &UserId) -> Result<Option<Draft>, Error> {
    db.query_one(
        "SELECT text, base, revision, updated_at, did, undo FROM drafts WHERE messenger_id = $1 AND user_id = $2",
        args![messenger, user_id],
    )?
    .map(|row| {
        Ok(Draft {
            text: row.text(0)?,
            base: row.int(1)?,
            revision: row.int(2)?,
            updated_at: row.int(3)?,
            did: row.text(4)?,
            undo: row.text(5)?,
        })
    })
    .transpose()
}

/// Stores a draft in place of the one with the revision `before`; 0 or less means that no draft is
/// stored yet. Returns `false` and stores nothing if the stored revision is different.
pub fn put(
    db: &mut dyn Sql,
    messenger: &MessengerId,
    user_id: &UserId,
    before: i64,
    draft: &Draft,
) -> Result<bool, Error> {
    let Draft { text, base, revision, updated_at, did, undo } = draft;
    let args = args![messenger, user_id, text, *base, *revision, *updated_at, did, undo, before];
    let stored = if before <= 0 {
        db.execute(
            "INSERT INTO drafts (messenger_id, user_id, text, base, revision, updated_at, did, undo)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            &args[..8],
        )?
    } else {
        db.execute(
            "UPDATE drafts SET text = $3, base = $4, revision = $5, updated_at = $6, did = $7, undo = $8
             WHERE messenger_id = $1 AND user_id = $2 AND revision = $9",
            args,
        )?
    };
    Ok(stored == 1)
}

/// Deletes the draft with this revision; `false` if the stored revision is different.
pub fn delete(
    db: &mut dyn Sql,
    messenger: &MessengerId,
    user_id: &UserId,
    revision: i64,
) -> Result<bool, Error> {
    let deleted = db.execute(
        "DELETE FROM drafts WHERE messenger_id = $1 AND user_id = $2 AND revision = $3",
        args![messenger, user_id, revision],
    )?;
    Ok(deleted == 1)
}

/// Deletes drafts whose text is equal to a version: they are stored only for undoing, and must not block
/// their admins when the next version is published.
pub fn delete_unchanged(db: &mut dyn Sql, messenger: &MessengerId, text: &str) -> Result<(), Error> {
    db.execute("DELETE FROM drafts WHERE messenger_id = $1 AND text = $2", args![messenger, text])?;
    Ok(())
}
