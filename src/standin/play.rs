//! How the stand-in behaves where Deskpro's guide does not say: one switch for each open question.
//! The defaults do what an ordinary JWT library does.

use serde::{Deserialize, Serialize};

/// The switches. As JSON, all keys are optional and unknown ones are refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Play {
    /// What happens to `exp`.
    pub exp: Expiry,
    /// What happens to a claim that the guide does not name.
    pub unknown_claims: UnknownClaims,
    /// How the shared secret is read.
    pub secret: SecretText,
    /// What an omitted `usergroup_ids`, `labels` or `fields` does to a person who has values there.
    pub omitted_lists: OmittedLists,
    /// How far the clocks may differ, in seconds, for `exp`, `iat` and `nbf`.
    pub leeway: u32,
    /// Visitors without a token are refused ("require all users to authenticate with a JWT").
    pub require_jwt: bool,
}

/// What happens to `exp`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// Not checked.
    Ignored,
    /// Checked if it is there.
    #[default]
    Checked,
    /// Checked, and a token without one is refused.
    Required,
}

/// What happens to a claim that the guide does not name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownClaims {
    /// Left out, and mentioned in the notes.
    #[default]
    Ignored,
    /// The token is refused.
    Refused,
}

/// How the shared secret is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretText {
    /// The bytes of the string are the key.
    #[default]
    Raw,
    /// The string is the key in base64 (RFC 4648 section 4, padding optional).
    Base64,
}

/// What an omitted list claim does to a person who has values there. `[]` clears in both cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OmittedLists {
    /// The values stay.
    #[default]
    Kept,
    /// The values are removed.
    Cleared,
}
