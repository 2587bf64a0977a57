//! A rule as its form shows it: every field with its value, its choices, and the errors at its place.
//! `rule_fields` reads the same fields.

use super::fields::{Input, escape};
use super::places::{Choice, Places, Select, choice};
use super::rule_fields::{FIELD, FIELD_LIST, OTHER, SEPARATORS};
use super::table::{self, TableView};
use crate::core::attribute::{BUILT_IN, Definitions};
use crate::core::catalogue::Catalogue;
use crate::core::mapping::read::part::{At, Leaf, Leaves};
use crate::core::mapping::read::rule::{Default, Missing, Rule, Source, Test};
use crate::core::mapping::steps::lookup::Lookup;
use crate::core::mapping::{Claim, Finding, Step};

/// A rule's form.
pub struct RuleView {
    pub claim: Select,
    pub field: Input,
    pub source: &'static str,
    pub attribute: Select,
    pub constant: Input,
    pub texts: Vec<Input>,
    pub parts: Vec<Choice>,
    pub steps: Vec<StepView>,
    pub kinds: Vec<Choice>,
    pub when: Select,
    pub when_attribute: Select,
    pub when_is: Input,
    pub when_in: Vec<Input>,
    pub missing: Select,
    pub default: Input,
    pub defaults: Vec<Input>,
    /// All errors, each with the field it belongs to.
    pub summary: Vec<(String, String)>,
    pub is_identifier: bool,
    /// What the outputs of a table are, if the claim takes numbers from Deskpro.
    pub becomes: &'static str,
    /// What the claim can be given, if that is known: `Gold (7)`.
    pub offered: Vec<String>,
    /// The custom fields, if they are known.
    pub offered_fields: Vec<String>,
}

/// What a rule can use.
pub struct Known<'a> {
    pub attributes: &'a Definitions,
    pub names: &'a Catalogue,
}

