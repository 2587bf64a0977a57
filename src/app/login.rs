//! Signing in with a password. Each guess is reserved in the counters before it is checked, and unknown,
//! disabled and known users cost the same work and get the same answer.

use super::audit::{Event, record};
use super::guesses::{Guessed, Keys};
use super::sessions::{Beginning, Use};
use super::{App, AppError, Caller};
use crate::core::id::UserId;
use crate::core::password::{Judgement, Password};
use crate::core::session::{Door, Reference, Stay};
use crate::core::user::Login;
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
        });
        self.count_sign_in(&guess);
        guess
    }

    /// Counts how a guess of a sign-in ended.
    pub(super) fn count_sign_in<T>(&self, guess: &Result<Guess<T>, AppError>) {
        self.count(
            "sign_in",
            match guess {
                Ok(guess) => guess.outcome(),
                Err(AppError::Busy(_)) => "busy",
                Err(_) => "error",
            },
        );
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
        // If too many already wait, nothing is written: a refusal needs no disk.
        self.0.hashing.ensure_room()?;
        let keys = self.attempt_keys(guessed.login, guessed.network);
        // Others for the same account may wait until this one was checked.
        let _begun = match self.begin_guess(&keys, guessed.network, caller)? {
            Ok(begun) => begun,
            Err(seconds) => return Ok(Guess::Wait(seconds)),
        };
        let now = self.now();
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
