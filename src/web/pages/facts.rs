//! What support sees about a user, in plain words: one line for each claim of the signed payload. Numbers
//! that identify entries of Deskpro's own lists mean nothing to the user; a last line names them. A number
//! that the website itself stores about the user, such as a customer number, is shown to the user.

use serde_json::Value;

use crate::core::user::User;
use crate::web::http::page::Page;

/// One line.
pub struct Fact {
    /// Its label, in the reader's language.
    pub label: String,
    pub text: String,
}

/// The payload of a user, label by label.
pub fn facts(page: &Page, claims: &Value, user: &User) -> Vec<Fact> {
    let Value::Object(claims) = claims else { return Vec::new() };
    let (mut facts, mut numbers) = (Vec::new(), Vec::new());
    for (claim, value) in claims {
        let mut texts = texts(value);
        let label = page.t(&format!("fact.{claim}"));
        let before = texts.len();
        match claim.as_str() {
            "iat" | "exp" => continue,
            "deskpro_id" | "organization_id" | "language_id" | "usergroup_ids" => texts.clear(),
            "fields" => texts.retain(|text| !is_number(text) || is_of(user, text)),
            _ => {}
        }
        if texts.len() < before {
            numbers.push(label.clone());
        }
        if !texts.is_empty() {
            facts.push(Fact { label, text: texts.join(" · ") });
        }
    }
    if !numbers.is_empty() {
        facts.push(Fact { label: page.t("fact.numbers"), text: numbers.join(" · ") });
    }
    facts
}

/// The strings in a value, at any depth.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text.as_str()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// Whether the user's own record contains a string.
fn is_of(user: &User, text: &str) -> bool {
    user.attributes.iter().any(|(_, value)| value.text().as_deref() == Some(text))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
