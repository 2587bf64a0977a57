//! The server: started, stopped, and what it does beside answering.

mod chores;
mod jobs;
pub mod listen;
mod stop;

use std::net::{SocketAddr, TcpListener};

use actix_web::dev::ServerHandle;

use self::jobs::Jobs;
use crate::app::App;

/// A server that listens and knows its port. Used by the command line and by every test.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    handle: ServerHandle,
    thread: Option<std::thread::JoinHandle<std::io::Result<()>>>,
    /// Ends with the server.
    _jobs: Jobs,
}

impl Server {
    /// Takes the address of the settings and begins to serve on a thread of its own.
    /// `signals`: whether signals stop it, see [`stop`].
    pub fn start(app: App, signals: bool) -> std::io::Result<Self> {
        let listener = TcpListener::bind(app.settings().listen)?;
        let address = listener.local_addr()?;
        let jobs = Jobs::start(&app)?;
        let (send, receive) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new().name("countersign-web".into()).spawn(move || {
            let state = app.clone();
            let ended = actix_web::rt::System::new().block_on(async move {
                let server = listen::serve(state.clone(), listener)?;
                // The receiver is gone only if the starting thread died.
                let _ = send.send(server.handle());
                let chores = actix_web::rt::spawn(chores::go_round(state.clone()));
                let watch = actix_web::rt::spawn(chores::watch(state.clone()));
                if signals {
                    actix_web::rt::spawn(stop::on_signal(state, server.handle()));
                }
                let ended = server.await;
                chores.abort();
                watch.abort();
                ended
            });
            // Behind the runtime: the store has one of its own, and runtimes do not nest.
            if let Err(error) = app.flush_counts() {
                tracing::warn!(error = &error as &dyn std::error::Error, "counts were not written");
            }
            if let Err(error) = app.leave_instances() {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the others learn of this stop later"
                );
            }
            ended
        })?;
        match receive.recv() {
            Ok(handle) => Ok(Self { address, handle, thread: Some(thread), _jobs: jobs }),
            Err(_) => Err(match thread.join() {
                Ok(Err(error)) => error,
                _ => std::io::Error::other("the server did not start"),
            }),
        }
    }

    /// Waits until the server was told to stop, by a signal.
    pub fn wait(mut self) -> std::io::Result<()> {
        match self.thread.take().map(std::thread::JoinHandle::join) {
            Some(Ok(ended)) => ended,
            _ => Err(std::io::Error::other("the server's thread panicked")),
        }
    }
}

impl Drop for Server {
    /// Ends the server; requests under way are cut.
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // The command is sent at once; nothing has to poll the future.
            drop(self.handle.stop(false));
            let _ = thread.join();
        }
    }
}
