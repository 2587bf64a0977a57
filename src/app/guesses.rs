//! Guesses of passwords: each is reserved in the counters before it is checked. If the counters refuse one
//! while others for the same account from the same network are being checked, it waits for them: the others
//! may be right, and then they do not count. So a user whose devices all sign in at once is not refused.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::audit::{Event, is_recorded, record};
use super::clock::Stopwatch;
use super::{App, AppError, Caller};
use crate::core::network::network;
use crate::core::secret::keyed_digest;
use crate::core::throttle::{Counter, Schedule};
use crate::core::user::{Login, search_key};
use crate::store::{Error, attempts};

/// How long a guess waits for others that are being checked.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How many guesses may wait for others; each of them holds a thread.
const MOST_WAITING: usize = 16;

/// A guess as it was typed.
pub(super) struct Guessed<'a> {
    pub login: &'a str,
    pub password: &'a str,
    /// What guesses are counted for besides the account: the client's IPv4 address or IPv6 /64.
    pub network: &'a str,
}

/// The counters of a guess, by key: the account from this network, the account, the network.
pub(super) struct Keys {
    pub pair: String,
    pub account: String,
    pub network: String,
}

/// The guesses that this process is checking.
#[derive(Default)]
pub(super) struct Guesses {
    open: Mutex<Open>,
    changed: Condvar,
}

#[derive(Default)]
struct Open {
    /// By account and network.
    pairs: HashMap<String, Pair>,
    /// Guesses of all pairs that wait for others.
    waiting: usize,
}

/// The guesses for one account from one network. Kept until the last of them ends.
#[derive(Default)]
struct Pair {
    /// Guesses that were begun and have not ended.
    begun: usize,
    /// How many of those were refused by the counters.
    refused: usize,
    /// Guesses that were checked and have ended.
    checked: u64,
}

/// A guess that was begun; it ends when this is dropped.
pub(super) struct Begun<'a> {
    guesses: &'a Guesses,
    pair: &'a str,
    /// How many others had been checked when this one began.
    checked_before: u64,
    refused: bool,
}

impl Guesses {
    fn begin<'a>(&'a self, pair: &'a str) -> Begun<'a> {
        let mut open = self.open.lock();
        let of_pair = open.pairs.entry(pair.to_owned()).or_default();
        of_pair.begun += 1;
        Begun { guesses: self, pair, checked_before: of_pair.checked, refused: false }
    }
}

impl Begun<'_> {
    /// Waits until another guess of the pair was checked, after the counters refused this one. False if none
    /// is being checked, or if this takes too long: then the refusal is final.
    fn wait_for_another(mut self, since: &Stopwatch) -> bool {
        let mut open = self.guesses.open.lock();
        self.refused = true;
        if let Some(of_pair) = open.pairs.get_mut(self.pair) {
            of_pair.refused += 1;
        }
        // Whoever waits for this one waits in vain.
        self.guesses.changed.notify_all();
        if open.waiting == MOST_WAITING {
            return false;
        }
        open.waiting += 1;
        let try_again = loop {
            let of_pair = &open.pairs[self.pair];
            if of_pair.checked != self.checked_before {
                break true;
            }
            let left = LONGEST_WAIT.saturating_sub(since.elapsed());
            if of_pair.begun == of_pair.refused
                || left.is_zero()
                || self.guesses.changed.wait_for(&mut open, left).timed_out()
            {
                break false;
            }
        };
        open.waiting -= 1;
        try_again
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        let mut open = self.guesses.open.lock();
        if let Some(of_pair) = open.pairs.get_mut(self.pair) {
            of_pair.begun -= 1;
            if self.refused {
                of_pair.refused -= 1;
            } else {
                of_pair.checked += 1;
            }
            if of_pair.begun == 0 {
                open.pairs.remove(self.pair);
            }
        }
        self.guesses.changed.notify_all();
    }
}

