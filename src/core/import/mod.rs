//! What a file of users means. `app::import` reads the file and writes the users.

// What cells mean: values, yes and no, words for "no value".
pub mod cells;

// The header: which attribute each column is.
pub mod columns;

// A map that stores digests instead of keys.
pub mod digests;

// A summary of what is wrong in a file.
pub mod errors;

// Which users rows are about.
pub mod people;

/// Where something is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Place {
    /// The row; the first row after the header is 1. The header itself is 0.
    pub row: usize,
    /// The line of the file; the first is 1.
    pub line: usize,
    /// The column, if the problem is in one cell.
    pub column: Option<String>,
}

impl Place {
    /// The file as a whole, or its format at a line.
    pub fn of_file(line: usize) -> Self {
        Self { row: 0, line, column: None }
    }
}
