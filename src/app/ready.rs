//! Readiness: whether this instance can do its work. The database is read for every probe. What costs
//! more, a write and a check of the keys, is done at most once a second however many probes arrive,
//! because anyone may send them.

use std::time::Duration;

use parking_lot::Mutex;

use super::clock::Stopwatch;
use super::{App, AppError};
use crate::store;

/// How long the answer of the costly part is reused.
const TRIED_EVERY: Duration = Duration::from_secs(1);

/// The last answer of the costly part. A new process starts as ready, because its start has just written.
#[derive(Default)]
pub(super) struct Readiness(Mutex<Last>);

#[derive(Default)]
struct Last {
    tried: Option<Stopwatch>,
    /// Why the instance is not ready.
    reason: Option<String>,
}

impl App {
    /// Whether the program is not stopping, the database can be read and written, every enabled
    /// messenger can be read, and its signing key can be used. Keys are not required before the first
    /// signing key is added. The reason for not being ready is logged.
    pub fn is_ready(&self) -> bool {
        if self.is_stopping() || !self.broken_messengers().is_empty() {
            return false;
        }
        if let Err(error) = self.store().read(|db| store::changes::latest(db)) {
            tracing::warn!(error = &error as &dyn std::error::Error, "the database does not answer");
            return false;
        }
        let last = &self.0.readiness.0;
        let is_due = {
            let mut last = last.lock();
            let is_due = last.tried.as_ref().is_none_or(|tried| tried.elapsed() >= TRIED_EVERY);
            if is_due {
                // Recorded before the work, so that probes that arrive in the meantime do not repeat it.
                last.tried = Some(Stopwatch::start());
            }
            is_due
        };
        if is_due {
            let reason = self.try_work().err().map(|error| cause(&error));
            let mut last = last.lock();
            if reason != last.reason {
                if let Some(reason) = &reason {
                    tracing::error!(reason, "this instance is not ready");
                } else {
                    tracing::info!("this instance is ready again");
                }
            }
            last.reason = reason;
        }
        last.lock().reason.is_none()
    }

    fn try_work(&self) -> Result<(), AppError> {
        self.store().try_write(self.now())?;
        self.store().read(|db| self.ensure_keys(db))
    }
}

/// An error with all of its causes.
fn cause(error: &AppError) -> String {
    let first = std::error::Error::source(error);
    let causes = std::iter::successors(first, |cause| cause.source());
    causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"))
}
