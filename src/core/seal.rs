//! Secrets at rest: sealed with a sub-key of the master key and XChaCha20-Poly1305. A seal is bound to its
//! purpose, so that the seal of one row does not open in another row.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

/// Bytes of randomness that each seal needs.
pub const NONCE: usize = 24;

/// Seals with the first half of a sub-key. `context` says what a seal is for, such as a row's id.
pub struct Seal(XChaCha20Poly1305);

impl Seal {
    /// Creates it from a sub-key of the master key.
    pub fn new(key: &[u8; 64]) -> Self {
        let half = Key::try_from(&key[..32]).expect("half of 64 bytes");
        Self(XChaCha20Poly1305::new(&half))
    }

    /// Seals a secret; `nonce` is random and used once.
    pub fn seal(&self, context: &str, secret: &[u8], nonce: [u8; NONCE]) -> String {
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: context.as_bytes() })
            .expect("a secret is far shorter than the cipher's limit");
        STANDARD.encode([nonce.as_slice(), &sealed].concat())
    }

    /// Opens a seal; `None` if it was changed, or made with another key or for another purpose.
    pub fn open(&self, context: &str, sealed: &str) -> Option<Vec<u8>> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
        let nonce = XNonce::try_from(nonce).ok()?;
        self.0.decrypt(&nonce, Payload { msg: sealed, aad: context.as_bytes() }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_under_its_key_and_for_its_purpose_alone() {
        let seal = Seal::new(&[7; 64]);
        let sealed = seal.seal("key 1", b"a secret", [9; NONCE]);
        assert!(!sealed.contains("secret"));
        assert_eq!(seal.open("key 1", &sealed).as_deref(), Some(b"a secret".as_slice()));
        assert_eq!(seal.open("key 2", &sealed), None);
        assert_eq!(Seal::new(&[8; 64]).open("key 1", &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(seal.open("key 1", &changed), None, "{at}");
        }
        for odd in ["", "x", "AAAA", &sealed[..20]] {
            assert_eq!(seal.open("key 1", odd), None, "{odd}");
        }
    }
}
