//! Reads a rule from the fields of its form, as it was typed, and does what its buttons ask: one
//! more row, one less, another order. The template writes the same fields (`rule_view`).

use super::fields::{Fields, unescape};
use super::table;
use crate::core::mapping::read::part::{Leaf, Leaves};
use crate::core::mapping::read::rule::{Condition, Default, Missing, Rule, Source, Test};
use crate::core::mapping::steps::case::Lower;
use crate::core::mapping::steps::lookup::{Lookup, Row};
use crate::core::mapping::{RuleEntry, Step};

/// The claims that are chosen by a number beside them.
pub const FIELD: &str = "fields.N";
/// The same with several values.
pub const FIELD_LIST: &str = "fields.N[]";
/// Separators that are offered, as their options are sent.
pub const SEPARATORS: [(&str, &str); 6] = [
    (",", "comma"),
    (";", "semicolon"),
    ("|", "vertical bar"),
    (" ", "space"),
    ("\\n", "line break"),
    ("\\r\\n", "line break of Windows"),
];
/// The choice of another separator, which is typed.
pub const OTHER: &str = "other";

/// The rule that a form sent, after what its button asks.
pub fn sent_rule(fields: &Fields, button: &str, focus: &mut Option<String>) -> RuleEntry {
    if fields.has("json") {
        return RuleEntry::read(fields.text("json").trim());
    }
    let mut rule = read(fields);
    *focus = press(&mut rule, button, fields);
    if matches!(button, "save" | "preview" | "") {
        take_out_empty(&mut rule);
    }
    make_room(&mut rule);
    rule.into()
}

/// The claim as its fields have it.
pub fn claim(fields: &Fields) -> String {
    match fields.text("claim").as_str() {
        FIELD => format!("fields.{}", fields.text("field")),
        FIELD_LIST => format!("fields.{}[]", fields.text("field")),
        other => other.to_owned(),
    }
}

/// The rule as its fields have it.
fn read(fields: &Fields) -> Rule {
    let source = match fields.text("from").as_str() {
        "constant" => Source::Constant(fields.text("from/constant").into()),
        "text" => Source::Text(fields.texts("from/text").into()),
        _ => Source::Attribute(fields.text("from/attribute").into()),
    };
    let steps = fields.numbered("steps").map(|id| step(fields, &id).into()).collect();
    let (condition, missing) = (condition(fields), missing(fields));
    Rule { source, steps, condition, missing, ..Rule::of_attribute(&claim(fields), "") }
}

fn step(fields: &Fields, id: &str) -> Step {
    let kind = fields.text(id);
    if kind == "lookup" {
        return Step::Lookup(table::read(fields, &format!("{id}/lookup")));
    }
    let text = |name: &str| match (name, fields.text(&format!("{id}/{name}/kind")).as_str()) {
        // Most separators are chosen.
        ("split", offered) if offered != OTHER => unescape(offered),
        _ => fields.text(&format!("{id}/{name}")),
    };
    Step::typed(&kind, &text).unwrap_or(Step::Lower(Lower))
}

fn condition(fields: &Fields) -> Option<Condition> {
    let choice = fields.text("when");
    let (test, not) = match choice.strip_prefix("not-") {
        Some(test) => (test, true),
        None => (choice.as_str(), false),
    };
    let test = match test {
        "set" => Test::Set,
        "true" => Test::True,
        "is" => Test::Is(fields.text("when/is").into()),
        "in" => Test::In(fields.texts("when/in").into()),
        _ => return None,
    };
    Some(Condition::new(fields.text("when/attribute"), test, not))
}

fn missing(fields: &Fields) -> Missing {
    match fields.text("missing").as_str() {
        "refuse" => Missing::Refuse,
        "default" => Missing::Default(Default::One(fields.text("missing/default").into())),
        "defaults" => Missing::Default(Default::List(fields.texts("missing/default").into())),
        _ => Missing::Omit,
    }
}

