//! What a cell means with the options of the import: words for "no value", times that mean yes,
//! apostrophes that programs write for spreadsheets. Nothing is guessed: a value that only looks like
//! one of these stays as it is, is counted, and is reported.

use std::collections::BTreeMap;

use crate::core::attribute::{is_blank, read_yes_no};
use crate::core::csv::read::Malformed;
use crate::core::csv::unguarded;

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is an attribute.
    Attribute,
    /// It is a yes/no attribute: a time means yes.
    YesWhenSet,
    /// It says who is disabled or an admin, as an export writes it.
    State,
    /// It says why a row was set aside before. It is not read.
    Reason,
    /// It has no name and must be empty.
    Nameless,
}

/// The column of an export that says who is disabled or an admin. No attribute can have this name.
pub const STATE: &str = "{state}";
/// The column of a set-aside file that says what is wrong with a row.
pub const REASON: &str = "{reason}";

/// How a row is read.
pub enum Reading {
    /// It is empty.
    Nothing,
    /// It is an admin of the server that wrote the export.
    Admin,
    /// Its cells, and the original values of changed cells with their places.
    Cells(Vec<String>, Vec<(usize, String)>),
    /// A cell that cannot be read, and the cells as they were written.
    Malformed(Malformed, Vec<String>),
}

/// How cells are read.
pub struct Cells {
    /// The header as it is shown, with the use of each column.
    pub columns: Vec<(String, Use)>,
    /// The words that mean "no value".
    pub nothing: Vec<String>,
    /// The observations so far, without those about the last row.
    pub tally: Tally,
    /// Those about the last row.
    pub last: Tally,
}

/// Observations about cells, by column.
#[derive(Default)]
pub struct Tally {
    apostrophes: BTreeMap<usize, (usize, String)>,
    nothing: BTreeMap<(usize, String), usize>,
    unclear: BTreeMap<String, usize>,
    admins: usize,
}

/// Whether programs write this value for "no value".
pub fn looks_like_nothing(text: &str) -> bool {
    matches!(
        text,
        "\\N"
            | "NULL"
            | "null"
            | "(null)"
            | "(NULL)"
            | "<null>"
            | "<NULL>"
            | "[NULL]"
            | "[null]"
            | "None"
            | "(none)"
            | "none"
            | "N/A"
            | "n/a"
            | "#N/A"
            | "<NA>"
            | "NaN"
            | "nan"
            | "nil"
            | "(nil)"
            | "undefined"
            | "-"
            | "--"
            | "—"
            | "–"
            | "(blank)"
            | "(empty)"
            | "#REF!"
            | "#VALUE!"
            | "#NAME?"
            | "NaT"
            | "\\\\N"
    )
}

/// A hint for a key that several rows share and that looks like "no value".
pub fn about_key(key: &str) -> String {
    // A login is in lowercase by now.
    let known = [key.to_owned(), key.to_uppercase()].into_iter().find(|word| looks_like_nothing(word));
    known.map_or(String::new(), |word| {
        format!(" If it means \"no value\" in your file, import with --nothing '{word}'.")
    })
}

impl Cells {
    /// Reads the fields of a record.
    pub fn read(&mut self, mut fields: Vec<String>, line: usize) -> Reading {
        self.settle();
        let mut before = Vec::new();
        match self.change(&mut fields, &mut before) {
            Ok(Some(true)) => Reading::Cells(fields, before),
            Ok(Some(false)) => Reading::Nothing,
            Ok(None) => {
                self.last.admins += 1;
                Reading::Admin
            }
            Err((field, what)) => {
                restore(&mut fields, before);
                Reading::Malformed(Malformed { field, ..Malformed::new(line, &what) }, fields)
            }
        }
    }

    /// Counts what was observed in the last row, unless it was left out ([`Cells::leave_out`]).
    pub fn settle(&mut self) {
        self.tally.add(std::mem::take(&mut self.last));
    }

