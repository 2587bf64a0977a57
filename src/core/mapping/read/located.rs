//! A value of a draft together with its place, and the format errors that any value can have:
//! `wrong_type`, `missing_key`, `unknown_key`, `duplicate_key`, `blank_text`.

use std::collections::HashSet;

use crate::core::mapping::claim::Claim;
use crate::core::mapping::read::finding::{Findings, Place, below, quoted};
use crate::core::mapping::read::json::{Json, Node};

/// A value of a draft and its place.
pub(crate) struct Located<'a> {
    pub node: &'a Node,
    pub place: Place,
}

/// A key that was read, with its value. The key and its value have the same pointer.
pub(crate) struct Entry<'a> {
    pub key: &'a str,
    /// The key's place; the value starts a little later.
    pub place: Place,
    pub value: Located<'a>,
}

/// The keys of an object, each once: of equal keys, only the first is checked further.
pub(crate) struct Entries<'a> {
    place: Place,
    list: Vec<Entry<'a>>,
}

impl<'a> Located<'a> {
    pub fn whole(node: &'a Node) -> Located<'a> {
        let (pointer, at) = (String::new(), node.at);
        Located { node, place: Place { pointer, at } }
    }

    pub fn new(node: &'a Node, place: &Place) -> Located<'a> {
        Located { node, place: place.clone() }
    }

    /// The entries of an object, with keys as written.
    pub fn entries(&self) -> Option<Vec<Entry<'a>>> {
        let Json::Object(members) = &self.node.json else {
            return None;
        };
        let mut known = HashSet::new();
        let first = members.iter().filter(|member| known.insert(member.key.as_str()));
        let entries = first.map(|member| {
            let pointer = below(&self.place.pointer, &member.key);
            let place = Place { pointer: pointer.clone(), at: member.at };
            let value = Place { pointer, at: member.value.at };
            let value = Located { node: &member.value, place: value };
            Entry { key: &member.key, place, value }
        });
        Some(entries.collect())
    }

    /// The items of a list, if it is a list.
    pub fn items(&self) -> Option<Vec<Located<'a>>> {
        let Json::List(items) = &self.node.json else {
            return None;
        };
        let spots = items.iter().enumerate().map(|(i, node)| {
            let pointer = format!("{}/{i}", self.place.pointer);
            Located { node, place: Place { pointer, at: node.at } }
        });
        Some(spots.collect())
    }

    /// Reports that something else is needed here.
    pub fn wrong_type(&self, found: &mut Findings, needed: &str) {
        wrong_type(found, &self.place, &self.node.json, needed);
    }

    pub fn object(&self, found: &mut Findings, needed: &str) -> Option<Entries<'a>> {
        let Some(list) = self.entries() else {
            self.wrong_type(found, needed);
            return None;
        };
        let place = self.place.clone();
        Some(Entries { place, list })
    }

    /// Reports an error unless the value is `true`, the only value of a switch.
    pub fn only_true(&self, found: &mut Findings) -> Option<()> {
        if matches!(self.node.json, Json::Bool(true)) {
            return Some(());
        }
        self.wrong_type(found, "true, or leave the key out");
        None
    }
}

impl<'a> Entries<'a> {
    pub fn take(&mut self, key: &str) -> Option<Located<'a>> {
        let i = self.list.iter().position(|entry| entry.key == key)?;
        Some(self.list.remove(i).value)
    }

    pub fn into_list(self) -> Vec<Entry<'a>> {
        self.list
    }

    /// Reports which of the needed keys are missing.
    pub fn need(&self, found: &mut Findings, missing: &[&str]) {
        if !missing.is_empty() {
            let keys: Vec<String> = missing.iter().map(|key| quoted(key)).collect();
            let message = format!("Something is missing here: {}.", keys.join(" and "));
            found.error("missing_key", &self.place, message, "Add the key.");
        }
    }

    /// Reports the remaining keys as unknown. Returns whether there were any.
    pub fn no_others(&self, found: &mut Findings, known: &str) -> bool {
        for entry in &self.list {
            let message = format!("The key {} has no meaning here.", quoted(entry.key));
            let help = format!("Remove it, or write one of {known}.");
            found.error("unknown_key", &entry.place, message, help);
        }
        !self.list.is_empty()
    }
}

