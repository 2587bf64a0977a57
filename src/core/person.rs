//! What Deskpro's REST API is told about a user: everything that the mapping produces, except `deskpro_id`, in the API's
//! words. Tokens and people come from one mapping, so support sees the same either way.

use serde_json::{Map, Value};

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::payload::{Payload, Texts};
use super::secret::hex;

/// The version of the table below. A new one sends every person again.
const TABLE: &str = "1";

/// The members of a person for a request that creates or updates one. Ids are numbers here, and strings in claims; in
/// `fields` they stay strings. A claim without a value is left out, and Deskpro keeps its own.
///
/// | claim | member |
/// |---|---|
/// | `email` | `primary_email` |
/// | `emails`, `name`, `first_name`, `last_name`, `timezone`, `labels` | the same |
/// | `organization_id`, `language_id` | `organization`, `language`: a number |
/// | `usergroup_ids` | `user_groups`: numbers |
/// | `fields` | `fields`: by number |
/// | `deskpro_id` | none: it is part of the URL |
pub fn input(payload: &Payload) -> Map<String, Value> {
    let Payload {
        deskpro_id: _,
        email,
        emails,
        name,
        first_name,
        last_name,
        organization_id,
        language_id,
        usergroup_ids,
        fields,
        timezone,
        labels,
    } = payload;
    let text = |text: &Option<String>| text.clone().map(Value::from);
    let list = |list: &Option<Vec<String>>| list.clone().map(Value::from);
    let id = |id: &Option<String>| id.as_deref().and_then(number);
    let groups = usergroup_ids.as_ref().map(|ids| ids.iter().filter_map(|id| number(id)).collect());
    let fields: Map<String, Value> = fields.iter().map(|(id, value)| (id.clone(), field(value))).collect();
    let members = [
        ("primary_email", text(email)),
        ("emails", list(emails)),
        ("name", text(name)),
        ("first_name", text(first_name)),
        ("last_name", text(last_name)),
        ("timezone", text(timezone)),
        ("organization", id(organization_id)),
        ("language", id(language_id)),
        ("user_groups", groups),
        ("labels", list(labels)),
        ("fields", (!fields.is_empty()).then_some(Value::Object(fields))),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The digest of an input: what was sent is compared by it.
pub fn digest(input: &Map<String, Value>) -> String {
    let text = serde_json::to_string(input).expect("an object of JSON");
    hex(&Sha256::new_with_prefix(TABLE).chain_update(text).finalize())
}

/// The members of an input that a person does not have as they would be sent. `person` is how Deskpro describes the
/// person: numbers may be strings there, one choice may be a list, and there may be more addresses.
pub fn differences<'a>(input: &'a Map<String, Value>, person: &Map<String, Value>) -> Vec<&'a str> {
    let differs = |name: &str, wanted: &Value| {
        let has = person.get(name).unwrap_or(&Value::Null);
        match name {
            "primary_email" => folded(wanted) != folded(has),
            "emails" => !folded(wanted).is_subset(&folded(has)),
            "fields" => {
                let Some(wanted) = wanted.as_object() else { return true };
                wanted.iter().any(|(id, value)| texts(value) != texts(has.get(id).unwrap_or(&Value::Null)))
            }
            _ => texts(wanted) != texts(has),
        }
    };
    input.iter().filter(|(name, wanted)| differs(name, wanted)).map(|(name, _)| name.as_str()).collect()
}

/// The claim that a member is made from.
pub fn claim_of(member: &str) -> &str {
    match member {
        "primary_email" => "email",
        "organization" => "organization_id",
        "language" => "language_id",
        "user_groups" => "usergroup_ids",
        same => same,
    }
}

/// The texts and numbers of a value, in any depth: a choice may be described with its id and title, and counts by its id.
pub fn texts(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Null => BTreeSet::new(),
        Value::Bool(yes) => [u8::from(*yes).to_string()].into(),
        Value::Number(number) => [number.to_string()].into(),
        Value::String(text) => [text.clone()].into(),
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => match members.get("id").or_else(|| members.get("value")) {
            Some(id) => texts(id),
            None => members.values().flat_map(texts).collect(),
        },
    }
}

fn folded(value: &Value) -> BTreeSet<String> {
    texts(value).into_iter().map(|text| text.to_lowercase()).collect()
}

/// An id of the payload: 1 to 18 digits, so it is a number.
fn number(id: &str) -> Option<Value> {
    id.parse::<u64>().ok().map(Value::from)
}

fn field(value: &Texts) -> Value {
    match value {
        Texts::One(text) => text.clone().into(),
        Texts::List(list) => list.clone().into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_person_differs_only_where_support_would_see_it() {
        let input = |value: Value| value.as_object().expect("an object").clone();
        let wanted = input(json!({
            "primary_email": "Ana@example.com", "emails": ["a@example.com"], "name": "Ana", "organization": 2,
            "user_groups": [7, 8], "labels": [], "fields": {"7": "9", "12": ["20", "21"], "13": "1"},
        }));
        let same = input(json!({
            "id": 5, "primary_email": "ana@example.com", "emails": ["ana@example.com", "A@example.com", "b@example.com"],
            "name": "Ana", "organization": {"id": 2, "name": "Muster"}, "user_groups": [8, 7], "labels": [],
            "fields": {"7": [9], "12": [{"id": 21, "title": "x"}, {"id": 20}], "13": true, "99": "kept"},
        }));
        assert_eq!(differences(&wanted, &same), Vec::<&str>::new());
        for (name, value) in [
            ("primary_email", json!("ben@example.com")),
            ("primary_email", Value::Null),
            ("emails", json!(["ana@example.com"])),
            ("name", json!("Ana K")),
            ("organization", Value::Null),
            ("user_groups", json!([7])),
            ("labels", json!(["old"])),
            ("fields", json!({"7": "10", "12": ["20", "21"], "13": "1"})),
            ("fields", json!([])),
        ] {
            let mut other = same.clone();
            other.insert(name.into(), value);
            assert_eq!(differences(&wanted, &other), [name], "{other:?}");
        }
        assert_eq!(digest(&wanted), digest(&wanted.clone()));
        assert_ne!(digest(&wanted), digest(&same));
    }

    #[test]
    fn each_claim_has_its_member() {
        let some = |text: &str| Some(text.to_owned());
        let payload = Payload {
            deskpro_id: some("42"),
            email: some("ana@example.com"),
            emails: Some(vec!["a@example.com".into()]),
            name: some("Ana Kovač"),
            first_name: some("Ana"),
            last_name: some("Kovač"),
            organization_id: some("2"),
            language_id: some("1"),
            usergroup_ids: Some(vec!["7".into(), "123456789012345678".into()]),
            fields: [
                ("7".to_owned(), Texts::One("9".into())),
                ("12".to_owned(), Texts::List(vec!["20".into()])),
            ]
            .into(),
            timezone: some("Europe/Zagreb"),
            labels: Some(vec![]),
        };
        assert_eq!(
            Value::Object(input(&payload)),
            json!({
                "primary_email": "ana@example.com",
                "emails": ["a@example.com"],
                "name": "Ana Kovač",
                "first_name": "Ana",
                "last_name": "Kovač",
                "timezone": "Europe/Zagreb",
                "organization": 2,
                "language": 1,
                "user_groups": [7, 123_456_789_012_345_678_u64],
                "labels": [],
                "fields": { "7": "9", "12": ["20"] },
            })
        );
        assert_eq!(input(&Payload::default()), Map::new());
    }
}
