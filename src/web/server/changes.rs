//! The thread of an instance that learns what other processes have changed (`app::freshness`), for as long as
//! the server runs.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::app::App;

/// How often it asks.
const ASKED_EVERY: Duration = Duration::from_millis(100);

/// The running thread. It ends when this is dropped.
pub struct Polling {
    app: App,
    thread: Option<JoinHandle<()>>,
}

impl Polling {
    /// Starts asking.
    pub fn start(app: &App) -> std::io::Result<Self> {
        let state = app.clone();
        let thread = thread::Builder::new().name("countersign-changes".into()).spawn(move || {
            let mut is_broken = false;
            while !state.is_stopping() {
                match state.poll_changes() {
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
        })?;
        Ok(Self { app: app.clone(), thread: Some(thread) })
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        self.app.stop();
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic there was already reported.
            let _ = thread.join();
        }
    }
}
