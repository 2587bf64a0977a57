//! What is written down of what happened. Called inside the transaction that did it, so that
//! neither exists without the other.

use serde_json::{Map, Value, json};

use super::clock;
use super::{App, AppError, Caller};
use crate::core::user::Login;
use crate::store::audit::{self, Entry};
use crate::store::{Error, Sql, users};

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
    /// A draft was replaced by a text: a file that was taken in, or mended by hand.
    DraftImported {
        /// How many rules the text has, where they can be told apart.
        rules: Option<usize>,
    },
    /// An earlier mapping came into force again.
    MappingRestored {
        /// Its new number.
        version: i64,
        /// The number it had before.
        from: i64,
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
            Self::DraftImported { .. } => "draft_imported",
            Self::MappingRestored { .. } => "mapping_restored",
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
            Self::DraftImported { rules } => json!({ "rules": rules }),
            Self::MappingRestored { version, from } => json!({ "version": version, "from": from }),
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

/// Every event's word, and what people call it.
pub const EVENTS: &[(&str, &str)] = &[
    ("signed_in", "Signed in"),
    ("sign_in_failed", "Sign-in failed"),
    ("sign_in_throttled", "Sign-in held back"),
    ("signed_out", "Signed out"),
    ("unlocked", "Waits lifted"),
    ("user_added", "User added"),
    ("user_changed", "User changed"),
    ("user_disabled", "User disabled"),
    ("user_enabled", "User enabled"),
    ("password_set", "Password set"),
    ("users_imported", "Users imported"),
    ("attribute_set", "Attribute set"),
    ("draft_imported", "Mapping taken in as a draft"),
    ("mapping_published", "Mapping published"),
    ("mapping_restored", "Earlier mapping restored"),
    ("token_refused", "Token refused"),
];

/// Which events to show.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The word of one event; empty for all.
    pub event: String,
    /// The login of the user who did it or whom it is about; empty for all.
    pub login: String,
    /// The id of the last row seen; empty for the newest.
    pub before: String,
}

/// An event with names in place of ids.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The row's id.
    pub id: String,
    /// Unix seconds.
    pub at: i64,
    /// What people call the event.
    pub event: &'static str,
    /// Who did it.
    pub actor: String,
    /// Whom or what it is about.
    pub subject: String,
    /// What else is known: names and values.
    pub detail: Vec<(String, String)>,
    /// The number of the mapping's version, where it is about one.
    pub version: Option<i64>,
    /// The client's address.
    pub address: String,
}

impl App {
    /// Events newest first, or `None` when nobody has the login that was asked for.
    pub fn events(&self, filter: &Filter, limit: i64) -> Result<Option<Vec<Seen>>, AppError> {
        let user_id = match Login::parse(&filter.login) {
            Err(_) if filter.login.trim().is_empty() => None,
            Err(_) => return Ok(None),
            Ok(login) => match self.store().read(|db| users::by_login(db, &login))? {
                Some(user) => Some(user.id),
                None => return Ok(None),
            },
        };
        let rows = self
            .store()
            .read(|db| audit::page(db, &filter.event, user_id.as_deref(), &filter.before, limit))?;
        Ok(Some(rows.into_iter().map(|row| self.seen(row)).collect()))
    }

    /// Who an actor of the audit is: a login, or words.
    pub fn actor_name(&self, actor: &str) -> String {
        match actor {
            "cli" => "the command line".to_owned(),
            "system" => "Countersign".to_owned(),
            "anonymous" => "somebody".to_owned(),
            other => self.subject_name(other.strip_prefix("user:").unwrap_or(other)),
        }
    }

    fn subject_name(&self, subject: &str) -> String {
        let user = self.store().read(|db| users::by_id(db, subject));
        user.ok().flatten().map_or_else(|| subject.to_owned(), |user| user.login.as_str().to_owned())
    }

    fn seen(&self, row: Entry) -> Seen {
        let event =
            EVENTS.iter().find(|(word, _)| *word == row.event).map_or("Something else", |(_, name)| name);
        let detail: Map<String, Value> = serde_json::from_str(&row.detail).unwrap_or_default();
        let shown = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Bool(answer) => if *answer { "yes" } else { "no" }.to_owned(),
            other => other.to_string(),
        };
        let is_said = |value: &Value| !value.is_null() && value.as_str() != Some("");
        Seen {
            id: row.id,
            at: row.at,
            event,
            actor: self.actor_name(&row.actor),
            subject: self.subject_name(&row.subject),
            version: detail.get("version").and_then(Value::as_i64),
            detail: detail
                .iter()
                .filter(|(_, it)| is_said(it))
                .map(|(name, it)| (name.replace('_', " "), shown(it)))
                .collect(),
            address: row.address,
        }
    }

    /// The latest events, newest first.
    pub fn latest_events(&self, limit: i64) -> Result<Vec<Entry>, Error> {
        self.store().read(|db| audit::latest(db, limit))
    }
}
