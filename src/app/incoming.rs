//! From an incoming record to the users it could mean, and from those to one decision of
//! [`crate::core::incoming`], made while they are held. All records go through here: from files, from
//! the site's server, and with codes.

use super::audit::{Event, record};
use super::{AppError, Caller};
use crate::core::attribute::Definitions;
use crate::core::id::UserId;
use crate::core::incoming::{Candidates, Decision, Found, Incoming, Reason, Whom};
use crate::core::user::User;
use crate::store::users::{self, Held};
use crate::store::{ChangeKind, Error, Sql, Tx, desks, facts, people};

/// Finds the users who have a record's keys.
pub(super) fn candidates(db: &mut dyn Sql, record: &Incoming) -> Result<Candidates, Error> {
    let keys = (record.external_id.as_deref(), record.login.as_deref(), record.address.as_deref());
    let mut candidates = Candidates::default();
    for user in users::by_any_key(db, keys.0, keys.1, keys.2)? {
        let is_known = keys.0.is_some() && user.text("external_id") == record.external_id;
        let has_login = keys.1 == Some(user.login.as_str());
        let has_address = keys.2.is_some() && user.email_key() == record.address;
        // Queried only if it matters: for a user without a key and a record with one.
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
    Ok(candidates.holding(record))
}

/// The IDs of the candidates, each once.
fn ids(candidates: &Candidates) -> Vec<UserId> {
    let all = [&candidates.by_external_id, &candidates.by_login, &candidates.by_address];
    let mut ids: Vec<UserId> = all.into_iter().flatten().map(|found| found.user.id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// A decision about a record, with every user it concerns held.
pub(super) struct Settled<'tx> {
    /// What to do.
    pub decision: Decision,
    held: Vec<Held<'tx>>,
}

impl<'tx> Settled<'tx> {
    /// Removes the user with an ID from those who are held, and returns the user.
    pub fn take(&mut self, id: &UserId) -> Result<Held<'tx>, Error> {
        let place = self.held.iter().position(|held| held.id == *id);
        place.map(|place| self.held.swap_remove(place)).ok_or_else(moved)
    }
}

/// Holds the users whom a record could mean, and decides. `Conflict` if another writer moved a key from
/// one user to another in between: the caller tries again.
pub(super) fn settle<'tx>(tx: &mut Tx<'tx>, record: &Incoming) -> Result<Settled<'tx>, Error> {
    let found = candidates(tx, record)?;
    let before = ids(&found);
    // A new user, or several users who are held together.
    if before.len() != 1 || found.decide(record).whom == Whom::Create {
        tx.lock_bulk()?;
    }
    let wanted: Vec<&UserId> = before.iter().collect();
    let held = users::hold_all(tx, &wanted)?;
    let found = candidates(tx, record)?;
    let decision = found.decide(record);
    if ids(&found) != before || (decision.whom == Whom::Create && !tx.has_bulk()) {
        return Err(moved());
    }
    Ok(Settled { decision, held })
}

fn moved() -> Error {
    Error::Conflict("users.id".to_owned())
}

/// Removes an unverified address from its user, because a record proves that it belongs to another user.
/// The transaction has held that user since the decision.
pub(super) fn give_way(
    tx: &mut Tx<'_>,
    decision: &Decision,
    to: &UserId,
    definitions: &Definitions,
    now: i64,
    caller: &Caller,
) -> Result<(), AppError> {
    let Some(id) = &decision.gives_way else { return Ok(()) };
    let mut held = users::hold(tx, id)?.ok_or_else(moved)?;
    let mut user = held.clone();
    user.attributes.remove("email");
    user.attributes.remove("email_verified");
    user.updated_at = now;
    users::update(tx, &mut held, &user, definitions)?;
    record(tx, now, caller, &Event::AddressLost { to: to.to_string() }, id)?;
    tx.changed(ChangeKind::User, id);
    Ok(())
}

/// Reverts a new verification of an address if a record says that the address is verified but does not
/// contain the address: the verification belongs to the address that comes with it.
pub(super) fn keep_proof(user: &mut User, before: &User) {
    if user.attributes.email_verified() != Some(true) || before.attributes.email_verified() == Some(true) {
        return;
    }
    match before.attributes.get("email_verified") {
        Some(known) => user.attributes.set("email_verified", known.clone()),
        None => drop(user.attributes.remove("email_verified")),
    }
}

/// Refuses a `deskpro_id` that another user has.
pub(super) fn ensure_own_deskpro_id(db: &mut dyn Sql, user: &User) -> Result<(), AppError> {
    let Some(deskpro_id) = user.text("deskpro_id") else { return Ok(()) };
    match users::other_with_deskpro_id(db, &deskpro_id, &user.id)? {
        Some(other) => Err(AppError::Taken(format!("This deskpro_id is already used by '{}'.", other.login))),
        None => ensure_not_kept(db, user, &deskpro_id),
    }
}

/// Refuses a person whom the desk of the same helpdesk keeps for another user.
fn ensure_not_kept(db: &mut dyn Sql, user: &User, deskpro_id: &str) -> Result<(), AppError> {
    let Some(origin) = facts::of(db, "default_origin")? else { return Ok(()) };
    let Some(desk) = desks::by_origin(db, &origin)? else { return Ok(()) };
    match people::holder(db, &desk.id, deskpro_id)? {
        Some(holder) if holder.user_id != user.id && !holder.is_gone => {
            Err(AppError::Taken(format!("At Deskpro, this is the person of '{}'.", holder.login)))
        }
        _ => Ok(()),
    }
}

impl From<Reason> for AppError {
    fn from(reason: Reason) -> Self {
        Self::NotThisUser(reason)
    }
}
