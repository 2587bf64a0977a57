//! One token by itself: signature, algorithm, times, types, and the switches that concern them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use countersign::standin::{Expiry, Play, Reason, SecretText, UnknownClaims, verify};
use serde_json::{Value, json};

use super::{HEADER, NOW, SECRET, ana, raw, token};

fn reason(token: &str, play: &Play) -> Option<Reason> {
    verify(token, SECRET, play, NOW).err().map(|refusal| refusal.reason)
}

fn check(claims: &Value, expected: Option<Reason>) {
    let found = verify(&token(claims), SECRET, &Play::default(), NOW).err();
    assert_eq!(found.as_ref().map(|refusal| refusal.reason), expected, "{claims} gave {found:?}");
}

#[test]
fn the_example_of_rfc_7515_verifies() {
    let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let key = URL_SAFE_NO_PAD.decode(key).unwrap();
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0d\
                 HA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let claims = verify(token, &key, &Play::default(), 1_300_819_379).unwrap();
    assert_eq!(claims.notes.len(), 2, "iss and is_root are not in the guide: {:?}", claims.notes);
    let late = verify(token, &key, &Play::default(), 1_300_819_380).unwrap_err();
    assert_eq!(late.reason, Reason::Expired);
}

#[test]
fn every_changed_bit_of_a_token_refuses_it() {
    let good = token(&ana());
    assert_eq!(reason(&good, &Play::default()), None);
    let mut tried = 0;
    for place in 0..good.len() {
        for bit in 0..7 {
            let mut bytes = good.clone().into_bytes();
            bytes[place] ^= 1 << bit;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(reason(&changed, &Play::default()).is_some(), "accepted {changed}");
            tried += 1;
        }
    }
    assert!(tried > 700);
}

