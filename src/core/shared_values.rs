//! Values that only one user may have, and that several would have: addresses, and ids of people at Deskpro. Found before
//! anybody is signed in or sent, because Deskpro would take the users for one person.

use std::collections::{HashMap, HashSet};

use sha2::{Digest as _, Sha256};

use super::sync::Conflict;

/// Half of the SHA-256 of a value: nobody can make two values that look the same.
type Half = [u8; 16];

/// The values of all users, as digests, so that the memory is small.
#[derive(Default)]
pub struct SharedValues {
    all: HashSet<Half>,
    /// Who has the values that several have: logins.
    shared: HashMap<Half, Vec<String>>,
}

fn half(value: &str) -> Half {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(value.to_lowercase())[..16]);
    half
}

impl SharedValues {
    /// Notes that a user has a value.
    pub fn add(&mut self, value: &str) {
        let half = half(value);
        if !self.all.insert(half) {
            self.shared.entry(half).or_default();
        }
    }

    /// Whether several users have one.
    pub fn is_any_shared(&self) -> bool {
        !self.shared.is_empty()
    }

    /// Notes who has a value, if several have it.
    pub fn name(&mut self, value: &str, login: &str) {
        if let Some(logins) = self.shared.get_mut(&half(value)) {
            logins.push(login.to_owned());
        }
    }

    /// Whether a user has a value.
    pub fn has(&self, value: &str) -> bool {
        self.all.contains(&half(value))
    }

    /// Another user who has the same value; empty if that is not known by name.
    pub fn other(&self, value: &str, login: &str) -> Option<String> {
        let logins = self.shared.get(&half(value))?;
        Some(logins.iter().find(|known| *known != login).cloned().unwrap_or_default())
    }

    /// Why a user is not certain because of other users' addresses; `others` are the user's further addresses.
    pub fn conflict(&self, login: &str, address: Option<&String>, others: &[String]) -> Option<Conflict> {
        if let Some(other) = address.and_then(|address| self.other(address, login)) {
            return Some(Conflict::SameAddress { login: other });
        }
        // The user's own address is never among them.
        others.iter().any(|other| self.has(other)).then_some(Conflict::OthersAddress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_two_is_found_however_it_is_written() {
        let users = [("ana", "Ana@example.com"), ("ben", "ben@example.com"), ("anna", "aNA@EXAMPLE.com")];
        let mut values = SharedValues::default();
        users.iter().for_each(|(_, address)| values.add(address));
        assert!(values.is_any_shared());
        users.iter().for_each(|(login, address)| values.name(address, login));
        let of = |login: &str, address: &str, others: &[&str]| {
            let others: Vec<String> = others.iter().map(|it| (*it).to_owned()).collect();
            values.conflict(login, Some(&address.to_owned()), &others)
        };
        assert_eq!(of("ana", users[0].1, &[]), Some(Conflict::SameAddress { login: "anna".into() }));
        assert_eq!(of("anna", users[2].1, &[]), Some(Conflict::SameAddress { login: "ana".into() }));
        assert_eq!(of("ben", users[1].1, &["x@example.com"]), None);
        assert_eq!(of("ben", users[1].1, &["ANA@example.com"]), Some(Conflict::OthersAddress));
    }
}
