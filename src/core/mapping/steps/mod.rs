//! Steps: what is done with a value between its source and its claim.

pub mod date;
pub mod step;
