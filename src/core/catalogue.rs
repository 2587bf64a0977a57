//! What a helpdesk calls the ids in payloads: its groups, languages, organizations, and custom fields with their choices.
//! Read from Deskpro's API, or from a file.

use serde::{Deserialize, Serialize};

use super::csv::read::Reader;
use super::problem::Problem;

/// The longest name that is stored, in characters.
const LONGEST: usize = 200;
/// The most entries of one kind.
pub const MOST: usize = 5_000;

/// An id with its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The id.
    pub id: u64,
    /// The name.
    pub name: String,
    /// Whether Deskpro no longer has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

/// A custom field of people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its id and its title.
    #[serde(flatten)]
    pub entry: Entry,
    /// What can be chosen; empty for a field without choices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Entry>,
}

/// The names of one helpdesk. A list is empty if nothing is known about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Catalogue {
    /// Groups of users.
    pub user_groups: Vec<Entry>,
    /// Languages.
    pub languages: Vec<Entry>,
    /// Organizations.
    pub organizations: Vec<Entry>,
    /// Custom fields of people.
    pub fields: Vec<Field>,
}

/// The words of files for the kinds of entries; the id of a choice follows that of its field: `7.9`.
pub const KINDS: [&str; 5] = ["user_group", "language", "organization", "field", "choice"];

/// A line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Line {
    /// Counted from 1.
    pub line: usize,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}", self.line)
    }
}

impl Entry {
    /// An entry with its name as it is stored: on one line, and not longer than can be read.
    pub fn new(id: u64, name: &str) -> Self {
        let name: String = name.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect();
        Self { id, name: name.trim().to_owned(), gone: false }
    }

    /// As people read it: `Gold (7)`.
    pub fn label(&self) -> String {
        if self.name.is_empty() { self.id.to_string() } else { format!("{} ({})", self.name, self.id) }
    }
}

impl Catalogue {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The custom field with an id.
    pub fn field(&self, id: &str) -> Option<&Field> {
        let id: u64 = id.parse().ok()?;
        self.fields.iter().find(|field| field.entry.id == id)
    }

    /// This catalogue after an earlier one: entries that are no longer there stay, as gone. Lists of which nothing is known
    /// now are the earlier ones.
    #[must_use]
    pub fn after(mut self, before: &Self) -> Self {
        keep_gone(&mut self.user_groups, &before.user_groups);
        keep_gone(&mut self.languages, &before.languages);
        keep_gone(&mut self.organizations, &before.organizations);
        if self.fields.is_empty() {
            self.fields.clone_from(&before.fields);
        }
        for earlier in &before.fields {
            match self.fields.iter_mut().find(|field| field.entry.id == earlier.entry.id) {
                Some(field) if field.choices.is_empty() => {}
                Some(field) => keep_gone(&mut field.choices, &earlier.choices),
                None => {
                    let entry = Entry { gone: true, ..earlier.entry.clone() };
                    self.fields.push(Field { entry, choices: earlier.choices.clone() });
                }
            }
        }
        self
    }

    /// Reads a file: CSV with the columns `kind`, `id` and `name`, or lines of JSON with the same members, as
    /// `countersign helpdesk names --json` prints them. All problems at once.
    pub fn read(text: &str) -> Result<Self, Vec<Problem<Line>>> {
        let mut reading = Reading::default();
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with('{') {
            for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                reading.json(number + 1, line);
            }
        } else {
            reading.csv(text);
        }
        if reading.problems.is_empty() && reading.catalogue.is_empty() {
            reading.problem(1, "The file has no names. Use the columns kind, id and name.");
        }
        if reading.problems.is_empty() { Ok(reading.catalogue) } else { Err(reading.problems) }
    }
}

fn keep_gone(now: &mut Vec<Entry>, before: &[Entry]) {
    if now.is_empty() {
        now.extend_from_slice(before);
        return;
    }
    let known: std::collections::HashSet<u64> = now.iter().map(|entry| entry.id).collect();
    let gone = before.iter().filter(|entry| !known.contains(&entry.id));
    now.extend(gone.map(|entry| Entry { gone: true, ..entry.clone() }));
    now.truncate(2 * MOST);
}

#[derive(Default)]
struct Reading {
    catalogue: Catalogue,
    problems: Vec<Problem<Line>>,
}

impl Reading {
    fn problem(&mut self, line: usize, what: impl Into<String>) {
        self.problems.push(Problem::new(Line { line }, what));
    }

    fn json(&mut self, line: usize, text: &str) {
        #[derive(Deserialize)]
        struct Named {
            kind: String,
            id: serde_json::Value,
            name: String,
        }
        match serde_json::from_str::<Named>(text) {
            Ok(named) => {
                let id = named.id.as_str().map_or_else(|| named.id.to_string(), str::to_owned);
                self.add(line, &named.kind, &id, &named.name);
            }
            Err(_) => {
                self.problem(line, "Write {\"kind\": \"user_group\", \"id\": \"7\", \"name\": \"Gold\"}.");
            }
        }
    }

