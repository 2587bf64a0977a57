//! What a site says of its attributes, by name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::BUILT_IN;
use super::name::{MAX_ATTRIBUTES, NameFault, alike, check_name, check_spelling};
use crate::core::visible::likeness;

/// What kind of value a custom attribute is meant to have. It steers forms and exports; the
/// mapping reads whatever the value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A text.
    #[default]
    Text,
    /// Yes or no.
    YesNo,
    /// A number.
    Number,
    /// A flat list.
    List,
}

impl Kind {
    /// The words of the table and the command line, in the order of the kinds.
    pub const WORDS: [&str; 4] = ["text", "yes_no", "number", "list"];

    /// The word of a kind.
    pub fn as_str(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<Kind> {
        [Kind::Text, Kind::YesNo, Kind::Number, Kind::List].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What is said of an attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The kind of its values.
    pub kind: Kind,
    /// Whether users are found by it.
    pub searchable: bool,
    /// Whether the site's own system vouches that its values are the user's (`mapping.md` 1.6).
    pub proved: bool,
}

/// The custom attributes of a site, by name, and which built-in ones it calls proved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    custom: BTreeMap<String, Definition>,
    /// The custom names, by what names that look the same have in common. A site from before that was
    /// asked may have several.
    alike: HashMap<String, BTreeSet<String>>,
    proved: BTreeSet<&'static str>,
}

/// The built-in attributes that a site may call proved. An address is proved by `email_verified`,
/// and `deskpro_id` always is (`mapping.md` 3.3).
fn may_be_proved(name: &str) -> Option<&'static str> {
    let known = BUILT_IN.iter().find(|known| **known == name)?;
    (!matches!(*known, "email" | "email_verified" | "deskpro_id")).then_some(known)
}

impl Definitions {
    /// No custom attribute.
    pub fn new() -> Definitions {
        Definitions::default()
    }

    /// Defines an attribute, or changes what is said of the one with this exact name. A name that
    /// cannot be (`mapping.md` 1.1 and 1.5) is refused; of a built-in attribute nothing can be said
    /// but whether it is proved.
    pub fn define(&mut self, name: &str, definition: Definition) -> Result<(), NameFault> {
        if let Some(known) = may_be_proved(name) {
            if definition != (Definition { proved: definition.proved, ..Self::built_in(known) }) {
                return Err(NameFault::BuiltIn(name.to_owned()));
            }
            if definition.proved {
                self.proved.insert(known);
            } else {
                self.proved.remove(known);
            }
            return Ok(());
        }
        if !self.custom.contains_key(name) {
            if let Some(other) = self.spelled_otherwise(name) {
                return Err(alike(name, other));
            }
            check_name(name)?;
            if self.custom.len() >= MAX_ATTRIBUTES {
                return Err(NameFault::TooMany);
            }
        }
        self.restore(name, definition);
        Ok(())
    }

    /// Takes in what was defined before: a name that was judged then.
    pub fn restore(&mut self, name: &str, definition: Definition) {
        if let Some(known) = BUILT_IN.iter().find(|known| **known == name) {
            if definition.proved {
                self.proved.insert(known);
            }
            return;
        }
        self.alike.entry(likeness(name)).or_default().insert(name.to_owned());
        self.custom.insert(name.to_owned(), definition);
    }

    /// Takes a definition away, and with it the mark that its values are proved.
    pub fn remove(&mut self, name: &str) -> Option<Definition> {
        if let Some(names) = self.alike.get_mut(&likeness(name)) {
            names.remove(name);
        }
        self.custom.remove(name)
    }

    /// What is said of the custom attribute with this exact name.
    pub fn get(&self, name: &str) -> Option<&Definition> {
        self.custom.get(name)
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Definition)> {
        self.custom.iter().map(|(name, definition)| (name.as_str(), definition))
    }

    /// Whether an attribute of this exact name exists, custom or built in.
    pub fn knows(&self, name: &str) -> bool {
        BUILT_IN.contains(&name) || self.custom.contains_key(name)
    }

    /// Another existing name that looks the same as this one: the two differ by capitals, white space,
    /// characters that cannot be seen, or the Unicode form alone. None for the name of an attribute.
    pub fn spelled_otherwise(&self, name: &str) -> Option<&str> {
        if self.knows(name) { None } else { self.other_alike(name) }
    }

    /// The first other name that looks the same as this one.
    fn other_alike(&self, name: &str) -> Option<&str> {
        let likeness = likeness(name);
        let built_in = BUILT_IN.into_iter().find(|known| *known == likeness);
        let custom = self.alike.get(&likeness).into_iter().flatten().map(String::as_str);
        custom.chain(built_in).find(|known| *known != name)
    }

    /// The custom names that could not be made today, each with why: they are not in NFC, hold what
    /// cannot be seen, or look like another one. They were made before that was asked, and are
    /// compared as they are.
    pub fn odd_names(&self) -> Vec<(&str, NameFault)> {
        let judge = |name: &'_ str| {
            let other = self.other_alike(name);
            other.map(|other| alike(name, other)).or_else(|| check_spelling(name).err())
        };
        self.custom.keys().filter_map(|name| Some((name.as_str(), judge(name)?))).collect()
    }

    /// Whether whoever writes this attribute vouches for it.
    pub fn proved(&self, name: &str) -> bool {
        self.proved.contains(name) || self.get(name).is_some_and(|definition| definition.proved)
    }

    /// What is said of an attribute, custom or built in; `None` when there is none of this name.
    pub fn any(&self, name: &str) -> Option<Definition> {
        if BUILT_IN.contains(&name) {
            let built_in = Self::built_in(name);
            return Some(Definition { proved: built_in.proved || self.proved.contains(name), ..built_in });
        }
        self.get(name).copied()
    }

    /// What holds of a built-in attribute wherever nothing else is said.
    fn built_in(name: &str) -> Definition {
        Definition {
            kind: if name == "email_verified" { Kind::YesNo } else { Kind::Text },
            searchable: matches!(
                name,
                "login" | "external_id" | "email" | "display_name" | "first_name" | "last_name"
            ),
            proved: name == "deskpro_id",
        }
    }
}
