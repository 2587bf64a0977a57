//! The values that a form sent, by the names of its fields. Values pass through browsers unchanged: line
//! breaks, which a browser rewrites, are sent as `\n` in a field whose name starts with `~`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::app::AppError;

/// The field for the password in a form that requires it.
pub const PASSWORD: &str = "confirm_password";

/// Fields by name. If a name was sent twice, the last value is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Fields(BTreeMap<String, String>);

/// The error for a choice that a field does not offer: if it were read as another choice, the rule would
/// contain something that the admin did not choose.
pub fn not_offered(field: &str, word: &str) -> AppError {
    AppError::Refused(format!("The field '{field}' has no choice '{word}'. Open the rule again."))
}

/// A field as a template writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// The id, which is the place below the rule in the form of a JSON Pointer.
    pub id: String,
    /// The name under which it is sent: the id, with `~` in front if the value is escaped.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Its errors, each with what to do.
    pub errors: Vec<String>,
    /// Its warnings.
    pub warnings: Vec<String>,
    /// The id of the list with what can be chosen; empty if there is none.
    pub offers: &'static str,
}

impl Input {
    /// A field with a value.
    pub fn new(id: &str, text: &str) -> Self {
        let is_escaped = text.chars().any(char::is_control);
        Self::written(id, is_escaped, if is_escaped { escape(text) } else { text.to_owned() })
    }

    fn written(id: &str, is_escaped: bool, value: String) -> Self {
        let name = if is_escaped { format!("~{id}") } else { id.to_owned() };
        Self { id: id.to_owned(), name, value, ..Self::default() }
    }

