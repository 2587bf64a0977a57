//! How often one caller may send requests: a bucket for each caller, which refills over time. Only in
//! this process: it protects the server from a runaway program; guesses of passwords are counted in the
//! database.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sha2::{Digest as _, Sha256};

/// A bucket is full again after this long without a request (seconds).
pub const FULL_AFTER: u32 = 30;

/// What identifies a caller: half of the SHA-256 of its name. Each session has one, so it is small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Bucket([u8; 16]);

impl Bucket {
    /// The bucket of a caller.
    pub(super) fn of(caller: &str) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&Sha256::digest(caller)[..16]);
        Self(half)
    }
}

/// The buckets of one kind of caller.
pub(super) struct Rates {
    limiter: DefaultKeyedRateLimiter<Bucket>,
    clock: DefaultClock,
}

impl Rates {
    /// Allows this many requests at once, and the same number in each [`FULL_AFTER`] seconds.
    pub(super) fn new(requests: NonZeroU32) -> Self {
        let each = Duration::from_secs(u64::from(FULL_AFTER)) / requests.get();
        // A quota of more than a billion requests a second is no limit.
        let each = each.max(Duration::from_nanos(1));
        let quota = Quota::with_period(each).expect("not zero").allow_burst(requests);
        Self { limiter: RateLimiter::keyed(quota), clock: DefaultClock::default() }
    }

    /// Allows this many requests in a second.
    pub(super) fn per_second(requests: NonZeroU32) -> Self {
        Self { limiter: RateLimiter::keyed(Quota::per_second(requests)), clock: DefaultClock::default() }
    }

    /// Takes one request from a caller's bucket, or returns how many seconds to wait.
    pub(super) fn take(&self, bucket: Bucket) -> Result<(), i64> {
        match self.limiter.check_key(&bucket) {
            Ok(()) => Ok(()),
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now());
                Err(i64::try_from(wait.as_secs()).unwrap_or(i64::MAX).saturating_add(1))
            }
        }
    }

    /// Deletes callers whose bucket is full.
    pub(super) fn sweep(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}
