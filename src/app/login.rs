//! Signing in with a password. Each guess is reserved in the counters before it is checked, and unknown,
//! disabled and known users cost the same work and get the same answer.

use super::audit::{Event, is_recorded, record};
use super::sessions::{Beginning, Use};
use super::{App, AppError, Caller};
use crate::core::id::UserId;
use crate::core::network::network;
use crate::core::password::{Judgement, Password};
use crate::core::secret::keyed_digest;
use crate::core::session::{Door, Reference, Stay};
use crate::core::throttle::{Counter, Schedule};
use crate::core::user::{Login, search_key};
use crate::store::users::{Credentials, Held};
use crate::store::{ChangeKind, Error, Tx, attempts, devices, sessions, users};

/// What happened to a guess of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guess<T> {
    /// The password is right, and the action was done.
    Right(T),
    /// Unknown login, wrong password, no password or disabled: the caller is not told which.
    Wrong,
    /// Not checked; seconds to wait.
    Wait(i64),
}

impl<T> Guess<T> {
    /// The outcome's word in the metrics.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::Right(_) => "right",
            Self::Wrong => "wrong",
            Self::Wait(_) => "wait",
        }
    }
}

/// The browser that signs in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Browser<'a> {
    /// The name it gives itself.
    pub agent: &'a str,
    /// Whether its user asked to stay signed in on it.
    pub keep: bool,
}

/// A guess as it was typed.
pub(super) struct Guessed<'a> {
    pub login: &'a str,
    pub password: &'a str,
    /// What guesses are counted for besides the account: the client's IPv4 address or IPv6 /64.
    pub network: &'a str,
}

/// The counters of a guess, by key: the account from this network, the account, the network.
struct Keys {
    pair: String,
    account: String,
    network: String,
}

/// Why a right password does not do what it was entered for.
enum NotRight {
    /// The stored hash has changed in the meantime.
    OtherHash,
    /// The user was disabled or signed out in the meantime.
    Ended,
    Error(AppError),
}

impl<E: Into<AppError>> From<E> for NotRight {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// The user whose password it is, and the hash it was checked against.
struct Owner {
    user_id: UserId,
    hash: String,
}

/// The result of the check; only `right` may be visible outside.
struct Judged {
    /// The user whose password it is, unless disabled.
    right: Option<Owner>,
    /// The user with that login.
    known: Option<UserId>,
    /// The password hashed again, if its parameters were outdated.
    rehashed: Option<String>,
}

impl App {
    /// Checks a password for a login and starts a session: the reference that the browser gets.
    /// `network` is what guesses are counted for besides the account: the client's IPv4 address or IPv6
    /// /64.
    pub fn log_in(
        &self,
        login: &str,
        password: &str,
        network: &str,
        browser: &Browser<'_>,
        caller: &Caller,
    ) -> Result<Guess<Reference>, AppError> {
        let now = self.now();
        let failed = |known| Event::SignInFailed { known };
        let guessed = Guessed { login, password, network };
        let stay = if browser.keep && self.settings().sessions.kept > 0 { Stay::Kept } else { Stay::Usual };
        let beginning = Beginning {
            address: &caller.address,
            agent: browser.agent,
            door: Door::Password,
            stay,
            messenger: None,
            key: None,
        };
        let guess = self.guess(&guessed, caller, failed, |tx, user| {
            let reference = Self::begin_session(tx, now, user, &beginning)?;
            record(tx, now, &caller.as_user(&user.id), &Event::SignedIn, &user.id)?;
            Ok(Some(reference))
        })?;
        self.count("sign_in", guess.outcome());
        Ok(guess)
    }

