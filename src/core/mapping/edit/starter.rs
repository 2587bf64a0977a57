//! Rules to start with, from the names and values of attributes. They are guesses: an admin adds one and
//! checks what it produces.

use crate::core::attribute::Kind;
use crate::core::mapping::read::part::Leaf;
use crate::core::mapping::read::rule::{Condition, Rule, Source, Test};
use crate::core::mapping::read::tree::{RuleEntry, Tree};
use crate::core::mapping::steps::Step;
use crate::core::mapping::steps::lookup::{Lookup, Row};
use crate::core::mapping::steps::split::Split;

/// An attribute with the values of some users.
pub struct Sample {
    /// Its name.
    pub name: String,
    /// What kind of value it has.
    pub kind: Kind,
    /// Values of some users, as strings; for lists, their items.
    pub values: Vec<String>,
}

/// The maximum number of values that a table starts with.
const ROWS: usize = 30;

/// The claims that the words of an attribute's name suggest.
const WORDS: &[(&[&str], &str)] = &[
    (&["group", "groups", "usergroup", "usergroups", "segment", "segments"], "usergroup_ids"),
    (&["plan", "plans", "tier", "membership", "subscription", "level"], "usergroup_ids"),
    (&["tag", "tags", "label", "labels", "interest", "interests"], "labels"),
    (&["org", "organization", "organisation", "company", "account"], "organization_id"),
    (&["timezone", "tz"], "timezone"),
    (&["lang", "language", "locale"], "language_id"),
    (&["emails", "mails"], "emails"),
];

/// Rules for attributes that no rule reads yet: at most one per attribute, and none for a claim that takes
/// one rule and has it.
pub fn starters(tree: &Tree, samples: &[Sample]) -> Vec<Rule> {
    let fed: Vec<&str> = tree.rules.iter().filter_map(RuleEntry::claim).collect();
    let is_read = |name: &str| {
        tree.rules.iter().any(|entry| match (entry.rule(), entry.json()) {
            (Some(rule), _) => reads(rule, name),
            (None, text) => text.is_some_and(|text| text.contains(name)),
        })
    };
    let is_free = |rule: &Rule| {
        matches!(rule.claim.as_str(), "usergroup_ids" | "labels" | "emails")
            || !fed.contains(&rule.claim.as_str())
    };
    let unread = samples.iter().filter(|sample| !is_read(&sample.name));
    unread.filter_map(starter).filter(is_free).collect()
}

/// Whether a rule reads an attribute.
fn reads(rule: &Rule, name: &str) -> bool {
    let in_source = match &rule.source {
        Source::Attribute(attribute) => attribute.as_str() == name,
        Source::Constant(_) | Source::Odd(_) => false,
        Source::Text(texts) => {
            let is_part = |text: &Leaf| text.as_str().split(['{', '|', '}']).any(|part| part.trim() == name);
            texts.list.iter().any(is_part)
        }
    };
    in_source || rule.condition.as_ref().is_some_and(|condition| condition.attribute.as_str() == name)
}

fn starter(sample: &Sample) -> Option<Rule> {
    if sample.values.is_empty() {
        return None;
    }
    let says_yes_no = || {
        let is_number = |value: &String| matches!(value.trim(), "0" | "1");
        sample.values.iter().all(|value| is_yes_no(value) || is_number(value))
            && !sample.values.iter().all(is_number)
    };
    if sample.kind == Kind::YesNo || says_yes_no() {
        // If "newsletter" is yes, the user gets the label "newsletter".
        let mut rule = Rule::of_attribute("labels", "");
        rule.source = Source::Constant(sample.name.as_str().into());
        rule.condition = Some(Condition::new(sample.name.as_str(), Test::True, false));
        return Some(rule);
    }
    let name = sample.name.to_lowercase();
    let words: Vec<&str> = name.split(|letter: char| !letter.is_alphanumeric()).collect();
    let (_, claim) = WORDS.iter().find(|(known, _)| words.iter().any(|word| known.contains(word)))?;
    let mut rule = Rule::of_attribute(claim, &sample.name);
    let separator = if sample.kind == Kind::List { None } else { separator(&sample.values) };
    if let (Some(separator), true) = (separator, matches!(*claim, "usergroup_ids" | "labels" | "emails")) {
        rule.steps.push(Step::Split(Split(separator.into())).into());
    }
    let items = items(&sample.values, separator);
    let needs_ids = claim.ends_with("_ids") || claim.ends_with("_id");
    if needs_ids && !items.iter().all(|item| is_id(item)) {
        if items.len() > ROWS {
            return None;
        }
        let rows = items.into_iter().map(|item| Row::new(item, Some(String::new()))).collect();
        rule.steps.push(Step::Lookup(Lookup::new(rows)).into());
    }
    Some(rule)
}

