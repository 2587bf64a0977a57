//! Characters that nobody sees, in words: a message must show what differs.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// Whether a character is not seen or looks like a space: a control, a format, and all `White_Space`
/// but the space itself.
pub fn is_invisible(c: char) -> bool {
    use GeneralCategory::{Control, Format};
    c != ' '
        && (c.is_whitespace() || (!c.is_ascii_graphic() && matches!(c.general_category(), Control | Format)))
}

/// A character as a message names it: `'é' (U+00E9)`, or the code alone where nothing would show.
pub fn named(c: char) -> String {
    let code = format!("U+{:04X}", u32::from(c));
    if is_invisible(c) { code } else { format!("'{c}' ({code})") }
}

/// A value with what cannot be seen in it as its code: `ana<U+200B>`.
pub fn visible(text: &str) -> String {
    let show = |c: char| if is_invisible(c) { format!("<{}>", named(c)) } else { c.to_string() };
    text.chars().map(show).collect()
}
