//! A lookup table in its form: row by row while it is small, as lines of a text when it is large. Two
//! columns of a spreadsheet can be pasted into either.

use std::collections::HashMap;

use super::fields::{Fields, Input};
use super::rule_view::{Places, Select};
use crate::core::mapping::{LookupForm, Yes};

/// The most rows that have fields of their own.
const ROWS: usize = 30;

/// A table as its form shows it.
pub struct TableView {
    /// Rows with fields of their own: what is looked up, and what it becomes.
    pub rows: Vec<(Input, Input)>,
    /// All rows as lines, where there are too many for fields.
    pub lines: Option<Input>,
    /// Further rows as lines.
    pub paste: Input,
    /// What becomes of a value that is not in the table.
    pub otherwise_kind: Select,
    /// The text for that.
    pub otherwise: Input,
    /// What is wrong with the table as a whole.
    pub whole: Input,
}

/// The table of the step at `id` (such as `steps/0/lookup`).
pub(super) fn view(places: &mut Places, id: &str, table: &LookupForm) -> TableView {
    let paste = Input::new(&format!("{id}/paste"), "");
    let (rows, lines) = if table.values.len() > ROWS {
        let lines = format!("{id}/lines");
        places.gather(&format!("{id}/values/"), &lines, |row| {
            table.values.get(row).map(|(key, _)| format!("“{key}”")).unwrap_or_default()
        });
        let mut input = Input::of_rows(&lines, &table.values);
        places.fill(&mut input);
        (Vec::new(), Some(input))
    } else {
        let rows = table.values.iter().enumerate().map(|(row, (key, value))| {
            let row = format!("{id}/values/{row}");
            let value = value.as_deref().unwrap_or_default();
            (places.input(&format!("{row}/key"), key), places.input(&format!("{row}/value"), value))
        });
        (rows.collect(), None)
    };
    let choices = [("", "gives nothing"), ("otherwise", "becomes this text"), ("keep", "stays as it is")];
    let chosen = match (&table.otherwise, &table.keep) {
        (Some(_), _) => "otherwise",
        (None, Some(_)) => "keep",
        (None, None) => "",
    };
    let otherwise_kind = places.choice(&format!("{id}/else"), chosen, &choices);
    let text = table.otherwise.as_deref().unwrap_or_default();
    let otherwise = places.input(&format!("{id}/otherwise"), text);
    let whole = places.input(&format!("{id}/values"), "");
    TableView { rows, lines, paste, otherwise_kind, otherwise, whole }
}

/// The table as its fields have it, pasted rows taken in: a value that is there already gets what was
/// pasted for it.
pub(super) fn read(fields: &Fields, id: &str) -> LookupForm {
    let lines = format!("{id}/lines");
    let mut values = if fields.has(&lines) {
        fields.rows(&lines)
    } else {
        let row = |i: usize| format!("{id}/values/{i}");
        let is_there = |row: &String| fields.has(&format!("{row}/key"));
        // An output that is left empty gives nothing.
        let output = |text: String| Some(text).filter(|text| !text.is_empty());
        let rows = (0..).map(row).take_while(is_there);
        rows.map(|row| (fields.text(&format!("{row}/key")), output(fields.text(&format!("{row}/value")))))
            .collect()
    };
    let pasted = fields.rows(&format!("{id}/paste"));
    if !pasted.is_empty() {
        values.retain(|(key, value)| !key.is_empty() || value.is_some());
    }
    let known = values.iter().enumerate().map(|(row, (key, _))| (key.trim().to_owned(), row));
    let mut known: HashMap<String, usize> = known.collect();
    for (key, value) in pasted {
        if let Some(row) = known.get(&key) {
            values[*row].1 = value;
        } else {
            known.insert(key.clone(), values.len());
            values.push((key, value));
        }
    }
    let mut form = LookupForm { values, ..LookupForm::default() };
    match fields.text(&format!("{id}/else")).as_str() {
        "otherwise" => form.otherwise = Some(fields.text(&format!("{id}/otherwise"))),
        "keep" => form.keep = Some(Yes),
        _ => {}
    }
    form
}
