//! A rule as a sentence, valid or not, for lists and comparisons.

use super::word::{Word, Words};
use crate::core::mapping::read::part::Leaf;
use crate::core::mapping::read::rule::{Condition, Default, Missing, Rule, Source, Test};

/// Where the value of a rule comes from, what is done with it, when, and what happens if there is no value.
pub fn sentence(rule: &Rule) -> Vec<Word> {
    let mut words = Words::default();
    source(&mut words, &rule.source);
    for step in &rule.steps {
        step.say(&mut words);
    }
    if let Some(found) = &rule.condition {
        condition(&mut words, found);
    }
    match &rule.missing {
        Missing::Omit | Missing::Odd(_) => {}
        Missing::Refuse => words.plain("; if there is no value, no token"),
        Missing::Default(default) => {
            words.plain("; if there is no value, ");
            match default {
                Default::One(text) => words.value(text.as_str()),
                Default::List(texts) => values(&mut words, &texts.list),
            }
        }
    }
    words.0
}

fn values(words: &mut Words, texts: &[Leaf]) {
    words.some(texts, " or ", |words, text| words.value(text.as_str()));
}

fn source(words: &mut Words, source: &Source) {
    match source {
        Source::Attribute(name) => words.attribute(name.as_str()),
        Source::Constant(text) => {
            words.plain("always ");
            words.value(text.as_str());
        }
        Source::Text(texts) => match texts.list.as_slice() {
            [one] => {
                words.plain("the text ");
                words.value(one.as_str());
            }
            several => {
                words.plain("the first complete text of ");
                values(words, several);
            }
        },
        Source::Odd(_) => {}
    }
}

fn condition(words: &mut Words, condition: &Condition) {
    words.plain(if condition.not { "; unless " } else { "; only when " });
    words.attribute(condition.attribute.as_str());
    match &condition.test {
        Test::Set => words.plain(" has a value"),
        Test::True => words.plain(" is yes"),
        Test::Is(text) => {
            words.plain(" is ");
            words.value(text.as_str());
        }
        Test::In(texts) => {
            words.plain(" is ");
            values(words, &texts.list);
        }
        Test::Odd(_) => {}
    }
}
