//! Statistics: counted in memory and written every few seconds, so that issuing a token writes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;
use prometheus::IntCounter;

use super::App;
use crate::core::id::MessengerId;
use crate::store::Error;
use crate::store::counts::{self, Count};

/// Seconds between writes.
pub const FLUSHED_EVERY: u64 = 10;

/// What was counted since the last write.
#[derive(Default)]
pub(super) struct Counts {
    counted: Mutex<BTreeMap<Count, i64>>,
    /// The same for tokens that were issued, which are counted without a lock.
    issued: Mutex<BTreeMap<Count, Arc<AtomicI64>>>,
}

/// Tokens of a messenger that were issued with one key.
#[derive(Clone)]
pub(super) struct Issued {
    /// Those that are not yet written to the statistics.
    unwritten: Arc<AtomicI64>,
    /// Those of this process since its start, with any key.
    all: IntCounter,
}

impl Issued {
    /// Counts some more.
    pub fn add(&self, tokens: u64) {
        self.unwritten.fetch_add(tokens.cast_signed(), Ordering::Relaxed);
        self.all.inc_by(tokens);
    }
}

impl App {
    /// Counts an outcome, such as a sign-in's.
    pub(super) fn count(&self, kind: &'static str, code: &'static str) {
        self.0.metrics.outcomes.with_label_values(&[kind, code]).inc();
        self.add_to(Count { kind, code: Some(code), messenger: None, key: None }, 1);
    }

    /// Where tokens of a messenger are counted, by the key that signs them.
    pub(super) fn issued(&self, messenger: &MessengerId, key: Option<&str>) -> Issued {
        let all = self.0.metrics.tokens.with_label_values(&[messenger.as_str()]);
        let (messenger, key) = (Some(messenger.clone()), key.map(str::to_owned));
        let count = Count { kind: "token_issued", code: None, messenger, key };
        let unwritten = self.0.counts.issued.lock().entry(count).or_default().clone();
        Issued { unwritten, all }
    }

    /// Counts a refusal of a token.
    pub(super) fn count_refused(&self, messenger: &MessengerId, code: &'static str) {
        self.0.metrics.refusals.with_label_values(&[code]).inc();
        let messenger = Some(messenger.clone());
        self.add_to(Count { kind: "token_refused", code: Some(code), messenger, key: None }, 1);
    }

    fn add_to(&self, count: Count, n: i64) {
        *self.0.counts.counted.lock().entry(count).or_default() += n;
    }

    /// Writes what was counted. If the database does not answer, nothing is lost.
    pub fn flush_counts(&self) -> Result<(), Error> {
        let mut counted = std::mem::take(&mut *self.0.counts.counted.lock());
        for (count, issued) in self.0.counts.issued.lock().iter() {
            let tokens = issued.swap(0, Ordering::Relaxed);
            if tokens > 0 {
                // It may be there already, after a write that failed: each row is written once.
                *counted.entry(count.clone()).or_default() += tokens;
            }
        }
        let counted: Vec<(Count, i64)> = counted.into_iter().collect();
        if counted.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let written = self.store().write(now, |tx| counts::add(tx, now, &counted));
        if written.is_err() {
            let mut kept = self.0.counts.counted.lock();
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
