//! Which characters of a string can be seen, for names that people compare by eye. It does not know
//! letters of different scripts that look the same.

use std::borrow::Cow;

use icu_properties::props::{DefaultIgnorableCodePoint, JoiningType};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// Characters that are drawn as an empty space and are neither `White_Space` nor ignorable: a Braille
/// pattern, the Khitan filler, two Egyptian blanks, a note without a head (names from Unicode 17).
const BLANKS: [char; 5] = ['\u{2800}', '\u{16fe4}', '\u{13441}', '\u{13442}', '\u{1d159}'];

/// The Hangul fillers: ignorable by property, but most fonts draw an empty space.
const FILLERS: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';

/// Whether a character is a format character (Cf), such as a zero-width space.
pub fn is_format(letter: char) -> bool {
    !letter.is_ascii() && letter.general_category() == GeneralCategory::Format
}

/// Whether a character is invisible wherever it is: formats (Cf), characters that Unicode lets a
/// program leave out when it draws text (`Default_Ignorable_Code_Point`), controls, and blank letters.
/// White space is not included.
pub fn is_invisible(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_control() && !letter.is_whitespace();
    }
    let is_ignorable = || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(letter);
    let is_control = letter.is_control() && !letter.is_whitespace();
    is_control || BLANKS.contains(&letter) || is_format(letter) || is_ignorable()
}

/// The first character of a name that is invisible or looks like a space. Joiners are allowed where a
/// script needs them and they change what is drawn (RFC 5892 A.1 and A.2; also the joiner before a
/// virama, as Bengali writes it).
pub fn hidden_in(name: &str) -> Option<char> {
    if name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return None;
    }
    let letters: Vec<char> = name.chars().collect();
    let is_hidden = |at: usize| match letters[at] {
        ' ' => false,
        JOINER | NON_JOINER => !joins(&letters, at),
        letter => letter.is_whitespace() || is_invisible(letter),
    };
    (0..letters.len()).find(|at| is_hidden(*at)).map(|at| letters[at])
}

/// Whether the joiner at this place is where a script needs it.
fn joins(letters: &[char], at: usize) -> bool {
    const VIRAMA: u8 = 9;
    let is_virama = |letter: Option<&char>| letter.is_some_and(|c| canonical_combining_class(*c) == VIRAMA);
    let (before, after) = (&letters[..at], &letters[at + 1..]);
    if is_virama(before.last()) {
        return true;
    }
    if letters[at] == JOINER {
        return is_virama(after.first());
    }
    let joining = |letter: &char| CodePointMapData::<JoiningType>::new().get(*letter);
    let joined = |mut side: Box<dyn Iterator<Item = &char> + '_>, kind: JoiningType| {
        let next = side.find(|letter| joining(letter) != JoiningType::Transparent);
        next.is_some_and(|letter| [JoiningType::DualJoining, kind].contains(&joining(letter)))
    };
    joined(Box::new(before.iter().rev()), JoiningType::LeftJoining)
        && joined(Box::new(after.iter()), JoiningType::RightJoining)
}

/// A string as a message shows it. Invisible characters, and white space that is not a single space,
/// are written as their code, such as `[U+200B]`.
pub fn shown(text: &str) -> Cow<'_, str> {
    show(text, |_| false)
}

/// The same with every combining mark as its code, so that two Unicode forms of a string look different.
pub fn shown_with_marks(text: &str) -> Cow<'_, str> {
    show(text, |letter| canonical_combining_class(letter) != 0)
}

