//! The names of the IANA time zone database, links included, from the copy that is compiled in. They are
//! the same on every machine, whatever the machine's own database contains.

use std::sync::LazyLock;

use jiff::tz::TimeZoneDatabase;

/// The names, sorted by their lowercase form. The database's own lookup is not used, because it accepts
/// `Etc/Unknown`, which is not a zone.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let bundled = TimeZoneDatabase::bundled();
    let mut names: Vec<String> = bundled.available().map(|name| name.to_string()).collect();
    names.sort_by_key(|name| name.to_ascii_lowercase());
    names
});

/// The zone's name as the database writes it. Uppercase and lowercase ASCII letters do not matter.
pub fn named(text: &str) -> Option<&'static str> {
    fn small(text: &str) -> impl Iterator<Item = u8> {
        text.bytes().map(|byte| byte.to_ascii_lowercase())
    }
    let found = NAMES.binary_search_by(|name| small(name).cmp(small(text))).ok()?;
    Some(&NAMES[found])
}
