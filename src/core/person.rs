//! What Deskpro's REST API is told about a user: everything that the mapping produces, except `deskpro_id`, in the API's
//! words. Tokens and people come from one mapping, so support sees the same either way.

use serde_json::{Map, Value};

use super::payload::{Payload, Texts};

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
