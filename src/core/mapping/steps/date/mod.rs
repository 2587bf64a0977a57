//! `{"date": {"in": "%Y-%m-%d", "out": "%d.%m.%Y"}}`: a date in another format (`mapping.md` section 2).

mod format;
mod read;

use std::borrow::Cow;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use self::format::Format;
use super::kind::{Judge, Kind, Runs};
use crate::core::mapping::apply::reason::Why;
use crate::core::mapping::apply::trace::Doubt;
use crate::core::mapping::edit::word::Words;
use crate::core::mapping::read::finding::Place;
use crate::core::mapping::read::json::Node;
use crate::core::mapping::read::part::{Leaf, Two};

const NAMES: [&str; 2] = ["in", "out"];

/// The two formats of a date.
#[derive(Clone, Debug, PartialEq)]
pub struct Date(Two);

/// The same, ready to be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Formats {
    input: Format,
    output: Format,
}

impl Default for Date {
    fn default() -> Self {
        Self(Two::new(Leaf::default(), Leaf::default()))
    }
}

impl Kind for Date {
    const NAME: &'static str = "date";
    const LABEL: &'static str = "Rewrite a date";
    const DID: &'static str = "as a date";
    const FIELDS: &'static [&'static str] = &["date/in", "date/out"];
    type Run = Formats;

    fn read(node: &Node) -> Self {
        Self(Two::read(node, NAMES))
    }

    fn is_right(&self) -> bool {
        self.0.is_right()
    }

    fn judge(&self, judge: &mut Judge<'_>) -> Option<Formats> {
        self.0.judge(judge.found, &judge.value, NAMES, "an object with “in” and “out”")?;
        let input = read_format(judge, "in", &self.0.first, Format::to_read, READ_HELP);
        let output = read_format(judge, "out", &self.0.second, Format::to_write, WRITE_HELP);
        Some(Formats { input: input?, output: output? })
    }

    fn gives(&self, _: &Place) -> Vec<(Place, &Leaf)> {
        Vec::new()
    }

    fn say(&self, words: &mut Words) {
        words.plain(", a date read as ");
        words.value(self.0.first.as_str());
        words.plain(" and written as ");
        words.value(self.0.second.as_str());
    }

    fn begin() -> Self {
        Self(Two::new("%Y-%m-%d".into(), "%d.%m.%Y".into()))
    }

    fn field(&self, name: &str) -> Option<&Leaf> {
        match name {
            "date/in" => Some(&self.0.first),
            "date/out" => Some(&self.0.second),
            _ => None,
        }
    }

    fn typed(text: &dyn Fn(&str) -> String) -> Self {
        Self(Two::new(text("date/in").into(), text("date/out").into()))
    }
}

const READ_HELP: &str = "A format to read needs a year (%Y or %y), a month (%m, %b or %B) and a day (%d), \
     once each. It may have %H, or %I with %p, and %M, %S, %f, %z, and %* at the end. \
     Or it is only %s (Unix time). %% is a percent sign.";

const WRITE_HELP: &str = "A format to write needs at least one of %Y, %y, %m, %b, %B, %d, %H, %I, %p, %M \
     and %S. %% is a percent sign.";

fn read_format(
    judge: &mut Judge<'_>,
    name: &str,
    leaf: &Leaf,
    read: impl Fn(&str) -> Result<Format, String>,
    help: &str,
) -> Option<Format> {
    let place = judge.value.key(name, leaf.at());
    let text = leaf.text(judge.found, &place, "a date format in double quotes, such as “%Y-%m-%d”")?;
    match read(text) {
        Ok(format) => Some(format),
        Err(error) => {
            let message = format!("This is not a date format: {error}.");
            judge.found.error("bad_date", &place, message, help);
            None
        }
    }
}

impl Runs for Formats {
    fn turn<'a>(&'a self, text: Cow<'a, str>) -> Result<Cow<'a, str>, Why> {
        let date = self.input.read(&text).ok_or(Why::UnreadableDate)?;
        Ok(self.output.write(date).into())
    }

    /// A unix time of fewer than 8 digits is doubtful: it may be the day number of a spreadsheet.
    fn doubt(&self, text: &str) -> Option<Doubt> {
        let is_odd = self.input.is_unix() && text.len() < 8 && self.input.read(text).is_some();
        is_odd.then_some(Doubt::ShortUnixTime)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut object = out.serialize_map(Some(2))?;
        object.serialize_entry("in", &self.0.first)?;
        object.serialize_entry("out", &self.0.second)?;
        object.end()
    }
}
