//! A rule in plain words, for lists and comparisons: what a claim is called, and where its value
//! comes from. Reads rules as they were typed, right or wrong.

use crate::core::mapping::read::form_rule::{
    ConditionForm, LookupForm, MissingForm, RuleForm, SourceForm, StepForm, TestForm,
};
use crate::core::payload::Texts;

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Said by us.
    Plain(String),
    /// The name of an attribute.
    Attribute(String),
    /// A text of the mapping.
    Value(String),
}

/// What a claim is called, whatever stands there.
pub fn title(claim: &str) -> String {
    let fixed = match claim {
        "deskpro_id" => "Deskpro person",
        "email" => "Email address",
        "emails" => "Further email addresses",
        "name" => "Full name",
        "first_name" => "First name",
        "last_name" => "Last name",
        "organization_id" => "Organization",
        "language_id" => "Language",
        "usergroup_ids" => "Groups",
        "timezone" => "Time zone",
        "labels" => "Labels",
        "" => "No claim yet",
        other => {
            return match other.strip_prefix("fields.") {
                Some(field) => format!("Field {}", field.strip_suffix("[]").unwrap_or(field)),
                None => other.to_owned(),
            };
        }
    };
    fixed.to_owned()
}

/// Where the value of a rule comes from, what is done with it, when, and what happens without it.
pub fn sentence(rule: &RuleForm) -> Vec<Word> {
    let mut words = Sentence(Vec::new());
    words.source(&rule.source);
    for step in &rule.steps {
        words.step(step);
    }
    if let Some(condition) = &rule.condition {
        words.condition(condition);
    }
    match &rule.missing {
        MissingForm::Omit => {}
        MissingForm::Refuse => words.plain("; without it no token"),
        MissingForm::Default(form) => {
            words.plain("; without it ");
            match &form.default {
                Texts::One(text) => words.value(text),
                Texts::List(texts) => words.values(texts),
            }
        }
    }
    words.0
}

/// A sentence as one text: names as they are, texts of the mapping in quotes.
pub fn said(words: &[Word]) -> String {
    let piece = |word: &Word| match word {
        Word::Plain(text) | Word::Attribute(text) => text.clone(),
        Word::Value(text) => format!("“{text}”"),
    };
    words.iter().map(piece).collect()
}

/// How many of a table's rows or of other texts are told.
const TOLD: usize = 3;

struct Sentence(Vec<Word>);

impl Sentence {
    fn plain(&mut self, text: &str) {
        if let Some(Word::Plain(last)) = self.0.last_mut() {
            last.push_str(text);
        } else {
            self.0.push(Word::Plain(text.to_owned()));
        }
    }

    fn value(&mut self, text: &str) {
        self.0.push(Word::Value(text.to_owned()));
    }

    fn attribute(&mut self, name: &str) {
        if name.is_empty() {
            self.plain("no attribute yet");
        } else {
            self.0.push(Word::Attribute(name.to_owned()));
        }
    }

    fn values(&mut self, texts: &[String]) {
        for (i, text) in texts.iter().take(TOLD).enumerate() {
            if i > 0 {
                self.plain(if i + 1 == texts.len() { " or " } else { ", " });
            }
            self.value(text);
        }
        self.more(texts.len());
    }

    fn more(&mut self, all: usize) {
        if all > TOLD {
            self.plain(&format!(" and {} more", all - TOLD));
        }
    }

    fn source(&mut self, source: &SourceForm) {
        match source {
            SourceForm::Attribute(name) => self.attribute(name),
            SourceForm::Constant(text) => {
                self.plain("always ");
                self.value(text);
            }
            SourceForm::Text(texts) => match texts.as_slice() {
                [one] => {
                    self.plain("the text ");
                    self.value(one);
                }
                several => {
                    self.plain("the first that can be filled of ");
                    self.values(several);
                }
            },
        }
    }

    fn step(&mut self, step: &StepForm) {
        match step {
            StepForm::Split(separator) => {
                self.plain(", split at ");
                self.value(&separator_name(separator));
            }
            StepForm::Lower => self.plain(", in small letters"),
            StepForm::Upper => self.plain(", in capitals"),
            StepForm::Date(date) => {
                self.plain(", a date read as ");
                self.value(&date.input);
                self.plain(" and written as ");
                self.value(&date.output);
            }
            StepForm::YesNo(choice) => {
                self.plain(", yes as ");
                self.value(&choice.yes);
                self.plain(" and no as ");
                self.value(&choice.no);
            }
            StepForm::Lookup(lookup) => self.lookup(lookup),
        }
    }

    fn lookup(&mut self, lookup: &LookupForm) {
        self.plain(", looked up: ");
        for (i, (key, value)) in lookup.values.iter().take(TOLD).enumerate() {
            if i > 0 {
                self.plain(", ");
            }
            self.value(key);
            self.plain(" → ");
            match value {
                Some(value) => self.value(value),
                None => self.plain("nothing"),
            }
        }
        self.more(lookup.values.len());
        if let Some(text) = &lookup.otherwise {
            self.plain(", else ");
            self.value(text);
        } else if lookup.keep.is_some() {
            self.plain(", else as it is");
        }
    }

    fn condition(&mut self, condition: &ConditionForm) {
        self.plain(if condition.not { "; unless " } else { "; only when " });
        self.attribute(&condition.attribute);
        match &condition.test {
            TestForm::Set => self.plain(" has something in it"),
            TestForm::True => self.plain(" says yes"),
            TestForm::Is(text) => {
                self.plain(" is ");
                self.value(text);
            }
            TestForm::In(texts) => {
                self.plain(" is ");
                self.values(texts);
            }
        }
    }
}

/// A separator as people call it.
fn separator_name(separator: &str) -> String {
    match separator {
        " " => "space".to_owned(),
        "\n" | "\r\n" => "line break".to_owned(),
        other => other.to_owned(),
    }
}
