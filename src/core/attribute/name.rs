//! What an attribute may be called, and which names and values are those of secrets
//! (`mapping.md` 1.1 and 1.5).

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::{BUILT_IN, is_blank};
use crate::core::visible::{code, differ_by, is_format, likeness, shown, shown_with_marks};

/// The most custom attributes a site can have: a token reads what is said of all of them.
pub const MAX_ATTRIBUTES: usize = 1_000;

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
    #[error("the name of an attribute cannot contain {}", character(*.0))]
    Character(char),
    /// A built-in attribute has it.
    #[error("{0} is a built-in attribute")]
    BuiltIn(String),
    /// Another attribute differs only in uppercase and lowercase.
    #[error("there is an attribute {0} already, which differs only in uppercase and lowercase")]
    Capitals(String),
    /// Another attribute looks the same.
    #[error("there is an attribute {} already, and {} differs from it by {} alone", shown(.other), shown(.name), .by)]
    Alike {
        /// The name.
        name: String,
        /// The other attribute.
        other: String,
        /// What the two differ by.
        by: String,
    },
    /// It has a character that cannot be seen (Cf).
    #[error("the name {} has the invisible character {}; write it without", shown(.0), code(*.1))]
    Invisible(String, char),
    /// It is not in the Unicode form NFC.
    #[error("the name {} is not in the Unicode form NFC; write it as {}", shown_with_marks(.0), .0.nfc())]
    NotNfc(String),
    /// There are [`MAX_ATTRIBUTES`] already.
    #[error("there are {MAX_ATTRIBUTES} attributes already, and no more are possible")]
    TooMany,
    /// It names a secret.
    #[error("{0} looks like a password or another secret, which no attribute may hold")]
    Secret(String),
}

/// A character as a message shows it.
fn character(letter: char) -> String {
    let shown = shown(letter.encode_utf8(&mut [0; 4])).into_owned();
    if shown.len() > letter.len_utf8() { code(letter) } else { format!("'{shown}'") }
}

/// Judges the name of a new custom attribute alone and against the built-in ones.
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
    let folded = likeness(name);
    if let Some(other) = BUILT_IN.iter().find(|known| **known == folded) {
        return Err(alike(name, other));
    }
    if is_secret_name(name) {
        return Err(NameFault::Secret(name.to_owned()));
    }
    check_spelling(name)
}

/// Says what is wrong with the characters of a name that is none of another attribute (`mapping.md`
/// 1.1). Names that were made before this was asked are compared as they are.
pub(super) fn check_spelling(name: &str) -> Result<(), NameFault> {
    if let Some(letter) = name.chars().find(|letter| is_format(*letter)) {
        return Err(NameFault::Invisible(name.to_owned(), letter));
    }
    if !is_nfc(name) {
        return Err(NameFault::NotNfc(name.to_owned()));
    }
    Ok(())
}

/// The refusal of a name that looks like another one.
pub(super) fn alike(name: &str, other: &str) -> NameFault {
    let (name, other) = (name.to_owned(), other.to_owned());
    let lowercase = |name: &str| name.chars().flat_map(char::to_lowercase).collect::<String>();
    if lowercase(&name) == lowercase(&other) {
        return NameFault::Capitals(other);
    }
    let by = differ_by(&name, &other).unwrap_or_default();
    NameFault::Alike { name, other, by }
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
