//! Reads a rule from the fields of its form, as it was typed, and does what its buttons are for: add a row,
//! remove a row, change the order. The template writes the same fields (`rule_view`).

use super::fields::{Fields, not_offered, unescape};
use super::table;
use crate::app::AppError;
use crate::core::catalogue::Catalogue;
use crate::core::mapping::read::part::{Leaf, Leaves};
use crate::core::mapping::read::rule::{Condition, Default, Missing, Rule, Source, Test};
use crate::core::mapping::steps::lookup::{Lookup, Row};
use crate::core::mapping::{RuleEntry, Step};

/// The choice for a custom field, whose number is entered beside it.
pub const FIELD: &str = "fields.N";
/// The same for a custom field with several values.
pub const FIELD_LIST: &str = "fields.N[]";
/// The offered separators: the value that is sent, and the label.
pub const SEPARATORS: [(&str, &str); 6] = [
    (",", "comma"),
    (";", "semicolon"),
    ("|", "vertical bar"),
    (" ", "space"),
    ("\\n", "line break"),
    ("\\r\\n", "Windows line break"),
];
/// The choice of another separator, which the admin enters.
pub const OTHER: &str = "other";

/// The rule that a form sent, with ids in place of the names that were chosen, after its button was applied. `Refused` if it contains a choice that the page
/// does not offer.
pub fn sent_rule(
    fields: &Fields,
    names: &Catalogue,
    button: &str,
    focus: &mut Option<String>,
) -> Result<RuleEntry, AppError> {
    if fields.has("json") {
        return Ok(RuleEntry::read(fields.text("json").trim()));
    }
    let mut rule = read(fields, names)?;
    names.put_ids(&mut rule);
    *focus = press(&mut rule, button, fields)?;
    if matches!(button, "save" | "preview" | "") {
        take_out_empty(&mut rule);
    }
    make_room(&mut rule);
    Ok(rule.into())
}

/// The claim that its fields contain.
pub fn claim(fields: &Fields, names: &Catalogue) -> String {
    let field = || names.typed_field(&fields.text("field"));
    match fields.text("claim").as_str() {
        FIELD => format!("fields.{}", field()),
        FIELD_LIST => format!("fields.{}[]", field()),
        other => other.to_owned(),
    }
}

/// The rule that its fields contain.
fn read(fields: &Fields, names: &Catalogue) -> Result<Rule, AppError> {
    let source = match fields.text("from").as_str() {
        "attribute" | "" => Source::Attribute(fields.text("from/attribute").into()),
        "constant" => Source::Constant(fields.text("from/constant").into()),
        "text" => Source::Text(fields.texts("from/text").into()),
        word => return Err(not_offered("from", word)),
    };
    let steps = fields.numbered("steps").map(|id| step(fields, &id).map(Into::into));
    let steps = steps.collect::<Result<Vec<_>, AppError>>()?;
    let (condition, missing) = (condition(fields)?, missing(fields)?);
    Ok(Rule { source, steps, condition, missing, ..Rule::of_attribute(&claim(fields, names), "") })
}

fn step(fields: &Fields, id: &str) -> Result<Step, AppError> {
    let kind = fields.text(id);
    if kind == "lookup" {
        return Ok(Step::Lookup(table::read(fields, &format!("{id}/lookup"))?));
    }
    let chosen = fields.text(&format!("{id}/split/kind"));
    let is_offered = |chosen: &str| chosen == OTHER || SEPARATORS.iter().any(|(it, _)| *it == chosen);
    if kind == "split" && !chosen.is_empty() && !is_offered(&chosen) {
        return Err(not_offered(&format!("{id}/split/kind"), &chosen));
    }
    let text = |name: &str| match (name, fields.text(&format!("{id}/{name}/kind")).as_str()) {
        // Most separators are chosen from a list.
        ("split", offered) if offered != OTHER => unescape(offered),
        _ => fields.text(&format!("{id}/{name}")),
    };
    Step::typed(&kind, &text).ok_or_else(|| not_offered(id, &kind))
}

fn condition(fields: &Fields) -> Result<Option<Condition>, AppError> {
    let choice = fields.text("when");
    if choice.is_empty() {
        return Ok(None);
    }
    let (test, not) = match choice.strip_prefix("not-") {
        Some(test) => (test, true),
        None => (choice.as_str(), false),
    };
    let test = match test {
        "set" => Test::Set,
        "true" => Test::True,
        "is" => Test::Is(fields.text("when/is").into()),
        "in" => Test::In(fields.texts("when/in").into()),
        _ => return Err(not_offered("when", &choice)),
    };
    Ok(Some(Condition::new(fields.text("when/attribute"), test, not)))
}

