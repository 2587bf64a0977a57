//! The report of an import: a line for each row, in the order of the file.

use std::collections::BTreeMap;

use super::{Row, Totals};

/// Passes on what happened to the rows. What is known about a row before its turn is kept until then.
pub(super) struct Report<R> {
    early: BTreeMap<usize, Row>,
    pass_on: R,
    /// How many rows there are of each action.
    pub totals: Totals,
    /// How many rows were written or skipped.
    pub done: usize,
}

impl<R: FnMut(Row)> Report<R> {
    /// A report that knows the rows that were set aside.
    pub fn new(set_aside: Vec<Row>, pass_on: R) -> Self {
        let totals = Totals { set_aside: set_aside.len(), ..Totals::default() };
        let early = set_aside.into_iter().map(|row| (row.row, row)).collect();
        Self { early, pass_on, totals, done: 0 }
    }

    /// A row that was written before its turn.
    pub fn early(&mut self, row: Row) {
        self.count(&row);
        self.early.insert(row.row, row);
    }

    /// The next row of the file that was written in its turn.
    pub fn next(&mut self, row: Row) {
        self.count(&row);
        while let Some(first) = self.early.first_entry().filter(|first| *first.key() < row.row) {
            (self.pass_on)(first.remove());
        }
        (self.pass_on)(row);
    }

    /// Whether it is known already what happened to a row.
    pub fn knows(&self, row: usize) -> bool {
        self.early.contains_key(&row)
    }

    fn count(&mut self, row: &Row) {
        self.totals.add(row.action);
        self.done += 1;
    }

    /// What is left when no more rows are written, because of the end of the file or an error.
    pub fn finish(self) -> Totals {
        self.early.into_values().for_each(self.pass_on);
        self.totals
    }
}
