//! Sentences for people, word by word: the titles of claims, and descriptions of rules.

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Our own words.
    Plain(String),
    /// The name of an attribute.
    Attribute(String),
    /// A value from the mapping.
    Value(String),
}

/// The title of a claim, for any string.
pub fn title(claim: &str) -> String {
    let fixed = match claim {
        "deskpro_id" => "Deskpro person",
        "email" => "Email address",
        "emails" => "Further email addresses",
        "name" => "Full name",
        "first_name" => "First name",
        "last_name" => "Last name",
        "organization_id" => "Organization",
        "language_id" => "Language",
        "usergroup_ids" => "Groups",
        "timezone" => "Time zone",
        "labels" => "Labels",
        "" => "No claim yet",
        other => {
            return match other.strip_prefix("fields.") {
                Some(field) => format!("Field {}", field.strip_suffix("[]").unwrap_or(field)),
                None => other.to_owned(),
            };
        }
    };
    fixed.to_owned()
}

/// A sentence as one string: names unchanged, values from the mapping in quotes.
pub fn plain(words: &[Word]) -> String {
    let piece = |word: &Word| match word {
        Word::Plain(text) | Word::Attribute(text) => text.clone(),
        Word::Value(text) => format!("“{text}”"),
    };
    words.iter().map(piece).collect()
}

/// How many rows of a table, or other values, a sentence lists.
const LISTED: usize = 3;

/// A sentence that is being built.
#[derive(Default)]
pub struct Words(pub(super) Vec<Word>);

impl Words {
    /// Adds our own words.
    pub fn plain(&mut self, text: &str) {
        if let Some(Word::Plain(last)) = self.0.last_mut() {
            last.push_str(text);
        } else {
            self.0.push(Word::Plain(text.to_owned()));
        }
    }

    /// Adds a value from the mapping.
    pub fn value(&mut self, text: &str) {
        self.0.push(Word::Value(text.to_owned()));
    }

    /// Adds the name of an attribute.
    pub fn attribute(&mut self, name: &str) {
        if name.is_empty() {
            self.plain("no attribute yet");
        } else {
            self.0.push(Word::Attribute(name.to_owned()));
        }
    }

    /// Adds a few of several things, and how many more there are. `last` is put before the last one.
    pub fn some<T>(&mut self, things: &[T], last: &str, mut say: impl FnMut(&mut Self, &T)) {
        for (i, thing) in things.iter().take(LISTED).enumerate() {
            if i > 0 {
                self.plain(if i + 1 == things.len() { last } else { ", " });
            }
            say(self, thing);
        }
        if things.len() > LISTED {
            self.plain(&format!(" and {} more", things.len() - LISTED));
        }
    }
}
