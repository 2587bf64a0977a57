//! The parts of a draft as they were typed, valid or not. An editor shows and changes them, and `check`
//! checks them and compiles them into rules. Every part has the byte where it starts. Anything outside
//! the grammar (an unknown key, a number, two sources) is stored as its JSON, so that nothing is lost.

use serde::Serialize;

use super::finding::quoted;
use super::json::{self, Json, Node};
use super::rule::Rule;
use crate::core::catalogue::Catalogue;
use crate::core::mapping::apply::mapping::Token;
use crate::core::mapping::claim::Claim;
use crate::core::visible::differ_by;

/// A draft.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// What is signed.
    pub token: Token,
    /// The rules, in order.
    pub rules: Vec<RuleEntry>,
    /// List claims by name, and whether each is sent when it is empty.
    pub empty_lists: Vec<(String, bool)>,
}

/// A rule, and its JSON if the rule does not contain all of it.
#[derive(Clone, Debug)]
pub struct RuleEntry {
    /// The byte where it starts.
    pub(crate) at: usize,
    rule: Box<Rule>,
    odd: Option<(Node, String)>,
}

impl Tree {
    /// Reads a draft; `None` if an editor cannot show it: it is not JSON, or contains more than `token`,
    /// `rules` and `empty_lists`. It can then only be edited as JSON.
    pub fn read(text: &str) -> Option<Self> {
        let root = json::read(text).ok()?;
        let rules = RuleEntry::all(&root, text);
        Self::of(&root, rules)
    }

    /// The same for a draft that was read as JSON, and whose rules were read.
    pub(crate) fn of(root: &Node, rules: Option<Vec<RuleEntry>>) -> Option<Self> {
        let [token, _, empty_lists] = root.exactly(["token", "rules", "empty_lists"])?;
        let token = match token {
            None => Token::All,
            Some(node) => read_token(&node.json)?,
        };
        let empty_lists = match empty_lists {
            None => Vec::new(),
            Some(node) => read_empty_lists(&node.json)?,
        };
        Some(Self { token, rules: rules?, empty_lists })
    }

    /// The draft as a string: the JSON of the grammar, one line per rule.
    pub fn write(&self) -> String {
        let mut text = String::from("{");
        if self.token == Token::Id {
            text.push_str("\"token\": \"id\",\n ");
        }
        text.push_str("\"rules\": [");
        for (i, rule) in self.rules.iter().enumerate() {
            text.push_str(if i == 0 { "\n  " } else { ",\n  " });
            text.push_str(&rule.write());
        }
        text.push(']');
        if !self.empty_lists.is_empty() {
            text.push_str(",\n \"empty_lists\": {");
            for (i, (claim, sent)) in self.empty_lists.iter().enumerate() {
                let choice = if *sent { "send" } else { "omit" };
                let separator = if i == 0 { "" } else { ", " };
                text.extend([separator, &spaced(claim), ": ", &spaced(&choice)]);
            }
            text.push('}');
        }
        text.push_str("}\n");
        text
    }

    /// Removes claims that no rule feeds any more from `empty_lists`.
    pub fn tidy(&mut self) {
        let fed: Vec<String> = self.rules.iter().filter_map(|rule| rule.claim().map(str::to_owned)).collect();
        self.empty_lists.retain(|(claim, _)| fed.contains(claim));
    }

    /// Whether a list claim is sent when it is empty.
    pub fn sends_empty(&self, claim: &str) -> bool {
        self.empty_lists.iter().any(|(name, sent)| name == claim && *sent)
    }

    /// The list claims that rules feed, each once, in the order of the rules.
    pub fn list_claims(&self) -> Vec<String> {
        let mut claims: Vec<String> = Vec::new();
        for name in self.rules.iter().filter_map(RuleEntry::claim) {
            if Claim::parse(name).is_some_and(|claim| claim.is_list())
                && !claims.iter().any(|known| known == name)
            {
                claims.push(name.to_owned());
            }
        }
        claims
    }
}

/// The meaning of `token`, if it is one of its two words.
pub(crate) fn read_token(json: &Json) -> Option<Token> {
    match json {
        Json::Text(text) if text == "all" => Some(Token::All),
        Json::Text(text) if text == "id" => Some(Token::Id),
        _ => None,
    }
}

/// Whether an empty list is sent, if it is one of the two words.
pub(crate) fn read_sent(json: &Json) -> Option<bool> {
    match json {
        Json::Text(text) if text == "send" => Some(true),
        Json::Text(text) if text == "omit" => Some(false),
        _ => None,
    }
}

