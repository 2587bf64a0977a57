//! Connections that stall. One stream under the HTTP/1 service enforces all time limits: for a head, for a
//! body, and for responses that the client does not read. It gives the service one request at a time, so
//! that a client that sends many requests and reads nothing does not make the memory grow. The content of
//! the requests is checked elsewhere.
//!
//! The service itself limits only the time of a connection's *first* head.

mod admission;
mod frame;

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use actix_web::HttpMessage as _;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use actix_web::rt::net::TcpStream;
use actix_web::rt::time::{Sleep, sleep};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub use admission::{Admission, Permit, raise_descriptors};
use frame::{Body, Head, Length};

use crate::app::clock::Stopwatch;

/// From the first byte of a request's head to its last.
pub const HEAD_TIME: Duration = Duration::from_secs(10);
/// From the end of a request's head to the end of its body.
const BODY_TIME: Duration = Duration::from_secs(20);
/// For the rest of a body after the response to its request.
const REST_TIME: Duration = Duration::from_secs(4);
/// How long responses may wait for a client that reads nothing.
const ANSWER_TIME: Duration = Duration::from_secs(25);
/// Bytes that a client must read to regain one second of the time that it made responses wait: a client
/// that reads a byte now and then is cut off as well.
const BYTES_PER_SECOND: u64 = 1000;

/// Headers of responses that do not come from `edge`.
pub const GUARDS: &str = "cache-control: no-store\r\nx-content-type-options: nosniff\r\nreferrer-policy: same-origin\r\n\
    content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n";

/// A client's connection.
pub struct Stream {
    tcp: TcpStream,
    shared: Rc<Shared>,
    inbound: Inbound,
    /// Bytes that arrived after the end of the current request.
    held: Vec<u8>,
    timer: Option<(Waiting, Pin<Box<Sleep>>)>,
    patience: Patience,
    _permit: Permit,
}

/// What a connection knows about its current request: see [`Watch`].
#[derive(Default)]
struct Shared {
    entered: Cell<Option<Length>>,
    answered: Cell<bool>,
    reader: RefCell<Option<Waker>>,
    /// While the reader waits for the answer: whether the next bytes of the client wake it, so that the end of the answer
    /// does not have to.
    is_quiet: Cell<bool>,
}

/// A connection, for the requests on it.
#[derive(Clone)]
pub struct Connection(Rc<Shared>);

impl Connection {
    fn enter(self, length: Length) -> Watch {
        self.0.entered.set(Some(length));
        Watch(self.0)
    }

    /// Starts watching a request without a body.
    pub fn enter_without_body(self) -> Watch {
        self.enter(Length::Bytes(0))
    }
}

/// What comes next from the client.
enum Inbound {
    Head(Head),
    /// Nothing, until the HTTP layer has read the head and [`Watch`] says what follows it.
    Entering,
    Body(Body),
}

/// What a client is given time for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Head,
    Body,
    Rest,
}

impl Waiting {
    fn time(self) -> Duration {
        match self {
            Self::Head => HEAD_TIME,
            Self::Body => BODY_TIME,
            Self::Rest => REST_TIME,
        }
    }
}

impl Stream {
    /// A connection that was admitted.
    pub fn new(tcp: TcpStream, permit: Permit) -> Self {
        Self {
            tcp,
            shared: Rc::default(),
            inbound: Inbound::Head(Head::default()),
            held: Vec::new(),
            timer: None,
            patience: Patience::default(),
            _permit: permit,
        }
    }

    /// The connection, for its requests.
    pub fn connection(&self) -> Connection {
        Connection(self.shared.clone())
    }

