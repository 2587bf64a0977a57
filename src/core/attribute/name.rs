//! Which names an attribute may have, and which names and values belong to secrets
//! (`mapping.md` 1.1 and 1.5).

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::{BUILT_IN, is_blank};
use crate::core::visible::{code, differ_by, is_format, likeness, shown, shown_with_marks};

/// The maximum number of custom attributes of a site: a token reads the settings of all of them.
pub const MAX_ATTRIBUTES: usize = 1_000;

/// The longest name of a custom attribute, in characters.
pub const MAX_NAME_CHARS: usize = 64;

/// Why an attribute cannot have a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is empty, or has more than [`MAX_NAME_CHARS`] characters.
    #[error("the name of an attribute can have 1 to {MAX_NAME_CHARS} characters, this one has {0}")]
    Length(usize),
    /// No visible character.
    #[error("the name of an attribute cannot be blank")]
    Blank,
    /// A control character, or a character with a meaning in a mapping.
    #[error("the name of an attribute cannot contain {}", character(*.0))]
    Character(char),
    /// A built-in attribute has it.
    #[error("{0} is a built-in attribute")]
    BuiltIn(String),
    /// Another attribute differs only in uppercase and lowercase.
    #[error("there is already an attribute {0}, which differs only in uppercase and lowercase")]
    OtherCase(String),
    /// Another attribute looks the same.
    #[error("there is already an attribute {}, and {} differs from it only by {}", shown(.other), shown(.name), .by)]
    Alike {
        /// The name.
        name: String,
        /// The other attribute.
        other: String,
        /// How the two differ.
        by: String,
    },
    /// It has a character that cannot be seen (Cf).
    #[error("the name {} contains the invisible character {}; write it without", shown(.0), code(*.1))]
    Invisible(String, char),
    /// It is not in the Unicode form NFC.
    #[error("the name {} is not in the Unicode form NFC; write it as {}", shown_with_marks(.0), .0.nfc())]
    NotNfc(String),
    /// There are [`MAX_ATTRIBUTES`] already.
    #[error("there are already {MAX_ATTRIBUTES} attributes, which is the maximum")]
    TooMany,
    /// It names a secret.
    #[error("{0} looks like a password or another secret, which attributes must not contain")]
    Secret(String),
}

/// A character as a message shows it.
fn character(letter: char) -> String {
    let shown = shown(letter.encode_utf8(&mut [0; 4])).into_owned();
    if shown.len() > letter.len_utf8() { code(letter) } else { format!("'{shown}'") }
}

/// Checks the name of a new custom attribute by itself and against the built-in ones.
pub fn check_name(name: &str) -> Result<(), NameError> {
    let length = name.chars().count();
    if !(1..=MAX_NAME_CHARS).contains(&length) {
        return Err(NameError::Length(length));
    }
    if is_blank(name) {
        return Err(NameError::Blank);
    }
    let odd = |c: &char| c.is_control() || matches!(c, '{' | '}' | '|');
    if let Some(character) = name.chars().find(odd) {
        return Err(NameError::Character(character));
    }
    if BUILT_IN.contains(&name) {
        return Err(NameError::BuiltIn(name.to_owned()));
    }
    let folded = likeness(name);
    if let Some(other) = BUILT_IN.iter().find(|known| **known == folded) {
        return Err(alike(name, other));
    }
    if is_secret_name(name) {
        return Err(NameError::Secret(name.to_owned()));
    }
    check_spelling(name)
}

/// Checks the characters of a name that no other attribute has (`mapping.md` 1.1). Names that are older
/// than this check are compared as they are.
pub(super) fn check_spelling(name: &str) -> Result<(), NameError> {
    if let Some(letter) = name.chars().find(|letter| is_format(*letter)) {
        return Err(NameError::Invisible(name.to_owned(), letter));
    }
    if !is_nfc(name) {
        return Err(NameError::NotNfc(name.to_owned()));
    }
    Ok(())
}

/// The error for a name that looks like another one.
pub(super) fn alike(name: &str, other: &str) -> NameError {
    let (name, other) = (name.to_owned(), other.to_owned());
    let lowercase = |name: &str| name.chars().flat_map(char::to_lowercase).collect::<String>();
    if lowercase(&name) == lowercase(&other) {
        return NameError::OtherCase(other);
    }
    let by = differ_by(&name, &other).unwrap_or_default();
    NameError::Alike { name, other, by }
}

/// Whether a name belongs to a password, hash, key or other secret (`mapping.md` 1.5).
pub fn is_secret_name(name: &str) -> bool {
    const WHOLE: [&str; 2] = ["pass", "userpass"];
    const INSIDE: [&str; 11] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "apikey",
        "accesskey",
        "privatekey",
        "authtoken",
        "accesstoken",
        "refreshtoken",
        "pwdhash",
    ];
    // Invisible characters in the middle of a word would hide it.
    let composed: String = name.nfkc().filter(|letter| !is_format(*letter)).collect();
    let letters = composed.chars().flat_map(char::to_lowercase);
    let whole: String = letters.filter(|c| c.is_alphanumeric()).collect();
    WHOLE.contains(&whole.as_str())
        || INSIDE.iter().any(|part| whole.contains(part))
        || is_secret_word(&whole)
        || words(&composed).iter().any(|word| is_secret_word(&word.to_lowercase()))
}

fn is_secret_word(word: &str) -> bool {
    const WORDS: [&str; 9] = ["hash", "token", "totp", "otp", "seed", "salt", "pwd", "jwt", "credential"];
    let singular = word.strip_suffix('s').unwrap_or(word);
    WORDS.contains(&word) || WORDS.contains(&singular) || word == "hashes"
}

/// Whether the rest starts with the last letter of an uppercase word and the `s` of its plural.
fn is_plural(rest: &[char]) -> bool {
    rest.get(1) == Some(&'s') && !rest.get(2).is_some_and(|letter| letter.is_lowercase())
}

/// The words of a name: split at everything that is not a letter, between `a` and `B`, and between `A` and
/// `Bc`.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (i, &letter) in letters.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| letters[i]);
        let after = letters.get(i + 1);
        let starts = letter.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase()
                    || (b.is_uppercase()
                        && after.is_some_and(|a| a.is_lowercase())
                        && !is_plural(&letters[i..]))
            });
        if starts || !letter.is_alphabetic() {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_alphabetic(), words.last_mut()) {
            word.push(letter);
        }
    }
    words
}

/// Whether a value starts like a stored password (`mapping.md` 1.5), so that its column is secret.
pub fn looks_like_a_stored_password(text: &str) -> bool {
    const BEGINNINGS: [&str; 19] = [
        "$1$", "$2a$", "$2b$", "$2x$", "$2y$", "$5$", "$6$", "$7$", "$y$", "$gy$", "$argon2", "$scrypt$",
        "$pbkdf2", "$P$", "$H$", "$S$", "$wp$", "pbkdf2_", "scrypt:",
    ];
    // RFC 2307 3: the scheme's name is in any case.
    const SCHEMES: [&str; 3] = ["{SHA", "{SSHA", "{CRYPT"];
    let text = text.trim_start();
    let is_scheme = |scheme: &&str| {
        text.get(..scheme.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(scheme))
    };
    BEGINNINGS.iter().any(|beginning| text.starts_with(beginning)) || SCHEMES.iter().any(is_scheme)
}
