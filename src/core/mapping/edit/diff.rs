//! The differences between two mappings, rule by rule, for people: before a draft is published, between
//! versions, and when two admins publish at the same time.

use std::collections::BTreeMap;
use std::fmt;

use crate::core::catalogue::Catalogue;
use crate::core::mapping::apply::mapping::Token;
use crate::core::mapping::edit::sentence::sentence;
use crate::core::mapping::edit::word::{Word, plain};
use crate::core::mapping::read::rule::Rule;
use crate::core::mapping::read::tree::{RuleEntry, Tree};
use crate::core::mapping::steps::lookup::{Lookup, Row};

/// A rule that differs between the two mappings.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// Only in the later mapping, at this place (counted from 0).
    Added(usize, RuleEntry),
    /// Only in the earlier mapping, at this place.
    Removed(usize, RuleEntry),
    /// For the same claim, at the same place between unchanged rules: before and after.
    Changed(RuleEntry, RuleEntry),
    /// The same rule at another place.
    Moved(RuleEntry),
}

/// The differences in the order of the later mapping.
pub fn compare(before: &Tree, after: &Tree) -> Vec<Difference> {
    let kept = longest_common(&before.rules, &after.rules);
    let mut differences = Vec::new();
    let (mut i, mut j) = (0, 0);
    let ends = std::iter::once((before.rules.len(), after.rules.len()));
    for (kept_before, kept_after) in kept.into_iter().chain(ends) {
        let removed = (i..kept_before).map(|i| (i, before.rules[i].clone())).collect();
        let added = (j..kept_after).map(|j| (j, after.rules[j].clone())).collect();
        between(removed, added, &mut differences);
        (i, j) = (kept_before + 1, kept_after + 1);
    }
    moved(differences)
}

/// The differences outside the rules, in sentences.
pub fn compare_rest(before: &Tree, after: &Tree) -> Vec<String> {
    let mut sentences = Vec::new();
    if before.token != after.token {
        sentences.push(match after.token {
            Token::All => "The token carries all claims again, not only “deskpro_id”.".to_owned(),
            Token::Id => "The token carries only “deskpro_id”.".to_owned(),
        });
    }
    let sent = |tree: &Tree| -> Vec<String> {
        tree.empty_lists.iter().filter(|(_, sent)| *sent).map(|(claim, _)| claim.clone()).collect()
    };
    let (earlier, later) = (sent(before), sent(after));
    sentences.extend(
        later
            .iter()
            .filter(|claim| !earlier.contains(claim))
            .map(|claim| format!("“{claim}” is also sent when it is empty.")),
    );
    sentences.extend(
        earlier
            .iter()
            .filter(|claim| !later.contains(claim))
            .map(|claim| format!("“{claim}” is not sent when it is empty.")),
    );
    sentences
}

/// A row of a lookup table that is not the same in both mappings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowDifference {
    /// The value that is looked up.
    pub key: String,
    /// What it became before; `None` if the row is new.
    pub before: Option<RowOutput>,
    /// What it becomes now; `None` if the row was removed.
    pub after: Option<RowOutput>,
}

/// The output of a row of a lookup table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOutput {
    /// This value.
    Text(String),
    /// No value.
    Nothing,
}

impl From<Option<String>> for RowOutput {
    fn from(output: Option<String>) -> Self {
        output.map_or(Self::Nothing, Self::Text)
    }
}

impl fmt::Display for RowOutput {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => out.write_str(text),
            Self::Nothing => out.write_str("(no value)"),
        }
    }
}

/// The rows that differ between the lookup tables of two rules, table by table in the order of their steps. A
/// sentence lists only a few rows, so it would not show a change far down.
pub fn compare_tables(before: &RuleEntry, after: &RuleEntry) -> Vec<RowDifference> {
    let (Some(before), Some(after)) = (before.rule(), after.rule()) else { return Vec::new() };
    let (earlier, later) = (tables(before), tables(after));
    let mut rows = Vec::new();
    for i in 0..earlier.len().max(later.len()) {
        let values = |tables: &[&Lookup]| {
            let rows = tables.get(i).into_iter().flat_map(|table| table.rows.iter());
            let row =
                |row: &Row| (row.key.as_str().to_owned(), RowOutput::from(row.output().map(str::to_owned)));
            rows.map(row).collect::<BTreeMap<_, _>>()
        };
        let (mut was, is) = (values(&earlier), values(&later));
        for (key, after) in is {
            let before = was.remove(&key);
            if before.as_ref() != Some(&after) {
                rows.push(RowDifference { key, before, after: Some(after) });
            }
        }
        rows.extend(was.into_iter().map(|(key, text)| RowDifference {
            key,
            before: Some(text),
            after: None,
        }));
    }
    rows
}

