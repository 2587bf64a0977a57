//! What a file of users says. Reading the file and writing the users is `app::import`.

// What cells mean: values, yes and no, what stands for no value.
pub mod cells;

// The header: which attribute each column is.
pub mod columns;

// A map that keeps digests in place of keys.
pub mod digests;

// What is wrong in a file, summed up.
pub mod errors;

// Whom rows are about.
pub mod people;

/// Where something is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Place {
    /// The row; the one below the header is 1. The header itself is 0.
    pub row: usize,
    /// The line of the file where it is; the first is 1.
    pub line: usize,
    /// The column, where it is about one cell.
    pub column: Option<String>,
}

impl Place {
    /// The file as a whole, or its form at a line.
    pub fn of_file(line: usize) -> Self {
        Self { row: 0, line, column: None }
    }
}
