//! What the thread of an instance does that learns what other processes have changed (`app::freshness`).

use std::thread;
use std::time::Duration;

use crate::app::App;

/// How often it asks.
const ASKED_EVERY: Duration = Duration::from_millis(100);

/// Asks until the product stops.
pub fn poll(app: &App) {
    let mut is_broken = false;
    while !app.is_stopping() {
        match app.poll_changes() {
            Ok(()) if is_broken => {
                tracing::info!("changes of other processes are noticed again");
                is_broken = false;
            }
            Err(error) if !is_broken => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "changes of other processes cannot be noticed, so every token reads the database"
                );
                is_broken = true;
            }
            Ok(()) | Err(_) => {}
        }
        thread::park_timeout(ASKED_EVERY);
    }
}
