//! Texts with parts, such as `{first_name} {last_name|login}` (`mapping.md` section 2).

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::core::mapping::apply::reason::Why;
use crate::core::mapping::apply::value::MAX_BYTES;

/// A string with parts that are filled in. The values of parts are never read as parts again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    written: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// The names of attributes; the first one that has a value is used.
    Part(Vec<String>),
}

/// Why a string with parts cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadText {
    /// A single brace without a matching brace.
    Brace,
    /// A part without a name.
    NoName,
}

impl Text {
    pub(crate) fn parse(written: &str) -> Result<Text, BadText> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = written;
        while let Some(i) = rest.find(['{', '}']) {
            literal.push_str(&rest[..i]);
            let brace = &rest[i..=i];
            rest = &rest[i + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
                continue;
            }
            let inside = if brace == "{" { rest.split_once('}') } else { None };
            let (names, after) = inside.ok_or(BadText::Brace)?;
            if names.contains('{') {
                return Err(BadText::Brace);
            }
            let names: Vec<String> = names.split('|').map(str::to_owned).collect();
            if names.iter().any(String::is_empty) {
                return Err(BadText::NoName);
            }
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Part(names));
            rest = after;
        }
        literal.push_str(rest);
        pieces.push(Piece::Literal(literal));
        trim(&mut pieces);
        let written = written.to_owned();
        Ok(Text { written, pieces })
    }

    /// The text as it was written, with its braces.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Every attribute that it names.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.pieces
            .iter()
            .flat_map(|piece| match piece {
                Piece::Part(names) => names.as_slice(),
                Piece::Literal(_) => &[],
            })
            .map(String::as_str)
    }

    /// The text itself, if it has no parts.
    pub(crate) fn without_parts(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Fills in the values that `read` finds, and calls `used` with the attribute of each part. It stops
    /// when the text gets too long. The result is not blank if its literals are not: a part never is.
    pub(crate) fn fill<'a>(
        &'a self,
        read: impl Fn(&'a str) -> Option<Cow<'a, str>>,
        mut used: impl FnMut(&'a str),
    ) -> Result<String, Why> {
        let mut filled = String::with_capacity(self.written.len());
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => filled.push_str(text),
                Piece::Part(names) => {
                    let there = |name: &'a String| Some((name, read(name)?));
                    let (name, text) = names.iter().find_map(there).ok_or(Why::PartMissing)?;
                    used(name);
                    filled.push_str(&text);
                }
            }
            if filled.len() > MAX_BYTES {
                return Err(Why::TooLong);
            }
        }
        Ok(filled)
    }
}

/// Removes the white space at both ends. Parts are trimmed and never blank, so the filled text needs no
/// trimming.
fn trim(pieces: &mut Vec<Piece>) {
    if let Some(Piece::Literal(first)) = pieces.first_mut() {
        *first = first.trim_start().to_owned();
    }
    if let Some(Piece::Literal(last)) = pieces.last_mut() {
        *last = last.trim_end().to_owned();
    }
    pieces.retain(|piece| !matches!(piece, Piece::Literal(text) if text.is_empty()));
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.written)
    }
}
