//! Names in rules: people read and choose `Gold (7)`, and the mapping has `7`. Only what a rule gives to its claim has
//! names: what it reads is the site's own.

use crate::core::catalogue::{Catalogue, Entry};
use crate::core::mapping::claim::{Claim, is_id};
use crate::core::mapping::edit::word::title;
use crate::core::mapping::read::part::{At, Leaf};
use crate::core::mapping::read::rule::{Default, Missing, Rule, Source};
use crate::core::mapping::read::tree::Tree;
use crate::core::mapping::steps::Step;

impl Catalogue {
    /// What the values of a claim can be; empty if that is not known.
    pub fn of(&self, claim: &Claim) -> &[Entry] {
        match claim {
            Claim::UsergroupIds => &self.user_groups,
            Claim::OrganizationId => &self.organizations,
            Claim::LanguageId => &self.languages,
            Claim::Field(id) | Claim::FieldList(id) => self.field(id).map_or(&[], |field| &field.choices),
            _ => &[],
        }
    }

    /// A value of a claim as admins read it: `Gold (7)`; the value itself if it has no name.
    pub fn shown(&self, claim: &Claim, value: &str) -> String {
        self.entry(claim, value).map_or_else(|| value.to_owned(), Entry::label)
    }

    /// The name of a value of a claim, if it has one.
    pub fn name(&self, claim: &Claim, value: &str) -> Option<&str> {
        self.entry(claim, value).map(|entry| entry.name.as_str()).filter(|name| !name.is_empty())
    }

    /// The entry of a value of a claim.
    pub fn entry(&self, claim: &Claim, value: &str) -> Option<&Entry> {
        let entries = self.of(claim);
        if entries.is_empty() || !is_id(value) {
            return None;
        }
        let id: u64 = value.parse().ok()?;
        entries.iter().find(|entry| entry.id == id)
    }

    /// The title of a claim: `Plan (field 7)`.
    pub fn title(&self, claim: &str) -> String {
        let id = claim.strip_prefix("fields.").map(|field| field.strip_suffix("[]").unwrap_or(field));
        match id.and_then(|id| self.field(id)) {
            Some(field) if !field.entry.name.is_empty() => {
                format!("{} (field {})", field.entry.name, field.entry.id)
            }
            _ => title(claim),
        }
    }

    /// What a claim can be given, as people choose it.
    pub fn offered(&self, claim: &str) -> Vec<String> {
        let entries = Claim::parse(claim).map(|claim| self.of(&claim).to_vec()).unwrap_or_default();
        // Groups that everybody is in cannot be given.
        let is_implied = |entry: &Entry| claim == "usergroup_ids" && entry.id <= 2;
        let there = entries.iter().filter(|entry| !entry.gone && !is_implied(entry));
        there.map(Entry::label).collect()
    }

    /// The custom fields, as people choose them.
    pub fn offered_fields(&self) -> Vec<String> {
        self.fields.iter().map(|field| &field.entry).filter(|entry| !entry.gone).map(Entry::label).collect()
    }

    /// The number of a custom field as people read it.
    pub fn shown_field(&self, number: &str) -> String {
        self.field(number).map_or_else(|| number.to_owned(), |field| field.entry.label())
    }

    /// The number of a custom field that was typed or chosen.
    pub fn typed_field(&self, text: &str) -> String {
        let entries: Vec<&Entry> = self.fields.iter().map(|field| &field.entry).collect();
        typed(&entries, text).unwrap_or_else(|| text.to_owned())
    }

    /// Writes names in place of ids into what a rule gives.
    pub fn put_names(&self, rule: &mut Rule) {
        self.each(rule, |entries, text| {
            let id: u64 = text.trim().parse().ok().filter(|_| is_id(text.trim()))?;
            entries.iter().find(|entry| entry.id == id).map(|entry| entry.label())
        });
    }

    /// Writes ids in place of names that were typed or chosen.
    pub fn put_ids(&self, rule: &mut Rule) {
        self.each(rule, typed);
    }

    /// The same mapping with names.
    #[must_use]
    pub fn named(&self, mut tree: Tree) -> Tree {
        tree.rules.iter_mut().filter_map(|entry| entry.rule_mut()).for_each(|rule| self.put_names(rule));
        tree
    }

    fn each(&self, rule: &mut Rule, change: impl Fn(&[&Entry], &str) -> Option<String>) {
        let Some(claim) = Claim::parse(rule.claim.as_str()) else { return };
        let entries: Vec<&Entry> = self.of(&claim).iter().collect();
        if entries.is_empty() {
            return;
        }
        for leaf in given(rule) {
            if let Some(text) = change(&entries, leaf.as_str()) {
                *leaf.text_mut() = text;
            }
        }
    }
}

