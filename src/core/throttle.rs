//! How fast passwords may be guessed. Pure: counters in, counters out; where they are stored and
//! whose they are is not decided here.
//!
//! Each guess counts in three counters.
//! - The account *from this network*: five guesses at once, then a wait that doubles up to 15 minutes.
//! - The account from *everywhere*: 25 guesses at once, then a wait of at most a minute between two, so
//!   that an attacker elsewhere delays the owner by a minute, not by a quarter of an hour. At 100
//!   guesses without a success the account is locked for a day or until `countersign user unlock`
//!   (NIST SP 800-63B-4 section 3.2.2).
//! - The network, for any account: one guess a minute is forgiven. So the typing errors in an office of
//!   many people do not add up over a day, and nobody can guess faster than once a minute for long.
//!
//! Each guess is *reserved* before the password is checked, so that parallel guesses do not all see the
//! old count. The reservation of a right guess is undone.

/// What is known about guesses under one key. Times are in unix seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// Guesses that were checked or are in progress.
    pub guesses: i64,
    /// When counting started.
    pub since: i64,
    /// The time of the last guess.
    pub at: i64,
    /// No guess is checked before this time.
    pub next_at: i64,
}

/// How waits grow with a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Guesses without a wait.
    pub free: i64,
    /// The longest wait (seconds); waits double from one second up.
    pub longest: i64,
    /// The maximum number of guesses until the counter is reset.
    pub most: i64,
    /// The counter is reset this long after its last guess (seconds).
    pub forgotten: i64,
    /// One guess is forgiven after this many seconds; 0: no guess is forgiven before the counter is reset.
    pub forgives: i64,
}

/// The limits of sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One account from one network.
    pub pair: Schedule,
    /// One account from everywhere.
    pub account: Schedule,
    /// One network, for any account.
    pub network: Schedule,
}

/// A day, in seconds.
pub const DAY: i64 = 24 * 3600;

impl Default for Limits {
    fn default() -> Self {
        Self::new(5, 100)
    }
}

impl Limits {
    /// Limits with these numbers of guesses at once: for an account from one network, and for a network.
    pub fn new(per_account: i64, per_network: i64) -> Self {
        Self {
            pair: Schedule { free: per_account, longest: 900, most: 100, forgotten: DAY, forgives: 0 },
            account: Schedule { free: per_account * 5, longest: 60, most: 100, forgotten: DAY, forgives: 0 },
            network: Schedule {
                free: per_network,
                longest: 60,
                most: i64::MAX,
                forgotten: DAY,
                forgives: 60,
            },
        }
    }
}

impl Schedule {
    /// The counter with one more guess, or how many seconds to wait before that guess.
    pub fn reserve(&self, counter: Counter, now: i64) -> Result<Counter, i64> {
        let counter = self.aged(counter, now);
        let forget_at = counter.at.saturating_add(self.forgotten);
        let counter = if now >= forget_at { Counter { since: now, ..Counter::default() } } else { counter };
        if counter.guesses >= self.most {
            return Err((forget_at - now).max(1));
        }
        if now < counter.next_at {
            return Err(counter.next_at - now);
        }
        let guesses = counter.guesses + 1;
        let wait = match guesses - self.free {
            beyond if beyond < 0 => 0,
            beyond => 1_i64.checked_shl(u32::try_from(beyond).unwrap_or(62).min(62)).unwrap_or(i64::MAX),
        };
        Ok(Counter { guesses, at: now, next_at: now + wait.min(self.longest), ..counter })
    }

    /// A counter as it is at `now`. Old guesses are forgiven one by one. If the clock was set back, times in
    /// the future become `now`, and the remaining waits stay as long as they were.
    pub fn aged(&self, counter: Counter, now: i64) -> Counter {
        let ahead = (counter.at - now).max(0);
        let next_at = counter.next_at.saturating_sub(ahead).min(now.saturating_add(self.longest));
        let mut counter =
            Counter { at: counter.at.min(now), since: counter.since.min(now), next_at, ..counter };
        if self.forgives > 0 {
            let forgiven = (now - counter.since) / self.forgives;
            counter.since += forgiven * self.forgives;
            counter.guesses = (counter.guesses - forgiven).max(0);
        }
        counter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_begin_after_the_free_guesses_and_double_up_to_the_longest() {
        let schedule = Limits::default().pair;
        let (mut counter, mut now, mut waits) = (Counter::default(), 1_000_000, Vec::new());
        for _ in 0..17 {
            match schedule.reserve(counter, now) {
                Ok(next) => counter = next,
                Err(wait) => {
                    waits.push(wait);
                    now += wait;
                    counter = schedule.reserve(counter, now).expect("the wait is over");
                }
            }
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    }

    #[test]
    fn at_most_a_hundred_guesses_are_judged_in_a_day() {
        let schedule = Limits::default().account;
        let (mut counter, mut now) = (Counter::default(), 1_000_000);
        let mut judged = 0;
        while now < 1_000_000 + DAY {
            match schedule.reserve(counter, now) {
                Ok(next) => (counter, judged) = (next, judged + 1),
                Err(wait) => now += wait,
            }
        }
        assert_eq!(judged, 100);
        assert!(schedule.reserve(counter, counter.at + DAY).is_ok());
    }

    #[test]
    fn a_refused_guess_does_not_make_the_wait_longer() {
        let schedule = Limits::default().pair;
        let mut counter = Counter::default();
        for _ in 0..5 {
            counter = schedule.reserve(counter, 50).expect("free");
        }
        assert_eq!(schedule.reserve(counter, 50), Err(1));
        assert_eq!(schedule.reserve(counter, 50), Err(1));
        assert!(schedule.reserve(counter, 51).is_ok());
    }
}
