//! Where settings come from: a TOML file, the environment, which takes precedence, and files named by
//! `_FILE` for secrets. This module knows which settings were set and under which name, not what they
//! mean.
//!
//! A setting with an empty value is not set. Deployment tools write `NAME=` where they have no value
//! (`${NAME:-}` in a compose file), and an empty block list from there must not replace the stored one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{SETTINGS, Setting, SettingProblem};
use crate::core::problem::Problem;

/// What was set, before it is checked.
#[derive(Clone, Debug, Default)]
pub struct Source {
    values: BTreeMap<&'static str, Set>,
    /// The files that hold secrets: the settings file, if it does, and those named by `_FILE`.
    pub(super) secret_files: Vec<PathBuf>,
    /// What could not be read at all.
    pub problems: Vec<SettingProblem>,
}

#[derive(Clone)]
struct Set {
    value: Raw,
    called: String,
}

#[derive(Clone)]
enum Raw {
    Text(String),
    List(Vec<String>),
}

impl Raw {
    /// Whether it is empty. A list with nothing but separators is empty: `${ONE:-},${TWO:-}` leaves a
    /// comma. A secret may consist of commas.
    fn is_empty(&self, is_secret: bool) -> bool {
        let has_nothing =
            |text: &str| text.chars().all(|letter| letter.is_whitespace() || (letter == ',' && !is_secret));
        match self {
            Self::Text(text) => has_nothing(text),
            Self::List(items) => items.iter().all(|item| has_nothing(item)),
        }
    }
}

/// Whether a value is empty or only white space.
fn is_blank(value: &str) -> bool {
    value.trim().is_empty()
}

impl std::fmt::Debug for Set {
    /// Values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "set as {}", self.called)
    }
}

/// Reads the settings file, if there is one, and the environment.
pub fn read(file: Option<&Path>, environment: impl Iterator<Item = (OsString, OsString)>) -> Source {
    let mut source = Source::default();
    if let Some(file) = file {
        source.read_file(file);
    }
    source.read_environment(environment);
    source
}

const PREFIX: &str = "COUNTERSIGN_";

fn known(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

fn nearest(name: &str) -> &'static str {
    SETTINGS
        .iter()
        .map(|setting| setting.name)
        .min_by_key(|known| strsim::damerau_levenshtein(known, name))
        .unwrap_or_default()
}

