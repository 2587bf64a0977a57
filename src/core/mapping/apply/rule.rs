//! Rules as they were read: one claim, where its value comes from, what is done with it, when, and
//! what happens when there is nothing to give (`mapping.md` section 2).

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
    /// When the rule speaks; always when there is none.
    pub condition: Option<CompiledCondition>,
    /// What happens when there is nothing to give.
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
    /// A text that is the same for all, trimmed.
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

/// When a rule speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompiledCondition {
    /// The attribute that is looked at.
    pub attribute: String,
    /// What is asked of it.
    pub test: CompiledTest,
    /// Whether the answer is turned round.
    pub not: bool,
}

/// What a condition asks of an attribute. Of a list it asks whether one item holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompiledTest {
    /// There is something in it.
    Set,
    /// It says yes.
    True,
    /// It is this text, trimmed.
    Is(String),
    /// It is one of these texts, trimmed.
    In(Vec<String>),
}

impl CompiledCondition {
    /// The condition's answer for a value; nothing is not set, not true, and equal to nothing.
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

/// What happens when a rule has nothing to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompiledMissing {
    /// Its claim does without.
    Omit,
    /// There is no token.
    Refuse,
    /// This is given, which no step touches; trimmed.
    Default {
        /// One text, or a list in a list claim.
        default: Texts,
    },
}

/// A user's attributes as a mapping may read them.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub attributes: &'a Attributes,
    /// The attributes that exist; what stands on a user's row under another name is not read.
    /// None where nobody asks.
    pub definitions: Option<&'a Definitions>,
}

impl<'a> Facts<'a> {
    /// The value of an attribute, or why there is none. `dropped` hears of lost items of a list.
    pub fn read(&self, name: &str, dropped: impl FnMut(&str, Why)) -> Result<Flow<'a>, Why> {
        if self.definitions.is_some_and(|known| !known.knows(name)) {
            return Err(Why::UnknownAttribute);
        }
        value::read(self.attributes, name, dropped)
    }

    /// The value of an attribute where nobody asks why.
    pub fn look(&self, name: &str) -> Option<Flow<'a>> {
        self.read(name, |_, _| ()).ok()
    }

    /// An attribute as part of a text; a list is no part.
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
