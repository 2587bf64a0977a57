//! Deskpro's deployment snippet, read out of whatever was pasted: the one of its admin, a whole page
//! with it, or the sample of Deskpro's guide, which is broken as printed (no comma between two
//! options, and `<…>` around the addresses).

use serde_json::{Map, Value};

use super::fields::{Texts, messenger_id, web_url};

/// What was found; each part may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snippet {
    /// `src` of the module script.
    pub init_script_url: Option<String>,
    /// `data-deskpro-url`.
    pub deskpro_url: Option<String>,
    /// `data-messenger-id`.
    pub messenger_id: Option<String>,
    /// The plain values of `DpMessengerOptions`, without the token and hints about a user.
    pub options: Map<String, Value>,
    /// Keys of `DpMessengerOptions` whose values are no plain ones.
    pub left_out: Vec<String>,
}

impl Snippet {
    /// What was found, by the names of a messenger's settings.
    pub fn texts(&self) -> Texts {
        let found = [
            ("init_script_url", &self.init_script_url),
            ("deskpro_url", &self.deskpro_url),
            ("messenger_id", &self.messenger_id),
        ];
        let mut texts: Texts = found
            .into_iter()
            .filter_map(|(name, text)| text.clone().map(|text| (name.to_owned(), text)))
            .collect();
        if !texts.is_empty() && !self.options.is_empty() {
            texts.insert("messenger_options".to_owned(), Value::Object(self.options.clone()).to_string());
        }
        texts
    }
}

/// Keys that say who somebody is: they come from the sign-in, never from a setting.
const OF_A_USER: [&str; 2] = ["signedUserInfo", "userInfo"];

/// Reads a snippet. Nothing is run, and what is not understood is left out.
pub fn read(text: &str) -> Snippet {
    let text = &plain(text);
    let (options, left_out) = options(text);
    let deskpro_url = attribute(text, "data-deskpro-url").filter(|url| web_url(url).is_some());
    let script = scripts(text).find(|tag| tag.contains("data-deskpro-url") || tag.contains("init/web.js"));
    let src = script.and_then(|tag| attribute(tag, "src")).filter(|url| web_url(url).is_some());
    Snippet {
        init_script_url: src,
        deskpro_url,
        messenger_id: attribute(text, "data-messenger-id").filter(|id| messenger_id(id).is_some()),
        options,
        left_out,
    }
}

/// What word processors and chat programs make of code, undone.
fn plain(text: &str) -> String {
    text.replace(['\u{201c}', '\u{201d}', '\u{201e}', '\u{2033}'], "\"")
        .replace(['\u{2018}', '\u{2019}'], "'")
        .replace('\u{a0}', " ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

/// The opening tags of scripts. A tag ends at the first `>` outside of quotes.
fn scripts(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("<script").map(|(begin, _)| {
        let tag = &text[begin..];
        let mut quote = None;
        let end = tag.char_indices().find(|(_, letter)| match (quote, letter) {
            (None, '"' | '\'') => {
                quote = Some(*letter);
                false
            }
            (Some(open), letter) if *letter == open => {
                quote = None;
                false
            }
            (None, '>') => true,
            _ => false,
        });
        &tag[..end.map_or(tag.len(), |(end, _)| end)]
    })
}

/// The value of an attribute, in quotes of any kind or none; `<…>` around it is taken off.
fn attribute(text: &str, name: &str) -> Option<String> {
    text.match_indices(name).find_map(|(at, _)| {
        let is_whole = !text[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '-');
        let rest = text[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        let value = match rest.chars().next()? {
            quote @ ('"' | '\'') => rest[1..].split(quote).next()?,
            _ => rest.split(|letter: char| letter.is_whitespace()).next()?,
        };
        let value = value.trim().trim_matches(['<', '>', '"', '\'']).trim();
        (is_whole && !value.is_empty()).then(|| value.to_owned())
    })
}

/// The plain values of the object that `DpMessengerOptions` is set to.
fn options(text: &str) -> (Map<String, Value>, Vec<String>) {
    let mut options = Map::new();
    let mut left_out = Vec::new();
    let body = text.split_once("DpMessengerOptions").and_then(|(_, rest)| {
        let rest = rest.trim_start().strip_prefix('=')?.trim_start();
        rest.strip_prefix('{')
    });
    let Some(mut rest) = body else { return (options, left_out) };
    loop {
        rest = skip(rest);
        let Some((key, after)) = key(rest) else { break };
        rest = skip(after);
        let Some(after) = rest.strip_prefix(':') else { break };
        let (value, after) = value(skip(after));
        rest = after;
        match value {
            _ if OF_A_USER.contains(&key.as_str()) => {}
            Some(value) => {
                options.insert(key, value);
            }
            None => left_out.push(key),
        }
    }
    (options, left_out)
}

/// What stands between two options: blanks, commas, comments.
fn skip(text: &str) -> &str {
    let mut rest = text;
    loop {
        let trimmed = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ',');
        rest = if let Some(comment) = trimmed.strip_prefix("//") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(comment) = trimmed.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, after)| after)
        } else {
            return trimmed;
        };
    }
}