fn read_empty_lists(json: &Json) -> Option<Vec<(String, bool)>> {
    let Json::Object(members) = json else { return None };
    members.iter().map(|member| Some((member.key.clone(), read_sent(&member.value.json)?))).collect()
}

impl RuleEntry {
    /// Reads one JSON value. A string that is not JSON is stored unchanged.
    pub fn read(json: &str) -> Self {
        if let Ok(node) = json::read(json) {
            return Self::of(&node, json);
        }
        let node = Node::absent(0);
        Self { at: 0, rule: Box::new(Rule::read(&node)), odd: Some((node, json.to_owned())) }
    }

    /// All rules of a draft, if it has a list of rules.
    pub(crate) fn all(root: &Node, draft: &str) -> Option<Vec<Self>> {
        match &root.get("rules")?.json {
            Json::List(rules) => Some(rules.iter().map(|node| Self::of(node, draft)).collect()),
            _ => None,
        }
    }

    fn of(node: &Node, draft: &str) -> Self {
        let rule = Box::new(Rule::read(node));
        let is_known = node.exactly(Rule::KEYS).is_some();
        if is_known && rule.is_right() {
            return Self { at: node.at, rule, odd: None };
        }
        let text = draft.get(node.at..node.end).unwrap_or_default();
        Self { at: node.at, rule, odd: Some((node.clone(), text.to_owned())) }
    }

    /// The rule, if it contains everything that was typed.
    pub fn rule(&self) -> Option<&Rule> {
        self.odd.is_none().then_some(&*self.rule)
    }

    /// The same, to be changed.
    pub fn rule_mut(&mut self) -> Option<&mut Rule> {
        self.odd.is_none().then_some(&mut *self.rule)
    }

    /// The JSON of a rule that does not contain everything that was typed.
    pub fn json(&self) -> Option<&str> {
        self.odd.as_ref().map(|(_, text)| text.as_str())
    }

    /// The rule as far as it could be read, with its JSON if that contains more.
    pub(crate) fn parts(&self) -> (&Rule, Option<&Node>) {
        (&self.rule, self.odd.as_ref().map(|(node, _)| node))
    }

    /// The rule as JSON, on one line unless it was written in another way.
    pub fn write(&self) -> String {
        match self.json() {
            Some(text) => text.to_owned(),
            None => spaced(&self.rule),
        }
    }

    /// The title of the rule, which is the title of its claim.
    pub fn title(&self, names: &Catalogue) -> String {
        self.claim().map_or_else(|| "A rule without a form".to_owned(), |claim| names.title(claim))
    }

    /// For a value that no table of the rule covers: how it differs from a row that looks the same, in a
    /// sentence.
    pub fn looks_like_a_row(&self, value: &str) -> Option<String> {
        let rows = self.rule()?.tables().flat_map(|(_, table)| table.rows.iter());
        let mut keys = rows.map(|row| row.key.as_str().trim());
        let (key, by) = keys.find_map(|key| Some((key, differ_by(value, key)?)))?;
        Some(format!("The row {} differs from it only by {by}.", quoted(key)))
    }

    /// The claim it names, if that is known.
    pub fn claim(&self) -> Option<&str> {
        self.rule().map(|rule| rule.claim.as_str())
    }
}

impl From<Rule> for RuleEntry {
    fn from(rule: Rule) -> Self {
        Self { at: 0, rule: Box::new(rule), odd: None }
    }
}

impl PartialEq for RuleEntry {
    fn eq(&self, other: &Self) -> bool {
        match (self.json(), other.json()) {
            (None, None) => self.rule == other.rule,
            (one, other) => one == other,
        }
    }
}

/// JSON on one line, with a space after each comma and colon, as people write it.
fn spaced(value: &impl Serialize) -> String {
    struct Spaced;
    impl serde_json::ser::Formatter for Spaced {
        fn begin_array_value<W: ?Sized + std::io::Write>(
            &mut self,
            out: &mut W,
            first: bool,
        ) -> std::io::Result<()> {
            if first { Ok(()) } else { out.write_all(b", ") }
        }
        fn begin_object_key<W: ?Sized + std::io::Write>(
            &mut self,
            out: &mut W,
            first: bool,
        ) -> std::io::Result<()> {
            if first { Ok(()) } else { out.write_all(b", ") }
        }
        fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
            out.write_all(b": ")
        }
    }
    let mut text = Vec::new();
    let mut writer = serde_json::Serializer::with_formatter(&mut text, Spaced);
    value.serialize(&mut writer).expect("strings, lists and maps of strings can be written");
    String::from_utf8(text).expect("JSON is UTF-8")
}
