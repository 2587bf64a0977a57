//! Steps: what is done with a value between its source and its claim (`mapping.md` section 2). A new kind
//! needs its own file and a line in the list below; `lib.rs` says what else must know the kinds.

pub mod case;
pub mod date;
pub mod kind;
pub mod lookup;
pub mod split;
pub mod yes_no;

use serde::ser::{Error as _, SerializeMap as _};
use serde::{Serialize, Serializer};

use self::kind::{Judge, Kind, Runs};
use super::apply::reason::Why;
use super::apply::trace::{Doubt, Run};
use super::apply::value::Flow;
use super::claim::Claim;
use super::edit::word::Words;
use super::read::finding::{Findings, Place};
use super::read::json::{Json, Node};
use super::read::located::{Located, identifier_rule, only_one};
use super::read::part::Leaf;

/// What is known about a kind of step without an instance.
pub struct KindInfo {
    /// Its name in the grammar.
    pub name: &'static str,
    /// Its label in an editor.
    pub label: &'static str,
    /// The strings that an editor has a field for, each by its place below the step.
    pub fields: &'static [&'static str],
    /// Whether it is written only as its name.
    is_word: bool,
    /// Whether it is allowed for a value that decides who the user is.
    keeps_identifiers: bool,
}

/// Creates from a list of kinds: the steps of a draft, the steps that run, and the conversion between them.
macro_rules! steps {
    ($($(#[$doc:meta])* $kind:ident: $path:path,)*) => {
        /// One step as a draft has it. Each works on one string, or on every item of a list.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Step {
            $($(#[$doc])* $kind($path),)*
            /// Something that is not a step.
            Odd(OddStep),
        }

        /// One step that can run.
        #[derive(Clone, Debug, PartialEq)]
        pub enum CompiledStep {
            $($(#[$doc])* $kind(<$path as Kind>::Run),)*
        }

        impl Step {
            /// The kinds of steps.
            pub const KINDS: &'static [KindInfo] = &[$(KindInfo {
                name: <$path>::NAME,
                label: <$path>::LABEL,
                fields: <$path>::FIELDS,
                is_word: <$path>::IS_WORD,
                keeps_identifiers: <$path>::KEEPS_IDENTIFIERS,
            },)*];

            /// The step's name in the grammar.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => <$path>::NAME,)*
                    Self::Odd(_) => "",
                }
            }

            fn of(name: &str, node: &Node) -> Option<Self> {
                $(if name == <$path>::NAME {
                    return Some(Self::$kind(<$path>::read(node)));
                })*
                None
            }

            pub(crate) fn is_right(&self) -> bool {
                match self {
                    $(Self::$kind(step) => step.is_right(),)*
                    Self::Odd(_) => false,
                }
            }

            fn judge_value(&self, judge: &mut Judge<'_>) -> Option<CompiledStep> {
                match self {
                    $(Self::$kind(step) => step.judge(judge).map(CompiledStep::$kind),)*
                    Self::Odd(_) => None,
                }
            }

            /// The strings that it writes unchanged, each with its place.
            pub(crate) fn gives(&self, place: &Place) -> Vec<(Place, &Leaf)> {
                match self {
                    $(Self::$kind(step) => step.gives(&place.key(<$path>::NAME, place.at)),)*
                    Self::Odd(_) => Vec::new(),
                }
            }

            /// Describes it, as the continuation of a sentence.
            pub fn say(&self, words: &mut Words) {
                match self {
                    $(Self::$kind(step) => step.say(words),)*
                    Self::Odd(_) => {}
                }
            }

            /// A new step of a kind for an editor.
            pub fn begin(name: &str) -> Option<Self> {
                $(if name == <$path>::NAME {
                    return Some(Self::$kind(<$path>::begin()));
                })*
                None
            }

            /// One of the strings that an editor has fields for.
            pub fn field(&self, name: &str) -> Option<&Leaf> {
                match self {
                    $(Self::$kind(step) => step.field(name),)*
                    Self::Odd(_) => None,
                }
            }

            /// A step of a kind from its fields, which `text` reads.
            pub fn typed(name: &str, text: &dyn Fn(&str) -> String) -> Option<Self> {
                $(if name == <$path>::NAME {
                    return Some(Self::$kind(<$path>::typed(text)));
                })*
                None
            }
        }

        impl Serialize for Step {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$kind(step) => write(out, step),)*
                    Self::Odd(_) => Err(S::Error::custom("this is not a step")),
                }
            }
        }

        impl CompiledStep {
            /// Its name in the grammar, and what it did to a value.
            fn names(&self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$kind(_) => (<$path>::NAME, <$path>::DID),)*
                }
            }

            fn runs(&self) -> &dyn Runs {
                match self {
                    $(Self::$kind(step) => step,)*
                }
            }
        }
    };
}

