//! What the thread of an instance does that takes desks which no server talks to (`app::sync`).

use std::thread;
use std::time::Duration;

use crate::app::App;

/// How often it looks.
const LOOKED_EVERY: Duration = Duration::from_secs(1);

/// Takes desks until the product stops.
pub fn take(app: &App) {
    let mut is_broken = false;
    while !app.is_stopping() {
        match app.take_desks() {
            Ok(()) => is_broken = false,
            Err(error) if !is_broken => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "desks cannot be taken; it will be retried");
                is_broken = true;
            }
            Err(_) => {}
        }
        thread::park_timeout(LOOKED_EVERY);
    }
}
