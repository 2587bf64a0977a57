//! Warnings for which all users are checked: values that a mapping looks for and no user has (`mapping.md`
//! section 4).

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::core::attribute::{Attributes, read_yes_no};
use crate::core::mapping::apply::mapping::Mapping;
use crate::core::mapping::apply::rule::{CompiledCondition, CompiledRule, CompiledTest, Facts};
use crate::core::mapping::apply::run_rule::read;
use crate::core::mapping::apply::trace::Run;
use crate::core::mapping::apply::value::{Flow, compared};
use crate::core::mapping::read::finding::{Finding, Level, below, quoted};
use crate::core::mapping::steps::CompiledStep;
use crate::core::visible::{differ_by, likeness};

/// How many values of users a warning lists.
const EXAMPLES: usize = 3;

/// Checks users one after another and remembers the values that a mapping looks for and no user has.
#[derive(Clone, Debug)]
pub struct Survey {
    mapping: Mapping,
    seen: Surveyed,
}

/// What has been seen so far; it can be stored and continued later.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Surveyed {
    users: u64,
    rules: Vec<RuleSurvey>,
}

/// What one rule looks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct RuleSurvey {
    /// How many users do not have the attribute that a `not` checks.
    lacking: u64,
    /// The values that the condition compares with and no user had so far, with their pointers.
    compared: HashMap<String, Vec<String>>,
    /// The keys of each step's table that no user had so far, as they are compared, with their pointers.
    /// Empty for every other step.
    keys: Vec<HashMap<String, String>>,
    /// Everything that is compared, grouped by what values that look the same have in common.
    #[serde(default)]
    looks: HashMap<String, Vec<String>>,
    /// Values of users that look like a compared value but differ from it, by the compared value.
    #[serde(default)]
    alike: HashMap<String, String>,
    /// Whether some user meets the condition. Older versions did not store this.
    #[serde(default = "yes")]
    is_met: bool,
    /// A few values that the condition checked, if it tests for yes.
    #[serde(default)]
    examples: Vec<String>,
}

fn yes() -> bool {
    true
}

impl Survey {
    /// A survey that has checked no user yet.
    pub fn new(mapping: &Mapping) -> Survey {
        let rules = mapping.rules().iter().enumerate().map(|(i, rule)| RuleSurvey::new(i, rule));
        let seen = Surveyed { users: 0, rules: rules.collect() };
        Survey { mapping: mapping.clone(), seen }
    }

    /// Continues with what has been seen of the same mapping.
    pub fn resume(mapping: &Mapping, seen: Surveyed) -> Survey {
        Survey { mapping: mapping.clone(), seen }
    }

    /// What has been seen so far.
    pub fn seen(self) -> Surveyed {
        self.seen
    }

    /// Checks one user.
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

    /// The warnings, in the order of the rules; none if there was no user to check.
    pub fn warnings(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        if self.seen.users == 0 {
            return found;
        }
        for (i, (rule, asked)) in self.mapping.rules().iter().zip(&self.seen.rules).enumerate() {
            if let Some(condition) = &rule.condition {
                found.extend(asked.lacking_warning(i, condition));
                found.extend(asked.never_met(i, condition));
            }
            found.extend(asked.unmatched());
        }
        found
    }
}

impl RuleSurvey {
    fn new(i: usize, rule: &CompiledRule) -> RuleSurvey {
        let mut asked = RuleSurvey { is_met: rule.condition.is_none(), ..RuleSurvey::default() };
        let when = format!("/rules/{i}/when");
        let mut add = |text: &str, pointer: String| {
            asked.compared.entry(compared(text).into_owned()).or_default().push(pointer);
        };
        match rule.condition.as_ref().map(|condition| &condition.test) {
            Some(CompiledTest::Is(text)) => add(text, format!("{when}/is")),
            Some(CompiledTest::In(texts)) => {
                for (k, text) in texts.iter().enumerate() {
                    add(text, format!("{when}/in/{k}"));
                }
            }
            Some(CompiledTest::Set | CompiledTest::True) | None => {}
        }
        for (j, step) in rule.steps.iter().enumerate() {
            let table = format!("/rules/{i}/steps/{j}/lookup/values");
            let key = |key: &str| (compared(key.trim()).into_owned(), below(&table, key));
            let keys = if let CompiledStep::Lookup(table) = step {
                table.keys().map(key).collect()
            } else {
                HashMap::new()
            };
            asked.keys.push(keys);
        }
        let texts = asked.compared.keys().chain(asked.keys.iter().flat_map(HashMap::keys));
        for text in texts.map(String::clone).collect::<HashSet<_>>() {
            asked.looks.entry(likeness(&text)).or_default().push(text);
        }
        asked
    }

    fn observe_condition(&mut self, condition: &CompiledCondition, facts: Facts<'_>) {
        // With `set`, the users without the attribute are exactly the users that are meant.
        let asks_twice = condition.not && condition.test != CompiledTest::Set;
        let asks_for_yes = condition.test == CompiledTest::True && self.examples.len() < EXAMPLES;
        if self.is_met && !asks_twice && !asks_for_yes && self.compared.is_empty() {
            return;
        }
        let value = facts.look(&condition.attribute);
        self.is_met = self.is_met || condition.holds(value.as_ref());
        match value {
            None => self.lacking += u64::from(asks_twice),
            Some(value) => texts(&value, |text| {
                if !self.compared.is_empty() {
                    self.compared.remove(compared(text).as_ref());
                    note_alike(&mut self.alike, &self.looks, text);
                }
                let is_new = asks_for_yes && !self.examples.iter().any(|known| known == text);
                if is_new && read_yes_no(text).is_none() && self.examples.len() < EXAMPLES {
                    self.examples.push(text.chars().take(100).collect());
                }
            }),
        }
    }

