//! Opens a token: three strict base64url parts, a header that says HS256, and a valid signature. The
//! content of the payload is checked in `claims`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::json;
use super::play::SecretText;
use super::refusal::{Reason, Refusal, quoted};

/// The payload of a token whose signature is valid.
pub(super) fn open(token: &str, secret: &[u8], reading: SecretText) -> Result<Map<String, Value>, Refusal> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        return Err(Refusal::new(
            Reason::Malformed,
            format!("A token has three parts with dots between them; this has {}.", parts.len()),
        ));
    };
    check_header(&json::object(&decode(header, "header")?).map_err(|why| not_json("header", &why))?)?;
    let signature = decode(signature, "signature")?;

    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret, reading)?)
        .expect("HMAC takes a key of any length (RFC 2104)");
    mac.update(header.as_bytes());
    mac.update(b".");
    mac.update(payload.as_bytes());
    // In constant time, and false for any length different from 32 bytes.
    if mac.verify_slice(&signature).is_err() {
        return Err(Refusal::new(
            Reason::BadSignature,
            "The signature was not made with the secret that support has.",
        ));
    }
    json::object(&decode(payload, "payload")?).map_err(|why| not_json("payload", &why))
}

/// Checked before the signature: a token must not choose how it is verified (RFC 8725 section 3.1).
fn check_header(header: &Map<String, Value>) -> Result<(), Refusal> {
    match header.get("alg") {
        Some(Value::String(name)) if name == "HS256" => {}
        Some(Value::String(name)) => {
            return Err(Refusal::new(
                Reason::WrongAlgorithm,
                format!("The token says it is signed with {}; only HS256 is accepted.", quoted(name)),
            ));
        }
        Some(_) | None => {
            return Err(Refusal::new(
                Reason::WrongAlgorithm,
                "The token does not name its algorithm; only HS256 is accepted.",
            ));
        }
    }
    // RFC 7519 section 5.1 compares `typ` without regard to case; it may be missing.
    let typ_is_wrong = header
        .get("typ")
        .is_some_and(|typ| !typ.as_str().is_some_and(|name| name.eq_ignore_ascii_case("JWT")));
    if typ_is_wrong {
        return Err(Refusal::new(Reason::Malformed, "The token’s header has a typ that is not JWT."));
    }
    // RFC 7515 section 4.1.11: a verifier that does not support an extension listed in `crit` refuses.
    if header.contains_key("crit") {
        return Err(Refusal::new(Reason::Malformed, "The token’s header asks for extensions (crit)."));
    }
    Ok(())
}

/// Without padding, and without leftover bits in the last character (RFC 7515 section 2), so that two
/// different spellings of one signature cannot both be valid.
fn decode(part: &str, name: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| {
        Refusal::new(Reason::Malformed, format!("The token’s {name} is not base64url without padding."))
    })
}

fn key(secret: &[u8], reading: SecretText) -> Result<Vec<u8>, Refusal> {
    const EITHER_PADDING: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    match reading {
        SecretText::Raw => Ok(secret.to_vec()),
        SecretText::Base64 => EITHER_PADDING.decode(secret).map_err(|_| {
            Refusal::new(
                Reason::BadSecret,
                "The stand-in reads its secret as base64, but it is not valid base64.",
            )
        }),
    }
}

fn not_json(name: &str, why: &str) -> Refusal {
    Refusal::new(Reason::Malformed, format!("The token’s {name} is not a JSON object: {why}."))
}
