//! Rules as they run: one claim, where its value comes from, what is done with it, when the rule
//! applies, and what happens if there is no value (`mapping.md` section 2).

use std::borrow::Cow;

use crate::core::attribute::{Attributes, Definitions, read_yes_no};
use crate::core::mapping::apply::reason::Why;
use crate::core::mapping::apply::value::{self, Flow, compared};
use crate::core::mapping::claim::Claim;
use crate::core::mapping::steps::CompiledStep;
use crate::core::mapping::text::Text;
use crate::core::payload::Texts;

/// One rule of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct CompiledRule {
    /// The claim it feeds.
    pub claim: Claim,
    /// Where its value comes from.
    pub source: CompiledSource,
    /// What is done with the value, in order.
    pub steps: Vec<CompiledStep>,
    /// When the rule applies; always, if there is no condition.
    pub condition: Option<CompiledCondition>,
    /// What happens if there is no value.
    pub missing: CompiledMissing,
}

impl CompiledRule {
    /// Every attribute that the rule names.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        let condition = self.condition.iter().map(|c| c.attribute.as_str());
        self.source.attributes().chain(condition)
    }
}

/// Where the value of a rule comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum CompiledSource {
    /// An attribute of the user.
    Attribute(String),
    /// A string that is the same for all users, trimmed.
    Constant(String),
    /// The first of several texts that can be filled.
    Text(Vec<Text>),
}

impl CompiledSource {
    /// Every attribute that the source names.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        let (one, texts): (Option<&str>, &[Text]) = match self {
            CompiledSource::Attribute(name) => (Some(name), &[]),
            CompiledSource::Constant(_) => (None, &[]),
            CompiledSource::Text(texts) => (None, texts),
        };
        one.into_iter().chain(texts.iter().flat_map(Text::attributes))
    }
}

/// When a rule applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompiledCondition {
    /// The attribute that is tested.
    pub attribute: String,
    /// The test.
    pub test: CompiledTest,
    /// Whether the result of the test is negated.
    pub not: bool,
}

/// What a condition tests about an attribute. A list passes if one of its items passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompiledTest {
    /// It has a value.
    Set,
    /// It means yes.
    True,
    /// It is this string, trimmed.
    Is(String),
    /// It is one of these strings, trimmed.
    In(Vec<String>),
}

impl CompiledCondition {
    /// The condition's result for a value. A missing value is not set, not true, and not equal to anything.
    pub(crate) fn holds(&self, value: Option<&Flow<'_>>) -> bool {
        let asked = |item: &Cow<'_, str>| match &self.test {
            CompiledTest::Set => true,
            CompiledTest::True => read_yes_no(item) == Some(true),
            CompiledTest::Is(text) => compared(item) == compared(text),
            CompiledTest::In(texts) => {
                let item = compared(item);
                texts.iter().any(|text| item == compared(text))
            }
        };
        let answer = match value {
            None => false,
            Some(Flow::One(one)) => asked(one),
            Some(Flow::List(items)) => items.iter().any(asked),
        };
        answer != self.not
    }
}

/// What happens if a rule has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompiledMissing {
    /// Its claim gets no value from this rule.
    Omit,
    /// There is no token.
    Refuse,
    /// This value is used, trimmed. No step changes it.
    Default {
        /// One string, or a list in a list claim.
        default: Texts,
    },
}

/// A user's attributes as a mapping may read them.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub attributes: &'a Attributes,
    /// The attributes that exist; a value of a user under another name is not read. `None` if this is not
    /// checked.
    pub definitions: Option<&'a Definitions>,
}

impl<'a> Facts<'a> {
    /// The value of an attribute, or why there is none. `dropped` is called for lost items of a list.
    pub fn read(&self, name: &str, dropped: impl FnMut(&str, Why)) -> Result<Flow<'a>, Why> {
        if self.definitions.is_some_and(|known| !known.knows(name)) {
            return Err(Why::UnknownAttribute);
        }
        value::read(self.attributes, name, dropped)
    }

    /// The value of an attribute, without the reason if there is none.
    pub fn look(&self, name: &str) -> Option<Flow<'a>> {
        self.read(name, |_, _| ()).ok()
    }

    /// An attribute as part of a longer string; a list cannot be a part.
    pub fn part(&self, name: &str) -> Option<Cow<'a, str>> {
        match self.attributes.get(name)? {
            crate::core::attribute::Value::List(_) => None,
            _ => match self.look(name)? {
                Flow::One(text) => Some(text),
                Flow::List(_) => None,
            },
        }
    }
}
