//! What a payload may contain: the twelve claims of the guide with their exact JSON types, and `iat`,
//! `nbf`, `exp`.

use serde::Serialize;
use serde_json::{Map, Value};

use super::play::{Expiry, Play, UnknownClaims};
use super::refusal::{Reason, Refusal, quoted};

/// A checked payload. `None` is an omitted claim; an empty list is one that was sent empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// An identifier: the person's number, in digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deskpro_id: Option<String>,
    /// An identifier: the address as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// More addresses; not identifiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emails: Option<Vec<String>>,
    /// The full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Half of the pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Half of the pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The number of an organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// The number of a language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language_id: Option<String>,
    /// Numbers of groups, without the implied 1 and 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usergroup_ids: Option<Vec<String>>,
    /// Custom fields: a string or a list of strings each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Map<String, Value>>,
    /// An IANA name; whether it exists is not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Unix seconds, as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// Unix seconds, as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Unix seconds, as sent; not always checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// Notes for the signer: what was accepted but should be corrected.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// `exp` according to the settings, `iat` and `nbf` never in the future; whole unix seconds, with the
/// leeway on both ends.
pub(super) fn check_times(payload: &Map<String, Value>, play: &Play, now: i64) -> Result<(), Refusal> {
    let leeway = i64::from(play.leeway);
    for name in ["iat", "nbf"] {
        let from = seconds(payload, name)?.unwrap_or(i64::MIN);
        if from > now.saturating_add(leeway) {
            let ahead = in_words(from.saturating_sub(now));
            return Err(Refusal::new(
                Reason::NotYetValid,
                format!("The token’s {name} is {ahead} in the future."),
            ));
        }
    }
    if play.exp == Expiry::Ignored {
        return Ok(());
    }
    match seconds(payload, "exp")? {
        None if play.exp == Expiry::Required => {
            Err(Refusal::new(Reason::NoExpiry, "The token has no expiry time (exp), and one is required."))
        }
        // RFC 7519 section 4.1.4: in that second it is already expired.
        Some(exp) if exp.saturating_add(leeway) <= now => {
            let ago = in_words(now.saturating_sub(exp));
            Err(Refusal::new(Reason::Expired, format!("The token expired {ago} ago.")))
        }
        _ => Ok(()),
    }
}

/// The claims by name; the first one that is wrong causes a refusal of the token.
pub(super) fn read(payload: Map<String, Value>, unknown: UnknownClaims) -> Result<Claims, Refusal> {
    let mut claims = Claims::default();
    for (name, value) in payload {
        match name.as_str() {
            "deskpro_id" => claims.deskpro_id = Some(id(&name, value)?),
            "email" => claims.email = Some(address(&name, value)?),
            "emails" => claims.emails = Some(list(&name, value, address)?),
            "name" => claims.name = Some(text(&name, value)?),
            "first_name" => claims.first_name = Some(text(&name, value)?),
            "last_name" => claims.last_name = Some(text(&name, value)?),
            "organization_id" => claims.organization_id = Some(id(&name, value)?),
            "language_id" => claims.language_id = Some(id(&name, value)?),
            "usergroup_ids" => {
                let (implied, groups): (Vec<_>, Vec<_>) =
                    list(&name, value, id)?.into_iter().partition(|group| group == "1" || group == "2");
                if !implied.is_empty() {
                    claims.note("usergroup_ids contains 1 or 2: both are implied and were left out.");
                }
                claims.usergroup_ids = Some(groups);
            }
            "fields" => claims.fields = Some(fields(value)?),
            "timezone" => claims.timezone = Some(text(&name, value)?),
            "labels" => claims.labels = Some(list(&name, value, text)?),
            "iat" => claims.iat = value.as_i64(),
            "nbf" => claims.nbf = value.as_i64(),
            "exp" => claims.exp = value.as_i64(),
            _ if unknown == UnknownClaims::Refused => {
                return Err(Refusal::new(
                    Reason::UnknownClaim,
                    format!("The token has a claim that the guide does not name: {}.", quoted(&name)),
                ));
            }
            _ => claims.note(format!("The claim {} is not in the guide and was left out.", quoted(&name))),
        }
    }
    if claims.name.is_some() && (claims.first_name.is_some() || claims.last_name.is_some()) {
        claims.note("The token has name and first_name or last_name; the guide requires one or the other.");
    }
    Ok(claims)
}

impl Claims {
    fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

fn seconds(payload: &Map<String, Value>, name: &str) -> Result<Option<i64>, Refusal> {
    match payload.get(name) {
        None => Ok(None),
        Some(value) => match value.as_i64() {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(wrong_type(name, "whole unix seconds as a number", value)),
        },
    }
}

/// A duration in words; `seconds` is not negative.
fn in_words(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        172_800.. => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

fn text(name: &str, value: Value) -> Result<String, Refusal> {
    match value {
        Value::String(text) if text.trim().is_empty() => Err(wrong_value(name, "is empty")),
        Value::String(text) => Ok(text),
        other => Err(wrong_type(name, "a string", &other)),
    }
}

fn list(
    name: &str,
    value: Value,
    item: fn(&str, Value) -> Result<String, Refusal>,
) -> Result<Vec<String>, Refusal> {
    match value {
        Value::Array(items) => items.into_iter().map(|value| item(name, value)).collect(),
        other => Err(wrong_type(name, "a list of strings", &other)),
    }
}

/// One of Deskpro's numbers as a string: it is a JSON number in Deskpro's API, and a string here.
fn id(name: &str, value: Value) -> Result<String, Refusal> {
    let id = text(name, value)?;
    let is_number =
        (1..=18).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit()) && !id.starts_with('0');
    if is_number {
        Ok(id)
    } else {
        Err(wrong_value(name, &format!("is {}, which is not a Deskpro number", quoted(&id))))
    }
}

/// The minimum that every address has: something, one `@`, something, and no space or control character.
fn address(name: &str, value: Value) -> Result<String, Refusal> {
    let address = text(name, value)?;
    let is_address = address
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'))
        && !address.chars().any(|c| c.is_whitespace() || c.is_control());
    if is_address {
        Ok(address)
    } else {
        Err(wrong_value(name, &format!("is {}, which is not an address", quoted(&address))))
    }
}

fn fields(value: Value) -> Result<Map<String, Value>, Refusal> {
    let Value::Object(fields) = value else {
        return Err(wrong_type("fields", "an object of strings and lists of strings", &value));
    };
    for (key, value) in &fields {
        let name = format!("fields.{key}");
        match value {
            Value::Array(items) => {
                for item in items {
                    text(&name, item.clone())?;
                }
            }
            other => {
                text(&name, other.clone())?;
            }
        }
    }
    Ok(fields)
}

fn wrong_type(name: &str, wanted: &str, value: &Value) -> Refusal {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Refusal::new(
        Reason::WrongType,
        format!("The claim {} must be {wanted}; here it is {found}.", quoted(name)),
    )
}

fn wrong_value(name: &str, why: &str) -> Refusal {
    Refusal::new(Reason::WrongValue, format!("The claim {} {why}.", quoted(name)))
}
