//! Steps: what is done with a value between its source and its claim (`mapping.md` section 2).

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::core::attribute::read_yes_no;
use crate::core::mapping::apply::trace::{Doubt, Run};
use crate::core::mapping::apply::value::{Flow, clean, compared, gather};
use crate::core::mapping::apply::why::Why;
use crate::core::mapping::steps::date::format::Date;

/// One step. Each works on one text, or on every item of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Cuts a text at each of these separators into a list.
    Split(String),
    /// Unicode's full mapping to small letters, without a locale.
    Lower,
    /// Unicode's full mapping to capitals, without a locale.
    Upper,
    /// A date in another form.
    Date(Date),
    /// One text for yes, another for no, both trimmed.
    YesNo {
        /// What yes becomes.
        yes: String,
        /// What no becomes.
        no: String,
    },
    /// What a table says.
    Lookup(Lookup),
}

impl Step {
    /// The step's name in the grammar.
    pub fn name(&self) -> &'static str {
        match self {
            Step::Split(_) => "split",
            Step::Lower => "lower",
            Step::Upper => "upper",
            Step::Date(_) => "date",
            Step::YesNo { .. } => "yes_no",
            Step::Lookup(_) => "lookup",
        }
    }

    /// The value after this step.
    pub(crate) fn pass<'a>(&'a self, value: Flow<'a>, run: &mut Run) -> Result<Flow<'a>, Why> {
        let items = match (self, value) {
            (Step::Split(separator), Flow::One(text)) => pieces(&text, separator),
            (Step::Split(separator), Flow::List(items)) => {
                items.iter().flat_map(|text| pieces(text, separator)).collect()
            }
            (_, Flow::One(text)) => {
                if !run.spend(text.len()) {
                    return Err(Why::TooMuchWork);
                }
                return Ok(Flow::One(clean(self.turn(text)?)?));
            }
            (_, Flow::List(items)) => items,
        };
        let passed: Vec<_> = items
            .into_iter()
            .map(|text| {
                if run.spend(text.len()) {
                    (text.clone(), self.turn(text).and_then(clean))
                } else {
                    (text, Err(Why::TooMuchWork))
                }
            })
            .collect();
        gather(passed.into_iter(), |text, why| run.drop(text, why))
    }

    fn turn<'a>(&'a self, text: Cow<'a, str>) -> Result<Cow<'a, str>, Why> {
        match self {
            Step::Split(_) => Ok(text),
            Step::Lower => Ok(text.to_lowercase().into()),
            Step::Upper => Ok(text.to_uppercase().into()),
            Step::Date(date) => {
                let turned = date.turn(&text).ok_or(Why::UnreadableDate)?;
                Ok(turned.into())
            }
            Step::YesNo { yes, no } => match read_yes_no(&text) {
                Some(true) => Ok(yes.as_str().into()),
                Some(false) => Ok(no.as_str().into()),
                None => Err(Why::NeitherYesNorNo),
            },
            Step::Lookup(lookup) => match (lookup.row(&text), &lookup.otherwise) {
                (Some((_, Some(output))), _) => Ok(output.as_str().into()),
                (Some((_, None)), _) => Err(Why::EmptyOutput),
                (None, Otherwise::Text(otherwise)) => Ok(otherwise.as_str().into()),
                (None, Otherwise::Keep) => Ok(text),
                (None, Otherwise::Missing) => Err(Why::NotInTable),
            },
        }
    }
}

fn pieces<'a>(text: &str, separator: &str) -> Vec<Cow<'a, str>> {
    text.split(separator).map(|piece| Cow::Owned(piece.to_owned())).collect()
}

/// A table from one text to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    /// Keys as they were written, with what they become, trimmed; in the order of the draft. With
    /// none, a value with this key is missing.
    pub(crate) values: Vec<(String, Option<String>)>,
    /// Where a key, as it is compared, is in `values`.
    index: HashMap<String, usize>,
    /// What becomes of a value that is not in the table.
    pub otherwise: Otherwise,
}

/// What a lookup makes of a value that is not in its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// It is missing.
    Missing,
    /// This text, trimmed.
    Text(String),
    /// It stays.
    Keep,
}

impl Lookup {
    /// Of keys that are the same when they are compared, the first is used.
    pub(crate) fn new(values: Vec<(String, Option<String>)>, otherwise: Otherwise) -> Lookup {
        let mut index = HashMap::new();
        for (i, (key, _)) in values.iter().enumerate() {
            index.entry(compared(key.trim()).into_owned()).or_insert(i);
        }
        Lookup { values, index, otherwise }
    }

    /// Every key as it was written, with what it becomes.
    pub fn values(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.values.iter().map(|(key, output)| (key.as_str(), output.as_deref()))
    }

    fn row(&self, text: &str) -> Option<&(String, Option<String>)> {
        self.index.get(compared(text).as_ref()).map(|&i| &self.values[i])
    }
}

impl Serialize for Lookup {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        struct Values<'a>(&'a [(String, Option<String>)]);
        impl Serialize for Values<'_> {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_map(self.0.iter().map(|(key, output)| (key, output)))
            }
        }
        let mut object = out.serialize_map(None)?;
        object.serialize_entry("values", &Values(&self.values))?;
        match &self.otherwise {
            Otherwise::Missing => {}
            Otherwise::Text(text) => object.serialize_entry("otherwise", text)?,
            Otherwise::Keep => object.serialize_entry("keep", &true)?,
        }
        object.end()
    }
}

impl Step {
    /// What there is to doubt about what this step reads, for a preview.
    fn doubt(&self, value: &Flow<'_>) -> Option<Doubt> {
        let Step::Date(date) = self else { return None };
        let is_odd = match value {
            Flow::One(text) => date.doubts(text),
            Flow::List(items) => items.iter().any(|item| date.doubts(item)),
        };
        is_odd.then_some(Doubt::ShortUnixTime)
    }
}

/// The value after all steps, or why nothing is left of it.
pub(crate) fn run_all<'a>(steps: &'a [Step], mut value: Flow<'a>, run: &mut Run) -> Result<Flow<'a>, Why> {
    for step in steps {
        let doubt = step.doubt(&value).filter(|_| run.is_traced());
        let passed = step.pass(value, run);
        run.note_step(step, passed.as_ref().ok(), doubt);
        value = passed?;
    }
    Ok(value)
}
