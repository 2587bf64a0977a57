//! A mapping at work: what its rules make of one user, and how it came about.

pub mod applied;
pub mod block;
pub mod give;
pub mod mapping;
pub mod outcome;
pub mod rule;
pub mod trace;
pub mod value;
pub mod why;
