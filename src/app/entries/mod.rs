//! Tokens of sessions and devices, remembered: a browser that asks again gets its next token without a reading
//! of the database. Only the times are new.
//!
//! An entry is used only while everything that its token depends on is unchanged (`app::freshness`):
//!
//! | the token depends on | which changes with |
//! |---|---|
//! | the session or device: that it is there, its limits, its messengers | `session` and its digest; `user` |
//! | the user: attributes, role, disabled, password | `user` |
//! | the messenger: deployment, options, policy, lifetime, block list, enabled | `messenger` |
//! | the published mapping | `mapping` |
//! | the signing key | `key` |
//! | the attributes and the marks of those that are trusted; an import; anything else in bulk | `all` |
//! | the user whom the page shows | the request: only a match by `external_id` is remembered, because a match by login depends on other users |
//! | the request's messenger and platform | the request: they are part of the key |
//! | the end of the session, and when its use must be written again | the clock: see `slow_at` |
//! | the settings of the process | a restart |
//!
//! An entry that is out of date is not used again, and stays in memory until its place is needed or the process ends.

mod memory;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sha2::{Digest as _, Sha256};

use super::metrics::Miss;
use super::rates::Bucket;
use super::sessions::SignedIn;
use super::shared::Shared;
use super::tokens::{Issued, TokenSubject};
use super::{App, AppError, Caller, counts, freshness};
pub(super) use memory::Entries;

use crate::core::catalogue::Catalogue;
use crate::core::id::MessengerId;
use crate::core::messenger::{Messenger, Platform};
use crate::core::payload::Payload;
use crate::core::secret::SigningKey;
use crate::core::token::{Prepared, Times};

/// After a hit on the slow path, the others wait this long (seconds) before one of them tries it again.
const SLOW_AGAIN: i64 = 5;

/// What identifies a credential: SHA-256 of its kind and of the whole value that was presented.
type Presented = [u8; 32];

/// How a token is requested. Not `Debug`: it is a secret.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// The value of the session cookie.
    Cookie(&'a str),
    /// A device token.
    Device(&'a str),
}

impl Credential<'_> {
    fn presented(self) -> Presented {
        let (kind, value) = match self {
            Self::Cookie(value) => (b"cookie ", value),
            Self::Device(value) => (b"device ", value),
        };
        Sha256::new_with_prefix(kind).chain_update(value).finalize().into()
    }
}

/// What the request says besides the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The messenger that it names.
    pub messenger: Option<&'a MessengerId>,
    /// The platform that it names.
    pub platform: Option<Platform>,
    /// The user whom the page shows.
    pub shown: Option<&'a str>,
    /// For the host page: its language.
    pub page: Option<&'static str>,
}

/// One token of one credential.
struct Entry {
    messenger: Option<MessengerId>,
    platform: Option<Platform>,
    shown: Option<String>,
    page: Option<&'static str>,
    counters: Option<freshness::Counters>,
    /// Seconds that a token is valid, and whether it says when it was issued and when it ends.
    lifetime: i64,
    iat: bool,
    exp: bool,
    /// Where its tokens are counted. Not the whole of what is shared: an entry that is out of date would keep it.
    issued: counts::Issued,
    prepared: Prepared,
    subject: TokenSubject,
    /// See [`Remembered`].
    described: Arc<str>,
    /// What the request limit counts for.
    limited_as: Bucket,
    /// Unix seconds; no token lasts longer.
    ends_at: i64,
    /// Until then (unix seconds) the page shows certainly this user.
    shown_until: i64,
    /// An earlier time means that the clock was set back.
    made_at: i64,
    /// From then on (unix seconds) one request goes to the database: to write that the session is used.
    slow_at: AtomicI64,
}

/// A request for a token that is not remembered yet.
pub struct Request<'a> {
    /// The counters from before its rows were read.
    pub before: Before,
    /// How it is made.
    pub credential: Credential<'a>,
    /// What it says besides the credential.
    pub wanted: Wanted<'a>,
    /// How long the user whom the page shows is certainly this one (unix seconds).
    pub shown_until: i64,
}

