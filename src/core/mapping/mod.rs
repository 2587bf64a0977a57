//! The mapping: what a site admin edits, and what it makes of a user (`mapping.md`).
//!
//! A draft is a text. [`check`] finds everything that is wrong with it at once; a draft without
//! errors is a [`Mapping`], and [`apply`] turns (mapping, user, settings) into a payload or a
//! refusal, with a trace. Page, API, command line, preview and sync all go through it, so they
//! cannot differ. Nothing here knows the time, a database or a key.
//!
//! The way through the folder: `draft` reads JSON, `read` and `read_step` make rules of it, `check`
//! judges what takes more than one rule to see, `warnings` and `survey` explain. `apply` runs the
//! rules, `give` one of them: `rule` (sources and conditions), `step`, `claim` (what each can
//! hold), `trace`. For the editor, `form` is a draft as it was typed, `words` says a rule in a
//! sentence, and `compare` what differs between two mappings.

mod apply;
mod block;
mod check;
mod claim;
mod compare;
mod coverage;
mod date;
mod date_read;
mod draft;
mod effect;
mod expected;
mod finding;
mod form;
mod form_rule;
mod give;
mod outcome;
mod read;
mod read_step;
mod rule;
mod spot;
mod starter;
mod step;
mod survey;
mod text;
mod trace;
mod value;
mod warnings;
mod why;
mod words;
mod zone;

use serde::ser::{Serialize, SerializeMap, Serializer};

pub use apply::{apply, payload};
pub use block::{BadEntry, BlockList};
pub use check::{Checked, MAX_DRAFT_BYTES, MAX_RULES, check};
pub use claim::Claim;
pub use compare::{Difference, RowDifference, RowOutput, changes, compare, compare_rest, compare_tables};
pub use coverage::{Coverage, Lost, RuleCoverage};
pub use date::Date;
pub use effect::{Effect, Sample, Tally};
pub use expected::Expected;
pub use finding::{Finding, Level};
pub use form::{Form, RuleEntry};
pub use form_rule::{
    ConditionForm, DateForm, DefaultForm, LookupForm, MissingForm, RuleForm, SourceForm, StepForm, TestForm,
    Yes, YesNoForm,
};
pub use outcome::{Outcome, Refusal, RefusalCode, Signing, Subject};
pub use rule::{Condition, Missing, Rule, Source, Test};
pub use starter::{Sample as StarterSample, starters};
pub use step::{Lookup, Otherwise, Step};
pub use survey::{Survey, Surveyed};
pub use text::Text;
pub use trace::{
    ClaimTrace, ConditionTrace, Doubt, Dropped, ReadTrace, RuleTrace, StepTrace, TextTrace, Trace,
};
pub use why::Why;
pub use words::{Word, said, sentence, title};

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
        check::published(text)
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