    /// Whether the client has exceeded its time for what it must send.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let waiting = match &self.inbound {
            Inbound::Head(head) if head.has_started() => Waiting::Head,
            Inbound::Head(_) | Inbound::Entering => return false,
            Inbound::Body(_) if self.shared.answered.get() => Waiting::Rest,
            Inbound::Body(_) => Waiting::Body,
        };
        let timer = match self.timer.take() {
            Some((since, timer)) if since == waiting => timer,
            _ => Box::pin(sleep(waiting.time())),
        };
        let (_, timer) = self.timer.insert((waiting, timer));
        timer.as_mut().poll(context).is_ready()
    }

    /// Reads the bytes that belong to the current head or body.
    fn read_on(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_over(context) {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "a request did not arrive completely in time",
            )));
        }
        let before = buffer.filled().len();
        if self.held.is_empty() {
            ready!(Pin::new(&mut self.tcp).poll_read(context, buffer))?;
        } else {
            let many = self.held.len().min(buffer.remaining());
            buffer.put_slice(&self.held[..many]);
            self.held.drain(..many);
        }
        let new = &mut buffer.filled_mut()[before..];
        let taken = match &mut self.inbound {
            Inbound::Head(head) => {
                let (taken, has_ended) = head.take(new);
                if has_ended {
                    self.inbound = Inbound::Entering;
                    self.timer = None;
                }
                taken
            }
            Inbound::Body(body) => body.take(new),
            Inbound::Entering => 0,
        };
        self.held.splice(0..0, new[taken..].iter().copied());
        buffer.set_filled(before + taken);
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.shared.is_quiet.set(false);
        loop {
            let next = match &this.inbound {
                Inbound::Entering => {
                    this.shared.entered.take().map(|length| Inbound::Body(Body::new(length)))
                }
                Inbound::Body(body) if body.has_ended() => {
                    this.timer = None;
                    this.shared.answered.take().then(|| Inbound::Head(Head::default()))
                }
                Inbound::Head(_) | Inbound::Body(_) => return this.read_on(context, buffer),
            };
            if let Some(next) = next {
                this.inbound = next;
                continue;
            }
            *this.shared.reader.borrow_mut() = Some(context.waker().clone());
            let is_quiet = this.held.is_empty() && this.tcp.poll_read_ready(context).is_pending();
            this.shared.is_quiet.set(is_quiet);
            return Poll::Pending;
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Some(guarded) = guarded(bytes) {
            match this.tcp.try_write(&guarded) {
                Ok(many) if many == guarded.len() => return Poll::Ready(Ok(bytes.len())),
                // The client does not even read a few hundred bytes.
                Ok(_) => return Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                // Then it is sent unchanged.
                Err(_) => {}
            }
        }
        let written = Pin::new(&mut this.tcp).poll_write(context, bytes);
        match written {
            Poll::Ready(Ok(many)) => this.patience.went_on(many as u64),
            Poll::Pending if this.patience.is_over(context) => {
                // Without this, the kernel would keep sending for minutes what the client did not read.
                let _ = this.tcp.set_zero_linger();
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the client did not read the responses",
                )));
            }
            _ => {}
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(context)
    }
}

/// A response of the HTTP layer's own (400, 408, 431), with the headers that all of ours have: those come
/// from `edge`, which the request did not reach.
fn guarded(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.starts_with(b"HTTP/1.1 4") {
        return None;
    }
    let head = std::str::from_utf8(bytes).ok()?.strip_suffix("\r\n\r\n")?;
    let is_its_own = head.contains("\r\ncontent-length: 0") && !head.contains("\r\nx-content-type-options:");
    (is_its_own && !head.contains("\r\n\r\n")).then(|| format!("{head}\r\n{GUARDS}\r\n").into_bytes())
}

/// How long a connection's responses have waited for its client.
#[derive(Default)]
struct Patience {
    spent: Duration,
    waiting: Option<(Stopwatch, Pin<Box<Sleep>>)>,
}

impl Patience {
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let left = ANSWER_TIME.saturating_sub(self.spent);
        let (_, timer) = self.waiting.get_or_insert_with(|| (Stopwatch::start(), Box::pin(sleep(left))));
        timer.as_mut().poll(context).is_ready()
    }

    /// The client read this many bytes.
    fn went_on(&mut self, bytes: u64) {
        if let Some((watch, _)) = self.waiting.take() {
            self.spent += watch.elapsed();
        }
        self.spent = self.spent.saturating_sub(Duration::from_millis(bytes * 1000 / BYTES_PER_SECOND));
    }
}

/// Tells a connection what its current request is doing: that it has started, and with which body, and,
/// when this ends, that the response was sent.
pub struct Watch(Rc<Shared>);

impl Watch {
    /// Starts watching a request.
    pub fn begin(request: &mut ServiceRequest) -> Option<Self> {
        let connection = request.conn_data::<Connection>()?.clone();
        let length = length(request);
        let watch = connection.enter(length);
        if length != Length::Bytes(0) {
            // From now on it has a limited time for the body.
            watch.wake();
        }
        Some(watch)
    }

    fn wake(&self) {
        if let Some(reader) = self.0.reader.take() {
            reader.wake();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.answered.set(true);
        if !self.0.is_quiet.get() {
            self.wake();
        }
    }
}

/// The length of a request's body, as the HTTP layer has read it.
fn length(request: &mut ServiceRequest) -> Length {
    let body = request.take_payload();
    let has_body = !matches!(body, Payload::None);
    request.set_payload(body);
    if !has_body {
        return Length::Bytes(0);
    }
    let headers = request.headers();
    if headers.contains_key(TRANSFER_ENCODING) {
        return Length::Chunked;
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    match text(CONTENT_LENGTH).and_then(|length| length.parse().ok()) {
        Some(bytes) if !headers.contains_key(UPGRADE) && *request.method() != Method::CONNECT => {
            Length::Bytes(bytes)
        }
        _ => Length::Endless,
    }
}
