//! What an editor does with rules.

pub mod diff;
pub mod sentence;
pub mod starter;
