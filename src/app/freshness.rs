//! Whether what this process remembers is still what the database says.
//!
//! Nothing is searched and nothing is removed when something changes. A change counts up one of the counters
//! here. Whatever is remembered has the values that its counters had *before* its rows were read, and is used
//! only while they are still the same. So a change during the reading can only cause another reading.
//!
//! This process counts up its own changes before the write returns. Changes of other processes arrive with a
//! poll of `store::changes` every 100 ms. If the last poll failed or was sent more than a second ago, or if the
//! clock was set since then, nothing that is remembered is used. So a change takes effect at once in the same process and
//! within a second everywhere, and nothing is remembered while the database cannot be asked.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::App;
use crate::store::changes::{self, Above};
use crate::store::{Change, ChangeKind, Error};

/// Counters for users, and as many for credentials. Two users who share one only cause more readings.
const BUCKETS: usize = 4096;

/// What was polled longer ago is not used.
const LONGEST: Duration = Duration::from_secs(1);

/// The counters, and the last poll.
pub(super) struct Freshness {
    users: Box<[AtomicU64]>,
    credentials: Box<[AtomicU64]>,
    messengers: AtomicU64,
    keys: AtomicU64,
    mappings: AtomicU64,
    everything: AtomicU64,
    /// How many changes were counted; counted before the counter of what changed.
    total: AtomicU64,
    /// The number of the last change that the poll has seen; below 0 before the first poll.
    seen: AtomicI64,
    /// When the last successful poll was sent, in nanoseconds of the monotonic clock; 0 if there was none.
    polled_at: AtomicU64,
    /// The same moment by the wall clock, unix seconds.
    polled_wall: AtomicI64,
    /// When the last poll was sent that was answered, even if another one failed after it; 0 if there was none.
    answered_at: AtomicU64,
}

/// The counters of what all tokens of a messenger depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shared {
    messengers: u64,
    keys: u64,
    mappings: u64,
    everything: u64,
}

/// The counters of what one token depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counters {
    /// The place of the user's counter, and its value.
    user: (usize, u64),
    credential: (usize, u64),
    shared: Shared,
}

impl Default for Freshness {
    fn default() -> Self {
        let buckets = || (0..BUCKETS).map(|_| AtomicU64::new(0)).collect();
        Self {
            users: buckets(),
            credentials: buckets(),
            messengers: AtomicU64::new(0),
            keys: AtomicU64::new(0),
            mappings: AtomicU64::new(0),
            everything: AtomicU64::new(0),
            total: AtomicU64::new(0),
            seen: AtomicI64::new(-1),
            polled_at: AtomicU64::new(0),
            polled_wall: AtomicI64::new(0),
            answered_at: AtomicU64::new(0),
        }
    }
}

impl Freshness {
    /// The counters of what is shared.
    pub fn shared(&self) -> Shared {
        Shared {
            messengers: self.messengers.load(Ordering::Acquire),
            keys: self.keys.load(Ordering::Acquire),
            mappings: self.mappings.load(Ordering::Acquire),
            everything: self.everything.load(Ordering::Acquire),
        }
    }

