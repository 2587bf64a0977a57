//! What Deskpro's CRM Sync says when a user of the helpdesk was created, updated or deleted. Nobody documents its body, and
//! anybody who learns the secret could send one: it only says which people to look at.

use serde_json::Value;

/// How many people one call names at most.
const MOST: usize = 100;

/// The people that a call is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonEvent {
    /// Their ids.
    pub ids: Vec<u64>,
    /// Their addresses, in lowercase.
    pub addresses: Vec<String>,
}

/// Keys below which a person may be.
const AROUND: [&str; 4] = ["data", "person", "user", "people"];

impl PersonEvent {
    /// Reads a call; `None` if it names nobody.
    pub fn read(body: &Value) -> Option<Self> {
        let mut event = Self::default();
        event.add(body, 3);
        let names_somebody = !event.ids.is_empty() || !event.addresses.is_empty();
        names_somebody.then_some(event)
    }

    fn add(&mut self, value: &Value, depth: u8) {
        match value {
            Value::Array(items) => items.iter().take(MOST).for_each(|item| self.add(item, depth)),
            Value::Object(members) => {
                let id = members.get("id").and_then(id).or_else(|| members.get("person_id").and_then(id));
                if let Some(id) = id.filter(|_| self.ids.len() < MOST) {
                    self.ids.push(id);
                }
                for key in ["primary_email", "email", "emails"] {
                    if let Some(value) = members.get(key) {
                        self.add_addresses(value);
                    }
                }
                for key in AROUND.into_iter().filter(|_| depth > 0) {
                    if let Some(value) = members.get(key) {
                        self.add(value, depth - 1);
                    }
                }
            }
            _ => {}
        }
    }

    fn add_addresses(&mut self, value: &Value) {
        match value {
            Value::String(text) if text.contains('@') && text.len() <= 254 && self.addresses.len() < MOST => {
                self.addresses.push(text.trim().to_lowercase());
            }
            Value::Array(items) => items.iter().take(MOST).for_each(|item| self.add_addresses(item)),
            Value::Object(members) => {
                if let Some(value) = members.get("email") {
                    self.add_addresses(value);
                }
            }
            _ => {}
        }
    }
}

/// An id, as a number or as digits.
fn id(value: &Value) -> Option<u64> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64(),
    };
    number.filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn people_are_found_however_the_call_is_built() {
        let read = |body: Value| PersonEvent::read(&body).map(|event| (event.ids, event.addresses));
        let ada = || Some((vec![82], vec!["ada@example.com".to_owned()]));
        assert_eq!(read(json!({"id": 82, "primary_email": "Ada@Example.com"})), ada());
        assert_eq!(read(json!({"data": {"id": "82", "emails": ["ada@example.com"]}, "meta": []})), ada());
        assert_eq!(read(json!({"event": "x", "user": {"person_id": 82, "email": "ada@example.com"}})), ada());
        assert_eq!(read(json!({"people": [{"id": 82}, {"id": 83}]})), Some((vec![82, 83], vec![])));
        assert_eq!(
            read(json!([{"id": 7, "emails": [{"email": "a@b.c"}]}])),
            Some((vec![7], vec!["a@b.c".into()]))
        );
        for nobody in
            [json!({}), json!([]), json!("82"), json!({"id": -1}), json!({"id": "x"}), json!({"ID": 82})]
        {
            assert_eq!(PersonEvent::read(&nobody), None, "{nobody}");
        }
        let many: Vec<Value> = (1..=1_000).map(|id| json!({ "id": id })).collect();
        assert_eq!(PersonEvent::read(&json!(many)).expect("some").ids.len(), MOST);
        // As deep as it is, it is read.
        let deep = (0..50).fold(json!({"id": 1}), |inner, _| json!({ "data": inner }));
        assert_eq!(PersonEvent::read(&deep), None);
    }
}
