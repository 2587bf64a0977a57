//! What users do with their own account: change the password, and end sessions of browsers and apps.

use super::audit::{Event, record};
use super::login::{Browser, Guess};
use super::sessions::{Beginning, Use};
use super::{App, AppError, Caller};
use crate::core::id::{MessengerId, SessionDigest};
use crate::core::password::Weakness;
use crate::core::session::{Device, Reference, Session, Stay};
use crate::core::user::User;
use crate::store::{ChangeKind, api_keys, devices, sessions, users};

/// Everything that a user may know about their own sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The user.
    pub user: User,
    /// Live sessions, the most recently used first.
    pub sessions: Vec<OwnSession>,
    /// Live devices, the most recently used first.
    pub devices: Vec<Device>,
    /// Whether the account has a password to sign in with.
    pub has_password: bool,
    /// The messenger whose payload is sent to support.
    pub messenger: MessengerId,
}

/// A live session of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSession {
    /// The session.
    pub session: Session,
    /// Whether the request comes from this session.
    pub is_current: bool,
}

/// What happened to a new password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewPassword {
    /// It is set; the reference of the session that continues, and how long a browser keeps it.
    Set(Reference, Stay),
    /// It is too weak; nothing was changed.
    Weak(Weakness),
    /// The current password was wrong.
    Wrong,
    /// Not checked; seconds to wait.
    Wait(i64),
}

/// Which sessions to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// One session, by its digest.
    Session(SessionDigest),
    /// One device, by its id.
    Device(String),
    /// All except the session that sends the request.
    Others,
    /// All of them.
    Everything,
}

impl App {
    /// The account of the user who is signed in with a reference.
    pub fn account(&self, reference: &Reference) -> Result<Option<Account>, AppError> {
        let Some(signed_in) = self.session(reference, Use::Website)? else { return Ok(None) };
        let messenger = signed_in.messenger(None)?;
        let (now, limits, user) = (self.now(), self.settings().sessions, signed_in.user);
        let current = reference.digest();
        self.store().snapshot(|db| {
            let is_live = |session: &Session| {
                now < limits.end(session.stay, user.role, session.created_at, session.used_at)
            };
            let found = sessions::of(db, &user.id)?.into_iter().filter(is_live);
            let sessions = found
                .map(|session| {
                    let is_current = session.digest == current;
                    OwnSession { session, is_current }
                })
                .collect();
            let devices = devices::of(db, &user.id, now, &limits)?;
            let has_password = users::has_password(db, &user.id)?;
            Ok(Some(Account {
                user: user.clone(),
                sessions,
                devices,
                has_password,
                messenger: messenger.clone(),
            }))
        })
    }

    /// Sets a new password for the user who is signed in, after checking the current one. All sessions
    /// end; the one that sent the request continues under a new reference.
    pub fn change_password(
        &self,
        reference: &Reference,
        current: &str,
        new: &str,
        network: &str,
        browser: &Browser<'_>,
        caller: &Caller,
    ) -> Result<NewPassword, AppError> {
        let Some(account) = self.account(reference)? else { return Ok(NewPassword::Wrong) };
        let user = account.user;
        let password = match self.judge_new_password(&user, new) {
            Ok(password) => password,
            Err(weakness) => return Ok(NewPassword::Weak(weakness)),
        };
        match self.confirm_password(reference, current, network, caller)? {
            Guess::Right(()) => {}
            Guess::Wrong => return Ok(NewPassword::Wrong),
            Guess::Wait(seconds) => return Ok(NewPassword::Wait(seconds)),
        }
        let hash = self.0.hashing.hash(&password)?;
        let now = self.now();
        let asking = account.sessions.iter().find(|own| own.is_current);
        let Some(OwnSession { session, .. }) = asking else { return Ok(NewPassword::Wrong) };
        let beginning = Beginning {
            address: &caller.address,
            agent: browser.agent,
            door: session.door,
            stay: session.stay,
            messenger: session.messenger.as_ref(),
            key: session.key_id.as_deref(),
        };
        let begun = self.store().write(now, |tx| {
            // The user was signed out or disabled, or the password was changed, in the meantime: nothing
            // is done.
            let Some(held) = users::hold(tx, &user.id)?.filter(|held| !held.disabled) else {
                return Ok::<_, AppError>(None);
            };
            if let Some(key) = &session.key_id
                && api_keys::hold(tx, key)?.is_none_or(|key| key.revoked_at.is_some())
            {
                // The device was revoked in the meantime, and perhaps this session with it.
                return Ok(None);
            }
            if sessions::delete(tx, &session.digest)?.is_none() {
                return Ok(None);
            }
            users::set_password(tx, &held, Some(&hash))?;
            Self::end_sessions(tx, &held)?;
            record(tx, now, &caller.as_user(&user.id), &Event::PasswordSet, &user.id)?;
            Self::begin_session(tx, now, &held, &beginning).map(Some)
        })?;
        Ok(begun.map_or(NewPassword::Wrong, |begun| NewPassword::Set(begun, session.stay)))
    }

    /// Ends sessions of the user who is signed in with a reference; returns how many. Other users'
    /// sessions are not found.
    pub fn end_sign_ins(
        &self,
        reference: &Reference,
        ending: &Ending,
        caller: &Caller,
    ) -> Result<u64, AppError> {
        let Some(signed_in) = self.session(reference, Use::Website)? else { return Ok(0) };
        let (now, user_id, current) = (self.now(), signed_in.user.id, reference.digest());
        let caller = caller.as_user(&user_id);
        self.store().write(now, |tx| {
            let count = match ending {
                Ending::Session(wanted) => {
                    let is_own = sessions::of(tx, &user_id)?.iter().any(|known| known.digest == *wanted);
                    if is_own { sessions::delete(tx, wanted)?.map_or(0, |_| 1) } else { 0 }
                }
                Ending::Device(id) => devices::delete(tx, id, &user_id)?.map_or(0, |_| 1),
                Ending::Others => {
                    sessions::delete_all(tx, &user_id, Some(&current))? + devices::delete_all(tx, &user_id)?
                }
                Ending::Everything => {
                    sessions::delete_all(tx, &user_id, None)? + devices::delete_all(tx, &user_id)?
                }
            };
            if count > 0 {
                record(tx, now, &caller, &Event::SignInsEnded { count }, &user_id)?;
                tx.changed(ChangeKind::User, &user_id);
            }
            Ok(count)
        })
    }
}
