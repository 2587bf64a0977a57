//! Issuing tokens: the one way from a user to a signed JWT, used by the page, the API and the command
//! line alike, so that they cannot differ. Previews run the same code and never sign.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::audit::{Event, record};
use super::shared::Shared;
use super::{App, AppError, Caller};
use crate::core::attribute::Attributes;
use crate::core::desk::{Desk, Known, OnMissing};
use crate::core::id::MessengerId;
use crate::core::mapping::{self, Mapping, Outcome, Refusal, RefusalCode, Signing, Subject, Token, Trace};
use crate::core::messenger::Messenger;
use crate::core::payload::Payload;
use crate::core::secret::{SigningKey, keyed_digest};
use crate::core::token::{self, Inspection, Times};
use crate::core::user::User;

/// A token with what a page needs to keep it fresh. Times in unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The JWT.
    pub token: String,
    /// When it ends; without `exp`, when its lifetime ends.
    pub expires_at: i64,
    /// The server's clock.
    pub server_time: i64,
}

/// Half a digest of a user and a messenger, in hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenSubject([u8; 32]);

impl TokenSubject {
    /// The digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits are ASCII")
    }
}

impl Issued {
    /// Seconds left.
    pub fn expires_in(&self) -> i64 {
        (self.expires_at - self.server_time).max(0)
    }

    /// Seconds after which to fetch the next token: 80 % of what is left, at least 5.
    pub fn refresh_in(&self) -> i64 {
        (self.expires_in() * 4 / 5).max(5)
    }
}

/// What a user's token would contain, and why. No signature.
#[derive(Debug, Serialize)]
pub struct Preview {
    /// The JOSE header.
    pub header: Value,
    /// The claims with `iat` and `exp`, or why there is no token.
    #[serde(flatten)]
    pub result: PreviewResult,
    /// Each claim's rules and what happened to them.
    pub trace: Trace,
}

/// Either side of a preview.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewResult {
    /// What would be signed.
    Claims(Value),
    /// Why nothing would be signed.
    Refused(Refusal),
}

/// What Deskpro's API may be told about a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// Everything that the rules produce.
    pub person: Payload,
    /// Whether its address is proved to be the user's own.
    pub is_proved: bool,
    /// Why nothing may be told: the user is blocked, or a rule refuses.
    pub refusal: Option<Refusal>,
}

/// A messenger's mapping and key, read once for any number of users.
pub struct Issuer<'a> {
    app: &'a App,
    shared: Arc<Shared>,
    /// The published mapping, or a draft in its place.
    mapping: Arc<Mapping>,
}

impl App {
    /// Reads what tokens of a messenger depend on. `draft` replaces the published mapping.
    pub fn issuer(&self, messenger: &MessengerId, draft: Option<Mapping>) -> Result<Issuer<'_>, AppError> {
        let shared = self.shared(messenger)?;
        let mapping = match draft {
            Some(draft) => Arc::new(draft),
            None => shared.mapping.clone().map_err(AppError::Mapping)?,
        };
        Ok(Issuer { app: self, shared, mapping })
    }

    /// The same for the published mapping, if all of it is remembered.
    pub(super) fn remembered_issuer(&self, messenger: &MessengerId) -> Option<Issuer<'_>> {
        let shared = self.remembered_shared(messenger)?;
        let mapping = shared.mapping.clone().ok()?;
        Some(Issuer { app: self, shared, mapping })
    }

    /// Issues a token to a user, valid until `session_end` at most. `NoToken` says why not.
    pub fn issue_token(
        &self,
        user: &User,
        messenger: &MessengerId,
        session_end: Option<i64>,
        caller: &Caller,
    ) -> Result<Issued, AppError> {
        let issuer = self.issuer(messenger, None)?;
        let comes = self.visit(&issuer, user);
        let outcome = issuer.issue(user, session_end)?;
        issuer.note(&[(user, outcome.as_ref().err())], caller)?;
        outcome.map_err(|refusal| AppError::NoToken(refusal.until_person(comes)))
    }

    /// What a token for a user would contain now. `NoToken` says why there would be none. Nothing is
    /// signed, counted or stored.
    pub fn claims_for(
        &self,
        user: &User,
        messenger: &MessengerId,
        session_end: Option<i64>,
    ) -> Result<Value, AppError> {
        let issuer = self.issuer(messenger, None)?;
        issuer.signing_key()?;
        let payload = issuer.payload(user).map_err(AppError::NoToken)?;
        let (times, ..) = issuer.times(session_end);
        Ok(token::claims(&payload, &times))
    }

    /// The value by which a page notices that another user is signed in: it does not reveal who.
    pub fn subject(&self, user: &User, messenger: &MessengerId) -> TokenSubject {
        let digest = keyed_digest(&self.0.keys.subject, &[messenger.as_str(), user.id.as_str()]);
        let mut half = [0; 32];
        half.copy_from_slice(&digest.as_bytes()[..32]);
        TokenSubject(half)
    }

    /// Decodes a token and says whether the key that signs for `default`, if there is one, verifies it.
    pub fn inspect_token(&self, token: &str) -> Result<Inspection, AppError> {
        let key =
            self.store().read(|db| Ok::<_, AppError>(self.active_key(db, &MessengerId::default()).ok()))?;
        token::inspect(token, key.as_ref().map(|open| &open.key)).ok_or_else(|| {
            AppError::Refused(
                "This is not a JWT: a JWT has three base64url parts, separated by dots, with JSON in the first two.".into(),
            )
        })
    }
}

/// The JOSE header, for previews.
fn header() -> Value {
    json!({ "typ": "JWT", "alg": "HS256" })
}

