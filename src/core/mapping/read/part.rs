//! The smallest parts of a draft: a string, a list of strings, two strings in an object. Each has what
//! was typed, valid or not, and the byte where it starts. That byte connects a finding with the field of
//! an editor.

use std::ops::{Deref, DerefMut};

use serde::{Serialize, Serializer};

use super::finding::{Findings, Place};
use super::json::{Json, Member, Node};
use super::located::{Located, blank_text, wrong_type};
use crate::core::attribute::is_blank;

/// A value, and the byte of the draft where it starts: 0 for a value that an editor made. Two are equal if
/// their values are equal.
#[derive(Clone, Debug, Default)]
pub struct At<T> {
    /// Where it starts.
    pub at: usize,
    /// The value.
    pub value: T,
}

impl<T> At<T> {
    /// The value of a node, with its place.
    pub(crate) fn node(node: &Node, value: T) -> Self {
        Self { at: node.at, value }
    }
}

impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T> From<T> for At<T> {
    fn from(value: T) -> Self {
        Self { at: 0, value }
    }
}

impl<T> Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for At<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: Serialize> Serialize for At<T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(out)
    }
}

/// A string as it was typed. If there is something else, it is empty.
#[derive(Clone, Debug, Default)]
pub struct Leaf {
    at: usize,
    text: String,
    /// The JSON that is there instead of a string.
    odd: Option<Json>,
}

impl Leaf {
    pub(crate) fn read(node: &Node) -> Self {
        match &node.json {
            Json::Text(text) => Self { at: node.at, text: text.clone(), odd: None },
            other => Self { at: node.at, text: String::new(), odd: Some(other.clone()) },
        }
    }

    /// The key of an object as a string.
    pub(crate) fn at_key(member: &Member) -> Self {
        Self { at: member.at, text: member.key.clone(), odd: None }
    }

    /// The byte where it starts.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The string.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The string, to be changed.
    pub fn text_mut(&mut self) -> &mut String {
        &mut self.text
    }

    pub(crate) fn is_text(&self) -> bool {
        self.odd.is_none()
    }

    /// The string; reports an error if there is something else.
    pub(crate) fn text(&self, found: &mut Findings, place: &Place, needed: &str) -> Option<&str> {
        match &self.odd {
            None => Some(&self.text),
            // The check of the object reports the missing key.
            Some(Json::Absent) => None,
            Some(odd) => {
                wrong_type(found, place, odd, needed);
                None
            }
        }
    }

    /// The string, trimmed; reports an error if it is blank.
    pub(crate) fn filled(&self, found: &mut Findings, place: &Place) -> Option<String> {
        let text = self.text(found, place, "a string in double quotes")?;
        if is_blank(text) {
            blank_text(found, place);
            return None;
        }
        Some(text.trim().to_owned())
    }
}

impl PartialEq for Leaf {
    fn eq(&self, other: &Self) -> bool {
        self.is_text() && other.is_text() && self.text == other.text
    }
}

impl From<&str> for Leaf {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Leaf {
    fn from(text: String) -> Self {
        Self { at: 0, text, odd: None }
    }
}

impl Serialize for Leaf {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.text)
    }
}

/// A list of strings as it was typed.
#[derive(Clone, Debug, Default)]
pub struct Leaves {
    at: usize,
    /// The strings.
    pub list: Vec<Leaf>,
    /// The JSON that is there instead of a list.
    odd: Option<Json>,
}

impl Leaves {
    pub(crate) fn read(node: &Node) -> Self {
        match &node.json {
            Json::List(items) => {
                Self { at: node.at, list: items.iter().map(Leaf::read).collect(), odd: None }
            }
            other => Self { at: node.at, list: Vec::new(), odd: Some(other.clone()) },
        }
    }

    /// The byte where it starts.
    pub fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn is_texts(&self) -> bool {
        self.odd.is_none() && self.list.iter().all(Leaf::is_text)
    }

    /// The strings with their places; reports an error if there are none, or if it is not a list.
    pub(crate) fn items(
        &self,
        found: &mut Findings,
        place: &Place,
        needed: &str,
    ) -> Option<impl Iterator<Item = (Place, &Leaf)> + use<'_>> {
        match &self.odd {
            Some(odd) => {
                wrong_type(found, place, odd, needed);
                None
            }
            None if self.list.is_empty() => {
                wrong_type(found, place, &Json::List(Vec::new()), needed);
                None
            }
            None => Some(self.places(place.clone())),
        }
    }

    /// The strings with their places below the place of the list.
    pub(crate) fn places(&self, place: Place) -> impl Iterator<Item = (Place, &Leaf)> {
        self.list.iter().enumerate().map(move |(i, leaf)| (place.item(i, leaf.at), leaf))
    }
}

impl PartialEq for Leaves {
    fn eq(&self, other: &Self) -> bool {
        self.odd.is_none() && other.odd.is_none() && self.list == other.list
    }
}

impl From<Vec<String>> for Leaves {
    fn from(texts: Vec<String>) -> Self {
        Self { at: 0, list: texts.into_iter().map(Leaf::from).collect(), odd: None }
    }
}

impl Serialize for Leaves {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.list.serialize(out)
    }
}

/// An object with exactly two strings.
#[derive(Clone, Debug, PartialEq)]
pub struct Two {
    pub first: Leaf,
    pub second: Leaf,
    /// The JSON, if it is not such an object.
    odd: Odd,
}

/// The JSON of something that is not in the grammar. It is not equal to anything.
#[derive(Clone, Debug, Default)]
pub struct Odd(pub Option<Box<Node>>);

impl Odd {
    pub fn of(node: &Node) -> Self {
        Self(Some(Box::new(node.clone())))
    }
}

impl PartialEq for Odd {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_none() && other.0.is_none()
    }
}

impl Two {
    pub fn new(first: Leaf, second: Leaf) -> Self {
        Self { first, second, odd: Odd(None) }
    }

    pub fn read(node: &Node, names: [&str; 2]) -> Self {
        let is_right = matches!(node.exactly(names), Some([Some(_), Some(_)]));
        let leaf = |name| node.get(name).map_or_else(|| Leaf::read(&Node::absent(node.at)), Leaf::read);
        let odd = Odd((!is_right).then(|| Box::new(node.clone())));
        Self { first: leaf(names[0]), second: leaf(names[1]), odd }
    }

    pub fn is_right(&self) -> bool {
        self.odd.0.is_none() && self.first.is_text() && self.second.is_text()
    }

    /// Reports what is wrong with the object as a whole. `None` if it is not an object.
    pub fn judge(&self, found: &mut Findings, place: &Place, names: [&str; 2], needed: &str) -> Option<()> {
        let Some(node) = &self.odd.0 else { return Some(()) };
        let place = &Place { at: node.at, ..place.clone() };
        let mut keys = Located::new(node, place).object(found, needed)?;
        let absent: Vec<&str> = names.into_iter().filter(|name| keys.take(name).is_none()).collect();
        keys.need(found, &absent);
        keys.no_others(found, &format!("“{}”, “{}”", names[0], names[1]));
        Some(())
    }
}
