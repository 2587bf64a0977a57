//! A draft as it is written, and the findings in it: `json` reads the text, `tree` and `rule` have its
//! parts, and `check` checks it and compiles the rules.

pub mod check;
pub mod finding;
pub mod json;
mod judge;
pub mod located;
pub mod part;
pub mod rule;
pub mod tree;
mod unknown;
mod warnings;
