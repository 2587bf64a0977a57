//! Several servers on one database must have the same settings. Otherwise the server that answers would
//! determine whether a blocked user gets a token, and which key signs it. Each server stores digests of
//! its settings and compares them with those of the others.

use std::collections::{BTreeMap, HashMap};

use parking_lot::Mutex;

use super::{App, AppError, clock};
use crate::core::secret::{hex, keyed_digest};
use crate::core::throttle::DAY;
use crate::store::instances::{self, Instance};

/// A server that has written its entry within this time is considered to be running (seconds). Three
/// times the interval between two writes.
const RUNNING: i64 = 180;

/// What this process knows about the other servers.
pub(super) struct Others {
    /// The ID of this process.
    id: String,
    looked: Mutex<Looked>,
}

#[derive(Default)]
struct Looked {
    /// When each server was last active, by its own clock.
    seen: HashMap<String, i64>,
    /// What was reported last.
    said: Option<String>,
}

impl Default for Others {
    fn default() -> Self {
        Self { id: clock::new_id(), looked: Mutex::default() }
    }
}

impl App {
    /// Records that this server is running, and reports if other servers have different settings; logs
    /// it, once until that changes. A server is included if it has written since the previous check: clocks
    /// of two machines are not compared.
    pub fn compare_instances(&self) -> Result<Option<String>, AppError> {
        let (now, others) = (self.now(), &self.0.others);
        let own = self.digests();
        let settings = serde_json::to_string(&own).unwrap_or_default();
        let found = self.store().write(now, |tx| {
            instances::sweep(tx, now - DAY, now + DAY)?;
            instances::put(
                tx,
                &Instance { id: others.id.clone(), settings: settings.clone(), seen_at: now },
            )?;
            instances::all(tx)
        })?;
        let mut looked = others.looked.lock();
        let before = std::mem::take(&mut looked.seen);
        looked.seen = found.iter().map(|it| (it.id.clone(), it.seen_at)).collect();
        let running: Vec<Instance> = found
            .into_iter()
            .filter(|it| it.id != others.id && before.get(&it.id).is_some_and(|seen| *seen != it.seen_at))
            .collect();
        let text = differences(&own, &running);
        if text != looked.said {
            if let Some(text) = &text {
                tracing::warn!("{text}");
            } else {
                tracing::info!("All servers on this database have the same settings again.");
            }
            looked.said.clone_from(&text);
        }
        Ok(text)
    }

    /// Removes this server's entry, because it stops.
    pub fn leave_instances(&self) -> Result<(), AppError> {
        Ok(self.store().write(self.now(), |tx| instances::remove(tx, &self.0.others.id))?)
    }

    /// The message if running servers have settings different from this process.
    pub(super) fn instances_apart(&self) -> Result<Option<String>, AppError> {
        let now = self.now();
        let mut running = self.store().read(|db| instances::all(db))?;
        running.retain(|it| it.id != self.0.others.id && (it.seen_at - now).abs() <= RUNNING);
        Ok(differences(&self.digests(), &running))
    }

    /// Digests of the settings that all servers must share, by name. Keyed with the master key, so that
    /// a person who can read the database cannot test guesses of a short signing key.
    fn digests(&self) -> BTreeMap<String, String> {
        let settings = self.settings();
        let key = settings.signing_key.as_ref().map(|key| hex(key.expose())).unwrap_or_default();
        let mut texts: Vec<(&str, &str)> = vec![("signing_key", &key)];
        texts.extend(settings.common.iter().map(|(name, text)| (*name, text.as_str())));
        let digest = |name, text| keyed_digest(&self.0.keys.instances, &[name, text])[..16].to_owned();
        texts.into_iter().map(|(name, text)| (name.to_owned(), digest(name, text))).collect()
    }
}

/// The message about servers whose settings differ from our own.
fn differences(own: &BTreeMap<String, String>, others: &[Instance]) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    let mut differ = 0;
    for other in others {
        let theirs: BTreeMap<String, String> = serde_json::from_str(&other.settings).unwrap_or_default();
        // A setting that only one of two program versions has cannot be compared.
        let apart = own.iter().filter(|(name, digest)| theirs.get(*name).is_some_and(|it| it != *digest));
        let before = names.len();
        names.extend(apart.map(|(name, _)| name.as_str()));
        differ += usize::from(names.len() > before);
    }
    if names.is_empty() {
        return None;
    }
    names.sort_unstable();
    names.dedup();
    let names: Vec<String> =
        names.iter().map(|name| format!("COUNTERSIGN_{}", name.to_uppercase())).collect();
    let who = match (differ, others.len()) {
        (1, 1) => "Another server on this database has different values".to_owned(),
        (1, all) => format!("Of {all} other servers on this database, 1 has different values"),
        (differ, all) => format!("Of {all} other servers on this database, {differ} have different values"),
    };
    Some(format!(
        "{who} for {}. Give all servers the same settings. Until then, who gets a token, and what it contains, depends on the server that answers.",
        names.join(", ")
    ))
}
