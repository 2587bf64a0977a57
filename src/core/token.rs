//! The signed JWT: Deskpro's `signedUserInfo`. Its header is exactly `{"typ":"JWT","alg":"HS256"}`. Its
//! claims are those of the payload, then `iat` and `exp` as set for the messenger; there is no other claim.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;

use super::hs256;
use super::payload::Payload;
use super::secret::SigningKey;

/// The header as `jsonwebtoken` writes it.
const HEADER: &str = r#"{"typ":"JWT","alg":"HS256"}"#;

/// How far `iat` is in the past (seconds), so that a verifier whose clock is behind accepts it.
pub const IAT_BACK: i64 = 60;

/// The default lifetime of a token (seconds).
pub const LIFETIME: i64 = 600;
/// The shortest lifetime that can be set (seconds).
pub const SHORTEST: i64 = 60;
/// The longest lifetime that can be set (seconds).
pub const LONGEST: i64 = 3600;

/// When a token is valid; a setting can leave out each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// `iat`, unix seconds.
    pub iat: Option<i64>,
    /// `exp`, unix seconds.
    pub exp: Option<i64>,
}

impl Times {
    /// The times of a token issued at `now` for `lifetime` seconds; it never expires after `session_end`.
    pub fn at(now: i64, lifetime: i64, session_end: Option<i64>, iat: bool, exp: bool) -> (Self, i64) {
        let expires_at = session_end.unwrap_or(i64::MAX).min(now.saturating_add(lifetime));
        (Self { iat: iat.then_some(now - IAT_BACK), exp: exp.then_some(expires_at) }, expires_at)
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    #[serde(flatten)]
    payload: &'a Payload,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
}

/// What is signed, as JSON: for previews.
pub fn claims(payload: &Payload, times: &Times) -> serde_json::Value {
    serde_json::to_value(Claims { payload, iat: times.iat, exp: times.exp })
        .expect("a payload consists of strings, lists and maps")
}

/// What a payload says about the user, as JSON.
pub fn without_times(payload: &Payload) -> serde_json::Value {
    claims(payload, &Times { iat: None, exp: None })
}

/// Signs a payload.
pub fn sign(payload: &Payload, times: &Times, key: &SigningKey) -> String {
    let claims = Claims { payload, iat: times.iat, exp: times.exp };
    hs256::install();
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(key.expose()))
        .expect("HMAC signs any bytes with a key of any length")
}

/// A token of which only the times are missing: its header and claims are encoded, and the state of the HMAC
/// after them is kept. What it signs is, byte for byte, what [`sign`] signs.
pub struct Prepared {
    /// The header, a dot, and the claims up to the last whole group of three bytes, in base64url.
    prefix: String,
    /// The bytes of the claims after that group, at most two.
    rest: Vec<u8>,
    /// There are no claims before the times.
    is_empty: bool,
    /// After the prefix.
    mac: hs256::State,
}

impl Prepared {
    /// Encodes a payload, to be signed with a key.
    pub fn new(payload: &Payload, key: &SigningKey) -> Self {
        let mut json = serde_json::to_vec(payload).expect("a payload consists of strings, lists and maps");
        // The brace at the end comes after the times.
        json.pop();
        let is_empty = json.len() == 1;
        let rest = json.split_off(json.len() / 3 * 3);
        let mut prefix = String::with_capacity(HEADER.len() * 2 + json.len() * 4 / 3 + 4);
        URL_SAFE_NO_PAD.encode_string(HEADER, &mut prefix);
        prefix.push('.');
        URL_SAFE_NO_PAD.encode_string(&json, &mut prefix);
        let mac = hs256::State::after(key.expose(), prefix.as_bytes());
        Self { prefix, rest, is_empty, mac }
    }

    /// Signs it with these times.
    pub fn sign(&self, times: &Times) -> String {
        // Both times take 40 bytes.
        let mut tail = Vec::with_capacity(64);
        tail.extend_from_slice(&self.rest);
        let mut comma = if self.is_empty { "" } else { "," };
        for (name, time) in [("iat", times.iat), ("exp", times.exp)] {
            if let Some(time) = time {
                // Writing to a vector cannot fail.
                let _ = write!(tail, "{comma}\"{name}\":{time}");
                comma = ",";
            }
        }
        tail.push(b'}');
        let mut token = String::with_capacity(self.prefix.len() + 128);
        token.push_str(&self.prefix);
        URL_SAFE_NO_PAD.encode_string(&tail, &mut token);
        let signature = self.mac.over(&token.as_bytes()[self.prefix.len()..]);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }

    /// About how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.prefix.len()
    }
}

/// What a token contains, and whether a key verifies it. The signature itself is not shown.
#[derive(Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// The JOSE header.
    pub header: serde_json::Value,
    /// The claims.
    pub claims: serde_json::Value,
    /// Whether the given key verifies it; `None` if there is no key.
    pub verified: Option<bool>,
}

/// Decodes a token; `None` if it is not three parts of base64url with JSON objects in the first
/// two.
pub fn inspect(token: &str, key: Option<&SigningKey>) -> Option<Inspection> {
    let mut parts = token.trim().split('.');
    let (header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let read = |part: &str| -> Option<serde_json::Value> {
        let value: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
        value.is_object().then_some(value)
    };
    let (header, claims) = (read(header)?, read(claims)?);
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    let verified = key.map(|key| {
        hs256::install();
        let key = DecodingKey::from_secret(key.expose());
        jsonwebtoken::decode::<serde_json::Value>(token.trim(), &key, &validation).is_ok()
    });
    Some(Inspection { header, claims, verified })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::payload::Texts;
    use crate::core::secret::Encoding;

    fn payloads() -> impl Strategy<Value = Payload> {
        let text = || proptest::option::of(".{0,40}");
        let list = || proptest::option::of(proptest::collection::vec(".{0,12}", 0..4));
        let fields = proptest::collection::btree_map("[1-9][0-9]{0,3}", ".{0,20}".prop_map(Texts::One), 0..4);
        ((text(), text(), text(), text(), text()), (list(), list(), list()), fields).prop_map(
            |((deskpro_id, email, name, timezone, language_id), (emails, usergroup_ids, labels), fields)| {
                Payload {
                    deskpro_id,
                    email,
                    emails,
                    name,
                    language_id,
                    usergroup_ids,
                    fields,
                    timezone,
                    labels,
                    ..Payload::default()
                }
            },
        )
    }

    proptest! {
        /// And so `jsonwebtoken`, which made the other one, verifies it.
        #[test]
        fn a_prepared_token_is_the_signed_one(
            payload in payloads(),
            key in "[ -~]{32,80}",
            now in 1_000_000_000_i64..4_000_000_000,
            lifetime in 60_i64..3600,
            (iat, exp) in any::<(bool, bool)>(),
        ) {
            let key = SigningKey::parse(&key, Encoding::Raw, false).expect("it is long enough");
            let prepared = Prepared::new(&payload, &key);
            for later in [0, 7, 100_000] {
                let (times, _) = Times::at(now + later, lifetime, None, iat, exp);
                let token = prepared.sign(&times);
                prop_assert_eq!(&token, &sign(&payload, &times, &key));
                prop_assert_eq!(inspect(&token, Some(&key)).and_then(|found| found.verified), Some(true));
            }
        }
    }
}
