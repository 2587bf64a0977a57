//! From an incoming record to the users it could mean, and from those to one decision of
//! [`crate::core::incoming`], made while they are held. Every way in goes through here: files, the
//! site's server, codes.

use super::audit::{Event, record};
use super::{AppError, Caller};
use crate::core::attribute::Definitions;
use crate::core::incoming::{Candidates, Decision, Found, Incoming, Reason};
use crate::core::user::User;
use crate::store::users::{self, Held};
use crate::store::{ChangeKind, Error, Sql, Tx};

/// Looks up who has a record's keys.
pub(super) fn candidates(db: &mut dyn Sql, record: &Incoming) -> Result<Candidates, Error> {
    let keys = (record.external_id.as_deref(), record.login.as_deref(), record.address.as_deref());
    let mut candidates = Candidates::default();
    for user in users::by_any_key(db, keys.0, keys.1, keys.2)? {
        let is_known = keys.0.is_some() && user.text("external_id") == record.external_id;
        let has_login = keys.1 == Some(user.login.as_str());
        let has_address = keys.2.is_some() && user.email_key() == record.address;
        // Asked only where it decides something: of a user without a key, for a record with one.
        let bare = keys.0.is_some() && !is_known && users::is_bare(db, &user)?;
        let found = Found { user, bare };
        if has_login {
            candidates.by_login = Some(found.clone());
        }
        if has_address {
            candidates.by_address = Some(found.clone());
        }
        if is_known {
            candidates.by_external_id = Some(found);
        }
    }
    Ok(candidates)
}

/// The ids of the users among candidates, each once.
fn ids(candidates: &Candidates) -> Vec<String> {
    let all = [&candidates.by_external_id, &candidates.by_login, &candidates.by_address];
    let mut ids: Vec<String> = all.into_iter().flatten().map(|found| found.user.id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// A decision about a record, with everybody it concerns held.
pub(super) struct Settled<'tx> {
    /// What to do.
    pub decision: Decision,
    held: Vec<Held<'tx>>,
}

impl<'tx> Settled<'tx> {
    /// Takes the user with an id out of those who are held.
    pub fn take(&mut self, id: &str) -> Result<Held<'tx>, Error> {
        let place = self.held.iter().position(|held| held.id == id);
        place.map(|place| self.held.swap_remove(place)).ok_or_else(moved)
    }
}

/// Holds the users whom a record could mean, and decides. `Conflict` when another writer moved a key
/// from one user to another in between: the caller tries again.
pub(super) fn settle<'tx>(tx: &mut Tx<'tx>, record: &Incoming) -> Result<Settled<'tx>, Error> {
    let before = ids(&candidates(tx, record)?);
    // Somebody new, or several who are held together.
    if before.len() != 1 {
        tx.lock_bulk()?;
    }
    let wanted: Vec<&str> = before.iter().map(String::as_str).collect();
    let held = users::hold_all(tx, &wanted)?;
    let candidates = candidates(tx, record)?;
    if ids(&candidates) != before {
        return Err(moved());
    }
    Ok(Settled { decision: candidates.decide(record), held })
}

fn moved() -> Error {
    Error::Conflict("users.id".to_owned())
}

/// Takes an unverified address from its user, because a record proves that it is somebody else's.
pub(super) fn give_way(
    tx: &mut Tx<'_>,
    settled: &mut Settled<'_>,
    to: &str,
    definitions: &Definitions,
    now: i64,
    caller: &Caller,
) -> Result<(), AppError> {
    let Some(id) = settled.decision.gives_way.clone() else { return Ok(()) };
    let mut held = settled.take(&id)?;
    let mut user = held.clone();
    user.attributes.remove("email");
    user.attributes.remove("email_verified");
    user.updated_at = now;
    users::update(tx, &mut held, &user, definitions)?;
    record(tx, now, caller, &Event::AddressLost { to: to.to_owned() }, &id)?;
    tx.changed(ChangeKind::User, &id);
    Ok(())
}

/// Refuses a `deskpro_id` that another user has.
pub(super) fn ensure_own_deskpro_id(db: &mut dyn Sql, user: &User) -> Result<(), AppError> {
    let Some(deskpro_id) = user.text("deskpro_id") else { return Ok(()) };
    match users::other_with_deskpro_id(db, &deskpro_id, &user.id)? {
        Some(other) => Err(AppError::Taken(format!("This deskpro_id is already used by '{}'.", other.login))),
        None => Ok(()),
    }
}

impl From<Reason> for AppError {
    fn from(reason: Reason) -> Self {
        Self::NotThisUser(reason)
    }
}
