//! `{"lookup": {"values": {"gold": "7"}, "otherwise": "1"}}`: looks a value up in a table.
//! With `"keep": true` instead of `otherwise`, a value that is not in the table stays unchanged.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::kind::{Judge, Kind, Runs};
use crate::core::attribute::is_blank;
use crate::core::mapping::apply::reason::Why;
use crate::core::mapping::apply::value::compared;
use crate::core::mapping::edit::word::Words;
use crate::core::mapping::read::finding::{Findings, Place};
use crate::core::mapping::read::json::{Json, Member, Node};
use crate::core::mapping::read::located::{Located, blank_text, duplicate_key, wrong_type};
use crate::core::mapping::read::part::{At, Leaf, Odd};

/// A table, and what happens to a value that is not in it.
#[derive(Clone, Debug, Default)]
pub struct Lookup {
    /// The rows, in order; also two with the same key.
    pub rows: At<Vec<Row>>,
    /// What a value that is not in the table becomes.
    pub otherwise: Option<Leaf>,
    /// Whether such a value stays unchanged.
    pub keep: bool,
    at: usize,
    /// The JSON, if it is not such an object.
    odd: Odd,
}

impl PartialEq for Lookup {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
            && self.otherwise == other.otherwise
            && self.keep == other.keep
            && self.odd == other.odd
    }
}

/// A row of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// The value that is looked up.
    pub key: Leaf,
    /// What it becomes; `None` means that the value is missing.
    pub output: Option<Leaf>,
}

impl Row {
    /// A row that an editor made.
    pub fn new(key: impl Into<Leaf>, output: Option<String>) -> Self {
        Self { key: key.into(), output: output.map(Leaf::from) }
    }

    /// What it becomes.
    pub fn output(&self) -> Option<&str> {
        self.output.as_ref().map(Leaf::as_str)
    }
}

impl Lookup {
    /// A table with these rows.
    pub fn new(rows: Vec<Row>) -> Self {
        Self { rows: rows.into(), ..Self::default() }
    }

    fn read_rows(node: Option<&Node>) -> Option<At<Vec<Row>>> {
        let node = node?;
        let Json::Object(members) = &node.json else { return None };
        let row = |member: &Member| Row {
            key: Leaf::at_key(member),
            output: (!matches!(member.value.json, Json::Null)).then(|| Leaf::read(&member.value)),
        };
        Some(At::node(node, members.iter().map(row).collect()))
    }

    /// The rows of the table, with keys as they were written; `None` if something is wrong with it.
    fn judge_rows(&self, found: &mut Findings, place: &Place) -> Option<Vec<(String, Option<String>)>> {
        if self.rows.is_empty() {
            wrong_type(found, place, &Json::Object(Vec::new()), ROWS_NEEDED);
            return None;
        }
        let (mut written, mut known) = (HashSet::new(), HashSet::new());
        let mut table = Some(Vec::new());
        for Row { key, output } in &*self.rows {
            let text = key.as_str();
            // A second key with the same letters was found together with all other keys of the draft.
            if !written.insert(text) {
                continue;
            }
            let key_place = place.key(text, key.at());
            if !known.insert(compared(text.trim())) {
                duplicate_key(found, &key_place, text);
                table = None;
                continue;
            }
            let is_blank = is_blank(text);
            if is_blank {
                blank_text(found, &key_place);
            }
            let output = match output {
                None => Some(None),
                Some(output) => output.filled(found, &place.key(text, output.at())).map(Some),
            };
            let output = output.filter(|_| !is_blank);
            table = table.zip(output).map(|(mut table, output)| {
                table.push((text.to_owned(), output));
                table
            });
        }
        table
    }
}

const ROWS_NEEDED: &str = "an object with at least one key and its value";

