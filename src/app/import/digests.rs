//! Which keys a file has named so far. Of a key only a digest is remembered, so that a file with
//! millions of rows needs little memory: 16 bytes a key.

use std::hash::{BuildHasher as _, RandomState};

/// How many parts the keys are divided into. Each is a sorted list that grows by itself, so that no
/// step moves or doubles more than a small part.
const PARTS: usize = 4096;

struct Entry {
    digest: u64,
    row: u32,
    line: u32,
}

/// Keys with the row and line where each stands. Two keys have the same digest once in some millions
/// of files with a million rows; nobody can choose such keys, because every import hashes differently.
pub(super) struct Digests {
    parts: Vec<Vec<Entry>>,
    hasher: RandomState,
}

impl Default for Digests {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| Vec::new()).collect(), hasher: RandomState::new() }
    }
}

impl Digests {
    /// Remembers a key of a kind and the (row, line) where it stands; or says where it stood first.
    pub fn insert(&mut self, kind: &str, key: &str, place: (usize, usize)) -> Option<(usize, usize)> {
        let digest = self.hasher.hash_one((kind, key));
        // The remainder is below the number of parts.
        let entries = &mut self.parts[usize::try_from(digest % PARTS as u64).unwrap_or_default()];
        match entries.binary_search_by_key(&digest, |entry| entry.digest) {
            Ok(found) => Some((entries[found].row as usize, entries[found].line as usize)),
            Err(at) => {
                if entries.len() == entries.capacity() {
                    entries.reserve_exact(entries.len() / 8 + 8);
                }
                let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
                entries.insert(at, Entry { digest, row: number(place.0), line: number(place.1) });
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_again_where_it_stood_first() {
        let mut digests = Digests::default();
        for row in 0..20_000 {
            assert_eq!(digests.insert("login", &format!("u{row}"), (row, row + 1)), None);
            assert_eq!(digests.insert("email", &format!("u{row}"), (row, row + 1)), None);
        }
        assert_eq!(digests.insert("login", "u7", (9, 9)), Some((7, 8)));
        assert_eq!(digests.insert("external_id", "u7", (9, 9)), None);
    }
}
