//! Writes an attribute of a user from a string, as files, the command line and programs send it. There is
//! one reader for all of them, so that the same string becomes the same value everywhere.

use super::address::{Address, oddity};
use super::attribute::{
    BUILT_IN, Definitions, Kind, Value, aliases, is_blank, looks_like_a_stored_password, read_yes_no,
};
use super::user::{ExternalId, Login, User};
use super::visible::shown;

/// Writes one attribute from a string of the command line or of a CSV file; a blank string removes the
/// attribute. The message of an error says what to do.
pub fn assign(user: &mut User, name: &str, text: &str, definitions: &Definitions) -> Result<(), String> {
    if is_blank(text) {
        if name == "login" {
            return Err("A login cannot be empty.".into());
        }
        if name == "email" {
            user.attributes.remove("email_verified");
        }
        user.attributes.remove(name);
        return Ok(());
    }
    let value: Value = match name {
        "login" => {
            user.login = Login::parse(text).map_err(|error| error.to_string())?;
            user.login.as_str().into()
        }
        "external_id" => ExternalId::parse(text.trim())?.as_str().into(),
        "email" => {
            let address = Address::parse(text).map_err(|_| {
                let (shown, why) = (shown(text.trim()), oddity(text));
                format!("'{shown}' is not an email address of the form name@example.com. {why}")
            })?;
            // Uppercase and lowercase do not make a different address.
            let same = user.folded_email().is_some_and(|known| known == address.folded());
            if !same {
                user.attributes.remove("email_verified");
            }
            address.into_ascii().into()
        }
        "email_verified" => {
            if let Some(answer) = read_yes_no(text.trim()) {
                answer.into()
            } else {
                user.attributes.remove(name);
                return Ok(());
            }
        }
        "deskpro_id" => {
            let id = text.trim();
            let fits = (1..=18).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_digit())
                && !id.starts_with('0');
            if !fits {
                return Err(format!(
                    "'{id}' is not the id of a Deskpro person, which has 1 to 18 digits, the first not 0."
                ));
            }
            id.into()
        }
        _ if BUILT_IN.contains(&name) => text.into(),
        _ => custom(name, text, definitions)?,
    };
    value.check().map_err(|error| format!("{error}."))?;
    user.attributes.set(name.to_owned(), value);
    Ok(())
}

/// The value of a custom attribute from a string, by the attribute's type.
fn custom(name: &str, text: &str, definitions: &Definitions) -> Result<Value, String> {
    if looks_like_a_stored_password(text) {
        return Err("This looks like a stored password. Hashes and secrets must not be attributes.".into());
    }
    read_value(text, custom_kind(name, definitions)?)
}

/// The type of a custom attribute. The error says that no attribute has this name, and which one was
/// perhaps meant.
pub fn custom_kind(name: &str, definitions: &Definitions) -> Result<Kind, String> {
    if let Some(definition) = definitions.get(name) {
        return Ok(definition.kind);
    }
    let how = format!("with `countersign attribute set {name}`.");
    Err(match nearest(name, definitions) {
        Some(other) => {
            format!("There is no attribute '{name}'. Did you mean '{other}'? Create a new one {how}")
        }
        None => format!("There is no attribute '{name}'. Create it {how}"),
    })
}

/// The attribute that was perhaps meant by a name that no attribute has.
pub fn nearest(name: &str, definitions: &Definitions) -> Option<String> {
    if let Some(known) = aliases::built_in(name).filter(|known| *known != name) {
        return Some(known.to_owned());
    }
    let names =
        BUILT_IN.into_iter().map(str::to_owned).chain(definitions.iter().map(|(name, _)| name.to_owned()));
    super::nearest::nearest(names, name)
}

/// Reads a string as a type. Everything that people and files write becomes a value here, for every caller.
/// The error says what to do.
pub fn read_value(text: &str, kind: Kind) -> Result<Value, String> {
    match kind {
        Kind::Text => Ok(text.into()),
        Kind::YesNo => read_yes_no(text.trim())
            .map(Value::from)
            .ok_or_else(|| format!("'{}' is neither yes nor no.", text.trim())),
        Kind::Number => serde_json::from_str::<serde_json::Number>(text.trim())
            .map(Value::Number)
            .map_err(|_| format!("'{}' is not a number such as 12 or 2500.50.", text.trim())),
        // One item needs no brackets; a string that starts like JSON must be JSON.
        Kind::List if text.trim().starts_with('[') => match serde_json::from_str::<Value>(text.trim()) {
            Ok(list @ Value::List(_)) => Ok(list),
            _ => Err("Write a list as JSON: [\"one\", \"two\"].".into()),
        },
        Kind::List => Ok(Value::List(vec![text.into()])),
    }
}