/// The separator that most values contain, if any value contains one.
fn separator(values: &[String]) -> Option<&'static str> {
    let count = |separator: &&str| values.iter().filter(|value| value.contains(*separator)).count();
    let best = ["|", ";", ","].into_iter().max_by_key(count)?;
    (count(&best) > 0).then_some(best)
}

/// The distinct items of the values, sorted.
fn items(values: &[String], separator: Option<&str>) -> Vec<String> {
    let cut = values.iter().flat_map(|value| match separator {
        Some(separator) => value.split(separator).collect::<Vec<_>>(),
        None => vec![value.as_str()],
    });
    let mut items: Vec<String> =
        cut.map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect();
    items.sort();
    items.dedup();
    items
}

fn is_yes_no(value: &str) -> bool {
    matches!(
        value.trim().to_ascii_lowercase().as_str(),
        "true" | "yes" | "on" | "y" | "t" | "false" | "no" | "off" | "n" | "f"
    )
}

fn is_id(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::mapping::{plain, sentence};

    fn suggestion(name: &str, values: &[&str]) -> Option<String> {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        let samples = [Sample { name: name.to_owned(), kind: Kind::Text, values }];
        let rules = starters(&Tree::default(), &samples);
        rules.first().map(|rule| format!("{} ← {}", rule.claim.as_str(), plain(&sentence(rule))))
    }

    #[test]
    fn an_attribute_leads_to_the_rule_that_its_name_and_values_suggest() {
        let check = |name: &str, values: &[&str], expected: &str| {
            assert_eq!(suggestion(name, values).as_deref(), Some(expected), "{name}");
        };
        check("groups", &["3|12", "7"], "usergroup_ids ← groups, split at “|”");
        check(
            "plan",
            &["gold", "silver", "gold"],
            "usergroup_ids ← plan, looked up: “gold” → “”, “silver” → “”",
        );
        check("tags", &["a, b", "c"], "labels ← tags, split at “,”");
        check("newsletter", &["yes", "No", "1"], "labels ← always “newsletter”; only when newsletter is yes");
        check("company_id", &["12"], "organization_id ← company_id");
        check("other_emails", &["a@b.co|c@d.co"], "emails ← other_emails, split at “|”");
        assert_eq!(suggestion("notes", &["hello"]), None);
        assert_eq!(suggestion("groups", &[]), None);
    }

    #[test]
    fn a_claim_that_has_its_rule_gets_no_second_one() {
        let samples = [Sample { name: "tz".to_owned(), kind: Kind::Text, values: vec!["UTC".to_owned()] }];
        let rule = Rule::of_attribute("timezone", "timezone");
        let tree = Tree { rules: vec![rule.into()], ..Tree::default() };
        assert!(starters(&tree, &samples).is_empty());
        assert_eq!(starters(&Tree::default(), &samples).len(), 1);
        let samples = [Sample { name: "tags".to_owned(), kind: Kind::Text, values: vec!["a".to_owned()] }];
        for json in [
            r#"{"claim": "labels", "from": {"attribute": "tags"}}"#,
            r#"{"claim": "name", "from": {"text": ["x", "{name|tags}"]}}"#,
            r#"{"claim": "name", "from": {"attribute": "x"}, "when": {"attribute": "tags", "set": true}}"#,
        ] {
            let tree = Tree { rules: vec![RuleEntry::read(json)], ..Tree::default() };
            assert!(starters(&tree, &samples).is_empty(), "{json}");
        }
    }
}