fn tables(rule: &Rule) -> Vec<&Lookup> {
    rule.tables().map(|(_, table)| table).collect()
}

/// All differences between two mappings, given as text, in plain sentences for the audit log and the CLI.
pub fn changes(before: &str, after: &str, names: &Catalogue) -> Vec<String> {
    let (Some(earlier), Some(later)) = (Tree::read(before), Tree::read(after)) else {
        let differs = (before != after).then(|| "The whole mapping.".to_owned());
        return differs.into_iter().collect();
    };
    let (earlier, later) = (names.named(earlier), names.named(later));
    let mut lines: Vec<String> =
        compare(&earlier, &later).iter().map(|difference| difference.text(names)).collect();
    lines.extend(compare_rest(&earlier, &later));
    lines
}

impl Difference {
    fn text(&self, names: &Catalogue) -> String {
        let rule = |rule: &RuleEntry| format!("{} ← {}", rule.title(names), in_words(rule));
        match self {
            Self::Added(_, after) => format!("Added: {}", rule(after)),
            Self::Removed(_, before) => format!("Removed: {}", rule(before)),
            Self::Moved(moved) => format!("Moved: {}", rule(moved)),
            Self::Changed(before, after) => {
                let (was, is) = (in_words(before), in_words(after));
                let rows = compare_tables(before, after).into_iter().map(|row| {
                    let side = |output: Option<RowOutput>| match output {
                        Some(RowOutput::Text(text)) => format!("“{text}”"),
                        Some(RowOutput::Nothing) => "no value".to_owned(),
                        None => "no row".to_owned(),
                    };
                    format!("“{}”: {} → {}", row.key, side(row.before), side(row.after))
                });
                let rows: Vec<String> = rows.collect();
                let title = after.title(names);
                match (was == is, rows.is_empty()) {
                    (true, true) => format!("Changed: {title}"),
                    (true, false) => format!("Changed: {title}, rows {}", rows.join(", ")),
                    (false, true) => format!("Changed: {title}, before {was}, now {is}"),
                    (false, false) => {
                        format!("Changed: {title}, before {was}, now {is}; rows {}", rows.join(", "))
                    }
                }
            }
        }
    }
}

fn in_words(entry: &RuleEntry) -> String {
    match (entry.rule(), entry.json()) {
        (Some(rule), _) => plain(&sentence(rule)),
        (None, text) => text.unwrap_or_default().to_owned(),
    }
}

/// A rule as a sentence; a rule that does not fit the grammar as its JSON.
pub fn words(entry: &RuleEntry) -> Vec<Word> {
    match (entry.rule(), entry.json()) {
        (Some(rule), _) => sentence(rule),
        (None, text) => vec![Word::Value(text.unwrap_or_default().to_owned())],
    }
}

/// Pairs the rules that were removed and added at one place by their claims.
fn between(removed: Vec<(usize, RuleEntry)>, added: Vec<(usize, RuleEntry)>, out: &mut Vec<Difference>) {
    let mut removed: Vec<Option<(usize, RuleEntry)>> = removed.into_iter().map(Some).collect();
    for (place, rule) in added {
        let same = |entry: &&mut Option<(usize, RuleEntry)>| {
            entry
                .as_ref()
                .is_some_and(|(_, before)| before.claim().is_some() && before.claim() == rule.claim())
        };
        match removed.iter_mut().find(same).and_then(Option::take) {
            Some((_, before)) => out.push(Difference::Changed(before, rule)),
            None => out.push(Difference::Added(place, rule)),
        }
    }
    out.extend(removed.into_iter().flatten().map(|(place, rule)| Difference::Removed(place, rule)));
}

