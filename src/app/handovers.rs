//! Handover: the site's server vouches for its user with a code that works once, for a minute, on one
//! page. A browser swaps it for a session, an app for a device.

use serde_json::{Map, Value};

use super::audit::{Event, record};
use super::login::Browser;
use super::sessions::{Beginning, Use};
use super::shown::is_shown;
use super::{App, AppError, Caller, clock};
use crate::core::api_key::{ApiKey, State};
use crate::core::id::MessengerId;
use crate::core::incoming::Reason;
use crate::core::mapping::{Refusal, RefusalCode};
use crate::core::origin::Origin;
use crate::core::secret::digest;
use crate::core::session::{Door, Reference, Stay};
use crate::core::user::{ExternalId, Role, User};
use crate::store::handovers::{self, Handover};
use crate::store::users::Held;
use crate::store::{Tx, api_keys, sessions, users};

/// How long a code works (seconds).
pub const LIFETIME: i64 = 60;

/// Why a code is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeRefusal {
    /// It is not a code of this server.
    Unknown,
    /// It was already used.
    Spent,
    /// It is older than a minute.
    Expired,
    /// It is for another page.
    OtherPage,
    /// The API key that created it was revoked, or its user may not sign in any more.
    Withdrawn,
}

impl CodeRefusal {
    /// The reason, and what to do, in sentences.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Unknown => "This is not a valid code. Pass it on exactly as you received it.",
            Self::Spent => "The code was already used, and each code works only once. Fetch a new one.",
            Self::Expired => "The code is older than a minute. Fetch a code immediately before you use it.",
            Self::OtherPage => {
                "The code was created for another page and cannot be used any more. Fetch a new one with the page's own origin."
            }
            Self::Withdrawn => {
                "The API key that created the code was revoked, the user was disabled, or the page shows another user. Fetch a new code for the user that the page shows."
            }
        }
    }
}

/// Who presents a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presenter<'a> {
    /// A page, by its origin.
    Page(&'a str),
    /// Countersign's own page, to which the site's page redirected: it redirects back to the code's
    /// origin only.
    OwnPage,
    /// A program that is not a browser.
    Program,
}

/// What a browser gets for a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swapped {
    /// The reference of its session.
    pub reference: Reference,
    /// The messenger that the code was for.
    pub messenger: MessengerId,
    /// Whether the session is new: an existing session keeps its cookie and its end.
    pub is_new: bool,
}

/// A code as it is returned, once.
#[derive(Clone, PartialEq, Eq)]
pub struct HandoverCode {
    /// The code.
    pub code: String,
    /// When it stops working, unix seconds.
    pub expires_at: i64,
}

impl std::fmt::Debug for HandoverCode {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HandoverCode").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// What a code offers to a page that asks the user first.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// The user it signs in.
    pub user: User,
    /// The origin of the page that may swap it.
    pub site: String,
}

impl App {
    /// Creates a code for a user, for the pages of one origin or, without an origin, for apps only.
    pub fn hand_over(
        &self,
        key: &ApiKey,
        external_id: &ExternalId,
        messenger: &MessengerId,
        origin: Option<&Origin>,
        sent: Option<&Map<String, Value>>,
        caller: &Caller,
    ) -> Result<HandoverCode, AppError> {
        let allowed = self.messenger(messenger)?.allowed_origins;
        if let Some(origin) = origin.filter(|origin| !allowed.contains(origin)) {
            return Err(AppError::OriginNotAllowed(origin.as_str().to_owned()));
        }
        let user = self.vouched(key, external_id, sent, caller)?;
        if user.role == Role::Admin {
            return Err(Reason::AboutAdmin.into());
        }
        if user.disabled {
            let message = "The user is disabled.".to_owned();
            return Err(AppError::NoToken(Refusal { message, ..Refusal::new(RefusalCode::Disabled) }));
        }
        let (now, code) = (self.now(), clock::new_secret());
        let handover = Handover {
            digest: digest(&code),
            user_id: user.id.clone(),
            messenger_id: messenger.clone(),
            origin: origin.map(|origin| origin.as_str().to_owned()),
            key_id: key.id.clone(),
            expires_at: now + LIFETIME,
            spent_at: None,
        };
        self.store().write(now, |tx| {
            handovers::insert(tx, &handover)?;
            record(
                tx,
                now,
                caller,
                &Event::HandoverMade { origin: handover.origin.clone().unwrap_or_default() },
                &user.id,
            )
        })?;
        Ok(HandoverCode { code, expires_at: handover.expires_at })
    }

    /// The user and the origin of a code, without using it up: for a page that asks the user first.
    pub fn handover(&self, code: &str) -> Result<Result<Offered, CodeRefusal>, AppError> {
        let now = self.now();
        self.store().read(|db| {
            let found = handovers::by_digest(db, &digest(code))?;
            Ok(match judged(found, Presenter::OwnPage, now) {
                Err(refusal) => Err(refusal),
                Ok(handover) => match users::by_id(db, &handover.user_id)? {
                    Some(user) => Ok(Offered { user, site: handover.origin.unwrap_or_default() }),
                    None => Err(CodeRefusal::Withdrawn),
                },
            })
        })
    }

