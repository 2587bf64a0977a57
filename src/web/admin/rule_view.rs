//! A rule as its form shows it: every field with its value, what is offered, and what is wrong at
//! its place. `rule_fields` reads the same fields.

use super::fields::{Input, escape};
use super::rule_fields::{FIELD, FIELD_LIST, OTHER, SEPARATORS};
use super::table::{self, TableView};
use crate::core::attribute::{BUILT_IN, Definitions, is_blank};
use crate::core::mapping::{
    Claim, Finding, Level, LookupForm, MissingForm, RuleForm, SourceForm, StepForm, TestForm,
};
use crate::core::payload::Texts;

/// A field with choices.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// The field itself; its value is the chosen option's.
    pub input: Input,
    /// What is offered.
    pub options: Vec<Choice>,
}

/// One of the choices of a field.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// Whether it is the one that is chosen.
    pub chosen: bool,
}

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
    /// Everything that is wrong, each with the field it belongs to.
    pub summary: Vec<(String, String)>,
    pub is_identifier: bool,
    /// What the outputs of a table are, where the claim takes numbers of Deskpro's.
    pub becomes: &'static str,
}

/// A step of a rule's form.
pub struct StepView {
    pub kind: Select,
    pub separator: Select,
    pub other: Input,
    pub date_in: Input,
    pub date_out: Input,
    pub yes: Input,
    pub no: Input,
    pub table: TableView,
}

/// The kinds of steps, as they are sent and read.
const KINDS: [(&str, &str); 6] = [
    ("lookup", "Look up in a table"),
    ("split", "Split into a list"),
    ("lower", "Small letters"),
    ("upper", "Capitals"),
    ("date", "Rewrite a date"),
    ("yes_no", "Rewrite yes and no"),
];

const CONDITIONS: [(&str, &str); 9] = [
    ("", "Always"),
    ("is", "Only when an attribute is a certain text"),
    ("in", "Only when an attribute is one of several texts"),
    ("true", "Only when an attribute says yes"),
    ("set", "Only when an attribute has something in it"),
    ("not-is", "Unless an attribute is a certain text"),
    ("not-in", "Unless an attribute is one of several texts"),
    ("not-true", "Unless an attribute says yes"),
    ("not-set", "Unless an attribute has something in it"),
];

/// What the claims are called where one is chosen. What a list begins with is what somebody in haste takes, so the
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

