//! The findings in a draft: errors that block publishing, and warnings that explain
//! (`mapping.md` section 4).

use std::collections::HashSet;

use serde::Serialize;

use crate::core::visible::shown;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The draft cannot be published with it.
    Error,
    /// Worth knowing; it does not block publishing.
    Warning,
}

/// One finding in a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its severity.
    pub level: Level,
    /// What it is, one of the codes of `mapping.md` section 4 or of a warning.
    pub code: &'static str,
    /// Its place, as a JSON Pointer (RFC 6901) into the draft; empty for the whole draft.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The byte of the draft where the part that it is about starts, if that is known.
    #[serde(skip)]
    pub at: Option<usize>,
}

impl Finding {
    /// What is wrong and what to do, as one string.
    pub fn text(&self) -> String {
        format!("{} {}", self.message, self.help)
    }

    /// The rule that it is about, counted from 0.
    pub fn rule(&self) -> Option<usize> {
        self.pointer.strip_prefix("/rules/")?.split('/').next()?.parse().ok()
    }
}

/// A place in a draft: its JSON Pointer, and the byte where it starts.
#[derive(Clone, Debug)]
pub struct Place {
    pub pointer: String,
    pub at: usize,
}

impl Place {
    /// The same place with another start.
    #[must_use]
    pub fn at(&self, at: usize) -> Self {
        Self { pointer: self.pointer.clone(), at }
    }

    /// The place of the value of a key.
    #[must_use]
    pub fn key(&self, key: &str, at: usize) -> Self {
        Self { pointer: below(&self.pointer, key), at }
    }

    /// The place of an item of a list.
    #[must_use]
    pub fn item(&self, i: usize, at: usize) -> Self {
        Self { pointer: format!("{}/{i}", self.pointer), at }
    }
}

/// The pointer of a key below another pointer.
pub(crate) fn below(pointer: &str, key: &str) -> String {
    let key = key.replace('~', "~0").replace('/', "~1");
    format!("{pointer}/{key}")
}

/// A name or value as a message shows it: cut if it is long, and invisible characters as their codes.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    let start: String = text.chars().take(SHOWN).collect();
    let cut = if start.len() < text.len() { "…" } else { "" };
    format!("“{}{cut}”", shown(&start))
}

/// Findings as they are collected. Each code is reported once per place.
#[derive(Default)]
pub struct Findings {
    found: Vec<Finding>,
    known: HashSet<(&'static str, String)>,
}

impl Findings {
    pub fn error(
        &mut self,
        code: &'static str,
        place: &Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Level::Error, code, place, message.into(), help.into());
    }

    pub fn warning(
        &mut self,
        code: &'static str,
        place: &Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Level::Warning, code, place, message.into(), help.into());
    }

    fn add(&mut self, level: Level, code: &'static str, place: &Place, message: String, help: String) {
        if self.known.insert((code, place.pointer.clone())) {
            let pointer = place.pointer.clone();
            self.found.push(Finding { level, code, pointer, message, help, at: Some(place.at) });
        }
    }

    pub fn any_error(&self) -> bool {
        self.errors().next().is_some()
    }

    /// The errors found so far.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.found.iter().filter(|finding| finding.level == Level::Error)
    }

    /// All findings, in the order of the draft.
    pub fn in_document_order(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|finding| finding.at);
        self.found
    }
}
