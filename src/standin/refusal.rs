//! Why a token is refused: a code that stays the same, a sentence for this case, and what to do about it.

use serde::Serialize;

/// The stable code of a refusal; its snake case is `data-reason` in the panel and `reason` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Not three parts of strict base64url, or not JSON objects, or a duplicate key.
    Malformed,
    /// The header names another algorithm than `HS256`, or none.
    WrongAlgorithm,
    /// The HMAC over the first two parts is another one.
    BadSignature,
    /// The stand-in's own secret is not the base64 it is told to read.
    BadSecret,
    /// `exp` has passed.
    Expired,
    /// No `exp`, and the stand-in is told to require one.
    NoExpiry,
    /// `iat` or `nbf` lies in the future.
    NotYetValid,
    /// A claim that the guide does not name, and the stand-in is told to refuse these.
    UnknownClaim,
    /// A claim of another JSON type than the guide's.
    WrongType,
    /// A claim of the right type that cannot be right: an id that is no number, an address without `@`, an empty text.
    WrongValue,
    /// Neither `deskpro_id` nor `email`.
    NoIdentifier,
    /// `deskpro_id` and `email` name different people.
    TwoPeople,
    /// The token names somebody who works for support.
    Agent,
    /// No token, and the stand-in is told to require one.
    TokenRequired,
}

impl Reason {
    /// What whoever runs the host site can do about it, in one sentence.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Malformed => {
                "Pass the token exactly as the server signed it, and leave it out for anonymous visitors."
            }
            Self::WrongAlgorithm => "Sign with HS256, spelled in capitals in the token’s header.",
            Self::BadSignature => "Check that both sides hold the same secret, read in the same encoding.",
            Self::BadSecret => "Switch the stand-in back to reading its secret as raw text.",
            Self::Expired => "Fetch a fresh token before the chat asks for one, and compare the two clocks.",
            Self::NoExpiry => "Put an expiry time (exp) into the token.",
            Self::NotYetValid => "Set iat a little in the past, and compare the two clocks.",
            Self::UnknownClaim => "Send the twelve documented claims, iat and exp, and nothing else.",
            Self::WrongType => "Send ids as texts, lists as lists of texts, and leave out what is missing.",
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
    /// What was found, in one sentence. It can hold texts out of the token, never its signature.
    pub message: String,
}

impl Refusal {
    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// A text out of a token as a sentence can hold it: in quotation marks, and cut where it is long.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        None => format!("“{text}”"),
        Some((end, _)) => format!("“{}…”", &text[..end]),
    }
}
