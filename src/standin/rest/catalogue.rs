//! The names behind the numbers: groups, languages, organizations, custom fields with choices.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Something with a number and a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The number.
    pub id: u64,
    /// The name.
    pub title: String,
}

/// A custom field of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The number.
    pub id: u64,
    /// The title.
    pub title: String,
    /// `text`, `choice`, `multichoice` or `toggle`.
    pub type_name: String,
    /// What can be chosen.
    #[serde(default)]
    pub choices: Vec<Entry>,
}

/// Everything that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// Groups of users.
    pub user_groups: Vec<Entry>,
    /// Languages.
    pub languages: Vec<Entry>,
    /// Organizations.
    pub organizations: Vec<Entry>,
    /// Custom fields.
    pub fields: Vec<Field>,
}

fn entries<const N: usize>(named: [(u64, &str); N]) -> Vec<Entry> {
    named.map(|(id, title)| Entry { id, title: title.to_owned() }).into()
}

impl Default for Catalogue {
    /// What the demo's mapping uses, and a little more.
    fn default() -> Self {
        let field = |id, title: &str, type_name: &str, choices| Field {
            id,
            title: title.to_owned(),
            type_name: type_name.to_owned(),
            choices,
        };
        Self {
            user_groups: entries([
                (1, "Everyone"),
                (2, "Registered"),
                (3, "Customers"),
                (5, "Newsletter readers"),
                (7, "Gold"),
                (8, "Silver"),
                (9, "Trial"),
            ]),
            languages: entries([(1, "English"), (2, "Español"), (3, "中文")]),
            organizations: entries([(1, "Example Ltd"), (2, "Muster GmbH")]),
            fields: vec![
                field(3, "Customer number", "text", vec![]),
                field(7, "Plan", "choice", entries([(9, "Gold"), (10, "Silver"), (11, "Free")])),
                field(9, "Member since", "text", vec![]),
                field(12, "Interests", "multichoice", entries([(20, "News"), (21, "Offers")])),
                field(15, "Newsletter", "toggle", vec![]),
            ],
        }
    }
}

impl Catalogue {
    /// The entries of a list of the API, by its path.
    pub(super) fn list(&self, path: &str) -> Option<Vec<Value>> {
        let json = |entries: &[Entry]| entries.iter().map(|entry| json!(entry)).collect();
        Some(match path {
            "user_groups" => json(&self.user_groups),
            "languages" => json(&self.languages),
            "organizations" => json(&self.organizations),
            "person_custom_fields" => self.fields.iter().map(|field| json!(field)).collect(),
            _ => return None,
        })
    }
}
