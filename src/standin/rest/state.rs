//! What the REST API remembers besides the people.

use std::time::Duration;

use super::catalogue::Catalogue;
use super::faults::Faults;

/// The key of the stand-in's REST API until another one is set.
pub const API_KEY: &str = "2:STANDINSTANDINSTANDINSTAN";

/// How many requests are remembered.
const MOST_ASKED: usize = 100_000;

/// A request to the API, as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The path with the query, as a log on the way would have it.
    pub target: String,
    /// The status of the answer; 0 if there was none.
    pub status: u16,
    /// Whether it had a key.
    pub had_key: bool,
    /// The address of the person it is about, if that is known.
    pub about: Option<String>,
}

/// The memory of the REST API.
pub(in super::super) struct State {
    pub(in super::super) api_key: String,
    pub(in super::super) catalogue: Catalogue,
    pub(in super::super) faults: Faults,
    /// How long each answer takes.
    pub(in super::super) latency: Duration,
    asked: Vec<Asked>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            api_key: API_KEY.to_owned(),
            catalogue: Catalogue::default(),
            faults: Faults::default(),
            latency: Duration::ZERO,
            asked: Vec::new(),
        }
    }
}

impl State {
    /// Remembers a request; returns its place, if there is still room.
    pub(super) fn note(&mut self, asked: Asked) -> Option<usize> {
        if self.asked.len() == MOST_ASKED {
            return None;
        }
        self.asked.push(asked);
        Some(self.asked.len() - 1)
    }

    pub(super) fn set_status(&mut self, place: Option<usize>, status: u16) {
        if let Some(asked) = place.and_then(|place| self.asked.get_mut(place)) {
            asked.status = status;
        }
    }

    pub(in super::super) fn asked(&self) -> &[Asked] {
        &self.asked
    }
}
