//! How the stand-in plays what Deskpro leaves unsaid: one switch per unknown of its guide.
//! The defaults are the middle road: what an ordinary JWT library does.

use serde::{Deserialize, Serialize};

/// The switches. As JSON all keys are optional and unknown ones refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Play {
    /// What becomes of `exp`.
    pub exp: Expiry,
    /// What becomes of a claim that the guide does not name.
    pub unknown_claims: UnknownClaims,
    /// How the shared secret is read.
    pub secret: SecretText,
    /// What an omitted `usergroup_ids`, `labels` or `fields` does to a person who has some.
    pub omitted_lists: OmittedLists,
    /// How far the clocks may differ, in seconds, for `exp`, `iat` and `nbf`.
    pub leeway: u32,
    /// Visitors without a token are refused ("require all users to authenticate with a JWT").
    pub require_jwt: bool,
}

/// What becomes of `exp`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// Not looked at.
    Ignored,
    /// Judged where it is there.
    #[default]
    Checked,
    /// Judged, and a token without one is refused.
    Required,
}

/// What becomes of a claim that the guide does not name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownClaims {
    /// Left out, and said in the notes.
    #[default]
    Ignored,
    /// The token is refused.
    Refused,
}

/// How the shared secret is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretText {
    /// The bytes of the text are the key.
    #[default]
    Raw,
    /// The text is base64 (RFC 4648 section 4, padding optional) of the key.
    Base64,
}

/// What an omitted list claim does to a person who has values there. `[]` clears in both cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OmittedLists {
    /// The values stay.
    #[default]
    Kept,
    /// The values go.
    Cleared,
}