    /// Follows the value from its source to the last table that still has a key that no user had.
    fn observe_keys(&mut self, rule: &CompiledRule, facts: Facts<'_>, run: &mut Run) {
        let Some(last) = self.keys.iter().rposition(|keys| !keys.is_empty()) else {
            return;
        };
        let Ok(mut value) = read(&rule.source, facts, run) else {
            return;
        };
        for (step, keys) in rule.steps.iter().zip(&mut self.keys).take(last + 1) {
            texts(&value, |text| {
                if !keys.is_empty() {
                    keys.remove(compared(text).as_ref());
                    note_alike(&mut self.alike, &self.looks, text);
                }
            });
            let Ok(passed) = step.pass(value, run) else {
                return;
            };
            value = passed;
        }
    }

    fn lacking_warning(&self, i: usize, condition: &CompiledCondition) -> Option<Finding> {
        let count = self.lacking;
        let users = if count == 1 { "1 user has" } else { &format!("{count} users have") };
        let name = quoted(&condition.attribute);
        (count > 0).then(|| {
            warning(
                "not_on_lacking",
                format!("/rules/{i}/when/not"),
                format!("{users} no value in {name}, and this condition applies to them too."),
                "Add a rule for them, or change the condition if it must not apply to them.",
            )
        })
    }

    /// A condition that no user meets, unless the warnings about single values say so already; and a
    /// condition that tests for yes or no while users have other words.
    fn never_met(&self, i: usize, condition: &CompiledCondition) -> Option<Finding> {
        let name = quoted(&condition.attribute);
        let examples: Vec<String> = self.examples.iter().map(|text| quoted(text)).collect();
        let examples = examples.join(", ");
        let (key, message, help) = match &condition.test {
            CompiledTest::True if !condition.not && !self.is_met => (
                "true",
                if examples.is_empty() {
                    format!("No user has a yes value in {name} today, so this rule applies to no user.")
                } else {
                    format!(
                        "No user has a yes value in {name} today, so this rule applies to no user. Users have {examples}."
                    )
                },
                "Yes is 1, true, yes, on, y or t. Compare other words with “is” or “in”.",
            ),
            CompiledTest::True if condition.not && !examples.is_empty() => (
                "true",
                format!(
                    "Users have {examples} in {name}, which is neither yes nor no, so this rule applies to them."
                ),
                "Yes is 1, true, yes, on, y or t. Compare other words with “is” or “in”.",
            ),
            CompiledTest::Is(_) | CompiledTest::In(_) if !condition.not => return None,
            _ if self.is_met => return None,
            CompiledTest::Set if condition.not => (
                "set",
                format!("Every user has a value in {name} today, so this rule applies to no user."),
                "Remove the rule if it is not needed.",
            ),
            CompiledTest::Set => (
                "set",
                format!("No user has a value in {name} today, so this rule applies to no user."),
                "Check the attribute's name, or import its values.",
            ),
            CompiledTest::True => (
                "true",
                format!("Every user has a yes value in {name} today, so this rule applies to no user."),
                "Remove the rule if it is not needed.",
            ),
            CompiledTest::Is(_) => (
                "is",
                format!("Every user has this value in {name} today, so this rule applies to no user."),
                "Remove the rule if it is not needed.",
            ),
            CompiledTest::In(_) => (
                "in",
                format!(
                    "Every user has one of these values in {name} today, so this rule applies to no user."
                ),
                "Remove the rule if it is not needed.",
            ),
        };
        Some(warning("no_user_meets", format!("/rules/{i}/when/{key}"), message, help))
    }

    /// The values that the rule compares with and no user has.
    fn unmatched(&self) -> Vec<Finding> {
        let mut unmatched: Vec<(&String, &String)> = Vec::new();
        for (text, pointers) in &self.compared {
            unmatched.extend(pointers.iter().map(|pointer| (pointer, text)));
        }
        for keys in &self.keys {
            unmatched.extend(keys.iter().map(|(text, pointer)| (pointer, text)));
        }
        unmatched.sort();
        let tell = |(pointer, text): (&String, &String)| {
            let message = format!("No user has {} today.", quoted(text));
            let near = self.alike.get(text).and_then(|near| Some((near, differ_by(text, near)?)));
            let help = match near {
                Some((near, by)) => {
                    format!("A user has {}, which differs only by {by}. Use that spelling.", quoted(near))
                }
                None => {
                    "Compare it with the values that users have: uppercase and lowercase letters are different.".to_owned()
                }
            };
            warning("no_user_has", pointer.clone(), message, &help)
        };
        unmatched.into_iter().map(tell).collect()
    }
}

/// Stores a value that looks like a compared value but is not equal to it.
fn note_alike(alike: &mut HashMap<String, String>, looks: &HashMap<String, Vec<String>>, text: &str) {
    const LONGEST: usize = 200;
    let known = if text.len() > LONGEST { None } else { looks.get(&likeness(text)) };
    let Some(known) = known else { return };
    let text = compared(text);
    if !known.iter().any(|known| *known == text) {
        for known in known {
            alike.entry(known.clone()).or_insert_with(|| text.to_string());
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
    Finding { level, code, pointer, message, help, at: None }
}
