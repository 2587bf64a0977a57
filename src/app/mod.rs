//! What the product does: one method per use case. Each is a plain function call that reads, decides
//! through `core` and writes in one transaction. It contains no requests and no SQL: `web` and `cli` are
//! two thin layers above it, and if only one of them can do something, that is a bug.

// Users and their data.
pub mod attributes;
pub mod expected;
pub mod identity;
pub mod import;
mod incoming;
pub mod upsert;
pub mod users;

// Signing in, and what follows from it.
pub mod account;
pub mod devices;
mod guesses;
pub mod handovers;
pub mod hashing;
pub mod login;
pub mod sessions;
mod shown;

// Tokens, and what they depend on.
mod compiled;
pub mod entries;
mod freshness;
pub mod messengers;
pub mod mint;
mod shared;
pub mod signing_keys;
pub mod tokens;

// The mapping, and who changes.
pub mod compare;
pub mod drafts;
pub mod mapping;

// The site's own server.
pub mod api_keys;

// Deskpro's REST API, and the users who are kept there.
pub mod desks;
pub mod helpdesk;
pub mod sync;

// What happened, and how often.
pub mod audit;
pub mod counts;
pub mod history;

// The process: start, maintenance, long work, limits, health.
pub mod catalogue;
pub mod check;
pub mod clock;
mod instances;
pub mod jobs;
pub mod metrics;
pub mod progress;
mod rates;
mod ready;
mod start;
mod upkeep;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::config::Settings;
use crate::core::catalogue::Line;
use crate::core::incoming::Reason;
use crate::core::mapping::{Finding, Refusal, Version};
use crate::core::messenger::fields::FieldProblem;
use crate::core::problem::Problem;
use crate::core::seal::Seal;
use crate::core::secret::{MasterKey, Purpose};
use crate::store::{self, Store};
use clock::{Clock, Monotonic};
use compiled::Compiled;
use counts::Counts;
use freshness::Freshness;
use hashing::Hashing;
use rates::{Bucket, Rates};
pub use start::{database_file, key_file};

/// The product. Cheap to clone; shared by all threads.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    store: Store,
    settings: Settings,
    keys: Keys,
    seal: Seal,
    messengers: parking_lot::RwLock<messengers::Loaded>,
    /// Held while messengers are read.
    loading: parking_lot::Mutex<()>,
    /// The number of the latest change of messengers that this process knows about.
    messengers_seen: AtomicI64,
    clock: Clock,
    monotonic: Monotonic,
    /// Both clocks as they were read last, to notice if one was set.
    clocks: parking_lot::Mutex<Option<(i64, std::time::Duration)>>,
    /// Beats of other workers' jobs.
    watched: jobs::Watched,
    /// Checks of all users that are under way.
    scans: identity::Scans,
    /// Desks of this server, and the beats of others.
    desks: sync::Watched,
    /// Pages that wait for persons.
    visits: Arc<sync::Visits>,
    /// Other servers on the same database.
    others: instances::Others,
    hashing: Hashing,
    guesses: guesses::Guesses,
    compiled: Compiled,
    freshness: Arc<Freshness>,
    shared: shared::Kept,
    entries: entries::Entries,
    counts: Counts,
    metrics: metrics::Metrics,
    key_rates: Rates,
    token_rates: Rates,
    /// Calls of Deskpro, by desk.
    call_rates: Rates,
    stopping: AtomicBool,
    readiness: ready::Readiness,
}

/// Sub-keys of the master key that use cases need.
struct Keys {
    attempts: [u8; 64],
    subject: [u8; 64],
    cookie: [u8; 64],
    csrf: [u8; 64],
    instances: [u8; 64],
}

impl Keys {
    fn new(master: &MasterKey) -> Self {
        Self {
            attempts: master.sub_key(Purpose::Attempts),
            subject: master.sub_key(Purpose::Subject),
            cookie: master.sub_key(Purpose::Cookie),
            csrf: master.sub_key(Purpose::Csrf),
            instances: master.sub_key(Purpose::Instances),
        }
    }
}

