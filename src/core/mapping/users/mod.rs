//! What a mapping produces for all users, and what it must produce for some users.

pub mod coverage;
pub mod effect;
pub mod expected;
pub mod survey;