    /// The last row is not imported, so what was observed in it does not matter.
    pub fn leave_out(&mut self) {
        self.last = Tally::default();
    }

    /// Changes cells to what they mean, and records their original values. Returns whether any cell has a
    /// value; `None` means an admin. An error names its column.
    fn change(
        &mut self,
        fields: &mut Vec<String>,
        before: &mut Vec<(usize, String)>,
    ) -> Result<Option<bool>, (Option<usize>, String)> {
        let width = self.columns.len();
        let mut is_something = false;
        for (place, field) in fields.iter_mut().enumerate() {
            if let Some(rest) = unguarded(field).map(str::to_owned) {
                let seen = self.last.apostrophes.entry(place).or_insert_with(|| (0, field.clone()));
                seen.0 += 1;
                // The apostrophe need not be recorded: code that writes the cell again adds it again.
                *field = rest;
            }
            if self.nothing.iter().any(|word| word == field.trim()) {
                before.push((place, std::mem::take(field)));
            }
            let is_ours = matches!(self.columns.get(place), Some((_, Use::State | Use::Reason)));
            is_something |= !is_ours && !is_blank(field);
        }
        if !is_something {
            return Ok(Some(false));
        }
        // Separators after the last column do not make columns.
        if fields.len() > width && fields[width..].iter().all(|field| is_blank(field)) {
            fields.truncate(width);
        }
        if fields.len() != width {
            let columns = if fields.len() == 1 { "column" } else { "columns" };
            let advice = if fields.len() < width {
                "Add the missing values. A blank value needs its separator, too."
            } else {
                "Put values with commas in quotes."
            };
            let what = format!("{} {columns}, but the header names {width}. {advice}", fields.len());
            return Err((None, what));
        }
        for (place, field) in fields.iter_mut().enumerate() {
            let (name, purpose) = &self.columns[place];
            let named = |what: String| (Some(place), what);
            match purpose {
                Use::Nameless if !is_blank(field) => {
                    let what = "This column has no name in the header, but it has a value here. Name it, or remove it.";
                    return Err(named(what.into()));
                }
                Use::YesWhenSet => {
                    let answer = yes_when_set(field.trim()).map_err(named)?;
                    before.push((place, std::mem::replace(field, answer.to_owned())));
                }
                Use::State if state(field).map_err(named)?.is_admin => return Ok(None),
                Use::Attribute => self.last.notice(place, name, field),
                Use::State | Use::Reason | Use::Nameless => {}
            }
        }
        Ok(Some(true))
    }
}

/// Restores cells as they were written.
pub fn restore(fields: &mut [String], before: Vec<(usize, String)>) {
    for (place, text) in before.into_iter().rev() {
        if let Some(field) = fields.get_mut(place) {
            *field = text;
        }
    }
}

/// The content of a cell of [`STATE`].
#[derive(Clone, Copy, Default)]
pub struct State {
    is_admin: bool,
    /// The user gets no session and no token.
    pub is_disabled: bool,
    /// The website reported that the account is gone.
    pub is_gone: bool,
}

/// Reads a cell of [`STATE`].
pub fn state(text: &str) -> Result<State, String> {
    let mut state = State::default();
    for word in text.split_whitespace() {
        match word {
            "admin" => state.is_admin = true,
            "disabled" => state.is_disabled = true,
            "gone" => (state.is_disabled, state.is_gone) = (true, true),
            other => {
                return Err(format!(
                    "'{other}' is not a state. Write disabled, gone or admin, or leave the cell blank."
                ));
            }
        }
    }
    Ok(state)
}

