//! Reads Deskpro's deployment snippet from pasted text: the snippet from Deskpro's admin interface, a
//! whole page that contains it, or the sample in Deskpro's guide, which is broken as published (no comma
//! between two options, and `<…>` around the URLs).

use std::ops::Range;

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
    /// Keys of `DpMessengerOptions` whose values are not plain values.
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

/// Keys that say who the user is: they come from the session, never from a setting.
const OF_A_USER: [&str; 2] = ["signedUserInfo", "userInfo"];

/// The longest text that is read (bytes): a whole page, with room.
const LONGEST: usize = 200_000;

/// Reads a snippet. Nothing is run. Parts that are not understood are left out, and so are comments, unless
/// there is nothing else.
pub fn read(text: &str) -> Snippet {
    if text.len() > LONGEST {
        return Snippet::default();
    }
    let text = plain(text);
    let found = read_plain(&without_comments(&text));
    if found == Snippet::default() { read_plain(&text) } else { found }
}

fn read_plain(text: &str) -> Snippet {
    // It has the same length, so that places in it are places in the text.
    let lower = text.to_ascii_lowercase();
    let (options, left_out) = options(text);
    let deskpro_url = attribute(text, &lower, "data-deskpro-url").filter(|url| web_url(url).is_some());
    let script = scripts(&lower).find(|tag| {
        let tag = &lower[tag.clone()];
        tag.contains("data-deskpro-url") || tag.contains("init/web.js")
    });
    let src = script.and_then(|tag| attribute(&text[tag.clone()], &lower[tag], "src"));
    Snippet {
        init_script_url: src.filter(|url| web_url(url).is_some()),
        deskpro_url,
        messenger_id: attribute(text, &lower, "data-messenger-id").filter(|id| messenger_id(id).is_some()),
        options,
        left_out,
    }
}

fn without_comments(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        kept.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    kept + rest
}

/// Undoes the changes that word processors and chat programs make to code.
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

/// The longest opening tag (bytes).
const LONGEST_TAG: usize = 4096;

/// The places of the opening tags of scripts. A tag ends at the first `>` outside of quotes; a tag that does
/// not end soon is not a tag.
fn scripts(lower: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let begin = from + lower[from..].find("<script")?;
        let bytes = lower.as_bytes()[begin..].iter().take(LONGEST_TAG).enumerate();
        let mut quote = None;
        for (at, byte) in bytes {
            match (quote, byte) {
                (None, b'"' | b'\'') => quote = Some(*byte),
                (Some(open), byte) if *byte == open => quote = None,
                (None, b'>') => {
                    from = begin + at;
                    return Some(begin..from);
                }
                _ => {}
            }
        }
        // The tag is not closed: return the part that may be checked.
        let end = (begin + LONGEST_TAG).min(lower.len());
        from = (end..=lower.len()).find(|place| lower.is_char_boundary(*place)).unwrap_or(lower.len());
        Some(begin..from)
    })
}

/// The value of an attribute, in quotes of any kind or without quotes; `<…>` around it is removed.
fn attribute(text: &str, lower: &str, name: &str) -> Option<String> {
    lower.match_indices(name).find_map(|(at, _)| {
        if lower[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '-') {
            return None;
        }
        let rest = text[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        let value = match rest.chars().next()? {
            quote @ ('"' | '\'') => rest[1..].split(quote).next()?,
            // Without quotes, `<` may start the value, and `>` ends it.
            _ => rest.split(|letter: char| letter.is_whitespace() || letter == '>').next()?,
        };
        let value = value.trim().trim_matches(['<', '>', '"', '\'']).trim();
        (!value.is_empty()).then(|| value.to_owned())
    })
}

/// The plain values of the object assigned to `DpMessengerOptions`.
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

/// Skips what is between two options: white space, commas, comments.
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

/// A JSON value, or `None` if it is not JSON; and the text after it.
fn value(text: &str) -> (Option<Value>, &str) {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    if let Some(Ok(value)) = stream.next() {
        return (Some(value), &text[stream.byte_offset()..]);
    }
    // `true` directly before the next key, and a string in single quotes, are not JSON but are understood.
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
    fn capitals_missing_quotes_and_an_old_snippet_in_a_comment_are_no_hindrance() {
        let plain = SAMPLE.replace("=\"<", "=\"").replace(">\"", "\"");
        let options = json!({"showLauncherButton": true});
        check(
            &plain.replace("<script", "<SCRIPT").replace("src=", "SRC=").replace("data-", "DATA-"),
            &options,
        );
        check(
            &plain.replace(".js\"", ".js").replace("src=\"", "src=").replace(
                "data-messenger-id=\"01HGFZRNX7M9S4PX2G3RIA8S0C\" >",
                "data-messenger-id=01HGFZRNX7M9S4PX2G3RIA8S0C>",
            ),
            &options,
        );
        let old = plain.replace("example.com", "old.example.com").replace("01HG", "01OLD");
        check(&format!("<!-- {old} -->\n{plain}"), &options);
        check(&format!("<!-- {plain} -->"), &options);
    }

    /// A reader that searched to the end from every `<script` would not finish this input.
    #[test]
    fn many_tags_that_never_end_are_read_in_one_pass() {
        for piece in
            ["<script", "<script \"", "data-messenger-id=\"", "x-data-messenger-id=\"", "<!--", "a:{"]
        {
            let text = format!("window.DpMessengerOptions = {{{}", piece.repeat(LONGEST / piece.len() - 40));
            assert_eq!(read(&text).init_script_url, None, "{piece}");
        }
        assert_eq!(read(&"<script".repeat(LONGEST)), Snippet::default());
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
