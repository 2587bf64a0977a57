//! `{"split": ","}`: splits a string at a separator into a list.

use std::borrow::Cow;

use serde::Serialize;

use super::kind::{Judge, Kind, Runs, each};
use crate::core::mapping::apply::reason::Why;
use crate::core::mapping::apply::trace::Run;
use crate::core::mapping::apply::value::Flow;
use crate::core::mapping::claim::Claim;
use crate::core::mapping::edit::word::Words;
use crate::core::mapping::read::finding::Place;
use crate::core::mapping::read::json::{Json, Node};
use crate::core::mapping::read::located::wrong_type;
use crate::core::mapping::read::part::Leaf;

/// The step, with its separator.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Split(pub Leaf);

/// The separator.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut(String);

impl Kind for Split {
    const NAME: &'static str = "split";
    const KEEPS_IDENTIFIERS: bool = true;
    const LABEL: &'static str = "Split into a list";
    const DID: &'static str = "split";
    const FIELDS: &'static [&'static str] = &["split"];
    type Run = Cut;

    fn read(node: &Node) -> Self {
        Self(Leaf::read(node))
    }

    fn is_right(&self) -> bool {
        self.0.is_text()
    }

    /// A split that is not allowed here, or that splits addresses at an unusual separator, is reported
    /// only as `bad_split`, whatever its separator is.
    fn judge(&self, judge: &mut Judge<'_>) -> Option<Cut> {
        if let Some((message, help)) = self.bad(judge) {
            judge.found.error("bad_split", &judge.place, message, help);
            return None;
        }
        let place = judge.value.at(self.0.at());
        let separator = self.0.text(judge.found, &place, "a separator in double quotes")?;
        if separator.is_empty() {
            let json = Json::Text(String::new());
            wrong_type(judge.found, &place, &json, "a separator, such as “,”");
            return None;
        }
        Some(Cut(separator.to_owned()))
    }

    fn gives(&self, _: &Place) -> Vec<(Place, &Leaf)> {
        Vec::new()
    }

    fn say(&self, words: &mut Words) {
        words.plain(", split at ");
        words.value(match self.0.as_str() {
            " " => "space",
            "\n" | "\r\n" => "line break",
            other => other,
        });
    }

    fn begin() -> Self {
        Self(",".into())
    }

    fn field(&self, name: &str) -> Option<&Leaf> {
        (name == "split").then_some(&self.0)
    }

    fn typed(text: &dyn Fn(&str) -> String) -> Self {
        Self(text("split").into())
    }
}

impl Split {
    /// Why it is not allowed here, and what to do.
    fn bad(&self, judge: &Judge<'_>) -> Option<(&'static str, &'static str)> {
        const OF_ADDRESSES: [&str; 6] = [",", ";", "|", " ", "\n", "\r\n"];
        let is_odd = self.0.is_text() && !OF_ADDRESSES.contains(&self.0.as_str());
        if judge.claim.is_some_and(|claim| !claim.is_list()) {
            Some(("This claim takes one value, so there is nothing to split.", "Remove the step."))
        } else if !judge.is_first {
            Some(("“split” comes after another step.", "Make it the first step."))
        } else if judge.after_text {
            let message = "The step would also split what users write into the text.";
            Some((message, "Remove the step, or use an attribute instead of the text."))
        } else if judge.claim == Some(&Claim::Emails) && is_odd {
            let help = "Split at a comma, semicolon, vertical bar, space or line break.";
            Some(("Addresses cannot be split at this separator.", help))
        } else {
            None
        }
    }
}

impl Runs for Cut {
    fn turn<'a>(&'a self, text: Cow<'a, str>) -> Result<Cow<'a, str>, Why> {
        Ok(text)
    }

    /// One string also becomes a list.
    fn pass<'a>(&'a self, value: Flow<'a>, run: &mut Run) -> Result<Flow<'a>, Why> {
        let texts = match value {
            Flow::One(text) => vec![text],
            Flow::List(items) => items,
        };
        let pieces = texts.iter().flat_map(|text| text.split(self.0.as_str()));
        let pieces = pieces.map(|piece| Cow::Owned(piece.to_owned())).collect();
        each(pieces, run, Ok)
    }
}
