//! How far long work is, for a terminal.

/// How far it is: rows judged or written, of how many.
pub struct Progress {
    /// What is going on: "checking" or "writing".
    pub step: &'static str,
    /// Rows so far.
    pub done: usize,
    /// Rows in all; 0 while they are counted.
    pub total: usize,
}
