//! Reads a draft strictly as JSON. Every key of an object has its place, also a second key of the same
//! name; nesting is limited; NUL and half a surrogate pair are refused. What the JSON means is decided
//! in `read`.
//!
//! We have our own reader because `serde_json` silently drops one of two equal keys, has no places, and
//! treats a number such as `1e400` as broken JSON although it only has the wrong type.

use std::borrow::Cow;

use crate::core::visible::{code, is_invisible};

/// The maximum nesting of lists and objects.
pub(crate) const MAX_DEPTH: usize = 100;

/// A JSON value, and the bytes of the draft where it starts and ends. No two values of a draft start at the
/// same byte, so the first byte identifies a value.
#[derive(Clone, Debug)]
pub struct Node {
    pub at: usize,
    pub end: usize,
    pub json: Json,
}

#[derive(Clone, Debug)]
pub enum Json {
    /// There is nothing: the value of an absent key.
    Absent,
    Null,
    Bool(bool),
    /// No rule uses a number, so its value is not stored.
    Number,
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

/// A key of an object, the byte where the key starts, and its value.
#[derive(Clone, Debug)]
pub struct Member {
    pub at: usize,
    pub key: String,
    pub value: Node,
}

/// Why a string is not a draft: what is wrong, and at which byte.
#[derive(Debug)]
pub(crate) struct NotJson {
    pub at: usize,
    pub what: Cow<'static, str>,
}

impl Node {
    /// The value of an absent key in the object at a byte.
    pub fn absent(at: usize) -> Self {
        Self { at, end: at, json: Json::Absent }
    }

    /// The values of an object's keys, which are all among `known`. `None` if it is not an object, or has
    /// another key, or has one of them twice.
    pub fn exactly<const N: usize>(&self, known: [&str; N]) -> Option<[Option<&Node>; N]> {
        let Json::Object(members) = &self.json else { return None };
        let mut found = [None; N];
        for member in members {
            let place = known.iter().position(|key| *key == member.key)?;
            if found[place].replace(&member.value).is_some() {
                return None;
            }
        }
        Some(found)
    }

    /// The first value under a key of an object.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let Json::Object(members) = &self.json else { return None };
        members.iter().find(|member| member.key == key).map(|member| &member.value)
    }

    /// The only key of an object, with its value.
    pub fn single(&self) -> Option<(&str, &Node)> {
        match &self.json {
            Json::Object(members) => match members.as_slice() {
                [member] => Some((&member.key, &member.value)),
                _ => None,
            },
            _ => None,
        }
    }
}

fn is_json_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r')
}

