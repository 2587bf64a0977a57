//! The expected payload of a user, as a site defines it: the whole payload or a refusal, and how it
//! differs from what a mapping produces.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::core::attribute::is_blank;
use crate::core::mapping::apply::outcome::{Refusal, RefusalCode};
use crate::core::mapping::claim::Claim;
use crate::core::payload::{Payload, Texts};

/// The maximum length of a value from a rule (`mapping.md` 1.2), in bytes.
const MAX_TEXT: usize = 8_192;

/// What a mapping must produce for a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The whole payload, by the names that rules use for claims: `fields.7`, `fields.9[]`.
    Payload(BTreeMap<String, Texts>),
    /// The code of the refusal.
    Refused(RefusalCode),
}

/// One difference: the claim, if it is about one, and a sentence.
pub type Otherwise = (Option<String>, String);

impl Expected {
    /// Reads `{"payload": {…}}` or `{"refused": "code"}`; the error is a sentence that says what is
    /// wrong. `iat` and `exp` are skipped: they do not come from the mapping.
    pub fn read(object: &Map<String, Value>) -> Result<Self, String> {
        if let Some(key) = object.keys().find(|key| !matches!(key.as_str(), "payload" | "refused")) {
            return Err(format!("Unknown key “{key}”."));
        }
        // `token issue --json` writes an object with the code in it.
        let refused = object.get("refused").map(|refused| refused.get("code").unwrap_or(refused));
        match (object.get("payload"), refused) {
            (Some(Value::Object(payload)), None) => Ok(Self::Payload(read_payload(payload)?)),
            (None, Some(Value::String(code))) => match RefusalCode::parse(code) {
                Some(code) => Ok(Self::Refused(code)),
                None => Err(format!("There is no refusal code “{code}”.")),
            },
            _ => Err("It must contain either “payload” (an object) or “refused” (a code).".to_owned()),
        }
    }

    /// What a mapping produces now.
    pub fn of(made: &Result<Payload, Refusal>) -> Self {
        match made {
            Ok(payload) => Self::Payload(flat(payload)),
            Err(refusal) => Self::Refused(refusal.code),
        }
    }

    /// The object that [`Expected::read`] reads.
    pub fn write(&self) -> Value {
        let claims = match self {
            Self::Refused(code) => return json!({ "refused": code.as_str() }),
            Self::Payload(claims) => claims,
        };
        let (mut payload, mut fields) = (Map::new(), Map::new());
        for (claim, texts) in claims {
            let value = match texts {
                Texts::One(text) => json!(text),
                Texts::List(items) => json!(items),
            };
            match claim.strip_prefix("fields.") {
                Some(field) => fields.insert(field.trim_end_matches("[]").to_owned(), value),
                None => payload.insert(claim.clone(), value),
            };
        }
        if !fields.is_empty() {
            payload.insert("fields".to_owned(), Value::Object(fields));
        }
        json!({ "payload": payload })
    }

    /// All differences from what a mapping produces.
    pub fn differences(&self, made: &Result<Payload, Refusal>) -> Vec<Otherwise> {
        match (self, made) {
            (Self::Refused(code), Err(refusal)) if *code == refusal.code => Vec::new(),
            (Self::Refused(code), Err(refusal)) => {
                vec![(None, format!("The token is refused as {}, but {code} is expected.", refusal.code))]
            }
            (Self::Refused(code), Ok(_)) => {
                vec![(None, format!("There is a token, but the refusal {code} is expected."))]
            }
            (Self::Payload(_), Err(refusal)) => {
                vec![(None, format!("There is no token ({}): {}", refusal.code, refusal.message))]
            }
            (Self::Payload(expected), Ok(payload)) => {
                let made = flat(payload);
                let claims: std::collections::BTreeSet<&String> =
                    expected.keys().chain(made.keys()).collect();
                let differ = claims.into_iter().filter(|claim| expected.get(*claim) != made.get(*claim));
                let line = |claim: &String| {
                    let message = match (made.get(claim), expected.get(claim)) {
                        (Some(made), Some(expected)) => {
                            format!("{claim} is {}, but must be {}.", shown(made), shown(expected))
                        }
                        (Some(made), None) => format!("{claim} is {}, but must not be sent.", shown(made)),
                        (None, expected) => {
                            let expected = expected.map(shown).unwrap_or_default();
                            format!("{claim} is not sent, but must be {expected}.")
                        }
                    };
                    (Some(claim.clone()), message)
                };
                differ.map(line).collect()
            }
        }
    }
}

fn shown(texts: &Texts) -> String {
    serde_json::to_string(texts).unwrap_or_default()
}

