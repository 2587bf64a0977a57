//! What is known about the keys of a file so far. Only a digest of each key is stored, so that a file with
//! millions of rows needs little memory: 16 bytes a key, with up to 8 bytes of data about it.

use std::hash::{BuildHasher as _, Hash, RandomState};

/// How many parts the keys are divided into. Each part is a sorted list that grows independently, so that
/// no step moves or doubles more than a small part.
const PARTS: usize = 4096;

/// Keys with what is known about each. Two keys have the same digest once in some millions of files with a
/// million rows. Nobody can choose such keys, because every import hashes differently.
pub struct Digests<V> {
    parts: Vec<Vec<(u64, V)>>,
    hasher: RandomState,
}

impl<V> Default for Digests<V> {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| Vec::new()).collect(), hasher: RandomState::new() }
    }
}

impl<V> Digests<V> {
    /// The digest by which this map knows a key.
    pub fn digest(&self, key: impl Hash) -> u64 {
        self.hasher.hash_one(key)
    }

    /// What is known about a digest.
    pub fn get(&self, digest: u64) -> Option<&V> {
        let entries = &self.parts[part(digest)];
        let at = entries.binary_search_by_key(&digest, |(digest, _)| *digest).ok()?;
        Some(&entries[at].1)
    }

    /// What is known about a digest; `value` if nothing was known.
    pub fn get_or_insert(&mut self, digest: u64, value: V) -> &mut V {
        let entries = &mut self.parts[part(digest)];
        let at = match entries.binary_search_by_key(&digest, |(digest, _)| *digest) {
            Ok(at) => at,
            Err(at) => {
                if entries.len() == entries.capacity() {
                    entries.reserve_exact(entries.len() / 8 + 8);
                }
                entries.insert(at, (digest, value));
                at
            }
        };
        &mut entries[at].1
    }
}

/// The part of a digest: the remainder is below the number of parts.
fn part(digest: u64) -> usize {
    usize::try_from(digest % PARTS as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_known_first_of_a_key_stands_until_it_is_changed() {
        let mut digests = Digests::default();
        for row in 0..20_000_u32 {
            for kind in ["login", "email"] {
                let digest = digests.digest((kind, format!("u{row}")));
                assert_eq!(digests.get(digest), None);
                assert_eq!(*digests.get_or_insert(digest, row), row);
            }
        }
        let digest = digests.digest(("login", "u7"));
        assert_eq!((*digests.get_or_insert(digest, 9), digests.get(digest)), (7, Some(&7)));
        *digests.get_or_insert(digest, 9) = 8;
        assert_eq!(digests.get(digest), Some(&8));
        assert_eq!(digests.get(digests.digest(("external_id", "u7"))), None);
    }
}
