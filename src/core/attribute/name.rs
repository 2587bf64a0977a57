//! What an attribute may be called, and which names and values are those of secrets
//! (`mapping.md` 1.1 and 1.5).

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

use super::definition::MAX_ATTRIBUTES;
use super::{BUILT_IN, is_blank};

/// The longest name of a custom attribute, in characters.
pub const MAX_NAME_CHARS: usize = 64;

/// Why no attribute can have a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// Nothing, or more than [`MAX_NAME_CHARS`] characters.
    #[error("the name of an attribute has 1 to {MAX_NAME_CHARS} characters, this one has {0}")]
    Length(usize),
    /// Nothing that shows.
    #[error("a blank name names nothing")]
    Blank,
    /// A control character, or a character that texts of a mapping use.
    #[error("the name of an attribute cannot contain {0:?}")]
    Character(char),
    /// A built-in attribute has it.
    #[error("{0} is a built-in attribute")]
    BuiltIn(String),
    /// Another attribute differs by capitals alone.
    #[error("there is an attribute {0} already, which differs by capitals alone")]
    Capitals(String),
    /// There are [`MAX_ATTRIBUTES`] already.
    #[error("there are {MAX_ATTRIBUTES} attributes already, and no more are possible")]
    TooMany,
    /// It names a secret.
    #[error("{0} looks like a password or another secret, which no attribute may hold")]
    Secret(String),
}

/// Judges the name of a custom attribute alone and against the built-in ones.
pub fn check_name(name: &str) -> Result<(), NameFault> {
    let length = name.chars().count();
    if !(1..=MAX_NAME_CHARS).contains(&length) {
        return Err(NameFault::Length(length));
    }
    if is_blank(name) {
        return Err(NameFault::Blank);
    }
    let odd = |c: &char| c.is_control() || matches!(c, '{' | '}' | '|');
    if let Some(character) = name.chars().find(odd) {
        return Err(NameFault::Character(character));
    }
    if BUILT_IN.contains(&name) {
        return Err(NameFault::BuiltIn(name.to_owned()));
    }
    if let Some(other) = BUILT_IN.iter().find(|known| **known == folded(name)) {
        return Err(NameFault::Capitals((*other).to_owned()));
    }
    if is_secret_name(name) {
        return Err(NameFault::Secret(name.to_owned()));
    }
    Ok(())
}

/// A name without regard to its capitals.
pub(super) fn folded(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).collect()
}

/// Whether a name is that of a password, hash, key or other secret (`mapping.md` 1.5).
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
    // What cannot be seen would hide a word in its middle.
    let composed: String =
        name.nfkc().filter(|letter| letter.general_category() != GeneralCategory::Format).collect();
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

/// Whether what begins here is the last capital of a word in capitals and the `s` of its plural.
fn is_plural(rest: &[char]) -> bool {
    rest.get(1) == Some(&'s') && !rest.get(2).is_some_and(|letter| letter.is_lowercase())
}

/// The words of a name: cut at anything but letters, between `a` and `B`, and between `A` and `Bc`.
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

/// Whether a value begins like a stored password (`mapping.md` 1.5), so that its column is secret.
pub fn looks_like_a_stored_password(text: &str) -> bool {
    const BEGINNINGS: [&str; 12] = [
        "$2a$", "$2b$", "$2y$", "$argon2", "$scrypt$", "$pbkdf2", "$P$", "$wp$", "$5$", "$6$", "pbkdf2_",
        "{SSHA",
    ];
    let text = text.trim_start();
    BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
}
