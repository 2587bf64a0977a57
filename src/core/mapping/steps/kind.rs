//! What a kind of step has to say of itself. The list of kinds is in `mod.rs`; a kind that lacks one of these does not
//! compile.

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
    /// Whether it is written as its name alone, and needs nothing more.
    const IS_WORD: bool = false;
    /// Whether a value that decides who the user is may go through it.
    const KEEPS_IDENTIFIERS: bool = false;
    /// What an editor offers.
    const LABEL: &'static str;
    /// What it did to a value, before a colon.
    const DID: &'static str;
    /// The texts that an editor has a field for, each by its place below the step.
    const FIELDS: &'static [&'static str];

    /// What runs.
    type Run: Runs;

    /// Reads what stands under its name, whatever it is.
    fn read(node: &Node) -> Self;

    /// Whether it says all that was read.
    fn is_right(&self) -> bool;

    /// Finds everything that is wrong with it. What can run, if nothing is that keeps it from running.
    fn judge(&self, judge: &mut Judge<'_>) -> Option<Self::Run>;

    /// The texts that it gives as they are, each with its place below the step.
    fn gives(&self, place: &Place) -> Vec<(Place, &Leaf)>;

    /// Says it in a sentence, behind what was said.
    fn say(&self, words: &mut Words);

    /// One to begin with in an editor.
    fn begin() -> Self;

    /// One of the texts that an editor has fields for.
    fn field(&self, name: &str) -> Option<&Leaf>;

    /// The step as its fields have it, by `text`.
    fn typed(text: &dyn Fn(&str) -> String) -> Self;
}

/// Where a step stands while it is judged.
pub struct Judge<'a> {
    /// What was found.
    pub(crate) found: &'a mut Findings,
    /// The claim of its rule, if that can be told.
    pub(crate) claim: Option<&'a Claim>,
    /// The step.
    pub(crate) place: Place,
    /// What stands under its name.
    pub(crate) value: Place,
    /// Whether no step stands before it.
    pub(crate) is_first: bool,
    /// Whether the value comes from a text that is put together.
    pub(crate) after_text: bool,
}

/// A step that can run.
pub trait Runs {
    /// One text after the step.
    fn turn<'a>(&'a self, text: Cow<'a, str>) -> Result<Cow<'a, str>, Why>;

    /// The value after the step: of a list each item.
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

    /// What there is to doubt about a text that it reads, for a preview.
    fn doubt(&self, _: &str) -> Option<Doubt> {
        None
    }
}

/// A list of which each item is turned.
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
