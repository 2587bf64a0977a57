//! Sessions of browsers: started, looked up, ended. Only the browser knows the reference; here it is
//! turned into a digest at once.

use super::audit::{Event, record};
use super::{App, AppError, Caller, clock};
use crate::core::id::{MessengerId, SessionDigest, join_ids};
use crate::core::session::{Door, Reference, Session, Stay, is_due};
use crate::core::user::{Role, User};
use crate::store::sessions::Live;
use crate::store::users::Held;
use crate::store::{ChangeKind, Error, Sql, Tx, sessions};

/// Who is signed in, and until when.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedIn {
    /// The user, as the table currently has it.
    pub user: User,
    /// Unix seconds; no token lasts longer.
    pub ends_at: i64,
    /// When the password was last typed, unix seconds.
    pub confirmed_at: i64,
    /// Whether the console is open: for an admin who used it recently.
    pub is_console_open: bool,
    /// The digest of its credential: the subject of the change that ends it.
    pub digest: String,
    /// When its use is written again, unix seconds; at once if it could not be written.
    pub due_at: i64,
    /// The only messengers it gets tokens for, its own first; empty for any.
    pub messengers: Vec<MessengerId>,
}

impl SignedIn {
    /// Whether it gets tokens for a messenger.
    pub fn may_use(&self, messenger: &MessengerId) -> bool {
        self.messengers.is_empty() || self.messengers.iter().any(|own| own == messenger)
    }

    /// The messenger of a requested token: the one that was named, or the session's own; an error if the
    /// session is limited to others.
    pub fn messenger(&self, named: Option<&MessengerId>) -> Result<MessengerId, AppError> {
        match named {
            None => Ok(self.messengers.first().cloned().unwrap_or_default()),
            Some(named) if self.may_use(named) => Ok(named.clone()),
            Some(named) => Err(AppError::OtherMessenger(format!(
                "This session was started by a handover code for the messenger '{}' only, not for '{named}'.",
                join_ids(&self.messengers, "' and '")
            ))),
        }
    }
}

/// What uses a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A page of the website, or a token for it.
    Website,
    /// The console, which is open to an admin who uses the console itself.
    Console,
}

/// A session that is live.
struct Found {
    session: Live,
    user: User,
    /// The messengers that codes have added to its own.
    joined: Vec<MessengerId>,
}

/// What has to be written of a use.
struct Due {
    is_any: bool,
    is_of_console: bool,
}

/// How and where a session starts.
pub(super) struct Beginning<'a> {
    /// Where from.
    pub address: &'a str,
    /// The name the browser gives itself.
    pub agent: &'a str,
    /// How the user signed in.
    pub door: Door,
    /// How long it lasts.
    pub stay: Stay,
    /// The only messenger it gets tokens for; `None` for any.
    pub messenger: Option<&'a MessengerId>,
    /// The API key whose code started it, if any.
    pub key: Option<&'a str>,
}

/// Browsers that one user may be signed in on. One more ends the session that was used least recently.
pub const MOST_SESSIONS: i64 = 50;

impl App {
    /// Starts a session of an enabled user who is held, in the transaction that has the reason for it.
    /// Returns its reference of 256 random bits, which only the browser gets to know. A user who has
    /// [`MOST_SESSIONS`] loses the one that was used least recently.
    pub(super) fn begin_session(
        tx: &mut Tx<'_>,
        now: i64,
        user: &Held<'_>,
        beginning: &Beginning<'_>,
    ) -> Result<Reference, AppError> {
        let reference = Reference::new(clock::new_secret());
        let session = Session {
            digest: reference.digest(),
            user_id: user.id.clone(),
            created_at: now,
            used_at: now,
            console_used_at: now,
            confirmed_at: now,
            address: beginning.address.to_owned(),
            door: beginning.door,
            stay: beginning.stay,
            messenger: beginning.messenger.cloned(),
            key_id: beginning.key.map(str::to_owned),
            agent: beginning.agent.chars().filter(|letter| !letter.is_control()).take(200).collect(),
        };
        for ended in sessions::end_oldest(tx, &user.id, MOST_SESSIONS - 1)? {
            tx.changed(ChangeKind::Session, &ended);
        }
        sessions::insert(tx, user, &session)?;
        Ok(reference)
    }

