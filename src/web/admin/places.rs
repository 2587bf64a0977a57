//! The fields of a rule's form, each with the errors of the part of the draft that it shows.

use super::fields::{Input, escape};
use crate::core::mapping::read::part::{Leaf, Leaves};
use crate::core::mapping::{Finding, Level};

/// A field with choices.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// The field itself; its value is that of the chosen option.
    pub input: Input,
    /// The options.
    pub options: Vec<Choice>,
}

/// One of the choices of a field.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The value that is sent.
    pub value: String,
    /// The label that people read.
    pub label: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// An option.
pub fn choice(value: &str, label: &str, chosen: &str) -> Choice {
    Choice { value: value.to_owned(), label: label.to_owned(), chosen: value == chosen }
}

/// The findings of a rule. Each one is assigned to the field of the part that it is about. A finding that no
/// field takes belongs to the whole rule.
pub struct Places {
    found: Vec<Note>,
    /// The part of the form that the admin fills in next.
    next: String,
}

/// A finding that is assigned to a field.
struct Note {
    /// The byte at which the part that it is about starts.
    at: Option<usize>,
    /// Its place below the rule.
    place: String,
    text: String,
    is_error: bool,
    /// The field that took it; an empty string if the finding is not shown yet.
    field: Option<String>,
}

impl Places {
    pub fn new(place: &str, findings: &[Finding], focus: &str) -> Self {
        let next = if focus == "field" { "claim" } else { focus.strip_suffix("/key").unwrap_or(focus) };
        let inside = findings.iter().filter_map(|finding| {
            let below = finding.pointer.strip_prefix(place)?;
            let place = if below.is_empty() { "" } else { below.strip_prefix('/')? };
            let (text, is_error) = (finding.text(), finding.level == Level::Error);
            Some(Note { at: finding.at, place: place.to_owned(), text, is_error, field: None })
        });
        Self { found: inside.collect(), next: next.to_owned() }
    }

    fn is_next(&self, place: &str) -> bool {
        let inside = place.strip_prefix(&self.next);
        !self.next.is_empty() && inside.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// A field with a value, and the findings about the part that starts at a byte.
    pub fn input_at(&mut self, id: &str, text: &str, at: Option<usize>) -> Input {
        let mut input = Input::new(id, text);
        if let Some(at) = at {
            self.fill(&mut input, at, id, "");
        }
        input
    }

    /// The field of a value.
    pub fn leaf(&mut self, id: &str, leaf: &Leaf) -> Input {
        self.input_at(id, leaf.as_str(), Some(leaf.at()))
    }

    /// The field of an optional value.
    pub fn maybe(&mut self, id: &str, leaf: Option<&Leaf>) -> Input {
        self.input_at(id, leaf.map(Leaf::as_str).unwrap_or_default(), leaf.map(Leaf::at))
    }

    /// The fields of a list of values.
    pub fn leaves(&mut self, id: &str, leaves: &Leaves) -> Vec<Input> {
        leaves.list.iter().enumerate().map(|(i, leaf)| self.leaf(&format!("{id}/{i}"), leaf)).collect()
    }

    /// Adds to a field the findings about the part that starts at a byte and has its own place in the form;
    /// `name` says which part it is.
    pub fn fill(&mut self, input: &mut Input, at: usize, place: &str, name: &str) {
        let is_next = self.is_next(place);
        for note in self.found.iter_mut().filter(|note| note.at == Some(at) && note.field.is_none()) {
            if is_next {
                note.field = Some(String::new());
                continue;
            }
            note.field = Some(input.id.clone());
            note.text.insert_str(0, name);
            let list = if note.is_error { &mut input.errors } else { &mut input.warnings };
            list.push(note.text.clone());
        }
    }

    /// A field that can only have one of the offered values.
    pub fn choice(&mut self, id: &str, chosen: &str, offered: &[(&str, &str)], at: Option<usize>) -> Select {
        let input = self.input_at(id, chosen, at);
        let options = offered.iter().map(|(value, label)| choice(value, label, chosen)).collect();
        Select { input, options }
    }

    /// A field whose value may be one that is not offered.
    pub fn select(
        &mut self,
        id: &str,
        chosen: &str,
        offered: &[(&str, &str)],
        empty: &str,
        at: Option<usize>,
    ) -> Select {
        let input = self.input_at(id, chosen, at);
        let written = |text: &str| if input.is_escaped() { escape(text) } else { text.to_owned() };
        let mut options = vec![choice("", empty, &input.value)];
        options.extend(offered.iter().map(|(value, label)| choice(&written(value), label, &input.value)));
        if !options.iter().any(|option| option.chosen) {
            options.push(choice(&input.value, &format!("{} (does not exist)", input.value), &input.value));
        }
        Select { input, options }
    }

    /// A field for the name of an attribute.
    pub fn attribute(&mut self, id: &str, chosen: Option<&Leaf>, names: &[String]) -> Select {
        let offered: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
        let text = chosen.map(Leaf::as_str).unwrap_or_default();
        self.select(id, text, &offered, "Choose an attribute", chosen.map(Leaf::at))
    }

    /// All errors, each with the field that shows it. An error that no field took links to the claim.
    pub fn summary(self) -> Vec<(String, String)> {
        let is_shown = |note: &&Note| match &note.field {
            Some(field) => !field.is_empty(),
            None => !self.is_next(&note.place),
        };
        let errors = self.found.iter().filter(|note| note.is_error).filter(is_shown);
        errors
            .map(|note| (note.field.clone().unwrap_or_else(|| "claim".to_owned()), note.text.clone()))
            .collect()
    }
}
