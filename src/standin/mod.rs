//! A stand-in for Deskpro on a second origin: the init script, the panel it opens, the bridge between
//! them, and its own verification that says "confirmed", "unconfirmed" or "refused" and why.
//! It is a counterpart for the demo and for tests, so it shares no code with the signing side: it has
//! its own base64url, HMAC and JSON reader. It uses no other module of this crate and stores nothing on
//! disk.

mod claims;
mod desk;
mod json;
mod page;
mod people;
mod play;
mod refusal;
mod report;
mod rest;
mod routes;
mod token;
mod verify;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::DefaultHeaders;
use actix_web::{App, HttpServer, web};

pub use claims::Claims;
pub use desk::{Judgement, Message, Presented, State, Verification};
pub use people::Person;
pub use play::{Expiry, OmittedLists, Play, SecretText, UnknownClaims};
pub use refusal::{Reason, Refusal};
pub use report::Webhook;
pub use rest::{API_KEY, Asked, Catalogue, Entry, Fault, FaultRule, Field, On};
pub use verify::verify;

use desk::Desk;

/// The tenant path of the stand-in's only deployment (`data-deskpro-url` is the origin,
/// `/deskpro-messenger/` and this).
pub const TENANT: &str = "5ca1ab1e-0000-4000-8000-000000000001";

/// The stand-in's only messenger: 26 characters, like Deskpro's.
pub const MESSENGER_ID: &str = "01JSTANDINDESKPR0MESSENGER";

/// A running stand-in. It serves from its own thread, so that synchronous code can start one; dropping
/// it stops it and frees the port.
pub struct StandIn {
    shared: Arc<Shared>,
    server: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// What the handlers and the owner of a [`StandIn`] share.
struct Shared {
    origin: String,
    desk: Mutex<Desk>,
    /// Requests to the REST API that are under way.
    open: AtomicUsize,
    clock: Box<dyn Fn() -> i64 + Send + Sync>,
}

impl Shared {
    /// A panic in one handler must not stop the demo: every change to the desk is complete in itself, so
    /// the data behind a poisoned lock is still valid.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        (self.clock)()
    }
}

impl StandIn {
    /// Listens on `listen` (port 0 chooses a free port) and serves until it is dropped. `secret` is the
    /// shared secret as it was typed at Deskpro, before [`SecretText`] is applied; `clock` returns unix
    /// seconds.
    ///
    /// # Errors
    /// If it cannot listen on the address, or cannot create the server's thread.
    pub fn start(
        listen: &str,
        secret: &[u8],
        play: Play,
        clock: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        let shared = Arc::new(Shared {
            origin: format!("http://{}", reachable(listener.local_addr()?)),
            desk: Mutex::new(Desk::new(secret, play)),
            open: AtomicUsize::new(0),
            clock: Box::new(clock),
        });
        let (started, starting) = mpsc::channel();
        let data = web::Data::from(Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("stand-in".to_owned())
            .spawn(move || serve(listener, data, &started))?;
        let Ok(server) = starting.recv() else {
            // The channel closed without a handle: the thread ended, and its result contains the reason.
            return Err(match thread.join() {
                Ok(Err(error)) => error,
                _ => io::Error::other("the stand-in's thread ended before it served"),
            });
        };
        Ok(Self { shared, server, thread: Some(thread) })
    }

    /// Scheme, host and port, without a slash at the end. A stand-in that listens on every address
    /// returns loopback.
    pub fn origin(&self) -> &str {
        &self.shared.origin
    }

    /// The `src` of the module script.
    pub fn init_script_url(&self) -> String {
        format!("{}/deskpro-messenger-init/web.js", self.origin())
    }

    /// The script's `data-deskpro-url`.
    pub fn deskpro_url(&self) -> String {
        format!("{}/deskpro-messenger/{TENANT}", self.origin())
    }

    /// The script's `data-messenger-id`.
    pub fn messenger_id(&self) -> &'static str {
        MESSENGER_ID
    }