/// Treats a rule that was removed at one place and added at another as moved.
fn moved(differences: Vec<Difference>) -> Vec<Difference> {
    let mut kept: Vec<Option<Difference>> = differences.into_iter().map(Some).collect();
    for i in 0..kept.len() {
        let Some(Difference::Added(_, rule)) = &kept[i] else { continue };
        let rule = rule.clone();
        let other = kept
            .iter()
            .position(|entry| matches!(entry, Some(Difference::Removed(_, before)) if *before == rule));
        if let Some(other) = other {
            kept[other] = None;
            kept[i] = Some(Difference::Moved(rule));
        }
    }
    kept.into_iter().flatten().collect()
}

/// The places (before, after) of a longest common subsequence. A mapping has at most 500 rules. By hand, because a part
/// of a rule that is wrong equals nothing, and `similar` (2.7) leaves out what follows a common beginning.
fn longest_common(before: &[RuleEntry], after: &[RuleEntry]) -> Vec<(usize, usize)> {
    let (rows, columns) = (before.len(), after.len());
    let mut lengths = vec![vec![0_u32; columns + 1]; rows + 1];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            lengths[i][j] = if before[i] == after[j] {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut kept) = (0, 0, Vec::new());
    while i < rows && j < columns {
        if before[i] == after[j] {
            kept.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if lengths[i + 1][j] >= lengths[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(claims: &[&str]) -> Vec<RuleEntry> {
        claims.iter().map(|claim| Rule::of_attribute(claim, "login").into()).collect()
    }

    fn lines(before: &[&str], after: &[&str]) -> Vec<String> {
        let tree = |claims| Tree { rules: rules(claims), ..Tree::default() };
        compare(&tree(before), &tree(after)).iter().map(|it| it.text(&Catalogue::default())).collect()
    }

    #[test]
    fn a_rule_that_nobody_touched_is_no_difference_wherever_others_are_put() {
        let check = |before: &[&str], after: &[&str], kinds: &[&str]| {
            let lines = lines(before, after);
            let begun: Vec<&str> = lines.iter().filter_map(|text| text.split(':').next()).collect();
            assert_eq!(begun, kinds, "{before:?} {after:?}: {lines:?}");
        };
        check(&["name", "email"], &["name", "email"], &[]);
        check(
            &["name", "email", "labels"],
            &["name", "timezone", "email", "labels", "emails"],
            &["Added", "Added"],
        );
        check(&["name", "timezone", "email", "labels"], &["name", "email", "labels"], &["Removed"]);
        check(&["name", "email", "labels"], &["name", "labels", "email"], &["Moved"]);
    }

    /// Against the length as it is counted from the other end, for all short lists of three rules.
    #[test]
    fn what_stays_is_a_longest_common_subsequence() {
        let three = ["name", "email", "labels"];
        let list = |number: usize, length: u32| -> Vec<&str> {
            (0..length).map(|place| three[number / 3_usize.pow(place) % 3]).collect()
        };
        let lists: Vec<Vec<&str>> = (0..=4)
            .flat_map(|length| (0..3_usize.pow(length)).map(move |number| (number, length)))
            .map(|(n, l)| list(n, l))
            .collect();
        for before in &lists {
            for after in &lists {
                let mut lengths = vec![vec![0; after.len() + 1]; before.len() + 1];
                for (i, one) in before.iter().enumerate() {
                    for (j, other) in after.iter().enumerate() {
                        lengths[i + 1][j + 1] = if one == other {
                            lengths[i][j] + 1
                        } else {
                            lengths[i][j + 1].max(lengths[i + 1][j])
                        };
                    }
                }
                let kept = longest_common(&rules(before), &rules(after));
                assert!(kept.iter().all(|(i, j)| before[*i] == after[*j]), "{before:?} {after:?} {kept:?}");
                assert!(
                    kept.is_sorted_by(|one, next| one.0 < next.0 && one.1 < next.1),
                    "{before:?} {after:?} {kept:?}"
                );
                assert_eq!(kept.len(), lengths[before.len()][after.len()], "{before:?} {after:?} {kept:?}");
            }
        }
    }
}
