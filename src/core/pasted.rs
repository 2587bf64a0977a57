//! Finds characters around or in an added key that are probably not part of it: quotation marks, the name
//! of a variable, an invisible character. Messages contain no part of the key, and nothing is removed: a
//! key is used exactly as it was added.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

use super::secret::Encoding;

/// What looks wrong with a key that could be read, as sentences that say what to do.
pub fn oddities(key: &[u8], encoding: Encoding) -> Vec<&'static str> {
    let Ok(text) = std::str::from_utf8(key) else { return Vec::new() };
    if encoding != Encoding::Raw {
        // `echo secret | base64` also encodes the line break.
        let is_text = !text.trim_end().chars().any(char::is_control) && !text.trim_end().is_empty();
        let ends = is_text && text.ends_with(['\n', '\r']);
        return if ends { vec![DECODED_LINE] } else { Vec::new() };
    }
    let mut seen = wrapping(text);
    let is_hex = key.len() >= 64 && key.len().is_multiple_of(2) && key.iter().all(u8::is_ascii_hexdigit);
    if is_hex {
        seen.push(HEX);
    }
    seen
}

const DECODED_LINE: &str =
    "The decoded key ends with a line break. Encode it without one: `echo -n`, or `printf %s`.";
const HEX: &str = "The signing key looks like hex but is read as raw. If Deskpro shows it as hex, set the encoding to hex (COUNTERSIGN_SIGNING_KEY_ENCODING=hex).";

const MARK: &str = "The key starts with a byte-order mark, which an editor has added. Save it without one.";
const SPACE_AROUND: &str = "The key starts or ends with white space. If the key has none, copy it again.";
const ODD_SPACE: &str = "The key contains a no-break space or another space that keyboards do not type. Copy it from Deskpro's page itself, not from a document or a chat.";
const INVISIBLE: &str = "The key contains an invisible character (such as a zero-width space). Copy it from Deskpro's page itself, not from a document or a chat.";
const CONTROL: &str = "The key contains a line break or another control character. Copy it again.";
const QUOTED: &str =
    "The key starts or ends with a quotation mark. Leave the marks out: they are used as part of the key.";
const NAMED: &str =
    "The key starts with a name and '=' or ':'. Leave the name out: only the part after it is the key.";
const BEARER: &str = "The key starts with 'Bearer' or 'Basic', like a header. Leave the word out.";
const PERCENT: &str =
    "The key contains percent-encoded characters (such as %2B). Copy it from Deskpro's page, not from a URL.";
const ENTITY: &str = "The key contains HTML entities (such as &amp;). Copy it from Deskpro's page as it is shown, not from the page source.";
const TRAILING_PERCENT: &str = "The key ends with '%'. Some shells show this character after output without a line break. In that case, leave it out: it is not part of the key.";
const ESCAPED: &str = "The key contains a backslash escape (such as \\n or \\u003d). Copy the key as it is shown, not as source code writes it.";
const ARMOUR: &str =
    "The key has the form of a certificate or private key (PEM). Deskpro's secret for JWT is a plain string.";
const PREFIXED: &str = "The key starts with 'base64:', 'hex:' or '0x'. Leave that out, and set the encoding of the key with COUNTERSIGN_SIGNING_KEY_ENCODING.";
const PLACEHOLDER: &str = "The key looks like the name of a variable that was not replaced with its value. Check the program that should replace it.";
const SHORTENED: &str = "The key contains dots or asterisks, so it was probably copied where it is shown only in part. Copy the whole key.";

