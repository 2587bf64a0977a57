//! Work that outlives a request. One thread of every instance takes jobs one at a time and continues
//! where they are: each step reads, works, and moves the cursor in one short write, so that a program
//! that is killed loses only one step. Each kind of job is in the file of its noun.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

use parking_lot::Mutex;

use super::{App, AppError, clock, compare, identity};
use crate::core::job::JobState;
use crate::store::Error;
use crate::store::jobs::{self, Beat, Job};

/// A worker whose beat has not changed for this long is dead, by the monotonic clock of the process that
/// watches: clocks of two machines are never compared.
const DEAD_AFTER: Duration = Duration::from_secs(30);
/// A worker that could not move its job for this long stops: another worker may take the job soon.
const STOPS_AFTER: Duration = Duration::from_secs(15);

/// Beats that were seen, each with the time it was first seen.
pub(super) type Watched = Mutex<HashMap<String, (i64, Duration)>>;

/// A worker's name: one per thread.
pub fn new_worker() -> String {
    clock::new_id()
}

impl App {
    /// Takes a job that no worker has, if there is one, and works on it until it has ended, another
    /// worker took it, or the program is stopped. Returns whether there was one.
    pub fn work(&self, worker: &str) -> Result<bool, AppError> {
        let Some(mut job) = self.take_job(worker)? else { return Ok(false) };
        loop {
            let began = (self.0.monotonic)();
            let step = match job.kind.as_str() {
                compare::KIND => self.compare_step(&mut job),
                identity::KIND => self.identity_step(&mut job),
                other => Err(AppError::Refused(format!("There is no kind of job '{other}'."))),
            };
            let state = match step {
                Ok(ControlFlow::Continue(())) => None,
                Ok(ControlFlow::Break(())) => Some(JobState::Done),
                // The database is unavailable: the beat stops, and another worker continues from the
                // cursor. Any other error would occur again at every try, such as a row that cannot be
                // read.
                Err(AppError::Store(error @ (Error::Unavailable(_) | Error::Undone(_)))) => {
                    return Err(error.into());
                }
                Err(error) => {
                    tracing::error!(job = job.id, kind = job.kind, "a job failed: {error}");
                    Some(JobState::Failed)
                }
            };
            let is_late = (self.0.monotonic)().saturating_sub(began) > STOPS_AFTER;
            if is_late || !self.keep_step(&job, worker, state)? || state.is_some() {
                return Ok(true);
            }
            if self.is_stopping() {
                let now = self.now();
                self.store().write(now, |tx| jobs::release(tx, &job.id, worker))?;
                return Ok(true);
            }
        }
    }

    /// The oldest job that is waiting, or one whose worker is dead.
    fn take_job(&self, worker: &str) -> Result<Option<Job>, AppError> {
        let now = self.now();
        // Reads first: an idle instance checks twice a second, and need not hold the writer for it.
        let (waiting, beats) =
            self.store().read(|db| Ok::<_, AppError>((jobs::is_any_waiting(db)?, jobs::beats(db)?)))?;
        if waiting && let Some(job) = self.store().write(now, |tx| jobs::take(tx, worker, now))? {
            return Ok(Some(job));
        }
        let at = (self.0.monotonic)();
        let dead: Vec<Beat> = {
            let mut watched = self.0.watched.lock();
            watched.retain(|id, _| beats.iter().any(|known| known.job == *id));
            beats
                .into_iter()
                .filter(|known| {
                    let first = watched.entry(known.job.clone()).or_insert((known.beat, at));
                    if first.0 != known.beat {
                        *first = (known.beat, at);
                    }
                    at.saturating_sub(first.1) >= DEAD_AFTER
                })
                .collect()
        };
        for Beat { job, beat } in dead {
            if let Some(job) = self.store().write(now, |tx| jobs::take_over(tx, &job, beat, worker, now))? {
                return Ok(Some(job));
            }
        }
        Ok(None)
    }

    /// Stores how far a job is; `false` if it was cancelled or another worker has it.
    fn keep_step(&self, job: &Job, worker: &str, ended: Option<JobState>) -> Result<bool, AppError> {
        let now = self.now();
        Ok(self.store().write(now, |tx| {
            let kept = jobs::advance(tx, job, worker, now)?;
            match ended {
                Some(state) if kept => jobs::finish(tx, &job.id, worker, state, &job.report, now),
                _ => Ok::<_, crate::store::Error>(kept),
            }
        })?)
    }
}
