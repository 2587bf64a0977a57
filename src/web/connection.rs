//! Connections whose request never ends. actix limits the time for a request's head; this limits
//! the time for its body, also of one that nobody reads any more because it was answered already.

use std::any::Any;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpMessage as _;
use actix_web::dev::{Extensions, Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::rt;
use actix_web::web::Bytes;

/// From the end of a request's head to the end of its body.
const BODY_TIME: Duration = Duration::from_secs(20);
/// For the rest of a body after its request was answered.
const REST_TIME: Duration = Duration::from_secs(4);

/// A client's connection, as a second handle by which it can be cut.
pub struct Connection(Arc<Inner>);

struct Inner {
    stream: TcpStream,
    /// How many requests came by it: a new one begins only when the body before it has ended.
    requests: AtomicU64,
}

/// Keeps the handle of a new connection. Called by actix.
pub fn opened(stream: &dyn Any, data: &mut Extensions) {
    if let Some(stream) = stream.downcast_ref::<rt::net::TcpStream>()
        && let Ok(handle) = stream.as_fd().try_clone_to_owned()
    {
        data.insert(Connection(Arc::new(Inner { stream: handle.into(), requests: AtomicU64::new(0) })));
    }
}

/// Watches the body of a request for as long as this lives; the rest of it a little longer.
pub struct Watch {
    connection: Arc<Inner>,
    request: u64,
    ended: Arc<AtomicBool>,
    timer: rt::task::JoinHandle<()>,
}

impl Watch {
    /// Begins to watch, if the request has a body.
    pub fn begin(request: &mut ServiceRequest) -> Option<Self> {
        let connection = request.conn_data::<Connection>()?.0.clone();
        let number = connection.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let body = request.take_payload();
        if matches!(body, Payload::None) {
            return None;
        }
        let ended = Arc::new(AtomicBool::new(false));
        let payload = Box::pin(Body { body, ended: ended.clone() });
        request.set_payload(Payload::Stream { payload });
        let timer = cut_after(BODY_TIME, &connection, number, &ended);
        Some(Self { connection, request: number, ended, timer })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.timer.abort();
        if !self.ended.load(Ordering::Relaxed) {
            drop(cut_after(REST_TIME, &self.connection, self.request, &self.ended));
        }
    }
}

/// Cuts a connection after a time, unless the body of its request has ended or another request has
/// begun.
fn cut_after(
    time: Duration,
    connection: &Arc<Inner>,
    request: u64,
    ended: &Arc<AtomicBool>,
) -> rt::task::JoinHandle<()> {
    // The timer must not keep the connection's second handle open.
    let (connection, ended) = (Arc::downgrade(connection), ended.clone());
    rt::spawn(async move {
        rt::time::sleep(time).await;
        if let Some(connection) = connection.upgrade()
            && !ended.load(Ordering::Relaxed)
            && connection.requests.load(Ordering::Relaxed) == request
        {
            // An error means that the client was faster.
            let _ = connection.stream.shutdown(Shutdown::Both);
        }
    })
}

/// A request's body that tells when it has ended.
struct Body {
    body: Payload,
    ended: Arc<AtomicBool>,
}

impl futures_core::Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.body).poll_next(context);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.ended.store(true, Ordering::Relaxed);
        }
        polled
    }
}
