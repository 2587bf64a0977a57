//! A draft as an editor has it: the same parts as a [`crate::core::mapping::Mapping`], but every text as it was
//! typed, right or wrong, so that nothing is lost before it is right. It is written as the JSON of
//! the grammar and read back from it; what it means and whether it is right is `check`'s.
//!
//! What has no place in a form (an unknown key, a number, two sources) is kept as the JSON it is.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::core::mapping::Token;
use crate::core::mapping::claim::Claim;
use crate::core::mapping::edit::sentence::title;
use crate::core::mapping::read::finding::quoted;
use crate::core::mapping::read::form_rule::{RuleForm, StepForm, read_pairs};
use crate::core::mapping::read::json;
use crate::core::visible::differ_by;

/// A draft, part by part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// What is signed.
    pub token: Token,
    /// The rules, in order.
    pub rules: Vec<RuleEntry>,
    /// List claims by name, each with whether it is sent when it is empty.
    pub empty_lists: Vec<(String, bool)>,
}

/// A rule that fits into a form, or the JSON of one that does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleEntry {
    /// It fits.
    Rule(Box<RuleForm>),
    /// It does not; one JSON value.
    Json(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormJson {
    #[serde(default = "all")]
    token: String,
    rules: Vec<Box<RawValue>>,
    #[serde(default, deserialize_with = "read_pairs")]
    empty_lists: Vec<(String, String)>,
}

fn all() -> String {
    "all".to_owned()
}

impl Form {
    /// Reads a draft; `None` when as a whole it has no place in a form: it is not JSON, or holds
    /// more than `token`, `rules` and `empty_lists`. It can then be edited as a text only.
    pub fn read(text: &str) -> Option<Self> {
        json::read(text).ok()?;
        if !text.trim_start().starts_with('{') {
            return None;
        }
        let FormJson { token, rules, empty_lists } = serde_json::from_str(text).ok()?;
        let token = match token.as_str() {
            "all" => Token::All,
            "id" => Token::Id,
            _ => return None,
        };
        let empty_lists = empty_lists.into_iter().map(|(claim, choice)| match choice.as_str() {
            "send" => Some((claim, true)),
            "omit" => Some((claim, false)),
            _ => None,
        });
        let empty_lists = empty_lists.collect::<Option<_>>()?;
        Some(Self {
            token,
            rules: rules.iter().map(|rule| RuleEntry::read(rule.get())).collect(),
            empty_lists,
        })
    }

    /// The draft as a text: the JSON of the grammar, one line a rule.
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
                text.extend([separator, &json(claim), ": ", &json(&choice)]);
            }
            text.push('}');
        }
        text.push_str("}\n");
        text
    }

    /// Takes out what `empty_lists` says of claims that no rule feeds any more.
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

impl RuleEntry {
    /// Reads one JSON value.
    pub fn read(json: &str) -> Self {
        match serde_json::from_str(json) {
            Ok(rule) if says_the_same(json, &rule) => Self::Rule(Box::new(rule)),
            _ => Self::Json(json.to_owned()),
        }
    }

    /// The rule as JSON, on one line unless it was written otherwise.
    pub fn write(&self) -> String {
        match self {
            Self::Rule(rule) => json(rule),
            Self::Json(text) => text.clone(),
        }
    }

    /// What the rule is called: as its claim is.
    pub fn title(&self) -> String {
        self.claim().map_or_else(|| "A rule that has no form".to_owned(), title)
    }

    /// What a value that is in no table of the rule differs by from a row that looks the same, in a
    /// sentence.
    pub fn looks_like_a_row(&self, value: &str) -> Option<String> {
        let Self::Rule(rule) = self else { return None };
        let tables = rule.steps.iter().filter_map(|step| match step {
            StepForm::Lookup(table) => Some(table),
            _ => None,
        });
        let mut keys = tables.flat_map(|table| table.values.iter().map(|(key, _)| key.trim()));
        let (key, by) = keys.find_map(|key| Some((key, differ_by(value, key)?)))?;
        Some(format!("The row {} differs from it by {by} alone.", quoted(key)))
    }

    /// The claim it names, if that can be told.
    pub fn claim(&self) -> Option<&str> {
        match self {
            Self::Rule(rule) => Some(&rule.claim),
            Self::Json(_) => None,
        }
    }
}

/// Whether a form says what the JSON says that it was read from. serde reads more than the grammar
/// allows (null for an absent key, a list for an object), and an error must not vanish by that.
fn says_the_same(text: &str, rule: &RuleForm) -> bool {
    let (Ok(mut read), Ok(written)) = (serde_json::from_str::<Value>(text), serde_json::to_value(rule))
    else {
        return false;
    };
    if let Some(object) = read.as_object_mut() {
        // What is left out when it is written.
        if object.get("steps").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            object.remove("steps");
        }
        if object.get("missing").and_then(Value::as_str) == Some("omit") {
            object.remove("missing");
        }
    }
    read == written
}

/// JSON on one line, with a space behind each comma and colon as people write it.
fn json(value: &impl Serialize) -> String {
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
    value.serialize(&mut writer).expect("texts, lists and maps of texts can be written");
    String::from_utf8(text).expect("JSON is UTF-8")
}