/// What is remembered of one request.
pub struct Remembered {
    /// The token and its times.
    pub issued: Issued,
    /// By which a page notices that another user is signed in.
    pub subject: TokenSubject,
    /// What the response says besides it, as whoever responded has written it. Only what the token depends on may
    /// be in it, too.
    pub described: Arc<str>,
}

/// A token that was just issued, to be remembered with what the response says besides it.
pub struct Fresh {
    /// The token and its times.
    pub issued: Issued,
    /// What it says about the user.
    pub payload: Payload,
    /// By which a page notices that another user is signed in.
    pub subject: TokenSubject,
    entry: Entry,
    presented: Presented,
    shared: Arc<Shared>,
}

impl Fresh {
    /// The messenger it is for.
    pub fn messenger(&self) -> &Messenger {
        &self.shared.messenger
    }

    /// What its helpdesk calls the ids in the payload.
    pub fn names(&self) -> &Catalogue {
        &self.shared.names
    }

    /// What responses say about the messenger; `write` writes it if no response did before.
    pub fn described(
        &self,
        platform: Option<Platform>,
        write: impl FnOnce(&Messenger) -> String,
    ) -> Arc<str> {
        self.shared.described(platform, write)
    }
}

impl Entry {
    fn is_for(&self, wanted: &Wanted<'_>) -> bool {
        self.messenger.as_ref() == wanted.messenger
            && self.platform == wanted.platform
            && self.shown.as_deref() == wanted.shown
            && self.page == wanted.page
    }

    fn is_same_request(&self, other: &Self) -> bool {
        self.is_for(&Wanted {
            messenger: other.messenger.as_ref(),
            platform: other.platform,
            shown: other.shown.as_deref(),
            page: other.page,
        })
    }

    /// The token of this moment.
    fn next(&self, now: i64) -> Remembered {
        let (times, expires_at) = Times::at(now, self.lifetime, Some(self.ends_at), self.iat, self.exp);
        let issued = Issued { token: self.prepared.sign(&times), expires_at, server_time: now };
        Remembered { issued, subject: self.subject, described: self.described.clone() }
    }

