//! What the thread of an instance does that runs its jobs (`app::jobs`).

use std::thread;
use std::time::Duration;

use crate::app::App;
use crate::app::jobs::new_worker;

/// How often the thread looks for a new job.
const ASKED_EVERY: Duration = Duration::from_millis(500);
/// When a job that could not continue is retried.
const TRIED_AGAIN: Duration = Duration::from_secs(3);

/// Runs jobs until the product stops, after the current step.
pub fn run(app: &App) {
    let worker = new_worker();
    while !app.is_stopping() {
        match app.work(&worker) {
            Ok(true) => {}
            Ok(false) => thread::park_timeout(ASKED_EVERY),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a job could not continue; it will be retried");
                thread::park_timeout(TRIED_AGAIN);
            }
        }
    }
}
