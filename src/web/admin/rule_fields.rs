//! Reads a rule from the fields of its form, as it was typed, and does what its buttons ask: one
//! more row, one less, another order. The template writes the same fields (`rule_view`).

use super::fields::{Fields, unescape};
use super::table;
use crate::core::mapping::{
    ConditionForm, DateForm, DefaultForm, LookupForm, MissingForm, RuleEntry, RuleForm, SourceForm, StepForm,
    TestForm, YesNoForm,
};
use crate::core::payload::Texts;

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
    RuleEntry::Rule(Box::new(rule))
}

/// The rule as its fields have it.
pub fn read(fields: &Fields) -> RuleForm {
    let claim = match fields.text("claim").as_str() {
        FIELD => format!("fields.{}", fields.text("field")),
        FIELD_LIST => format!("fields.{}[]", fields.text("field")),
        other => other.to_owned(),
    };
    let source = match fields.text("from").as_str() {
        "constant" => SourceForm::Constant(fields.text("from/constant")),
        "text" => SourceForm::Text(fields.texts("from/text")),
        _ => SourceForm::Attribute(fields.text("from/attribute")),
    };
    let steps = fields.numbered("steps").map(|id| step(fields, &id));
    RuleForm { claim, source, steps: steps.collect(), condition: condition(fields), missing: missing(fields) }
}

fn step(fields: &Fields, id: &str) -> StepForm {
    let text = |name: &str| fields.text(&format!("{id}/{name}"));
    match fields.text(id).as_str() {
        "split" => StepForm::Split(match text("split/kind").as_str() {
            OTHER => text("split"),
            offered => unescape(offered),
        }),
        "upper" => StepForm::Upper,
        "date" => StepForm::Date(DateForm { input: text("date/in"), output: text("date/out") }),
        "yes_no" => StepForm::YesNo(YesNoForm { yes: text("yes_no/yes"), no: text("yes_no/no") }),
        "lookup" => StepForm::Lookup(table::read(fields, &format!("{id}/lookup"))),
        _ => StepForm::Lower,
    }
}

fn condition(fields: &Fields) -> Option<ConditionForm> {
    let choice = fields.text("when");
    let (test, not) = match choice.strip_prefix("not-") {
        Some(test) => (test, true),
        None => (choice.as_str(), false),
    };
    let test = match test {
        "set" => TestForm::Set,
        "true" => TestForm::True,
        "is" => TestForm::Is(fields.text("when/is")),
        "in" => TestForm::In(fields.texts("when/in")),
        _ => return None,
    };
    Some(ConditionForm { attribute: fields.text("when/attribute"), test, not })
}

fn missing(fields: &Fields) -> MissingForm {
    let default = |default| MissingForm::Default(DefaultForm { default });
    match fields.text("missing").as_str() {
        "refuse" => MissingForm::Refuse,
        "default" => default(Texts::One(fields.text("missing/default"))),
        "defaults" => default(Texts::List(fields.texts("missing/default"))),
        _ => MissingForm::Omit,
    }
}