    /// The current switches; they can be changed on the page of the stand-in.
    pub fn play(&self) -> Play {
        self.shared.desk().play.clone()
    }

    /// Changes the switches from the next token on.
    pub fn set_play(&self, play: Play) {
        self.shared.desk().play = play;
    }

    /// Uses another shared secret from the next token on.
    pub fn set_secret(&self, secret: &[u8]) {
        self.shared.desk().secret = secret.to_vec();
    }

    /// Adds a person as support would, and returns their number: `person.id`, or a free one if that is 0.
    pub fn seed(&self, person: Person) -> u64 {
        let now = self.shared.now();
        self.shared.desk().people.seed(person, now)
    }

    /// All people whom the stand-in knows, by number.
    pub fn people(&self) -> Vec<Person> {
        self.shared.desk().people.all().cloned().collect()
    }

    /// Merges two people, as an agent does; the number of `loser` no longer exists.
    pub fn merge(&self, loser: u64, winner: u64) {
        self.shared.desk().people.merge(loser, winner);
    }

    /// Removes a person, as an agent does.
    pub fn remove(&self, id: u64) {
        self.shared.desk().people.remove(id);
    }

    /// Sets what goes wrong in the REST API, from the next request on.
    pub fn set_faults(&self, rules: Vec<FaultRule>) {
        self.shared.desk().rest.faults.set(rules);
    }

    /// Reports people who are created, changed or removed to a URL from now on, as CRM Sync does; `None`: no longer.
    pub fn report_to(&self, webhook: Option<Webhook>) {
        self.shared.desk().people.reports = webhook.map(report::start);
    }

    /// Changes how long each answer of the REST API takes.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.desk().rest.latency = latency;
    }

    /// Changes the names of groups, languages, organizations and fields.
    pub fn set_catalogue(&self, catalogue: Catalogue) {
        self.shared.desk().rest.catalogue = catalogue;
    }

    /// Changes the key of the REST API.
    pub fn set_api_key(&self, key: &str) {
        key.clone_into(&mut self.shared.desk().rest.api_key);
    }

    /// The requests to the REST API so far, in order, at most 100,000.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.desk().rest.asked().to_vec()
    }

    /// How many requests to the REST API are under way.
    pub fn open_requests(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// The last verifications, newest first.
    pub fn verifications(&self) -> Vec<Verification> {
        self.shared.desk().verifications().cloned().collect()
    }

    /// Checks as the panel's session does, without HTTP: the person is created or updated, and the
    /// verification is stored.
    pub fn judge(&self, presented: &Presented) -> Judgement {
        let now = self.shared.now();
        self.shared.desk().judge(presented, "", now)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // The call sends the order to stop; only async code needs its answer.
        drop(self.server.stop(false));
        if let Some(thread) = self.thread.take() {
            // Nothing can be done about a failed server while dropping it.
            let _ended = thread.join();
        }
    }
}

/// An address that a browser on this machine can reach: `0.0.0.0` is not one.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        ip if !ip.is_unspecified() => {}
        std::net::IpAddr::V4(_) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        std::net::IpAddr::V6(_) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
    }
    address
}

fn serve(
    listener: TcpListener,
    shared: web::Data<Shared>,
    started: &mpsc::Sender<ServerHandle>,
) -> io::Result<()> {
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .app_data(routes::json_limits())
                .wrap(
                    DefaultHeaders::new()
                        .add(("Cache-Control", "no-store"))
                        .add(("X-Content-Type-Options", "nosniff"))
                        .add(("Referrer-Policy", "no-referrer"))
                        .add(("Cross-Origin-Resource-Policy", "same-origin"))
                        .add(("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")),
                )
                .configure(routes::register)
                .configure(page::register)
                .configure(rest::register)
                .default_service(web::to(routes::not_found))
        })
        .workers(1)
        .client_request_timeout(Duration::from_secs(10))
        .disable_signals()
        .listen(listener)?
        .run();
        // The owner waits for the handle inside `start`, so the receiver exists.
        let _taken = started.send(server.handle());
        server.await
    })
}