steps! {
    /// Split at a separator.
    Split: split::Split,
    /// Lowercase letters.
    Lower: case::Lower,
    /// Uppercase letters.
    Upper: case::Upper,
    /// A date in another format.
    Date: date::Date,
    /// One string for yes, another for no.
    YesNo: yes_no::YesNo,
    /// Look up in a table.
    Lookup: lookup::Lookup,
}

/// The JSON of something that is not a step.
#[derive(Clone, Debug)]
pub struct OddStep(Box<Node>);

impl PartialEq for OddStep {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

fn write<K: Kind, S: Serializer>(out: S, step: &K) -> Result<S::Ok, S::Error> {
    if K::IS_WORD {
        return out.serialize_str(K::NAME);
    }
    let mut object = out.serialize_map(Some(1))?;
    object.serialize_entry(K::NAME, step)?;
    object.end()
}

/// The context of the steps of a rule.
#[derive(Clone, Copy)]
pub(crate) struct Standing<'a> {
    /// The claim of the rule, if that is known.
    pub claim: Option<&'a Claim>,
    /// Whether the value comes from the source `text`.
    pub after_text: bool,
}

impl Step {
    pub(crate) fn read(node: &Node) -> Self {
        let is_word = |name: &str| names(true).any(|word| word == name);
        let found = match &node.json {
            Json::Text(name) if is_word(name) => Self::of(name, node),
            _ => node
                .single()
                .filter(|(name, _)| !is_word(name))
                .and_then(|(name, value)| Self::of(name, value)),
        };
        found.unwrap_or_else(|| Self::Odd(OddStep(Box::new(node.clone()))))
    }

    /// Finds everything that is wrong with the step at a place, which has `i` steps before it. Returns
    /// the step that can run, if no error prevents it.
    pub(crate) fn judge(
        &self,
        found: &mut Findings,
        place: &Place,
        i: usize,
        standing: Standing<'_>,
    ) -> Option<CompiledStep> {
        let name = self.name();
        let Self::Odd(OddStep(node)) = self else {
            if !keeps_identifiers(name) {
                identifier_rule(found, standing.claim, place);
            }
            let Standing { claim, after_text } = standing;
            let (place, value) = (place.clone(), place.key(name, place.at));
            return self.judge_value(&mut Judge { found, claim, place, value, is_first: i == 0, after_text });
        };
        let located = Located::new(node, place);
        let mut keys = located.object(found, &needed())?;
        if names(false).any(|name| node.get(name).is_some() && !keeps_identifiers(name)) {
            identifier_rule(found, standing.claim, place);
        }
        let mut kinds = Vec::new();
        for name in names(false) {
            if let Some(step) = keys.take(name).and_then(|value| Self::of(name, value.node)) {
                kinds.push(step.judge(found, place, i, standing));
            }
        }
        only_one(found, &located, &keys, kinds, &listed(names(false), ", "))
    }
}

fn keeps_identifiers(name: &str) -> bool {
    Step::KINDS.iter().any(|kind| kind.name == name && kind.keeps_identifiers)
}

/// The names of the steps that are words, or of the others.
fn names(are_words: bool) -> impl Iterator<Item = &'static str> {
    Step::KINDS.iter().filter(move |kind| kind.is_word == are_words).map(|kind| kind.name)
}

/// Names in quotes. `last` is put before the last one.
fn listed(names: impl Iterator<Item = &'static str>, last: &str) -> String {
    let mut names: Vec<String> = names.map(|name| format!("“{name}”")).collect();
    let end = names.pop().unwrap_or_default();
    if names.is_empty() { end } else { format!("{}{last}{end}", names.join(", ")) }
}

fn needed() -> String {
    format!("{}, or an object with {}", listed(names(true), ", "), listed(names(false), " or "))
}

/// The value after all steps, or why there is no value.
pub(crate) fn run_all<'a>(
    steps: &'a [CompiledStep],
    mut value: Flow<'a>,
    run: &mut Run,
) -> Result<Flow<'a>, Why> {
    for step in steps {
        let (name, did) = step.names();
        let doubt = if run.is_traced() { step.doubt(&value) } else { None };
        let passed = step.runs().pass(value, run);
        run.note_step(name, did, passed.as_ref().ok(), doubt);
        value = passed?;
    }
    Ok(value)
}

impl CompiledStep {
    /// The value after this step, or why there is no value.
    pub(crate) fn pass<'a>(&'a self, value: Flow<'a>, run: &mut Run) -> Result<Flow<'a>, Why> {
        self.runs().pass(value, run)
    }

    /// What is doubtful about a value that it reads, for a preview.
    fn doubt(&self, value: &Flow<'_>) -> Option<Doubt> {
        match value {
            Flow::One(text) => self.runs().doubt(text),
            Flow::List(items) => items.iter().find_map(|item| self.runs().doubt(item)),
        }
    }
}
