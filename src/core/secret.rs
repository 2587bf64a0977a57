//! Keys: the master key with its sub-keys, and the signing key shared with Deskpro. They show
//! nothing of themselves when printed.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};

/// Keys for one purpose each, derived from the master key by HKDF (RFC 5869).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signs the session cookie.
    Cookie,
    /// CSRF tokens.
    Csrf,
    /// Digests of logins and networks in the table of attempts.
    Attempts,
    /// The subject by which a page notices another user.
    Subject,
    /// What the database remembers to notice a wrong key.
    Fingerprint,
}

impl Purpose {
    fn info(self) -> &'static [u8] {
        match self {
            Self::Cookie => b"countersign/cookie",
            Self::Csrf => b"countersign/csrf",
            Self::Attempts => b"countersign/attempts",
            Self::Subject => b"countersign/subject",
            Self::Fingerprint => b"countersign/fingerprint",
        }
    }
}

/// Our own key. Whoever has it can forge sessions, so it is never in the database.
#[derive(Clone, Debug)]
pub struct MasterKey(SecretSlice<u8>);

impl MasterKey {
    /// Bytes of a new key.
    pub const BYTES: usize = 32;

    /// Takes the key's bytes.
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

    /// What a database remembers of the key: tells whether it is the same one, and nothing else.
    pub fn fingerprint(&self) -> String {
        hex(&self.sub_key(Purpose::Fingerprint)[..16])
    }
}

/// The HS256 secret shared with Deskpro, at least 32 bytes (RFC 7518 section 3.2).
#[derive(Clone, Debug)]
pub struct SigningKey(SecretSlice<u8>);

/// How a signing key is written down. Never guessed: a mix-up is the commonest failure of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// The UTF-8 bytes as pasted.
    #[default]
    Raw,
    /// RFC 4648 section 4, padding optional.
    Base64,
    /// RFC 4648 section 5, padding optional.
    Base64Url,
    /// Pairs of hex digits.
    Hex,
}

impl Encoding {
    /// The words of the setting.
    pub const WORDS: [&str; 4] = ["raw", "base64", "base64url", "hex"];

