//! How far the rules of a mapping reach: per rule how many users get something by it and why the
//! others do not, which values its tables do not know, and per attribute how many users have it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::trace::{RuleTrace, Trace};
use super::why::Why;
use crate::core::attribute::Attributes;
use crate::core::payload::Texts;

/// How many values that no table knows are told apart, per rule.
const VALUES: usize = 200;

/// What was found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Users who were looked at.
    pub users: u64,
    /// By rule, in the order of the mapping.
    pub rules: Vec<RuleCoverage>,
    /// By attribute: users who have something in it.
    pub attributes: BTreeMap<String, u64>,
}

/// How far one rule reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCoverage {
    /// Users whose own value it gives.
    pub given: u64,
    /// Users for whom its default speaks.
    pub default: u64,
    /// Users for whom its condition does not hold.
    pub silent: u64,
    /// By the reason's code: users for whom it has nothing of their own, those with the default
    /// included.
    pub nothing: BTreeMap<String, u64>,
    /// Values that are in none of its tables, with how many users have each.
    pub unmatched: BTreeMap<String, u64>,
    /// Users with further such values, which are not told apart.
    pub unmatched_more: u64,
}

impl Coverage {
    /// Takes in what a mapping made of a user.
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
        for value in unmatched(rule) {
            if let Some(count) = self.unmatched.get_mut(&value) {
                *count += 1;
            } else if self.unmatched.len() < VALUES {
                self.unmatched.insert(value, 1);
            } else {
                self.unmatched_more += 1;
            }
        }
    }
}

/// The values that a table of the rule did not know: the dropped items, and the one text that went
/// into a table and did not come out.
fn unmatched(rule: &RuleTrace) -> Vec<String> {
    let dropped = rule.dropped.iter().filter(|dropped| dropped.why == Why::NotInTable);
    let mut values: Vec<String> = dropped.map(|dropped| dropped.value.clone()).collect();
    if let Some(lost) = rule.steps.iter().position(|step| step.step == "lookup" && step.value.is_none()) {
        let before = match lost.checked_sub(1) {
            Some(i) => rule.steps[i].value.as_ref(),
            None => rule.read.as_ref().and_then(|read| read.value.as_ref()),
        };
        if let Some(Texts::One(text)) = before {
            values.push(text.clone());
        }
    }
    values.sort();
    values.dedup();
    values
}
