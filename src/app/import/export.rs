//! Writes all users as a file that can be imported again: values, types, and who is disabled or an
//! admin. No passwords, hashes or sessions. Which attributes are trusted is not included: an admin sets
//! that.

use crate::app::{App, AppError};
use crate::core::attribute::{BUILT_IN, Value};
use crate::core::csv;
use crate::core::import::cells::STATE;
use crate::core::import::columns::marked;
use crate::core::user::{Role, User};

impl App {
    /// Writes all users as CSV, one line at a time including the line break, the oldest user first.
    /// `is_raw` leaves values unchanged that a spreadsheet would run as formulas.
    pub fn export_users(&self, is_raw: bool, mut print: impl FnMut(&str)) -> Result<(), AppError> {
        let write = if is_raw { csv::raw_line } else { csv::line };
        let definitions = self.attributes()?;
        let mut names: Vec<&str> = BUILT_IN.to_vec();
        names.extend(definitions.iter().map(|(name, _)| name));
        let mut header: Vec<String> = BUILT_IN.map(str::to_owned).to_vec();
        header.extend(definitions.iter().map(|(name, definition)| marked(name, *definition)));
        header.push(STATE.to_owned());
        print(&write(&header));
        self.each_user(|user| {
            let mut cells: Vec<String> = names.iter().map(|name| cell(user, name)).collect();
            cells.push(state(user));
            print(&write(&cells));
        })
    }
}

/// The state of a user: the import reads it as disabled, or leaves admins out.
fn state(user: &User) -> String {
    let is_gone = user.gone_at.is_some();
    let words =
        [(user.role == Role::Admin, "admin"), (user.disabled && !is_gone, "disabled"), (is_gone, "gone")];
    let words: Vec<&str> = words.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word).collect();
    words.join(" ")
}

/// An attribute as the import reads it: a list and a number as JSON, which preserves every digit.
fn cell(user: &User, name: &str) -> String {
    match user.attributes.get(name) {
        Some(value @ (Value::List(_) | Value::Number(_))) => serde_json::to_string(value).unwrap_or_default(),
        Some(value) => value.as_text().unwrap_or_default(),
        None => String::new(),
    }
}
