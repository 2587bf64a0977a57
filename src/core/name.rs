//! Names that people give to what is theirs: a device, an API key.

use super::attribute::is_blank;

/// The longest name, in characters.
pub const LONGEST: usize = 100;

/// A name without blanks around it; `None` where there is none, where it is too long, or where it holds
/// what no line can show.
pub fn parse(text: &str) -> Option<String> {
    let name = text.trim();
    let fits = !is_blank(name) && !name.chars().any(char::is_control) && name.chars().count() <= LONGEST;
    fits.then(|| name.to_owned())
}
