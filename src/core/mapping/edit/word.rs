//! Sentences for people, word by word: what a claim is called, and what is said of rules.

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Said by us.
    Plain(String),
    /// The name of an attribute.
    Attribute(String),
    /// A text of the mapping.
    Value(String),
}

/// What a claim is called, whatever stands there.
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

/// A sentence as one text: names as they are, texts of the mapping in quotes.
pub fn plain(words: &[Word]) -> String {
    let piece = |word: &Word| match word {
        Word::Plain(text) | Word::Attribute(text) => text.clone(),
        Word::Value(text) => format!("“{text}”"),
    };
    words.iter().map(piece).collect()
}

/// How many of a table's rows or of other texts are told.
const TOLD: usize = 3;

/// A sentence that is being said.
#[derive(Default)]
pub struct Words(pub(super) Vec<Word>);

impl Words {
    /// Says something of our own.
    pub fn plain(&mut self, text: &str) {
        if let Some(Word::Plain(last)) = self.0.last_mut() {
            last.push_str(text);
        } else {
            self.0.push(Word::Plain(text.to_owned()));
        }
    }

    /// Says a text of the mapping.
    pub fn value(&mut self, text: &str) {
        self.0.push(Word::Value(text.to_owned()));
    }

    /// Says the name of an attribute.
    pub fn attribute(&mut self, name: &str) {
        if name.is_empty() {
            self.plain("no attribute yet");
        } else {
            self.0.push(Word::Attribute(name.to_owned()));
        }
    }

    /// Says a few of several things, and how many more there are. `last` is said before the last one.
    pub fn some<T>(&mut self, things: &[T], last: &str, mut say: impl FnMut(&mut Self, &T)) {
        for (i, thing) in things.iter().take(TOLD).enumerate() {
            if i > 0 {
                self.plain(if i + 1 == things.len() { last } else { ", " });
            }
            say(self, thing);
        }
        if things.len() > TOLD {
            self.plain(&format!(" and {} more", things.len() - TOLD));
        }
    }
}
