//! What is written down of what happened. Called inside the transaction that did it, so that
//! neither exists without the other.

use serde_json::{Value, json};

use super::{Caller, clock};
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
    SignInThrottled {
        /// The network that guesses are counted for: an IPv4 address or an IPv6 /64.
        network: String,
    },
    /// Whoever is signed in typed the password again, rightly.
    PasswordConfirmed,
    /// The same, wrongly.
    PasswordNotConfirmed,
    /// A sign-in was ended by its user.
    SignedOut,
    /// Users ended sign-ins of their own.
    SignInsEnded {
        /// How many.
        count: u64,
    },
    /// The waits of an account were lifted.
    Unlocked,
    /// The waits of a network were lifted.
    NetworkUnlocked {
        /// The IPv4 address or IPv6 /64.
        network: String,
    },
    /// A user was added.
    UserAdded,
    /// A user's attributes were written; their names, not their values.
    UserChanged {
        /// Separated by commas.
        attributes: String,
    },
    /// A user without an `external_id` got this one, because a record turned out to be about them.
    UserAdopted(String),
    /// A user's unverified address went to the user with this id, whose record proved it.
    AddressLost(String),
    /// An attribute was removed, with its values of all users.
    AttributeRemoved,
    /// The site said that the account is gone.
    UserGone,
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
        /// What it changed, in sentences.
        changes: Vec<String>,
    },
    /// A draft was replaced by a text: a file that was taken in, or mended by hand.
    DraftImported {
        /// How many rules the text has, where they can be told apart.
        rules: Option<usize>,
        /// What it changed in the draft, in sentences.
        changes: Vec<String>,
    },
    /// It was written down what a mapping must make of a user.
    ExpectedSet,
    /// Nothing is expected of a user any more.
    ExpectedRemoved,
    /// An earlier mapping came into force again.
    MappingRestored {
        /// Its new number.
        version: i64,
        /// The number it had before.
        from: i64,
        /// What it changed, in sentences.
        changes: Vec<String>,
    },
    /// A site's server made a code for a user.
    HandoverMade {
        /// The page that may swap it; empty for apps alone.
        origin: String,
    },
    /// A user was signed in by such a code.
    HandedOver {
        /// The page.
        origin: String,
    },
    /// An app was signed in.
    DeviceSignedIn {
        /// What it calls itself.
        name: String,
        /// What it runs on.
        platform: &'static str,
    },
    /// An app's sign-in was ended.
    DeviceEnded {
        /// What it called itself.
        name: String,
    },
    /// A messenger was added.
    MessengerAdded,
    /// Something else is said of a messenger; the names of the settings, not their values.
    MessengerChanged {
        /// Separated by commas.
        settings: String,
    },
    /// A messenger may be used again.
    MessengerEnabled,
    /// A messenger may not be used any more.
    MessengerDisabled,
    /// A signing key was pasted.
    SigningKeyAdded {
        /// Its id.
        key: String,
        /// What it is used for.
        state: &'static str,
    },
    /// Another key signs.
    SigningKeySwitched {
        /// Its id.
        key: String,
    },
    /// A signing key was forgotten.
    SigningKeyRemoved {
        /// Its id.
        key: String,
    },
    /// A key for a site's server was made.
    ApiKeyCreated {
        /// What it is for.
        name: String,
        /// What it may do, separated by commas.
        scopes: String,
        /// For which messengers, separated by commas.
        messengers: String,
    },
    /// A connection code was made, with which a plugin picks up such a key.
    ApiKeyOffered {
        /// What the key will be for.
        name: String,
        /// What it will do, separated by commas.
        scopes: String,
        /// For which messengers, separated by commas.
        messengers: String,
    },
    /// A plugin has picked up its key.
    ApiKeyCollected {
        /// What it is for.
        name: String,
        /// The website that the plugin says it is of.
        site: String,
    },
    /// A key was taken back.
    ApiKeyRevoked {
        /// What it was for.
        name: String,
        /// How many sign-ins that its codes had begun ended with it.
        ended: u64,
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
            Self::SignInThrottled { .. } => "sign_in_throttled",
            Self::PasswordConfirmed => "password_confirmed",
            Self::PasswordNotConfirmed => "password_not_confirmed",
            Self::SignedOut => "signed_out",
            Self::SignInsEnded { .. } => "sign_ins_ended",
            Self::Unlocked => "unlocked",
            Self::NetworkUnlocked { .. } => "network_unlocked",
            Self::UserAdded => "user_added",
            Self::UserChanged { .. } => "user_changed",
            Self::UserAdopted(_) => "user_adopted",
            Self::AddressLost(_) => "address_lost",
            Self::UserGone => "user_gone",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::PasswordSet => "password_set",
            Self::UsersImported { .. } => "users_imported",
            Self::AttributeSet { .. } => "attribute_set",
            Self::AttributeRemoved => "attribute_removed",
            Self::MappingPublished { .. } => "mapping_published",
            Self::DraftImported { .. } => "draft_imported",
            Self::ExpectedSet => "expected_set",
            Self::ExpectedRemoved => "expected_removed",
            Self::MappingRestored { .. } => "mapping_restored",
            Self::MessengerAdded => "messenger_added",
            Self::MessengerChanged { .. } => "messenger_changed",
            Self::MessengerEnabled => "messenger_enabled",
            Self::MessengerDisabled => "messenger_disabled",
            Self::SigningKeyAdded { .. } => "signing_key_added",
            Self::SigningKeySwitched { .. } => "signing_key_switched",
            Self::SigningKeyRemoved { .. } => "signing_key_removed",
            Self::HandoverMade { .. } => "handover_made",
            Self::HandedOver { .. } => "handed_over",
            Self::DeviceSignedIn { .. } => "device_signed_in",
            Self::DeviceEnded { .. } => "device_ended",
            Self::ApiKeyCreated { .. } => "api_key_created",
            Self::ApiKeyOffered { .. } => "api_key_offered",
            Self::ApiKeyCollected { .. } => "api_key_collected",
            Self::ApiKeyRevoked { .. } => "api_key_revoked",
            Self::TokenRefused { .. } => "token_refused",
        }
    }

    fn detail(&self) -> Value {
        match self {
            Self::SignInsEnded { count } => json!({ "count": count }),
            Self::NetworkUnlocked { network } | Self::SignInThrottled { network } => {
                json!({ "network": network })
            }
            Self::SignInFailed { known } => json!({ "known": known }),
            Self::UsersImported { added, changed, unchanged } => {
                json!({ "added": added, "changed": changed, "unchanged": unchanged })
            }
            Self::UserChanged { attributes } => json!({ "attributes": attributes }),
            Self::UserAdopted(external_id) => json!({ "external_id": external_id }),
            Self::AddressLost(to) => json!({ "to": to }),
            Self::AttributeSet { detail } => detail.clone(),
            Self::MappingPublished { version, reason, changes } => {
                json!({ "version": version, "reason": reason, "changes": told(changes) })
            }
            Self::DraftImported { rules, changes } => json!({ "rules": rules, "changes": told(changes) }),
            Self::MappingRestored { version, from, changes } => {
                json!({ "version": version, "from": from, "changes": told(changes) })
            }
            Self::ApiKeyCreated { name, scopes, messengers }
            | Self::ApiKeyOffered { name, scopes, messengers } => {
                json!({ "name": name, "scopes": scopes, "messengers": messengers })
            }
            Self::MessengerChanged { settings } => json!({ "settings": settings }),
            Self::SigningKeyAdded { key, state } => json!({ "key": key, "state": state }),
            Self::SigningKeySwitched { key } | Self::SigningKeyRemoved { key } => json!({ "key": key }),
            Self::HandoverMade { origin } | Self::HandedOver { origin } => json!({ "origin": origin }),
            Self::DeviceSignedIn { name, platform } => json!({ "name": name, "platform": platform }),
            Self::DeviceEnded { name } => json!({ "name": name }),
            Self::ApiKeyCollected { name, site } => json!({ "name": name, "site": site }),
            Self::ApiKeyRevoked { name, ended } => json!({ "name": name, "ended": ended }),
            Self::TokenRefused { code, claim } => json!({ "code": code, "claim": claim }),
            _ => json!({}),
        }
    }

    /// Whether somebody who has nothing but their own sign-in can make it happen by the thousand.
    fn is_routine(&self) -> bool {
        matches!(
            self,
            Self::SignedIn
                | Self::SignedOut
                | Self::SignInsEnded { .. }
                | Self::PasswordConfirmed
                | Self::PasswordSet
                | Self::HandoverMade { .. }
                | Self::HandedOver { .. }
                | Self::DeviceSignedIn { .. }
                | Self::DeviceEnded { .. }
        )
    }

    /// Of events that may come by the thousand, one row an hour is kept for each of these.
    fn dedup(&self, subject: &str, now: i64) -> Option<String> {
        let hour = now.div_euclid(3600);
        match self {
            Self::HandoverMade { origin } => Some(format!("handover_made {subject} {origin} {hour}")),
            Self::TokenRefused { code, .. } => Some(format!("token_refused {subject} {code} {hour}")),
            Self::SignInThrottled { network } => Some(format!("throttled {network} {hour}")),
            _ => None,
        }
    }
}

/// Of what one user may do as often as they like, so many rows an hour are kept.
const ROUTINE: i64 = 60;

/// Differences that are written down: at most this many, each at most this long (characters).
const TOLD: usize = 50;
const TOLD_LETTERS: usize = 400;

/// Differences as they are written down. Every version is kept whole, so no more is needed here.
fn told(changes: &[String]) -> Vec<String> {
    let cut = |text: &String| match text.char_indices().nth(TOLD_LETTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.clone(),
    };
    let mut told: Vec<String> = changes.iter().take(TOLD).map(cut).collect();
    if changes.len() > TOLD {
        told.push(format!("And {} more.", changes.len() - TOLD));
    }
    told
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
    if event.is_routine()
        && audit::at_before(db, event.word(), subject, ROUTINE - 1)?.is_some_and(|at| now - at < 3600)
    {
        // The log has it, and the counts; rows for each would let one user fill the table.
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

/// Whether an event of which one row an hour is kept has this hour's row already.
pub(super) fn is_recorded(db: &mut dyn Sql, event: &Event, subject: &str, now: i64) -> Result<bool, Error> {
    event.dedup(subject, now).map_or(Ok(false), |dedup| audit::has(db, &dedup))
}