impl App {
    /// Counts a guess before it is checked. What is returned is kept until it was checked; an error is the
    /// number of seconds to wait, and then nothing was counted.
    pub(super) fn begin_guess<'a>(
        &'a self,
        keys: &'a Keys,
        network: &str,
        caller: &Caller,
    ) -> Result<Result<Begun<'a>, i64>, AppError> {
        let watch = Stopwatch::start();
        loop {
            let begun = self.0.guesses.begin(&keys.pair);
            let now = self.now();
            let Some(seconds) = self.reserve(keys, now)? else { return Ok(Ok(begun)) };
            if begun.wait_for_another(&watch) {
                continue;
            }
            let throttled = Event::SignInThrottled { network: network.to_owned() };
            // One audit log entry an hour: otherwise, a caller who must wait causes no write.
            if !self.store().read(|db| is_recorded(db, &throttled, "", now))? {
                self.store().write(now, |tx| record(tx, now, caller, &throttled, ""))?;
            }
            return Ok(Err(seconds));
        }
    }

    /// Counts a guess before it is checked; or returns the seconds to wait, and counts nothing.
    fn reserve(&self, keys: &Keys, now: i64) -> Result<Option<i64>, AppError> {
        let limits = self.settings().guesses;
        // Always in this order, so that two guesses cannot wait for each other. The network comes first,
        // so that a network that must wait leaves no rows for logins that it invents.
        let counters: [(&str, Schedule); 3] =
            [(&keys.network, limits.network), (&keys.account, limits.account), (&keys.pair, limits.pair)];
        // Read first: a caller who must wait causes no write.
        let wait = self.store().read(|db| {
            for (key, schedule) in counters {
                let Some(known) = attempts::by_key(db, key)? else { continue };
                // A time in the future is corrected where it is found: by the write below.
                if known.at > now {
                    return Ok(None);
                }
                if let Err(seconds) = schedule.reserve(known, now) {
                    return Ok(Some(seconds));
                }
            }
            Ok::<_, Error>(None)
        })?;
        if wait.is_some() {
            return Ok(wait);
        }
        self.store().write(now, |tx| {
            let mut next: Vec<(&str, Counter)> = Vec::new();
            for (key, schedule) in counters {
                let known = attempts::lock(tx, key, now)?;
                if known.at > now {
                    attempts::put(tx, key, &schedule.aged(known, now))?;
                }
                match schedule.reserve(known, now) {
                    Ok(counter) => next.push((key, counter)),
                    Err(seconds) => return Ok(Some(seconds)),
                }
            }
            for (key, counter) in next {
                attempts::put(tx, key, &counter)?;
            }
            Ok(None)
        })
    }

    /// Undoes the count of a guess that was not checked, or was right.
    pub(super) fn give_back(&self, keys: &Keys, now: i64) -> Result<(), AppError> {
        self.store().write(now, |tx| {
            for key in [&keys.network, &keys.account, &keys.pair] {
                attempts::give_back(tx, key, now)?;
            }
            Ok(())
        })
    }

    /// Unlocks an account, wherever the guesses came from.
    pub fn unlock(&self, login: &Login, caller: &Caller) -> Result<(), AppError> {
        let now = self.now();
        let user = self.user(login)?;
        let key = self.account_key(login.as_str());
        self.store().write(now, |tx| {
            attempts::clear(tx, &key)?;
            // Keys of pairs start with the account's key, for every network.
            attempts::clear_below(tx, &key)?;
            record(tx, now, caller, &Event::Unlocked, &user.id)?;
            Ok(())
        })
    }

    /// Unlocks a network: an IPv4 address, or an IPv6 address or /64.
    pub fn unlock_network(&self, address: IpAddr, caller: &Caller) -> Result<String, AppError> {
        let (now, network) = (self.now(), network(address));
        let key = self.network_key(&network);
        self.store().write(now, |tx| {
            attempts::clear(tx, &key)?;
            Ok::<_, AppError>(record(
                tx,
                now,
                caller,
                &Event::NetworkUnlocked { network: network.clone() },
                "",
            )?)
        })?;
        Ok(network)
    }

    fn network_key(&self, network: &str) -> String {
        keyed_digest(&self.0.keys.attempts, &["network", network])
    }

    fn account_key(&self, typed_login: &str) -> String {
        let login = Login::known(typed_login)
            .map_or_else(|_| search_key(typed_login), |login| login.as_str().to_owned());
        keyed_digest(&self.0.keys.attempts, &["account", &login])
    }

    pub(super) fn attempt_keys(&self, typed_login: &str, network: &str) -> Keys {
        let account = self.account_key(typed_login);
        let network = self.network_key(network);
        Keys { pair: format!("{account} {network}"), account, network }
    }
}
