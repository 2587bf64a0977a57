//! Sign-ins of browsers: begun, looked up, ended. The reference is known to the browser alone;
//! here it is turned into a digest at once.

use super::audit::{Event, record};
use super::messengers::DEFAULT;
use super::{App, AppError, Caller, clock};
use crate::core::secret::digest;
use crate::core::session::{Door, Stay, USE_WRITTEN_EVERY};
use crate::core::throttle::DAY;
use crate::core::user::User;
use crate::store::sessions::{self, Session};
use crate::store::{ChangeKind, Tx, attempts, devices, handovers};

/// Who is signed in, and until when.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedIn {
    /// The user, as the table has it now.
    pub user: User,
    /// Unix seconds; no token outlives it.
    pub ends_at: i64,
    /// When the password was typed last, unix seconds.
    pub confirmed_at: i64,
    /// The only messenger it gets tokens for; empty for any.
    pub messenger: String,
}

impl SignedIn {
    /// The messenger of a token that is asked for: the one that was named, or its own; an error where
    /// it is for another one alone.
    pub fn messenger(&self, named: Option<&str>) -> Result<String, AppError> {
        match (named, self.messenger.as_str()) {
            (None, "") => Ok(DEFAULT.to_owned()),
            (None, own) => Ok(own.to_owned()),
            (Some(named), own) if own.is_empty() || own == named => Ok(named.to_owned()),
            (Some(named), own) => Err(AppError::OtherMessenger(format!(
                "This sign-in was handed over for the messenger '{own}' alone, not for '{named}'."
            ))),
        }
    }
}

/// How and where a session begins.
pub(super) struct Beginning<'a> {
    /// Where from.
    pub address: &'a str,
    /// What the browser calls itself.
    pub agent: &'a str,
    /// How.
    pub door: Door,
    /// For how long.
    pub stay: Stay,
    /// The only messenger it gets tokens for; empty for any.
    pub messenger: &'a str,
    /// The API key whose code it begins by; empty for none.
    pub key: &'a str,
}

impl App {
    /// Begins a session of an enabled user, in the transaction that says why: its reference of 256
    /// random bits, which the browser alone gets to know. `None` when the user was disabled meanwhile.
    pub(super) fn begin_session(
        tx: &mut Tx<'_>,
        now: i64,
        user_id: &str,
        beginning: &Beginning<'_>,
    ) -> Result<Option<String>, AppError> {
        let reference = clock::new_secret();
        let session = Session {
            digest: digest(&reference),
            user_id: user_id.to_owned(),
            created_at: now,
            used_at: now,
            confirmed_at: now,
            address: beginning.address.to_owned(),
            door: beginning.door,
            stay: beginning.stay,
            messenger: beginning.messenger.to_owned(),
            key_id: beginning.key.to_owned(),
            agent: beginning.agent.chars().filter(|letter| !letter.is_control()).take(200).collect(),
        };
        Ok(sessions::insert(tx, &session)?.then_some(reference))
    }

    /// Whose session a reference is, if it is live. Counts as use, written at most every five minutes.
    pub fn session(&self, reference: &str) -> Result<Option<SignedIn>, AppError> {
        let (now, digest, limits) = (self.now(), digest(reference), self.settings().sessions);
        let Some((session, user)) = self.store().read(|db| sessions::live(db, &digest, now, &limits))? else {
            return Ok(None);
        };
        let used_at = if now - session.used_at >= USE_WRITTEN_EVERY {
            self.store().write(now, |tx| sessions::touch(tx, &digest, now))?;
            now
        } else {
            session.used_at
        };
        let ends_at = limits.end(session.stay, user.role, session.created_at, used_at);
        Ok(Some(SignedIn { user, ends_at, confirmed_at: session.confirmed_at, messenger: session.messenger }))
    }

    /// Ends a session; nothing happens when there is none.
    pub fn end_session(&self, reference: &str, caller: &Caller) -> Result<(), AppError> {
        let (now, digest) = (self.now(), digest(reference));
        self.store().write(now, |tx| {
            if let Some(user_id) = sessions::delete(tx, &digest)? {
                record(tx, now, &caller.as_user(&user_id), &Event::SignedOut, &user_id)?;
                tx.changed(ChangeKind::Session, &digest);
            }
            Ok(())
        })
    }

    /// Removes what has ended anyway: sessions past every limit, and counters of guesses that are
    /// forgotten.
    pub fn sweep(&self) -> Result<(), AppError> {
        let (now, limits) = (self.now(), self.settings().sessions);
        self.0.key_rates.sweep();
        self.0.token_rates.sweep();
        self.store().write(now, |tx| {
            sessions::sweep(tx, now, &limits)?;
            devices::sweep(tx, now - limits.device_absolute, now - limits.device_idle)?;
            handovers::sweep(tx, now - DAY)?;
            attempts::sweep(tx, now - DAY)?;
            Ok(())
        })
    }
}