impl Source {
    /// The same source with one setting replaced; for the demo and for tests.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Some(setting) = known(name) {
            self.values.remove(setting.name);
            let called = format!("{PREFIX}{}", name.to_uppercase());
            self.set(setting, Raw::Text(value.to_owned()), called);
        }
        self
    }

    /// The same source without one setting.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.values.remove(name);
        self
    }

    /// The value of a setting, or its default.
    pub(super) fn text(&self, name: &str) -> String {
        match self.values.get(name).map(|set| &set.value) {
            Some(Raw::Text(text)) => text.clone(),
            Some(Raw::List(items)) => items.join(","),
            None => known(name).expect("a setting of the catalogue").default.to_owned(),
        }
    }

    /// The items of a list: a TOML array, or a string separated by commas.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        match self.values.get(name).map(|set| &set.value) {
            Some(Raw::List(items)) => items.clone(),
            _ => self
                .text(name)
                .split(',')
                .map(|item| item.trim().to_owned())
                .filter(|item| !item.is_empty())
                .collect(),
        }
    }

    /// The value of a setting, independent of the order of a list and the white space in it.
    pub(super) fn canonical(&self, name: &str) -> String {
        let mut items = self.list(name);
        items.sort();
        items.join(",")
    }

    /// Whether a setting has a value from the file or the environment.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The name of a setting for messages: the one it was set by.
    pub(super) fn called(&self, name: &str) -> String {
        self.values
            .get(name)
            .map_or_else(|| format!("{PREFIX}{}", name.to_uppercase()), |set| set.called.clone())
    }

    /// Stores a value, unless it is empty.
    fn set(&mut self, setting: &'static Setting, value: Raw, called: String) {
        if !value.is_empty(setting.secret) {
            self.values.insert(setting.name, Set { value, called });
        }
    }

    fn problem(&mut self, setting: String, what: String, fix: String) {
        self.problems.push(Problem { fix: Some(fix), ..Problem::new(setting, what) });
    }

    fn read_file(&mut self, path: &Path) {
        let shown = path.display().to_string();
        let table = match std::fs::read_to_string(path) {
            Ok(text) => match text.parse::<toml::Table>() {
                Ok(table) => table,
                Err(error) => {
                    // The parser's own message may repeat a line with a secret.
                    let line = error.span().map_or(0, |span| text[..span.start].lines().count().max(1));
                    let what = format!("Line {line} is not valid TOML: {}.", error.message());
                    return self.problem(shown, what, "Write NAME = \"VALUE\", one per line.".into());
                }
            },
            Err(error) => {
                let what = format!("The settings file cannot be read: {error}.");
                return self.problem(shown, what, "Check the path and that this user may read it.".into());
            }
        };
        for (key, value) in &table {
            let called = format!("{key} in {shown}");
            let (name, from_file) = strip_file(key);
            let Some(setting) = known(name) else {
                self.problem(
                    called,
                    "There is no such setting.".into(),
                    format!("Did you mean '{}'?", nearest(key)),
                );
                continue;
            };
            let is_set =
                |name: &str| table.get(name).and_then(plain).is_some_and(|it| !it.is_empty(setting.secret));
            match (plain(value), from_file) {
                (Some(path), true) if setting.secret && path.is_empty(true) => {}
                (_, true) if is_set(name) => {
                    self.problem(called, format!("'{name}' is also set."), "Remove one of them.".into());
                }
                (Some(Raw::Text(path)), true) if setting.secret => {
                    self.read_secret(setting, called, &path);
                }
                (Some(value), false) => {
                    if setting.secret
                        && !value.is_empty(true)
                        && !self.secret_files.iter().any(|it| it == path)
                    {
                        self.secret_files.push(path.to_owned());
                    }
                    self.set(setting, value, called);
                }
                _ => self.problem(
                    called,
                    "This type of value cannot be used here.".into(),
                    "Write a string in quotes, a number, true or false, or a list of strings.".into(),
                ),
            }
        }
    }

    fn read_environment(&mut self, environment: impl Iterator<Item = (OsString, OsString)>) {
        let mut variables = BTreeMap::new();
        for (key, value) in environment {
            let Some(key) = key.to_str().filter(|key| key.starts_with(PREFIX)).map(str::to_owned) else {
                continue;
            };
            if let Ok(value) = value.into_string() {
                variables.insert(key, value);
            } else {
                self.problem(key, "The value is not UTF-8.".into(), "Write it in UTF-8.".into());
            }
        }
        for (key, value) in &variables {
            let lower = key[PREFIX.len()..].to_lowercase();
            let (name, from_file) = strip_file(&lower);
            match known(name) {
                // The path of the settings file: read before this.
                None if lower == "config" => {}
                Some(setting) if from_file && setting.secret => {
                    let direct = key.trim_end_matches("_FILE");
                    if is_blank(value) {
                        continue;
                    }
                    if variables.get(direct).is_some_and(|value| !is_blank(value)) {
                        let what = format!("Both {key} and {direct} are set.");
                        self.problem(key.clone(), what, "Remove one of them.".into());
                    } else {
                        self.read_secret(setting, key.clone(), value);
                    }
                }
                Some(setting) if !from_file => {
                    // A secret is used exactly as written, as from a file: only a trailing line break is
                    // removed.
                    let value =
                        if setting.secret { value.trim_end_matches(['\r', '\n']) } else { value.trim() };
                    self.set(setting, Raw::Text(value.to_owned()), key.clone());
                }
                _ => {
                    let fix = format!("Did you mean {PREFIX}{}?", nearest(&lower).to_uppercase());
                    self.problem(key.clone(), "There is no such setting.".into(), fix);
                }
            }
        }
    }

    /// Reads a secret from a file, without the line break that editors add at its end.
    ///
    /// A named file that is empty is an error: a person who names a file wants to set a secret.
    fn read_secret(&mut self, setting: &'static Setting, called: String, path: &str) {
        match std::fs::read_to_string(path) {
            Ok(text) if is_blank(text.trim_start_matches('\u{feff}')) => {
                let what = format!("The file {path} is empty.");
                let fix = format!("Write the value into it, or remove the setting {called}.");
                self.problem(called, what, fix);
            }
            Ok(text) => {
                let value = Raw::Text(text.trim_end_matches(['\r', '\n']).to_owned());
                self.values.insert(setting.name, Set { value, called });
                self.secret_files.push(PathBuf::from(path));
            }
            Err(error) => {
                let what = format!("The file {path} cannot be read: {error}.");
                self.problem(called, what, "Check the path and that this user may read it.".into());
            }
        }
    }
}

fn strip_file(name: &str) -> (&str, bool) {
    name.strip_suffix("_file").map_or((name, false), |name| (name, true))
}

fn plain(value: &toml::Value) -> Option<Raw> {
    Some(match value {
        toml::Value::String(text) => Raw::Text(text.clone()),
        toml::Value::Integer(number) => Raw::Text(number.to_string()),
        toml::Value::Boolean(yes) => Raw::Text(yes.to_string()),
        toml::Value::Table(table) => Raw::Text(serde_json::to_string(table).ok()?),
        toml::Value::Array(items) => Raw::List(items.iter().map(item).collect::<Option<_>>()?),
        _ => return None,
    })
}

/// An item of a list: a string, or a number such as an ID.
fn item(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}
