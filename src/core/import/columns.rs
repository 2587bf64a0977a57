//! The header of a file: which column is which attribute.

use std::collections::{HashMap, HashSet};

use unicode_normalization::UnicodeNormalization as _;

use super::Place;
use super::cells::{REASON, STATE, State, Use, state};
use crate::core::assign::nearest;
use crate::core::attribute::{
    BUILT_IN, Definition, Definitions, Kind, MAX_ATTRIBUTES, aliases, is_blank, is_secret_name,
};
use crate::core::csv::read::Record;
use crate::core::csv::unguarded;
use crate::core::problem::Problem;
use crate::core::visible::{is_invisible, likeness as look, named, shown as visible};

/// The columns of a file.
#[derive(Clone)]
pub struct Columns {
    /// Attribute names, in the order of the file; `None` is a column that is not an attribute.
    pub names: Vec<Option<String>>,
    /// The header as it is shown, and the use of each column.
    pub uses: Vec<(String, Use)>,
    /// All custom attributes after the import: existing and new ones.
    pub definitions: Definitions,
    /// The attributes that do not exist yet.
    pub new: Vec<String>,
    /// Whether a column was refused: it may be the login.
    is_refused: bool,
}

impl Columns {
    /// The same columns with the current settings of attributes.
    #[must_use]
    pub fn with(&self, definitions: Definitions) -> Self {
        Self { definitions, new: Vec::new(), ..self.clone() }
    }

    /// Whether a new user lacks a login. This is not so if a cell or the column itself was refused.
    pub fn needs_login(&self, fields: &[String]) -> bool {
        match self.names.iter().position(|name| name.as_deref() == Some("login")) {
            Some(place) => fields.get(place).is_none_or(|text| is_blank(text)),
            None => !self.is_refused,
        }
    }

    /// Whether there is a column with logins.
    pub fn has_login(&self) -> bool {
        self.names.iter().flatten().any(|name| name == "login")
    }

    /// The state of the user in a row of an export.
    pub fn state(&self, fields: &[String]) -> State {
        let place = self.uses.iter().position(|(_, purpose)| *purpose == Use::State);
        let cell = place.and_then(|place| fields.get(place));
        cell.and_then(|text| state(text).ok()).unwrap_or_default()
    }
}

/// The options of an import that affect how its header is read.
#[derive(Clone, Copy)]
pub struct HeaderChoices<'a> {
    /// Import the column `deskpro_id`.
    pub deskpro_id: bool,
    /// Columns in which a time means yes.
    pub yes_when_set: &'a [String],
    /// Allow new attributes whose names look like those of other attributes.
    pub new_attributes: bool,
}

/// Reads the header, and reports everything that is wrong with it. It returns columns even if there are
/// errors, so that the rows can be checked at the same time; it returns none if that would be useless.
pub fn read(
    header: &Record,
    known: &Definitions,
    choices: HeaderChoices<'_>,
) -> (Option<Columns>, Vec<Problem<Place>>) {
    let problem = |column: Option<String>, message: String| {
        Problem::new(Place { column, ..Place::of_file(header.line) }, message)
    };
    let fields = match &header.fields {
        Ok(fields) => fields,
        Err(malformed) => {
            let message = malformed.what.clone();
            return (None, vec![Problem::new(Place::of_file(malformed.line), message)]);
        }
    };
    let width = fields.iter().rposition(|field| !is_blank(field)).map_or(0, |last| last + 1);
    if width > MAX_ATTRIBUTES + BUILT_IN.len() + 2 {
        let message = format!(
            "The header names {width} columns. At most {MAX_ATTRIBUTES} attributes are allowed in addition to the built-in ones."
        );
        return (None, vec![problem(None, message)]);
    }
    let names: Vec<&str> =
        fields.iter().map(|field| trimmed(unguarded(field).unwrap_or(field), known)).collect();
    let mut reading = Reading::of(&names, known, choices);
    let mut problems = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let shown =
            if name.is_empty() { format!("column {}", index + 1) } else { visible(name).into_owned() };
        let (attribute, purpose) = match reading.column(index, name, index >= width) {
            Ok(found) => found,
            Err(message) => {
                reading.columns.is_refused = true;
                problems.push(problem(Some(shown.clone()), message));
                (None, Use::Reason)
            }
        };
        reading.columns.names.push(attribute);
        reading.columns.uses.push((shown, purpose));
    }
    for name in choices.yes_when_set.iter().filter(|name| !names.contains(&name.trim())) {
        let message = format!("The file has no column '{name}', which --yes-when-set names.");
        problems.push(problem(None, message));
    }
    if !names.iter().any(|name| ["login", "external_id", "email"].contains(&name.to_lowercase().as_str())) {
        // A column that may be one of them was already reported.
        if !names.iter().any(|name| aliases::is_key(name)) || problems.is_empty() {
            let what = "The first line names no column 'login', 'external_id' or 'email', so users cannot be identified. \
                Name the columns in the first line.";
            problems.push(problem(None, what.to_owned()));
        }
        return (None, problems);
    }
    (Some(reading.columns), problems)
}

