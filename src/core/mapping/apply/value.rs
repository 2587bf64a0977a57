//! What is read from attributes and flows through steps: trimmed, never blank, bounded
//! (`mapping.md` 1.2).

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::core::attribute::{Attributes, Value, is_blank};
use crate::core::mapping::apply::reason::Why;
use crate::core::payload::Texts;

/// The longest text that flows, in bytes.
pub(crate) const MAX_BYTES: usize = 8192;

/// The longest list that flows.
pub(crate) const MAX_ITEMS: usize = 1000;

/// A value that is there: a text or a list of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow<'a> {
    One(Cow<'a, str>),
    List(Vec<Cow<'a, str>>),
}

impl Flow<'_> {
    /// The value as a trace shows it.
    pub fn shown(&self) -> Texts {
        match self {
            Flow::One(text) => Texts::One(text.to_string()),
            Flow::List(items) => Texts::List(items.iter().map(ToString::to_string).collect()),
        }
    }
}

/// A trimmed text that is neither blank nor too long, or why not.
pub(crate) fn clean(text: Cow<'_, str>) -> Result<Cow<'_, str>, Why> {
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    if is_blank(&text) {
        return Err(Why::Blank);
    }
    if text.len() > MAX_BYTES {
        return Err(Why::TooLong);
    }
    Ok(text)
}

/// A text as `is`, `in` and `lookup` compare it: in NFC, so that it does not matter which of two
/// Unicode forms of the same letters somebody's keyboard or file system writes (`mapping.md` 1.4).
pub(crate) fn compared(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// A list without the items that are missing, each of which `dropped` is told of. An empty list and
/// one with too many items are missing. One that lost all its items is missing for the reason of
/// the first.
pub(crate) fn gather<'a>(
    items: impl Iterator<Item = (Cow<'a, str>, Result<Cow<'a, str>, Why>)>,
    mut dropped: impl FnMut(&str, Why),
) -> Result<Flow<'a>, Why> {
    let mut kept = Vec::new();
    let mut first = None;
    for (written, item) in items {
        match item {
            Ok(item) => kept.push(item),
            Err(why) => {
                first = first.or(Some(why));
                dropped(&written, why);
            }
        }
    }
    if kept.is_empty() {
        return Err(first.unwrap_or(Why::Blank));
    }
    if kept.len() > MAX_ITEMS {
        return Err(Why::TooManyItems);
    }
    Ok(Flow::List(kept))
}

/// Reads an attribute of a user. `email_verified` is a yes/no whatever it is written as.
pub(crate) fn read<'a>(
    attributes: &'a Attributes,
    name: &str,
    dropped: impl FnMut(&str, Why),
) -> Result<Flow<'a>, Why> {
    let value = attributes.get(name).ok_or(Why::NotSet)?;
    if name == "email_verified" {
        let answer = value.as_yes_no().ok_or(Why::NeitherYesNorNo)?;
        return Ok(Flow::One(Cow::Borrowed(if answer { "true" } else { "false" })));
    }
    match value {
        Value::List(items) => {
            let texts = items.iter().filter_map(Value::text);
            gather(texts.map(|text| (text.clone(), clean(text))), dropped)
        }
        one => Ok(Flow::One(clean(one.text().unwrap_or_default())?)),
    }
}