    /// Checks the password of the user who is signed in with a reference, before an action that requires
    /// it again. Counted as a guess like any other.
    pub fn confirm_password(
        &self,
        reference: &Reference,
        password: &str,
        network: &str,
        caller: &Caller,
    ) -> Result<Guess<()>, AppError> {
        let Some(signed_in) = self.session(reference, Use::Website)? else { return Ok(Guess::Wrong) };
        let (now, digest, user) = (self.now(), reference.digest(), signed_in.user);
        let caller = caller.as_user(&user.id);
        let failed = |_| Event::PasswordNotConfirmed;
        let guessed = Guessed { login: user.login.as_str(), password, network };
        self.guess(&guessed, &caller, failed, |tx, user| {
            if !sessions::confirm(tx, &digest, &user.id, now)? {
                return Ok(None);
            }
            record(tx, now, &caller, &Event::PasswordConfirmed, &user.id)?;
            Ok(Some(()))
        })
    }

    /// Counts a guess, checks it, and does the action in the transaction that makes sure the password is
    /// right.
    pub(super) fn guess<T>(
        &self,
        guessed: &Guessed<'_>,
        caller: &Caller,
        failed: impl Fn(bool) -> Event,
        mut right: impl FnMut(&mut Tx<'_>, &Held<'_>) -> Result<Option<T>, AppError>,
    ) -> Result<Guess<T>, AppError> {
        let now = self.now();
        // If too many already wait, nothing is written: a refusal needs no disk.
        self.0.hashing.ensure_room()?;
        let keys = self.attempt_keys(guessed.login, guessed.network);
        if let Some(wait) = self.reserve(&keys, now, guessed.network, caller)? {
            return Ok(Guess::Wait(wait));
        }
        let mut known = None;
        let mut done = None;
        // A second time if another sign-in with the same password hashed it again in between.
        for _ in 0..2 {
            let judged = match self.judge(guessed.login, guessed.password) {
                Ok(judged) => judged,
                Err(error) => {
                    // It was never checked, so it is not counted.
                    self.give_back(&keys, now)?;
                    return Err(error);
                }
            };
            known.clone_from(&judged.known);
            let Some(owner) = &judged.right else { break };
            match self.accept(owner, judged.rehashed.as_deref(), &keys, now, &mut right) {
                Ok(answer) => {
                    done = Some(answer);
                    break;
                }
                Err(NotRight::OtherHash) => {}
                Err(NotRight::Ended) => break,
                Err(NotRight::Error(error)) => {
                    // Right, as far as is known: it is not counted, if that can be written.
                    if let Err(cause) = self.give_back(&keys, now) {
                        tracing::debug!(
                            error = &cause as &dyn std::error::Error,
                            "a guess was not given back"
                        );
                    }
                    return Err(error);
                }
            }
        }
        if let Some(done) = done {
            return Ok(Guess::Right(done));
        }
        self.store().write(now, |tx| {
            // What was typed is not stored: it may be a password.
            record(tx, now, caller, &failed(known.is_some()), known.as_ref().map_or("", UserId::as_str))
        })?;
        Ok(Guess::Wrong)
    }

