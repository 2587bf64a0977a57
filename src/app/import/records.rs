//! The rows of a file, one at a time, as often as they are needed: the file is checked first and written
//! afterwards, and is never completely in memory.

use std::io::Read;

use super::dialect::Dialect;
use super::source::Source;
use super::{Options, Place};
use crate::core::csv::read::{Malformed, Reader, Record};
use crate::core::import::cells::{Cells, Reading, Tally, restore};
use crate::core::import::columns::Columns;
use crate::core::problem::Problem;

/// A file whose header was read.
pub(super) struct Table<'a> {
    source: Source<'a>,
    dialect: Dialect,
    header: Record,
}

/// A row of a file.
pub(super) struct DataRow {
    /// The row; the one below the header is 1. Empty rows are not counted.
    pub row: usize,
    /// The line on which it starts.
    pub line: usize,
    /// Its cells, as many as the header has; or why it cannot be read.
    pub fields: Result<Vec<String>, Malformed>,
    before: Before,
}

/// The original form of a row in the file.
enum Before {
    /// Cells whose values differ from how they are written, by position.
    Cells(Vec<(usize, String)>),
    /// The whole row.
    Whole(Vec<String>),
}

/// The rows of a file, in order.
pub(super) struct Records<'a> {
    reader: Reader<Box<dyn Read + 'a>>,
    cells: Cells,
    row: usize,
    bytes: u64,
}

impl<'a> Table<'a> {
    /// Determines the kind of the file and reads its header.
    pub fn of(source: Source<'a>) -> Result<Self, Problem<Place>> {
        let dialect = Dialect::of(source).map_err(|what| whole(&what))?;
        let mut reader = dialect.read(source).map_err(|error| whole(&unreadable(&error)))?;
        match reader.next() {
            Some(header) => Ok(Self { source, dialect, header }),
            None => Err(whole("The file is empty. The first line names the columns.")),
        }
    }

    /// The header.
    pub fn header(&self) -> &Record {
        &self.header
    }

    /// How the file is written.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// A sentence about a file with an unusual encoding or separator.
    pub fn note(&self) -> Option<String> {
        self.dialect.note()
    }

    /// The rows from the first one on.
    pub fn records(&self, columns: &Columns, options: &Options<'_>) -> Result<Records<'a>, Problem<Place>> {
        let mut reader = self.dialect.read(self.source).map_err(|error| whole(&unreadable(&error)))?;
        reader.next();
        let cells = Cells {
            columns: columns.uses.clone(),
            nothing: options.nothing.clone(),
            tally: Tally::default(),
            last: Tally::default(),
        };
        Ok(Records { reader, cells, row: 0, bytes: self.dialect.bytes(self.source) })
    }
}

impl Records<'_> {
    /// Approximately how many rows there are.
    pub fn expected(&self) -> usize {
        let read = self.reader.position().max(1);
        let rows = (self.row as u64).saturating_mul(self.bytes) / read;
        usize::try_from(rows).unwrap_or(usize::MAX).max(self.row)
    }

    /// The last row is set aside: what was noticed in it does not count.
    pub fn leave_out(&mut self) {
        self.cells.leave_out();
    }

    /// Sentences about what was noticed in the rows so far.
    pub fn notes(&mut self) -> Vec<String> {
        self.cells.settle();
        self.cells.tally.notes(&self.cells.columns)
    }
}

impl Iterator for Records<'_> {
    type Item = DataRow;

    fn next(&mut self) -> Option<DataRow> {
        loop {
            let Record { line, fields } = self.reader.next()?;
            let read = fields.map(|fields| self.cells.read(fields, line));
            let (fields, before) = match read {
                Ok(Reading::Nothing | Reading::Admin) => continue,
                Ok(Reading::Cells(fields, before)) => (Ok(fields), Before::Cells(before)),
                Ok(Reading::Malformed(malformed, written)) => (Err(malformed), Before::Whole(written)),
                Err(malformed) => {
                    let written = vec![malformed.text.clone()];
                    (Err(malformed), Before::Whole(written))
                }
            };
            self.row += 1;
            return Some(DataRow { row: self.row, line, fields, before });
        }
    }
}

impl DataRow {
    /// The cells; or what is wrong with the row's format.
    pub fn fields(&self, columns: &Columns) -> Result<&[String], Problem<Place>> {
        self.fields.as_deref().map_err(|malformed| {
            let column =
                malformed.field.and_then(|place| columns.uses.get(place)).map(|(name, _)| name.clone());
            let row = if malformed.is_end { 0 } else { self.row };
            Problem::new(Place { row, column, ..Place::of_file(malformed.line) }, malformed.what.clone())
        })
    }

    /// The row's cell for an attribute, if the row can be read.
    pub fn cell(&self, name: &str, columns: &Columns) -> Option<&str> {
        let place = columns.names.iter().position(|column| column.as_deref() == Some(name))?;
        self.fields.as_ref().ok()?.get(place).map(String::as_str)
    }

    /// The row as it is written in the file, to be written to another file; if it cannot be read, its line.
    pub fn into_written(self) -> Vec<String> {
        match (self.fields, self.before) {
            (Ok(mut fields), Before::Cells(before)) => {
                restore(&mut fields, before);
                fields
            }
            (_, Before::Whole(written)) => written,
            (Err(malformed), _) => vec![malformed.text],
        }
    }
}

fn unreadable(error: &std::io::Error) -> String {
    format!("The file cannot be read: {error}.")
}

/// An error of the whole file.
pub(super) fn whole(message: &str) -> Problem<Place> {
    Problem::new(Place::of_file(1), message.to_owned())
}