/// Reads a time as yes. Words for yes or no keep their meaning; zeros and blanks are not a time.
fn yes_when_set(text: &str) -> Result<&'static str, String> {
    let zeros = text.chars().all(|c| matches!(c, '0' | '-' | '/' | '.' | ':' | ' ' | 'T' | 'Z' | '+'));
    match read_yes_no(text) {
        Some(answer) => Ok(if answer { "true" } else { "false" }),
        None if is_blank(text) || (zeros && text.contains('0')) => Ok("false"),
        // Some programs write the first moment of Unix or .NET for no time.
        None if text.starts_with("1970-01-01") || text.starts_with("0001-01-01") => Err(format!(
            "'{text}' can be a real time or mean \"no time\". Write yes or no. If it means \"no value\", add it to --nothing."
        )),
        None if text.chars().filter(char::is_ascii_digit).count() >= 4 => Ok("true"),
        None => Err(format!(
            "'{text}' is neither a time nor yes or no. If it means \"no value\", add it to --nothing."
        )),
    }
}

impl Tally {
    fn notice(&mut self, place: usize, name: &str, field: &str) {
        let text = field.trim();
        if text.len() <= 9 && looks_like_nothing(text) {
            *self.nothing.entry((place, text.to_owned())).or_default() += 1;
        }
        if name == "email_verified" && !is_blank(text) && read_yes_no(text).is_none() {
            *self.unclear.entry(text.chars().take(40).collect()).or_default() += 1;
        }
    }

    fn add(&mut self, row: Self) {
        for (place, (count, first)) in row.apostrophes {
            self.apostrophes.entry(place).or_insert((0, first)).0 += count;
        }
        for (key, count) in row.nothing {
            *self.nothing.entry(key).or_default() += count;
        }
        for (word, count) in row.unclear {
            let key = if self.unclear.len() < 10 || self.unclear.contains_key(&word) {
                word
            } else {
                String::new()
            };
            *self.unclear.entry(key).or_default() += count;
        }
        self.admins += row.admins;
    }

    /// Sentences about the observations.
    pub fn notes(&self, columns: &[(String, Use)]) -> Vec<String> {
        let name = |place: &usize| {
            columns.get(*place).map_or_else(|| format!("column {}", place + 1), |(name, _)| name.clone())
        };
        let mut notes = Vec::new();
        if !self.apostrophes.is_empty() {
            let each = self.apostrophes.iter().map(|(place, (count, first))| {
                format!("{} ({}, such as {first})", name(place), cells(*count))
            });
            notes.push(format!(
                "An apostrophe before a number or a formula, which programs write for spreadsheets, was removed: {}.",
                each.collect::<Vec<_>>().join("; ")
            ));
        }
        if !self.nothing.is_empty() {
            let each = self
                .nothing
                .iter()
                .map(|((place, word), count)| format!("{} '{word}' ({})", name(place), cells(*count)));
            let mut words: Vec<&str> = self.nothing.keys().map(|(_, word)| word.as_str()).collect();
            words.sort_unstable();
            words.dedup();
            notes.push(format!(
                "Some values look like \"no value\" and were imported as they are: {}. If they mean that, import again with --nothing '{}'.",
                each.collect::<Vec<_>>().join("; "),
                words.join(",")
            ));
        }
        if !self.unclear.is_empty() {
            let count: usize = self.unclear.values().sum();
            let number = if count == 1 { "1 cell is".to_owned() } else { format!("{count} cells are") };
            let each = self.unclear.iter().map(|(word, count)| {
                if word.is_empty() { format!("others ({count})") } else { format!("'{word}' ({count})") }
            });
            notes.push(format!(
                "email_verified: {number} neither yes nor no, so the address is not verified: {}. \
                 Write yes or no (true, false, 1, 0); if a time means yes, import with --yes-when-set email_verified.",
                each.collect::<Vec<_>>().join(", ")
            ));
        }
        if self.admins > 0 {
            let rows = match self.admins {
                1 => "1 row has the state admin and was left out".to_owned(),
                count => format!("{count} rows have the state admin and were left out"),
            };
            notes.push(format!("{rows}. Create admins with `countersign user add LOGIN --admin`."));
        }
        notes
    }
}

fn cells(count: usize) -> String {
    if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") }
}