    /// Counts up what changed.
    pub fn count_up(&self, changed: &[Change]) {
        for change in changed {
            let counter = match change.kind {
                ChangeKind::User | ChangeKind::Person => &self.users[bucket(&change.subject)],
                ChangeKind::Session => &self.credentials[bucket(&change.subject)],
                ChangeKind::Mapping => &self.mappings,
                ChangeKind::Messenger => &self.messengers,
                ChangeKind::Key => &self.keys,
                // Its users have changes of their own.
                ChangeKind::Import => continue,
                ChangeKind::All => &self.everything,
            };
            self.total.fetch_add(1, Ordering::SeqCst);
            counter.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn count_up_everything(&self) {
        self.total.fetch_add(1, Ordering::SeqCst);
        self.everything.fetch_add(1, Ordering::SeqCst);
    }

    /// How many changes were counted so far.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::SeqCst)
    }

    /// The counters of a token, if nothing was counted since `total`: then they are those from before its rows
    /// were read. Whose rows they are is known only afterwards.
    pub fn counters(&self, total: u64, user: &str, credential: &str, shared: Shared) -> Option<Counters> {
        let (user, credential) = (bucket(user), bucket(credential));
        let counters = Counters {
            user: (user, self.users[user].load(Ordering::SeqCst)),
            credential: (credential, self.credentials[credential].load(Ordering::SeqCst)),
            shared,
        };
        (self.total() == total).then_some(counters)
    }

    /// Whether nothing has changed of what a token depends on.
    pub fn is_unchanged(&self, counters: &Counters) -> bool {
        self.users[counters.user.0].load(Ordering::Acquire) == counters.user.1
            && self.credentials[counters.credential.0].load(Ordering::Acquire) == counters.credential.1
            && self.shared() == counters.shared
    }

    /// Notes what a poll has found; `sent_at` and `wall` are the moment before it was sent.
    fn note(&self, found: &Above, sent_at: Duration, wall: i64) {
        let seen = self.seen.load(Ordering::Acquire);
        if seen >= 0 && found.follows(seen) {
            self.count_up(&found.changes);
        } else {
            // The first poll, more changes than the table keeps or than one poll reads, or a database that was
            // restored.
            self.count_up_everything();
        }
        // After a gap, another database may answer, whose numbers have overtaken ours.
        let gap = nanoseconds(sent_at).saturating_sub(self.polled_at.load(Ordering::Acquire));
        if gap > nanoseconds(LONGEST) || self.was_clock_set(sent_at, wall) {
            self.count_up_everything();
        }
        self.seen.store(found.latest, Ordering::Release);
        self.polled_wall.store(wall, Ordering::Release);
        self.answered_at.store(nanoseconds(sent_at), Ordering::Release);
        self.polled_at.store(nanoseconds(sent_at), Ordering::Release);
    }

    /// Whether the last poll is recent enough, by both clocks.
    fn is_polled(&self, monotonic: Duration, wall: i64) -> bool {
        let polled_at = self.polled_at.load(Ordering::Acquire);
        polled_at != 0
            && nanoseconds(monotonic).saturating_sub(polled_at) <= nanoseconds(LONGEST)
            && !self.was_clock_set(monotonic, wall)
    }

    /// Whether the wall clock has moved by another time than the monotonic clock since the last poll.
    fn was_clock_set(&self, monotonic: Duration, wall: i64) -> bool {
        let polled_at = Duration::from_nanos(self.polled_at.load(Ordering::Acquire));
        let moved = wall.saturating_sub(self.polled_wall.load(Ordering::Acquire));
        // In whole seconds, steady clocks differ by one at most.
        let elapsed = monotonic.saturating_sub(polled_at).as_secs().cast_signed();
        moved != elapsed && moved != elapsed + 1
    }
}

fn nanoseconds(time: Duration) -> u64 {
    // 0 means that there was no poll.
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1)
}

/// The place of a user or credential among the counters (FNV-1a).
fn bucket(id: &str) -> usize {
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    usize::try_from(hash >> 32).unwrap_or_default() % BUCKETS
}

impl App {
    /// Learns what other processes have changed. The server calls it every 100 ms.
    pub fn poll_changes(&self) -> Result<(), Error> {
        let freshness = &self.0.freshness;
        let (sent_at, wall) = ((self.0.monotonic)(), self.now());
        let seen = freshness.seen.load(Ordering::Acquire);
        match self.store().poll(|db| changes::above(db, seen)) {
            Ok(found) => {
                self.0.visits.changed(&found.changes);
                freshness.note(&found, sent_at, wall);
                Ok(())
            }
            Err(error) => {
                freshness.polled_at.store(0, Ordering::Release);
                Err(error)
            }
        }
    }

