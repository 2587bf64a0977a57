//! Every event of the audit log, with the words that are stored and the labels for people.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::core::sync::Counts;

/// Something that happened. Its fields are stored with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// The password was right.
    SignedIn,
    /// The password was wrong, or the user may not sign in; `known` says whether the login exists.
    SignInFailed {
        /// Whether the login belongs to a user.
        known: bool,
    },
    /// A guess that was not checked.
    SignInThrottled {
        /// The network that guesses are counted for: an IPv4 address or an IPv6 /64.
        network: String,
    },
    /// A signed-in user typed the password again, and it was right.
    PasswordConfirmed,
    /// A signed-in user typed the password again, and it was wrong.
    PasswordNotConfirmed,
    /// A user ended the session.
    SignedOut,
    /// A user ended sessions of their own.
    SignInsEnded {
        /// How many.
        count: u64,
    },
    /// An account was unlocked: it has no waiting time any more.
    Unlocked,
    /// A network was unlocked: it has no waiting time any more.
    NetworkUnlocked {
        /// The IPv4 address or IPv6 /64.
        network: String,
    },
    /// A user was added.
    UserAdded,
    /// A user's attributes were changed; their names, not their values.
    UserChanged {
        /// Separated by commas.
        attributes: String,
    },
    /// A user without an `external_id` got this one, because a record turned out to be about them.
    UserAdopted {
        /// The ID.
        external_id: String,
    },
    /// A user's unverified address went to the user with this ID, whose record proved it.
    AddressLost {
        /// The user's ID.
        to: String,
    },
    /// An attribute was removed, with every user's value.
    AttributeRemoved,
    /// The site said that the account is gone.
    UserGone,
    /// A user may no longer sign in, and lost all sessions.
    UserDisabled,
    /// A user may sign in again.
    UserEnabled,
    /// A password was set, and all sessions ended.
    PasswordSet,
    /// A file of users was imported.
    UsersImported {
        /// Added, changed, unchanged.
        added: usize,
        /// Users with other values than before.
        changed: usize,
        /// Users as they were.
        unchanged: usize,
    },
    /// An attribute was created or changed.
    AttributeSet {
        /// Its type, and whether it is searchable and trusted.
        #[serde(flatten)]
        detail: Value,
    },
    /// A mapping was published.
    MappingPublished {
        /// Its number.
        version: i64,
        /// Why.
        reason: String,
        /// What it changed, in sentences.
        #[serde(serialize_with = "shortened")]
        changes: Vec<String>,
    },
    /// A draft was replaced by a whole mapping: an imported file, or one edited as JSON.
    DraftImported {
        /// How many rules the mapping has, if it can be read that far.
        rules: Option<usize>,
        /// What it changed in the draft, in sentences.
        #[serde(serialize_with = "shortened")]
        changes: Vec<String>,
    },
    /// An expected payload was set for a user.
    ExpectedSet,
    /// The expected payload of a user was removed.
    ExpectedRemoved,
    /// An earlier mapping was published again.
    MappingRestored {
        /// Its new number.
        version: i64,
        /// The number it had before.
        from: i64,
        /// What it changed, in sentences.
        #[serde(serialize_with = "shortened")]
        changes: Vec<String>,
    },
    /// A site's server created a handover code for a user.
    HandoverMade {
        /// The page that may swap it; empty if only apps may.
        origin: String,
    },
    /// A user was signed in with a handover code.
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
    /// An app's session was ended.
    DeviceEnded {
        /// What it called itself.
        name: String,
    },
    /// A messenger was added.
    MessengerAdded,
    /// Settings of a messenger were changed; the names of the settings, not their values.
    MessengerChanged {
        /// Separated by commas.
        settings: String,
    },
    /// A messenger may be used again.
    MessengerEnabled,
    /// A messenger may not be used any more.
    MessengerDisabled,
    /// A signing key was added.
    SigningKeyAdded {
        /// Its ID.
        key: String,
        /// What it is used for.
        state: &'static str,
    },
    /// Another key became the active one.
    SigningKeySwitched {
        /// Its ID.
        key: String,
    },
    /// A signing key was removed.
    SigningKeyRemoved {
        /// Its ID.
        key: String,
    },
    /// A key for a site's server was created.
    ApiKeyCreated {
        /// What it is for.
        name: String,
        /// What it may do, separated by commas.
        scopes: String,
        /// For which messengers, separated by commas.
        messengers: String,
    },
    /// A connection code was created, with which a plugin creates such a key.
    ApiKeyOffered {
        /// What the key will be for.
        name: String,
        /// What it will do, separated by commas.
        scopes: String,
        /// For which messengers, separated by commas.
        messengers: String,
    },
    /// A plugin has collected its key.
    ApiKeyCollected {
        /// What it is for.
        name: String,
        /// The website that the plugin says it belongs to.
        site: String,
    },
    /// A key was revoked.
    ApiKeyRevoked {
        /// What it was for.
        name: String,
        /// How many sessions that its codes started ended with it.
        ended: u64,
    },
    /// A helpdesk was connected: its API keeps users from now on.
    DeskConnected {
        /// The helpdesk.
        helpdesk: String,
    },
    /// Settings of a desk were changed; the names of the settings, not their values.
    DeskChanged {
        /// Separated by commas.
        settings: String,
    },
    /// A desk was removed, with everything that was known of its people.
    DeskRemoved {
        /// The helpdesk.
        helpdesk: String,
    },
    /// Deskpro may call when a person has changed, with a new secret; or no longer.
    WebhookSet {
        /// The helpdesk.
        helpdesk: String,
        /// Whether it may.
        on: bool,
    },
    /// Alerts are sent, with a new secret; or no longer.
    AlertsSet {
        /// The helpdesk.
        helpdesk: String,
        /// Whether they are.
        on: bool,
    },
    /// The names of a helpdesk changed.
    NamesLoaded {
        /// The helpdesk.
        helpdesk: String,
        /// `api` or `file`.
        source: String,
    },
    /// A synchronization was paused.
    SyncPaused,
    /// A synchronization goes on.
    SyncResumed,
    /// A run over all users was asked for.
    SyncAsked {
        /// `sync` or `verify`.
        kind: String,
    },
    /// A run over all users ended.
    SyncEnded {
        /// `done`, or why it stopped.
        outcome: String,
        /// What it did.
        #[serde(flatten)]
        counts: Counts,
    },
    /// A user became a person at Deskpro, or another one than before.
    PersonKept {
        /// The helpdesk.
        helpdesk: String,
        /// The person.
        deskpro_id: String,
        /// `created`, `found` by address, or `known` before.
        how: &'static str,
    },
    /// It is not certain which person at Deskpro a user is.
    PersonConflict {
        /// The helpdesk.
        helpdesk: String,
        /// The reason.
        code: String,
    },
    /// A user got no token; one entry per user and code per hour.
    TokenRefused {
        /// The refusal's code.
        code: &'static str,
        /// The claim that was missing.
        claim: Option<String>,
    },
}

