//! `"lower"` and `"upper"`: Unicode's full mapping to lowercase or uppercase, without a locale.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::kind::{Judge, Kind, Runs};
use crate::core::mapping::apply::reason::Why;
use crate::core::mapping::edit::word::Words;
use crate::core::mapping::read::finding::Place;
use crate::core::mapping::read::json::Node;
use crate::core::mapping::read::part::Leaf;

/// Lowercase letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lower;

/// Uppercase letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upper;

/// What the two have in common.
macro_rules! case {
    ($kind:ident, $name:literal, keeps: $keeps:literal, $label:literal, $did:literal, $said:literal, $turn:ident) => {
        impl Kind for $kind {
            const NAME: &'static str = $name;
            const IS_WORD: bool = true;
            const KEEPS_IDENTIFIERS: bool = $keeps;
            const LABEL: &'static str = $label;
            const DID: &'static str = $did;
            const FIELDS: &'static [&'static str] = &[];
            type Run = Self;

            fn read(_: &Node) -> Self {
                Self
            }
            fn is_right(&self) -> bool {
                true
            }
            fn judge(&self, _: &mut Judge<'_>) -> Option<Self> {
                Some(Self)
            }
            fn gives(&self, _: &Place) -> Vec<(Place, &Leaf)> {
                Vec::new()
            }
            fn say(&self, words: &mut Words) {
                words.plain($said);
            }
            fn begin() -> Self {
                Self
            }
            fn field(&self, _: &str) -> Option<&Leaf> {
                None
            }
            fn typed(_: &dyn Fn(&str) -> String) -> Self {
                Self
            }
        }

        impl Runs for $kind {
            fn turn<'a>(&'a self, text: Cow<'a, str>) -> Result<Cow<'a, str>, Why> {
                Ok(text.$turn().into())
            }
        }

        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_str($name)
            }
        }
    };
}

case!(
    Lower, "lower", keeps: true, "Lowercase letters", "in lowercase", ", in lowercase", to_lowercase
);
case!(Upper, "upper", keeps: false, "Uppercase letters", "in uppercase", ", in uppercase", to_uppercase);