    /// Does the action of a right password, in the transaction that makes sure that it is still right.
    fn accept<T>(
        &self,
        Owner { user_id, hash }: &Owner,
        rehashed: Option<&str>,
        keys: &Keys,
        now: i64,
        right: &mut impl FnMut(&mut Tx<'_>, &Held<'_>) -> Result<Option<T>, AppError>,
    ) -> Result<T, NotRight> {
        self.store().write(now, |tx| {
            // In the same order in which a guess is reserved.
            attempts::give_back(tx, &keys.network, now)?;
            attempts::clear(tx, &keys.account)?;
            attempts::clear(tx, &keys.pair)?;
            // A request that disabled the user or set another password while this one was checked has
            // ended all sessions: no session may start after that.
            let held = users::hold(tx, user_id)?.filter(|held| !held.disabled).ok_or(NotRight::Ended)?;
            if users::password_hash(tx, &held)?.as_ref() != Some(hash) {
                return Err(NotRight::OtherHash);
            }
            if rehashed.is_some() {
                users::set_password(tx, &held, rehashed)?;
            }
            right(tx, &held)?.ok_or(NotRight::Ended)
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
    pub fn unlock_network(&self, address: std::net::IpAddr, caller: &Caller) -> Result<String, AppError> {
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

    fn judge(&self, typed_login: &str, typed_password: &str) -> Result<Judged, AppError> {
        let found = match Login::known(typed_login) {
            Ok(login) => self.store().read(|db| users::credentials(db, &login))?,
            Err(_) => None,
        };
        let password = Password::new(typed_password);
        let stored = found.as_ref().and_then(|found| found.password_hash.as_deref());
        let judgement = self.0.hashing.judge(&password, stored)?;
        let known = found.as_ref().map(|found| found.id.clone());
        match (judgement, found) {
            (
                Judgement::Right { outdated },
                Some(Credentials { id, password_hash: Some(hash), disabled: false, .. }),
            ) => {
                let rehashed = if outdated { Some(self.0.hashing.hash(&password)?) } else { None };
                Ok(Judged { right: Some(Owner { user_id: id, hash }), known, rehashed })
            }
            _ => Ok(Judged { right: None, known, rehashed: None }),
        }
    }

    fn account_key(&self, typed_login: &str) -> String {
        let login = Login::known(typed_login)
            .map_or_else(|_| search_key(typed_login), |login| login.as_str().to_owned());
        keyed_digest(&self.0.keys.attempts, &["account", &login])
    }

    fn attempt_keys(&self, typed_login: &str, network: &str) -> Keys {
        let account = self.account_key(typed_login);
        let network = self.network_key(network);
        Keys { pair: format!("{account} {network}"), account, network }
    }

    /// Counts a guess before it is checked; or returns the seconds to wait, and counts nothing.
    fn reserve(
        &self,
        keys: &Keys,
        now: i64,
        network: &str,
        caller: &Caller,
    ) -> Result<Option<i64>, AppError> {
        let throttled = Event::SignInThrottled { network: network.to_owned() };
        let limits = self.settings().guesses;
        // Always in this order, so that two guesses cannot wait for each other. The network comes first,
        // so that a network that must wait leaves no rows for logins that it invents.
        let counters: [(&str, Schedule); 3] =
            [(&keys.network, limits.network), (&keys.account, limits.account), (&keys.pair, limits.pair)];
        // Read first: a caller who must wait causes no write except one audit log entry an hour.
        let waits = self.store().read(|db| {
            for (key, schedule) in counters {
                let Some(known) = attempts::by_key(db, key)? else { continue };
                // A time in the future is corrected where it is found: by the write below.
                if known.at > now {
                    return Ok(None);
                }
                if let Err(seconds) = schedule.reserve(known, now) {
                    return Ok(is_recorded(db, &throttled, "", now)?.then_some(seconds));
                }
            }
            Ok::<_, Error>(None)
        })?;
        if waits.is_some() {
            return Ok(waits);
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
                    Err(seconds) => {
                        record(tx, now, caller, &throttled, "")?;
                        return Ok(Some(seconds));
                    }
                }
            }
            for (key, counter) in next {
                attempts::put(tx, key, &counter)?;
            }
            Ok(None)
        })
    }

    fn give_back(&self, keys: &Keys, now: i64) -> Result<(), AppError> {
        self.store().write(now, |tx| {
            for key in [&keys.network, &keys.account, &keys.pair] {
                attempts::give_back(tx, key, now)?;
            }
            Ok(())
        })
    }

    /// Ends all sessions and devices of a user, in a transaction that changes what they depend on.
    pub(super) fn end_sessions(tx: &mut Tx<'_>, user: &Held<'_>) -> Result<(), Error> {
        sessions::delete_all(tx, &user.id, None)?;
        devices::delete_all(tx, &user.id)?;
        tx.changed(ChangeKind::User, &user.id);
        Ok(())
    }
}

impl Caller {
    /// The same caller, identified as a user.
    #[must_use]
    pub fn as_user(&self, user_id: &UserId) -> Self {
        Self { actor: format!("user:{user_id}"), ..self.clone() }
    }
}
