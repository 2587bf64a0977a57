//! The signing key shared with Deskpro. It reveals nothing when it is printed.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use secrecy::{ExposeSecret, SecretSlice};

use super::digest::decode_hex;

/// The HS256 secret shared with Deskpro, at least 32 bytes (RFC 7518 section 3.2).
#[derive(Clone, Debug)]
pub struct SigningKey(SecretSlice<u8>);

/// How a signing key is encoded. It is never guessed: a wrong encoding is the most common failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// The UTF-8 bytes as they were added.
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

/// What a signing key is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It waits until Deskpro knows it.
    Next,
    /// It signs.
    Active,
    /// It signed before, and can be used again.
    Retired,
}

impl KeyState {
    /// The word in the table and in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }

    /// The state that a word means; an unknown word means a key that does not sign.
    pub fn parse(word: &str) -> Self {
        match word {
            "next" => Self::Next,
            "active" => Self::Active,
            _ => Self::Retired,
        }
    }
}

/// Why a string is not a key. It contains no part of the string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not valid in the given encoding.
    #[error("it cannot be read as {0}")]
    Undecodable(&'static str),
    /// Fewer than 32 bytes.
    #[error("it has {0} bytes, but at least 32 are needed")]
    Short(usize),
    /// A value from a manual, or one that is easy to guess.
    #[error("it is a publicly known example value")]
    Example,
}

/// Words from manuals and templates, in lowercase: a string that consists of only one of these.
const EXAMPLES: [&str; 5] = ["changeme", "example", "secret", "password", "test"];
/// Words that occur only in a placeholder for a secret, with `-` for every separator.
const TELLTALES: [&str; 10] = [
    "bit-secret",
    "bits-long",
    "change-me",
    "changeme",
    "goes-here",
    "paste-",
    "placeholder",
    "replace-me",
    "secret-here",
    "your-secret",
];
/// Keys from specifications: RFC 7515 appendix A.1 and RFC 7520 section 3.5.
const PRINTED: [&str; 2] = [
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
];

/// Whether a string is a word from a manual rather than a secret.
fn is_from_a_manual(text: &str) -> bool {
    let small = text.trim().to_lowercase();
    if small.is_empty() {
        return false;
    }
    let is_separator = |letter: char| matches!(letter, '-' | '_' | ' ' | '.' | '!' | '<' | '>');
    let joined = small.replace(is_separator, "-");
    EXAMPLES.iter().any(|example| small.replace(example, "").chars().all(is_separator))
        || TELLTALES.iter().any(|telltale| joined.contains(telltale))
        || (small.starts_with('<') && small.ends_with('>'))
}

/// Whether bytes are a shorter sequence repeated.
fn is_repeated(bytes: &[u8]) -> bool {
    let piece = |width: usize| bytes.iter().zip(&bytes[width..]).all(|(one, other)| one == other);
    (1..=bytes.len() / 2).any(piece)
}

impl SigningKey {
    /// Reads a key in its encoding. A short key is accepted only if `allow_short` is set.
    pub fn parse(text: &str, encoding: Encoding, allow_short: bool) -> Result<Self, KeyError> {
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
        let decoded = std::str::from_utf8(&bytes).unwrap_or_default();
        let is_printed = PRINTED.iter().any(|printed| {
            text.trim() == *printed || decode_base64(printed, &alphabet::URL_SAFE).as_ref() == Some(&bytes)
        });
        if is_printed || is_from_a_manual(text) || is_from_a_manual(decoded) || is_repeated(&bytes) {
            return Err(KeyError::Example);
        }
        if bytes.is_empty() || (bytes.len() < 32 && !allow_short) {
            return Err(KeyError::Short(bytes.len()));
        }
        Ok(Self(SecretSlice::from(bytes)))
    }

    /// The bytes, only for signing.
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

fn decode_base64(text: &str, alphabet: &alphabet::Alphabet) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config).decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::super::digest::hex;
    use super::super::master_key::MasterKey;
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
            "0123456789abcdef0123456789abcdef",
            "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
            "your-384-bit-secret-your-384-bit-secret",
            "changeme-changeme-changeme-changeme!",
            "my-super-secret-key-change-me-in-production",
            "<paste the secret from Deskpro here>",
            "changeme",
        ] {
            assert_eq!(SigningKey::parse(text, Encoding::Raw, true).err(), Some(KeyError::Example), "{text}");
        }
        for printed in PRINTED {
            for encoding in [Encoding::Base64Url, Encoding::Raw] {
                assert_eq!(SigningKey::parse(printed, encoding, false).err(), Some(KeyError::Example));
            }
        }
        // The words are also recognised after decoding, in every encoding.
        let jwt_io = "a-string-secret-at-least-256-bits-long";
        assert_eq!(
            SigningKey::parse(&hex(jwt_io.as_bytes()), Encoding::Hex, false).err(),
            Some(KeyError::Example)
        );
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
