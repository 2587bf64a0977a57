//! A draft as it is written, and what is found in it.

pub mod check;
pub mod finding;
pub mod form;
pub mod form_rule;
pub mod json;
mod read_step;
pub mod rules;
pub mod spot;
mod warnings;