fn key(text: &str) -> Option<(String, &str)> {
    if let Some(quote) = text.chars().next().filter(|letter| matches!(letter, '"' | '\'')) {
        let (key, rest) = text[1..].split_once(quote)?;
        return Some((key.to_owned(), rest));
    }
    let end = text.find(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '$')));
    let (key, rest) = text.split_at(end.unwrap_or(text.len()));
    (!key.is_empty()).then(|| (key.to_owned(), rest))
}

/// A value of JSON, or nothing for what is none; and the text after it.
fn value(text: &str) -> (Option<Value>, &str) {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    if let Some(Ok(value)) = stream.next() {
        return (Some(value), &text[stream.byte_offset()..]);
    }
    // `true` right before the next key, or a text in single quotes, is no JSON but is understood.
    for (word, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)] {
        if let Some(rest) = text.strip_prefix(word)
            && !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_')
        {
            return (Some(value), rest);
        }
    }
    if let Some(quoted) = text.strip_prefix('\'')
        && let Some((inner, rest)) = quoted.split_once('\'')
        && !inner.contains(['\\', '\n'])
    {
        return (Some(Value::from(inner)), rest);
    }
    // Anything else ends at the next comma, line or brace outside of brackets.
    let mut depth = 0_u32;
    let end = text.char_indices().find(|(_, letter)| match letter {
        '{' | '[' | '(' => {
            depth += 1;
            false
        }
        '}' | ']' | ')' if depth > 0 => {
            depth -= 1;
            false
        }
        ',' | '\n' | '}' => depth == 0,
        _ => false,
    });
    (None, &text[end.map_or(text.len(), |(end, _)| end)..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SAMPLE: &str = r#"<script> window.DpMessengerOptions = { showLauncherButton: true signedUserInfo: jwt } </script> <script type="module" src="<https://example.com/deskpro-messenger-init/web.js>" data-deskpro-url="<https://example.com/deskpro-messenger/00000000-0000-0000-0000-000000000000>" data-messenger-id="01HGFZRNX7M9S4PX2G3RIA8S0C" ></script>"#;

    fn check(text: &str, options: &Value) {
        let snippet = read(text);
        assert_eq!(
            snippet.init_script_url.as_deref(),
            Some("https://example.com/deskpro-messenger-init/web.js"),
            "{text}"
        );
        assert_eq!(
            snippet.deskpro_url.as_deref(),
            Some("https://example.com/deskpro-messenger/00000000-0000-0000-0000-000000000000")
        );
        assert_eq!(snippet.messenger_id.as_deref(), Some("01HGFZRNX7M9S4PX2G3RIA8S0C"));
        assert_eq!(&Value::Object(snippet.options), options, "{text}");
    }

    #[test]
    fn the_broken_sample_of_the_guide_is_read() {
        check(SAMPLE, &json!({"showLauncherButton": true}));
        check(&SAMPLE.replace('"', "\u{201d}"), &json!({"showLauncherButton": true}));
        check(&SAMPLE.replace('<', "&lt;").replace('>', "&gt;"), &json!({"showLauncherButton": true}));
        check(&SAMPLE.replace('"', "'"), &json!({"showLauncherButton": true}));
    }

    #[test]
    fn a_right_snippet_in_a_whole_page_is_read_with_its_options() {
        let page = format!(
            "<html><script src=\"https://cdn.example/jquery.js\"></script>{}",
            SAMPLE.replace("=\"<", "=\"").replace(">\"", "\"").replace(
                "showLauncherButton: true signedUserInfo: jwt",
                "\n // the button\n 'showLauncherButton': false,\n openOnInit: 'always',\n \"launcherButtonConfig\": {\"size\": 3, \"list\": [1, 2]},\n\
                 userInfo: { name: user.name, email: \"x\" },\n locale: navigator.language,\n messengerAppConfig: {}\n,signedUserInfo: await token({a: 1}),"
            )
        );
        check(
            &page,
            &json!({"showLauncherButton": false, "openOnInit": "always", "launcherButtonConfig": {"size": 3, "list": [1, 2]}, "messengerAppConfig": {}}),
        );
        assert_eq!(read(&page).left_out, ["locale"]);
    }

    #[test]
    fn what_is_no_snippet_gives_nothing() {
        for text in [
            "",
            "hello",
            "<script",
            "data-messenger-id=\"<a b>\"",
            "DpMessengerOptions = {",
            "DpMessengerOptions={a:}",
            "data-deskpro-url=javascript:alert(1)",
            "window.DpMessengerOptions = { a: \u{1f600}",
            "<script src='javascript:x' data-deskpro-url",
        ] {
            let snippet = read(text);
            assert_eq!(
                (snippet.init_script_url, snippet.deskpro_url, snippet.messenger_id),
                (None, None, None),
                "{text}"
            );
        }
    }
}
