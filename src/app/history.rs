//! Reading the audit log: its entries with names in place of IDs, filtered and paged.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::audit::EVENTS;
use super::mapping::STARTER;
use super::{App, AppError};
use crate::core::id::{MessengerId, UserId};
use crate::core::mapping::{Version, changes};
use crate::store::audit::{self, Entry};
use crate::store::{Error, Sql, api_keys, users};

/// Which events to show.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The word of one event; `None` for all.
    pub event: Option<String>,
    /// The login of the user who did it or whom it is about; `None` for all.
    pub login: Option<String>,
    /// The ID of the last entry seen; `None` for the newest.
    pub before: Option<String>,
}

impl Filter {
    /// A filter as a form sends it: an empty field filters nothing.
    pub fn typed(event: String, login: &str, before: String) -> Self {
        let filled = |text: String| Some(text).filter(|text| !text.is_empty());
        Self { event: filled(event), login: filled(login.trim().to_owned()), before: filled(before) }
    }
}

/// An event with names in place of IDs.
#[derive(Clone, Debug, Serialize)]
pub struct AuditLine {
    /// The entry's ID.
    pub id: String,
    /// Unix seconds.
    pub at: i64,
    /// The event's word.
    pub word: String,
    /// Its label for people.
    pub event: &'static str,
    /// Who did it.
    pub actor: String,
    /// The user or thing it is about.
    pub subject: String,
    /// More details: names and values.
    pub detail: Vec<(String, String)>,
    /// What changed in the mapping, in sentences.
    pub changes: Vec<String>,
    /// The messenger of the mapping, if it is about one.
    pub messenger: Option<MessengerId>,
    /// The number of the mapping's version, if it is about one.
    pub version: Option<i64>,
    /// The client's address.
    pub address: String,
}

impl AuditLine {
    /// The messenger of the mapping, if it is not `default`.
    pub fn other_messenger(&self) -> Option<&MessengerId> {
        self.messenger.as_ref().filter(|id| !id.is_default())
    }
}

/// A published mapping with the details that a list shows.
#[derive(Clone, Debug)]
pub struct Published {
    /// Its number, text, reason and time.
    pub version: Version,
    /// Who published it.
    pub author: String,
    /// What it changed compared with the version before it, in sentences.
    pub changes: Vec<String>,
}

impl App {
    /// Events, newest first, or `None` if there is no user with the requested login.
    pub fn events(&self, filter: &Filter, limit: i64) -> Result<Option<Vec<AuditLine>>, AppError> {
        let user_id = match &filter.login {
            None => None,
            Some(login) => match self.find_user(login)? {
                Some(user) => Some(user.id),
                None => return Ok(None),
            },
        };
        let rows = self.store().read(|db| {
            audit::page(db, filter.event.as_deref(), user_id.as_ref(), filter.before.as_deref(), limit)
        })?;
        let names = self.names_of(&rows)?;
        Ok(Some(rows.into_iter().map(|row| audit_line(row, &names)).collect()))
    }

    /// The logins of the users who caused entries or whom entries are about, by their IDs.
    fn names_of(&self, rows: &[Entry]) -> Result<HashMap<String, String>, AppError> {
        let mut ids: Vec<&str> =
            rows.iter().flat_map(|row| [user_id(&row.actor), row.subject.as_str()]).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(self.store().read(|db| names(db, &ids))?)
    }

    /// Every version of a mapping, newest first.
    pub fn mapping_history(&self, messenger: &MessengerId) -> Result<Vec<Published>, AppError> {
        let versions = self.mapping_versions(messenger)?;
        let mut ids: Vec<&str> = versions.iter().map(|version| user_id(&version.author)).collect();
        ids.sort_unstable();
        ids.dedup();
        let names = self.store().read(|db| names(db, &ids))?;
        let known = self.catalogue(messenger)?;
        let before = versions.iter().skip(1).map(|version| version.text.as_str()).chain([STARTER]);
        let changes: Vec<_> = versions
            .iter()
            .zip(before)
            .map(|(version, before)| changes(before, &version.text, &known))
            .collect();
        let published = versions.into_iter().zip(changes).map(|(version, changes)| {
            let author = actor_name(&version.author, &names);
            Published { version, author, changes }
        });
        Ok(published.collect())
    }

