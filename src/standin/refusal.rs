//! Why a token is refused: a stable code, a sentence for this case, and what to do about it.

use serde::Serialize;

/// The stable code of a refusal; its snake case is `data-reason` in the panel and `reason` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Not three parts of strict base64url, or not JSON objects, or a duplicate key.
    Malformed,
    /// The header names an algorithm different from `HS256`, or none.
    WrongAlgorithm,
    /// The HMAC over the first two parts is different.
    BadSignature,
    /// The stand-in's own secret is not valid base64, although it is set to read it as base64.
    BadSecret,
    /// `exp` has passed.
    Expired,
    /// No `exp`, and the stand-in is set to require one.
    NoExpiry,
    /// `iat` or `nbf` is in the future.
    NotYetValid,
    /// A claim that the guide does not name, and the stand-in is set to refuse these.
    UnknownClaim,
    /// A claim with a JSON type different from the guide's.
    WrongType,
    /// A claim of the right type with an impossible value: an ID that is not a number, an address
    /// without `@`, an empty string.
    WrongValue,
    /// Neither `deskpro_id` nor `email`.
    NoIdentifier,
    /// `deskpro_id` and `email` name different people.
    TwoPeople,
    /// The token names a person who works for support.
    Agent,
    /// No token, and the stand-in is set to require one.
    TokenRequired,
}

impl Reason {
    /// What the operator of the host site can do about it, in one sentence.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Malformed => {
                "Pass the token exactly as the server signed it, and leave it out for anonymous visitors."
            }
            Self::WrongAlgorithm => "Sign with HS256, in uppercase letters in the token’s header.",
            Self::BadSignature => {
                "Check that both sides have the same secret and read it in the same encoding."
            }
            Self::BadSecret => "Switch the stand-in back to reading its secret as raw text.",
            Self::Expired => "Fetch a fresh token before the chat asks for one, and compare the two clocks.",
            Self::NoExpiry => "Put an expiry time (exp) into the token.",
            Self::NotYetValid => "Set iat a little in the past, and compare the two clocks.",
            Self::UnknownClaim => "Send the twelve documented claims, iat and exp, and nothing else.",
            Self::WrongType => {
                "Send IDs as strings, lists as lists of strings, and leave out what is missing."
            }
            Self::WrongValue => "Correct the value where it is stored, or leave the claim out.",
            Self::NoIdentifier => "Send email or deskpro_id, so that support knows who this is.",
            Self::TwoPeople => "Send one identifier only, or correct the one that is out of date.",
            Self::Agent => "Block the addresses of your own staff from being signed.",
            Self::TokenRequired => "Sign in on the site first.",
        }
    }
}

/// One refused token, or a refused visitor without one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The stable code.
    pub reason: Reason,
    /// What was found, in one sentence. It can contain strings from the token, never its signature.
    pub message: String,
}

impl Refusal {
    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// A string from a token for use in a sentence: in quotation marks, and shortened if it is long.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        None => format!("“{text}”"),
        Some((end, _)) => format!("“{}…”", &text[..end]),
    }
}