/// Turns a list into the words that are stored and filtered by, which are stable, and their labels for
/// people.
macro_rules! events {
    ($($name:ident $word:literal $label:literal,)*) => {
        /// Every event's word and its label for people.
        pub const EVENTS: &[(&str, &str)] = &[$(($word, $label),)*];

        impl Event {
            pub(super) fn word(&self) -> &'static str {
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
    SignInThrottled "sign_in_throttled" "Sign-in throttled",
    PasswordConfirmed "password_confirmed" "Password confirmed",
    PasswordNotConfirmed "password_not_confirmed" "Password not confirmed",
    SignedOut "signed_out" "Signed out",
    SignInsEnded "sign_ins_ended" "Sessions ended",
    Unlocked "unlocked" "Account unlocked",
    NetworkUnlocked "network_unlocked" "Network unlocked",
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
    DraftImported "draft_imported" "Mapping imported as a draft",
    ExpectedSet "expected_set" "Expected payload set",
    ExpectedRemoved "expected_removed" "Expected payload removed",
    MappingPublished "mapping_published" "Mapping published",
    MappingRestored "mapping_restored" "Earlier mapping restored",
    MessengerAdded "messenger_added" "Messenger added",
    MessengerChanged "messenger_changed" "Messenger changed",
    MessengerEnabled "messenger_enabled" "Messenger switched on",
    MessengerDisabled "messenger_disabled" "Messenger switched off",
    SigningKeyAdded "signing_key_added" "Signing key added",
    SigningKeySwitched "signing_key_switched" "Signing key switched",
    SigningKeyRemoved "signing_key_removed" "Signing key removed",
    HandoverMade "handover_made" "Handover code created",
    HandedOver "handed_over" "Signed in with a handover code",
    DeviceSignedIn "device_signed_in" "App signed in",
    DeviceEnded "device_ended" "App signed out",
    ApiKeyCreated "api_key_created" "API key created",
    ApiKeyOffered "api_key_offered" "Connection code created",
    ApiKeyCollected "api_key_collected" "API key created with a connection code",
    ApiKeyRevoked "api_key_revoked" "API key revoked",
    DeskConnected "desk_connected" "Helpdesk connected",
    DeskChanged "desk_changed" "Settings of the synchronization changed",
    DeskRemoved "desk_removed" "Helpdesk disconnected",
    WebhookSet "webhook_set" "Webhook from Deskpro changed",
    AlertsSet "alerts_set" "Alerts changed",
    NamesLoaded "names_loaded" "Names from Deskpro loaded",
    SyncPaused "sync_paused" "Synchronization paused",
    SyncResumed "sync_resumed" "Synchronization resumed",
    SyncAsked "sync_asked" "Synchronization started",
    SyncEnded "sync_ended" "Synchronization ended",
    PersonKept "person_kept" "User linked to a person",
    PersonConflict "person_conflict" "Person not certain",
    TokenRefused "token_refused" "Token refused",
}

impl Event {
    /// The details stored with it, by name.
    pub(super) fn detail(&self) -> Value {
        // A variant without fields has no details.
        serde_json::to_value(self).ok().filter(Value::is_object).unwrap_or_else(|| json!({}))
    }

    /// Whether a signed-in user without any other rights can cause thousands of them.
    pub(super) fn is_routine(&self) -> bool {
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

    /// For events that may occur in large numbers, one entry per hour is stored for each of these keys.
    pub(super) fn dedup(&self, subject: &str, now: i64) -> Option<String> {
        let hour = now.div_euclid(3600);
        match self {
            Self::HandoverMade { origin } => Some(format!("handover_made {subject} {origin} {hour}")),
            Self::TokenRefused { code, .. } => Some(format!("token_refused {subject} {code} {hour}")),
            Self::SignInThrottled { network } => Some(format!("throttled {network} {hour}")),
            _ => None,
        }
    }
}

/// Differences that are stored: at most this many, each at most this long (characters).
const MAX_CHANGES: usize = 50;
const MAX_LETTERS: usize = 400;

/// Differences as they are stored. Every version is stored in full, so no more is needed here.
fn shortened<S: Serializer>(changes: &[String], out: S) -> Result<S::Ok, S::Error> {
    let cut = |text: &String| match text.char_indices().nth(MAX_LETTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.clone(),
    };
    let mut shortened: Vec<String> = changes.iter().take(MAX_CHANGES).map(cut).collect();
    if changes.len() > MAX_CHANGES {
        shortened.push(format!("And {} more.", changes.len() - MAX_CHANGES));
    }
    shortened.serialize(out)
}