/// Reads the whole text as one JSON value (RFC 8259).
pub(crate) fn read(text: &str) -> Result<Node, NotJson> {
    let mut reader = Reader { text, at: 0 };
    if text.starts_with('\u{feff}') {
        return reader.fail("it starts with a byte-order mark (U+FEFF); save it as UTF-8 without one");
    }
    let node = reader.value(0)?;
    reader.skip_space();
    if reader.at < text.len() {
        return reader.fail("there is more text after the end");
    }
    Ok(node)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    /// What is wrong here. If there is an invisible character or a typographic quote of a word processor, it
    /// is the reason and is named.
    fn fail<T>(&self, what: &'static str) -> Result<T, NotJson> {
        let next = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        let what = match next {
            Some(letter) if is_invisible(letter) || (letter.is_whitespace() && !is_json_space(letter)) => {
                format!("{what}; the character {} is here, and it cannot be seen", code(letter)).into()
            }
            Some(letter @ ('“' | '”' | '„' | '‘' | '’' | '«' | '»')) => {
                format!("{what}; the quote {letter} is here, but JSON uses only \"").into()
            }
            _ => Cow::Borrowed(what),
        };
        Err(NotJson { at: self.at, what })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Skips this byte if it is the next one.
    fn took(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// `depth` is the number of lists and objects around the value.
    fn value(&mut self, depth: usize) -> Result<Node, NotJson> {
        self.skip_space();
        let at = self.at;
        let json = match self.peek() {
            None => return self.fail("it ends too early"),
            Some(b'[' | b'{') if depth == MAX_DEPTH => {
                return self.fail("more than 100 lists and objects are nested");
            }
            Some(b'[') => Json::List(self.list(depth + 1)?),
            Some(b'{') => Json::Object(self.object(depth + 1)?),
            Some(b'"') => Json::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) => self.word()?,
        };
        Ok(Node { at, end: self.at, json })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, NotJson> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.took(b']') {
            return Ok(items);
        }
        loop {
            items.push(self.value(depth)?);
            self.skip_space();
            if self.took(b']') {
                return Ok(items);
            }
            if !self.took(b',') {
                return self.fail("a comma or ] is missing");
            }
            self.skip_space();
            if self.peek() == Some(b']') {
                return self.fail("there is a comma before the ] that ends the list; remove the comma");
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Member>, NotJson> {
        self.at += 1;
        let mut members = Vec::new();
        self.skip_space();
        if self.took(b'}') {
            return Ok(members);
        }
        loop {
            self.skip_space();
            let at = self.at;
            if self.peek() != Some(b'"') {
                return self.fail("a key in double quotes is missing");
            }
            let key = self.string()?;
            self.skip_space();
            if !self.took(b':') {
                return self.fail("a colon is missing");
            }
            let value = self.value(depth)?;
            members.push(Member { at, key, value });
            self.skip_space();
            if self.took(b'}') {
                return Ok(members);
            }
            if !self.took(b',') {
                return self.fail("a comma or } is missing");
            }
            self.skip_space();
            if self.peek() == Some(b'}') {
                return self.fail("there is a comma before the } that ends the object; remove the comma");
            }
        }
    }

    fn word(&mut self) -> Result<Json, NotJson> {
        let words = [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))];
        for (word, json) in words {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(json);
            }
        }
        self.fail("this is not a value; strings need double quotes")
    }

    fn number(&mut self) -> Result<Json, NotJson> {
        self.took(b'-');
        if !self.took(b'0') {
            self.digits()?;
        }
        if self.took(b'.') {
            self.digits()?;
        }
        if self.took(b'e') || self.took(b'E') {
            let _sign = self.took(b'+') || self.took(b'-');
            self.digits()?;
        }
        Ok(Json::Number)
    }

    fn digits(&mut self) -> Result<(), NotJson> {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == from {
            return self.fail("a digit is missing");
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, NotJson> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|c| c == '"' || c == '\\' || c < ' ');
            text.push_str(&rest[..plain.unwrap_or(rest.len())]);
            self.at += plain.unwrap_or(rest.len());
            match self.peek() {
                None => return self.fail("a string is not closed"),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => {
                    return self.fail("a string contains a control character, such as a line break");
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, NotJson> {
        self.at += 1;
        let Some(letter) = self.peek() else {
            return self.fail("a string is not closed");
        };
        let character = match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return self.fail("this escape does not exist"),
        };
        self.at += 1;
        Ok(character)
    }

    fn code_point(&mut self) -> Result<char, NotJson> {
        let first = self.hex()?;
        let code = match first {
            0xD800..=0xDBFF if self.text[self.at..].starts_with("\\u") => {
                self.at += 1;
                let second = self.hex()?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return self.fail("a string contains half a surrogate pair");
                }
                0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            other => other,
        };
        match char::from_u32(code) {
            Some('\0') => self.fail("a string contains the character NUL"),
            Some(character) => Ok(character),
            None => self.fail("a string contains half a surrogate pair"),
        }
    }

    /// Reads the `u` of an escape and its four hex digits.
    fn hex(&mut self) -> Result<u32, NotJson> {
        let digits = self.text.get(self.at + 1..self.at + 5).unwrap_or_default();
        let all_hex = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        match u32::from_str_radix(digits, 16) {
            Ok(code) if all_hex => {
                self.at += 5;
                Ok(code)
            }
            _ => self.fail("four hexadecimal digits are missing after \\u"),
        }
    }
}
