//! What a request may write of a person, and what Deskpro says if it may not.

use serde_json::{Map, Value, json};

use super::super::people::{People, Person};
use super::catalogue::Catalogue;

const KEYS: [&str; 13] = [
    "name",
    "first_name",
    "last_name",
    "primary_email",
    "emails",
    "timezone",
    "organization",
    "organization_position",
    "language",
    "labels",
    "user_groups",
    "fields",
    "phone_numbers",
];

/// The problems of an input, by field.
#[derive(Default)]
struct Problems {
    whole: Vec<Value>,
    fields: Map<String, Value>,
}

impl Problems {
    fn whole(&mut self, code: &str, message: &str) {
        self.whole.push(json!({ "code": code, "message": message }));
    }

    fn field(&mut self, name: &str, code: &str, message: &str) {
        self.fields.insert(name.to_owned(), json!({ "errors": [{ "code": code, "message": message }] }));
    }

    fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.fields.is_empty()
    }

    /// One of the addresses, as Deskpro nests it.
    fn address(&mut self, code: &str, message: &str) {
        let problem = json!({ "errors": [{ "code": code, "message": message }] });
        self.fields.insert("emails".to_owned(), json!({ "fields": { "emails_0": problem } }));
    }

    fn json(self) -> Value {
        json!({ "errors": self.whole, "fields": self.fields })
    }
}

/// Creates a person, or updates the one with a number.
///
/// # Errors
/// Deskpro's `errors`.
pub(super) fn write(
    people: &mut People,
    catalogue: &Catalogue,
    id: Option<u64>,
    body: &Value,
    now: i64,
) -> Result<Person, Value> {
    let mut problems = Problems::default();
    let Some(input) = body.as_object() else {
        problems.whole("invalid", "The body is no object.");
        return Err(problems.json());
    };
    if input.keys().any(|key| !KEYS.contains(&key.as_str())) {
        problems.whole("extra_fields", "This form should not contain extra fields.");
    }
    let mut person = id.and_then(|id| people.by_id(id)).cloned().unwrap_or_default();
    let texts = [
        ("name", &mut person.name),
        ("first_name", &mut person.first_name),
        ("last_name", &mut person.last_name),
        ("timezone", &mut person.timezone),
        ("primary_email", &mut person.email),
    ];
    let before = people.by_id(person.id).and_then(|person| person.email.clone());
    for (key, own) in texts {
        match input.get(key) {
            None => {}
            Some(Value::String(text)) => *own = Some(text.clone()),
            Some(Value::Null) => *own = None,
            Some(_) => problems.field(key, "invalid", "This value is not valid."),
        }
    }
    if input.contains_key("first_name") || input.contains_key("last_name") {
        person.name = None;
    }
    for (key, own, known) in [
        ("organization", &mut person.organization_id, &catalogue.organizations),
        ("language", &mut person.language_id, &catalogue.languages),
    ] {
        match input.get(key) {
            None => {}
            Some(Value::Null) => *own = None,
            Some(value) => match value.as_u64().filter(|id| known.iter().any(|entry| entry.id == *id)) {
                Some(id) => *own = Some(id.to_string()),
                None => problems.field(key, "invalid_choice", "The selected choice is invalid."),
            },
        }
    }
    if let Some(value) = input.get("user_groups") {
        let ids = numbers(value)
            .filter(|ids| ids.iter().all(|id| catalogue.user_groups.iter().any(|known| known.id == *id)));
        match ids {
            Some(ids) => person.usergroup_ids = ids.iter().map(ToString::to_string).collect(),
            None => problems.field("user_groups", "invalid_choice", "The selected choice is invalid."),
        }
    }
    for (key, own) in [("labels", &mut person.labels), ("emails", &mut person.emails)] {
        match input.get(key).map(texts_of) {
            None => {}
            Some(Some(list)) => *own = list,
            Some(None) => problems.field(key, "invalid", "This value is not valid."),
        }
    }
    match input.get("fields") {
        None => {}
        Some(Value::Object(fields)) => {
            for (key, value) in fields {
                if catalogue.fields.iter().any(|field| field.id.to_string() == *key) {
                    person.fields.insert(key.clone(), value.clone());
                } else {
                    problems.field("fields", "extra_fields", "This form should not contain extra fields.");
                }
            }
        }
        Some(Value::Array(list)) if list.is_empty() => {}
        Some(_) => problems.field("fields", "invalid", "This value is not valid."),
    }
    let has_name = [&person.name, &person.first_name, &person.last_name]
        .into_iter()
        .flatten()
        .any(|name| !name.trim().is_empty());
    if !has_name {
        problems.field("name", "required", "A name is required.");
    }
    // The address before this one stays one of the person's.
    if person.email != before {
        person.emails.extend(before);
    }
    let primary = person.email.as_ref().map(|email| email.to_lowercase());
    person.emails.retain(|email| Some(email.to_lowercase()) != primary);
    let mut addresses = person.email.iter().chain(&person.emails);
    if addresses.clone().any(|email| email.split('@').count() != 2) {
        problems.address("invalid_email", "This is not a valid email address.");
    }
    if addresses.any(|email| people.owner(email).is_some_and(|owner| owner != person.id)) {
        problems.address("dupe_email", "This email address is already in use.");
    }
    if !problems.is_empty() {
        return Err(problems.json());
    }
    Ok(people.put(person, now))
}

fn numbers(value: &Value) -> Option<Vec<u64>> {
    value.as_array()?.iter().map(Value::as_u64).collect()
}

fn texts_of(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}
