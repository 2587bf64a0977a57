//! Warnings that need the users: what a mapping asks for and no user has (`mapping.md` section 4).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::Mapping;
use super::finding::{Finding, Level, below, quoted};
use super::give::read;
use super::rule::{Condition, Facts, Rule, Test};
use super::step::Step;
use super::trace::Run;
use super::value::Flow;
use crate::core::attribute::Attributes;

/// Looks at users one after another and remembers what a mapping asks for in vain.
#[derive(Clone, Debug)]
pub struct Survey {
    mapping: Mapping,
    seen: Surveyed,
}

/// What was seen so far, to be written down and gone on with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Surveyed {
    users: u64,
    rules: Vec<Asked>,
}

/// What one rule asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Asked {
    /// How many users lack the attribute that a `not` looks at.
    lacking: u64,
    /// What the condition compares with and nobody had yet, by text, with its pointers.
    compared: HashMap<String, Vec<String>>,
    /// The keys of each step's table that nobody had yet, trimmed, with their pointers. Empty for
    /// every other step.
    keys: Vec<HashMap<String, String>>,
}

impl Survey {
    /// A survey of no user yet.
    pub fn new(mapping: &Mapping) -> Survey {
        let rules = mapping.rules().iter().enumerate().map(|(i, rule)| Asked::new(i, rule));
        let seen = Surveyed { users: 0, rules: rules.collect() };
        Survey { mapping: mapping.clone(), seen }
    }

    /// Goes on with what was seen of the same mapping.
    pub fn resume(mapping: &Mapping, seen: Surveyed) -> Survey {
        Survey { mapping: mapping.clone(), seen }
    }

    /// What was seen so far.
    pub fn seen(self) -> Surveyed {
        self.seen
    }

    /// Looks at one user.
    pub fn observe(&mut self, attributes: &Attributes) {
        self.seen.users += 1;
        let facts = Facts { attributes, definitions: None };
        let mut run = Run::untraced();
        for (rule, asked) in self.mapping.rules().iter().zip(&mut self.seen.rules) {
            if let Some(condition) = &rule.condition {
                asked.observe_condition(condition, facts);
            }
            asked.observe_keys(rule, facts, &mut run);
        }
    }

    /// What was found, in the order of the rules; nothing when there was no user to look at.
    pub fn warnings(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        if self.seen.users == 0 {
            return found;
        }
        for (i, (rule, asked)) in self.mapping.rules().iter().zip(&self.seen.rules).enumerate() {
            if let (Some(condition), true) = (&rule.condition, asked.lacking > 0) {
                let count = asked.lacking;
                let users = if count == 1 { "1 user has" } else { &format!("{count} users have") };
                let name = quoted(&condition.attribute);
                found.push(warning(
                    "not_on_lacking",
                    format!("/rules/{i}/when/not"),
                    format!("{users} nothing in {name}, and this condition means them too."),
                    "Add a rule for them, or turn the condition round if they are not meant.",
                ));
            }
            let mut unmatched: Vec<(&String, &String)> = Vec::new();
            for (text, pointers) in &asked.compared {
                unmatched.extend(pointers.iter().map(|pointer| (pointer, text)));
            }
            for keys in &asked.keys {
                unmatched.extend(keys.iter().map(|(text, pointer)| (pointer, text)));
            }
            unmatched.sort();
            found.extend(unmatched.into_iter().map(|(pointer, text)| {
                warning(
                    "no_user_has",
                    pointer.clone(),
                    format!("No user has {} today.", quoted(text)),
                    "Compare it with what the users have: capitals count.",
                )
            }));
        }
        found
    }
}

impl Asked {
    fn new(i: usize, rule: &Rule) -> Asked {
        let mut asked = Asked::default();
        let when = format!("/rules/{i}/when");
        let mut compared = |text: &String, pointer: String| {
            asked.compared.entry(text.clone()).or_default().push(pointer);
        };
        match rule.condition.as_ref().map(|condition| &condition.test) {
            Some(Test::Is(text)) => compared(text, format!("{when}/is")),
            Some(Test::In(texts)) => {
                for (k, text) in texts.iter().enumerate() {
                    compared(text, format!("{when}/in/{k}"));
                }
            }
            _ => {}
        }
        for (j, step) in rule.steps.iter().enumerate() {
            let table = format!("/rules/{i}/steps/{j}/lookup/values");
            asked.keys.push(match step {
                Step::Lookup(lookup) => {
                    lookup.values().map(|(key, _)| (key.trim().to_owned(), below(&table, key))).collect()
                }
                _ => HashMap::new(),
            });
        }
        asked
    }

    fn observe_condition(&mut self, condition: &Condition, facts: Facts<'_>) {
        // With `set` the users without it are exactly those who are meant.
        let asks_twice = condition.not && condition.test != Test::Set;
        if !asks_twice && self.compared.is_empty() {
            return;
        }
        match facts.look(&condition.attribute) {
            None => self.lacking += u64::from(asks_twice),
            Some(value) => texts(&value, |text| {
                self.compared.remove(text);
            }),
        }
    }

    /// Follows the value from its source to the last table of which a key is still open.
    fn observe_keys(&mut self, rule: &Rule, facts: Facts<'_>, run: &mut Run) {
        let Some(last) = self.keys.iter().rposition(|keys| !keys.is_empty()) else {
            return;
        };
        let Ok(mut value) = read(&rule.source, facts, run) else {
            return;
        };
        for (step, keys) in rule.steps.iter().zip(&mut self.keys).take(last + 1) {
            texts(&value, |text| {
                keys.remove(text);
            });
            let Ok(passed) = step.pass(value, run) else {
                return;
            };
            value = passed;
        }
    }
}

fn texts(value: &Flow<'_>, mut each: impl FnMut(&str)) {
    match value {
        Flow::One(text) => each(text),
        Flow::List(items) => items.iter().for_each(|item| each(item)),
    }
}

fn warning(code: &'static str, pointer: String, message: String, help: &str) -> Finding {
    let (level, help) = (Level::Warning, help.to_owned());
    Finding { level, code, pointer, message, help }
}
