//! What goes into an application of a mapping besides the mapping, and what comes out
//! (`mapping.md` section 3).

use std::fmt;

use serde::{Serialize, Serializer};

use crate::core::attribute::{Attributes, Definitions};
use crate::core::mapping::apply::block::BlockList;
use crate::core::mapping::apply::trace::Trace;
use crate::core::mapping::claim::Claim;
use crate::core::payload::Payload;

/// The user that a mapping is applied to.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The user's attributes, built-in ones included.
    pub attributes: &'a Attributes,
    /// Whether the user is disabled.
    pub disabled: bool,
}

/// The settings that decide with the mapping.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'a> {
    /// Whether identifiers need proof (`COUNTERSIGN_VERIFIED_ONLY`).
    pub verified_only: bool,
    /// Whom no token may name.
    pub blocked: &'a BlockList,
    /// The custom attributes that exist, and which of them are proved.
    pub attributes: &'a Definitions,
    /// Whether the token says when it was issued; for its length.
    pub iat: bool,
    /// Whether the token says when it expires; for its length.
    pub exp: bool,
}

/// What a mapping makes of a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What is signed, or why nothing is.
    pub result: Result<Payload, Refusal>,
    /// Everything the rules gave, refused or not, and also what `"token": "id"` does not sign.
    pub person: Payload,
    /// What would be signed if nothing refused; for previews.
    pub would_sign: Payload,
    /// How it came about, whole also when it is refused.
    pub trace: Trace,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The reason, stable.
    pub code: RefusalCode,
    /// The claim whose rule refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Why, and what to do, in plain sentences.
    pub message: String,
}

/// The reasons for which there is no token (`mapping.md` 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalCode {
    /// The user is disabled.
    Disabled,
    /// The block list has the user's address or id.
    Blocked,
    /// A rule refuses because it has nothing to give.
    Missing,
    /// The value is there, but nobody proved that it is the user's.
    Unverified,
    /// Neither `email` nor `deskpro_id`.
    NoIdentifier,
    /// The signed token would be too long.
    TooLarge,
}

impl RefusalCode {
    /// Every code, in the order in which they are looked for.
    pub const ALL: [Self; 6] =
        [Self::Disabled, Self::Blocked, Self::Missing, Self::Unverified, Self::NoIdentifier, Self::TooLarge];

    /// Reads a code.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
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
    pub(crate) fn new(code: RefusalCode, claim: Option<&Claim>) -> Refusal {
        let named = claim.map_or("an identifier".to_owned(), |claim| format!("“{claim}”"));
        let message = match code {
            RefusalCode::Disabled => {
                "This user is disabled. Enable the user to let them in again.".to_owned()
            }
            RefusalCode::Blocked => "The block list has this user's address or Deskpro id, which \
                 may belong to your own staff. Take it off the list if it does not."
                .to_owned(),
            RefusalCode::Missing => format!(
                "The mapping gives no token without {named}, and this user has nothing for it. \
                 Fill in what its rule reads, or let the rule do without."
            ),
            RefusalCode::Unverified => format!(
                "The value for {named} is not proved to be the user's. Have the address confirmed, \
                 or mark the attribute as proved if your own system vouches for it; a website's \
                 server sends \"email_verified\": true with an address that it has proved."
            ),
            RefusalCode::NoIdentifier => "Neither “email” nor “deskpro_id” has a value for this \
                 user, so Deskpro could not tell who it is. Fill in the attribute behind one of \
                 them."
                .to_owned(),
            RefusalCode::TooLarge => "The token would be longer than 8,192 bytes. Shorten what the \
                 mapping sends, its lists above all."
                .to_owned(),
        };
        let claim = claim.map(ToString::to_string);
        Refusal { code, claim, message }
    }
}