#[test]
fn only_hs256_in_these_capitals_is_an_algorithm() {
    for header in [
        r#"{"typ":"JWT","alg":"none"}"#,
        r#"{"typ":"JWT","alg":"None"}"#,
        r#"{"typ":"JWT","alg":"RS256"}"#,
        r#"{"typ":"JWT","alg":"HS512"}"#,
        r#"{"typ":"JWT","alg":"hs256"}"#,
        r#"{"typ":"JWT","alg":["HS256"]}"#,
        r#"{"typ":"JWT"}"#,
    ] {
        let signed = raw(header, &ana().to_string(), SECRET);
        assert_eq!(reason(&signed, &Play::default()), Some(Reason::WrongAlgorithm), "{header}");
        let unsigned = &signed[..=signed.rfind('.').unwrap()];
        assert_eq!(reason(unsigned, &Play::default()), Some(Reason::WrongAlgorithm), "{header} unsigned");
    }
    let named = verify(&raw(r#"{"alg":"RS256"}"#, "{}", SECRET), SECRET, &Play::default(), NOW).unwrap_err();
    assert!(named.message.contains("RS256"), "{}", named.message);
}

#[test]
fn another_key_and_a_cut_signature_are_bad_signatures() {
    let other = raw(HEADER, &ana().to_string(), b"another secret of the tests, as long");
    assert_eq!(reason(&other, &Play::default()), Some(Reason::BadSignature));
    let good = token(&ana());
    let without = &good[..=good.rfind('.').unwrap()];
    assert_eq!(reason(without, &Play::default()), Some(Reason::BadSignature));
    assert_eq!(reason(&good[..good.len() - 3], &Play::default()), Some(Reason::BadSignature));
}

#[test]
fn what_is_no_strict_token_is_malformed() {
    let good = token(&ana());
    let twice = r#"{"email":"ana@example.com","email":"bo@example.com"}"#;
    for bad in [
        "x".to_owned(),
        "a.b".to_owned(),
        format!("{good}."),
        format!("{good}="),
        format!(" {good}"),
        good.replace('.', ".."),
        raw(HEADER, "[]", SECRET),
        raw(HEADER, "{} {}", SECRET),
        raw(HEADER, "{", SECRET),
        raw(HEADER, twice, SECRET),
        raw(HEADER, r#"{"fields":{"7":"a","7":"b"}}"#, SECRET),
        raw(r#"{"alg":"none","alg":"HS256"}"#, "{}", SECRET),
        raw(r#"{"typ":"JWS","alg":"HS256"}"#, "{}", SECRET),
        raw(r#"{"crit":["b64"],"b64":true,"alg":"HS256"}"#, "{}", SECRET),
    ] {
        assert_eq!(reason(&bad, &Play::default()), Some(Reason::Malformed), "{bad}");
    }
}

#[test]
fn claims_have_the_types_of_the_guide() {
    check(
        &json!({"deskpro_id": "42", "email": "a@b.example", "emails": ["c@d.example"], "name": "A B",
            "organization_id": "3", "language_id": "1", "usergroup_ids": ["5"], "timezone": "Europe/Berlin",
            "fields": {"7": "x", "8": ["1", "2"]}, "labels": []}),
        None,
    );
    for claims in [
        json!({"deskpro_id": 42}),
        json!({"email": ["a@b.example"]}),
        json!({"email": null}),
        json!({"emails": "a@b.example"}),
        json!({"usergroup_ids": [5]}),
        json!({"organization_id": 3}),
        json!({"labels": "vip"}),
        json!({"fields": ["x"]}),
        json!({"fields": {"7": 1}}),
        json!({"fields": {"7": ["x", true]}}),
        json!({"exp": "1800000600"}),
        json!({"iat": 1.5}),
    ] {
        check(&claims, Some(Reason::WrongType));
    }
    for claims in [
        json!({"deskpro_id": "4a"}),
        json!({"deskpro_id": "042"}),
        json!({"email": "nobody"}),
        json!({"email": "a@b@c.example"}),
        json!({"name": " "}),
        json!({"labels": [""]}),
    ] {
        check(&claims, Some(Reason::WrongValue));
    }
}

#[test]
fn iat_and_nbf_in_the_future_wait_for_the_clock() {
    for name in ["iat", "nbf"] {
        check(&json!({name: NOW}), None);
        check(&json!({name: NOW + 1}), Some(Reason::NotYetValid));
        let play = Play { leeway: 30, ..Play::default() };
        assert_eq!(reason(&token(&json!({name: NOW + 30})), &play), None);
        assert_eq!(reason(&token(&json!({name: NOW + 31})), &play), Some(Reason::NotYetValid));
    }
}

#[test]
fn the_switch_for_exp_ignores_checks_or_requires_it() {
    let (past, none) = (token(&json!({"exp": NOW})), token(&json!({})));
    for (exp, for_past, for_none) in [
        (Expiry::Ignored, None, None),
        (Expiry::Checked, Some(Reason::Expired), None),
        (Expiry::Required, Some(Reason::Expired), Some(Reason::NoExpiry)),
    ] {
        let play = Play { exp, ..Play::default() };
        assert_eq!(reason(&past, &play), for_past, "{exp:?}");
        assert_eq!(reason(&none, &play), for_none, "{exp:?}");
    }
    let play = Play { leeway: 30, ..Play::default() };
    assert_eq!(reason(&token(&json!({"exp": NOW - 29})), &play), None);
    assert_eq!(reason(&token(&json!({"exp": NOW - 30})), &play), Some(Reason::Expired));
}

#[test]
fn the_switch_for_unknown_claims_ignores_or_refuses_them() {
    let token = token(&json!({"email": "ana@example.com", "nickname": "Ani"}));
    let claims = verify(&token, SECRET, &Play::default(), NOW).unwrap();
    assert!(claims.notes[0].contains("nickname"));
    let play = Play { unknown_claims: UnknownClaims::Refused, ..Play::default() };
    assert_eq!(reason(&token, &play), Some(Reason::UnknownClaim));
    assert_eq!(reason(&self::token(&ana()), &play), None, "iat and exp are known");
}

#[test]
fn the_switch_for_the_secret_reads_text_or_base64() {
    let encoded = STANDARD.encode(SECRET);
    let play = Play { secret: SecretText::Base64, ..Play::default() };
    let signed = token(&ana());
    assert!(verify(&signed, encoded.as_bytes(), &play, NOW).is_ok());
    assert!(verify(&signed, encoded.trim_end_matches('=').as_bytes(), &play, NOW).is_ok());
    let as_text = verify(&signed, encoded.as_bytes(), &Play::default(), NOW).unwrap_err();
    assert_eq!(as_text.reason, Reason::BadSignature);
    assert_eq!(reason(&signed, &play), Some(Reason::BadSecret), "the secret of the tests is no base64");
}