    /// How long ago the last poll was sent that was answered; without one, how long this process has been waiting for
    /// it. `None` if nothing is polled.
    pub(super) fn poll_age(&self) -> Option<Duration> {
        let answered_at = Duration::from_nanos(self.0.freshness.answered_at.load(Ordering::Acquire));
        (self.settings().token_cache > 0).then(|| (self.0.monotonic)().saturating_sub(answered_at))
    }

    /// Whether what this process remembers may be used at the moment, if its counters are the same.
    pub(super) fn may_remember(&self, now: i64) -> bool {
        self.settings().token_cache > 0 && self.0.freshness.is_polled((self.0.monotonic)(), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: i64 = 1_800_000_000;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_secs(100) + Duration::from_millis(milliseconds)
    }

    fn change(seq: i64, kind: ChangeKind, subject: &str) -> Change {
        Change { seq, kind, subject: subject.to_owned() }
    }

    /// A state that has polled once and knows 10 changes, and the counters of Ana's token.
    fn polled() -> (Freshness, Counters) {
        let freshness = Freshness::default();
        freshness.note(&Above { latest: 10, changes: Vec::new() }, at(0), WALL);
        let total = freshness.total();
        let counters =
            freshness.counters(total, "ana", "session", freshness.shared()).expect("nothing changed");
        (freshness, counters)
    }

    #[test]
    fn a_change_is_about_what_it_names() {
        for (kind, subject, is_about) in [
            (ChangeKind::User, "ana", true),
            (ChangeKind::User, "ben", false),
            (ChangeKind::Session, "session", true),
            (ChangeKind::Session, "another", false),
            (ChangeKind::Mapping, "shop", true),
            (ChangeKind::Messenger, "shop", true),
            (ChangeKind::Key, "shop", true),
            (ChangeKind::Import, "", false),
            (ChangeKind::All, "", true),
        ] {
            let (freshness, counters) = polled();
            freshness.note(&Above { latest: 11, changes: vec![change(11, kind, subject)] }, at(100), WALL);
            assert_eq!(freshness.is_unchanged(&counters), !is_about, "{kind:?} {subject}");
        }
    }

    #[test]
    fn everything_is_read_again_when_changes_are_missing() {
        let ben = |seq| change(seq, ChangeKind::User, "ben");
        for (latest, changes, is_whole) in [
            (10, vec![], true),
            (12, vec![ben(11), ben(12)], true),
            (12, vec![ben(12)], false),
            (13, vec![ben(11), ben(12)], false),
            (12, vec![], false),
            // An older database was restored.
            (9, vec![], false),
        ] {
            let (freshness, counters) = polled();
            freshness.note(&Above { latest, changes }, at(100), WALL);
            assert_eq!(freshness.is_unchanged(&counters), is_whole, "{latest}");
        }
    }

    #[test]
    fn a_change_that_is_counted_while_rows_are_read_prevents_remembering() {
        let (freshness, _) = polled();
        let total = freshness.total();
        freshness.count_up(&[change(11, ChangeKind::User, "ben")]);
        assert!(freshness.counters(total, "ana", "session", freshness.shared()).is_none());
    }

    #[test]
    fn what_was_polled_a_second_ago_or_by_another_clock_is_not_used() {
        let (freshness, counters) = polled();
        for (later, wall, is_used) in [
            (0, WALL, true),
            (900, WALL, true),
            (900, WALL + 1, true),
            (1000, WALL + 1, true),
            (1001, WALL + 1, false),
            (900, WALL + 3600, false),
            (900, WALL - 3600, false),
            (90_000, WALL + 90, false),
        ] {
            assert_eq!(freshness.is_polled(at(later), wall), is_used, "{later} ms, {wall}");
        }
        assert!(!Freshness::default().is_polled(at(0), WALL), "before the first poll");
        // The next poll notices that the clock was set, too.
        freshness.note(&Above { latest: 10, changes: Vec::new() }, at(100), WALL + 3600);
        assert!(freshness.is_polled(at(150), WALL + 3600) && !freshness.is_unchanged(&counters));
    }
}
