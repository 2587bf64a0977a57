//! What the product does: one method per use case, each a plain function call that reads,
//! decides through `core` and writes in one transaction. No request and no SQL text: `web` and
//! `cli` are two thin ways in, and what only one of them can do is a bug.

// Users and what is known of them.
pub mod attributes;
pub mod expected;
pub mod import;
mod incoming;
pub mod upsert;
pub mod users;

// Signing in, and what it leads to.
pub mod account;
pub mod devices;
pub mod handovers;
pub mod hashing;
pub mod login;
pub mod sessions;

// Tokens, and what they rest on.
mod compiled;
pub mod messengers;
pub mod mint;
pub mod signing_keys;
pub mod tokens;

// The mapping, and who changes by it.
pub mod compare;
pub mod drafts;
pub mod mapping;

// The site's own server.
pub mod api_keys;

// What happened, and how often.
pub mod audit;
pub mod counts;
pub mod history;

// The process: beginning, chores, long work, limits, health.
pub mod check;
pub mod clock;
mod instances;
pub mod jobs;
pub mod progress;
mod rates;
mod ready;
mod start;
mod upkeep;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::config::Settings;
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
use hashing::Hashing;
use rates::Rates;
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
    /// The number of the latest change of messengers that this process knows.
    messengers_seen: AtomicI64,
    clock: Clock,
    monotonic: Monotonic,
    /// Both clocks as they were seen last, to notice that one was set.
    clocks: parking_lot::Mutex<Option<(i64, std::time::Duration)>>,
    /// Beats of other workers' jobs.
    watched: jobs::Watched,
    /// Other servers on the same database.
    others: instances::Others,
    hashing: Hashing,
    compiled: Compiled,
    counts: Counts,
    key_rates: Rates,
    token_rates: Rates,
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

/// Why a use case did not do what was asked. Each has one status on the web and one exit status.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Too many passwords wait to be judged; seconds to wait.
    #[error("Too many people are signing in at this moment. Try again in {0} seconds.")]
    Busy(i64),
    /// What was named does not exist; the text says what to do.
    #[error("{0}")]
    NotFound(String),
    /// There is no such messenger; the text says which there is.
    #[error("{0}")]
    UnknownMessenger(String),
    /// What was asked cannot be done; the text says why and what to do.
    #[error("{0}")]
    Refused(String),
    /// A mapping with errors, and its warnings.
    #[error("The mapping has errors; it was not published.")]
    Mapping(Vec<Finding>),
    /// Somebody else published a version meanwhile: this one.
    #[error("Somebody else published version {} a moment ago. Look at it with `countersign mapping show` and apply yours again.", .0.number)]
    MappingMoved(Box<Version>),
    /// The reason cannot be kept; the text says why.
    #[error("{0}")]
    BadReason(String),
    /// Publishing needs a reason; the text says why.
    #[error("{0}")]
    ReasonNeeded(String),
    /// The draft was changed in another window meanwhile.
    #[error("This draft was changed in another window. Load it again and repeat the change.")]
    DraftMoved,
    /// The user gets no token.
    #[error("{}", .0.message)]
    NoToken(Refusal),
    /// One caller asked too often; seconds to wait.
    #[error("Too many requests. Try again in {0} seconds.")]
    TooMany(i64),
    /// Another user has this login, address or external id; the text says who.
    #[error("{0}")]
    Taken(String),
    /// A record is about no user that could be told for sure.
    #[error("{}", .0.explain())]
    NotThisUser(Reason),
    /// Attributes that cannot be written; all of them at once.
    #[error("Some attributes cannot be written; nothing was.")]
    Attributes(Vec<Problem<upsert::Pointer>>),
    /// A handover code opens nothing.
    #[error("{}", .0.explain())]
    Code(handovers::CodeRefusal),
    /// A connection code makes no API key; the text says why and what to do.
    #[error("{0}")]
    ConnectionCode(&'static str),
    /// It must be said first whose ids a website sends.
    #[error("{0}")]
    WhoseIds(api_keys::WhoseIds),
    /// Pages of this origin may ask for nothing here.
    #[error(
        "Pages of {0} may not sign anybody in here. Add it to the allowed origins of the messenger: in the console, or with `countersign messenger set ID allowed_origins=…`."
    )]
    OriginNotAllowed(String),
    /// What an app says of its device cannot be kept; the text says why.
    #[error("{0}")]
    BadDevice(String),
    /// A messenger whose settings cannot be used; all faults at once.
    #[error("{}", messengers::in_one_line(.0))]
    Messenger(Vec<FieldProblem>),
    /// The stored settings of a messenger cannot be used; the text says which and what to do.
    #[error("{0}")]
    BrokenMessenger(String),
    /// The messenger was changed in another window meanwhile.
    #[error("This messenger was changed in another window meanwhile. Load it again and repeat the change.")]
    MessengerMoved,
    /// A text is no signing key; the text says why.
    #[error("{0}")]
    BadKey(String),
    /// Nothing signs; the text says what to do.
    #[error("{0}")]
    NoKey(String),
    /// A sign-in is for another messenger alone; the text says which.
    #[error("{0}")]
    OtherMessenger(String),
    /// The site's server named a user who is not there.
    #[error(
        "There is no user with the external_id '{0}'. Send the user's attributes with the request, or put the user first."
    )]
    UnknownUser(String),
    /// A file with faults.
    #[error("The file has faults; nothing was written.")]
    Import(Vec<Problem<import::Place>>),
}

/// Says that something could not be written that nobody's work depends on.
fn warn_unwritten(what: &str, error: &store::Error) {
    tracing::warn!(error = error as &dyn std::error::Error, "{what} could not be written; work goes on");
}

impl From<hashing::Busy> for AppError {
    fn from(busy: hashing::Busy) -> Self {
        Self::Busy(busy.0)
    }
}

/// Who asks, for audit and logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// `user:ID`, `cli`, `system` or `anonymous`.
    pub actor: String,
    /// The request's id; empty outside one.
    pub request_id: String,
    /// The client's address; empty outside a request.
    pub address: String,
}

impl Caller {
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

    /// The moment, in unix seconds.
    pub fn now(&self) -> i64 {
        (self.0.clock)()
    }

    /// Takes one request for a token from what a session or device may ask.
    pub fn ask_token(&self, reference: &str) -> Result<(), AppError> {
        self.0.token_rates.take(reference).map_err(AppError::TooMany)
    }

    /// How many passwords were hashed since the start.
    pub fn hashes(&self) -> u64 {
        self.0.hashing.count()
    }

    /// The key that signs the session cookie.
    pub fn cookie_key(&self) -> &[u8; 64] {
        &self.0.keys.cookie
    }

    /// The key of CSRF tokens.
    pub fn csrf_key(&self) -> &[u8; 64] {
        &self.0.keys.csrf
    }

    /// Says from now on that it is not ready.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the program was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }

    fn store(&self) -> &Store {
        &self.0.store
    }
}
