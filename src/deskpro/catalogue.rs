//! The names behind the numbers: groups, languages, organizations and custom fields with their choices.

use serde_json::Value;

use super::Client;
use super::error::Error;

/// How many pages of a list are read, which is 100,000 entries; the rest is left out.
const MOST_PAGES: u64 = 500;
/// How many entries one page has.
const PER_PAGE: u64 = 200;

/// Something with a number and a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The number.
    pub id: u64,
    /// The name.
    pub name: String,
}

/// A custom field of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The number.
    pub id: u64,
    /// The title.
    pub name: String,
    /// Deskpro's word for the kind, such as `text`, `choice` or `toggle`; empty if it is not known.
    pub kind: String,
    /// What can be chosen; empty for a field without choices.
    pub choices: Vec<Choice>,
}

/// One choice of a field.
pub type Choice = Named;

impl Client {
    /// The groups of users.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn user_groups(&self) -> Result<Vec<Named>, Error> {
        self.list("user_groups", named)
    }

    /// The languages.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn languages(&self) -> Result<Vec<Named>, Error> {
        self.list("languages", named)
    }

    /// The organizations.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn organizations(&self) -> Result<Vec<Named>, Error> {
        self.list("organizations", named)
    }

    /// The custom fields of people.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn person_fields(&self) -> Result<Vec<Field>, Error> {
        self.list("person_custom_fields", field)
    }

    /// Every entry that `read` understands, from all pages.
    fn list<T>(&self, path: &str, read: impl Fn(&Value) -> Option<T>) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        for page in 1..=MOST_PAGES {
            let reply = self.connection.get(&format!("{path}?count={PER_PAGE}&page={page}"))?;
            let entries = reply.data.as_array();
            let entries = entries.ok_or_else(|| Error::NotDeskpro(format!("{path} is not a list")))?;
            found.extend(entries.iter().filter_map(&read));
            let pages = reply.meta.pointer("/pagination/total_pages").and_then(Value::as_u64).unwrap_or(1);
            if entries.is_empty() || page >= pages {
                break;
            }
        }
        Ok(found)
    }
}

fn text(value: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| value.get(name)?.as_str()).map(str::to_owned)
}

fn named(value: &Value) -> Option<Named> {
    Some(Named { id: value.get("id")?.as_u64()?, name: text(value, &["title", "name"]).unwrap_or_default() })
}

fn field(value: &Value) -> Option<Field> {
    let Named { id, name } = named(value)?;
    let kind = text(value, &["type_name", "type", "widget_type"]).unwrap_or_default();
    // A list, or an object by number.
    let choices = match value.get("choices") {
        Some(Value::Array(list)) => list.iter().filter_map(named).collect(),
        Some(Value::Object(by_id)) => by_id.values().filter_map(named).collect(),
        _ => Vec::new(),
    };
    Some(Field { id, name, kind, choices })
}
