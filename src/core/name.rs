//! Names that people give to their devices and API keys.

use super::attribute::is_blank;

/// The longest name, in characters.
pub const LONGEST: usize = 100;

/// A name without white space around it; `None` if it is empty or too long, or contains control
/// characters.
pub fn parse(text: &str) -> Option<String> {
    let name = text.trim();
    let fits = !is_blank(name) && !name.chars().any(char::is_control) && name.chars().count() <= LONGEST;
    fits.then(|| name.to_owned())
}