    /// Swaps a code for a session of the browser that presents it. `shown` is the user that the page
    /// shows, if it says so. The browser's earlier session stays as it is until [`App::leave_session`]:
    /// a code that does not work ends no session.
    pub fn log_in_by_code(
        &self,
        code: &str,
        presenter: Presenter<'_>,
        shown: Option<&str>,
        current: Option<&Reference>,
        browser: &Browser<'_>,
        caller: &Caller,
    ) -> Result<Swapped, AppError> {
        let now = self.now();
        let signed_in = match current {
            Some(current) => self.session(current, Use::Website)?,
            None => None,
        };
        self.swap(code, presenter, caller, |tx, handover, user| {
            if let Some(shown) = shown {
                let prefix = api_keys::by_id(tx, &handover.key_id)?.map(|key| key.prefix).unwrap_or_default();
                if !is_shown(tx, user, shown, &prefix)? {
                    return Ok(None);
                }
            }
            let messenger = handover.messenger_id.clone();
            if let (Some(current), Some(known)) = (current, &signed_in)
                && known.user.id == handover.user_id
            {
                // The same user: open tabs keep their session and what they may fetch. A session that
                // was limited to other messengers is now also for this one.
                let is_there = sessions::hold(tx, &current.digest())?;
                if is_there && !known.may_use(&messenger) {
                    sessions::join(tx, &current.digest(), &messenger, &handover.key_id)?;
                }
                if is_there {
                    return Ok(Some(Swapped { reference: current.clone(), messenger, is_new: false }));
                }
            }
            let beginning = Beginning {
                address: &caller.address,
                agent: browser.agent,
                door: Door::Handover,
                stay: Stay::Usual,
                messenger: Some(&handover.messenger_id),
                key: Some(&handover.key_id),
            };
            let reference = Self::begin_session(tx, now, user, &beginning)?;
            let event = Event::HandedOver { origin: handover.origin.clone().unwrap_or_default() };
            record(tx, now, &caller.as_user(&user.id), &event, &user.id)?;
            Ok(Some(Swapped { reference, messenger, is_new: true }))
        })
    }

    /// Ends the session that a browser had before it swapped a code for a new one.
    pub fn leave_session(
        &self,
        before: Option<&Reference>,
        swapped: &Swapped,
        caller: &Caller,
    ) -> Result<(), AppError> {
        match before.filter(|_| swapped.is_new) {
            Some(before) => self.end_session(before, caller),
            None => Ok(()),
        }
    }

    /// Uses up a code and does what it is for. A code that the wrong page presents is used up as well:
    /// it has leaked.
    pub(super) fn swap<T>(
        &self,
        code: &str,
        presenter: Presenter<'_>,
        caller: &Caller,
        mut work: impl FnMut(&mut Tx<'_>, &Handover, &Held<'_>) -> Result<Option<T>, AppError>,
    ) -> Result<T, AppError> {
        let now = self.now();
        let digest = digest(code);
        let swapped = self.store().write(now, |tx| -> Result<_, AppError> {
            let handover = match judged(handovers::by_digest(tx, &digest)?, presenter, now) {
                Ok(handover) => handover,
                Err(refusal) => {
                    if refusal == CodeRefusal::OtherPage {
                        handovers::spend(tx, &digest, now)?;
                    }
                    return Ok(Err(refusal));
                }
            };
            if !handovers::spend(tx, &digest, now)? {
                return Ok(Err(CodeRefusal::Spent));
            }
            // Both are held: if the user is disabled or the key is revoked at this moment, either this
            // waits for it, or it finds the session that starts now and ends it.
            let user = users::hold(tx, &handover.user_id)?;
            let key = api_keys::hold(tx, &handover.key_id)?;
            if key.is_none_or(|key| key.state(now) == State::Revoked) {
                return Ok(Err(CodeRefusal::Withdrawn));
            }
            match user.filter(|user| !user.disabled && user.role == Role::User) {
                Some(user) => Ok(work(tx, &handover, &user)?.ok_or(CodeRefusal::Withdrawn)),
                None => Ok(Err(CodeRefusal::Withdrawn)),
            }
        })?;
        if let Err(refusal) = &swapped {
            tracing::info!(?refusal, address = caller.address, "a handover code was refused");
        }
        self.count("handover", if swapped.is_ok() { "swapped" } else { "refused" });
        swapped.map_err(AppError::Code)
    }
}

/// A code that may be swapped, judged by what is known before it is used up.
fn judged(found: Option<Handover>, presenter: Presenter<'_>, now: i64) -> Result<Handover, CodeRefusal> {
    let handover = found.ok_or(CodeRefusal::Unknown)?;
    if handover.spent_at.is_some() {
        return Err(CodeRefusal::Spent);
    }
    if now >= handover.expires_at {
        return Err(CodeRefusal::Expired);
    }
    let fits = match presenter {
        Presenter::Page(origin) => handover.origin.as_deref() == Some(origin),
        Presenter::OwnPage => handover.origin.is_some(),
        Presenter::Program => true,
    };
    if fits { Ok(handover) } else { Err(CodeRefusal::OtherPage) }
}