/// A step of a rule's form.
pub struct StepView {
    pub kind: Select,
    pub separator: Select,
    pub other: Input,
    /// The other values of steps of all kinds, by their places below the step.
    texts: Vec<(&'static str, Input)>,
    pub table: TableView,
}

impl StepView {
    /// The field of a value, by its place below the step: one of the `fields` of a kind.
    pub fn text(&self, place: &str) -> &Input {
        let found = self.texts.iter().find(|(known, _)| *known == place);
        &found.expect("a place that a kind of step names").1
    }
}

/// The kinds of steps: the value that is sent, and the label. The lookup table is first, because most people
/// want it.
fn kinds() -> Vec<(&'static str, &'static str)> {
    let mut kinds: Vec<_> = Step::KINDS.iter().map(|kind| (kind.name, kind.label)).collect();
    kinds.rotate_right(1);
    kinds
}

const CONDITIONS: [(&str, &str); 9] = [
    ("", "Always"),
    ("is", "Only when an attribute has this value"),
    ("in", "Only when an attribute has one of these values"),
    ("true", "Only when an attribute is yes"),
    ("set", "Only when an attribute has any value"),
    ("not-is", "Unless an attribute has this value"),
    ("not-in", "Unless an attribute has one of these values"),
    ("not-true", "Unless an attribute is yes"),
    ("not-set", "Unless an attribute has any value"),
];

/// The names of the claims in the list of choices. A hurried admin takes the first entry of a list, so the
/// claims that decide who the user is come last.
pub const CLAIMS: [(&str, &str); 13] = [
    ("usergroup_ids", "Groups (usergroup_ids)"),
    ("labels", "Labels (labels)"),
    ("name", "Full name (name)"),
    ("first_name", "First name (first_name)"),
    ("last_name", "Last name (last_name)"),
    ("organization_id", "Organization (organization_id)"),
    ("language_id", "Language (language_id)"),
    ("timezone", "Time zone (timezone)"),
    (FIELD, "Custom field, one value (fields)"),
    (FIELD_LIST, "Custom field, several choices (fields)"),
    ("emails", "Further email addresses (emails)"),
    ("email", "Email address: who the user is (email)"),
    ("deskpro_id", "Deskpro person: who the user is (deskpro_id)"),
];

/// Builds the form of the rule at `place` (such as `/rules/3`). The part of the form that the admin fills in
/// next, which `focus` names, shows no errors yet.
pub fn view(rule: &Rule, place: &str, findings: &[Finding], known: &Known<'_>, focus: &str) -> RuleView {
    let mut named = rule.clone();
    known.names.put_names(&mut named);
    let rule = &named;
    let mut places = Places::new(place, findings, focus);
    let (claim, number) = claim_choice(rule.claim.as_str());
    let claim_select = places.select("claim", &claim, &CLAIMS, "Choose a claim", Some(rule.claim.at()));
    let names = names(known.attributes);
    let (none, nothing) = (Leaf::default(), Leaves::default());
    let (source, attribute, constant, texts) = match &rule.source {
        Source::Attribute(name) => ("attribute", Some(name), None, &nothing),
        Source::Constant(text) => ("constant", None, Some(text), &nothing),
        Source::Text(texts) => ("text", None, None, texts),
        Source::Odd(_) => ("", None, None, &nothing),
    };
    let attribute = places.attribute("from/attribute", attribute, &names);
    let constant = places.maybe("from/constant", constant);
    let texts = places.leaves("from/text", texts);
    let steps = rule.steps.iter().enumerate().map(|(i, step)| step_view(&mut places, i, step)).collect();
    let (when, when_attribute, when_is, when_in) = match &rule.condition {
        None => (String::new(), None, None, &nothing),
        Some(condition) => {
            let not = if condition.not { "not-" } else { "" };
            let (word, is, within) = match &condition.test {
                Test::Set => ("set", None, &nothing),
                Test::True => ("true", None, &nothing),
                Test::Is(text) => ("is", Some(text), &nothing),
                Test::In(texts) => ("in", None, texts),
                Test::Odd(_) => ("", None, &nothing),
            };
            (format!("{not}{word}"), Some(&condition.attribute), is, within)
        }
    };
    let when = places.choice("when", &when, &CONDITIONS, None);
    let when_attribute = places.attribute("when/attribute", when_attribute, &names);
    let when_is = places.maybe("when/is", when_is);
    let when_in = places.leaves("when/in", when_in);
    let is_list = Claim::parse(rule.claim.as_str()).is_none_or(|claim| claim.is_list());
    let (missing, default, default_at, defaults) = match &rule.missing {
        Missing::Omit | Missing::Odd(_) => ("omit", &none, None, &nothing),
        Missing::Refuse => ("refuse", &none, None, &nothing),
        Missing::Default(Default::One(text)) => ("default", text, Some(text.at()), &nothing),
        Missing::Default(Default::List(texts)) => ("defaults", &none, Some(texts.at()), texts),
    };
    let mut choices =
        vec![("omit", "Leave it out"), ("refuse", "Issue no token"), ("default", "Use this value instead")];
    if is_list || missing == "defaults" {
        choices.push(("defaults", "Use these values instead"));
    }
    let missing = places.choice("missing", missing, &choices, None);
    let default = places.input_at("missing/default", default.as_str(), default_at);
    let defaults = places.leaves("missing/default", defaults);
    let kinds = kinds().into_iter().map(|(value, label)| choice(value, label, "")).collect();
    let parts = names.iter().map(|name| choice(name, name, "")).collect();
    let is_identifier = Claim::parse(rule.claim.as_str()).is_some_and(|claim| claim.is_identifier());
    let field = Input::new("field", &known.names.shown_field(&number));
    let summary = places.summary();
    let offered = known.names.offered(rule.claim.as_str());
    let mut view = RuleView {
        offered_fields: known.names.offered_fields(),
        claim: claim_select,
        field,
        source,
        attribute,
        constant,
        texts,
        parts,
        steps,
        kinds,
        when,
        when_attribute,
        when_is,
        when_in,
        missing,
        default,
        defaults,
        summary,
        is_identifier,
        becomes: match (rule.claim.as_str(), offered.is_empty()) {
            ("usergroup_ids", true) => " the group with the id",
            ("usergroup_ids", false) => " the group",
            ("organization_id", true) => " the organization with the id",
            ("organization_id", false) => " the organization",
            ("language_id", true) => " the language with the id",
            ("language_id", false) => " the language",
            _ => "",
        },
        offered,
    };
    view.offer();
    view
}

impl RuleView {
    /// Lets the fields of values that the rule gives offer what is known.
    fn offer(&mut self) {
        if !self.offered_fields.is_empty() {
            self.field.offers = "offered-fields";
        }
        if self.offered.is_empty() {
            return;
        }
        let has_steps = !self.steps.is_empty();
        let tables = self.steps.last_mut().into_iter().flat_map(|step| {
            let rows = step.table.rows.iter_mut().map(|(_, output)| output);
            let answers = step.texts.iter_mut().filter(|(name, _)| name.starts_with("yes_no/"));
            rows.chain([&mut step.table.otherwise]).chain(answers.map(|(_, input)| input))
        });
        let constant = Some(&mut self.constant).filter(|_| !has_steps);
        for input in tables.chain(constant).chain([&mut self.default]).chain(&mut self.defaults) {
            input.offers = "offered";
        }
    }
}

/// The choice of a claim and the number beside it.
pub fn claim_choice(claim: &str) -> (String, String) {
    match claim.strip_prefix("fields.") {
        None => (claim.to_owned(), String::new()),
        Some(field) => match field.strip_suffix("[]") {
            Some(field) => (FIELD_LIST.to_owned(), field.to_owned()),
            None => (FIELD.to_owned(), field.to_owned()),
        },
    }
}

/// Every attribute that can be read, built-in ones first.
pub fn names(attributes: &Definitions) -> Vec<String> {
    let custom = attributes.iter().map(|(name, _)| name.to_owned());
    BUILT_IN.iter().map(|name| (*name).to_owned()).chain(custom).collect()
}

/// A step of the rule's form.
fn step_view(places: &mut Places, i: usize, step: &At<Step>) -> StepView {
    let id = format!("steps/{i}");
    let kind = places.choice(&id, step.name(), &kinds(), Some(step.at));
    let split = match &step.value {
        Step::Split(split) => Some(&split.0),
        _ => None,
    };
    let typed = split.map_or(",", Leaf::as_str);
    let offered = SEPARATORS.iter().map(|(value, _)| *value).find(|value| *value == escape(typed));
    let mut separators = SEPARATORS.to_vec();
    separators.push((OTHER, "another"));
    let chosen = offered.unwrap_or(OTHER);
    let separator = places.choice(&format!("{id}/split/kind"), chosen, &separators, None);
    let other = if offered.is_some() { "" } else { typed };
    let other = places.input_at(&format!("{id}/split"), other, split.map(Leaf::at));
    let fields = Step::KINDS.iter().flat_map(|kind| kind.fields).copied().filter(|name| *name != "split");
    let texts = fields.map(|name| (name, places.maybe(&format!("{id}/{name}"), step.field(name)))).collect();
    let empty = Lookup::default();
    let lookup = match &step.value {
        Step::Lookup(table) => table,
        _ => &empty,
    };
    let table = table::view(places, &format!("{id}/lookup"), lookup);
    StepView { kind, separator, other, texts, table }
}