impl Issuer<'_> {
    /// Applies the mapping and signs. Nothing is counted or stored: see [`Issuer::note`].
    pub fn issue(&self, user: &User, session_end: Option<i64>) -> Result<Result<Issued, Refusal>, AppError> {
        let key = self.signing_key()?;
        let (times, expires_at, now) = self.times(session_end);
        Ok(self.payload(user).map(|payload| Issued {
            token: token::sign(&payload, &times, key),
            expires_at,
            server_time: now,
        }))
    }

    /// Only the payload of a user, or why there is none: for loops over many users.
    pub fn payload(&self, user: &User) -> Result<Payload, Refusal> {
        let attributes = self.attributes_of(user);
        let subject = Subject { attributes: &attributes, disabled: user.disabled };
        let refusal = match mapping::payload(&self.mapping, &subject, &self.signing()) {
            Err(refusal) if self.may_be_on_demand(user, &refusal) => refusal,
            other => return other,
        };
        // Deskpro creates the person from everything that is known of the user.
        mapping::payload(&self.mapping.signing_all(), &subject, &self.signing()).map_err(|_| refusal)
    }

    /// Whether a token with everything may be issued in place of one that needs the person.
    fn may_be_on_demand(&self, user: &User, refusal: &Refusal) -> bool {
        let is_wanted = |desk: &Desk| {
            desk.settings.on_missing == OnMissing::OnDemand && user.persons.at(&desk.id) == Known::Nothing
        };
        refusal.code == RefusalCode::NoIdentifier
            && self.mapping.token() == Token::Id
            && self.shared.desk.as_ref().is_some_and(is_wanted)
    }

    /// Everything that Deskpro's API may be told about a user, whether or not the user gets a token; and why nothing may
    /// be told.
    pub fn describe(&self, user: &User) -> Description {
        let attributes = self.attributes_of(user);
        let subject = Subject { attributes: &attributes, disabled: false };
        let signing = self.signing();
        let (person, refusal) = mapping::describe(&self.mapping, &subject, &signing);
        // Without this setting, an address is part of the payload whether or not it is proved.
        let is_proved = person.email.is_some()
            && (signing.verified_only || {
                let strict = Signing { verified_only: true, ..signing };
                mapping::describe(&self.mapping, &subject, &strict).0.email == person.email
            });
        let refusal = refusal.filter(|refusal| !refusal.code.is_only_for_tokens());
        Description { person, is_proved, refusal }
    }

    /// The same with everything that happened on the way.
    pub fn outcome(&self, user: &User) -> Outcome {
        let attributes = self.attributes_of(user);
        let subject = Subject { attributes: &attributes, disabled: user.disabled };
        mapping::apply(&self.mapping, &subject, &self.signing())
    }

    /// What [`Issuer::issue`] would sign, with the reasons.
    pub fn preview(&self, user: &User) -> Preview {
        let outcome = self.outcome(user);
        let (times, ..) = self.times(None);
        let result = match outcome.result {
            Ok(payload) => PreviewResult::Claims(token::claims(&payload, &times)),
            Err(refusal) => PreviewResult::Refused(refusal),
        };
        Preview { header: header(), result, trace: outcome.trace }
    }

    /// Counts what was issued, and records what was refused: one audit log entry per user and code per
    /// hour.
    pub fn note(&self, outcomes: &[(&User, Option<&Refusal>)], caller: &Caller) -> Result<(), AppError> {
        let (app, now) = (self.app, self.app.now());
        for (_, refusal) in outcomes {
            match refusal {
                None => self.shared.issued.add(1),
                Some(refusal) => app.count_refused(&self.shared.messenger.id, refusal.code.as_str()),
            }
        }
        let refused: Vec<_> =
            outcomes.iter().filter_map(|(user, refusal)| refusal.map(|refusal| (user, refusal))).collect();
        if refused.is_empty() {
            return Ok(());
        }
        app.store().write(now, |tx| {
            for (user, refusal) in &refused {
                let event = Event::TokenRefused { code: refusal.code.as_str(), claim: refusal.claim.clone() };
                record(tx, now, caller, &event, &user.id)?;
            }
            Ok(())
        })
    }

    /// Counts tokens that were issued without a note.
    pub fn count_issued(&self, tokens: u64) {
        self.shared.issued.add(tokens);
    }

    pub(super) fn signing_key(&self) -> Result<&SigningKey, AppError> {
        match &self.shared.key {
            Ok(open) => Ok(&open.key),
            Err(why) => Err(AppError::NoKey(why.clone())),
        }
    }

    /// What the tokens depend on, besides the user.
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Which claims are signed.
    pub fn signs(&self) -> Token {
        self.mapping.token()
    }

    /// The messenger the tokens are for.
    pub fn messenger(&self) -> &Messenger {
        &self.shared.messenger
    }

    /// The user's attributes as the messenger's helpdesk may be told.
    fn attributes_of<'a>(&self, user: &'a User) -> Cow<'a, Attributes> {
        user.attributes_at(self.shared.at())
    }

    fn signing(&self) -> Signing<'_> {
        let Shared { messenger, definitions, .. } = &*self.shared;
        Signing {
            verified_only: messenger.policy.verified_only,
            blocked: &messenger.policy.blocked,
            attributes: definitions,
            iat: messenger.token_iat,
            exp: messenger.token_exp,
        }
    }

    pub(super) fn times(&self, session_end: Option<i64>) -> (Times, i64, i64) {
        let (now, messenger) = (self.app.now(), &self.shared.messenger);
        let (times, expires_at) =
            Times::at(now, messenger.token_lifetime, session_end, messenger.token_iat, messenger.token_exp);
        (times, expires_at, now)
    }
}
