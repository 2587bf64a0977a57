//! What each kind of step must define. The list of kinds is in `mod.rs`; a kind that lacks one of these
//! definitions does not compile.

use std::borrow::Cow;

use serde::Serialize;

use crate::core::mapping::apply::reason::Why;
use crate::core::mapping::apply::trace::{Doubt, Run};
use crate::core::mapping::apply::value::{Flow, clean, gather};
use crate::core::mapping::claim::Claim;
use crate::core::mapping::edit::word::Words;
use crate::core::mapping::read::finding::{Findings, Place};
use crate::core::mapping::read::json::Node;
use crate::core::mapping::read::part::Leaf;

/// A kind of step as a draft has it.
pub trait Kind: Clone + Default + PartialEq + Serialize {
    /// Its name in the grammar.
    const NAME: &'static str;
    /// Whether it is written only as its name, without options.
    const IS_WORD: bool = false;
    /// Whether it is allowed for a value that decides who the user is.
    const KEEPS_IDENTIFIERS: bool = false;
    /// Its label in an editor.
    const LABEL: &'static str;
    /// What it did to a value, as a label before a colon.
    const DID: &'static str;
    /// The strings that an editor has a field for, each by its place below the step.
    const FIELDS: &'static [&'static str];

    /// The step that can run.
    type Run: Runs;

    /// Reads the value of its name, whatever it is.
    fn read(node: &Node) -> Self;

    /// Whether it contains everything that was read.
    fn is_right(&self) -> bool;

    /// Finds everything that is wrong with it. Returns the step that can run, if no error prevents it.
    fn judge(&self, judge: &mut Judge<'_>) -> Option<Self::Run>;

    /// The strings that it writes unchanged, each with its place below the step.
    fn gives(&self, place: &Place) -> Vec<(Place, &Leaf)>;

    /// Describes it, as the continuation of a sentence.
    fn say(&self, words: &mut Words);

    /// A new step for an editor.
    fn begin() -> Self;

    /// One of the strings that an editor has fields for.
    fn field(&self, name: &str) -> Option<&Leaf>;

    /// The step from its fields, which `text` reads.
    fn typed(text: &dyn Fn(&str) -> String) -> Self;
}

/// The context of a step while it is checked.
pub struct Judge<'a> {
    /// What was found.
    pub(crate) found: &'a mut Findings,
    /// The claim of its rule, if that is known.
    pub(crate) claim: Option<&'a Claim>,
    /// The place of the step.
    pub(crate) place: Place,
    /// The place of the value of its name.
    pub(crate) value: Place,
    /// Whether it is the first step.
    pub(crate) is_first: bool,
    /// Whether the value comes from the source `text`.
    pub(crate) after_text: bool,
}

/// A step that can run.
pub trait Runs {
    /// One string after the step.
    fn turn<'a>(&'a self, text: Cow<'a, str>) -> Result<Cow<'a, str>, Why>;

    /// The value after the step. For a list, the step runs on each item.
    fn pass<'a>(&'a self, value: Flow<'a>, run: &mut Run) -> Result<Flow<'a>, Why> {
        match value {
            Flow::One(text) => {
                if !run.spend(text.len()) {
                    return Err(Why::TooMuchWork);
                }
                Ok(Flow::One(clean(self.turn(text)?)?))
            }
            Flow::List(items) => each(items, run, |text| self.turn(text)),
        }
    }

    /// What is doubtful about a string that it reads, for a preview.
    fn doubt(&self, _: &str) -> Option<Doubt> {
        None
    }
}

/// A list after `turn` ran on each of its items.
pub(super) fn each<'a>(
    items: Vec<Cow<'a, str>>,
    run: &mut Run,
    turn: impl Fn(Cow<'a, str>) -> Result<Cow<'a, str>, Why>,
) -> Result<Flow<'a>, Why> {
    let passed: Vec<_> = items
        .into_iter()
        .map(|text| {
            if run.spend(text.len()) {
                (text.clone(), turn(text).and_then(clean))
            } else {
                (text, Err(Why::TooMuchWork))
            }
        })
        .collect();
    gather(passed.into_iter(), |text, why| run.drop(text, why))
}
