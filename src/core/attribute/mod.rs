//! Attributes: what the user table knows about a user, by name (`mapping.md` section 1).
//!
//! Contains values, names, limits and the recognition of secrets. It does not know which attributes a
//! site has (`store` has the definitions) or what a claim makes of a value (`mapping`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Number;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

pub mod aliases;
mod definition;
mod name;

pub use definition::{Definition, Definitions, Kind};
pub use name::{
    MAX_ATTRIBUTES, MAX_NAME_CHARS, NameError, check_name, is_secret_name, looks_like_a_stored_password,
};

/// The attributes that exist for every user. All others are custom.
pub const BUILT_IN: [&str; 10] = [
    "login",
    "external_id",
    "email",
    "email_verified",
    "display_name",
    "first_name",
    "last_name",
    "language",
    "timezone",
    "deskpro_id",
];

/// The longest string in an attribute, in bytes.
pub const MAX_TEXT_BYTES: usize = 16 * 1024;

/// The maximum size of a user's attributes as JSON text, names included, in bytes.
pub const MAX_USER_BYTES: usize = 64 * 1024;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A string, as it was written: nothing is trimmed before it is read.
    Text(String),
    /// Yes or no.
    YesNo(bool),
    /// A number.
    Number(Number),
    /// Several values, in order. A list inside a list is refused when JSON is read, and has no value if
    /// code built one.
    List(Vec<Value>),
}

impl Value {
    /// The value as a string: yes/no as `true` or `false`, a number as its shortest decimal without
    /// exponent or `.0` (`mapping.md` 1.3). A list has no such form.
    pub fn as_text(&self) -> Option<String> {
        self.text().map(Cow::into_owned)
    }

    /// [`Value::as_text`], without copying a value that is already a string.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Value::Text(text) => Some(Cow::Borrowed(text)),
            Value::YesNo(true) => Some(Cow::Borrowed("true")),
            Value::YesNo(false) => Some(Cow::Borrowed("false")),
            Value::Number(number) => Some(Cow::Owned(decimal(number))),
            Value::List(_) => None,
        }
    }

    /// Whether it means yes or no (`mapping.md` 1.4); `None` if it means neither.
    pub fn as_yes_no(&self) -> Option<bool> {
        match self {
            Value::YesNo(answer) => Some(*answer),
            other => read_yes_no(other.text()?.trim()),
        }
    }

    /// Checks the limits of `mapping.md` 1.1: no string longer than [`MAX_TEXT_BYTES`] or with NUL in it,
    /// and no list inside a list.
    pub fn check(&self) -> Result<(), ValueError> {
        match self {
            Value::Text(text) if text.len() > MAX_TEXT_BYTES => {
                Err(ValueError::TooLong { bytes: text.len() })
            }
            Value::Text(text) if text.contains('\0') => Err(ValueError::Nul),
            Value::List(items) if items.iter().any(|item| matches!(item, Value::List(_))) => {
                Err(ValueError::Nested)
            }
            Value::List(items) => items.iter().try_for_each(Value::check),
            Value::Text(_) | Value::YesNo(_) | Value::Number(_) => Ok(()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<bool> for Value {
    fn from(answer: bool) -> Value {
        Value::YesNo(answer)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Number(number.into())
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Value {
        Value::List(items.into_iter().map(Into::into).collect())
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Value, D::Error> {
        source.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string, true or false, a number, or a flat list of these")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_bool<E>(self, answer: bool) -> Result<Value, E> {
        Ok(answer.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        match Number::from_f64(number) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(E::custom("a number that is not finite")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            if matches!(item, Value::List(_)) {
                return Err(de::Error::custom("a list inside a list"));
            }
            items.push(item);
        }
        Ok(Value::List(items))
    }
}

fn decimal(number: &Number) -> String {
    if number.is_f64() {
        // Rust writes floats with the fewest digits that are read back as the same number, and never with
        // an exponent. Adding zero turns -0 into 0.
        (number.as_f64().unwrap_or_default() + 0.0).to_string()
    } else {
        number.to_string()
    }
}

/// Whether a string contains only `White_Space`, controls (Cc) and formats (Cf) (`mapping.md` 1.2).
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        use GeneralCategory::{Control, Format};
        c.is_whitespace() || (!c.is_ascii_graphic() && matches!(c.general_category(), Control | Format))
    })
}

/// Reads a trimmed string as yes or no, in uppercase or lowercase ASCII (`mapping.md` 1.4).
pub fn read_yes_no(text: &str) -> Option<bool> {
    const YES: [&str; 6] = ["1", "true", "yes", "on", "y", "t"];
    const NO: [&str; 6] = ["0", "false", "no", "off", "n", "f"];
    if YES.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        Some(true)
    } else if NO.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        Some(false)
    } else {
        None
    }
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// A string longer than the limit.
    #[error("a value of {bytes} bytes is too long: the maximum is {MAX_TEXT_BYTES} bytes")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A NUL character.
    #[error("a value contains the character NUL, which databases cannot store")]
    Nul,
    /// A list inside a list.
    #[error("a list contains another list")]
    Nested,
}

/// A user's attributes by name, built-in ones included. In JSON it is an object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<Cow<'static, str>, Value>);

impl Attributes {
    /// Without attributes.
    pub fn new() -> Attributes {
        Attributes::default()
    }

    /// The value under this exact name, as it was written.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Sets a value and replaces the value from before. [`Attributes::check`] checks the limits.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// Removes an attribute and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// All attributes, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Whether the address is verified. A value that is neither yes nor no is the same as no value.
    pub fn email_verified(&self) -> Option<bool> {
        self.get("email_verified")?.as_yes_no()
    }

    /// Checks that no value breaks a limit of `mapping.md` 1.1, and that all values together do not take
    /// more than [`MAX_USER_BYTES`].
    pub fn check(&self) -> Result<(), AttributesError> {
        for (name, value) in self.iter() {
            value.check().map_err(|error| AttributesError::Value { name: name.to_owned(), error })?;
        }
        let bytes = serde_json::to_string(self).map_or(usize::MAX, |json| json.len());
        if bytes > MAX_USER_BYTES {
            return Err(AttributesError::TooLarge { bytes });
        }
        Ok(())
    }
}

impl<N: Into<Cow<'static, str>>, V: Into<Value>> FromIterator<(N, V)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Attributes {
        let pairs = pairs.into_iter();
        Attributes(pairs.map(|(n, v)| (n.into(), v.into())).collect())
    }
}

/// What is wrong with a user's attributes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttributesError {
    /// One value breaks a limit.
    #[error("{name}: {error}")]
    Value {
        /// The attribute.
        name: String,
        /// What is wrong with its value.
        error: ValueError,
    },
    /// Together they are too large.
    #[error("the user's attributes take {bytes} bytes: the maximum is {MAX_USER_BYTES}")]
    TooLarge {
        /// Their size.
        bytes: usize,
    },
}
