//! What is written down of what happened. Called inside the transaction that did it, so that
//! neither exists without the other.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{Caller, clock};
use crate::store::audit::{self, Entry};
use crate::store::{Error, Sql};

/// Something that happened. Its fields are written down with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
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
    UserAdopted {
        /// The id.
        external_id: String,
    },
    /// A user's unverified address went to the user with this id, whose record proved it.
    AddressLost {
        /// The user's id.
        to: String,
    },
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
        #[serde(flatten)]
        detail: Value,
    },
    /// A mapping came into force.
    MappingPublished {
        /// Its number.
        version: i64,
        /// Why.
        reason: String,
        /// What it changed, in sentences.
        #[serde(serialize_with = "told")]
        changes: Vec<String>,
    },
    /// A draft was replaced by a text: a file that was taken in, or mended by hand.
    DraftImported {
        /// How many rules the text has, where they can be told apart.
        rules: Option<usize>,
        /// What it changed in the draft, in sentences.
        #[serde(serialize_with = "told")]
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
        #[serde(serialize_with = "told")]
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

/// Makes of a list the words that are written down and filtered by, which are stable, and what people call them.
macro_rules! events {
    ($($name:ident $word:literal $label:literal,)*) => {
        /// Every event's word, and what people call it.
        pub const EVENTS: &[(&str, &str)] = &[$(($word, $label),)*];

        impl Event {
            fn word(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $word,)*
                }
            }
        }
    };
}

events! {
    SignedIn "signed_in" "Signed in",
    SignInFailed "sign_in_failed" "Sign-in failed",
    SignInThrottled "sign_in_throttled" "Sign-in held back",
    PasswordConfirmed "password_confirmed" "Password confirmed",
    PasswordNotConfirmed "password_not_confirmed" "Password not confirmed",
    SignedOut "signed_out" "Signed out",
    SignInsEnded "sign_ins_ended" "Sign-ins ended",
    Unlocked "unlocked" "Waits lifted",
    NetworkUnlocked "network_unlocked" "Waits of a network lifted",
    UserAdded "user_added" "User added",
    UserChanged "user_changed" "User changed",
    UserAdopted "user_adopted" "User got an external_id",
    AddressLost "address_lost" "Unverified address lost",
    UserGone "user_gone" "Account gone",
    UserDisabled "user_disabled" "User disabled",
    UserEnabled "user_enabled" "User enabled",
    PasswordSet "password_set" "Password set",
    UsersImported "users_imported" "Users imported",
    AttributeSet "attribute_set" "Attribute set",
    AttributeRemoved "attribute_removed" "Attribute removed",
    DraftImported "draft_imported" "Mapping taken in as a draft",
    ExpectedSet "expected_set" "Expected payload set",
    ExpectedRemoved "expected_removed" "Expected payload removed",
    MappingPublished "mapping_published" "Mapping published",
    MappingRestored "mapping_restored" "Earlier mapping restored",
    MessengerAdded "messenger_added" "Messenger added",
    MessengerChanged "messenger_changed" "Messenger changed",
    MessengerEnabled "messenger_enabled" "Messenger switched on",
    MessengerDisabled "messenger_disabled" "Messenger switched off",
    SigningKeyAdded "signing_key_added" "Signing key pasted",
    SigningKeySwitched "signing_key_switched" "Signing key switched",
    SigningKeyRemoved "signing_key_removed" "Signing key removed",
    HandoverMade "handover_made" "Handover code made",
    HandedOver "handed_over" "Signed in by handover",
    DeviceSignedIn "device_signed_in" "App signed in",
    DeviceEnded "device_ended" "App signed out",
    ApiKeyCreated "api_key_created" "API key made",
    ApiKeyOffered "api_key_offered" "Connection code made",
    ApiKeyCollected "api_key_collected" "API key made with a connection code",
    ApiKeyRevoked "api_key_revoked" "API key revoked",
    TokenRefused "token_refused" "Token refused",
}

impl Event {
    /// What goes with it, by name.
    fn detail(&self) -> Value {
        // A variant without fields says nothing.
        serde_json::to_value(self).ok().filter(Value::is_object).unwrap_or_else(|| json!({}))
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
fn told<S: Serializer>(changes: &[String], out: S) -> Result<S::Ok, S::Error> {
    let cut = |text: &String| match text.char_indices().nth(TOLD_LETTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.clone(),
    };
    let mut told: Vec<String> = changes.iter().take(TOLD).map(cut).collect();
    if changes.len() > TOLD {
        told.push(format!("And {} more.", changes.len() - TOLD));
    }
    told.serialize(out)
}

/// Writes an event down, in the transaction that did it, and logs it.
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
