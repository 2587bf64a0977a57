//! The server that talks to a desk: one at a time has it, shows that it is alive, and does what is to be done: a run, users
//! who are due, users who changed. Whether a server is dead is decided by the others, each by its own monotonic clock.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::held::HeldDesk;
use crate::app::{App, AppError, clock};
use crate::core::id::DeskId;
use crate::store::desks as stored;

/// A desk whose beat has not changed for this long has no living server, by the watcher's clock.
const DEAD_AFTER: Duration = Duration::from_secs(30);

/// What this process knows about desks: beats of other servers, and the desks that it has itself.
#[derive(Default)]
pub(in crate::app) struct Watched {
    beats: Mutex<HashMap<DeskId, (i64, Duration)>>,
    threads: Mutex<HashSet<DeskId>>,
    /// Wakes the threads of desks.
    wake: Arc<(Mutex<u64>, parking_lot::Condvar)>,
}

impl Watched {
    /// Makes the threads of desks look now.
    pub fn wake(&self) {
        *self.wake.0.lock() += 1;
        self.wake.1.notify_all();
    }

    pub(super) fn sleep(&self, span: Duration) {
        let mut count = self.wake.0.lock();
        let before = *count;
        while *count == before {
            if self.wake.1.wait_for(&mut count, span).timed_out() {
                return;
            }
        }
    }
}

impl App {
    /// Takes every desk that no living server has, and starts a thread for it. To be called regularly.
    pub fn take_desks(&self) -> Result<(), AppError> {
        let found = self.desks()?;
        let at = (self.0.monotonic)();
        let watched = &self.0.desks;
        watched.beats.lock().retain(|id, _| found.iter().any(|desk| desk.id == *id));
        for desk in found {
            if watched.threads.lock().contains(&desk.id) {
                continue;
            }
            let is_dead = {
                let mut beats = watched.beats.lock();
                let first = beats.entry(desk.id.clone()).or_insert((desk.beat, at));
                if first.0 != desk.beat {
                    *first = (desk.beat, at);
                }
                at.saturating_sub(first.1) >= DEAD_AFTER
            };
            if !desk.worker.is_empty() && !is_dead {
                continue;
            }
            let worker = clock::new_id();
            let now = self.now_for_all()?;
            let is_mine =
                self.store().write(now, |tx| stored::take(tx, &desk.id, desk.beat, &worker, now))?;
            if is_mine {
                self.start_desk(&desk.id, worker)?;
            }
        }
        Ok(())
    }

    fn start_desk(&self, id: &DeskId, worker: String) -> Result<(), AppError> {
        self.0.desks.threads.lock().insert(id.clone());
        let app = self.clone();
        let name = "countersign-sync".to_owned();
        let begun = std::thread::Builder::new().name(name).spawn({
            let id = id.clone();
            move || {
                let leaving = Leaving { app: &app, id: &id, worker: &worker };
                HeldDesk::new(&app, &id, &worker).serve();
                drop(leaving);
            }
        });
        if let Err(error) = begun {
            self.0.desks.threads.lock().remove(id);
            return Err(AppError::Refused(format!("A thread for a desk cannot be started: {error}.")));
        }
        Ok(())
    }

    /// The clock that schedules go by: the database's, if it has one, so that servers agree.
    pub(in crate::app) fn now_for_all(&self) -> Result<i64, crate::store::Error> {
        Ok(self.store().clock()?.unwrap_or_else(|| self.now()))
    }

    /// Gives the threads of desks a moment to store what they have, because the program stops. Requests that are under way
    /// are not waited for: whoever continues looks for the person first.
    pub fn leave_desks(&self) {
        self.stop();
        self.0.desks.wake();
        let began = clock::Stopwatch::start();
        while !self.0.desks.threads.lock().is_empty() && began.elapsed() < Duration::from_secs(1) {
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

/// Lets another server have the desk at once, even if the thread panics.
struct Leaving<'a> {
    app: &'a App,
    id: &'a DeskId,
    worker: &'a str,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let Self { app, id, worker } = self;
        if let Err(error) = app.store().write(app.now(), |tx| stored::release(tx, id, worker)) {
            crate::app::warn_unwritten("that a desk is free", &error);
        }
        app.0.desks.threads.lock().remove(*id);
    }
}