/// What a string has around it or in it that is probably not part of a key.
pub fn wrapping(text: &str) -> Vec<&'static str> {
    let is_hidden = |letter: char| letter.general_category() == GeneralCategory::Format;
    let is_odd_space = |letter: char| letter.is_whitespace() && !letter.is_ascii();
    let inner =
        text.trim_matches(|letter: char| letter.is_whitespace() || letter.is_control() || is_hidden(letter));
    let bare = unquoted(unnamed(inner).unwrap_or(inner));
    let found = [
        (MARK, text.starts_with('\u{feff}')),
        (SPACE_AROUND, text.trim().len() < text.len()),
        (ODD_SPACE, text.contains(is_odd_space)),
        (INVISIBLE, text.trim_start_matches('\u{feff}').contains(is_hidden)),
        (CONTROL, text.contains(|letter: char| letter.is_control())),
        (NAMED, unnamed(inner).is_some()),
        (QUOTED, is_quoted(unnamed(inner).unwrap_or(inner))),
        (BEARER, has_scheme(bare)),
        (PREFIXED, ["base64:", "hex:", "0x"].iter().any(|start| begins(bare, start))),
        (PLACEHOLDER, is_placeholder(bare)),
        (ARMOUR, text.contains("-----BEGIN")),
        (ENTITY, has_entity(bare)),
        (PERCENT, has_percent(bare) && !is_placeholder(bare)),
        (TRAILING_PERCENT, bare.ends_with('%') && !is_placeholder(bare)),
        (ESCAPED, has_escape(bare)),
        (SHORTENED, ["…", "...", "••", "****"].iter().any(|dots| bare.contains(dots))),
    ];
    found.into_iter().filter(|(_, is_there)| *is_there).map(|(words, _)| words).collect()
}

fn is_mark(letter: char) -> bool {
    matches!(letter, '"' | '\'' | '`' | '´' | '\u{2018}'..='\u{201f}' | '«' | '»' | '‹' | '›')
}

/// The end of a line of code after a quotation mark is part of the wrapping.
fn without_end(text: &str) -> &str {
    let rest = text.trim_end_matches([',', ';']);
    if rest.ends_with(is_mark) { rest } else { text }
}

fn is_quoted(text: &str) -> bool {
    text.starts_with(is_mark) || without_end(text).ends_with(is_mark)
}

fn unquoted(text: &str) -> &str {
    without_end(text).trim_matches(is_mark)
}

