//! The names behind the ids: groups, languages, organizations and custom fields with their choices.

use serde_json::Value;

use super::Client;
use super::error::Error;

/// How many entries one page has.
const PER_PAGE: u64 = 200;

/// A list of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// The groups of users.
    UserGroups,
    /// The languages.
    Languages,
    /// The organizations.
    Organizations,
    /// The custom fields of people.
    Fields,
}

impl List {
    /// All lists.
    pub const ALL: [Self; 4] = [Self::UserGroups, Self::Languages, Self::Organizations, Self::Fields];

    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserGroups => "user_groups",
            Self::Languages => "languages",
            Self::Organizations => "organizations",
            Self::Fields => "person_custom_fields",
        }
    }
}

/// Something with an id and a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The id.
    pub id: u64,
    /// The name.
    pub name: String,
    /// What can be chosen, if it is a custom field with choices.
    pub choices: Vec<Named>,
}

impl Client {
    /// One page of a list, counted from 1, and whether there is another one. Entries that cannot be understood are left out.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn names(&self, list: List, page: u64) -> Result<(Vec<Named>, bool), Error> {
        let path = list.as_str();
        let reply = self.connection.get(&format!("{path}?count={PER_PAGE}&page={page}"))?;
        let entries = reply.data.as_array();
        let entries = entries.ok_or_else(|| Error::NotDeskpro(format!("{path} is not a list")))?;
        let pages = reply.meta.pointer("/pagination/total_pages").and_then(Value::as_u64).unwrap_or(1);
        Ok((entries.iter().filter_map(named).collect(), page < pages && !entries.is_empty()))
    }
}

fn named(value: &Value) -> Option<Named> {
    let name = ["title", "name"].iter().find_map(|key| value.get(key)?.as_str()).unwrap_or_default();
    // A list, or an object by id.
    let choices = match value.get("choices") {
        Some(Value::Array(list)) => list.iter().filter_map(named).collect(),
        Some(Value::Object(by_id)) => by_id.values().filter_map(named).collect(),
        _ => Vec::new(),
    };
    Some(Named { id: value.get("id")?.as_u64()?, name: name.to_owned(), choices })
}
