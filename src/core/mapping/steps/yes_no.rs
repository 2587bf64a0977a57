//! `{"yes_no": {"yes": "1", "no": "0"}}`: one string for yes, another for no.

use std::borrow::Cow;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::kind::{Judge, Kind, Runs};
use crate::core::attribute::read_yes_no;
use crate::core::mapping::apply::reason::Why;
use crate::core::mapping::edit::word::Words;
use crate::core::mapping::read::finding::Place;
use crate::core::mapping::read::json::Node;
use crate::core::mapping::read::part::{Leaf, Two};

const NAMES: [&str; 2] = ["yes", "no"];

/// What yes and no become.
#[derive(Clone, Debug, PartialEq)]
pub struct YesNo(Two);

/// The same, trimmed.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    yes: String,
    no: String,
}

impl Default for YesNo {
    fn default() -> Self {
        Self(Two::new(Leaf::default(), Leaf::default()))
    }
}

impl YesNo {
    /// What yes and no become, to be changed.
    pub(crate) fn both_mut(&mut self) -> [&mut Leaf; 2] {
        [&mut self.0.first, &mut self.0.second]
    }
}

impl Kind for YesNo {
    const NAME: &'static str = "yes_no";
    const LABEL: &'static str = "Rewrite yes and no";
    const DID: &'static str = "as yes or no";
    const FIELDS: &'static [&'static str] = &["yes_no/yes", "yes_no/no"];
    type Run = Answers;

    fn read(node: &Node) -> Self {
        Self(Two::read(node, NAMES))
    }

    fn is_right(&self) -> bool {
        self.0.is_right()
    }

    fn judge(&self, judge: &mut Judge<'_>) -> Option<Answers> {
        self.0.judge(judge.found, &judge.value, NAMES, "an object with “yes” and “no”")?;
        let Two { first: yes, second: no, .. } = &self.0;
        let yes = yes.filled(judge.found, &judge.value.key("yes", yes.at()));
        let no = no.filled(judge.found, &judge.value.key("no", no.at()));
        Some(Answers { yes: yes?, no: no? })
    }

    fn gives(&self, place: &Place) -> Vec<(Place, &Leaf)> {
        let Two { first: yes, second: no, .. } = &self.0;
        vec![(place.key("yes", yes.at()), yes), (place.key("no", no.at()), no)]
    }

    fn say(&self, words: &mut Words) {
        words.plain(", yes as ");
        words.value(self.0.first.as_str());
        words.plain(" and no as ");
        words.value(self.0.second.as_str());
    }

    fn begin() -> Self {
        Self(Two::new("1".into(), "0".into()))
    }

    fn field(&self, name: &str) -> Option<&Leaf> {
        match name {
            "yes_no/yes" => Some(&self.0.first),
            "yes_no/no" => Some(&self.0.second),
            _ => None,
        }
    }

    fn typed(text: &dyn Fn(&str) -> String) -> Self {
        Self(Two::new(text("yes_no/yes").into(), text("yes_no/no").into()))
    }
}

impl Runs for Answers {
    fn turn<'a>(&'a self, text: Cow<'a, str>) -> Result<Cow<'a, str>, Why> {
        match read_yes_no(&text) {
            Some(true) => Ok(self.yes.as_str().into()),
            Some(false) => Ok(self.no.as_str().into()),
            None => Err(Why::NeitherYesNorNo),
        }
    }
}

impl Serialize for YesNo {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut object = out.serialize_map(Some(2))?;
        object.serialize_entry("yes", &self.0.first)?;
        object.serialize_entry("no", &self.0.second)?;
        object.end()
    }
}
