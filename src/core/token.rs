//! The signed JWT: Deskpro's `signedUserInfo`. Its header is exactly `{"typ":"JWT","alg":"HS256"}`. Its
//! claims are those of the payload, then `iat` and `exp` as set for the messenger; there is no other claim.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;

use super::hs256;
use super::payload::Payload;
use super::secret::SigningKey;

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

/// Signs a payload.
pub fn sign(payload: &Payload, times: &Times, key: &SigningKey) -> String {
    let claims = Claims { payload, iat: times.iat, exp: times.exp };
    hs256::install();
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(key.expose()))
        .expect("HMAC signs any bytes with a key of any length")
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
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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