    /// A field with one value per line.
    pub fn of_lines(id: &str, texts: &[String]) -> Self {
        let is_escaped = texts.iter().any(|text| text.chars().any(char::is_control));
        let line = |text: &String| if is_escaped { escape(text) } else { text.clone() };
        Self::written(id, is_escaped, texts.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    /// A field with one row of a lookup table per line, as [`Fields::rows`] reads it.
    pub fn of_rows(id: &str, rows: &[(String, Option<String>)]) -> Self {
        let is_plain = |text: &str| {
            text == text.trim()
                && !text
                    .chars()
                    .any(|letter| letter.is_control() || matches!(letter, '→' | '\u{2028}' | '\u{2029}'))
        };
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let is_escaped =
            !rows.iter().all(|(key, value)| is_plain(key) && is_plain(&text(value)) && !key.is_empty());
        let cell = |text: &str| if is_escaped { escape_cell(text) } else { text.to_owned() };
        let line = |(key, value): &(String, Option<String>)| match value {
            Some(value) if value.is_empty() && !key.is_empty() && !key.contains(['\t', '=']) => cell(key),
            value => format!("{} → {}", cell(key), cell(&text(value))),
        };
        Self::written(id, is_escaped, rows.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    /// Whether control characters are written with a backslash.
    pub fn is_escaped(&self) -> bool {
        self.name.starts_with('~')
    }
}

impl Fields {
    /// A field's value; empty if it was not sent.
    pub fn text(&self, id: &str) -> String {
        match (self.0.get(id), self.0.get(&format!("~{id}"))) {
            (Some(text), _) => text.replace("\r\n", "\n"),
            (None, Some(escaped)) => unescape(escaped),
            (None, None) => String::new(),
        }
    }

    /// Whether a field was sent.
    pub fn has(&self, id: &str) -> bool {
        self.0.contains_key(id) || self.0.contains_key(&format!("~{id}"))
    }

    /// The values of `id/0`, `id/1` and so on, as far as they were sent.
    pub fn texts(&self, id: &str) -> Vec<String> {
        self.numbered(id).map(|id| self.text(&id)).collect()
    }

    /// The ids `id/0`, `id/1` and so on, as far as they were sent.
    pub fn numbered(&self, id: &str) -> impl Iterator<Item = String> {
        let most = self.0.len();
        (0..most).map(move |i| format!("{id}/{i}")).take_while(|id| self.has(id))
    }

    /// The lines of a field that are not blank, each as it was before it was escaped.
    pub fn lines(&self, id: &str) -> Vec<String> {
        let (lines, is_escaped) = self.raw_lines(id);
        lines.map(|line| if is_escaped { unescape(line) } else { line.to_owned() }).collect()
    }

    /// The same lines as they were sent, and whether their values are escaped.
    fn raw_lines(&self, id: &str) -> (impl Iterator<Item = &str>, bool) {
        let (text, is_escaped) = match (self.0.get(id), self.0.get(&format!("~{id}"))) {
            (Some(text), _) => (text.as_str(), false),
            (None, Some(text)) => (text.as_str(), true),
            (None, None) => ("", false),
        };
        (text.lines().filter(|line| !line.trim().is_empty()), is_escaped)
    }

    /// A whole number; 0 if there is none.
    pub fn number(&self, id: &str) -> i64 {
        self.0.get(id).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// Rows of a lookup table, one per line: as copied from a spreadsheet (a tab between the two columns),
    /// or with `→` or `=`. Blank lines are skipped. An empty second column means no value; in a line
    /// without any of these separators, the output still has to be filled in.
    pub fn rows(&self, id: &str) -> Vec<(String, Option<String>)> {
        let (lines, is_escaped) = self.raw_lines(id);
        let cell = |cell: &str| if is_escaped { unescape(cell.trim()) } else { cell.trim().to_owned() };
        let row = |line: &str| {
            let cut = ['\t', '→', '='].iter().find_map(|separator| line.split_once(*separator));
            match cut {
                Some((key, value)) => (cell(key), Some(cell(value)).filter(|value| !value.is_empty())),
                None => (cell(line), Some(String::new())),
            }
        };
        lines.map(row).collect()
    }

    /// The rest of the names of all fields whose name starts with `begin`.
    pub fn below(&self, begin: &str) -> Vec<String> {
        let names = self.0.keys().map(|name| name.strip_prefix('~').unwrap_or(name));
        names.filter_map(|name| name.strip_prefix(begin)).map(str::to_owned).collect()
    }

    /// All fields as they were sent, except passwords and keys: the admin enters those again.
    pub fn without_passwords(&self) -> Vec<(String, String)> {
        let is_secret = |name: &str| {
            matches!(name.strip_prefix('~').unwrap_or(name), "password" | "signing_key" | PASSWORD)
        };
        let fields = self.0.iter().filter(|(name, _)| !is_secret(name));
        fields.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Fields {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// Control characters as `\n`, `\r`, `\t` or `\u{…}`, and a backslash as two.
pub fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '\\' => escaped.push_str("\\\\"),
            letter if letter.is_control() => escaped.extend(letter.escape_default()),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// The same for a cell of a row: an arrow, and white space at its ends, are also written as `\u{…}`.
fn escape_cell(text: &str) -> String {
    let inside = text.trim();
    let begin = text.len() - text.trim_start().len();
    let mut escaped = String::new();
    for (at, letter) in text.char_indices() {
        let is_end = at < begin || at >= begin + inside.len();
        if is_end || letter == '→' {
            escaped.extend(letter.escape_unicode());
        } else {
            escaped.push_str(&escape(letter.encode_utf8(&mut [0; 4])));
        }
    }
    escaped
}

/// Reverses [`escape`]. A backslash that starts no escape is not changed.
pub fn unescape(escaped: &str) -> String {
    let mut text = String::new();
    let mut rest = escaped;
    while let Some(i) = rest.find('\\') {
        text.push_str(&rest[..i]);
        rest = &rest[i + 1..];
        let (letter, length) = match rest.as_bytes().first() {
            Some(b'\\') => (Some('\\'), 1),
            Some(b'n') => (Some('\n'), 1),
            Some(b'r') => (Some('\r'), 1),
            Some(b't') => (Some('\t'), 1),
            Some(b'u') => braced(rest),
            _ => (None, 0),
        };
        text.push(letter.unwrap_or('\\'));
        rest = &rest[length..];
    }
    text.push_str(rest);
    text
}

/// The letter of `u{…}` and how many bytes it takes.
fn braced(rest: &str) -> (Option<char>, usize) {
    let read = || {
        let (digits, _) = rest.strip_prefix("u{")?.split_once('}')?;
        let letter = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
        Some((Some(letter), digits.len() + 3))
    };
    read().unwrap_or((None, 0))
}

#[cfg(test)]
mod tests {
    use super::{Fields, Input, escape, unescape};

    #[test]
    fn a_text_with_control_characters_comes_back_as_it_was() {
        for text in ["", "plain", "C:\\new", "a\nb", "a\r\nb\\n", "\t\u{7}\u{85}\\u{7}", "\\"] {
            assert_eq!(unescape(&escape(text)), text, "{text:?}");
            let input = Input::new("x", text);
            let sent = Fields::from([(input.name.as_str(), input.value.as_str())]);
            assert_eq!(sent.text("x"), text, "{text:?}");
            assert!(!input.value.chars().any(char::is_control), "{text:?}");
        }
        let texts = ["a\nb".to_owned(), "\\".to_owned(), "c".to_owned()];
        for texts in [&texts[..1], &texts[1..], &texts] {
            let input = Input::of_lines("x", texts);
            let sent = Fields::from([(input.name.as_str(), input.value.replace('\n', "\r\n").as_str())]);
            assert_eq!(sent.lines("x"), texts, "{input:?}");
        }
        let row = |key: &str, value: &str| (key.to_owned(), Some(value.to_owned()));
        let nothing = |key: &str| (key.to_owned(), None);
        let rows = [
            row("gold", "7"),
            row("a = b", "c\td"),
            row(" x → y", "\n"),
            nothing(""),
            row("k", ""),
            nothing("k"),
            row("", "v"),
            row("\\n", "\u{2028}"),
        ];
        for rows in [&rows[..1], &rows[1..], &rows] {
            let input = Input::of_rows("x", rows);
            let sent = Fields::from([(input.name.as_str(), input.value.replace('\n', "\r\n").as_str())]);
            assert_eq!(sent.rows("x"), rows, "{input:?}");
        }
        let typed = Fields::from([("x", "gold\t7\r\n silver = 8 \n\nbronze→9\nlead\ntin →\n")]);
        let read =
            [row("gold", "7"), row("silver", "8"), row("bronze", "9"), row("lead", ""), nothing("tin")];
        assert_eq!(typed.rows("x"), read);
        assert_eq!(Input::new("x", "C:\\new").value, "C:\\new", "a backslash alone needs no escaping");
    }
}
