//! What is written down of what happened. Called inside the transaction that did it, so that
//! neither exists without the other.

use serde_json::{Value, json};

use super::clock;
use super::{App, Caller};
use crate::store::audit::{self, Entry};
use crate::store::{Error, Sql};

/// Something that happened. The words are stable: they are filtered by.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A right password.
    SignedIn,
    /// A wrong one, or a user who may not; `known` says whether there is such a login.
    SignInFailed {
        /// Whether the login belongs to a user.
        known: bool,
    },
    /// A guess that was not judged.
    SignInThrottled,
    /// A sign-in was ended by its user.
    SignedOut,
    /// The waits of an account were lifted.
    Unlocked,
    /// A user was added.
    UserAdded,
    /// A user's attributes were written; their names, not their values.
    UserChanged {
        /// Separated by commas.
        attributes: String,
    },
    /// A user may no longer sign in, and lost all sessions.
    UserDisabled,
    /// A user may sign in again.
    UserEnabled,
    /// A password was set, and all sessions ended.
    PasswordSet,
    /// A file of users was taken in.
    UsersImported {
        /// Added, changed, unchanged.
        added: usize,
        /// Users with other values than before.
        changed: usize,
        /// Users as they were.
        unchanged: usize,
    },
    /// An attribute was made or changed.
    AttributeSet {
        /// Its type, searchable, proved.
        detail: Value,
    },
    /// A mapping came into force.
    MappingPublished {
        /// Its number.
        version: i64,
        /// Why.
        reason: String,
    },
    /// A user got no token; one row per user and code per hour.
    TokenRefused {
        /// The refusal's code.
        code: &'static str,
        /// The claim that was missing.
        claim: Option<String>,
    },
}

impl Event {
    fn word(&self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignInFailed { .. } => "sign_in_failed",
            Self::SignInThrottled => "sign_in_throttled",
            Self::SignedOut => "signed_out",
            Self::Unlocked => "unlocked",
            Self::UserAdded => "user_added",
            Self::UserChanged { .. } => "user_changed",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::PasswordSet => "password_set",
            Self::UsersImported { .. } => "users_imported",
            Self::AttributeSet { .. } => "attribute_set",
            Self::MappingPublished { .. } => "mapping_published",
            Self::TokenRefused { .. } => "token_refused",
        }
    }

    fn detail(&self) -> Value {
        match self {
            Self::SignInFailed { known } => json!({ "known": known }),
            Self::UsersImported { added, changed, unchanged } => {
                json!({ "added": added, "changed": changed, "unchanged": unchanged })
            }
            Self::UserChanged { attributes } => json!({ "attributes": attributes }),
            Self::AttributeSet { detail } => detail.clone(),
            Self::MappingPublished { version, reason } => json!({ "version": version, "reason": reason }),
            Self::TokenRefused { code, claim } => json!({ "code": code, "claim": claim }),
            _ => json!({}),
        }
    }

    /// Of events that may come by the thousand, one row an hour is kept for each of these.
    fn dedup(&self, subject: &str, caller: &Caller, now: i64) -> Option<String> {
        let hour = now.div_euclid(3600);
        match self {
            Self::TokenRefused { code, .. } => Some(format!("token_refused {subject} {code} {hour}")),
            Self::SignInThrottled => Some(format!("throttled {} {hour}", caller.address)),
            _ => None,
        }
    }
}

/// Writes an event down, in the transaction that did it, and logs it.
pub(super) fn record(
    db: &mut dyn Sql,
    now: i64,
    caller: &Caller,
    event: &Event,
    subject: &str,
) -> Result<(), Error> {
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
    let dedup = event.dedup(subject, caller, now);
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

impl App {
    /// The latest events, newest first.
    pub fn latest_events(&self, limit: i64) -> Result<Vec<Entry>, Error> {
        self.store().read(|db| audit::latest(db, limit))
    }
}
