//! What an editor says of rules: in a sentence, what differs between two mappings, and which rules to begin with.

pub mod diff;
pub mod sentence;
pub mod starter;
pub mod word;
