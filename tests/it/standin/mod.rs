//! The stand-in Deskpro as a counterpart: which tokens it takes, for which reason it refuses the others, what it makes
//! of people, and that each of its switches changes what it is named after. Tokens are made here by hand.

mod http;
mod people;
mod verify;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::standin::{Judgement, Play, Presented, StandIn};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

const SECRET: &[u8] = b"a secret of the tests, 32 bytes or more";
const NOW: i64 = 1_800_000_000;
const HEADER: &str = r#"{"typ":"JWT","alg":"HS256"}"#;

fn raw(header: &str, payload: &str, key: &[u8]) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
    mac.update(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn token(claims: &Value) -> String {
    raw(HEADER, &claims.to_string(), SECRET)
}

fn ana() -> Value {
    json!({"email": "ana@example.com", "name": "Ana Lopez", "iat": NOW - 60, "exp": NOW + 600})
}

fn start(play: Play) -> StandIn {
    StandIn::start("127.0.0.1:0", SECRET, play, || NOW).expect("the stand-in answers")
}

fn present(standin: &StandIn, claims: &Value) -> Judgement {
    standin.judge(&Presented::Token(token(claims)))
}
