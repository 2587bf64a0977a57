//! The header of a file: which column is which attribute.

use std::collections::HashMap;

use super::csv::Record;
use super::{Fault, Options};
use crate::core::attribute::{BUILT_IN, Definition, Definitions, MAX_ATTRIBUTES, is_blank, is_secret_name};

/// The columns of a file.
pub(super) struct Columns {
    /// Attribute names, in the order of the file; `None` is a column that cannot be taken in.
    pub names: Vec<Option<String>>,
    /// All custom attributes after the import: those that exist, and new ones as texts.
    pub definitions: Definitions,
    /// Those of them that do not exist yet.
    pub new: Vec<String>,
}

impl Columns {
    /// Whether a new user lacks a login: not where a cell or the column itself was refused.
    pub fn needs_login(&self, fields: &[String]) -> bool {
        match self.names.iter().position(|name| name.as_deref() == Some("login")) {
            Some(place) => fields.get(place).is_none_or(|text| is_blank(text)),
            None => self.names.iter().all(Option::is_some),
        }
    }
}

/// Reads the header, and says everything that is wrong with it. There are columns also where it has
/// faults, so that the rows can be judged at the same time; none where that would be idle.
pub(super) fn read(header: &Record, known: &Definitions, options: Options) -> (Option<Columns>, Vec<Fault>) {
    let fault =
        |column: Option<String>, message: String| Fault { column, ..Fault::of_file(header.line, message) };
    let fields = match &header.fields {
        Ok(fields) => fields,
        Err(malformed) => {
            let message = malformed.what.clone();
            return (None, vec![Fault::of_file(malformed.line, message)]);
        }
    };
    if fields.len() > MAX_ATTRIBUTES + BUILT_IN.len() {
        let message = format!(
            "The header names {} columns. {MAX_ATTRIBUTES} attributes beside the built-in ones are the most.",
            fields.len()
        );
        return (None, vec![fault(None, message)]);
    }
    if let [only] = fields.as_slice()
        && let Some((name, _)) = [("semicolons", ';'), ("tabs", '\t')]
            .into_iter()
            .find(|(_, separator)| only.matches(*separator).count() > 0)
    {
        let message = format!(
            "The columns are to be separated by commas, and this file has {name}. Save it with commas \
             (LibreOffice: 'Edit filter settings'; Excel takes the separator from the system's region)."
        );
        return (None, vec![fault(None, message)]);
    }
    let mut columns = Columns { names: Vec::new(), definitions: known.clone(), new: Vec::new() };
    let mut faults = Vec::new();
    let mut seen = HashMap::new();
    let mut is_keyed = false;
    for (index, field) in fields.iter().enumerate() {
        let name = field.trim();
        is_keyed |= ["login", "external_id", "email"].contains(&name.to_lowercase().as_str());
        let first = seen.get(&name.to_lowercase()).copied();
        let judged = match first {
            Some(first) if !name.is_empty() => Err(format!(
                "The header has this column twice: columns {} and {}. Remove one.",
                first + 1,
                index + 1
            )),
            _ => judge(name, &mut columns, options),
        };
        seen.entry(name.to_lowercase()).or_insert(index);
        columns.names.push(judged.is_ok().then(|| name.to_owned()));
        if let Err(message) = judged {
            let shown = if name.is_empty() { format!("column {}", index + 1) } else { name.to_owned() };
            faults.push(fault(Some(shown), message));
        }
    }
    if !is_keyed {
        let what = "The first line names no column 'login', 'external_id' or 'email', so nobody can be recognised. \
            Name the columns in the first line, separated by commas.";
        faults.push(fault(None, what.to_owned()));
        return (None, faults);
    }
    (Some(columns), faults)
}

/// Judges a column by its name; a new attribute is defined.
fn judge(name: &str, columns: &mut Columns, options: Options) -> Result<(), String> {
    if name.is_empty() {
        return Err("A column without a name. Name it, or remove the column.".into());
    }
    if is_secret_name(name) {
        return Err("Passwords, hashes and other secrets are no attributes. Remove the column.".into());
    }
    if name == "deskpro_id" && !options.deskpro_id {
        return Err(
            "This column decides whom Deskpro takes a user for. Allow it with --deskpro-id, or remove it."
                .into(),
        );
    }
    if let Some(other) = columns.definitions.spelled_otherwise(name) {
        return Err(format!(
            "There is an attribute '{other}' that differs by capitals alone. Use the same spelling."
        ));
    }
    if !BUILT_IN.contains(&name) && columns.definitions.get(name).is_none() {
        columns.definitions.define(name, Definition::default()).map_err(|what| format!("{what}."))?;
        columns.new.push(name.to_owned());
    }
    Ok(())
}
