//! A draft as it is written, and what is found in it: `json` reads the text, `tree` and `rule` hold what it says part by
//! part, `check` judges it and makes the rules that run.

pub mod check;
pub mod finding;
pub mod json;
mod judge;
pub mod located;
pub mod part;
pub mod rule;
pub mod tree;
mod warnings;
