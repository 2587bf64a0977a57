//! Signals that stop the server. All of them let requests under way end, and what was counted is written.

use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::signal::unix::{Signal, SignalKind, signal};

use crate::app::App;

/// How long a server that is told to stop still answers, and says that it is not ready.
const UNREADY_TIME: Duration = Duration::from_secs(2);

/// Stops the server on SIGTERM, SIGHUP, SIGINT and SIGQUIT. On the first two it says for a moment that it is
/// not ready, so that a balancer sends nobody any more; who types Ctrl-C does not want to wait.
///
/// There is nothing that SIGHUP could load again, and the system would end the process by it without
/// writing the counts. Where it is ignored from the start (`nohup`), it stays ignored.
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

/// Whether the process was started to survive SIGHUP: the lowest bit of the signals that it ignores.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 == 1))
}
