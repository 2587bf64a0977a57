//! Ids: each kind a type of its own, so that none stands where another one belongs. They are texts of the
//! database or of a request; whether there is such a user or messenger, the use cases say.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Ids with a text between them.
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
    /// A user's: `UUIDv7`, never shown to Deskpro.
    UserId
    /// A messenger's: its short name, such as `default`.
    MessengerId
    /// A session's: SHA-256, in hex, of the reference that its browser holds.
    SessionDigest
}

const DEFAULT: &str = "default";

impl Default for MessengerId {
    /// The messenger that is there from the beginning, and whose settings the environment can set.
    fn default() -> Self {
        DEFAULT.into()
    }
}

impl MessengerId {
    /// Whether it is that one.
    pub fn is_default(&self) -> bool {
        self.0 == DEFAULT
    }
}
