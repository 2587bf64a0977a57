//! The server: how it starts and stops, and what it does besides answering requests.

mod alerts;
mod changes;
mod chores;
mod desks;
mod jobs;
pub mod listen;
mod metrics;
mod shortcut;
mod stop;
mod worker;

use std::net::{SocketAddr, TcpListener};

use actix_web::dev::ServerHandle;

use self::worker::Worker;
use crate::app::App;

/// A server that listens and knows its port. Used by the command line and by every test.
pub struct Server {
    /// The address it listens on.
    pub address: SocketAddr,
    /// The address where it serves metrics, if it does.
    pub metrics_address: Option<SocketAddr>,
    handle: ServerHandle,
    thread: Option<std::thread::JoinHandle<std::io::Result<()>>>,
    /// Ends with the server.
    _workers: Vec<Worker>,
}

impl Server {
    /// Binds the address from the settings and starts serving on its own thread. `signals`: whether signals
    /// stop it, see `stop`.
    pub fn start(app: App, signals: bool) -> std::io::Result<Self> {
        let listener = TcpListener::bind(app.settings().listen)?;
        let address = listener.local_addr()?;
        let metrics = app.settings().metrics_listen.map(TcpListener::bind).transpose()?;
        let metrics_address = metrics.as_ref().map(TcpListener::local_addr).transpose()?;
        let mut workers = vec![Worker::start(&app, "countersign-jobs", jobs::run)?];
        workers.push(Worker::start(&app, "countersign-desks", desks::take)?);
        workers.push(Worker::start(&app, "countersign-alerts", alerts::send)?);
        if app.settings().token_cache > 0 {
            workers.push(Worker::start(&app, "countersign-changes", changes::poll)?);
        }
        let (send, receive) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new().name("countersign-web".into()).spawn(move || {
            let state = app.clone();
            let ended = actix_web::rt::System::new().block_on(async move {
                let server = listen::serve(state.clone(), listener)?;
                let metrics = metrics.map(|listener| metrics::serve(state.clone(), listener)).transpose()?;
                let stop_metrics = metrics.as_ref().map(actix_web::dev::Server::handle);
                let metrics = metrics.map(actix_web::rt::spawn);
                // The receiver no longer exists only if the starting thread died.
                let _ = send.send(server.handle());
                let chores = actix_web::rt::spawn(chores::go_round(state.clone()));
                let watch = actix_web::rt::spawn(chores::watch(state.clone()));
                if signals {
                    actix_web::rt::spawn(stop::on_signal(state, server.handle()));
                }
                let ended = server.await;
                if let (Some(handle), Some(running)) = (stop_metrics, metrics) {
                    handle.stop(false).await;
                    running.abort();
                }
                chores.abort();
                watch.abort();
                ended
            });
            app.leave_desks();
            // After the runtime has ended: the store has its own runtime, and runtimes do not nest.
            if let Err(error) = app.flush_counts() {
                tracing::warn!(error = &error as &dyn std::error::Error, "counts were not written");
            }
            if let Err(error) = app.leave_instances() {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the other instances notice this stop later"
                );
            }
            ended
        })?;
        match receive.recv() {
            Ok(handle) => {
                Ok(Self { address, metrics_address, handle, thread: Some(thread), _workers: workers })
            }
            Err(_) => Err(match thread.join() {
                Ok(Err(error)) => error,
                _ => std::io::Error::other("the server did not start"),
            }),
        }
    }

    /// Waits until a signal tells the server to stop.
    pub fn wait(mut self) -> std::io::Result<()> {
        match self.thread.take().map(std::thread::JoinHandle::join) {
            Some(Ok(ended)) => ended,
            _ => Err(std::io::Error::other("the server's thread panicked")),
        }
    }
}

impl Drop for Server {
    /// Ends the server; requests in progress are cut off.
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // The command is sent immediately; the future does not have to be polled.
            drop(self.handle.stop(false));
            let _ = thread.join();
        }
    }
}
