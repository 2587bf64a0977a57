//! Where entries are kept: bounded by bytes, those that were used least recently go first.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Entry, Presented, Wanted};

/// Parts of the memory, each behind its own lock.
const SHARDS: usize = 16;

/// All entries of this process.
pub struct Entries {
    shards: Vec<Mutex<Shard>>,
    /// The most bytes in one half of a shard.
    most: usize,
}

/// Entries that were used lately, and those that were used before. If the first are too many, they become the
/// second, and the second are forgotten.
#[derive(Default)]
struct Shard {
    lately: HashMap<Presented, Vec<Arc<Entry>>>,
    before: HashMap<Presented, Vec<Arc<Entry>>>,
    /// Of those that were used lately.
    bytes: usize,
    bytes_before: usize,
}

impl Entries {
    /// Room for this many bytes.
    pub fn new(bytes: usize) -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), most: bytes / SHARDS / 2 }
    }

    fn shard(&self, presented: &Presented) -> &Mutex<Shard> {
        &self.shards[usize::from(presented[0]) % SHARDS]
    }

    /// The entry of a credential for a request.
    pub(super) fn find(&self, presented: &Presented, wanted: &Wanted<'_>) -> Option<Arc<Entry>> {
        let mut shard = self.shard(presented).lock();
        if let Some(entries) = shard.lately.get(presented) {
            return entries.iter().find(|entry| entry.is_for(wanted)).cloned();
        }
        let entries = shard.before.remove(presented)?;
        shard.bytes_before -= weight(&entries);
        let found = entries.iter().find(|entry| entry.is_for(wanted)).cloned();
        shard.put(*presented, entries, self.most);
        found
    }

    /// Remembers an entry in place of the one for the same request.
    pub(super) fn put(&self, presented: &Presented, entry: Entry) {
        let mut shard = self.shard(presented).lock();
        let mut entries = shard.take(presented);
        entries.retain(|known| !known.is_same_request(&entry));
        // More variants than a page has are no page's.
        entries.truncate(7);
        entries.insert(0, Arc::new(entry));
        shard.put(*presented, entries, self.most);
    }

    /// How many bytes are remembered.
    pub fn bytes(&self) -> usize {
        let of = |shard: &Shard| shard.bytes + shard.bytes_before;
        self.shards.iter().map(|shard| of(&shard.lock())).sum()
    }
}

impl Shard {
    fn take(&mut self, presented: &Presented) -> Vec<Arc<Entry>> {
        if let Some(entries) = self.lately.remove(presented) {
            self.bytes -= weight(&entries);
            return entries;
        }
        let entries = self.before.remove(presented).unwrap_or_default();
        if !entries.is_empty() {
            self.bytes_before -= weight(&entries);
        }
        entries
    }

    fn put(&mut self, presented: Presented, entries: Vec<Arc<Entry>>, most: usize) {
        let bytes = weight(&entries);
        if self.bytes + bytes > most {
            self.before = std::mem::take(&mut self.lately);
            self.bytes_before = std::mem::take(&mut self.bytes);
        }
        self.bytes += bytes;
        self.lately.insert(presented, entries);
    }
}

/// About how many bytes the entries of one credential take, their place in the map included.
fn weight(entries: &[Arc<Entry>]) -> usize {
    let of = |entry: &Arc<Entry>| {
        size_of::<Entry>()
            + entry.prepared.bytes()
            // For tokens, one text is shared by all.
            + if entry.page.is_some() { entry.described.len() } else { 0 }
            + entry.shown.as_ref().map_or(0, String::len)
    };
    160 + entries.iter().map(of).sum::<usize>()
}