/// The id that was meant: one of the labels that are offered, or a name that only one entry has. An id stays.
fn typed(entries: &[&Entry], text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || is_id(text) {
        return None;
    }
    let only = |is: &dyn Fn(&Entry) -> bool| {
        let mut found = entries.iter().filter(|entry| is(entry));
        found.next().filter(|_| found.next().is_none()).map(|entry| entry.id.to_string())
    };
    only(&|entry| entry.label() == text)
        .or_else(|| only(&|entry| !entry.gone && entry.name == text))
        .or_else(|| only(&|entry| !entry.gone && entry.name.to_lowercase() == text.to_lowercase()))
}

/// Every value that a rule gives unchanged: what a later step reads is no id of Deskpro.
fn given(rule: &mut Rule) -> Vec<&mut Leaf> {
    let mut found = Vec::new();
    if let (Source::Constant(leaf), true) = (&mut rule.source, rule.steps.is_empty()) {
        found.push(leaf);
    }
    if let Some(At { value, .. }) = rule.steps.last_mut() {
        match value {
            Step::Lookup(table) => {
                let outputs = table.rows.value.iter_mut().filter_map(|row| row.output.as_mut());
                found.extend(outputs.chain(table.otherwise.as_mut()));
            }
            Step::YesNo(answers) => found.extend(answers.both_mut()),
            _ => {}
        }
    }
    match &mut rule.missing {
        Missing::Default(Default::One(leaf)) => found.push(leaf),
        Missing::Default(Default::List(leaves)) => found.extend(&mut leaves.list),
        _ => {}
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::catalogue::Field;
    use crate::core::mapping::{RuleEntry, plain, words};

    fn catalogue() -> Catalogue {
        Catalogue {
            user_groups: vec![
                Entry::new(1, "Everyone"),
                Entry::new(7, "Gold"),
                Entry::new(8, "gold"),
                Entry::new(9, "Silver"),
                Entry { gone: true, ..Entry::new(10, "Bronze") },
            ],
            fields: vec![Field { entry: Entry::new(3, "Plan"), choices: vec![Entry::new(30, "Yearly")] }],
            ..Catalogue::default()
        }
    }

    #[test]
    fn a_rule_with_names_is_the_same_rule_with_ids() {
        let text = r#"{"claim": "usergroup_ids", "from": {"attribute": "plan"}, "steps": [{"lookup": {"values": {"gold": "7", "old": "10", "odd": "77"}, "otherwise": "9"}}], "missing": {"default": ["8"]}}"#;
        let mut entry = RuleEntry::read(text);
        let before = entry.clone();
        let (names, rule) = (catalogue(), entry.rule_mut().expect("a rule"));
        names.put_names(rule);
        assert_eq!(
            plain(&words(&entry)),
            "plan, looked up: “gold” → “Gold (7)”, “old” → “Bronze (10)”, “odd” → “77”, otherwise “Silver (9)”; if there is no value, “gold (8)”"
        );
        names.put_ids(entry.rule_mut().expect("a rule"));
        assert_eq!(entry, before);
    }

    #[test]
    fn what_a_later_step_reads_is_no_name() {
        let two = r#"{"claim": "usergroup_ids", "from": {"constant": "silver"}, "steps": [{"lookup": {"values": {"silver": "gold"}}}, {"lookup": {"values": {"gold": "Gold"}}}]}"#;
        let mut entry = RuleEntry::read(two);
        catalogue().put_ids(entry.rule_mut().expect("a rule"));
        assert_eq!(entry.write(), two.replace("\"Gold\"", "\"7\""));
    }

    #[test]
    fn a_name_is_understood_if_only_one_has_it() {
        let names = catalogue();
        let id = |claim: &str, text: &str| {
            let rule = format!(r#"{{"claim": "{claim}", "from": {{"constant": "{text}"}}}}"#);
            let mut entry = RuleEntry::read(&rule);
            names.put_ids(entry.rule_mut().expect("a rule"));
            match &entry.rule().expect("a rule").source {
                Source::Constant(leaf) => leaf.as_str().to_owned(),
                other => panic!("{other:?}"),
            }
        };
        for (text, expected) in [
            ("Gold (7)", "7"),
            (" Gold ", "7"),
            ("gold", "8"),
            ("GOLD", "GOLD"),
            ("silver", "9"),
            ("Bronze", "Bronze"),
            ("Bronze (10)", "10"),
            ("9", "9"),
            ("Gold (8)", "Gold (8)"),
            ("", ""),
        ] {
            assert_eq!(id("usergroup_ids", text), expected, "{text}");
        }
        assert_eq!(
            (id("fields.3", "Yearly"), id("fields.4", "Yearly"), id("labels", "Gold")),
            ("30".into(), "Yearly".into(), "Gold".into())
        );
        assert_eq!(
            (names.typed_field("plan"), names.shown_field("3"), names.typed_field("4")),
            ("3".into(), "Plan (3)".into(), "4".into())
        );
        assert_eq!(
            (names.title("fields.3[]"), names.title("fields.4")),
            ("Plan (field 3)".into(), "Field 4".into())
        );
        assert_eq!(names.offered("usergroup_ids"), ["Gold (7)", "gold (8)", "Silver (9)"]);
    }
}
