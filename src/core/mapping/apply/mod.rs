//! Applies a mapping: what its rules produce for one user, and why.

pub mod block;
pub mod mapping;
pub mod outcome;
pub mod reason;
pub mod rule;
pub mod run;
pub mod run_rule;
pub mod trace;
pub mod value;
