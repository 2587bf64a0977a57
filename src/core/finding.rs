//! What was found when something was looked at: how it stands, and what to do.

use serde::Serialize;

/// How things stand with one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Good,
    /// Works, but somebody should look.
    Attention,
    /// Does not work.
    Bad,
}

impl State {
    /// The word, which is the name of its icon and colour as well.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Attention => "attention",
            Self::Bad => "bad",
        }
    }
}

/// What was found about one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// What was looked at, in one word.
    pub part: &'static str,
    /// How it stands.
    pub state: State,
    /// What was found, and what to do.
    pub message: String,
}

impl Item {
    /// A finding.
    pub fn new(part: &'static str, state: State, message: impl Into<String>) -> Self {
        Self { part, state, message: message.into() }
    }
}