/// The list of texts at a place of the rule.
fn texts<'a>(rule: &'a mut Rule, place: &str) -> Option<&'a mut Vec<Leaf>> {
    match (place, &mut rule.source, &mut rule.condition, &mut rule.missing) {
        ("from/text", Source::Text(Leaves { list, .. }), ..)
        | ("when/in", _, Some(Condition { test: Test::In(Leaves { list, .. }), .. }), _)
        | ("missing/default", _, _, Missing::Default(Default::List(Leaves { list, .. }))) => Some(list),
        _ => None,
    }
}

/// The places that hold lists of texts.
const LISTS: [&str; 3] = ["from/text", "when/in", "missing/default"];

/// The table at a place such as `steps/0/lookup`, and the number of its step.
fn table<'a>(rule: &'a mut Rule, place: &str) -> Option<(usize, &'a mut Lookup)> {
    let (step, _) = place.strip_prefix("steps/")?.split_once('/')?;
    let number = step.parse::<usize>().ok()?;
    match &mut rule.steps.get_mut(number)?.value {
        Step::Lookup(table) => Some((number, table)),
        _ => None,
    }
}

/// Does what a button of the form asks, such as `step.add` or `steps/0/lookup.add`; the id of the
/// field to go on with. `None`: nothing but to keep the rule.
fn press(rule: &mut Rule, button: &str, fields: &Fields) -> Option<String> {
    let (place, verb) = button.rsplit_once('.')?;
    let (list, item) = place.rsplit_once('/').unwrap_or((place, ""));
    let index = item.parse::<usize>().ok();
    match (place, verb) {
        (place, "add") if LISTS.contains(&place) => {
            let texts = texts(rule, place)?;
            texts.push(Leaf::default());
            return Some(format!("{place}/{}", texts.len() - 1));
        }
        ("steps", "add") => {
            let step = Step::begin(&fields.text("steps/new")).unwrap_or(Step::Lower(Lower));
            rule.steps.push(step.into());
            return Some(format!("steps/{}", rule.steps.len() - 1));
        }
        (place, "add") => {
            let (step, table) = table(rule, place)?;
            table.rows.push(Row::default());
            return Some(format!("steps/{step}/lookup/values/{}/key", table.rows.len() - 1));
        }
        _ => {}
    }
    let index = index?;
    match (list, verb) {
        ("from/text", "insert") => {
            let texts = texts(rule, list)?;
            let name = fields.text(&format!("{place}/part"));
            if !name.is_empty() {
                texts.get_mut(index)?.text_mut().extend(["{", &name, "}"]);
            }
            return Some(place.to_owned());
        }
        (list, "remove") if LISTS.contains(&list) => take(texts(rule, list)?, index),
        ("steps", "remove") => take(&mut rule.steps, index),
        ("steps", "up") if index > 0 && index < rule.steps.len() => {
            rule.steps.swap(index, index - 1);
            return Some(format!("steps/{}", index - 1));
        }
        (list, "remove") => take(&mut table(rule, list)?.1.rows, index),
        _ => return None,
    }
    None
}

fn take<T>(list: &mut Vec<T>, index: usize) {
    if index < list.len() {
        list.remove(index);
    }
}

/// Takes out the rows of tables and the further texts that nothing was typed into.
fn take_out_empty(rule: &mut Rule) {
    for step in &mut rule.steps {
        if let Step::Lookup(table) = &mut step.value {
            table.rows.retain(|row| {
                !row.key.as_str().is_empty() || row.output().is_some_and(|text| !text.is_empty())
            });
        }
    }
    for list in LISTS {
        if let Some(texts) = texts(rule, list) {
            texts.retain(|text| !text.as_str().is_empty());
        }
    }
}

/// A choice that needs something to stand in has one empty thing in it, so that there is a field to
/// type into.
fn make_room(rule: &mut Rule) {
    for list in LISTS {
        if let Some(texts) = texts(rule, list).filter(|texts| texts.is_empty()) {
            texts.push(Leaf::default());
        }
    }
    for step in &mut rule.steps {
        if let Step::Lookup(table) = &mut step.value
            && table.rows.is_empty()
        {
            table.rows.push(Row::default());
        }
    }
}
