//! What an editor shows about rules: a rule as a sentence, the differences between two mappings, and rules to
//! start with.

pub mod diff;
pub mod names;
pub mod sentence;
pub mod starter;
pub mod word;
