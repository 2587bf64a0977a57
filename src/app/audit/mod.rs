//! The audit log: what happened. Written inside the transaction that did it, so that neither exists
//! without the other.

mod event;

use super::{Caller, clock};
use crate::store::audit::{self, Entry};
use crate::store::{Error, Sql};

pub use event::{EVENTS, Event};

/// For events that one user can cause without limit, this many entries per hour are stored.
const ROUTINE: i64 = 60;

/// Stores an event in the transaction that did it, and logs it.
pub(super) fn record(
    db: &mut dyn Sql,
    now: i64,
    caller: &Caller,
    event: &Event,
    subject: impl AsRef<str>,
) -> Result<(), Error> {
    let subject = subject.as_ref();
    let detail = event.detail().to_string();
    tracing::info!(
        target: "countersign::audit",
        event = event.word(),
        actor = caller.actor,
        subject,
        detail,
        request_id = caller.request_id,
        address = caller.address,
    );
    if event.is_routine()
        && audit::at_before(db, event.word(), subject, ROUTINE - 1)?.is_some_and(|at| now - at < 3600)
    {
        // The log and the counts have it; an entry for each would let one user fill the table.
        return Ok(());
    }
    let dedup = event.dedup(subject, now);
    let entry = Entry {
        id: clock::new_id(),
        at: now,
        event: event.word().to_owned(),
        actor: caller.actor.clone(),
        subject: subject.to_owned(),
        detail,
        request_id: caller.request_id.clone(),
        address: caller.address.clone(),
    };
    audit::append(db, &entry, dedup.as_deref())
}

/// Whether an event that is stored once per hour already has an entry for this hour.
pub(super) fn is_recorded(db: &mut dyn Sql, event: &Event, subject: &str, now: i64) -> Result<bool, Error> {
    event.dedup(subject, now).map_or(Ok(false), |dedup| audit::has(db, &dedup))
}
