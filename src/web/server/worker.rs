//! A thread that works beside the requests, for as long as the server runs.

use std::thread::{self, JoinHandle};

use crate::app::App;

/// The running thread. When this is dropped, the product is told to stop and the thread is waited for.
pub struct Worker {
    app: App,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts it. `work` ends when the product is stopping; what it waits for with `park_timeout` is cut short.
    pub fn start(app: &App, name: &str, work: impl FnOnce(&App) + Send + 'static) -> std::io::Result<Self> {
        let state = app.clone();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || work(&state))?;
        Ok(Self { app: app.clone(), thread: Some(thread) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.app.stop();
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic there was already reported.
            let _ = thread.join();
        }
    }
}
