//! The mapping: what a site admin edits, and what it produces for a user (`mapping.md`).
//!
//! A draft is a string. [`check`] finds everything that is wrong with it at once. A draft without errors
//! is a [`Mapping`], and [`apply`] turns (mapping, user, settings) into a payload or a refusal, with a
//! trace. Page, API, command line and preview all use it, so they cannot differ. Nothing here uses the
//! time, a database or a key.
//!
//! The parts of the folder: `read` turns a draft's JSON into rules and finds what is wrong with it; `apply`
//! runs the rules on one user; `steps` contains what a rule can do with a value before it reaches the claim;
//! `edit` describes a rule in a sentence, compares two mappings and suggests rules; `users` checks what a
//! mapping produces for all users.

mod apply;
mod claim;
mod edit;
pub(crate) mod read;
pub(crate) mod steps;
mod text;
mod users;
mod version;

pub use apply::block::{BadEntry, BlockList};
pub use apply::mapping::{Mapping, Token};
pub use apply::outcome::{Outcome, Refusal, RefusalCode, Signing, Subject};
pub use apply::reason::Why;
pub use apply::run::{apply, describe, payload};
pub use apply::trace::{
    ClaimTrace, ConditionTrace, Doubt, Dropped, ReadTrace, RuleTrace, StepTrace, TextTrace, Trace,
};
pub use claim::Claim;
pub use edit::diff::{
    Difference, RowDifference, RowOutput, changes, compare, compare_rest, compare_tables, words,
};
pub use edit::sentence::sentence;
pub use edit::starter::{Sample as StarterSample, starters};
pub use edit::word::{Word, plain, title};
pub use read::check::{Checked, MAX_DRAFT_BYTES, MAX_RULES, check};
pub use read::finding::{Finding, Level};
pub use read::tree::{RuleEntry, Tree};
pub use steps::Step;
pub use text::Text;
pub use users::coverage::{Coverage, Lost, RuleCoverage};
pub use users::effect::{Effect, Sample, Tally};
pub use users::expected::Expected;
pub use users::survey::{Survey, Surveyed};
pub use version::{Draft, Version};
