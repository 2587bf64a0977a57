//! The one place where time and chance enter: everything else receives them as arguments.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::core::id::UserId;

/// The current time, in unix seconds. Tests pass in one that they can move.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A clock that only moves forward, from any starting point: what it measures is independent of dates.
/// Tests pass in one that they can move.
pub type Monotonic = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The machine's clock that only moves forward.
pub fn monotonic() -> Monotonic {
    let watch = Stopwatch::start();
    Arc::new(move || watch.elapsed())
}

/// The machine's clock.
pub fn system() -> Clock {
    Arc::new(|| i64::try_from(since_epoch().as_secs()).unwrap_or(i64::MAX))
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Measures how long work takes: for the length of queues and transactions, not for decisions about users.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "the one place that measures")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long ago it started.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// The same in milliseconds.
    pub fn milliseconds(&self) -> u128 {
        self.elapsed().as_millis()
    }
}

/// Random bytes from the operating system.
#[expect(clippy::disallowed_methods, reason = "the one place that asks for random bytes")]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    bytes
}

/// 256 random bits as 43 letters, digits, `-` and `_`: the secret in a session's cookie, a device token,
/// a code or an API key.
pub fn new_secret() -> String {
    URL_SAFE_NO_PAD.encode(random::<32>())
}

/// The ID of a new user, like [`new_id`].
pub fn new_user_id() -> UserId {
    new_id().into()
}

/// An ID for a row: a `UUIDv7`, so that IDs sort by the time they were created.
#[expect(clippy::disallowed_methods, reason = "the one place that creates IDs")]
pub fn new_id() -> String {
    Uuid::now_v7().to_string()
}