/// Why a use case did not do what was requested. Each has one HTTP status and one exit status.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Too many passwords wait to be checked; seconds to wait.
    #[error("Too many people are signing in at the moment. Try again in {0} seconds.")]
    Busy(i64),
    /// The named thing does not exist; the message says what to do.
    #[error("{0}")]
    NotFound(String),
    /// There is no such messenger; the message says how to list them.
    #[error("{0}")]
    UnknownMessenger(String),
    /// The request cannot be carried out; the message says why and what to do.
    #[error("{0}")]
    Refused(String),
    /// A mapping with errors, and its warnings.
    #[error("The mapping has errors; it was not published.")]
    Mapping(Vec<Finding>),
    /// Another admin has published a version in the meantime: this one.
    #[error("Another admin has just published version {}. View it with `countersign mapping show` and apply yours again.", .0.number)]
    MappingMoved(Box<Version>),
    /// The reason cannot be stored; the message says why.
    #[error("{0}")]
    BadReason(String),
    /// Publishing needs a reason; the message says why.
    #[error("{0}")]
    ReasonNeeded(String),
    /// The draft was changed in another window in the meantime.
    #[error("This draft was changed in another window. Load it again and repeat the change.")]
    DraftMoved,
    /// The user gets no token.
    #[error("{}", .0.message)]
    NoToken(Refusal),
    /// One caller sent too many requests; seconds to wait.
    #[error("Too many requests. Try again in {0} seconds.")]
    TooMany(i64),
    /// Another user has this login, address or external ID; the message says who.
    #[error("{0}")]
    Taken(String),
    /// A record cannot be assigned to a user with certainty.
    #[error("{}", .0.explain())]
    NotThisUser(Reason),
    /// Attributes that cannot be written; all of them at once.
    #[error("Some attributes cannot be written. Nothing was changed.")]
    Attributes(Vec<Problem<upsert::Pointer>>),
    /// A handover code is not accepted.
    #[error("{}", .0.explain())]
    Code(handovers::CodeRefusal),
    /// A connection code creates no API key; the message says why and what to do.
    #[error("{0}")]
    ConnectionCode(&'static str),
    /// An admin must first say whose IDs a website sends.
    #[error("{0}")]
    WhoseIds(api_keys::WhoseIds),
    /// Pages of this origin may send no requests here.
    #[error(
        "Pages of {0} are not allowed to sign users in here. Add it to the allowed origins of the messenger: in the console, or with `countersign messenger set ID allowed_origins=…`."
    )]
    OriginNotAllowed(String),
    /// What an app says about its device cannot be stored; the message says why.
    #[error("{0}")]
    BadDevice(String),
    /// A messenger whose settings cannot be used; all problems at once.
    #[error("{}", messengers::in_one_line(.0))]
    Messenger(Vec<FieldProblem>),
    /// The stored settings of a messenger cannot be used; the message says which and what to do.
    #[error("{0}")]
    BrokenMessenger(String),
    /// The messenger was changed in another window in the meantime.
    #[error("This messenger was changed in another window. Load it again and repeat the change.")]
    MessengerMoved,
    /// The value is not a signing key; the message says why.
    #[error("{0}")]
    BadKey(String),
    /// There is no key to sign with; the message says what to do.
    #[error("{0}")]
    NoKey(String),
    /// A session is limited to another messenger; the message says which.
    #[error("{0}")]
    OtherMessenger(String),
    /// The site's server named a user who does not exist.
    #[error(
        "There is no user with the external_id '{0}'. Send the user's attributes with the request, or create the user first with PUT."
    )]
    UnknownUser(String),
    /// A file of names with errors.
    #[error("The file has errors. Nothing was stored.")]
    Names(Vec<Problem<Line>>),
    /// A file with errors.
    #[error("The file has errors. Nothing was imported.")]
    Import(Vec<Problem<import::Place>>),
}

/// Logs that something could not be written that no other work depends on.
fn warn_unwritten(what: &str, error: &store::Error) {
    tracing::warn!(error = error as &dyn std::error::Error, "{what} could not be written; work continues");
}

impl From<hashing::Busy> for AppError {
    fn from(busy: hashing::Busy) -> Self {
        Self::Busy(busy.0)
    }
}

/// Who sends the request, for the audit log and the logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// `user:ID`, `cli`, `system` or `anonymous`.
    pub actor: String,
    /// The request's ID; empty outside a request.
    pub request_id: String,
    /// The client's address; empty outside a request.
    pub address: String,
}

impl Caller {
    /// The program by itself.
    pub fn system() -> Self {
        Self { actor: "system".to_owned(), ..Self::default() }
    }

    /// The command line.
    pub fn cli() -> Self {
        Self { actor: "cli".to_owned(), ..Self::default() }
    }
}

impl App {
    /// The checked settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The current time, in unix seconds.
    pub fn now(&self) -> i64 {
        (self.0.clock)()
    }

    /// Takes one token request from the quota of a session or device.
    pub fn ask_token(&self, reference: &str) -> Result<(), AppError> {
        self.0.token_rates.take(Bucket::of(reference)).map_err(AppError::TooMany)
    }

    /// How many passwords were hashed since the start.
    pub fn hashes(&self) -> u64 {
        self.0.hashing.count()
    }

    /// How many statements ran in the database since the start, polls for the changes of other processes left out.
    pub fn statements(&self) -> u64 {
        self.store().statements().get()
    }

    /// Counts work of a request that needs a thread which may wait.
    pub fn count_waiting_work(&self) {
        self.0.metrics.waiting_work.inc();
    }

    /// How much memory is used for tokens that are remembered, in bytes.
    pub fn remembered_bytes(&self) -> usize {
        self.0.entries.bytes()
    }

    /// The key that signs the session cookie.
    pub fn cookie_key(&self) -> &[u8; 64] {
        &self.0.keys.cookie
    }

    /// The key of CSRF tokens.
    pub fn csrf_key(&self) -> &[u8; 64] {
        &self.0.keys.csrf
    }

    /// Makes the instance report from now on that it is not ready.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the program is stopping.
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }

    fn store(&self) -> &Store {
        &self.0.store
    }
}
