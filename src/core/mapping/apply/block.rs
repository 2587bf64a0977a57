//! The block list: people whom no token may name. This is important for the company's own staff, because
//! Deskpro treats the holder of a token as the owner of the address or id in it.

use std::collections::HashSet;

use crate::core::address::{Address, domain_in_ascii};
use crate::core::mapping::claim::is_id;

/// Addresses, domains with their subdomains, and ids of Deskpro people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockList {
    addresses: HashSet<String>,
    domains: HashSet<String>,
    ids: HashSet<String>,
}

/// An entry that is not one of the three.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the block list contains {0:?}, which is not an address, a domain or a Deskpro id")]
pub struct BadEntry(pub String);

impl BlockList {
    /// Reads entries such as `bob@example.com`, `example.com` and `42`; blank ones are skipped.
    pub fn parse<T: AsRef<str>>(entries: &[T]) -> Result<BlockList, BadEntry> {
        let mut list = BlockList::default();
        for entry in entries {
            let entry = entry.as_ref().trim();
            if is_id(entry) {
                list.ids.insert(entry.to_owned());
            } else if let Ok(address) = Address::parse(entry) {
                list.addresses.insert(address.folded());
            } else if let Some(domain) = domain_in_ascii(entry) {
                list.domains.insert(domain);
            } else if !entry.is_empty() {
                return Err(BadEntry(entry.to_owned()));
            }
        }
        Ok(list)
    }

    /// Both lists combined.
    #[must_use]
    pub fn with(mut self, other: &BlockList) -> BlockList {
        self.addresses.extend(other.addresses.iter().cloned());
        self.domains.extend(other.domains.iter().cloned());
        self.ids.extend(other.ids.iter().cloned());
        self
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.domains.is_empty() && self.ids.is_empty()
    }

    /// Whether it contains the id of this Deskpro person.
    pub fn blocks_id(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Whether it contains this address, its domain, or a parent of that domain.
    pub fn blocks_address(&self, address: &Address) -> bool {
        let mut domain = Some(address.domain());
        while let Some(name) = domain {
            if self.domains.contains(name) {
                return true;
            }
            domain = name.split_once('.').map(|(_, above)| above);
        }
        self.addresses.contains(&address.folded())
    }
}
