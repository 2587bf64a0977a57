//! The thread of an instance that runs its jobs (`app::jobs`), for as long as the server runs.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::app::App;
use crate::app::jobs::new_worker;

/// How often the thread looks for a new job.
const ASKED_EVERY: Duration = Duration::from_millis(500);
/// When a job that could not continue is retried.
const TRIED_AGAIN: Duration = Duration::from_secs(3);

/// The running thread. It ends when this is dropped, after its current step.
pub struct Jobs {
    app: App,
    thread: Option<JoinHandle<()>>,
}

impl Jobs {
    /// Starts running jobs.
    pub fn start(app: &App) -> std::io::Result<Self> {
        let state = app.clone();
        let thread = thread::Builder::new().name("countersign-jobs".into()).spawn(move || {
            let worker = new_worker();
            while !state.is_stopping() {
                match state.work(&worker) {
                    Ok(true) => {}
                    Ok(false) => thread::park_timeout(ASKED_EVERY),
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "a job could not continue; it will be retried");
                        thread::park_timeout(TRIED_AGAIN);
                    }
                }
            }
        })?;
        Ok(Self { app: app.clone(), thread: Some(thread) })
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.app.stop();
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic there was already reported.
            let _ = thread.join();
        }
    }
}
