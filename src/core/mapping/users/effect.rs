//! What replacing one mapping with another changes for users: how many do not change, which users change in
//! which claim, which users lose their token and which get one. Users are checked one by one; the result so
//! far can be stored and continued later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::core::mapping::apply::outcome::Refusal;
use crate::core::payload::Payload;

/// How many samples of each kind are stored.
const SAMPLES: usize = 5;

/// What has been found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Users who were checked.
    pub users: u64,
    /// Users whose payload is the same, or who get no token before and after.
    pub unchanged: u64,
    /// Of these, the users who get no token before and after.
    #[serde(default)]
    pub without: u64,
    /// Users whose payload is different.
    pub changed: u64,
    /// By claim (`fields.7` for a custom field): users in whose payload it differs.
    pub claims: BTreeMap<String, Tally>,
    /// By the code of the refusal: users who had a token and now get none.
    pub refused: BTreeMap<String, Tally>,
    /// Users who had no token and now get one.
    pub accepted: Tally,
}

/// A number of users, and a few of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many.
    pub users: u64,
    /// The first of them.
    pub samples: Vec<Sample>,
}

/// One user of a tally.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The user.
    pub login: String,
    /// The claim's value before, if it had one.
    pub before: Option<String>,
    /// The claim's value after, or why there is no token.
    pub after: Option<String>,
}

impl Tally {
    fn add(&mut self, login: &str, values: impl FnOnce() -> (Option<String>, Option<String>)) {
        self.users += 1;
        if self.samples.len() < SAMPLES {
            let (before, after) = values();
            self.samples.push(Sample { login: login.to_owned(), before, after });
        }
    }
}

impl Effect {
    /// Adds what both mappings produce for a user.
    pub fn observe(
        &mut self,
        login: &str,
        before: &Result<Payload, Refusal>,
        after: &Result<Payload, Refusal>,
    ) {
        self.users += 1;
        match (before, after) {
            (Ok(before), Ok(after)) if before == after => self.unchanged += 1,
            (Ok(before), Ok(after)) => {
                self.changed += 1;
                self.differ(login, &claims(before), &claims(after));
            }
            (Err(_), Err(_)) => {
                self.unchanged += 1;
                self.without += 1;
            }
            (Ok(_), Err(refusal)) => {
                let tally = self.refused.entry(refusal.code.to_string()).or_default();
                tally.add(login, || (None, Some(refusal.message.clone())));
            }
            (Err(refusal), Ok(_)) => self.accepted.add(login, || (Some(refusal.message.clone()), None)),
        }
    }

    /// How many users had a token and now get none.
    pub fn newly_refused(&self) -> u64 {
        self.refused.values().map(|tally| tally.users).sum()
    }

    fn differ(&mut self, login: &str, before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) {
        let gone = before.keys().filter(|claim| !after.contains_key(*claim));
        for claim in after.keys().chain(gone) {
            let (before, after) = (before.get(claim), after.get(claim));
            if before != after {
                let tally = self.claims.entry(claim.clone()).or_default();
                tally.add(login, || (before.map(shown), after.map(shown)));
            }
        }
    }
}

/// The claims of a payload by name, with a name for each custom field.
fn claims(payload: &Payload) -> BTreeMap<String, Value> {
    let mut claims = BTreeMap::new();
    let Ok(Value::Object(object)) = serde_json::to_value(payload) else { return claims };
    for (name, value) in object {
        match value {
            Value::Object(fields) => {
                claims.extend(fields.into_iter().map(|(field, value)| (format!("{name}.{field}"), value)));
            }
            value => {
                claims.insert(name, value);
            }
        }
    }
    claims
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "an empty list".to_owned(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" · "),
        other => other.to_string(),
    }
}