    /// The name of an actor of the audit log: a login, or words.
    pub fn actor_name(&self, actor: &str) -> String {
        let found = self.store().read(|db| names(db, &[user_id(actor)]));
        actor_name(actor, &found.unwrap_or_default())
    }
}

/// The ID in an actor.
fn user_id(actor: &str) -> &str {
    actor.strip_prefix("user:").or_else(|| actor.strip_prefix("key:")).unwrap_or(actor)
}

/// The names of users and API keys for people, by their IDs.
fn names(db: &mut dyn Sql, ids: &[&str]) -> Result<HashMap<String, String>, Error> {
    let users: Vec<UserId> = ids.iter().copied().map(UserId::from).collect();
    let logins = users::logins(db, &users.iter().collect::<Vec<_>>())?;
    let mut names: HashMap<String, String> =
        logins.into_iter().map(|(id, login)| (id.to_string(), login)).collect();
    let missing: Vec<&str> = ids.iter().copied().filter(|id| !names.contains_key(*id)).collect();
    if !missing.is_empty() {
        let keys = api_keys::names(db, &missing)?;
        names.extend(keys.into_iter().map(|(id, name)| (id, format!("API key “{name}”"))));
    }
    Ok(names)
}

fn actor_name(actor: &str, names: &HashMap<String, String>) -> String {
    match actor {
        "cli" => "the command line".to_owned(),
        "system" => "Countersign".to_owned(),
        "anonymous" => "not signed in".to_owned(),
        other => name(user_id(other), names),
    }
}

fn name(id: &str, names: &HashMap<String, String>) -> String {
    names.get(id).cloned().unwrap_or_else(|| id.to_owned())
}

/// What an entry is about: a user, or the mapping of a messenger.
fn about(row: &Entry, names: &HashMap<String, String>) -> String {
    match row.event.as_str() {
        "mapping_published" | "mapping_restored" | "draft_imported" => {
            format!("the mapping of “{}”", row.subject)
        }
        event if event.starts_with("messenger_") || event.starts_with("signing_key_") => {
            format!("the messenger “{}”", row.subject)
        }
        _ => name(&row.subject, names),
    }
}

fn audit_line(row: Entry, names: &HashMap<String, String>) -> AuditLine {
    let event = EVENTS.iter().find(|(word, _)| *word == row.event).map_or("Other event", |(_, name)| name);
    let mut detail: Map<String, Value> = serde_json::from_str(&row.detail).unwrap_or_default();
    let changes = detail.remove("changes");
    let texts = |list: &Vec<Value>| list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let shown = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Bool(answer) => if *answer { "yes" } else { "no" }.to_owned(),
        other => other.to_string(),
    };
    let is_said = |value: &Value| !value.is_null() && value.as_str() != Some("");
    let subject = about(&row, names);
    let is_mapping = row.event.starts_with("mapping_") || row.event == "draft_imported";
    let messenger = is_mapping.then(|| row.subject.as_str().into());
    AuditLine {
        id: row.id,
        at: row.at,
        event,
        actor: actor_name(&row.actor, names),
        messenger,
        subject,
        version: detail.get("version").and_then(Value::as_i64),
        changes: changes.as_ref().and_then(Value::as_array).map(texts).unwrap_or_default(),
        detail: detail
            .iter()
            .filter(|(_, it)| is_said(it))
            .map(|(name, it)| (name.replace('_', " "), shown(it)))
            .collect(),
        word: row.event,
        address: row.address,
    }
}
