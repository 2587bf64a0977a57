//! Passwords: which ones are accepted, and how they are hashed and checked (OWASP Password Storage,
//! NIST SP 800-63B-4 section 3.1.1). Pure: salt and working memory are parameters. `app::hashing`
//! decides how many are hashed at once.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// OWASP's parameters: 19 MiB, two passes, one lane.
pub const MEMORY_KIB: u32 = 19_456;
/// Passes over the memory.
pub const PASSES: u32 = 2;
/// The length of a salt in bytes.
pub const SALT_BYTES: usize = 16;
/// Stored hashes with parameters above these are not computed: (KiB, passes, lanes).
const MOST: (u32, u32, u32) = (64 * 1024, 10, 4);
/// A typed password longer than this (bytes) is wrong and is not hashed at its full length: 256 code
/// points of four bytes.
const MOST_BYTES: usize = 1024;

/// A password as it is checked: NFC, otherwise byte-exact. Its memory is cleared when it is dropped.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Reads a password as it was typed. A password that is too long is cut: it cannot match a stored
    /// one, and checking it costs the same.
    pub fn new(typed: &str) -> Self {
        let normal: String = typed.nfc().take(MOST_BYTES).collect();
        Self(Zeroizing::new(normal))
    }
}

/// Why a password is not accepted when it is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer code points than the minimum.
    #[error("A password needs at least {0} characters. A phrase of several words works well.")]
    Short(usize),
    /// More than 256 code points.
    #[error("A password can have at most 256 characters.")]
    Long,
    /// On the list of common passwords.
    #[error("This password is one of the most common ones. Choose another.")]
    Common,
    /// The product's, the site's or the user's own name.
    #[error("A password cannot be your login, your address or the name of this site.")]
    Context,
    /// NUL or another control character.
    #[error("A password cannot contain control characters such as line breaks.")]
    Control,
}

/// The rules for a new password; they are not checked at sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The minimum length in code points, never below 8.
    pub shortest: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self { shortest: 15 }
    }
}

/// Common passwords, one per line, in lowercase (see NOTICE for the source).
const COMMON: &str = include_str!("common_passwords.txt");

/// Whether a lowercase password is on the list, or repeats an entry of the list (or up to four
/// characters) several times: `passwordpassword`, `1234567890123456`.
fn is_common(small: &str) -> bool {
    let letters: Vec<char> = small.chars().collect();
    let period = (1..=letters.len())
        .find(|&period| letters.iter().zip(letters.iter().skip(period)).all(|(a, b)| a == b))
        .unwrap_or(letters.len());
    let unit: String = letters[..period].iter().collect();
    period <= 4 || is_in_a_row(small) || COMMON.lines().any(|common| common == small || common == unit)
}

/// Whether a password is a part of the alphabet or of a keyboard row, forwards or backwards.
fn is_in_a_row(small: &str) -> bool {
    const ROWS: [&str; 4] = [
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
        "abcdefghijklmnopqrstuvwxyz01234567890123456789",
        "1234567890qwertyuiopasdfghjklzxcvbnm1234567890",
        "qwertzuiopasdfghjklyxcvbnm1234567890",
    ];
    let backwards: String = small.chars().rev().collect();
    ROWS.iter().any(|row| row.contains(small) || row.contains(&backwards))
}

