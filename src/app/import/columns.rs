//! The header of a file: which column is which attribute.

use std::collections::HashMap;

use super::csv::Record;
use super::{Fault, Options};
use crate::core::attribute::{BUILT_IN, Definition, Definitions, is_secret_name};

/// The columns of a file.
pub(super) struct Columns {
    /// Attribute names, in the order of the file.
    pub names: Vec<String>,
    /// All custom attributes after the import: those that exist, and new ones as texts.
    pub definitions: Definitions,
    /// Those of them that do not exist yet.
    pub new: Vec<String>,
}

impl Columns {
    /// Where an attribute stands.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }
}

/// Reads the header, or says everything that is wrong with it.
pub(super) fn read(header: &Record, known: &Definitions, options: Options) -> Result<Columns, Vec<Fault>> {
    let fault = |column: Option<&str>, message: String| Fault {
        row: 0,
        line: header.line,
        column: column.map(str::to_owned),
        message,
    };
    let fields = match &header.fields {
        Ok(fields) => fields,
        Err(malformed) => {
            return Err(vec![Fault {
                row: 0,
                line: malformed.line,
                column: None,
                message: malformed.what.into(),
            }]);
        }
    };
    let mut columns = Columns { names: Vec::new(), definitions: known.clone(), new: Vec::new() };
    let mut faults = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (index, field) in fields.iter().enumerate() {
        let name = field.trim();
        let shown = if name.is_empty() { format!("column {}", index + 1) } else { name.to_owned() };
        if let Some(first) = seen.insert(name.to_lowercase(), index) {
            let what = format!(
                "The header has this column twice: columns {} and {}. Remove one.",
                first + 1,
                index + 1
            );
            faults.push(fault(Some(&shown), what));
        } else if name.is_empty() {
            faults
                .push(fault(Some(&shown), "A column without a name. Name it, or remove the column.".into()));
        } else if is_secret_name(name) {
            let what = "Passwords, hashes and other secrets are no attributes. Remove the column.".to_owned();
            faults.push(fault(Some(&shown), what));
        } else if name == "deskpro_id" && !options.deskpro_id {
            let what = "This column decides whom Deskpro takes a user for. Allow it with --deskpro-id, or remove it.";
            faults.push(fault(Some(&shown), what.to_owned()));
        } else if let Some(other) = columns.definitions.spelled_otherwise(name).map(str::to_owned) {
            let what = format!(
                "There is an attribute '{other}' that differs by capitals alone. Use the same spelling."
            );
            faults.push(fault(Some(&shown), what));
        } else if !BUILT_IN.contains(&name) && columns.definitions.get(name).is_none() {
            match columns.definitions.define(name, Definition::default()) {
                Ok(()) => columns.new.push(name.to_owned()),
                Err(what) => faults.push(fault(Some(&shown), format!("{what}."))),
            }
        }
        columns.names.push(name.to_owned());
    }
    if !["login", "external_id", "email"].iter().any(|key| columns.position(key).is_some()) {
        let what = "The first line names no column 'login', 'external_id' or 'email', so nobody can be recognised. \
            Name the columns in the first line, separated by commas.";
        faults.push(fault(None, what.to_owned()));
    }
    if faults.is_empty() { Ok(columns) } else { Err(faults) }
}
