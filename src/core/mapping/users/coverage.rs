//! Who gets a value from each rule of a mapping: for each rule, how many users get a value from it, why the
//! others do not, and which values are not in its tables; for each attribute, how many users have it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::attribute::Attributes;
use crate::core::mapping::apply::reason::Why;
use crate::core::mapping::apply::trace::{RuleTrace, Trace};
use crate::core::payload::Texts;

/// How many different values are listed, per rule and reason.
const VALUES: usize = 200;

/// The maximum length of a listed value, in bytes. Of a longer value, the start is listed.
const LONGEST: usize = 200;

/// What has been found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Users who were checked.
    pub users: u64,
    /// By rule, in the order of the mapping.
    pub rules: Vec<RuleCoverage>,
    /// By attribute: users who have a value in it.
    pub attributes: BTreeMap<String, u64>,
}

/// Who gets a value from one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCoverage {
    /// Users who get their own value from it.
    pub given: u64,
    /// Users who get its default.
    pub default: u64,
    /// Users who do not meet its condition.
    pub silent: u64,
    /// By the reason's code: users who get no value of their own, including those who get the default.
    pub nothing: BTreeMap<String, u64>,
    /// Values that are in none of its tables, with the number of users who have each.
    pub unmatched: BTreeMap<String, u64>,
    /// Users with further such values, which are not listed.
    pub unmatched_more: u64,
    /// By the code of every other reason that lies in the value: the values that were left out.
    #[serde(default)]
    pub lost: BTreeMap<String, Lost>,
}

/// Values that were left out for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The values, with the number of users who have each; of a long value, its start.
    pub values: BTreeMap<String, u64>,
    /// Users with further values, which are not listed.
    pub more: u64,
}

impl Lost {
    fn add(&mut self, value: &str) {
        let mut end = value.len().min(LONGEST);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        let value = if end < value.len() { format!("{}…", &value[..end]) } else { value.to_owned() };
        count(&mut self.values, &mut self.more, value);
    }
}

/// Counts a value, or one more of those that are not listed.
fn count(values: &mut BTreeMap<String, u64>, more: &mut u64, value: String) {
    if let Some(count) = values.get_mut(&value) {
        *count += 1;
    } else if values.len() < VALUES {
        values.insert(value, 1);
    } else {
        *more += 1;
    }
}

impl Coverage {
    /// Adds what a mapping produced for a user.
    pub fn observe(&mut self, attributes: &Attributes, trace: &Trace) {
        self.users += 1;
        for (name, _) in attributes.iter() {
            if let Some(count) = self.attributes.get_mut(name) {
                *count += 1;
            } else {
                self.attributes.insert(name.to_owned(), 1);
            }
        }
        for rule in trace.claims.iter().flat_map(|claim| &claim.rules) {
            if self.rules.len() <= rule.rule {
                self.rules.resize(rule.rule + 1, RuleCoverage::default());
            }
            self.rules[rule.rule].observe(rule);
        }
    }
}

impl RuleCoverage {
    fn observe(&mut self, rule: &RuleTrace) {
        if rule.condition.as_ref().is_some_and(|condition| !condition.holds) {
            self.silent += 1;
            return;
        }
        if let Some(why) = rule.nothing {
            *self.nothing.entry(why.code().to_owned()).or_default() += 1;
        } else if !rule.default {
            self.given += 1;
        }
        if rule.default {
            self.default += 1;
        }
        for (why, value) in lost(rule) {
            if why == Why::NotInTable {
                count(&mut self.unmatched, &mut self.unmatched_more, value);
            } else {
                self.lost.entry(why.code().to_owned()).or_default().add(&value);
            }
        }
    }
}

/// The values that the rule left out for a reason that lies in them, each once: the items that were left out,
/// and the single value that was read if it produced no value.
fn lost(rule: &RuleTrace) -> Vec<(Why, String)> {
    let dropped = rule.dropped.iter().map(|dropped| (dropped.why, dropped.value.clone()));
    let mut lost: Vec<(Why, String)> = dropped.collect();
    if let Some(why) = rule.nothing
        && rule.dropped.is_empty()
        && let Some(Texts::One(text)) = last_value(rule)
    {
        lost.push((why, text.clone()));
    }
    lost.retain(|(why, _)| why.is_in_the_value());
    lost.sort_by(|one, other| (one.0.code(), &one.1).cmp(&(other.0.code(), &other.1)));
    lost.dedup();
    lost
}

/// The last value of a rule before there was no value left.
fn last_value(rule: &RuleTrace) -> Option<&Texts> {
    let steps = rule.steps.iter().rev().find_map(|step| step.value.as_ref());
    steps.or_else(|| rule.read.as_ref()?.value.as_ref())
}
