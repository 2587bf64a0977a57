//! The listening server: the HTTP/1 service over our own connections, and what it logs about them.

use std::net::TcpListener;
use std::rc::Rc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Request, Response};
use actix_service::{
    IntoServiceFactory as _, Service as _, ServiceFactoryExt as _, apply_fn_factory, map_config,
};
use actix_web::dev::{AppConfig, Extensions};
use actix_web::rt::net::TcpStream;
use actix_web::{App as ActixApp, middleware, web};

use crate::app::App;
use crate::web::http::connection::{Admission, GUARDS, HEAD_TIME, Stream, raise_descriptors};
use crate::web::http::edge;
use crate::web::http::error::Failure;
use crate::web::http::form::LONGEST_BODY;
use crate::web::routes::register;
use crate::web::server::shortcut::Shortcut;

/// A target that is left out of the log: the HTTP layer says "stream error" without naming the client.
/// `log` logs the same with the address.
pub const SILENT: &str = "actix_http::h1::dispatcher";

/// How long a connection may wait for the next request.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// How long a client may still send after its connection is closed.
const CLOSE_TIME: Duration = Duration::from_secs(1);
/// Seconds for requests in progress when the server is told to stop.
const STOP_TIME: u64 = 6;
/// How many bytes of responses the kernel buffers for one connection (Linux doubles it). Otherwise it would
/// buffer megabytes for each client that reads nothing.
const SEND_BUFFER: usize = 128 * 1024;

/// The response to a client for which there is no room.
const FULL: &str =
    "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 10\r\nconnection: close\r\n";

/// Serves on a listener until it is told to stop.
pub fn serve(app: App, listener: TcpListener) -> std::io::Result<actix_server::Server> {
    // Connections inherit it from the listener.
    socket2::SockRef::from(&listener).set_send_buffer_size(SEND_BUFFER)?;
    let most = raise_descriptors();
    let admission = Admission::new(most, app.settings().trusted_proxies.clone());
    let builder = actix_server::Server::build()
        .workers(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
        // `Admission` counts; a full worker would let the other connections wait without a response.
        .max_concurrent_connections(most + 1)
        .shutdown_timeout(STOP_TIME)
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let service = move || {
        let (state, admission, stopping) = (app.clone(), admission.clone(), stopping.clone());
        let shortcut = Rc::new(Shortcut::new(&app));
        let product = ActixApp::new()
            .app_data(web::Data::new(app.clone()))
            .app_data(web::FormConfig::default().limit(LONGEST_BODY))
            .app_data(web::PayloadConfig::new(LONGEST_BODY))
            .app_data(web::QueryConfig::default())
            .default_service(web::to(|| async { Err::<&str, _>(Failure::NotFound) }))
            .configure(move |services| register(services, &state))
            .wrap(middleware::from_fn(edge::around))
            .into_factory()
            .map_err(|error: actix_web::Error| Response::from(error.error_response()));
        let product = map_config(product, |()| AppConfig::default());
        let product = apply_fn_factory(product, move |mut request: Request, routes| {
            let answered = shortcut.answer(&mut request).ok_or_else(|| routes.call(request));
            async move {
                match answered {
                    Ok(answer) => Ok(answer),
                    Err(routed) => routed.await.map(Response::from),
                }
            }
        });
        let http = HttpService::build()
            .keep_alive(IDLE_TIME)
            .client_request_timeout(HEAD_TIME)
            .client_disconnect_timeout(CLOSE_TIME)
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .on_connect_ext(|stream: &Stream, data: &mut Extensions| {
                data.insert(stream.connection());
            })
            .h1(product);
        apply_fn_factory(http, move |tcp: TcpStream, http| {
            let served = enter(tcp, &admission).map(|(stream, peer)| (http.call((stream, Some(peer))), peer));
            async move {
                if let Some((served, peer)) = served
                    && let Err(error) = served.await
                {
                    log(peer, &error);
                }
                Ok::<(), DispatchError>(())
            }
        })
    };
    Ok(builder.listen("http", listener, service)?.run())
}

/// A connection, if there is room for it.
fn enter(tcp: TcpStream, admission: &std::sync::Arc<Admission>) -> Option<(Stream, std::net::SocketAddr)> {
    // No peer: it has already disconnected.
    let peer = tcp.peer_addr().ok()?;
    let Some(permit) = admission.admit(peer.ip()) else {
        // The connection is closed, whether the response arrives or not.
        let _ = tcp.try_write(format!("{FULL}{GUARDS}\r\n").as_bytes());
        return None;
    };
    Some((Stream::new(tcp, permit), peer))
}

/// Logs why a connection ended early. The HTTP layer's own lines name no client and are off.
fn log(peer: std::net::SocketAddr, error: &DispatchError) {
    let address = peer.ip().to_canonical();
    match error {
        DispatchError::Parse(error) => {
            tracing::warn!(%address, %error, "a request is not HTTP/1.1 and was refused");
        }
        DispatchError::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            tracing::info!(%address, %error, "a connection was ended");
        }
        DispatchError::Body(_) | DispatchError::InternalError => {
            tracing::error!(%address, %error, "a response was not sent completely");
        }
        error => tracing::debug!(%address, %error, "a connection was ended"),
    }
}
