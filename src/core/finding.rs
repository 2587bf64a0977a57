//! The result of a check: the state of one part, and what to do.

use serde::Serialize;

/// The state of one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Good,
    /// Works, but an admin should check it.
    Attention,
    /// Does not work.
    Bad,
}

impl State {
    /// The word, which is also the name of its icon and colour.
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
    /// What was checked, in one word.
    pub part: &'static str,
    /// Its state.
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
