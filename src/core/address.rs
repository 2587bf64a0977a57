//! Addresses as a token carries them and as the user table compares them (`mapping.md` 3.2).
//!
//! Only the form is checked here. Whether the address belongs to the user is a question of verification,
//! which `mapping` requires.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::visible::{is_invisible, named};

/// The longest address in ASCII, in bytes (RFC 5321 4.5.3.1.3 without its angle brackets).
const MAX_BYTES: usize = 254;

/// The longest local part, in bytes (RFC 5321 4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;

/// An address in the only form that is stored and signed: the local part as it was written, the
/// domain in ASCII and lowercase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    ascii: String,
    at: usize,
}

/// A string that is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not an email address of the form name@example.com")]
pub struct NotAnAddress;

impl Address {
    /// Reads an address and drops `White_Space` around it. The local part is a dot-atom of ASCII
    /// (RFC 5322 3.2.3), so it is neither quoted nor international.
    pub fn parse(text: &str) -> Result<Address, NotAnAddress> {
        let (local, domain) = text.trim().split_once('@').ok_or(NotAnAddress)?;
        if !is_dot_atom(local) {
            return Err(NotAnAddress);
        }
        let domain = domain_in_ascii(domain).ok_or(NotAnAddress)?;
        let ascii = format!("{local}@{domain}");
        if ascii.len() > MAX_BYTES {
            return Err(NotAnAddress);
        }
        let at = local.len();
        Ok(Address { ascii, at })
    }

    /// The address as it is stored and signed.
    pub fn ascii(&self) -> &str {
        &self.ascii
    }

    /// The key by which addresses are compared: all in lowercase.
    pub fn folded(&self) -> String {
        self.ascii.to_ascii_lowercase()
    }

    /// The domain, in ASCII and lowercase.
    pub fn domain(&self) -> &str {
        &self.ascii[self.at + 1..]
    }

    /// Converts the address into its stored form.
    pub fn into_ascii(self) -> String {
        self.ascii
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.ascii)
    }
}

fn is_dot_atom(local: &str) -> bool {
    let atext = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let atom = |atom: &str| !atom.is_empty() && atom.bytes().all(atext);
    local.len() <= MAX_LOCAL_BYTES && local.split('.').all(atom)
}

/// A domain in ASCII and lowercase: two or more labels of letters, digits and inner hyphens. The
/// last label is not all digits, and there is no dot at the end.
///
/// UTS #46 without its transitional mapping, so `straße.de` and `strasse.de` stay different domains, as
/// they are for browsers and registries. STD3 rules refuse every other ASCII character. Hyphens are
/// refused only at the ends of a label, because real names have them as third and fourth characters.
pub fn domain_in_ascii(domain: &str) -> Option<String> {
    let uts46 = Uts46::new();
    let std3 = AsciiDenyList::STD3;
    let ascii = uts46.to_ascii(domain.as_bytes(), std3, Hyphens::CheckFirstLast, DnsLength::Verify).ok()?;
    let (_, last) = ascii.rsplit_once('.')?;
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    (!is_number).then(|| ascii.into_owned())
}

/// What is wrong with a string that is not an address, in a sentence that names the character and its
/// place.
pub fn oddity(text: &str) -> String {
    let text = text.trim();
    let holds = |(place, c): (usize, char)| format!("Character {} is {}", place + 1, named(c));
    let first = |odd: &dyn Fn(char) -> bool| text.chars().enumerate().find(|(_, c)| odd(*c)).map(holds);
    if let Some(what) = first(&|c| is_invisible(c) || (c.is_whitespace() && c != ' ')) {
        return format!("{what}, which cannot be seen. Remove it.");
    }
    if text.get(..7).is_some_and(|begin| begin.eq_ignore_ascii_case("mailto:")) {
        return "It starts with 'mailto:'. Write only the address.".into();
    }
    if let Some(what) = first(&|c| c == '<' || c == '>') {
        return format!("{what}. Write only the address, without a name and angle brackets.");
    }
    if text.matches('@').count() > 1 {
        return "It has more than one @. Write one address.".into();
    }
    if let Some(what) = first(&|c| c == ' ') {
        return format!("{what}. Remove the space.");
    }
    let Some((local, domain)) = text.split_once('@') else {
        let wide = first(&|c| c == '＠' || c == '﹫').map(|what| format!("{what}. Write @ instead."));
        return wide.unwrap_or_else(|| "It has no @.".into());
    };
    odd_local(local)
        .or_else(|| odd_domain(domain, local.chars().count() + 1))
        .unwrap_or_else(|| format!("It has more than {MAX_BYTES} bytes."))
}

fn odd_local(local: &str) -> Option<String> {
    let atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    if local.is_empty() {
        return Some("There is nothing before the @.".into());
    }
    if let Some((place, c)) = local.chars().enumerate().find(|(_, c)| !atext(*c)) {
        return Some(format!("Character {} is {}, which cannot be used before the @.", place + 1, named(c)));
    }
    if let Some(place) = odd_dot(local) {
        return Some(format!("Character {} is a dot (U+002E), which is not allowed there.", place + 1));
    }
    (local.len() > MAX_LOCAL_BYTES)
        .then(|| format!("It has more than {MAX_LOCAL_BYTES} characters before the @."))
}

/// What is wrong with a domain that starts after this many characters.
fn odd_domain(domain: &str, before: usize) -> Option<String> {
    let is_odd = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '-' && c != '.';
    if domain.is_empty() {
        return Some("There is nothing after the @.".into());
    }
    if let Some((place, c)) = domain.chars().enumerate().find(|(_, c)| is_odd(*c)) {
        return Some(format!(
            "Character {} is {}, which a domain cannot contain.",
            before + place + 1,
            named(c)
        ));
    }
    if let Some(place) = odd_dot(domain) {
        return Some(format!(
            "Character {} is a dot (U+002E), which is not allowed there.",
            before + place + 1
        ));
    }
    if !domain.contains('.') {
        return Some("The domain after the @ has no dot.".into());
    }
    domain_in_ascii(domain).is_none().then(|| "The part after the @ is not a domain name.".into())
}

/// The place of a dot at the start or the end, or of the second of two adjacent dots.
fn odd_dot(part: &str) -> Option<usize> {
    let letters: Vec<char> = part.chars().collect();
    let is_odd = |place: &usize| {
        letters[*place] == '.' && (*place == 0 || *place + 1 == letters.len() || letters[*place - 1] == '.')
    };
    (0..letters.len()).find(is_odd)
}
