//! A stand-in for Deskpro on a second origin: the init script, the panel it opens, the bridge between them, and a
//! verification of its own that says "confirmed", "unconfirmed" or "refused" and why.
//! It is a counterpart for the demo and for tests, so it shares nothing with the code that signs: own base64url, own
//! HMAC, own reading of JSON. It knows no other module of this crate and keeps nothing on disk.

mod claims;
mod desk;
mod json;
mod page;
mod people;
mod play;
mod refusal;
mod routes;
mod token;
mod verify;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
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
pub use verify::verify;

use desk::Desk;

/// The tenant path of the stand-in's one deployment (`data-deskpro-url` is the origin, `/deskpro-messenger/` and this).
pub const TENANT: &str = "5ca1ab1e-0000-4000-8000-000000000001";

/// The stand-in's one messenger: 26 characters, as Deskpro's are.
pub const MESSENGER_ID: &str = "01JSTANDINDESKPR0MESSENGER";

/// A running stand-in. It serves from a thread of its own, so that plain synchronous code can start one; dropping it
/// stops it and frees the port.
pub struct StandIn {
    shared: Arc<Shared>,
    server: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// What the handlers and the owner of a [`StandIn`] both hold.
struct Shared {
    origin: String,
    desk: Mutex<Desk>,
    clock: Box<dyn Fn() -> i64 + Send + Sync>,
}

impl Shared {
    /// A panic in one handler must not take the demo down: every change to the desk is complete by itself, so what a
    /// poisoned lock guards is still good.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        (self.clock)()
    }
}

impl StandIn {
    /// Listens on `listen` (port 0 takes a free one) and serves until it is dropped. `secret` is the shared secret as
    /// it was typed at Deskpro, before [`SecretText`] is applied; `clock` gives unix seconds.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the server's thread cannot be made.
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
            clock: Box::new(clock),
        });
        let (started, starting) = mpsc::channel();
        let data = web::Data::from(Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("stand-in".to_owned())
            .spawn(move || serve(listener, data, &started))?;
        let Ok(server) = starting.recv() else {
            // The channel closed without a handle: the thread ended, and its result says why.
            return Err(match thread.join() {
                Ok(Err(error)) => error,
                _ => io::Error::other("the stand-in's thread ended before it served"),
            });
        };
        Ok(Self { shared, server, thread: Some(thread) })
    }

    /// Scheme, host and port, without a slash at the end. A stand-in that listens on every address says loopback.
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

    /// The switches as they stand; the page of the stand-in can have changed them.
    pub fn play(&self) -> Play {
        self.shared.desk().play.clone()
    }

    /// Plays differently from the next token on.
    pub fn set_play(&self, play: Play) {
        self.shared.desk().play = play;
    }

    /// Takes another shared secret from the next token on.
    pub fn set_secret(&self, secret: &[u8]) {
        self.shared.desk().secret = secret.to_vec();
    }

    /// Adds a person as support would have, and gives their number: `person.id`, or a free one where that is 0.
    pub fn seed(&self, person: Person) -> u64 {
        let now = self.shared.now();
        self.shared.desk().people.seed(person, now)
    }

    /// Everyone the stand-in knows, by number.
    pub fn people(&self) -> Vec<Person> {
        self.shared.desk().people.all().cloned().collect()
    }

    /// The last verifications, the newest first.
    pub fn verifications(&self) -> Vec<Verification> {
        self.shared.desk().verifications().cloned().collect()
    }

    /// Judges as the panel's session does, without HTTP: the person is created or updated, and the verification kept.
    pub fn judge(&self, presented: &Presented) -> Judgement {
        let now = self.shared.now();
        self.shared.desk().judge(presented, "", now)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // The order to stop is sent by the call; its answer is only needed by async code.
        drop(self.server.stop(false));
        if let Some(thread) = self.thread.take() {
            // Nothing can be done about a failed server while dropping it.
            let _ended = thread.join();
        }
    }
}

/// The address a browser on this machine reaches: nobody can connect to `0.0.0.0`.
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
                .default_service(web::to(routes::not_found))
        })
        .workers(1)
        .client_request_timeout(Duration::from_secs(10))
        .disable_signals()
        .listen(listener)?
        .run();
        // The owner waits for the handle inside `start`, so somebody is there to take it.
        let _taken = started.send(server.handle());
        server.await
    })
}