/// Builds the form of the rule at `place` (such as `/rules/3`). Nothing is wrong yet with what is to
/// be filled in next: the part of the form that `focus` leads to.
pub fn view(
    rule: &RuleForm,
    place: &str,
    findings: &[Finding],
    attributes: &Definitions,
    focus: &str,
) -> RuleView {
    let mut places = Places::new(place, findings, rule, focus);
    let (claim, number) = claim_choice(&rule.claim);
    let claim_select = places.select("claim", &claim, &CLAIMS, "Choose a claim");
    let names = names(attributes);
    let (source, attribute, constant, texts) = match &rule.source {
        SourceForm::Attribute(name) => ("attribute", name.as_str(), "", &[][..]),
        SourceForm::Constant(text) => ("constant", "", text.as_str(), &[][..]),
        SourceForm::Text(texts) => ("text", "", "", texts.as_slice()),
    };
    let attribute = places.attribute("from/attribute", attribute, &names);
    let constant = places.input("from/constant", constant);
    let texts = places.inputs("from/text", texts);
    let steps = rule.steps.iter().enumerate().map(|(i, step)| places.step(i, step)).collect();
    let (when, when_attribute, when_is, when_in) = match &rule.condition {
        None => (String::new(), "", "", &[][..]),
        Some(condition) => {
            let not = if condition.not { "not-" } else { "" };
            let (word, is, within) = match &condition.test {
                TestForm::Set => ("set", "", &[][..]),
                TestForm::True => ("true", "", &[][..]),
                TestForm::Is(text) => ("is", text.as_str(), &[][..]),
                TestForm::In(texts) => ("in", "", texts.as_slice()),
            };
            (format!("{not}{word}"), condition.attribute.as_str(), is, within)
        }
    };
    let when = places.choice("when", &when, &CONDITIONS);
    let when_attribute = places.attribute("when/attribute", when_attribute, &names);
    let when_is = places.input("when/is", when_is);
    let when_in = places.inputs("when/in", when_in);
    let is_list = Claim::parse(&rule.claim).is_none_or(|claim| claim.is_list());
    let (missing, default, defaults) = match &rule.missing {
        MissingForm::Omit => ("omit", "", &[][..]),
        MissingForm::Refuse => ("refuse", "", &[][..]),
        MissingForm::Default(form) => match &form.default {
            Texts::One(text) => ("default", text.as_str(), &[][..]),
            Texts::List(texts) => ("defaults", "", texts.as_slice()),
        },
    };
    let mut choices = vec![
        ("omit", "Leave it out"),
        ("refuse", "Refuse: no token without it"),
        ("default", "Give this text instead"),
    ];
    if is_list || missing == "defaults" {
        choices.push(("defaults", "Give these texts instead"));
    }
    let missing = places.choice("missing", missing, &choices);
    let default = places.input("missing/default", default);
    let defaults = places.inputs("missing/default", defaults);
    let kinds = KINDS.iter().map(|(value, label)| choice(value, label, "")).collect();
    let parts = names.iter().map(|name| choice(name, name, "")).collect();
    let is_identifier = Claim::parse(&rule.claim).is_some_and(|claim| claim.is_identifier());
    let field = Input::new("field", &number);
    let summary = places.summary();
    RuleView {
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
        becomes: match rule.claim.as_str() {
            "usergroup_ids" => " the group with the number",
            "organization_id" => " the organization with the number",
            "language_id" => " the language with the number",
            _ => "",
        },
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

fn choice(value: &str, label: &str, chosen: &str) -> Choice {
    Choice { value: value.to_owned(), label: label.to_owned(), chosen: value == chosen }
}

/// The findings of a rule by the fields they belong to. What no field took belongs to the rule.
pub(super) struct Places {
    /// Field, text, whether it is an error, whether a field took it.
    found: Vec<(String, String, bool, bool)>,
}

impl Places {
    fn new(place: &str, findings: &[Finding], rule: &RuleForm, focus: &str) -> Self {
        let next = if focus == "field" { "claim" } else { focus.strip_suffix("/key").unwrap_or(focus) };
        let is_next = |id: &str| {
            !next.is_empty()
                && id.strip_prefix(next).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let inside = findings.iter().filter_map(|finding| {
            let below = finding.pointer.strip_prefix(place)?;
            let id = if below.is_empty() { "" } else { below.strip_prefix('/')? };
            let text = finding.told();
            Some((field_of(id, finding.code, rule), text, finding.level == Level::Error, false))
        });
        Self { found: inside.filter(|(id, ..)| !is_next(id)).collect() }
    }

    pub(super) fn input(&mut self, id: &str, text: &str) -> Input {
        let mut input = Input::new(id, text);
        self.fill(&mut input);
        input
    }

    /// Moves what is wrong with the rows below `place` to the field `to`; `name` says which row it is.
    pub(super) fn gather(&mut self, place: &str, to: &str, name: impl Fn(usize) -> String) {
        for (id, text, ..) in &mut self.found {
            let Some(rest) = id.strip_prefix(place) else { continue };
            let row = rest.split('/').next().and_then(|row| row.parse().ok()).unwrap_or_default();
            *text = format!("{}: {text}", name(row));
            to.clone_into(id);
        }
    }

    pub(super) fn fill(&mut self, input: &mut Input) {
        for (place, text, is_error, taken) in &mut self.found {
            if *place == input.id && !*taken {
                *taken = true;
                let list = if *is_error { &mut input.errors } else { &mut input.warnings };
                list.push(text.clone());
            }
        }
    }

    fn inputs(&mut self, id: &str, texts: &[String]) -> Vec<Input> {
        texts.iter().enumerate().map(|(i, text)| self.input(&format!("{id}/{i}"), text)).collect()
    }

    /// A field whose choices are all there are.
    pub(super) fn choice(&mut self, id: &str, chosen: &str, offered: &[(&str, &str)]) -> Select {
        let input = self.input(id, chosen);
        let options = offered.iter().map(|(value, label)| choice(value, label, chosen)).collect();
        Select { input, options }
    }

    /// A field that may hold something that is not offered.
    fn select(&mut self, id: &str, chosen: &str, offered: &[(&str, &str)], empty: &str) -> Select {
        let input = self.input(id, chosen);
        let written = |text: &str| if input.is_escaped() { escape(text) } else { text.to_owned() };
        let mut options = vec![choice("", empty, &input.value)];
        options.extend(offered.iter().map(|(value, label)| choice(&written(value), label, &input.value)));
        if !options.iter().any(|option| option.chosen) {
            options.push(choice(&input.value, &format!("{} (does not exist)", input.value), &input.value));
        }
        Select { input, options }
    }

    fn attribute(&mut self, id: &str, chosen: &str, names: &[String]) -> Select {
        let offered: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
        self.select(id, chosen, &offered, "Choose an attribute")
    }

    fn step(&mut self, i: usize, step: &StepForm) -> StepView {
        let id = format!("steps/{i}");
        let (mut split, mut date, mut yes_no) = (",", ("", ""), ("", ""));
        let empty = LookupForm::default();
        let mut lookup = &empty;
        let kind = match step {
            StepForm::Split(separator) => {
                split = separator;
                "split"
            }
            StepForm::Lower => "lower",
            StepForm::Upper => "upper",
            StepForm::Date(form) => {
                date = (&form.input, &form.output);
                "date"
            }
            StepForm::YesNo(form) => {
                yes_no = (&form.yes, &form.no);
                "yes_no"
            }
            StepForm::Lookup(form) => {
                lookup = form;
                "lookup"
            }
        };
        let kind = self.choice(&id, kind, &KINDS);
        let offered = SEPARATORS.iter().map(|(value, _)| *value).find(|value| *value == escape(split));
        let mut separators = SEPARATORS.to_vec();
        separators.push((OTHER, "another"));
        let separator = self.choice(&format!("{id}/split/kind"), offered.unwrap_or(OTHER), &separators);
        let other = self.input(&format!("{id}/split"), if offered.is_some() { "" } else { split });
        let (date_in, date_out) =
            (self.input(&format!("{id}/date/in"), date.0), self.input(&format!("{id}/date/out"), date.1));
        let (yes, no) = (
            self.input(&format!("{id}/yes_no/yes"), yes_no.0),
            self.input(&format!("{id}/yes_no/no"), yes_no.1),
        );
        let table = table::view(self, &format!("{id}/lookup"), lookup);
        StepView { kind, separator, other, date_in, date_out, yes, no, table }
    }

    /// All errors, each with the field that shows it; what no field took leads to the claim.
    fn summary(self) -> Vec<(String, String)> {
        let errors = self.found.into_iter().filter(|(_, _, is_error, _)| *is_error);
        errors.map(|(id, text, _, taken)| (if taken { id } else { "claim".to_owned() }, text)).collect()
    }
}

/// The field that stands for a place of the grammar below the rule.
fn field_of(id: &str, code: &str, rule: &RuleForm) -> String {
    let parts: Vec<&str> = id.splitn(5, '/').collect();
    match parts.as_slice() {
        ["steps", step, "lookup", "values", key] => {
            let key = key.replace("~1", "/").replace("~0", "~");
            let values = match step.parse::<usize>().ok().and_then(|step| rule.steps.get(step)) {
                Some(StepForm::Lookup(lookup)) => lookup.values.as_slice(),
                _ => &[],
            };
            let mut rows =
                values.iter().enumerate().filter(|(_, (known, _))| *known == key).map(|(row, _)| row);
            let first = rows.next().unwrap_or_default();
            // A key that stands there twice has its error at the later one.
            let row = rows.next_back().filter(|_| code == "duplicate_key").unwrap_or(first);
            let part = if code == "duplicate_key" || is_blank(&key) { "key" } else { "value" };
            format!("steps/{step}/lookup/values/{row}/{part}")
        }
        _ => id.to_owned(),
    }
}
