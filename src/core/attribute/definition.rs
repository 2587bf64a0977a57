//! The settings of a site's attributes, by name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::BUILT_IN;
use super::name::{MAX_ATTRIBUTES, NameError, alike, check_name, check_spelling};
use crate::core::visible::likeness;

/// The intended type of a custom attribute's values. It controls forms and exports; the mapping reads
/// any value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A string.
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
    /// The words in the table and on the command line, in the order of the kinds.
    pub const WORDS: [&str; 4] = ["text", "yes_no", "number", "list"];

    /// The word of a kind.
    pub fn as_str(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// The kind that a word means.
    pub fn parse(word: &str) -> Option<Kind> {
        [Kind::Text, Kind::YesNo, Kind::Number, Kind::List].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// The settings of an attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The kind of its values.
    pub kind: Kind,
    /// Whether a search finds users by it.
    pub searchable: bool,
    /// Whether it is trusted (`proved` in the API): the site's own system vouches that its values belong to
    /// the user (`mapping.md` 1.6).
    pub proved: bool,
}

/// The custom attributes of a site, by name, and which built-in ones it marks as trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    custom: BTreeMap<String, Definition>,
    /// The custom names, by the form that is equal for names that look the same. A site that is older than
    /// this check may have several such names.
    alike: HashMap<String, BTreeSet<String>>,
    proved: BTreeSet<&'static str>,
}

/// The built-in attributes that a site may mark as trusted. `email_verified` says whether an address is
/// verified, and `deskpro_id` is always trusted (`mapping.md` 3.3).
fn may_be_proved(name: &str) -> Option<&'static str> {
    let known = BUILT_IN.iter().find(|known| **known == name)?;
    (!matches!(*known, "email" | "email_verified" | "deskpro_id")).then_some(known)
}

impl Definitions {
    /// Without custom attributes.
    pub fn new() -> Definitions {
        Definitions::default()
    }

    /// Defines an attribute, or changes the settings of the attribute with this exact name. A name that
    /// is not allowed (`mapping.md` 1.1 and 1.5) is refused. For a built-in attribute, only whether it is
    /// trusted can be set.
    pub fn define(&mut self, name: &str, definition: Definition) -> Result<(), NameError> {
        if let Some(known) = may_be_proved(name) {
            if definition != (Definition { proved: definition.proved, ..Self::built_in(known) }) {
                return Err(NameError::BuiltIn(name.to_owned()));
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
                return Err(NameError::TooMany);
            }
        }
        self.restore(name, definition);
        Ok(())
    }

    /// Adds a definition from before, whose name was checked then.
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

    /// Removes a definition, and with it the mark that its values are trusted.
    pub fn remove(&mut self, name: &str) -> Option<Definition> {
        if let Some(names) = self.alike.get_mut(&likeness(name)) {
            names.remove(name);
        }
        self.custom.remove(name)
    }

    /// The settings of the custom attribute with this exact name.
    pub fn get(&self, name: &str) -> Option<&Definition> {
        self.custom.get(name)
    }

    /// All custom attributes, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Definition)> {
        self.custom.iter().map(|(name, definition)| (name.as_str(), definition))
    }

    /// Whether an attribute of this exact name exists, custom or built in.
    pub fn knows(&self, name: &str) -> bool {
        BUILT_IN.contains(&name) || self.custom.contains_key(name)
    }

    /// Another existing name that looks the same as this one: the two differ only by uppercase and
    /// lowercase, white space, invisible characters, or the Unicode form. `None` for the name of an
    /// attribute.
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

    /// The custom names that would be refused today, each with the reason: they are not in NFC, contain
    /// invisible characters, or look like another name. They are older than these checks, and are
    /// compared as they are.
    pub fn odd_names(&self) -> Vec<(&str, NameError)> {
        let judge = |name: &'_ str| {
            let other = self.other_alike(name);
            other.map(|other| alike(name, other)).or_else(|| check_spelling(name).err())
        };
        self.custom.keys().filter_map(|name| Some((name.as_str(), judge(name)?))).collect()
    }

    /// Whether the writer of this attribute vouches for it.
    pub fn proved(&self, name: &str) -> bool {
        self.proved.contains(name) || self.get(name).is_some_and(|definition| definition.proved)
    }

    /// The settings of an attribute, custom or built in; `None` if no attribute has this name.
    pub fn any(&self, name: &str) -> Option<Definition> {
        if BUILT_IN.contains(&name) {
            let built_in = Self::built_in(name);
            return Some(Definition { proved: built_in.proved || self.proved.contains(name), ..built_in });
        }
        self.get(name).copied()
    }

    /// The settings of a built-in attribute unless the site sets something else.
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
