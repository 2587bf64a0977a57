//! The input and the result of applying a mapping, without the mapping itself
//! (`mapping.md` section 3).

use std::fmt;

use serde::{Serialize, Serializer};

use crate::core::attribute::{Attributes, Definitions};
use crate::core::mapping::apply::block::BlockList;
use crate::core::mapping::apply::rule::CompiledSource;
use crate::core::mapping::apply::trace::Trace;
use crate::core::mapping::claim::Claim;
use crate::core::payload::Payload;

/// Seconds until a person may have come.
const REFRESH_IN: i64 = 5;

/// The user that a mapping is applied to.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The user's attributes, built-in ones included.
    pub attributes: &'a Attributes,
    /// Whether the user is disabled.
    pub disabled: bool,
}

/// The settings that decide together with the mapping.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'a> {
    /// Whether identifiers must be trusted or verified (`COUNTERSIGN_VERIFIED_ONLY`).
    pub verified_only: bool,
    /// People whom no token may name.
    pub blocked: &'a BlockList,
    /// The custom attributes that exist, and which of them are trusted.
    pub attributes: &'a Definitions,
    /// Whether the token has the time when it was issued; needed for its length.
    pub iat: bool,
    /// Whether the token has the time when it expires; needed for its length.
    pub exp: bool,
}

/// What a mapping produces for a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What is signed, or why nothing is signed.
    pub result: Result<Payload, Refusal>,
    /// Everything that the rules produced, refused or not, including what `"token": "id"` does not sign.
    pub person: Payload,
    /// What would be signed without any refusal; for previews.
    pub would_sign: Payload,
    /// How the result was produced; complete even if the token is refused.
    pub trace: Trace,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The reason, stable.
    pub code: RefusalCode,
    /// The claim whose rule refuses the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Why, and what to do, in plain sentences.
    pub message: String,
    /// Seconds after which to ask again, if there may be a token then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_in: Option<i64>,
}

/// The reasons for which there is no token (`mapping.md` 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalCode {
    /// The user is disabled.
    Disabled,
    /// The user's address or id is on the block list.
    Blocked,
    /// A rule refuses the token because it has no value.
    Missing,
    /// There is a value, but it is not verified that it belongs to the user.
    Unverified,
    /// There is neither `email` nor `deskpro_id`.
    NoIdentifier,
    /// The signed token would be too long.
    TooLarge,
}

impl RefusalCode {
    /// Every code, in the order in which they are checked.
    pub const ALL: [Self; 6] =
        [Self::Disabled, Self::Blocked, Self::Missing, Self::Unverified, Self::NoIdentifier, Self::TooLarge];

    /// Reads a code.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// Whether the user gets no token, but Deskpro's API may still be told about the user.
    pub fn is_only_for_tokens(self) -> bool {
        matches!(self, RefusalCode::Unverified | RefusalCode::NoIdentifier | RefusalCode::TooLarge)
    }

    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            RefusalCode::Disabled => "disabled",
            RefusalCode::Blocked => "blocked",
            RefusalCode::Missing => "missing",
            RefusalCode::Unverified => "unverified",
            RefusalCode::NoIdentifier => "no_identifier",
            RefusalCode::TooLarge => "too_large",
        }
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Serialize for RefusalCode {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.as_str())
    }
}

impl Refusal {
    /// A refusal that is not about one claim.
    pub(crate) fn new(code: RefusalCode) -> Refusal {
        let message = match code {
            RefusalCode::Disabled => {
                "This user is disabled. If that was a mistake: `countersign user enable LOGIN`."
            }
            RefusalCode::Blocked => {
                "This user's address or Deskpro id is on the block list. It may belong to your own staff. If it \
                 does not, remove it from the list."
            }
            RefusalCode::Missing => "The mapping requires a value that this user does not have.",
            RefusalCode::Unverified => "An identifier is not verified as the user's own.",
            RefusalCode::NoIdentifier => {
                "Neither “email” nor “deskpro_id” has a value for this user, so Deskpro cannot identify the user. \
                 Give the user an address, or set the attribute that one of the two rules reads."
            }
            RefusalCode::TooLarge => {
                "The token would be longer than 8,192 bytes. Shorten what the mapping sends, especially its lists."
            }
        };
        Refusal { code, claim: None, message: message.to_owned(), refresh_in: None }
    }

    /// The same; if there is no identifier because the person does not exist yet and may come soon, it says so.
    #[must_use]
    pub fn until_person(self, comes: bool) -> Refusal {
        if self.code != RefusalCode::NoIdentifier || !comes {
            return self;
        }
        let message = "Deskpro does not have this user yet. The synchronization was told that the user is needed: ask again \
                       in a few seconds.";
        Refusal { message: message.to_owned(), refresh_in: Some(REFRESH_IN), ..self }
    }

    /// The token only names the person, and nobody knows which one the user is.
    pub(crate) fn no_person() -> Refusal {
        let message = "The token carries only “deskpro_id”, and the Deskpro id of this user is not known. Connect the \
                       helpdesk under Synchronization in the console, or set the attribute that the rule reads.";
        Refusal { message: message.to_owned(), ..Refusal::new(RefusalCode::NoIdentifier) }
    }

    /// A rule refuses the token because it has no value.
    pub(crate) fn missing(claim: &Claim) -> Refusal {
        let message = format!(
            "The mapping requires “{claim}” for a token, but this user has no value for it. Set what its rule \
             reads, or let the rule omit the claim."
        );
        Refusal { code: RefusalCode::Missing, claim: Some(claim.to_string()), message, refresh_in: None }
    }

    /// An identifier was left out, because nothing proves that it is the user's own.
    pub(crate) fn unverified(claim: &Claim, source: &CompiledSource) -> Refusal {
        let message = match source {
            CompiledSource::Attribute(name) if name == "email" => format!(
                "The user's address is not verified, so “{claim}” is not signed. If you know that the address is \
                 the user's: `countersign user set LOGIN email_verified=yes`. Your website's server sends \
                 \"email_verified\": true with an address that it has verified."
            ),
            CompiledSource::Attribute(name) => format!(
                "The attribute “{name}” is not trusted, so “{claim}” is not signed. If only your own system writes \
                 the attribute, trust it: `countersign attribute set {} --trusted`.",
                if name.contains(char::is_whitespace) { format!("'{name}'") } else { name.clone() }
            ),
            CompiledSource::Constant(_) | CompiledSource::Text(_) => format!(
                "The value for “{claim}” is a fixed text or is built from attributes, so nothing proves that it is \
                 the user's own, and it is not signed. Let the rule read one attribute that is verified or trusted."
            ),
        };
        Refusal { code: RefusalCode::Unverified, claim: Some(claim.to_string()), message, refresh_in: None }
    }
}