    /// Reads the setting.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "raw" => Some(Self::Raw),
            "base64" => Some(Self::Base64),
            "base64url" => Some(Self::Base64Url),
            "hex" => Some(Self::Hex),
            _ => None,
        }
    }

    /// The word of the setting.
    pub fn as_str(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// Why a text is no key. Nothing of the text is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not written in the encoding that was said.
    #[error("it cannot be read as {0}")]
    Undecodable(&'static str),
    /// Fewer than 32 bytes.
    #[error("it has {0} bytes, at least 32 are needed")]
    Short(usize),
    /// A value from a manual, or one that anybody would guess.
    #[error("it is an example value that everybody knows")]
    Example,
}

/// Texts that stand in manuals. Compared without regard to capitals.
const EXAMPLES: [&str; 7] = [
    "your-256-bit-secret",
    "a-string-secret-at-least-256-bits-long",
    "changeme",
    "change-me",
    "example",
    "secret",
    "your_jwt_secret",
];

impl SigningKey {
    /// Reads a key in its encoding. A short one is taken only when `allow_short` says so.
    pub fn parse(text: &str, encoding: Encoding, allow_short: bool) -> Result<Self, KeyError> {
        let small = text.trim().to_lowercase();
        let bytes = match encoding {
            Encoding::Raw => text.as_bytes().to_vec(),
            Encoding::Base64 => {
                decode_base64(text, &alphabet::STANDARD).ok_or(KeyError::Undecodable("base64"))?
            }
            Encoding::Base64Url => {
                decode_base64(text, &alphabet::URL_SAFE).ok_or(KeyError::Undecodable("base64url"))?
            }
            Encoding::Hex => decode_hex(text).ok_or(KeyError::Undecodable("hex"))?,
        };
        let repeated = (1..=8).any(|width| {
            bytes.len() >= 2 * width && bytes.iter().zip(bytes.iter().skip(width)).all(|(a, b)| a == b)
        });
        // The example of RFC 7515 A.1 and the words of manuals, alone or repeated to the length.
        let is_example = EXAMPLES.iter().any(|example| {
            !small.is_empty() && small.replace(example, "").trim_matches(['-', '_', ' ']).is_empty()
        }) || bytes == RFC_7515_KEY;
        if is_example || (repeated && !bytes.is_empty()) {
            return Err(KeyError::Example);
        }
        if bytes.is_empty() || (bytes.len() < 32 && !allow_short) {
            return Err(KeyError::Short(bytes.len()));
        }
        Ok(Self(SecretSlice::from(bytes)))
    }

    /// The bytes, for signing alone.
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

/// The symmetric key printed in RFC 7515 appendix A.1.
const RFC_7515_KEY: [u8; 64] = [
    3, 35, 53, 75, 43, 15, 165, 188, 131, 126, 6, 101, 119, 123, 166, 143, 90, 179, 40, 230, 240, 84, 201,
    40, 169, 15, 132, 178, 210, 80, 46, 191, 211, 251, 90, 146, 210, 6, 71, 239, 150, 138, 180, 195, 119, 98,
    61, 34, 61, 46, 33, 114, 5, 46, 79, 8, 192, 205, 154, 245, 103, 208, 128, 163,
];

/// HMAC-SHA256 under a sub-key, in hex.
pub fn keyed_digest(key: &[u8], parts: &[&str]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        // The length first, so that ("a", "bc") and ("ab", "c") differ.
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    hex(&mac.finalize().into_bytes())
}

/// SHA-256 in hex: what is stored of a reference that only its holder knows.
pub fn digest(reference: &str) -> String {
    hex(&Sha256::digest(reference.as_bytes()))
}

/// Small hex digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

fn decode_base64(text: &str, alphabet: &alphabet::Alphabet) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config).decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signing_key_is_read_in_the_encoding_that_was_said() {
        let check = |text: &str, encoding, expected: Result<&[u8], KeyError>| {
            let key = SigningKey::parse(text, encoding, false);
            assert_eq!(key.as_ref().map(SigningKey::expose), expected.as_ref().copied(), "{text}");
        };
        let raw = "0123456789abcdef0123456789ABCDEF";
        check(raw, Encoding::Raw, Ok(raw.as_bytes()));
        check(&hex(raw.as_bytes()), Encoding::Hex, Ok(raw.as_bytes()));
        check("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY=", Encoding::Base64, Ok(raw.as_bytes()));
        check("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY", Encoding::Base64Url, Ok(raw.as_bytes()));
        check(raw, Encoding::Base64, Err(KeyError::Short(24)));
        check("not hex at all, however long it may be", Encoding::Hex, Err(KeyError::Undecodable("hex")));
        check(
            "not+base64url/with+these/characters+in/it+++",
            Encoding::Base64Url,
            Err(KeyError::Undecodable("base64url")),
        );
        check(&raw[..31], Encoding::Raw, Err(KeyError::Short(31)));
        check("", Encoding::Raw, Err(KeyError::Short(0)));
    }

    #[test]
    fn values_from_manuals_are_refused_even_where_short_keys_are_allowed() {
        for text in [
            "your-256-bit-secret",
            "a-string-secret-at-least-256-bits-long",
            "SecretSecretSecretSecretSecretSecret",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "12341234123412341234123412341234",
            "changeme",
        ] {
            assert_eq!(SigningKey::parse(text, Encoding::Raw, true).err(), Some(KeyError::Example), "{text}");
        }
        let rfc = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        assert_eq!(SigningKey::parse(rfc, Encoding::Base64Url, false).err(), Some(KeyError::Example));
        assert!(SigningKey::parse("short but odd", Encoding::Raw, true).is_ok());
    }

    #[test]
    fn a_key_shows_nothing_of_itself() {
        let text = "0123456789abcdef0123456789ABCDEF";
        let key = SigningKey::parse(text, Encoding::Raw, false).expect("long enough");
        let master = MasterKey::parse(&"0fa1".repeat(16)).expect("32 bytes");
        let printed = format!("{key:?} {master:?}");
        assert!(
            !printed.contains("0123") && !printed.contains("0fa1") && !printed.contains("15"),
            "{printed}"
        );
    }
}