fn begins(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// The part after a name: `JWT_SECRET=…`, `export KEY=…`, `"secret": "…"`. Base64 ends with '=', and a key
/// may contain '=' anywhere, so the part before it must look like a name.
fn unnamed(text: &str) -> Option<&str> {
    let at = text.find(['=', ':'])?;
    let (name, value) = (&text[..at], text[at + 1..].trim_start_matches(['=', '>', ' ']));
    let name = name.trim().trim_start_matches("export ").trim_start_matches("const ").trim();
    let name = name.trim_matches(is_mark);
    let is_name = name.len() >= 3
        && name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.'));
    let small = name.to_ascii_lowercase();
    let says = ["secret", "key", "token", "jwt", "password"].iter().any(|word| small.contains(word));
    let is_shouted =
        name.len() >= 4 && name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_');
    (is_name && (says || is_shouted) && !value.is_empty()).then_some(value)
}

fn has_scheme(text: &str) -> bool {
    ["bearer ", "basic "].iter().any(|word| begins(text, word))
}

fn has_percent(text: &str) -> bool {
    text.as_bytes().windows(3).any(|part| part[0] == b'%' && part[1..].iter().all(u8::is_ascii_hexdigit))
}

fn has_entity(text: &str) -> bool {
    text.split('&').skip(1).any(|rest| {
        let Some((name, _)) = rest.split_once(';') else { return false };
        let is_number = name.starts_with('#') && name.len() > 1;
        is_number || matches!(name, "amp" | "lt" | "gt" | "quot" | "apos" | "nbsp")
    })
}

fn has_escape(text: &str) -> bool {
    let ends = ["\\n", "\\r", "\\t", "\\0"].iter().any(|end| text.ends_with(end));
    let in_it = |start: &str, digits: usize| {
        text.match_indices(start).any(|(at, _)| {
            let rest = text.as_bytes().get(at + start.len()..at + start.len() + digits);
            rest.is_some_and(|rest| rest.iter().all(u8::is_ascii_hexdigit))
        })
    };
    ends || text.contains("\\\"") || in_it("\\u", 4) || in_it("\\x", 2)
}

fn is_placeholder(text: &str) -> bool {
    let between = |start: &str, end: &str| text.starts_with(start) && text.ends_with(end) && text.len() > 2;
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
    };
    between("${", "}")
        || between("$(", ")")
        || between("{{", "}}")
        || text.strip_prefix('$').is_some_and(is_name)
        || text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')).is_some_and(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key with every special character of a keyboard and no wrapping.
    const PLAIN: &str = "qX7~vM2$kL9@pR4!wT6%zN8^bH3&jF5*";

    #[test]
    fn what_is_around_a_key_is_named() {
        let check = |text: &str, expected: &[&str]| assert_eq!(wrapping(text), expected, "{text:?}");
        let k = PLAIN;
        check(k, &[]);
        for plain in [
            "a key of the tests, long enough for HS256",
            "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY=",
            "aB=3:q=x&y;z#100%-of(it)[all]{or}<none>|\\d",
            "AB=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY",
            "O'Brien's \"best\" passphrase, with marks in it",
        ] {
            check(plain, &[]);
        }
        for (open, close) in [
            ("\"", "\""),
            ("'", "'"),
            ("`", "`"),
            ("“", "”"),
            ("„", "“"),
            ("«", "»"),
            ("\"", "\","),
            ("'", "';"),
            ("\"", ""),
            ("", "'"),
        ] {
            check(&format!("{open}{k}{close}"), &[QUOTED]);
        }
        for start in
            ["JWT_SECRET=", "jwt_secret = ", "export DESKPRO_KEY=", "secret: ", "DESKPRO=", "x-signing-key: "]
        {
            check(&format!("{start}{k}"), &[NAMED]);
        }
        check(&format!("JWT_SECRET=\"{k}\""), &[NAMED, QUOTED]);
        check(&format!("\"secret\": \"{k}\","), &[NAMED, QUOTED]);
        check(&format!("\u{feff}{k}"), &[MARK]);
        check(&format!(" {k}"), &[SPACE_AROUND]);
        check(&format!("{k}\u{a0}"), &[SPACE_AROUND, ODD_SPACE]);
        check(&format!("{}\u{202f}{}", &k[..9], &k[9..]), &[ODD_SPACE]);
        for hidden in ["\u{200b}", "\u{200d}", "\u{2060}", "\u{ad}", "\u{202e}", "\u{feff}"] {
            check(&format!("{}{hidden}{}", &k[..9], &k[9..]), &[INVISIBLE]);
            check(&format!("{k}{hidden}"), &[INVISIBLE]);
        }
        check(&format!("{k}\n"), &[SPACE_AROUND, CONTROL]);
        check(&format!("{}\r\n{}", &k[..9], &k[9..]), &[CONTROL]);
        check(&format!("Bearer {k}"), &[BEARER]);
        check(&format!("basic {k}"), &[BEARER]);
        check("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY%3D", &[PERCENT]);
        check("tom&amp;jerry with a long enough secret of theirs", &[ENTITY]);
        check("it&#43;s with a long enough secret of theirs, too", &[ENTITY]);
        check(&format!("{k}%"), &[TRAILING_PERCENT]);
        check(&format!("{k}\\n"), &[ESCAPED]);
        check("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY\\u003d", &[ESCAPED]);
        check(&format!("base64:{k}"), &[PREFIXED]);
        check(&format!("0x{}", "9f3b61c70d84e25a".repeat(4)), &[PREFIXED]);
        check("-----BEGIN PRIVATE KEY-----\nMIIEvQ", &[CONTROL, ARMOUR]);
        for name in [
            "${DESKPRO_JWT_SECRET_OF_THE_SHOP}",
            "{{ deskpro.jwt_secret }}",
            "$DESKPRO_SECRET",
            "%DESKPRO_SECRET%",
            "$(cat /run/secrets/key)",
        ] {
            check(name, &[PLACEHOLDER]);
        }
        check(&format!("{k}…"), &[SHORTENED]);
        check(&format!("{}••••••••", &k[..4]), &[SHORTENED]);
    }

    #[test]
    fn a_decoded_key_that_ends_in_a_line_break_is_named() {
        let line = b"a key of the tests, long enough for HS256\n";
        assert_eq!(oddities(line, Encoding::Base64), [DECODED_LINE]);
        assert!(oddities(&line[..line.len() - 1], Encoding::Base64).is_empty());
        assert!(oddities(b"\x01\x02random bytes that end in a line break\n", Encoding::Hex).is_empty());
    }
}
