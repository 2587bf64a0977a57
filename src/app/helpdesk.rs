//! A helpdesk's REST API: whether it can be used, in plain words, and the names behind the ids of rules. Nothing
//! of it is stored here; `desks` connects a helpdesk, and `sync` sends users.

use serde_json::{Map, Value};

use super::catalogue::read_names;
use super::{App, AppError};
use crate::core::catalogue::Catalogue;
use crate::core::finding::{Item, State};
use crate::core::id::MessengerId;
use crate::core::mapping::{Refusal, RefusalCode};
use crate::core::origin::Origin;
use crate::core::person;
use crate::core::user::Login;
use crate::deskpro::{Access, Client, Error};

/// The parts of a test, in their order.
const PARTS: [&str; 3] = ["helpdesk", "api-key", "people"];

impl App {
    /// The helpdesk that serves a messenger.
    pub fn helpdesk(&self, messenger: &MessengerId) -> Result<Origin, AppError> {
        let deployment = self.messenger(messenger)?.deployment;
        deployment.map(|deployment| Origin::of(&deployment.deskpro_url)).ok_or_else(|| {
            AppError::Refused(format!(
                "The messenger '{messenger}' has no helpdesk yet. Enter Deskpro's values first: in the console under \
                 Messengers, or with `countersign messenger set {messenger} deskpro_url=…`. A test also takes \
                 --origin https://support.example.com"
            ))
        })
    }

    /// What Deskpro's API would be told about a user, by the published mapping of a messenger. `NoToken` for a user about
    /// whom nothing may be said.
    pub fn person_at_helpdesk(
        &self,
        login: &Login,
        messenger: &MessengerId,
    ) -> Result<Map<String, Value>, AppError> {
        let user = self.user(login)?;
        if user.disabled {
            return Err(AppError::NoToken(Refusal::new(RefusalCode::Disabled)));
        }
        let description = self.issuer(messenger, None)?.describe(&user);
        match description.refusal {
            Some(refusal) => Err(AppError::NoToken(refusal)),
            None => Ok(person::input(&description.person)),
        }
    }

    /// Tries a helpdesk's API, one part after the other, until one fails. Creates and changes nothing there.
    pub fn test_helpdesk(access: &Access) -> Vec<Item> {
        let mut items = Vec::new();
        if let Err((part, error)) = tried(access, &mut items) {
            items.push(Item::new(PARTS[part], State::Bad, advice(part, &error)));
        }
        items
    }

    /// The names that a helpdesk gives to ids.
    pub fn names_at_helpdesk(access: &Access) -> Result<Catalogue, AppError> {
        // The key is sent only to a server that says it is Deskpro.
        let known = Client::new(access).and_then(|client| client.discover().map(|_| client));
        let client = known.map_err(|error| AppError::Refused(advice(0, &error)))?;
        let refused = |error: &Error| AppError::Refused(advice(1, error));
        let given =
            read_names(|list, page| client.names(list, page).map(Ok).map_err(|error| refused(&error)))?;
        Ok(given.names)
    }
}

/// Adds what works; fails with the part that does not.
fn tried(access: &Access, items: &mut Vec<Item>) -> Result<(), (usize, Error)> {
    let mut good = |part: usize, what: String| items.push(Item::new(PARTS[part], State::Good, what));
    let client = Client::new(access).map_err(|error| (0, error))?;
    let found = client.discover().map_err(|error| (0, error))?;
    let build = found.build.map(|build| format!(", build {build}")).unwrap_or_default();
    good(0, format!("{} is Deskpro{build}.", access.origin.as_str()));
    let agent = client.me().map_err(|error| (1, error))?;
    good(1, format!("The key belongs to the agent {} (person {}).", agent.name, agent.id));
    // `invalid` is reserved (RFC 2606): nobody has this address.
    client.people_by_address("nobody@countersign.invalid").map_err(|error| (2, error))?;
    good(2, "The agent may search people.".into());
    Ok(())
}

/// What is wrong, and what to do about it.
fn advice(part: usize, error: &Error) -> String {
    let advice = match error {
        Error::NotAllowed(_) | Error::Refused { .. } => "",
        Error::Unreachable(_) => " Check the address, and whether this machine may reach it.",
        Error::Lost(_) | Error::Server(_) => " Try again in a moment.",
        // No key was sent yet.
        Error::KeyRefused(_) | Error::Forbidden(_) if part == 0 => {
            return "Something in front of the helpdesk asks for a login, or refuses this machine. The API must be \
                    reachable without it."
                .into();
        }
        Error::KeyRefused(_) => " Copy the key again from Deskpro: Admin, Apps & Integrations, API Keys.",
        Error::Forbidden(_) => " In Deskpro, give the agent of the key the permission to manage users.",
        Error::NotFound(_) if part == 0 => " Use the address of the helpdesk, without a path.",
        Error::NotFound(_) => " This Deskpro may be too old for version 2 of the API.",
        Error::Paused { wait: Some(wait), .. } => {
            return format!("{error} Try again in {} seconds.", wait.as_secs());
        }
        Error::Paused { .. } => " Deskpro does not say for how long. Try again in an hour.",
        Error::NotDeskpro(_) => {
            " Check the address, and whether a proxy or a login page answers instead of Deskpro."
        }
    };
    format!("{error}{advice}")
}
