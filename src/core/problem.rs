//! What somebody can put right: where it stands, what is wrong there, and what to do.

use std::fmt;

use serde::{Serialize, Serializer};

/// Something that is wrong. `P` says where: a setting, a cell of a file, a user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem<P> {
    /// Where it is.
    pub place: P,
    /// What is wrong, in sentences.
    pub what: String,
    /// What to do, as a sentence; `None` where [`Problem::what`] says it already.
    pub fix: Option<String>,
    /// The stable word of the API, where it has one.
    pub code: Option<&'static str>,
}

impl<P> Problem<P> {
    /// A problem whose text says what to do.
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

/// As an object: the place's own keys, `message`, and `code` where there is one.
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