fn show(text: &str, also: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_coded = |before: char, letter: char| {
        let is_space = letter.is_whitespace() && (letter != ' ' || before == ' ');
        is_space || is_invisible(letter) || also(letter)
    };
    let pairs = || std::iter::once('\0').chain(text.chars()).zip(text.chars());
    if !pairs().any(|(before, letter)| is_coded(before, letter)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    for (before, letter) in pairs() {
        if is_coded(before, letter) {
            shown.extend(["[", &code(letter), "]"]);
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

/// The code of a character, such as `U+200B`.
pub fn code(letter: char) -> String {
    format!("U+{:04X}", u32::from(letter))
}

/// A character as a message names it: `'é' (U+00E9)`, or only the code if the character is invisible.
pub fn named(letter: char) -> String {
    let code = code(letter);
    let shows = letter == ' ' || !(letter.is_whitespace() || is_invisible(letter));
    if shows { format!("'{letter}' ({code})") } else { code }
}

/// The form that is equal for two strings that look the same: without invisible characters, in NFC, in
/// lowercase, with one space for white space of any kind and none at the ends.
pub fn likeness(text: &str) -> String {
    let seen = seen(text).nfc().flat_map(char::to_lowercase).nfc().collect::<String>();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The visible characters; blank letters become the space that they look like.
fn seen(text: &str) -> impl Iterator<Item = char> + '_ {
    let letters = text.chars().map(|letter| {
        let is_blank = BLANKS.contains(&letter) || FILLERS.contains(&letter);
        if is_blank { ' ' } else { letter }
    });
    letters.filter(|letter| !is_invisible(*letter))
}

/// How two strings that look the same differ, such as `white space (U+00A0)`; `None` if they are equal
/// or look different.
pub fn differ_by(one: &str, other: &str) -> Option<String> {
    if one == other || likeness(one) != likeness(other) {
        return None;
    }
    let mut reasons = Vec::new();
    let codes = |is_meant: fn(char) -> bool| {
        let of = |text: &str| text.chars().filter(|letter| is_meant(*letter)).collect::<Vec<_>>();
        let (ones, others) = (of(one), of(other));
        let is_only_in_one = |letter: &&char| ones.contains(letter) != others.contains(letter);
        let mut codes: Vec<String> =
            ones.iter().chain(&others).filter(is_only_in_one).map(|c| code(*c)).collect();
        codes.sort();
        codes.dedup();
        (ones != others).then_some(codes)
    };
    let named = |what: &str, codes: &[String]| {
        if codes.is_empty() { what.to_owned() } else { format!("{what} ({})", codes.join(", ")) }
    };
    reasons.extend(codes(is_invisible).map(|codes| named("invisible characters", &codes)));
    let spaces = codes(char::is_whitespace).map(|codes| named("white space", &codes));
    reasons.extend(spaces);
    let plain = |text: &str| {
        let seen: String = seen(text).collect();
        seen.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (one, other) = (plain(one), plain(other));
    let (one_nfc, other_nfc) = (one.nfc().collect::<String>(), other.nfc().collect::<String>());
    if one_nfc != other_nfc {
        reasons.push("uppercase and lowercase".to_owned());
    }
    if (one == one_nfc) != (other == other_nfc) || (one != other && one_nfc == other_nfc) {
        reasons.push("the Unicode form".to_owned());
    }
    Some(reasons.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown_by_its_code() {
        let check = |text: &str, expected: &str| assert_eq!(shown(text), expected);
        check("Prämie 1", "Prämie 1");
        check("email\u{200b}", "email[U+200B]");
        check("Gold\u{a0}Plan", "Gold[U+00A0]Plan");
        check("Gold  Plan", "Gold [U+0020]Plan");
        check("a\u{3164}\u{2800}\u{fe0f}\u{e0041}b\u{7}", "a[U+3164][U+2800][U+FE0F][U+E0041]b[U+0007]");
        assert_eq!(shown_with_marks("La\u{308}nder"), "La[U+0308]nder");
    }

    #[test]
    fn texts_that_look_the_same_say_what_they_differ_by() {
        let check = |one: &str, other: &str, expected: Option<&str>| {
            assert_eq!(differ_by(one, other).as_deref(), expected, "{one:?} {other:?}");
        };
        check("plan", "plan", None);
        check("plan", "flan", None);
        check("first name", "firstname", None);
        check("Gold Plan", "gold plan", Some("uppercase and lowercase"));
        check("Gold\u{a0}Plan", "Gold Plan", Some("white space (U+0020, U+00A0)"));
        check("Gold  Plan", "Gold Plan", Some("white space"));
        check("plan\u{200b}", "plan", Some("invisible characters (U+200B)"));
        check("Pra\u{308}mie", "Prämie", Some("the Unicode form"));
        check(
            "PRA\u{308}MIE\u{ad}",
            "prämie",
            Some("invisible characters (U+00AD) and uppercase and lowercase and the Unicode form"),
        );
    }

    #[test]
    fn joiners_are_hidden_unless_a_script_needs_them_there() {
        let check = |name: &str, hidden: Option<char>| assert_eq!(hidden_in(name), hidden, "{name:?}");
        for needed in ["می\u{200c}خواهم", "क्\u{200d}ष", "ක්\u{200d}ෂ", "র\u{200d}্য", "ന്\u{200d}"]
        {
            check(needed, None);
        }
        check("ana\u{200d}", Some(JOINER));
        check("a\u{200c}na", Some(NON_JOINER));
        check("می\u{200d}خواهم", Some(JOINER));
        check("\u{200c}خ", Some(NON_JOINER));
        check("👩\u{200d}🚀", Some(JOINER));
    }
}
