//! Ids: each kind has its own type, so that no id can be used in place of another kind. They are strings
//! from the database or a request; the use cases check whether such a user or messenger exists.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Ids with a separator between them.
pub fn join_ids<T: AsRef<str>>(ids: &[T], between: &str) -> String {
    ids.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(between)
}

macro_rules! ids {
    ($($(#[$meaning:meta])* $name:ident)*) => {
        $(
            $(#[$meaning])*
            #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $name(String);

            impl $name {
                /// The id as it is stored.
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }

            impl From<String> for $name {
                fn from(text: String) -> Self {
                    Self(text)
                }
            }

            impl From<&str> for $name {
                fn from(text: &str) -> Self {
                    Self(text.to_owned())
                }
            }

            impl AsRef<str> for $name {
                fn as_ref(&self) -> &str {
                    &self.0
                }
            }

            impl Borrow<str> for $name {
                fn borrow(&self) -> &str {
                    &self.0
                }
            }

            impl PartialEq<str> for $name {
                fn eq(&self, text: &str) -> bool {
                    self.0 == text
                }
            }

            impl PartialEq<&str> for $name {
                fn eq(&self, text: &&str) -> bool {
                    self.0 == *text
                }
            }
        )*
    };
}

ids! {
    /// The id of a desk, which is one helpdesk with its API key.
    DeskId
    /// The id of a user: `UUIDv7`, never shown to Deskpro.
    UserId
    /// The id of a messenger: its short name, such as `default`.
    MessengerId
    /// The id of a session: SHA-256, in hex, of the reference that its browser holds.
    SessionDigest
}

impl Default for DeskId {
    /// No desk has it.
    fn default() -> Self {
        "".into()
    }
}

const DEFAULT: &str = "default";

impl Default for MessengerId {
    /// The messenger that exists from the start, and whose settings the environment can set.
    fn default() -> Self {
        DEFAULT.into()
    }
}

impl MessengerId {
    /// Whether it is the default messenger.
    pub fn is_default(&self) -> bool {
        self.0 == DEFAULT
    }
}
