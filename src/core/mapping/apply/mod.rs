//! A mapping at work: what its rules make of one user, and how it came about.

pub mod block;
pub mod mapping;
pub mod outcome;
pub mod reason;
pub mod rule;
pub mod run;
pub mod run_rule;
pub mod trace;
pub mod value;