/// Does what a button of the form asks, such as `step.add` or `steps/0/lookup.add`; the id of the
/// field to go on with. `None`: nothing but to keep the rule.
fn press(rule: &mut RuleForm, button: &str, fields: &Fields) -> Option<String> {
    let (place, verb) = button.rsplit_once('.')?;
    let (list, item) = place.rsplit_once('/').unwrap_or((place, ""));
    let index = item.parse::<usize>().ok();
    match (place, verb) {
        ("from/text", "add") => {
            let SourceForm::Text(texts) = &mut rule.source else { return None };
            texts.push(String::new());
            return Some(format!("from/text/{}", texts.len() - 1));
        }
        ("when/in", "add") => {
            let Some(ConditionForm { test: TestForm::In(texts), .. }) = &mut rule.condition else {
                return None;
            };
            texts.push(String::new());
            return Some(format!("when/in/{}", texts.len() - 1));
        }
        ("missing/default", "add") => {
            let MissingForm::Default(DefaultForm { default: Texts::List(texts) }) = &mut rule.missing else {
                return None;
            };
            texts.push(String::new());
            return Some(format!("missing/default/{}", texts.len() - 1));
        }
        ("steps", "add") => {
            rule.steps.push(empty_step(&fields.text("steps/new")));
            return Some(format!("steps/{}", rule.steps.len() - 1));
        }
        _ => {}
    }
    if verb == "add" {
        let (step, _) = place.strip_prefix("steps/")?.split_once('/')?;
        let StepForm::Lookup(lookup) = rule.steps.get_mut(step.parse::<usize>().ok()?)? else { return None };
        lookup.values.push((String::new(), None));
        return Some(format!("steps/{step}/lookup/values/{}/key", lookup.values.len() - 1));
    }
    let index = index?;
    match (list, verb) {
        ("from/text", "insert") => {
            let SourceForm::Text(texts) = &mut rule.source else { return None };
            let name = fields.text(&format!("{place}/part"));
            if !name.is_empty() {
                texts.get_mut(index)?.extend(["{", &name, "}"]);
            }
            return Some(place.to_owned());
        }
        ("from/text", "remove") => {
            let SourceForm::Text(texts) = &mut rule.source else { return None };
            take(texts, index);
        }
        ("when/in", "remove") => {
            let Some(ConditionForm { test: TestForm::In(texts), .. }) = &mut rule.condition else {
                return None;
            };
            take(texts, index);
        }
        ("missing/default", "remove") => {
            let MissingForm::Default(DefaultForm { default: Texts::List(texts) }) = &mut rule.missing else {
                return None;
            };
            take(texts, index);
        }
        ("steps", "remove") => take(&mut rule.steps, index),
        ("steps", "up") if index > 0 && index < rule.steps.len() => {
            rule.steps.swap(index, index - 1);
            return Some(format!("steps/{}", index - 1));
        }
        (list, "remove") => {
            let (step, _) = list.strip_prefix("steps/")?.split_once('/')?;
            let StepForm::Lookup(lookup) = rule.steps.get_mut(step.parse::<usize>().ok()?)? else {
                return None;
            };
            take(&mut lookup.values, index);
        }
        _ => return None,
    }
    None
}

fn take<T>(list: &mut Vec<T>, index: usize) {
    if index < list.len() {
        list.remove(index);
    }
}

/// A step of a kind, ready to be filled in.
fn empty_step(kind: &str) -> StepForm {
    match kind {
        "split" => StepForm::Split(",".to_owned()),
        "upper" => StepForm::Upper,
        "date" => StepForm::Date(DateForm { input: "%Y-%m-%d".to_owned(), output: "%d.%m.%Y".to_owned() }),
        "yes_no" => StepForm::YesNo(YesNoForm { yes: "1".to_owned(), no: "0".to_owned() }),
        "lookup" => {
            StepForm::Lookup(LookupForm { values: vec![(String::new(), None)], ..LookupForm::default() })
        }
        _ => StepForm::Lower,
    }
}

/// Takes out the rows of tables and the further texts that nothing was typed into.
fn take_out_empty(rule: &mut RuleForm) {
    let clear = |texts: &mut Vec<String>| texts.retain(|text| !text.is_empty());
    for step in &mut rule.steps {
        if let StepForm::Lookup(lookup) = step {
            lookup.values.retain(|(key, value)| {
                !key.is_empty() || value.as_ref().is_some_and(|value| !value.is_empty())
            });
        }
    }
    if let SourceForm::Text(texts) = &mut rule.source {
        clear(texts);
    }
    if let Some(ConditionForm { test: TestForm::In(texts), .. }) = &mut rule.condition {
        clear(texts);
    }
    if let MissingForm::Default(DefaultForm { default: Texts::List(texts) }) = &mut rule.missing {
        clear(texts);
    }
}

/// A choice that needs something to stand in has one empty thing in it, so that there is a field to
/// type into.
fn make_room(rule: &mut RuleForm) {
    let empty = |texts: &mut Vec<String>| {
        if texts.is_empty() {
            texts.push(String::new());
        }
    };
    if let SourceForm::Text(texts) = &mut rule.source {
        empty(texts);
    }
    if let Some(ConditionForm { test: TestForm::In(texts), .. }) = &mut rule.condition {
        empty(texts);
    }
    if let MissingForm::Default(DefaultForm { default: Texts::List(texts) }) = &mut rule.missing {
        empty(texts);
    }
    for step in &mut rule.steps {
        if let StepForm::Lookup(lookup) = step
            && lookup.values.is_empty()
        {
            lookup.values.push((String::new(), None));
        }
    }
}
