//! What a server does besides answering requests: it writes counts, removes what has ended, and notices the
//! changes of other processes.

use std::time::Duration;

use actix_web::web;

use crate::app::App;
use crate::app::counts::FLUSHED_EVERY;

/// How often changes of messengers by another process are checked.
const WATCHED_EVERY: Duration = Duration::from_millis(500);
/// Seconds between removals of what has ended.
const SWEPT_EVERY: u64 = 600;
/// Seconds between checks of what must be the same everywhere: clocks and settings.
const COMPARED_EVERY: u64 = 60;

/// The regular tasks: counts are written, what has ended is removed, times that are in the future by the
/// clock are corrected, and clocks and settings are compared with those of the other instances.
pub async fn go_round(app: App) {
    let (mut since_sweep, mut since_compared) = (SWEPT_EVERY, COMPARED_EVERY);
    loop {
        actix_web::rt::time::sleep(Duration::from_secs(FLUSHED_EVERY)).await;
        since_sweep += FLUSHED_EVERY;
        let sweeping = since_sweep >= SWEPT_EVERY;
        if sweeping {
            since_sweep = 0;
        }
        since_compared += FLUSHED_EVERY;
        let comparing = since_compared >= COMPARED_EVERY;
        if comparing {
            since_compared = 0;
        }
        let app = app.clone();
        let done = web::block(move || {
            app.flush_counts()?;
            if comparing {
                app.pull_back_moments()?;
                app.compare_clocks()?;
                app.compare_instances()?;
            }
            if sweeping { app.sweep() } else { Ok(()) }
        })
        .await;
        if let Ok(Err(error)) = done {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a regular task failed; it will be retried"
            );
        }
    }
}

/// Loads messengers that another process changed, and notices that the clock was set.
pub async fn watch(app: App) {
    loop {
        actix_web::rt::time::sleep(WATCHED_EVERY).await;
        let app = app.clone();
        let done = web::block(move || {
            app.refresh_messengers()?;
            app.notice_clock_steps()
        });
        if let Ok(Err(error)) = done.await {
            tracing::debug!(error = &error as &dyn std::error::Error, "messengers could not be reloaded");
        }
    }
}
