//! Values that are read from attributes and passed through steps: trimmed, never blank, limited in size
//! (`mapping.md` 1.2).

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::core::attribute::{Attributes, Value, is_blank};
use crate::core::mapping::apply::reason::Why;
use crate::core::payload::Texts;

/// The longest string in a value, in bytes.
pub(crate) const MAX_BYTES: usize = 8192;

/// The longest list in a value.
pub(crate) const MAX_ITEMS: usize = 1000;

/// A value that is present: a string or a list of strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow<'a> {
    One(Cow<'a, str>),
    List(Vec<Cow<'a, str>>),
}

impl<'a> Flow<'a> {
    /// Its strings: one, or the items of the list.
    pub fn items(&self) -> &[Cow<'a, str>] {
        match self {
            Flow::One(text) => std::slice::from_ref(text),
            Flow::List(items) => items,
        }
    }

    /// The value as a trace shows it.
    pub fn shown(&self) -> Texts {
        match self {
            Flow::One(text) => Texts::One(text.to_string()),
            Flow::List(items) => Texts::List(items.iter().map(ToString::to_string).collect()),
        }
    }
}

/// A trimmed string that is neither blank nor too long, or the reason why it is missing.
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

/// A string as `is`, `in` and `lookup` compare it: in NFC, so that it does not matter which of two
/// Unicode forms of the same letters a keyboard or file system writes (`mapping.md` 1.4).
pub(crate) fn compared(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// A list without its missing items; `dropped` is called for each of them. An empty list and a list with too
/// many items are missing. A list that lost all its items is missing for the reason of the first item.
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

/// Reads an attribute of a user. `email_verified` is a yes/no in whatever form it is written.
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
