//! How far long work is, for a terminal.

/// How far the work is: rows checked or written, of how many.
pub struct Progress {
    /// The current step: "checking" or "writing".
    pub step: &'static str,
    /// Rows so far.
    pub done: usize,
    /// All rows; 0 while they are being counted.
    pub total: usize,
}