    /// The user of a reference, if its session is live. This is recorded as a use, which is written now
    /// and then.
    pub fn session(&self, reference: &Reference, by: Use) -> Result<Option<SignedIn>, AppError> {
        let (now, digest) = (self.now(), reference.digest());
        let found = self.store().read(|db| self.look_up(db, &digest, now))?;
        let Some(mut found) = found else { return Ok(None) };
        let mut is_written = true;
        let due = self.due(&found, by, now);
        if due.is_any {
            let written = self.store().write(now, |tx| sessions::touch(tx, &digest, now, due.is_of_console));
            // Even if the database cannot be written, it can still be read to find out who is signed in.
            if let Err(error) = written {
                super::warn_unwritten("a session's use", &error);
                is_written = false;
            }
            found.session.used_at = now;
            found.session.created_at = found.session.created_at.min(now);
        }
        let mut signed_in = self.signed_in(found, &digest, now);
        if !is_written {
            signed_in.due_at = now;
        }
        Ok(Some(signed_in))
    }

    /// The same on the calling thread, if it can be read from SQLite without waiting and nothing has to be written.
    /// `None`: use [`App::session`], which may wait.
    pub fn session_at_once(&self, reference: &Reference) -> Option<SignedIn> {
        let (now, digest) = (self.now(), reference.digest());
        let found = self.store().read_at_once(|db| self.look_up(db, &digest, now))??;
        (!self.due(&found, Use::Website, now).is_any).then(|| self.signed_in(found, &digest, now))
    }

    fn look_up(&self, db: &mut dyn Sql, digest: &SessionDigest, now: i64) -> Result<Option<Found>, Error> {
        let Some((session, user)) = sessions::live(db, digest, now, &self.settings().sessions)? else {
            return Ok(None);
        };
        // Only a session that a code started is limited to messengers.
        let joined = if session.messenger.is_none() { Vec::new() } else { sessions::joined(db, digest)? };
        Ok(Some(Found { session, user, joined }))
    }

    fn due(&self, found: &Found, by: Use, now: i64) -> Due {
        let (limits, session) = (&self.settings().sessions, &found.session);
        let every = limits.written_every(session.stay, found.user.role);
        let is_due = |moment| is_due(moment, every, now);
        let is_of_console =
            by == Use::Console && self.is_console_open(found, now) && is_due(session.console_used_at);
        Due { is_any: is_due(session.used_at) || is_of_console || session.created_at > now, is_of_console }
    }

    fn is_console_open(&self, Found { session, user, .. }: &Found, now: i64) -> bool {
        let ends_at = self.settings().sessions.console_end(session.created_at, session.console_used_at);
        user.role == Role::Admin && now < ends_at
    }

    fn signed_in(&self, found: Found, digest: &SessionDigest, now: i64) -> SignedIn {
        let is_console_open = self.is_console_open(&found, now);
        let (limits, Found { session, user, joined }) = (&self.settings().sessions, found);
        let every = limits.written_every(session.stay, user.role);
        SignedIn {
            ends_at: limits.end(session.stay, user.role, session.created_at, session.used_at),
            confirmed_at: session.confirmed_at.min(now),
            is_console_open,
            digest: digest.to_string(),
            due_at: session.used_at.saturating_add(every),
            messengers: session.messenger.into_iter().chain(joined).collect(),
            user,
        }
    }

    /// Ends a session; does nothing if there is none.
    pub fn end_session(&self, reference: &Reference, caller: &Caller) -> Result<(), AppError> {
        let (now, digest) = (self.now(), reference.digest());
        self.store().write(now, |tx| {
            if let Some(user_id) = sessions::delete(tx, &digest)? {
                record(tx, now, &caller.as_user(&user_id), &Event::SignedOut, &user_id)?;
                tx.changed(ChangeKind::Session, &digest);
            }
            Ok(())
        })
    }
}
