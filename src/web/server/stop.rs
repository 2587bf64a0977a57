//! Signals that stop the server. With each of them, requests in progress finish, and the counts are
//! written.

use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::signal::unix::{Signal, SignalKind, signal};

use crate::app::App;

/// How long a server that is told to stop still serves requests and reports that it is not ready.
const UNREADY_TIME: Duration = Duration::from_secs(2);

/// Stops the server on SIGTERM, SIGHUP, SIGINT and SIGQUIT. On the first two it first reports for a moment
/// that it is not ready, so that a load balancer sends it no more requests; a person who types Ctrl-C does
/// not want to wait.
///
/// SIGHUP has nothing to reload here, and by default the system would end the process without writing the
/// counts. If SIGHUP is ignored from the start (`nohup`), it stays ignored.
pub async fn on_signal(app: App, server: ServerHandle) {
    let on = |kind: SignalKind| {
        signal(kind).inspect_err(|error| {
            tracing::error!(%error, "a signal cannot be received; end the program in another way");
        })
    };
    let (Ok(mut terminated), Ok(mut interrupted), Ok(mut quit)) =
        (on(SignalKind::terminate()), on(SignalKind::interrupt()), on(SignalKind::quit()))
    else {
        return;
    };
    let mut hung_up = if ignores_hangup() { None } else { on(SignalKind::hangup()).ok() };
    let hung_up = async {
        match hung_up.as_mut().map(Signal::recv) {
            Some(received) => received.await,
            None => std::future::pending().await,
        }
    };
    let is_in_haste = tokio::select! {
        _ = terminated.recv() => false,
        _ = hung_up => false,
        _ = interrupted.recv() => true,
        _ = quit.recv() => true,
    };
    app.stop();
    if !is_in_haste {
        actix_web::rt::time::sleep(UNREADY_TIME).await;
    }
    server.stop(true).await;
}

/// Whether the process was started to survive SIGHUP: the lowest bit of its mask of ignored signals.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 == 1))
}
