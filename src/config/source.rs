//! Where settings come from: a TOML file, the environment above it, and files named by `_FILE`
//! for secrets. It knows which were set and under which name, not what they mean.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::{Problem, SETTINGS};

/// What was set, before it is checked.
#[derive(Clone, Debug, Default)]
pub struct Source {
    values: BTreeMap<&'static str, Set>,
    /// What could not even be taken in.
    pub problems: Vec<Problem>,
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

fn known(name: &str) -> Option<&'static super::Setting> {
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
    /// The same with one setting replaced; for the demo and for tests.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Some(setting) = known(name) {
            let called = format!("{PREFIX}{}", name.to_uppercase());
            self.values.insert(setting.name, Set { value: Raw::Text(value.to_owned()), called });
        }
        self
    }

    /// The same without a setting.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.values.remove(name);
        self
    }

    /// The text of a setting, or its default.
    pub(super) fn text(&self, name: &str) -> String {
        match self.values.get(name).map(|set| &set.value) {
            Some(Raw::Text(text)) => text.clone(),
            Some(Raw::List(items)) => items.join(","),
            None => known(name).map(|setting| setting.default.to_owned()).unwrap_or_default(),
        }
    }

    /// The items of a list: a TOML array, or a text separated by commas.
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

    /// Whether a setting was set at all, be it to nothing.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// What to call a setting in a message: as it was set.
    pub(super) fn called(&self, name: &str) -> String {
        self.values
            .get(name)
            .map_or_else(|| format!("{PREFIX}{}", name.to_uppercase()), |set| set.called.clone())
    }

    fn problem(&mut self, setting: String, what: String, mend: String) {
        self.problems.push(Problem { setting, what, mend });
    }

    fn read_file(&mut self, path: &Path) {
        let shown = path.display().to_string();
        let table = match std::fs::read_to_string(path) {
            Ok(text) => match text.parse::<toml::Table>() {
                Ok(table) => table,
                Err(error) => {
                    // The parser's own text may repeat a line with a secret.
                    let line = error.span().map_or(0, |span| text[..span.start].lines().count().max(1));
                    let what = format!("Line {line} is no TOML: {}.", error.message());
                    return self.problem(shown, what, "Write NAME = \"VALUE\", one to a line.".into());
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
            match (plain(value), from_file) {
                (_, true) if table.contains_key(name) => {
                    self.problem(called, format!("'{name}' is set, too."), "Remove one of them.".into());
                }
                (Some(Raw::Text(path)), true) if setting.secret => {
                    self.read_secret(setting.name, called, &path);
                }
                (Some(value), false) => {
                    self.values.insert(setting.name, Set { value, called });
                }
                _ => self.problem(
                    called,
                    "This kind of value cannot be used here.".into(),
                    "Write a text in quotes, a number, true or false, or a list of texts.".into(),
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
                // Where the settings file is: read before this.
                None if lower == "config" => {}
                Some(setting) if from_file && setting.secret => {
                    if variables.contains_key(key.trim_end_matches("_FILE")) {
                        let what = format!("Both {key} and {} are set.", key.trim_end_matches("_FILE"));
                        self.problem(key.clone(), what, "Remove one of them.".into());
                    } else {
                        self.read_secret(setting.name, key.clone(), value);
                    }
                }
                Some(setting) if !from_file => {
                    // A secret is taken as it stands, as from a file: only a line end does not belong to it.
                    let value =
                        if setting.secret { value.trim_end_matches(['\r', '\n']) } else { value.trim() };
                    let set = Set { value: Raw::Text(value.to_owned()), called: key.clone() };
                    self.values.insert(setting.name, set);
                }
                _ => {
                    let mend = format!("Did you mean {PREFIX}{}?", nearest(&lower).to_uppercase());
                    self.problem(key.clone(), "There is no such setting.".into(), mend);
                }
            }
        }
    }

    /// Reads a secret from a file; the line end that editors add does not belong to it.
    fn read_secret(&mut self, name: &'static str, called: String, path: &str) {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let value = Raw::Text(text.trim_end_matches(['\r', '\n']).to_owned());
                self.values.insert(name, Set { value, called });
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

/// An item of a list: a text, or a number such as an id.
fn item(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}
