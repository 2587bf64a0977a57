//! The mapping: what a site admin edits, and what it makes of a user (`mapping.md`).
//!
//! A draft is a text. [`check`] finds everything that is wrong with it at once; a draft without
//! errors is a [`Mapping`], and [`apply`] turns (mapping, user, settings) into a payload or a
//! refusal, with a trace. Page, API, command line, preview and sync all go through it, so they
//! cannot differ. Nothing here knows the time, a database or a key.
//!
//! The way through the folder: `read` turns a draft's JSON into rules and finds what is wrong with it; `apply`
//! runs the rules on one user; `steps` has what a rule can do with a value on its way; `edit` says a rule in a
//! sentence, compares two mappings and suggests rules; `users` looks at what a mapping makes of all users.

mod apply;
mod claim;
mod edit;
mod read;
mod steps;
mod text;
mod users;
mod zone;

use serde::ser::{Serialize, SerializeMap, Serializer};

pub use apply::applied::{apply, payload};
pub use apply::block::{BadEntry, BlockList};
pub use apply::outcome::{Outcome, Refusal, RefusalCode, Signing, Subject};
pub use apply::rule::{Condition, Missing, Rule, Source, Test};
pub use apply::trace::{
    ClaimTrace, ConditionTrace, Doubt, Dropped, ReadTrace, RuleTrace, StepTrace, TextTrace, Trace,
};
pub use apply::why::Why;
pub use claim::Claim;
pub use edit::diff::{Difference, RowDifference, RowOutput, changes, compare, compare_rest, compare_tables};
pub use edit::sentence::{Word, said, sentence, title};
pub use edit::starter::{Sample as StarterSample, starters};
pub use read::check::{Checked, MAX_DRAFT_BYTES, MAX_RULES, check};
pub use read::finding::{Finding, Level};
pub use read::form::{Form, RuleEntry};
pub use read::form_rule::{
    ConditionForm, DateForm, DefaultForm, LookupForm, MissingForm, RuleForm, SourceForm, StepForm, TestForm,
    Yes, YesNoForm,
};
pub use steps::date::format::Date;
pub use steps::step::{Lookup, Otherwise, Step};
pub use text::Text;
pub use users::coverage::{Coverage, Lost, RuleCoverage};
pub use users::effect::{Effect, Sample, Tally};
pub use users::expected::Expected;
pub use users::survey::{Survey, Surveyed};

/// A mapping without errors, ready to be applied. Serialised it is the JSON of the grammar again.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    token: Token,
    rules: Vec<Rule>,
    /// The list claims that are sent even when they are empty, in the order of the draft.
    sent_empty: Vec<Claim>,
}

/// What of a mapping is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Token {
    /// Every claim.
    #[default]
    All,
    /// `deskpro_id` alone: the upfront pattern.
    Id,
}

impl Mapping {
    /// Reads a mapping that was published once: everything is judged but whether its attributes
    /// still exist. A rule whose attribute is gone yields missing (`mapping.md` 3.5).
    pub fn published(text: &str) -> Result<Mapping, Vec<Finding>> {
        read::check::published(text)
    }

    /// The rules, in order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What of the payload is signed.
    pub fn token(&self) -> Token {
        self.token
    }

    /// Every attribute that a rule names, each once, in the order of the rules.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        let mut known = std::collections::HashSet::new();
        self.rules.iter().flat_map(Rule::attributes).filter(move |name| known.insert(*name))
    }

    /// Whether a list claim is sent also when it is empty.
    pub fn sends_empty(&self, claim: &Claim) -> bool {
        self.sent_empty.contains(claim)
    }

    /// Whether a claim is part of the token.
    pub fn signs(&self, claim: &Claim) -> bool {
        self.token == Token::All || *claim == Claim::DeskproId
    }
}

impl Serialize for Mapping {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        struct SentEmpty<'a>(&'a [Claim]);
        impl Serialize for SentEmpty<'_> {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_map(self.0.iter().map(|claim| (claim, "send")))
            }
        }
        let mut object = out.serialize_map(None)?;
        if self.token == Token::Id {
            object.serialize_entry("token", "id")?;
        }
        object.serialize_entry("rules", &self.rules)?;
        if !self.sent_empty.is_empty() {
            object.serialize_entry("empty_lists", &SentEmpty(&self.sent_empty))?;
        }
        object.end()
    }
}
