//! Addresses that more than one user would have at a helpdesk: found before anybody is sent, because Deskpro would give the
//! person to whoever comes first.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use crate::core::sync::Conflict;

/// The addresses of all users, as the mapping describes them. Only digests are kept, so that the memory is small.
#[derive(Default)]
pub(super) struct SharedAddresses {
    hasher: RandomState,
    /// The address of each user, as a digest.
    primary: HashSet<u64>,
    /// The users of addresses that several have: their logins by the digest.
    shared: HashMap<u64, Vec<String>>,
}

impl SharedAddresses {
    fn digest(&self, address: &str) -> u64 {
        self.hasher.hash_one(address.to_lowercase())
    }

    /// Notes that a user has an address.
    pub fn add(&mut self, address: &str) {
        let digest = self.digest(address);
        if !self.primary.insert(digest) {
            self.shared.entry(digest).or_default();
        }
    }

    /// Whether several users have one.
    pub fn is_any_shared(&self) -> bool {
        !self.shared.is_empty()
    }

    /// Notes who has an address, if several have it.
    pub fn name(&mut self, address: &str, login: &str) {
        let digest = self.digest(address);
        if let Some(logins) = self.shared.get_mut(&digest) {
            logins.push(login.to_owned());
        }
    }

    /// Why a user cannot be sent, if it is because of another user's address.
    pub fn conflict(&self, login: &str, address: Option<&String>, others: &[String]) -> Option<Conflict> {
        if let Some(logins) = address.and_then(|address| self.shared.get(&self.digest(address))) {
            let other = logins.iter().find(|known| *known != login).cloned().unwrap_or_default();
            return Some(Conflict::SameAddress { login: other });
        }
        // The user's own address is never among them.
        let is_somebodys = |other: &&String| self.primary.contains(&self.digest(other));
        others.iter().find(is_somebodys).map(|_| Conflict::OthersAddress)
    }
}
