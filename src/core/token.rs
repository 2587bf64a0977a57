//! The signed JWT: Deskpro's `signedUserInfo`. Header exactly `{"typ":"JWT","alg":"HS256"}`, the
//! payload's claims, then `iat` and `exp` as the messenger has them; no other claim.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;

use super::hs256;
use super::payload::Payload;
use super::secret::SigningKey;

/// How far `iat` lies in the past (seconds), so that a verifier whose clock is behind accepts it.
pub const IAT_BACK: i64 = 60;

/// Lifetime of a token in seconds: default and bounds.
pub const LIFETIME: i64 = 600;
/// The shortest lifetime that can be set.
pub const SHORTEST: i64 = 60;
/// The longest lifetime that can be set.
pub const LONGEST: i64 = 3600;

/// When a token was and will be valid; each may be left out by setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// `iat`, unix seconds.
    pub iat: Option<i64>,
    /// `exp`, unix seconds.
    pub exp: Option<i64>,
}

impl Times {
    /// The times of a token issued at `now` for `lifetime` seconds, never past `session_end`.
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
        .expect("a payload is texts, lists and maps")
}

/// Signs a payload.
pub fn sign(payload: &Payload, times: &Times, key: &SigningKey) -> String {
    let claims = Claims { payload, iat: times.iat, exp: times.exp };
    hs256::install();
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(key.expose()))
        .expect("HMAC signs any bytes with a key of any length")
}

/// What a token holds, and whether a key verifies it. The signature itself is not shown.
#[derive(Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// The JOSE header.
    pub header: serde_json::Value,
    /// The claims.
    pub claims: serde_json::Value,
    /// Whether the key that was given verifies it; none where there is no key.
    pub verified: Option<bool>,
}

/// Takes a token apart; `None` when it is not three parts of base64url with JSON objects in the
/// first two.
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
