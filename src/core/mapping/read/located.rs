//! A value of a draft together with its place, and the errors of form that any value can have:
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

/// A key that was read, with its value. Its own pointer is the key's, too.
pub(crate) struct Entry<'a> {
    pub key: &'a str,
    /// The key's place; the value begins a little later.
    pub place: Place,
    pub value: Located<'a>,
}

/// The keys of an object, each once: of equal ones the first is judged on.
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

    /// The entries of an object, by key as written.
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

    /// The items of a list, where it is one.
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

    /// Says that something else is needed here.
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

    /// Says so unless `true` stands here, the only choice of a switch.
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

    /// Says which of the needed keys are not there.
    pub fn need(&self, found: &mut Findings, missing: &[&str]) {
        if !missing.is_empty() {
            let keys: Vec<String> = missing.iter().map(|key| quoted(key)).collect();
            let message = format!("Something is missing here: {}.", keys.join(" and "));
            found.error("missing_key", &self.place, message, "Add the key.");
        }
    }

    /// Says that what is left has no place here, and whether anything was left.
    pub fn no_others(&self, found: &mut Findings, known: &str) -> bool {
        for entry in &self.list {
            let message = format!("The key {} has no meaning here.", quoted(entry.key));
            let help = format!("Take it out, or write one of {known}.");
            found.error("unknown_key", &entry.place, message, help);
        }
        !self.list.is_empty()
    }
}

/// Says that something else is needed at a place.
pub(crate) fn wrong_type(found: &mut Findings, place: &Place, json: &Json, needed: &str) {
    let message = match json {
        Json::Absent => return,
        Json::Null => "null stands here, which is no value.".to_owned(),
        Json::Bool(answer) => format!("{answer} does not fit here."),
        Json::Number => "A number does not fit here.".to_owned(),
        Json::Text(text) => format!("The text {} does not fit here.", quoted(text)),
        Json::List(items) if items.is_empty() => "An empty list does not fit here.".to_owned(),
        Json::List(_) => "A list does not fit here.".to_owned(),
        Json::Object(keys) if keys.is_empty() => "An empty object does not fit here.".to_owned(),
        Json::Object(_) => "An object does not fit here.".to_owned(),
    };
    let mut help = format!("Write {needed}.");
    if matches!(json, Json::Number) {
        help += " Numbers are written as texts, in double quotes.";
    }
    found.error("wrong_type", place, message, help);
}

pub(crate) fn blank_text(found: &mut Findings, place: &Place) {
    let help = "Write something that can be seen.";
    found.error("blank_text", place, "There is nothing in this text.", help);
}

/// Says that a key stands in an object twice.
pub(crate) fn duplicate_key(found: &mut Findings, place: &Place, key: &str) {
    let message = format!("The key {} is in this object twice; the first one is used.", quoted(key));
    found.error("duplicate_key", place, message, "Take one of them out.");
}

/// Finds equal keys in every object of the draft, also where nothing else is judged, but not in
/// what stands under a second key.
pub(crate) fn find_duplicate_keys(located: &Located<'_>, found: &mut Findings) {
    // A key of 1,000 bytes around thousands of others would repeat itself in every pointer. No key
    // of the grammar comes near, so such an object is unknown as a whole.
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

/// The one thing of several that an object may hold; two are a wrong type, none is missing unless
/// an unknown key stands in its place.
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
        found.error("wrong_type", &located.place, "Two things stand here where one can.", help);
        return None;
    }
    if things.is_empty() && !unknown {
        let message = "What this is to do is missing.";
        found.error("missing_key", &located.place, message, format!("Add one of {known}."));
    }
    things.into_iter().next()?
}

/// Says that this cannot make an identifier, if the claim is one.
pub(crate) fn identifier_rule(found: &mut Findings, claim: Option<&Claim>, place: &Place) {
    if let Some(claim) = claim.filter(|claim| claim.is_identifier()) {
        let message = format!(
            "“{claim}” decides who Deskpro takes the user for, so it comes straight from an attribute."
        );
        let help = "Use an attribute, without default and with no step but “lower” \
                    (and “split” for “emails”).";
        found.error("identifier_rule", place, message, help);
    }
}
