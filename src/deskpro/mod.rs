//! Deskpro's REST API, version 2: people, and the names of groups, languages, organizations and fields. It does not decide
//! what a person should be, and it repeats no request; `pace` says when one may be sent.
//!
//! Email addresses of users are sent only in bodies, because proxies log URLs.

mod catalogue;
mod error;
mod http;
mod pace;
mod people;

use std::time::Duration;

use secrecy::SecretString;

use crate::core::origin::Origin;

pub use catalogue::{List, Named};
pub use error::{Error, Problem};
pub use pace::{Budget, Pace, Ticket, Turn};
pub use people::{Person, PersonId};

use http::Connection;

/// Where a helpdesk is, and how it is reached.
pub struct Access {
    /// Where it is: `https://support.example.com`.
    pub origin: Origin,
    /// The API key as Deskpro shows it: a number, a colon, and the code. It has the rights of one agent.
    pub key: SecretString,
    /// Whether it may be on this machine or in a private network, and be reached without TLS.
    pub is_private: bool,
    /// The time for a whole request; [`TOTAL`] unless a test is in a hurry.
    pub total: Duration,
}

/// The usual time for a whole request.
pub const TOTAL: Duration = Duration::from_secs(30);

/// A helpdesk's API. It may be used by several threads at once.
pub struct Client {
    connection: Connection,
}

/// What an origin says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovered {
    /// The URL of the helpdesk, as Deskpro has it.
    pub helpdesk_url: Option<String>,
    /// Deskpro's build.
    pub build: Option<String>,
}

/// The agent whose rights a key has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// The agent's number.
    pub id: PersonId,
    /// The agent's name.
    pub name: String,
}

impl Client {
    /// The API of a helpdesk. Nothing is sent.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] for an origin without TLS, or a key that cannot be sent in a header.
    pub fn new(access: &Access) -> Result<Self, Error> {
        Ok(Self { connection: Connection::new(access)? })
    }

    /// What the origin says about itself; sent without the key.
    ///
    /// # Errors
    /// [`Error::NotDeskpro`] if it is something else.
    pub fn discover(&self) -> Result<Discovered, Error> {
        let data = self.connection.get_without_key("helpdesk/discover")?.data;
        if data.get("is_deskpro").and_then(serde_json::Value::as_bool) != Some(true) {
            return Err(Error::NotDeskpro("the answer does not say that it is Deskpro".into()));
        }
        let text = |name: &str| match data.get(name)? {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Ok(Discovered { helpdesk_url: text("helpdesk_url"), build: text("build") })
    }

    /// The agent whose rights the key has.
    ///
    /// # Errors
    /// [`Error::KeyRefused`] if Deskpro does not know the key.
    pub fn me(&self) -> Result<Agent, Error> {
        let data = self.connection.get("me")?.data;
        // The agent itself, or below `person`.
        let person = data.get("person").unwrap_or(&data);
        let person = Person::read(person)?;
        Ok(Agent { id: person.id, name: person.name.unwrap_or_default() })
    }
}
