//! Numbers over time: counted in memory, written every few seconds, so that issuing a token
//! writes nothing.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::App;
use crate::store::Error;
use crate::store::counts::{self, Count};

/// Seconds between writes.
pub const FLUSHED_EVERY: u64 = 10;

/// What was counted since the last write.
#[derive(Default)]
pub(super) struct Counts(Mutex<BTreeMap<Count, i64>>);

impl App {
    pub(super) fn count(&self, kind: &'static str, code: &str, messenger: &str, key: &str) {
        self.count_by(kind, code, messenger, key, 1);
    }

    pub(super) fn count_by(&self, kind: &'static str, code: &str, messenger: &str, key: &str, n: i64) {
        let count =
            Count { kind, code: code.to_owned(), messenger: messenger.to_owned(), key: key.to_owned() };
        *self.0.counts.0.lock().entry(count).or_default() += n;
    }

    /// Writes what was counted. When the database does not answer, nothing is lost.
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

    /// The sum of a kind by code, from `since` (unix seconds) on, as far as it is written.
    pub fn counted(&self, kind: &str, since: i64) -> Result<Vec<(String, i64)>, Error> {
        self.store().read(|db| counts::by_code(db, kind, since))
    }
}
