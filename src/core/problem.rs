//! A problem that a person can fix: where it is, what is wrong, and what to do.

use std::fmt;

use serde::{Serialize, Serializer};

/// Something that is wrong. `P` says where: a setting, a cell of a file, a user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem<P> {
    /// Where it is.
    pub place: P,
    /// What is wrong, in sentences.
    pub what: String,
    /// What to do, as a sentence; `None` if [`Problem::what`] already says it.
    pub fix: Option<String>,
    /// The stable word of the API, if it has one.
    pub code: Option<&'static str>,
}

impl<P> Problem<P> {
    /// A problem whose message says what to do.
    pub fn new(place: P, what: impl Into<String>) -> Self {
        Self { place, what: what.into(), fix: None, code: None }
    }

    /// What is wrong, and what to do.
    pub fn message(&self) -> String {
        match &self.fix {
            Some(fix) => format!("{} {fix}", self.what),
            None => self.what.clone(),
        }
    }
}

impl<P: fmt::Display> fmt::Display for Problem<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message())
    }
}

/// As an object: the keys of the place, `message`, and `code` if there is one.
impl<P: Serialize> Serialize for Problem<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Object<'a, P> {
            #[serde(flatten)]
            place: &'a P,
            message: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            code: Option<&'static str>,
        }
        Object { place: &self.place, message: self.message(), code: self.code }.serialize(serializer)
    }
}
