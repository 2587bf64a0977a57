//! The smallest parts of a draft: a text, a list of texts, two texts in an object. Each holds what stands there, right
//! or wrong, and the byte where it begins, by which a finding and the field of an editor find each other.

use std::ops::{Deref, DerefMut};

use serde::{Serialize, Serializer};

use super::finding::{Findings, Place};
use super::json::{Json, Member, Node};
use super::located::{Located, blank_text, wrong_type};
use crate::core::attribute::is_blank;

/// Something, and the byte of the draft where it begins: 0 for what an editor made. Two are equal when what they hold is.
#[derive(Clone, Debug, Default)]
pub struct At<T> {
    /// Where it begins.
    pub at: usize,
    /// What stands there.
    pub value: T,
}

impl<T> At<T> {
    /// What a node holds.
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

/// A text as it was typed. Where something else stands, it is empty.
#[derive(Clone, Debug, Default)]
pub struct Leaf {
    at: usize,
    text: String,
    /// What stands there in place of a text.
    odd: Option<Json>,
}

impl Leaf {
    pub(crate) fn read(node: &Node) -> Self {
        match &node.json {
            Json::Text(text) => Self { at: node.at, text: text.clone(), odd: None },
            other => Self { at: node.at, text: String::new(), odd: Some(other.clone()) },
        }
    }

    /// A key of an object.
    pub(crate) fn at_key(member: &Member) -> Self {
        Self { at: member.at, text: member.key.clone(), odd: None }
    }

    /// The byte where it begins.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text, to be changed.
    pub fn text_mut(&mut self) -> &mut String {
        &mut self.text
    }

    pub(crate) fn is_text(&self) -> bool {
        self.odd.is_none()
    }

    /// The text; says so where something else stands.
    pub(crate) fn text(&self, found: &mut Findings, place: &Place, needed: &str) -> Option<&str> {
        match &self.odd {
            None => Some(&self.text),
            // The object that lacks it says so.
            Some(Json::Absent) => None,
            Some(odd) => {
                wrong_type(found, place, odd, needed);
                None
            }
        }
    }

    /// The text, trimmed, where there is something in it.
    pub(crate) fn filled(&self, found: &mut Findings, place: &Place) -> Option<String> {
        let text = self.text(found, place, "a text in double quotes")?;
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

/// A list of texts as it was typed.
#[derive(Clone, Debug, Default)]
pub struct Leaves {
    at: usize,
    /// The texts.
    pub list: Vec<Leaf>,
    /// What stands there in place of a list.
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

    /// The byte where it begins.
    pub fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn is_texts(&self) -> bool {
        self.odd.is_none() && self.list.iter().all(Leaf::is_text)
    }

    /// The texts with their places; says so where there is none, or something else.
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

    /// The texts with their places below that of the list.
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

/// An object with exactly two texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Two {
    pub first: Leaf,
    pub second: Leaf,
    /// What stands there, where it is no such object.
    odd: Odd,
}

/// The JSON of something that the grammar has no place for. Nothing equals it.
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

    /// Says what is wrong with the object as a whole; none where there is none.
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