/// A name without the white space around it, unless an attribute has that white space in its name.
fn trimmed<'a>(field: &'a str, known: &Definitions) -> &'a str {
    if known.knows(field) { field } else { field.trim() }
}

struct Reading<'a> {
    columns: Columns,
    choices: HeaderChoices<'a>,
    /// All names of the file.
    present: HashSet<&'a str>,
    /// The first place of a name, by how it looks.
    first: HashMap<String, usize>,
    /// Attributes, by how their names look.
    looks: HashMap<String, String>,
}

impl<'a> Reading<'a> {
    fn of(names: &[&'a str], known: &Definitions, choices: HeaderChoices<'a>) -> Self {
        let built_in = BUILT_IN.into_iter().map(str::to_owned);
        let all = built_in.chain(known.iter().map(|(name, _)| name.to_owned()));
        let columns = Columns {
            names: Vec::new(),
            uses: Vec::new(),
            definitions: known.clone(),
            new: Vec::new(),
            is_refused: false,
        };
        Self {
            columns,
            choices,
            present: names.iter().map(|name| marks(name).map_or(*name, |(name, _)| name)).collect(),
            first: HashMap::new(),
            looks: all.map(|name| (look(&name), name)).collect(),
        }
    }

    /// Reads a column by its name, and defines a new attribute.
    fn column(&mut self, index: usize, name: &str, is_behind: bool) -> Result<(Option<String>, Use), String> {
        if name.is_empty() && is_behind {
            return Ok((None, Use::Nameless));
        }
        if name.is_empty() {
            return Err("This column has no name. Name it, or remove it.".into());
        }
        let (bare, said) = marks(name).map_or((name, None), |(name, said)| (name, Some(said)));
        let is_yes = self.choices.yes_when_set.iter().any(|column| column.trim() == name);
        let attribute = if is_yes { self.meant(bare) } else { bare };
        let place = *self.first.entry(look(attribute)).or_insert(index);
        if place != index {
            let (first, second) = (place + 1, index + 1);
            return Err(format!(
                "The header has this column twice: columns {first} and {second}. Remove one."
            ));
        }
        match name {
            STATE => return Ok((None, Use::State)),
            REASON => return Ok((None, Use::Reason)),
            _ => {}
        }
        self.attribute(attribute, said)?;
        let definition = self.columns.definitions.any(attribute).unwrap_or_default();
        let is_key = ["login", "external_id", "email", "deskpro_id"].contains(&attribute);
        if is_yes && (is_key || matches!(definition.kind, Kind::Number | Kind::List)) {
            return Err(format!(
                "'{attribute}' is not a yes/no attribute, so --yes-when-set cannot be used for it."
            ));
        }
        Ok((Some(attribute.to_owned()), if is_yes { Use::YesWhenSet } else { Use::Attribute }))
    }

    /// The attribute of a column whose times mean yes: the time of a verification means that it is verified.
    fn meant<'n>(&self, name: &'n str) -> &'n str {
        let is_new = !self.columns.definitions.knows(name);
        if is_new && aliases::built_in(name) == Some("email_verified") { "email_verified" } else { name }
    }

    fn attribute(&mut self, name: &str, said: Option<Definition>) -> Result<(), String> {
        if is_secret_name(name) {
            return Err(
                "Passwords, hashes and other secrets must not be attributes. Remove the column.".into()
            );
        }
        if name == "deskpro_id" && !self.choices.deskpro_id {
            return Err(
                "This column decides which person at Deskpro a user is. Allow it with --deskpro-id, or remove it."
                    .into(),
            );
        }
        if let Some(definition) = self.columns.definitions.any(name) {
            let other = said.filter(|said| said.kind != definition.kind);
            return other.map_or(Ok(()), |said| {
                Err(format!(
                    "'{name}' has the type {} in Countersign and {} in the file. Change it: `countersign attribute set`.",
                    definition.kind.as_str(),
                    said.kind.as_str()
                ))
            });
        }
        if !self.columns.definitions.knows(name)
            && let Some(what) = self.hidden(name)
        {
            return Err(what);
        }
        if let Some(other) = self.columns.definitions.spelled_otherwise(name) {
            return Err(format!(
                "There is an attribute '{other}' that differs only in uppercase and lowercase. Use the same spelling."
            ));
        }
        if !self.choices.new_attributes
            && let Some(other) = self.perhaps(name)
        {
            return Err(format!(
                "This would be a new attribute. Did you mean '{other}'? Rename the column. Only if it is something else, allow it with --new-attributes."
            ));
        }
        self.columns
            .definitions
            .define(name, said.unwrap_or_default())
            .map_err(|what| format!("{}.", visible(&what.to_string())))?;
        self.columns.new.push(name.to_owned());
        Ok(())
    }

    /// What cannot be seen in a name, and which attribute it looks like.
    fn hidden(&self, name: &str) -> Option<String> {
        let known = self.looks.get(&look(name));
        let use_it = known.map_or(String::new(), |known| {
            format!(" There is an attribute '{}': use that name.", visible(known))
        });
        let is_hidden = |c: char| is_invisible(c) || (c.is_whitespace() && c != ' ');
        if let Some((place, c)) = name.chars().enumerate().find(|(_, c)| is_hidden(*c)) {
            return Some(format!(
                "Character {} of the name is {}, which cannot be seen. Remove it.{use_it}",
                place + 1,
                named(c)
            ));
        }
        let composed: String = name.nfc().collect();
        if composed != name {
            let mark = name
                .chars()
                .find(|c| !c.is_ascii() && !composed.contains(*c))
                .map_or(String::new(), |c| format!(" (with U+{:04X})", u32::from(c)));
            return Some(format!(
                "The name is in a decomposed Unicode form{mark}, as a Mac writes it. Write '{composed}' in the usual form, NFC.{use_it}"
            ));
        }
        known.map(|known| {
            format!(
                "There is an attribute '{}' that looks the same but is spelled differently. Use that name.",
                visible(known)
            )
        })
    }

    /// The attribute that a new name probably means, unless the file also has that attribute.
    fn perhaps(&self, name: &str) -> Option<String> {
        if let Some(known) = aliases::built_in(name) {
            return (!self.present.contains(known)).then(|| known.to_owned());
        }
        let other = nearest(name, &self.columns.definitions)?;
        let is_built_in = BUILT_IN.contains(&other.as_str());
        let letters = |name: &str| name.chars().filter(|c| !c.is_numeric()).collect::<String>();
        // plan1 and plan2 are two attributes; compny is a typing error for company.
        let is_slip = letters(&other) != letters(name)
            && name.chars().count() > 4
            && strsim::damerau_levenshtein(&look(&other), &look(name)) == 1;
        let is_new = self.columns.new.contains(&other);
        ((is_built_in || (is_slip && !is_new)) && !self.present.contains(other.as_str())).then_some(other)
    }
}

/// A name and its settings in an export: `tags{list}`, `limit{number searchable}`. No attribute has a
/// brace in its name.
fn marks(name: &str) -> Option<(&str, Definition)> {
    let (bare, said) = name.strip_suffix('}')?.split_once('{')?;
    let mut words = said.split(' ');
    let kind = Kind::parse(words.next()?)?;
    let searchable = match (words.next(), words.next()) {
        (None, _) => false,
        (Some("searchable"), None) => true,
        _ => return None,
    };
    (!bare.is_empty()).then_some((bare, Definition { kind, searchable, proved: false }))
}

/// The header of an attribute in an export, which [`read`] understands.
pub fn marked(name: &str, definition: Definition) -> String {
    match (definition.kind, definition.searchable) {
        (Kind::Text, false) => name.to_owned(),
        (kind, false) => format!("{name}{{{}}}", kind.as_str()),
        (kind, true) => format!("{name}{{{} searchable}}", kind.as_str()),
    }
}
