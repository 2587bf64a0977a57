//! Rows that are set aside: written to a separate file, which can be imported after it is corrected.

use std::io::{self, Write};

use super::dialect::Dialect;
use super::records::DataRow;
use super::{Action, Place, Row};
use crate::core::csv::{line_with, unguarded};
use crate::core::import::cells::REASON;
use crate::core::problem::Problem;

/// Where rows with errors go, if chosen.
pub(super) struct SetAside<'a> {
    file: Option<&'a mut dyn Write>,
    header: Vec<String>,
    /// The file is written like the imported one, so that the same program opens it.
    dialect: Dialect,
    /// The column in which the file has the reasons of an earlier import.
    reasons: Option<usize>,
    /// The lines of the report about the rows that were set aside.
    pub rows: Vec<Row>,
}

impl<'a> SetAside<'a> {
    /// Empty so far.
    pub fn new(file: Option<&'a mut dyn Write>, header: &[String], dialect: Dialect) -> Self {
        let header: Vec<String> =
            header.iter().map(|name| unguarded(name).unwrap_or(name).to_owned()).collect();
        let reasons = header.iter().position(|name| name.trim() == REASON);
        Self { file, header, dialect, reasons, rows: Vec::new() }
    }

    /// Whether rows are set aside at all.
    pub fn is_chosen(&self) -> bool {
        self.file.is_some()
    }

    /// Writes a row with its errors, on one line. `login` is the row's login, if it can be read.
    pub fn put(&mut self, row: DataRow, login: String, problems: &[Problem<Place>]) -> io::Result<()> {
        let say = |problem: &Problem<Place>| match &problem.place.column {
            Some(column) => format!("{column}: {}", problem.what),
            None => problem.what.clone(),
        };
        let reason = problems.iter().map(say).collect::<Vec<_>>().join(" ");
        let Some(file) = &mut self.file else { return Ok(()) };
        let write = |file: &mut dyn Write, mut cells: Vec<String>, last: &str| {
            self.reasons.filter(|place| *place < cells.len()).map(|place| cells.remove(place));
            cells.push(last.to_owned());
            file.write_all(line_with(self.dialect.common_separator(), &cells).as_bytes())
        };
        if self.rows.is_empty() {
            if self.dialect.has_mark() {
                file.write_all("\u{feff}".as_bytes())?;
            }
            write(file, self.header.clone(), REASON)?;
        }
        let at = (row.row, row.line);
        let mut cells = row.into_written();
        if let Some(surplus) = cells.get(self.header.len()..).filter(|surplus| !surplus.is_empty()) {
            // They cannot be columns; none of them is lost.
            let surplus = format!(",{}", surplus.join(","));
            cells.truncate(self.header.len());
            cells.last_mut().into_iter().for_each(|last| last.push_str(&surplus));
        }
        cells.resize(self.header.len(), String::new());
        write(file, cells, &reason)?;
        self.rows.push(Row {
            row: at.0,
            line: at.1,
            login,
            action: Action::SetAside,
            message: Some(reason),
            code: None,
            no_token: None,
        });
        Ok(())
    }
}
