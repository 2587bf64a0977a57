//! The master key and its sub-keys.

use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

use super::digest::{decode_hex, hex};
use super::signing_key::KeyError;

/// What a key is for. Each purpose has its own key, derived from the master key by HKDF (RFC 5869).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signs the session cookie.
    Cookie,
    /// CSRF tokens.
    Csrf,
    /// Digests of logins and networks in the table of attempts.
    Attempts,
    /// The subject by which a page notices that the user has changed.
    Subject,
    /// Seals secrets at rest.
    Seal,
    /// Digests of settings, which several servers compare.
    Instances,
    /// The value that the database stores to detect a wrong key.
    Fingerprint,
}

impl Purpose {
    fn info(self) -> &'static [u8] {
        match self {
            Self::Cookie => b"countersign/cookie",
            Self::Csrf => b"countersign/csrf",
            Self::Attempts => b"countersign/attempts",
            Self::Subject => b"countersign/subject",
            Self::Seal => b"countersign/seal",
            Self::Instances => b"countersign/instances",
            Self::Fingerprint => b"countersign/fingerprint",
        }
    }
}

/// Countersign's own key. Anyone who has it can forge sessions, so it is never in the database.
#[derive(Clone, Debug)]
pub struct MasterKey(SecretSlice<u8>);

impl MasterKey {
    /// The length of a key in bytes.
    pub const BYTES: usize = 32;

    /// A key from its bytes.
    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(SecretSlice::from(bytes.to_vec()))
    }

    /// Reads a key as it is written to a file: 64 hex digits.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let bytes = decode_hex(text.trim()).ok_or(KeyError::Undecodable("hex"))?;
        let bytes: [u8; Self::BYTES] =
            bytes.try_into().map_err(|bytes: Vec<u8>| KeyError::Short(bytes.len()))?;
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(KeyError::Example);
        }
        Ok(Self::new(bytes))
    }

    /// The key for a purpose, 64 bytes.
    pub fn sub_key(&self, purpose: Purpose) -> [u8; 64] {
        let mut key = [0; 64];
        Hkdf::<Sha256>::new(None, self.0.expose_secret())
            .expand(purpose.info(), &mut key)
            .expect("64 bytes are within HKDF's limit of 255 hashes");
        key
    }

    /// What a database stores about the key. It shows only whether it is the same key.
    pub fn fingerprint(&self) -> String {
        hex(&self.sub_key(Purpose::Fingerprint)[..16])
    }
}