fn missing(fields: &Fields) -> Result<Missing, AppError> {
    Ok(match fields.text("missing").as_str() {
        "omit" | "" => Missing::Omit,
        "refuse" => Missing::Refuse,
        "default" => Missing::Default(Default::One(fields.text("missing/default").into())),
        "defaults" => Missing::Default(Default::List(fields.texts("missing/default").into())),
        word => return Err(not_offered("missing", word)),
    })
}

/// The list of values at a place of the rule.
fn texts<'a>(rule: &'a mut Rule, place: &str) -> Option<&'a mut Vec<Leaf>> {
    match (place, &mut rule.source, &mut rule.condition, &mut rule.missing) {
        ("from/text", Source::Text(Leaves { list, .. }), ..)
        | ("when/in", _, Some(Condition { test: Test::In(Leaves { list, .. }), .. }), _)
        | ("missing/default", _, _, Missing::Default(Default::List(Leaves { list, .. }))) => Some(list),
        _ => None,
    }
}

/// The places that contain lists of values.
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

/// Does what a button of the form is for, such as `step.add` or `steps/0/lookup.add`. Returns the id of the
/// field to focus next, or `None` if the rule only has to be saved.
fn press(rule: &mut Rule, button: &str, fields: &Fields) -> Result<Option<String>, AppError> {
    if button == "steps.add" {
        let kind = fields.text("steps/new");
        rule.steps.push(Step::begin(&kind).ok_or_else(|| not_offered("steps/new", &kind))?.into());
        return Ok(Some(format!("steps/{}", rule.steps.len() - 1)));
    }
    Ok(press_in_list(rule, button, fields))
}

/// The same for the buttons in a list.
fn press_in_list(rule: &mut Rule, button: &str, fields: &Fields) -> Option<String> {
    let (place, verb) = button.rsplit_once('.')?;
    let (list, item) = place.rsplit_once('/').unwrap_or((place, ""));
    let index = item.parse::<usize>().ok();
    match (place, verb) {
        (place, "add") if LISTS.contains(&place) => {
            let texts = texts(rule, place)?;
            texts.push(Leaf::default());
            return Some(format!("{place}/{}", texts.len() - 1));
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

/// Removes the rows of tables and the values of lists that are empty.
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

/// Adds one empty value or row to every list and table that has none, so that there is a field to type into.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule of a form, as JSON.
    fn sent(fields: &[(&str, &str)]) -> Result<serde_json::Value, String> {
        let fields: serde_json::Map<_, _> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let fields = serde_json::from_value(fields.into()).expect("fields");
        let entry = sent_rule(&fields, &Catalogue::default(), "save", &mut None)
            .map_err(|error| error.to_string())?;
        Ok(serde_json::from_str(&entry.write()).expect("a rule is JSON"))
    }

    /// A kind that the form does not know would be saved as another kind.
    #[test]
    fn every_kind_of_source_step_and_test_can_be_sent_and_nothing_else() {
        let page = include_str!("../../../templates/admin/rule.html");
        for key in Source::KEYS {
            let rule = sent(&[("from", key), (&format!("from/{key}"), "x"), (&format!("from/{key}/0"), "x")]);
            assert!(rule.as_ref().is_ok_and(|rule| rule["from"].get(key).is_some()), "{key}: {rule:?}");
            assert!(page.contains(&format!("name=\"from\" value=\"{key}\"")), "{key} is not offered");
        }
        for kind in Step::KINDS {
            let rule = sent(&[("steps/0", kind.name)]).expect("a rule");
            let step = &rule["steps"][0];
            assert!(step == kind.name || step.get(kind.name).is_some(), "{}: {rule}", kind.name);
        }
        for key in Test::KEYS {
            let rule = sent(&[("when", key), ("when/is", "x"), ("when/in/0", "x")]).expect("a rule");
            assert!(rule["when"].get(key).is_some(), "{key}: {rule}");
        }
        for field in ["from", "steps/0", "when", "missing"] {
            let refused = sent(&[(field, "nothing of ours")]).expect_err(field);
            assert!(refused.contains("'nothing of ours'") && refused.contains(field), "{refused}");
        }
        assert!(sent(&[("when", "not-")]).is_err(), "a rule for all in place of one for some");
        for (kind, field) in [("split", "steps/0/split/kind"), ("lookup", "steps/0/lookup/else")] {
            sent(&[("steps/0", kind), (field, "nothing of ours")]).expect_err(field);
        }
    }
}
