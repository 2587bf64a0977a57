//! What support sees about a user, in plain words: one line a claim of the payload that is signed.

use serde_json::Value;

use super::page::Page;

/// The payload, label by label.
pub fn facts(page: &Page, claims: &Value) -> Vec<(String, String)> {
    let Value::Object(claims) = claims else { return Vec::new() };
    let shown = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" · "),
        other => other.to_string(),
    };
    let mut facts = Vec::new();
    for (claim, value) in claims {
        let label = page.t(&format!("fact.{claim}"));
        match value {
            Value::Object(fields) => {
                facts
                    .extend(fields.iter().map(|(number, value)| (format!("{label} {number}"), shown(value))));
            }
            Value::Array(items) if items.is_empty() => {}
            Value::Number(_) => {} // iat and exp say nothing about the person
            value => facts.push((label, shown(value))),
        }
    }
    facts
}