impl Kind for Lookup {
    const NAME: &'static str = "lookup";
    const LABEL: &'static str = "Look up in a table";
    const DID: &'static str = "looked up";
    const FIELDS: &'static [&'static str] = &[];
    type Run = Table;

    fn read(node: &Node) -> Self {
        let rows = Self::read_rows(node.get("values"));
        let keep = node.get("keep").is_some_and(|keep| matches!(keep.json, Json::Bool(true)));
        let is_right = match node.exactly(["values", "otherwise", "keep"]) {
            Some([_, _, has_keep]) => rows.is_some() && has_keep.is_some() == keep,
            None => false,
        };
        Self {
            rows: rows.unwrap_or_default(),
            otherwise: node.get("otherwise").map(Leaf::read),
            keep,
            at: node.at,
            odd: Odd((!is_right).then(|| Box::new(node.clone()))),
        }
    }

    fn is_right(&self) -> bool {
        let is_text = |row: &Row| row.key.is_text() && row.output.as_ref().is_none_or(Leaf::is_text);
        self.odd.0.is_none()
            && self.rows.iter().all(is_text)
            && self.otherwise.as_ref().is_none_or(Leaf::is_text)
    }

    fn judge(&self, judge: &mut Judge<'_>) -> Option<Table> {
        judge.value.at = self.at;
        let mut rows_place = Some(judge.value.key("values", self.rows.at));
        let mut keep = self.keep.then_some(Some(Otherwise::Keep));
        if let Some(node) = &self.odd.0 {
            let mut keys = Located::new(node, &judge.value).object(judge.found, "an object with “values”")?;
            let (values, _) = (keys.take("values"), keys.take("otherwise"));
            let has_keep = keys.take("keep");
            if values.is_none() {
                keys.need(judge.found, &["values"]);
            }
            keys.no_others(judge.found, "“values”, “otherwise”, “keep”");
            let is_table =
                values.as_ref().is_some_and(|located| matches!(located.node.json, Json::Object(_)));
            if let Some(values) = values.filter(|_| !is_table) {
                values.wrong_type(judge.found, ROWS_NEEDED);
            }
            rows_place = rows_place.filter(|_| is_table);
            keep = has_keep.map(|located| located.only_true(judge.found).map(|()| Otherwise::Keep));
        }
        if self.otherwise.is_some() && keep.is_some() {
            let message = "“otherwise” and “keep” contradict each other.";
            judge.found.error("wrong_type", &judge.value, message, "Keep one of them.");
        }
        let values = rows_place.and_then(|place| self.judge_rows(judge.found, &place));
        let otherwise = self.otherwise.as_ref().map(|text| {
            text.filled(judge.found, &judge.value.key("otherwise", text.at())).map(Otherwise::Text)
        });
        let otherwise = match (otherwise, keep) {
            (None, None) => Some(Otherwise::Missing),
            (Some(one), None) | (None, Some(one)) => one,
            (Some(_), Some(_)) => None,
        };
        Some(Table::new(values?, otherwise?))
    }

    fn gives(&self, place: &Place) -> Vec<(Place, &Leaf)> {
        let (values, mut written) = (place.key("values", self.rows.at), HashSet::new());
        let rows = self.rows.iter().filter(|row| written.insert(row.key.as_str()));
        let outputs = rows.filter_map(|Row { key, output }| Some((key, output.as_ref()?)));
        let outputs = outputs.map(|(key, output)| (values.key(key.as_str(), output.at()), output));
        let otherwise = self.otherwise.iter().map(|text| (place.key("otherwise", text.at()), text));
        outputs.chain(otherwise).collect()
    }

    fn say(&self, words: &mut Words) {
        words.plain(", looked up: ");
        words.some(&self.rows, ", ", |words, row| {
            words.value(row.key.as_str());
            words.plain(" → ");
            match row.output() {
                Some(output) => words.value(output),
                None => words.plain("no value"),
            }
        });
        if let Some(text) = &self.otherwise {
            words.plain(", otherwise ");
            words.value(text.as_str());
        } else if self.keep {
            words.plain(", otherwise unchanged");
        }
    }

    fn begin() -> Self {
        Self::new(vec![Row::default()])
    }

    fn field(&self, _: &str) -> Option<&Leaf> {
        None
    }

    /// An editor has a table for this step, which reads its own fields.
    fn typed(_: &dyn Fn(&str) -> String) -> Self {
        Self::default()
    }
}

impl Serialize for Lookup {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        struct Rows<'a>(&'a [Row]);
        impl Serialize for Rows<'_> {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_map(self.0.iter().map(|row| (&row.key, &row.output)))
            }
        }
        let mut object = out.serialize_map(None)?;
        object.serialize_entry("values", &Rows(&self.rows))?;
        if let Some(otherwise) = &self.otherwise {
            object.serialize_entry("otherwise", otherwise)?;
        }
        if self.keep {
            object.serialize_entry("keep", &true)?;
        }
        object.end()
    }
}

/// A table that can be looked up.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Keys as they were written, with what they become, trimmed; in the order of the draft. `None` means
    /// that a value with this key is missing.
    values: Vec<(String, Option<String>)>,
    /// The place in `values` of each key, in the form that is compared.
    index: HashMap<String, usize>,
    otherwise: Otherwise,
}

/// What happens to a value that is not in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Otherwise {
    Missing,
    /// This string, trimmed.
    Text(String),
    Keep,
}

impl Table {
    /// Of keys that compare as equal, the first is used.
    fn new(values: Vec<(String, Option<String>)>, otherwise: Otherwise) -> Self {
        let mut index = HashMap::new();
        for (i, (key, _)) in values.iter().enumerate() {
            index.entry(compared(key.trim()).into_owned()).or_insert(i);
        }
        Self { values, index, otherwise }
    }

    /// Every key as it was written.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|(key, _)| key.as_str())
    }
}

impl Runs for Table {
    fn turn<'a>(&'a self, text: Cow<'a, str>) -> Result<Cow<'a, str>, Why> {
        let row = self.index.get(compared(&text).as_ref()).map(|&i| &self.values[i]);
        match (row, &self.otherwise) {
            (Some((_, Some(output))), _) => Ok(output.as_str().into()),
            (Some((_, None)), _) => Err(Why::EmptyOutput),
            (None, Otherwise::Text(otherwise)) => Ok(otherwise.as_str().into()),
            (None, Otherwise::Keep) => Ok(text),
            (None, Otherwise::Missing) => Err(Why::NotInTable),
        }
    }
}