    fn csv(&mut self, text: &str) {
        let separator = [b';', b'\t', b'|']
            .into_iter()
            .find(|it| text.lines().next().is_some_and(|head| head.as_bytes().contains(it)));
        let mut reader = Reader::new(text.as_bytes(), separator.unwrap_or(b','));
        let mut places: Option<[usize; 3]> = None;
        loop {
            let Some(record) = reader.next() else { return };
            let cells = match record.fields {
                Ok(cells) => cells,
                Err(error) => {
                    self.problem(error.line, error.what);
                    if error.is_end {
                        return;
                    }
                    continue;
                }
            };
            let Some([kind, id, name]) = places else {
                let head: Vec<String> = cells.iter().map(|cell| cell.trim().to_lowercase()).collect();
                let at = |name: &str| head.iter().position(|cell| cell == name);
                match (at("kind"), at("id"), at("name")) {
                    (Some(kind), Some(id), Some(name)) => places = Some([kind, id, name]),
                    _ => return self.problem(1, "The first line must name the columns kind, id and name."),
                }
                continue;
            };
            let cell = |at: usize| cells.get(at).map_or("", |cell| cell.trim());
            self.add(record.line, cell(kind), cell(id), cell(name));
        }
    }

    fn add(&mut self, line: usize, kind: &str, id: &str, name: &str) {
        let number =
            |id: &str| id.parse::<u64>().ok().filter(|id| (1..1_000_000_000_000_000_000).contains(id));
        let (field, own) = match id.split_once('.') {
            Some((field, own)) if kind == "choice" => (number(field), own),
            _ => (None, id),
        };
        let Some(id) = number(own) else {
            let what = if kind == "choice" {
                format!("'{id}' is not the id of a choice. Write FIELD.CHOICE, for example 7.9.")
            } else {
                format!("'{id}' is not an id. Use a whole number.")
            };
            return self.problem(line, what);
        };
        if name.trim().is_empty() {
            return self.problem(line, "The name is empty.");
        }
        let entry = Entry::new(id, name);
        let catalogue = &mut self.catalogue;
        let list = match (kind, field) {
            ("user_group", _) => &mut catalogue.user_groups,
            ("language", _) => &mut catalogue.languages,
            ("organization", _) => &mut catalogue.organizations,
            ("field", _) => {
                match catalogue.fields.iter_mut().find(|field| field.entry.id == id) {
                    Some(field) => field.entry = entry,
                    None => catalogue.fields.push(Field { entry, choices: Vec::new() }),
                }
                return;
            }
            ("choice", Some(of)) => {
                let Some(field) = catalogue.fields.iter_mut().find(|field| field.entry.id == of) else {
                    return self.problem(line, format!("There is no field {of} above this line."));
                };
                &mut field.choices
            }
            ("choice", None) => {
                let what = format!("The field of '{own}' is missing. Write FIELD.CHOICE, for example 7.9.");
                return self.problem(line, what);
            }
            _ => {
                let what = format!("'{kind}' is not a kind. Use one of {}.", KINDS.join(", "));
                return self.problem(line, what);
            }
        };
        if list.len() >= MOST {
            return self.problem(line, format!("There are more than {MOST} names of the kind '{kind}'."));
        }
        match list.iter_mut().find(|known| known.id == id) {
            Some(known) => *known = entry,
            None => list.push(entry),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_in_both_forms_and_every_problem_is_reported() {
        let csv =
            "kind;id;name\nuser_group;7;Gold\nuser_group;7;\"Gold; new\"\nfield;3;Plan\nchoice;3.9;Yearly\n";
        let read = Catalogue::read(csv).expect("a catalogue");
        assert_eq!(read.user_groups, [Entry::new(7, "Gold; new")]);
        assert_eq!(read.fields[0].choices, [Entry::new(9, "Yearly")]);
        let json = "{\"kind\": \"user_group\", \"id\": 7, \"name\": \"Gold; new\"}\n\n\
            {\"kind\": \"field\", \"id\": \"3\", \"name\": \"Plan\"}\n{\"kind\": \"choice\", \"id\": \"3.9\", \"name\": \"Yearly\"}";
        assert_eq!(Catalogue::read(json), Ok(read));
        let lines = |text: &str| {
            Catalogue::read(text).expect_err("refused").iter().map(|it| it.place.line).collect::<Vec<_>>()
        };
        assert_eq!(
            lines(
                "kind,id,name\ngroup,7,Gold\nuser_group,x,Gold\nuser_group,0,A\nlanguage,1,\nchoice,9,A\nchoice,1.2,B\n"
            ),
            [2, 3, 4, 5, 6, 7]
        );
        for text in ["", "id,name\n7,Gold\n", "kind,id,name\n", "{}"] {
            assert_eq!(lines(text), [1], "{text}");
        }
    }

    #[test]
    fn what_is_no_longer_there_stays_as_gone_and_comes_back() {
        let of = |ids: &[u64]| Catalogue {
            user_groups: ids.iter().map(|id| Entry::new(*id, "A")).collect(),
            ..Catalogue::default()
        };
        let gone = |catalogue: &Catalogue| -> Vec<(u64, bool)> {
            catalogue.user_groups.iter().map(|entry| (entry.id, entry.gone)).collect()
        };
        let later = of(&[7]).after(&of(&[7, 8]));
        assert_eq!(gone(&later), [(7, false), (8, true)]);
        assert_eq!(gone(&of(&[8]).after(&later)), [(8, false), (7, true)]);
        // The key may not read groups any more: what was known stays.
        assert_eq!(of(&[]).after(&later), later);
    }
}
