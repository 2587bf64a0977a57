//! Suggestions for names with typing errors.

/// The name that was perhaps meant: at most two letters differ, and less than half of the word. Case and
/// separators do not count.
pub fn nearest<T: AsRef<str>>(names: impl IntoIterator<Item = T>, typed: &str) -> Option<T> {
    let bare = |name: &str| name.to_lowercase().replace(['_', '-', ' ', '.'], "");
    let wanted = bare(typed);
    let distance = |name: &T| strsim::damerau_levenshtein(&bare(name.as_ref()), &wanted);
    let close = names.into_iter().filter(|name| name.as_ref() != typed).min_by_key(distance)?;
    (distance(&close) <= 2 && distance(&close) < wanted.chars().count() / 2).then_some(close)
}