impl Policy {
    /// Checks a new password. `context` has words that must not be the whole password: the
    /// login, the address, the site's name.
    pub fn check(&self, typed: &str, context: &[&str]) -> Result<Password, Weakness> {
        let password = Password::new(typed);
        let length = typed.nfc().count();
        if length > 256 {
            return Err(Weakness::Long);
        }
        if length < self.shortest.max(8) {
            return Err(Weakness::Short(self.shortest.max(8)));
        }
        if typed.chars().any(char::is_control) {
            return Err(Weakness::Control);
        }
        let small = Zeroizing::new(password.0.to_lowercase());
        let is_context = |word: &&str| {
            let word = word.nfc().collect::<String>().to_lowercase();
            // This covers "countersign", "countersigncountersign" and "countersign-2026".
            let rest = small.replace(&word, "");
            !word.is_empty() && rest.len() < small.len() && rest.chars().all(|c| !c.is_alphabetic())
        };
        if context.iter().chain(&["countersign", "deskpro", "messenger"]).any(is_context) {
            return Err(Weakness::Context);
        }
        let joined: Zeroizing<String> =
            Zeroizing::new(small.chars().filter(|c| c.is_alphanumeric()).collect());
        if is_common(&small) || is_common(&joined) {
            return Err(Weakness::Common);
        }
        Ok(password)
    }
}

/// The working memory for one hash at a time, reused for the next hash: allocating 19 MiB for each one
/// makes the process grow by hundreds of MiB.
pub struct Memory(Vec<Block>);

impl Default for Memory {
    fn default() -> Self {
        Self(vec![Block::new(); MEMORY_KIB as usize])
    }
}

impl Memory {
    fn run(&mut self, argon: &Argon2<'_>, password: &Password, salt: &[u8], out: &mut [u8]) -> bool {
        let blocks = argon.params().block_count();
        if blocks > self.0.len() {
            let mut larger = vec![Block::new(); blocks];
            return argon
                .hash_password_into_with_memory(password.0.as_bytes(), salt, out, &mut larger[..])
                .is_ok();
        }
        argon.hash_password_into_with_memory(password.0.as_bytes(), salt, out, &mut self.0[..blocks]).is_ok()
    }
}

fn argon(params: Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn current() -> Params {
    Params::new(MEMORY_KIB, PASSES, 1, Some(32)).expect("OWASP's parameters are within Argon2's bounds")
}

/// The PHC string of a password with a new salt.
pub fn hash(password: &Password, salt: [u8; SALT_BYTES], memory: &mut Memory) -> String {
    let mut out = [0; 32];
    let params = current();
    let computed = memory.run(&argon(params.clone()), password, &salt, &mut out);
    assert!(computed, "Argon2 accepts a salt of 16 bytes and an output of 32");
    let params = ParamsString::try_from(&params).expect("three numbers fit a PHC string");
    PasswordHash {
        algorithm: argon2::ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params,
        salt: Some(Salt::new(&salt).expect("16 bytes fit a PHC string")),
        hash: Some(Output::new(&out).expect("32 bytes fit a PHC string")),
    }
    .to_string()
}

/// The result of checking a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The password is right; `outdated` if its hash does not have the current parameters.
    Right {
        /// Whether the password must be hashed again.
        outdated: bool,
    },
    /// The password is wrong, or there is no hash that it could match.
    Wrong,
}

/// Checks a password. If there is no stored hash, or one out of bounds, the same work is done for a
/// dummy, so that the time reveals nothing.
pub fn judge(password: &Password, stored: Option<&str>, memory: &mut Memory) -> Judgement {
    let Some(hash) = stored.and_then(parse) else {
        let mut out = [0; 32];
        memory.run(&argon(current()), password, &[0; SALT_BYTES], &mut out);
        return Judgement::Wrong;
    };
    let mut out = vec![0; hash.output.len()];
    let computed = memory.run(&argon(hash.params.clone()), password, &hash.salt, &mut out);
    if computed && bool::from(out.ct_eq(&hash.output)) {
        let now = current();
        let same = (hash.params.m_cost(), hash.params.t_cost(), hash.params.p_cost())
            == (now.m_cost(), now.t_cost(), now.p_cost());
        Judgement::Right { outdated: !same }
    } else {
        Judgement::Wrong
    }
}

struct Stored {
    params: Params,
    salt: Vec<u8>,
    output: Vec<u8>,
}

