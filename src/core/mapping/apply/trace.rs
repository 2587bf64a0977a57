//! What every rule did on the way to the payload (`mapping.md` section 5), and the limit on what one
//! application of a mapping may cost.

use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

use crate::core::mapping::apply::reason::Why;
use crate::core::mapping::apply::value::Flow;
use crate::core::mapping::claim::Claim;
use crate::core::mapping::text::Text;
use crate::core::payload::Texts;

/// How a mapping produced its payload: each claim that has a rule, in the order of the rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Trace {
    /// The claims.
    pub claims: Vec<ClaimTrace>,
}

/// How one claim got its value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimTrace {
    /// The claim.
    pub claim: Claim,
    /// The value from its rules; an empty list if the mapping sends that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Texts>,
    /// Why the claim is not in the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<Why>,
    /// Items that were left out after all rules had run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Dropped>,
    /// Its rules, in order.
    pub rules: Vec<RuleTrace>,
}

/// What one rule did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RuleTrace {
    /// Which rule of the mapping it is, counted from 0.
    pub rule: usize,
    /// The result of its condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<ConditionTrace>,
    /// What it read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<ReadTrace>,
    /// The value after each step, until there was no value left.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepTrace>,
    /// The values and items that were left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Dropped>,
    /// Why its source produced no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nothing: Option<Why>,
    /// Whether the default was used instead.
    pub default: bool,
    /// What it added to its claim.
    pub gave: Vec<String>,
}

/// The result of a condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConditionTrace {
    /// The attribute that was checked.
    pub attribute: String,
    /// Its value.
    pub value: Option<Texts>,
    /// Whether the rule applies.
    pub holds: bool,
}

/// What a rule read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ReadTrace {
    /// `attribute`, `constant` or `text`.
    pub from: &'static str,
    /// The attribute, if one is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// The texts that were tried; if one was used, it is the last one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<TextTrace>,
    /// The value, before any step.
    pub value: Option<Texts>,
}

/// A string with parts that was tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TextTrace {
    /// The text, with its parts.
    pub text: String,
    /// The attribute from which each part came.
    pub parts: Vec<String>,
    /// Why it was not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_taken: Option<Why>,
}

/// The value after a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepTrace {
    /// The step's name.
    pub step: &'static str,
    /// What it did, in a few words.
    #[serde(skip)]
    pub did: &'static str,
    /// The value; `None` if there was no value left.
    pub value: Option<Texts>,
    /// Why what it read may be wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
}

/// A reason to check what a step read. Serialised as `{"code", "message"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A Unix time of fewer than 8 digits.
    ShortUnixTime,
}

impl Doubt {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Doubt::ShortUnixTime => "short_unix_time",
        }
    }

    /// What is unusual, in a sentence.
    pub fn message(self) -> &'static str {
        match self {
            Doubt::ShortUnixTime => {
                "This Unix time has fewer than 8 digits, so it may be the day number of a spreadsheet."
            }
        }
    }
}

impl Serialize for Doubt {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut doubt = out.serialize_struct("Doubt", 2)?;
        doubt.serialize_field("code", self.code())?;
        doubt.serialize_field("message", self.message())?;
        doubt.end()
    }
}

/// A value or item that was left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dropped {
    /// What it was.
    pub value: String,
    /// Why.
    #[serde(flatten)]
    pub why: Why,
}

/// The state of one application of a mapping: the trace of the rule that is running, if the caller wants a
/// trace, and how much steps may still write.
///
/// A draft of 200,000 bytes has room for tens of thousands of steps over a list of 64 KiB, which would take
/// minutes and gigabytes. The limit is far above what a readable mapping needs. A value beyond the limit is
/// missing, like every value that is too long.
pub struct Run {
    rule: Option<RuleTrace>,
    work: usize,
}

/// How many bytes all steps of one application may write; each item is counted with 16 more bytes.
const MAX_WORK: usize = 16 * 1024 * 1024;

impl Run {
    pub fn traced() -> Run {
        Run { rule: Some(RuleTrace::default()), work: MAX_WORK }
    }

    pub fn untraced() -> Run {
        Run { rule: None, work: MAX_WORK }
    }

    /// Starts the trace of a rule.
    pub fn begin(&mut self, rule: usize) {
        self.note(|trace| *trace = RuleTrace { rule, ..RuleTrace::default() });
    }

    /// Ends the trace of the rule and returns it.
    pub fn end(&mut self) -> RuleTrace {
        self.rule.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Writes into the trace, if there is one.
    pub fn note(&mut self, write: impl FnOnce(&mut RuleTrace)) {
        if let Some(trace) = &mut self.rule {
            write(trace);
        }
    }

    pub fn note_read(&mut self, from: &'static str, attribute: Option<&String>) {
        self.note(|trace| {
            let attribute = attribute.cloned();
            trace.read = Some(ReadTrace { from, attribute, ..ReadTrace::default() });
        });
    }

    pub fn note_text(&mut self, text: &Text, parts: &[&str], not_taken: Option<Why>) {
        self.note(|trace| {
            let text = text.written().to_owned();
            let parts = parts.iter().map(ToString::to_string).collect();
            let read = trace.read.get_or_insert_default();
            read.texts.push(TextTrace { text, parts, not_taken });
        });
    }

    pub fn note_value(&mut self, value: Option<&Flow<'_>>) {
        self.note(|trace| {
            trace.read.get_or_insert_default().value = value.map(Flow::shown);
        });
    }

    /// Whether the caller wants the trace.
    pub fn is_traced(&self) -> bool {
        self.rule.is_some()
    }

    pub fn note_step(
        &mut self,
        step: &'static str,
        did: &'static str,
        value: Option<&Flow<'_>>,
        doubt: Option<Doubt>,
    ) {
        self.note(|trace| {
            let value = value.map(Flow::shown);
            trace.steps.push(StepTrace { step, did, value, doubt });
        });
    }

    pub fn drop(&mut self, value: &str, why: Why) {
        self.note(|trace| {
            let value = value.to_owned();
            trace.dropped.push(Dropped { value, why });
        });
    }

    /// Whether this many more bytes may be written; counts them.
    pub fn spend(&mut self, bytes: usize) -> bool {
        let cost = bytes + 16;
        let is_affordable = cost <= self.work;
        self.work = self.work.saturating_sub(cost);
        is_affordable
    }
}
