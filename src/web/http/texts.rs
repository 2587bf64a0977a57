//! The texts of end users in every language, by message key. The console speaks English and has its own in its templates.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Every language that pages can have, with its file. The first one has every key.
const FILES: [(&str, &str); 2] =
    [("en", include_str!("../../../locales/en.toml")), ("de", include_str!("../../../locales/de.toml"))];

type Texts = HashMap<String, String>;

static TEXTS: LazyLock<HashMap<&str, Texts>> = LazyLock::new(|| {
    let read = |(language, file): (&'static str, &str)| {
        let tables: toml::Table = file.parse().expect("a file of texts is TOML");
        let mut texts = Texts::new();
        flatten("", &tables, &mut texts);
        (language, texts)
    };
    FILES.into_iter().map(read).collect()
});

fn flatten(before: &str, table: &toml::Table, texts: &mut Texts) {
    for (key, value) in table {
        let name = format!("{before}{key}");
        match value {
            toml::Value::Table(table) => flatten(&format!("{name}."), table, texts),
            toml::Value::String(text) => drop(texts.insert(name, text.clone())),
            _ => {}
        }
    }
}

/// The text of a key in a language; in English where that language has none, and the key itself where no language has.
pub fn text(language: &str, key: &str) -> String {
    let of = |language: &str| TEXTS.get(language).and_then(|texts| texts.get(key));
    of(language).or_else(|| of(FILES[0].0)).cloned().unwrap_or_else(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_a_language_lacks_is_english_and_one_that_none_has_is_its_key() {
        assert_eq!(text("de", "word.bad"), "Problem");
        assert_eq!(text("fr", "common.skip"), text("en", "common.skip"));
        assert_ne!(text("fr", "common.skip"), "common.skip");
        assert_eq!(text("en", "no.such.key"), "no.such.key");
    }
}
