//! Statistics: counted in memory and written every few seconds, so that issuing a token writes nothing.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::App;
use crate::core::id::MessengerId;
use crate::store::Error;
use crate::store::counts::{self, Count};

/// Seconds between writes.
pub const FLUSHED_EVERY: u64 = 10;

/// What was counted since the last write.
#[derive(Default)]
pub(super) struct Counts(Mutex<BTreeMap<Count, i64>>);

impl App {
    /// Counts an outcome, such as a sign-in's.
    pub(super) fn count(&self, kind: &'static str, code: &'static str) {
        self.add_to(Count { kind, code: Some(code), messenger: None, key: None }, 1);
    }

    /// Counts tokens of a messenger, by the key that signed them.
    pub(super) fn count_issued(&self, messenger: &MessengerId, key: Option<&str>, tokens: i64) {
        let (messenger, key) = (Some(messenger.clone()), key.map(str::to_owned));
        self.add_to(Count { kind: "token_issued", code: None, messenger, key }, tokens);
    }

    /// Counts a refusal of a token.
    pub(super) fn count_refused(&self, messenger: &MessengerId, code: &'static str) {
        let messenger = Some(messenger.clone());
        self.add_to(Count { kind: "token_refused", code: Some(code), messenger, key: None }, 1);
    }

    fn add_to(&self, count: Count, n: i64) {
        *self.0.counts.0.lock().entry(count).or_default() += n;
    }

    /// Writes what was counted. If the database does not answer, nothing is lost.
    pub fn flush_counts(&self) -> Result<(), Error> {
        let counted: Vec<(Count, i64)> = std::mem::take(&mut *self.0.counts.0.lock()).into_iter().collect();
        if counted.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let written = self.store().write(now, |tx| counts::add(tx, now, &counted));
        if written.is_err() {
            let mut kept = self.0.counts.0.lock();
            for (count, n) in counted {
                *kept.entry(count).or_default() += n;
            }
        }
        written
    }

    /// The total of a kind by code, from `since` (unix seconds) on, as far as it has been written.
    pub fn counted(&self, kind: &str, since: i64) -> Result<Vec<(String, i64)>, Error> {
        self.store().read(|db| counts::by_code(db, kind, since))
    }
}