/// Reads an Argon2id PHC string within our bounds; `None` for anything else.
fn parse(stored: &str) -> Option<Stored> {
    let hash = PasswordHash::new(stored).ok()?;
    if hash.algorithm != argon2::ARGON2ID_IDENT || hash.version != Some(Version::V0x13.into()) {
        return None;
    }
    let (m, t, p) =
        (hash.params.get_decimal("m")?, hash.params.get_decimal("t")?, hash.params.get_decimal("p")?);
    if m > MOST.0 || t > MOST.1 || p > MOST.2 {
        return None;
    }
    let output = hash.hash?.as_bytes().to_vec();
    let params = Params::new(m, t, p, Some(output.len())).ok()?;
    Some(Stored { params, salt: hash.salt?.as_ref().to_vec(), output })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_right_in_either_unicode_form_and_wrong_otherwise() {
        let mut memory = Memory::default();
        let stored = hash(&Password::new("caf\u{e9} au lait \u{1f375}"), [7; 16], &mut memory);
        let mut check = |typed: &str, expected| {
            assert_eq!(judge(&Password::new(typed), Some(&stored), &mut memory), expected, "{typed:?}");
        };
        check("caf\u{e9} au lait \u{1f375}", Judgement::Right { outdated: false });
        check("cafe\u{301} au lait \u{1f375}", Judgement::Right { outdated: false });
        check("Caf\u{e9} au lait \u{1f375}", Judgement::Wrong);
        check("caf\u{e9} au lait \u{1f375} ", Judgement::Wrong);
        check("", Judgement::Wrong);
        check(&"x".repeat(900), Judgement::Wrong);
    }

    #[test]
    fn a_hash_with_other_parameters_is_outdated_and_one_out_of_bounds_matches_nothing() {
        let mut memory = Memory::default();
        let weak = "$argon2id$v=19$m=4096,t=1,p=1$c29tZXNhbHRzb21lc2E$";
        let mut out = [0; 32];
        let params = Params::new(4096, 1, 1, Some(32)).expect("in bounds");
        argon(params).hash_password_into(b"secret words here", b"somesaltsomesa", &mut out).expect("hashes");
        let stored = format!("{weak}{}", Output::new(&out).expect("fits"));
        let typed = Password::new("secret words here");
        assert_eq!(judge(&typed, Some(&stored), &mut memory), Judgement::Right { outdated: true });
        let huge = stored.replace("m=4096", "m=4000000");
        assert_eq!(judge(&typed, Some(&huge), &mut memory), Judgement::Wrong);
        assert_eq!(judge(&typed, Some("$2b$10$nonsense"), &mut memory), Judgement::Wrong);
        assert_eq!(judge(&typed, None, &mut memory), Judgement::Wrong);
    }

    #[test]
    fn a_new_password_is_long_enough_uncommon_and_not_a_name() {
        let check = |typed: &str, weakness: Option<Weakness>| {
            let found = Policy::default().check(typed, &["ana@shop.example.com", "Shop Example Site"]).err();
            assert_eq!(found, weakness, "{typed:?}");
        };
        check("four words are fine", None);
        check("\u{e9}t\u{e9} \u{e0} la plage!", None);
        check("e\u{301}t\u{e9} a\u{300} la mer!!", Some(Weakness::Short(15)));
        check("short", Some(Weakness::Short(15)));
        check(&"x y ".repeat(65), Some(Weakness::Long));
        check("ANA@shop.example.com", Some(Weakness::Context));
        check("shop example site", Some(Weakness::Context));
        check("CountersignCountersign", Some(Weakness::Context));
        check("ManchesterUnited", Some(Weakness::Common));
        check("1234567890123456", Some(Weakness::Common));
        check("dragondragondragon", Some(Weakness::Common));
        check("passwordPASSWORD", Some(Weakness::Common));
        check("abababababababab", Some(Weakness::Common));
        check("with a\nline break", Some(Weakness::Control));
    }
}
