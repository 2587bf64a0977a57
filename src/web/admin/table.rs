//! A lookup table in its form: row by row while it is small, as lines of text when it is large. Two columns
//! of a spreadsheet can be pasted into both.

use std::collections::HashMap;

use super::fields::{Fields, Input, not_offered};
use super::places::{Places, Select};
use crate::app::AppError;
use crate::core::mapping::read::part::Leaf;
use crate::core::mapping::steps::lookup::{Lookup, Row};

/// The maximum number of rows that get their own fields.
const ROWS: usize = 30;

/// A table as its form shows it.
pub struct TableView {
    /// Rows with their own fields: the value that is looked up, and what it becomes.
    pub rows: Vec<(Input, Input)>,
    /// All rows as lines, if there are too many for fields.
    pub lines: Option<Input>,
    /// Further rows as lines.
    pub paste: Input,
    /// What happens to a value that is not in the table.
    pub otherwise_kind: Select,
    /// What such a value becomes.
    pub otherwise: Input,
    /// The errors of the table as a whole.
    pub whole: Input,
}

/// The table of the step at `id` (such as `steps/0/lookup`).
pub(super) fn view(places: &mut Places, id: &str, table: &Lookup) -> TableView {
    let paste = Input::new(&format!("{id}/paste"), "");
    let (rows, lines) = if table.rows.len() > ROWS {
        let pairs = table.rows.iter();
        let pairs = pairs.map(|row| (row.key.as_str().to_owned(), row.output().map(str::to_owned)));
        let mut lines = Input::of_rows(&format!("{id}/lines"), &pairs.collect::<Vec<_>>());
        for (number, row) in table.rows.iter().enumerate() {
            let (place, name) = (format!("{id}/values/{number}"), format!("“{}”: ", row.key.as_str()));
            for at in std::iter::once(row.key.at()).chain(row.output.as_ref().map(Leaf::at)) {
                places.fill(&mut lines, at, &place, &name);
            }
        }
        (Vec::new(), Some(lines))
    } else {
        let rows = table.rows.iter().enumerate().map(|(number, row)| {
            let place = format!("{id}/values/{number}");
            let output = places.input_at(
                &format!("{place}/value"),
                row.output().unwrap_or_default(),
                row.output.as_ref().map(Leaf::at),
            );
            (places.leaf(&format!("{place}/key"), &row.key), output)
        });
        (rows.collect(), None)
    };
    let choices =
        [("", "produces no value"), ("otherwise", "becomes this value"), ("keep", "stays unchanged")];
    let chosen = match (&table.otherwise, table.keep) {
        (Some(_), _) => "otherwise",
        (None, true) => "keep",
        (None, false) => "",
    };
    let otherwise_kind = places.choice(&format!("{id}/else"), chosen, &choices, None);
    let text = table.otherwise.as_ref().map(Leaf::as_str).unwrap_or_default();
    let otherwise = places.input_at(&format!("{id}/otherwise"), text, table.otherwise.as_ref().map(Leaf::at));
    let whole = places.input_at(&format!("{id}/values"), "", Some(table.rows.at));
    TableView { rows, lines, paste, otherwise_kind, otherwise, whole }
}

/// The table that its fields contain, with the pasted rows added: a value that is already in the table gets
/// the pasted output.
pub(super) fn read(fields: &Fields, id: &str) -> Result<Lookup, AppError> {
    let lines = format!("{id}/lines");
    let mut values = if fields.has(&lines) {
        fields.rows(&lines)
    } else {
        let row = |i: usize| format!("{id}/values/{i}");
        let is_there = |row: &String| fields.has(&format!("{row}/key"));
        // An output that is left empty produces no value.
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
    let mut table = Lookup::new(values.into_iter().map(|(key, output)| Row::new(key, output)).collect());
    match fields.text(&format!("{id}/else")).as_str() {
        "otherwise" => table.otherwise = Some(fields.text(&format!("{id}/otherwise")).into()),
        "keep" => table.keep = true,
        "" => {}
        word => return Err(not_offered(&format!("{id}/else"), word)),
    }
    Ok(table)
}