fn read_payload(payload: &Map<String, Value>) -> Result<BTreeMap<String, Texts>, String> {
    let mut claims = BTreeMap::new();
    for (name, value) in payload {
        match (name.as_str(), value) {
            ("iat" | "exp", _) => {}
            ("fields", Value::Object(fields)) => {
                for (field, value) in fields {
                    let list = if value.is_array() { "[]" } else { "" };
                    let (claim, texts) = read_claim(&format!("fields.{field}{list}"), value)?;
                    claims.insert(claim, texts);
                }
            }
            ("fields", _) => return Err("“fields” must be an object.".to_owned()),
            (name, _) if name.starts_with("fields.") => {
                return Err(format!("Write “{name}” as {{\"fields\": {{…}}}}."));
            }
            (name, value) => {
                let (claim, texts) = read_claim(name, value)?;
                claims.insert(claim, texts);
            }
        }
    }
    Ok(claims)
}

fn read_claim(name: &str, value: &Value) -> Result<(String, Texts), String> {
    let Some(claim) = Claim::parse(name) else {
        return Err(format!("There is no claim “{name}”."));
    };
    let held = |text: String| {
        let text = text.trim();
        if is_blank(text) || text.len() > MAX_TEXT {
            return Err(format!("“{name}” cannot contain a blank value or a value longer than 8,192 bytes."));
        }
        Ok(text.to_owned())
    };
    match (serde_json::from_value::<Texts>(value.clone()), claim.is_list()) {
        (Ok(Texts::List(items)), true) => {
            Ok((name.to_owned(), Texts::List(items.into_iter().map(held).collect::<Result<_, _>>()?)))
        }
        (Ok(Texts::One(text)), false) => Ok((name.to_owned(), Texts::One(held(text)?))),
        (_, true) => Err(format!("“{name}” must be a list of strings.")),
        (_, false) => Err(format!("“{name}” must be a string.")),
    }
}

/// A payload by the claim names that rules use.
fn flat(payload: &Payload) -> BTreeMap<String, Texts> {
    let mut claims = BTreeMap::new();
    let Ok(Value::Object(object)) = serde_json::to_value(payload) else { return claims };
    for (name, value) in object {
        if name == "fields" {
            for (field, texts) in &payload.fields {
                let list = if matches!(texts, Texts::List(_)) { "[]" } else { "" };
                claims.insert(format!("fields.{field}{list}"), texts.clone());
            }
        } else if let Ok(texts) = serde_json::from_value(value) {
            claims.insert(name, texts);
        }
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &Value) -> Result<Expected, String> {
        Expected::read(value.as_object().expect("an object"))
    }

    #[test]
    fn what_is_written_is_read_again() {
        for value in [
            json!({"refused": "unverified"}),
            json!({"payload": {}}),
            json!({"payload": {"email": "a@b.co", "labels": [], "usergroup_ids": ["7", "8"], "fields": {"9": "x", "12": ["a"]}}}),
        ] {
            assert_eq!(read(&value).expect("right").write(), value);
        }
        let refused = json!({"refused": {"code": "missing", "message": "…"}});
        assert_eq!(read(&refused), Ok(Expected::Refused(RefusalCode::Missing)));
        let spaced = json!({"payload": {"name": " Ana\n", "labels": ["\ta "]}});
        assert_eq!(
            read(&spaced).expect("right").write(),
            json!({"payload": {"labels": ["a"], "name": "Ana"}}),
            "as rules give it"
        );
        let timed = json!({"payload": {"name": "Ana", "iat": 1, "exp": 2}});
        assert_eq!(read(&timed).expect("right").write(), json!({"payload": {"name": "Ana"}}));
    }

    #[test]
    fn what_no_payload_can_hold_is_refused() {
        for value in [
            json!({}),
            json!({"payload": {}, "refused": "missing"}),
            json!({"payload": []}),
            json!({"refused": {"message": "x"}}),
            json!({"refused": "sleepy"}),
            json!({"payload": {}, "login": "ana"}),
            json!({"payload": {"emial": "a@b.co"}}),
            json!({"payload": {"name": " "}}),
            json!({"payload": {"name": "x".repeat(8_193)}}),
            json!({"payload": {"labels": ["a", "\u{200b}"]}}),
            json!({"payload": {"name": ["a"]}}),
            json!({"payload": {"usergroup_ids": "7"}}),
            json!({"payload": {"usergroup_ids": [7]}}),
            json!({"payload": {"fields": ["x"]}}),
            json!({"payload": {"fields": {"x": "y"}}}),
            json!({"payload": {"fields.7": "y"}}),
        ] {
            assert!(read(&value).is_err(), "{value}");
        }
    }
}
