//! Attributes: which there are, and what is said about each.

use serde_json::json;

use super::audit::{Event, record};
use super::users::convert;
use super::{App, AppError, Caller};
use crate::core::attribute::{Definition, Definitions, Kind, NameFault, Value};
use crate::store::{self, ChangeKind, attributes, users};

/// What to change of an attribute; `None` leaves it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change {
    /// Its type; values of users are converted.
    pub kind: Option<Kind>,
    /// Whether users are found by it.
    pub searchable: Option<bool>,
    /// Whether whoever writes it vouches that it is the user's.
    pub proved: Option<bool>,
}

/// The lock under which attributes are made, so that no two differ by capitals alone.
pub(super) const LOCK: &str = "attributes";

impl App {
    /// What the site says of its attributes.
    pub fn attributes(&self) -> Result<Definitions, AppError> {
        Ok(self.store().read(|db| attributes::all(db))?)
    }

    /// Makes an attribute or changes it, whole or not at all: when a user has a value that cannot
    /// be read as the new type, nothing changes and that user is named.
    pub fn set_attribute(&self, name: &str, change: Change, caller: &Caller) -> Result<Definition, AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            store::lock(tx, LOCK)?;
            let mut definitions = attributes::all(tx)?;
            let before = definitions.any(name);
            let mut after = before.unwrap_or_default();
            after.kind = change.kind.unwrap_or(after.kind);
            after.searchable = change.searchable.unwrap_or(after.searchable);
            after.proved = change.proved.unwrap_or(after.proved);
            definitions.define(name, after).map_err(|fault| refused(name, &fault))?;
            attributes::put(tx, name, &after, now)?;
            let rewritten = before.is_some_and(|before| before.kind != after.kind || before.searchable != after.searchable);
            if rewritten {
                rewrite(tx, name, after.kind, &definitions, now)?;
            }
            let detail = json!({ "type": after.kind.as_str(), "searchable": after.searchable, "proved": after.proved });
            record(tx, now, caller, &Event::AttributeSet { detail }, name)?;
            tx.changed(ChangeKind::All, "");
            Ok(after)
        })
    }
}

fn refused(name: &str, fault: &NameFault) -> AppError {
    let what = match (fault, name) {
        (NameFault::BuiltIn(_), "email" | "email_verified") => {
            "it is built in, and nothing can be said of it: email_verified says of each user whether the address is proved"
                .to_owned()
        }
        (NameFault::BuiltIn(_), "deskpro_id") => {
            "it is built in, and nothing can be said of it: only admins and the sync write it, so it is always proved"
                .to_owned()
        }
        (NameFault::BuiltIn(_), _) => {
            "it is built in, and nothing can be said of it but --proved or --no-proved".to_owned()
        }
        _ => fault.to_string(),
    };
    AppError::Refused(format!("'{name}': {what}."))
}

/// Brings every user's value to a type, and search keys up to date.
fn rewrite(
    tx: &mut store::Tx<'_>,
    name: &str,
    kind: Kind,
    definitions: &Definitions,
    now: i64,
) -> Result<(), AppError> {
    let mut after = String::new();
    loop {
        let page = users::page(tx, &after, 500)?;
        let Some(last) = page.last() else { return Ok(()) };
        last.login.as_str().clone_into(&mut after);
        for mut user in page {
            let Some(value) = user.attributes.get(name).cloned() else { continue };
            let text = match (&value, kind) {
                (Value::List(_), Kind::List) => None,
                (Value::List(items), _) if items.len() != 1 => {
                    return Err(AppError::Refused(format!(
                        "'{}' has a list with {} items. Nothing was changed.",
                        user.login,
                        items.len()
                    )));
                }
                (Value::List(items), _) => items[0].as_text(),
                (one, Kind::List) => one.as_text().map(|text| json!([text]).to_string()),
                (one, _) => one.as_text(),
            };
            if let Some(text) = text {
                let converted = convert(&text, kind).map_err(|what| {
                    AppError::Refused(format!("'{}': {what} Nothing was changed.", user.login))
                })?;
                if converted != value {
                    user.updated_at = now;
                }
                user.attributes.set(name, converted);
            }
            users::update(tx, &user, definitions)?;
        }
    }
}
