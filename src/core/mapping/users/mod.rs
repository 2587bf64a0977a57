//! What a mapping makes of all users, and what it must make of some.

pub mod coverage;
pub mod effect;
pub mod expected;
pub mod survey;
