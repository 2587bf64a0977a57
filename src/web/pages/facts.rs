//! What support sees about a user, in plain words: one line for each claim of the signed payload. Ids of
//! entries of Deskpro's own lists are shown by their names; those without one mean nothing to the user, and a last
//! line says which claims have them. A number
//! that the website itself stores about the user, such as a customer number, is shown to the user.

use serde_json::Value;

use crate::core::catalogue::Catalogue;
use crate::core::mapping::Claim;
use crate::core::user::User;
use crate::web::http::page::Page;

/// One line.
pub struct Fact {
    /// Its label, in the reader's language.
    pub label: String,
    pub text: String,
}

/// The payload of a user, label by label.
pub fn facts(page: &Page, claims: &Value, user: &User, names: &Catalogue) -> Vec<Fact> {
    let Value::Object(claims) = claims else { return Vec::new() };
    let (mut facts, mut numbers) = (Vec::new(), Vec::new());
    for (claim, value) in claims {
        let label = page.t(&format!("fact.{claim}"));
        let (texts, before) = match claim.as_str() {
            "iat" | "exp" => continue,
            "fields" => {
                let (named, others) = named_fields(value, names);
                facts.extend(named);
                let before = others.len();
                (others.into_iter().filter(|text| !is_number(text) || is_of(user, text)).collect(), before)
            }
            claim => {
                let texts = texts(value);
                let before = texts.len();
                (named(claim, texts, names), before)
            }
        };
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

/// The values of a claim; of ids, those that have a name, by their names.
fn named<'a>(claim: &str, texts: Vec<&'a str>, names: &'a Catalogue) -> Vec<&'a str> {
    match Claim::parse(claim) {
        Some(Claim::DeskproId) => Vec::new(),
        Some(claim @ (Claim::OrganizationId | Claim::LanguageId | Claim::UsergroupIds)) => {
            texts.into_iter().filter_map(|text| names.name(&claim, text)).collect()
        }
        _ => texts,
    }
}

/// The custom fields whose titles are known, and the values of the others.
fn named_fields<'a>(fields: &'a Value, names: &'a Catalogue) -> (Vec<Fact>, Vec<&'a str>) {
    let (mut named, mut others) = (Vec::new(), Vec::new());
    for (id, value) in fields.as_object().into_iter().flatten() {
        let claim = Claim::Field(id.clone());
        match names.field(id).map(|field| &field.entry.name).filter(|name| !name.is_empty()) {
            Some(label) => {
                // An id of a choice without a name means nothing to the user.
                let has_choices = !names.of(&claim).is_empty();
                let (known, unknown): (Vec<&str>, Vec<&str>) = texts(value)
                    .into_iter()
                    .partition(|text| !has_choices || !is_number(text) || names.name(&claim, text).is_some());
                others.extend(unknown);
                if !known.is_empty() {
                    let known = known.into_iter().map(|text| names.name(&claim, text).unwrap_or(text));
                    named.push(Fact { label: label.clone(), text: known.collect::<Vec<_>>().join(" · ") });
                }
            }
            None => others.extend(texts(value)),
        }
    }
    (named, others)
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
