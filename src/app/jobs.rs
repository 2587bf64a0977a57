//! Work that outlives a request. One thread of every instance takes jobs by a lease and goes on
//! where they are: each step reads, works, and moves the cursor in one short write, so that a
//! program that is killed loses one step. Kinds of jobs are in the files of their nouns.

use super::{App, AppError, clock, compare};
use crate::store::jobs::{self, Job};

/// For how long a job belongs to the worker that moved it last (seconds).
pub const LEASE: i64 = 30;

/// What a step leads to.
pub(super) enum Step {
    /// The job was moved on and has more to do.
    On,
    /// All is done.
    Done,
}

/// A worker's name: one per thread.
pub fn new_worker() -> String {
    clock::new_id()
}

impl App {
    /// Takes a job that nobody works on, if there is one, and does it until it has ended, was taken
    /// away, or the program is told to stop. Whether there was one.
    pub fn work(&self, worker: &str) -> Result<bool, AppError> {
        let now = self.now();
        // A read first: an idle instance asks twice a second, and need not hold the writer for it.
        if !self.store().read(|db| jobs::is_any_free(db, now))? {
            return Ok(false);
        }
        let Some(mut job) = self.store().write(now, |tx| jobs::lease(tx, worker, now, LEASE))? else {
            return Ok(false);
        };
        loop {
            let step = match job.kind.as_str() {
                compare::KIND => self.compare_step(&mut job),
                other => Err(AppError::Refused(format!("No job is called '{other}'."))),
            };
            let state = match step {
                Ok(Step::On) => None,
                Ok(Step::Done) => Some("done"),
                // The database is away: the lease runs out, and somebody goes on from the cursor.
                Err(AppError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(job = job.id, kind = job.kind, "a job failed: {error}");
                    Some("failed")
                }
            };
            if !self.keep_step(&job, worker, state)? || state.is_some() {
                return Ok(true);
            }
            if self.is_stopping() {
                let now = self.now();
                self.store().write(now, |tx| jobs::release(tx, &job.id, worker, now))?;
                return Ok(true);
            }
        }
    }

    /// Writes how far a job is; `false` when it was cancelled or another worker has it.
    fn keep_step(&self, job: &Job, worker: &str, ended: Option<&str>) -> Result<bool, AppError> {
        let now = self.now();
        Ok(self.store().write(now, |tx| {
            let kept = jobs::advance(tx, job, worker, now, LEASE)?;
            match ended {
                Some(state) if kept => jobs::finish(tx, &job.id, worker, state, &job.report, now),
                _ => Ok::<_, crate::store::Error>(kept),
            }
        })?)
    }
}
