//! The step `date`.

pub mod format;
mod read;
