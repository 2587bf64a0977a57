//! The claims a rule can feed, and what each of them can hold (`mapping.md` section 2 and 3.1).

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::core::address::Address;
use crate::core::mapping::apply::reason::Why;
use crate::core::zone;

/// A claim of the payload, or one field of its `fields`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// `deskpro_id`, an identifier.
    DeskproId,
    /// `email`, an identifier.
    Email,
    /// `emails`, a list, also identifiers.
    Emails,
    /// `name`.
    Name,
    /// `first_name`.
    FirstName,
    /// `last_name`.
    LastName,
    /// `organization_id`.
    OrganizationId,
    /// `language_id`.
    LanguageId,
    /// `usergroup_ids`, a list.
    UsergroupIds,
    /// `timezone`.
    Timezone,
    /// `labels`, a list.
    Labels,
    /// `fields.N`, one string.
    Field(String),
    /// `fields.N[]`, a list.
    FieldList(String),
}

impl Claim {
    /// Reads a claim as a rule writes it, case-sensitive.
    pub fn parse(text: &str) -> Option<Claim> {
        Some(match text {
            "deskpro_id" => Claim::DeskproId,
            "email" => Claim::Email,
            "emails" => Claim::Emails,
            "name" => Claim::Name,
            "first_name" => Claim::FirstName,
            "last_name" => Claim::LastName,
            "organization_id" => Claim::OrganizationId,
            "language_id" => Claim::LanguageId,
            "usergroup_ids" => Claim::UsergroupIds,
            "timezone" => Claim::Timezone,
            "labels" => Claim::Labels,
            other => {
                let field = other.strip_prefix("fields.")?;
                let id = field.strip_suffix("[]").unwrap_or(field);
                if !is_id(id) {
                    return None;
                }
                if id.len() == field.len() {
                    Claim::Field(id.to_owned())
                } else {
                    Claim::FieldList(id.to_owned())
                }
            }
        })
    }

    /// Whether it takes a list, and any number of rules.
    pub fn is_list(&self) -> bool {
        use Claim::{Emails, FieldList, Labels, UsergroupIds};
        matches!(self, Emails | UsergroupIds | Labels | FieldList(_))
    }

    /// Whether it decides who the user is for Deskpro.
    pub fn is_identifier(&self) -> bool {
        matches!(self, Claim::DeskproId | Claim::Email | Claim::Emails)
    }

    /// The other form of the same field: a field is one string or a list, not both.
    pub(crate) fn excludes(&self) -> Option<Claim> {
        match self {
            Claim::Field(id) => Some(Claim::FieldList(id.clone())),
            Claim::FieldList(id) => Some(Claim::Field(id.clone())),
            _ => None,
        }
    }

    /// The string in the form that the claim needs, or why it is not valid. The string is trimmed and not
    /// blank.
    pub(crate) fn hold<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, Why> {
        match self {
            Claim::DeskproId | Claim::OrganizationId | Claim::LanguageId | Claim::UsergroupIds
                if !is_id(text) =>
            {
                Err(Why::NotAnId)
            }
            Claim::UsergroupIds if text == "1" || text == "2" => Err(Why::ImpliedGroup),
            Claim::Email | Claim::Emails => match Address::parse(text) {
                Ok(address) => Ok(address.into_ascii().into()),
                Err(_) => Err(Why::NotAnAddress),
            },
            Claim::Timezone => zone::named(text).map(Cow::Borrowed).ok_or(Why::NotATimezone),
            _ => Ok(text.into()),
        }
    }

    /// The key that is equal for two items of the list that are the same.
    pub(crate) fn key<'a>(&self, item: &'a str) -> Cow<'a, str> {
        match self {
            Claim::Emails => item.to_ascii_lowercase().into(),
            _ => item.into(),
        }
    }
}

/// Whether a string has the form of a Deskpro id: 1 to 18 ASCII digits, the first not 0.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=18).contains(&text.len()) && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Claim {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Claim::DeskproId => "deskpro_id",
            Claim::Email => "email",
            Claim::Emails => "emails",
            Claim::Name => "name",
            Claim::FirstName => "first_name",
            Claim::LastName => "last_name",
            Claim::OrganizationId => "organization_id",
            Claim::LanguageId => "language_id",
            Claim::UsergroupIds => "usergroup_ids",
            Claim::Timezone => "timezone",
            Claim::Labels => "labels",
            Claim::Field(id) => return write!(out, "fields.{id}"),
            Claim::FieldList(id) => return write!(out, "fields.{id}[]"),
        })
    }
}

impl Serialize for Claim {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}
