//! What the thread of an instance does that sends alerts (`app::sync`).

use std::thread;
use std::time::Duration;

use crate::app::App;

/// How often it looks.
const LOOKED_EVERY: Duration = Duration::from_secs(15);

/// Sends alerts until the product stops.
pub fn send(app: &App) {
    while !app.is_stopping() {
        if let Err(error) = app.send_alerts() {
            tracing::debug!(error = &error as &dyn std::error::Error, "alerts could not be looked at");
        }
        thread::park_timeout(LOOKED_EVERY);
    }
}