/// Reports that something else is needed at a place.
pub(crate) fn wrong_type(found: &mut Findings, place: &Place, json: &Json, needed: &str) {
    let message = match json {
        Json::Absent => return,
        Json::Null => "null is not allowed here.".to_owned(),
        Json::Bool(answer) => format!("{answer} is not allowed here."),
        Json::Number => "A number is not allowed here.".to_owned(),
        Json::Text(text) => format!("The string {} is not allowed here.", quoted(text)),
        Json::List(items) if items.is_empty() => "An empty list is not allowed here.".to_owned(),
        Json::List(_) => "A list is not allowed here.".to_owned(),
        Json::Object(keys) if keys.is_empty() => "An empty object is not allowed here.".to_owned(),
        Json::Object(_) => "An object is not allowed here.".to_owned(),
    };
    let mut help = format!("Write {needed}.");
    if matches!(json, Json::Number) {
        help += " Write numbers as strings, in double quotes.";
    }
    found.error("wrong_type", place, message, help);
}

pub(crate) fn blank_text(found: &mut Findings, place: &Place) {
    let help = "Enter at least one visible character.";
    found.error("blank_text", place, "This value is blank.", help);
}

/// Reports that an object has a key twice.
pub(crate) fn duplicate_key(found: &mut Findings, place: &Place, key: &str) {
    let message = format!("The key {} is in this object twice; the first one is used.", quoted(key));
    found.error("duplicate_key", place, message, "Remove one of them.");
}

/// Finds equal keys in every object of the draft, also in parts where nothing else is checked, but not in
/// the value of a second key.
pub(crate) fn find_duplicate_keys(located: &Located<'_>, found: &mut Findings) {
    // A key of 1,000 bytes around thousands of others would be repeated in every pointer. No key of the
    // grammar is nearly that long, so such an object is unknown as a whole.
    const LONGEST_POINTER: usize = 1_000;
    if located.place.pointer.len() > LONGEST_POINTER {
        return;
    }
    if let Json::Object(members) = &located.node.json {
        let mut known = HashSet::new();
        for member in members.iter().filter(|member| !known.insert(member.key.as_str())) {
            let pointer = below(&located.place.pointer, &member.key);
            duplicate_key(found, &Place { pointer, at: member.at }, &member.key);
        }
    }
    for entry in located.entries().unwrap_or_default() {
        find_duplicate_keys(&entry.value, found);
    }
    for item in located.items().unwrap_or_default() {
        find_duplicate_keys(&item, found);
    }
}

/// The only one of several keys that an object may have. Two of them are a wrong type. If there is none, a
/// key is missing, unless an unknown key is in its place.
pub(crate) fn only_one<T>(
    found: &mut Findings,
    located: &Located<'_>,
    rest: &Entries<'_>,
    things: Vec<Option<T>>,
    known: &str,
) -> Option<T> {
    let unknown = rest.no_others(found, known);
    if things.len() > 1 {
        let help = format!("Keep one of {known}.");
        let message = "There are several keys here, but only one is allowed.";
        found.error("wrong_type", &located.place, message, help);
        return None;
    }
    if things.is_empty() && !unknown {
        let message = "The key that says what to do is missing.";
        found.error("missing_key", &located.place, message, format!("Add one of {known}."));
    }
    things.into_iter().next()?
}

/// Reports that this cannot produce an identifier, if the claim is one.
pub(crate) fn identifier_rule(found: &mut Findings, claim: Option<&Claim>, place: &Place) {
    if let Some(claim) = claim.filter(|claim| claim.is_identifier()) {
        let message = format!(
            "“{claim}” decides who the user is for Deskpro, so its value comes directly from an attribute."
        );
        let help = "Use an attribute without a default, and no steps except “lower” \
                    (and “split” for “emails”).";
        found.error("identifier_rule", place, message, help);
    }
}