    /// Whether it may be used at a moment. Once it is due, exactly one request is told no.
    fn is_usable(&self, now: i64) -> bool {
        if now < self.made_at || now >= self.ends_at.min(self.shown_until) {
            return false;
        }
        let slow_at = self.slow_at.load(Ordering::Relaxed);
        let is_due = now >= slow_at;
        let is_mine = || {
            let next = now + SLOW_AGAIN;
            self.slow_at.compare_exchange(slow_at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        !(is_due && is_mine())
    }
}

/// The state of the counters before a token's rows are read.
pub struct Before(u64);

impl App {
    /// The next token of a credential, if everything that it depends on is unchanged since the last one.
    pub fn remembered(
        &self,
        credential: Credential<'_>,
        wanted: &Wanted<'_>,
    ) -> Result<Option<Remembered>, AppError> {
        let now = self.now();
        let entry = match self.usable(credential, wanted, now) {
            Ok(entry) => entry,
            Err(why) => {
                self.0.metrics.miss(why);
                return Ok(None);
            }
        };
        self.0.token_rates.take(entry.limited_as).map_err(AppError::TooMany)?;
        entry.issued.add(1);
        self.0.metrics.hits.inc();
        Ok(Some(entry.next(now)))
    }

    fn usable(&self, credential: Credential<'_>, wanted: &Wanted<'_>, now: i64) -> Result<Arc<Entry>, Miss> {
        if !self.may_remember(now) {
            return Err(Miss::Off);
        }
        let entry = self.0.entries.find(&credential.presented(), wanted).ok_or(Miss::Absent)?;
        if !entry.counters.is_some_and(|counters| self.0.freshness.is_unchanged(&counters)) {
            return Err(Miss::Changed);
        }
        if entry.is_usable(now) { Ok(entry) } else { Err(Miss::Due) }
    }

    /// To be called before the rows of a token are read.
    pub fn before_reading(&self) -> Before {
        Before(self.0.freshness.total())
    }

    /// Issues a token to a user who is signed in. `NoToken` says why there is none.
    pub fn issue_fresh(
        &self,
        request: &Request<'_>,
        signed_in: &SignedIn,
        messenger: &MessengerId,
        caller: &Caller,
    ) -> Result<Fresh, AppError> {
        let issuer = self.issuer(messenger, None)?;
        let key = issuer.signing_key()?;
        let user = &signed_in.user;
        let comes = self.visit(&issuer, user);
        let outcome = issuer.payload(user);
        issuer.note(&[(user, outcome.as_ref().err())], caller)?;
        let payload = outcome.map_err(|refusal| AppError::NoToken(refusal.until_person(comes)))?;
        Ok(self.fresh(request, signed_in, issuer.shared(), payload, key))
    }

    /// Whether a first token may be issued by [`App::issue_at_once`].
    pub fn may_issue_at_once(&self, wanted: &Wanted<'_>) -> bool {
        // Whom the page shows is known only to the database.
        wanted.shown.is_none() && self.may_remember(self.now())
    }

    /// Issues a first token if nothing has to be read or written for it besides who is signed in. `None`: use
    /// [`App::issue_fresh`], which may wait.
    pub fn issue_at_once(&self, request: &Request<'_>, signed_in: &SignedIn) -> Option<Fresh> {
        let issuer = self.remembered_issuer(&signed_in.messenger(request.wanted.messenger).ok()?)?;
        let key = issuer.signing_key().ok()?;
        if !self.is_visit_needless(&issuer, &signed_in.user) {
            return None;
        }
        // Who gets none is recorded.
        let payload = issuer.payload(&signed_in.user).ok()?;
        self.ask_token(&signed_in.digest).ok()?;
        issuer.count_issued(1);
        Some(self.fresh(request, signed_in, issuer.shared(), payload, key))
    }

    fn fresh(
        &self,
        request: &Request<'_>,
        signed_in: &SignedIn,
        shared: &Arc<Shared>,
        payload: Payload,
        key: &SigningKey,
    ) -> Fresh {
        let (user, messenger, now) = (&signed_in.user, &shared.messenger, self.now());
        let Before(total) = request.before;
        let counters = self.0.freshness.counters(total, user.id.as_str(), &signed_in.digest, shared.counters);
        let entry = Entry {
            messenger: request.wanted.messenger.cloned(),
            platform: request.wanted.platform,
            shown: request.wanted.shown.map(str::to_owned),
            page: request.wanted.page,
            counters,
            lifetime: messenger.token_lifetime,
            iat: messenger.token_iat,
            exp: messenger.token_exp,
            issued: shared.issued.clone(),
            prepared: Prepared::new(&payload, key),
            subject: self.subject(user, &messenger.id),
            described: "".into(),
            limited_as: Bucket::of(&signed_in.digest),
            ends_at: signed_in.ends_at,
            made_at: now,
            shown_until: request.shown_until,
            slow_at: AtomicI64::new(signed_in.due_at),
        };
        let (issued, subject) = (entry.next(now).issued, entry.subject);
        let presented = request.credential.presented();
        Fresh { issued, payload, subject, entry, presented, shared: shared.clone() }
    }

    /// Remembers a token until something changes that it depends on.
    pub fn remember(&self, fresh: Fresh, described: Arc<str>) -> Remembered {
        let Fresh { issued, subject, entry, presented, .. } = fresh;
        // A use that could not be written does not prolong the session, so it is not remembered either.
        let lasts = entry.shown_until.min(entry.slow_at.load(Ordering::Relaxed)) > entry.made_at;
        if entry.counters.is_some() && lasts && self.may_remember(self.now()) {
            self.0.entries.put(&presented, Entry { described: described.clone(), ..entry });
        }
        Remembered { issued, subject, described }
    }
}
