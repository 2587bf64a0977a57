//! HMAC-SHA-256 for `jsonwebtoken`: its own providers bring a C library, or RSA code that nothing here may call.
//!
//! The primitive is `RustCrypto`'s `hmac` and `sha2`, which the tree has for digests and sub-keys. Whoever must use a
//! validated module (FIPS 140) exchanges this file for `jsonwebtoken`'s feature `aws_lc_rs`.

use std::sync::Once;

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey};
use sha2::Sha256;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key: &EncodingKey| {
        let bytes = (key.family() == AlgorithmFamily::Hmac).then(|| key.as_bytes());
        Ok(Box::new(Hs256::new(*algorithm, bytes)?))
    },
    verifier_factory: |algorithm, key: &DecodingKey| {
        let bytes = (key.family() == AlgorithmFamily::Hmac).then(|| key.try_get_as_bytes()).transpose()?;
        Ok(Box::new(Hs256::new(*algorithm, bytes)?))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes `jsonwebtoken` use it, once per process. Called by whatever signs or verifies.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        PROVIDER.install_default().expect("nothing else provides cryptography to jsonwebtoken");
    });
}

/// The state of HMAC-SHA-256 after a key and the start of a message.
pub struct State(Hmac<Sha256>);

impl State {
    /// The state after `start`.
    pub fn after(key: &[u8], start: &[u8]) -> Self {
        let mut mac = Hmac::new_from_slice(key).expect("HMAC takes a key of any length");
        mac.update(start);
        Self(mac)
    }

    /// The signature of a message that continues with `rest`.
    pub fn over(&self, rest: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(rest);
        mac.finalize().into_bytes().into()
    }
}

/// The state of HMAC-SHA-256 after its key.
struct Hs256(Hmac<Sha256>);

impl Hs256 {
    /// `key` is `None` for a key that is no shared secret.
    fn new(algorithm: Algorithm, key: Option<&[u8]>) -> Result<Self, Error> {
        if algorithm != Algorithm::HS256 {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        let key = key.and_then(|key| Hmac::new_from_slice(key).ok());
        key.map(Self).ok_or_else(|| ErrorKind::InvalidKeyFormat.into())
    }

    fn over(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(message);
        mac
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.over(message).finalize().into_bytes().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    /// In constant time.
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        self.over(message).verify_slice(signature).map_err(signature::Error::from_source)
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::crypto;

    use super::*;

    /// RFC 7515, appendix A.1.
    #[test]
    fn the_example_of_the_standard_is_signed_and_verified() {
        install();
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let key = URL_SAFE_NO_PAD.decode(key).expect("base64url");
        let message =
            b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0\
dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let signed = crypto::sign(message, &EncodingKey::from_secret(&key), Algorithm::HS256);
        assert_eq!(signed.expect("it is signed"), signature);
        let verify = |message: &[u8], key: &[u8], algorithm| {
            crypto::verify(signature, message, &DecodingKey::from_secret(key), algorithm)
        };
        assert!(verify(message, &key, Algorithm::HS256).expect("it is judged"));
        assert!(!verify(&message[1..], &key, Algorithm::HS256).expect("it is judged"));
        assert!(!verify(message, &key[1..], Algorithm::HS256).expect("it is judged"));
        for other in [Algorithm::HS384, Algorithm::HS512, Algorithm::RS256, Algorithm::ES256] {
            assert!(verify(message, &key, other).is_err(), "{other:?}");
        }
    }

    /// Project Wycheproof's vectors: keys and messages of many lengths, signatures that were changed by one bit or cut.
    #[test]
    fn wycheproof_s_vectors_hold() {
        install();
        let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256).expect("the vectors");
        let mut judged = 0;
        for group in set.test_groups.iter().filter(|group| group.tag_size == 256) {
            for test in &group.tests {
                let (tag, key) = (URL_SAFE_NO_PAD.encode(&test.tag[..]), DecodingKey::from_secret(&test.key));
                let is_good = crypto::verify(&tag, &test.msg, &key, Algorithm::HS256).expect("it is judged");
                assert_eq!(
                    is_good,
                    test.result != wycheproof::TestResult::Invalid,
                    "{}: {}",
                    test.tc_id,
                    test.comment
                );
                judged += 1;
            }
        }
        assert!(judged > 80, "only {judged} vectors");
    }
}
