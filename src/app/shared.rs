//! What all tokens of a messenger depend on: its settings, its mapping, the attributes and its key. Read once,
//! and again when one of it changes.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::counts::Issued;
use super::desks::{desk_of, origin_of};
use super::signing_keys::OpenKey;
use super::{App, AppError, freshness};
use crate::core::attribute::Definitions;
use crate::core::catalogue::Catalogue;
use crate::core::desk::Desk;
use crate::core::id::MessengerId;
use crate::core::mapping::{Finding, Mapping};
use crate::core::messenger::{Messenger, Platform};
use crate::core::origin::Origin;
use crate::core::user::At;
use crate::store::{self, Sql};

/// What tokens of one messenger depend on, besides the user.
pub(super) struct Shared {
    pub messenger: Messenger,
    /// The published mapping, compiled; or what is wrong with it, which does not matter to a draft.
    pub mapping: Result<Arc<Mapping>, Vec<Finding>>,
    /// The attributes, with the marks of those that are trusted.
    pub definitions: Definitions,
    /// Its helpdesk.
    pub origin: Option<Origin>,
    /// The desk of its helpdesk, if it has one.
    pub desk: Option<Desk>,
    /// What its helpdesk calls the ids in payloads.
    pub names: Arc<Catalogue>,
    /// The key that signs, with its ID; or why there is none, which matters only when something is signed.
    pub key: Result<OpenKey, String>,
    /// The counters from before it was read.
    pub counters: freshness::Shared,
    /// Where its tokens are counted.
    pub issued: Issued,
    /// What responses say about the messenger, by the platform they are for: written once, for all users.
    described: Mutex<HashMap<Option<Platform>, Arc<str>>>,
}

impl Shared {
    /// Where its tokens are sent.
    pub fn at(&self) -> At<'_> {
        At { origin: self.origin.as_ref().map(Origin::as_str), desk: self.desk.as_ref().map(|desk| &desk.id) }
    }

    /// What a response says about the messenger; `write` writes it the first time.
    pub fn described(
        &self,
        platform: Option<Platform>,
        write: impl FnOnce(&Messenger) -> String,
    ) -> Arc<str> {
        let mut described = self.described.lock();
        described.entry(platform).or_insert_with(|| write(&self.messenger).into()).clone()
    }
}

/// By messenger.
#[derive(Default)]
pub(super) struct Kept(Mutex<HashMap<MessengerId, Arc<Shared>>>);

impl App {
    /// What tokens of a messenger depend on at the moment, if it is remembered.
    pub(super) fn remembered_shared(&self, id: &MessengerId) -> Option<Arc<Shared>> {
        let counters = self.0.freshness.shared();
        if !self.may_remember(self.now()) {
            return None;
        }
        self.0.shared.0.lock().get(id).filter(|shared| shared.counters == counters).cloned()
    }

    /// What tokens of a messenger depend on at the moment.
    pub(super) fn shared(&self, id: &MessengerId) -> Result<Arc<Shared>, AppError> {
        let counters = self.0.freshness.shared();
        if let Some(shared) = self.remembered_shared(id) {
            return Ok(shared);
        }
        // Another process may have changed its settings, and this one may not have loaded its own change yet.
        self.refresh_messengers()?;
        let messenger = self.messenger(id)?;
        let origin = origin_of(&messenger);
        let (text, definitions, desk, key, names) = self.store().snapshot(|db| {
            let text = published_text(db, &messenger.id)?;
            let desk = desk_of(db, &messenger)?;
            let key = self.active_key(db, &messenger.id);
            let names = match &origin {
                Some(origin) => match store::catalogues::of(db, origin.as_str()) {
                    // A newer program may have written them. No token depends on names.
                    Err(error @ store::Error::Failed(_)) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "names of a helpdesk cannot be read"
                        );
                        None
                    }
                    names => names?,
                },
                None => None,
            };
            Ok::<_, AppError>((text, store::attributes::all(db)?, desk, key, names))
        })?;
        let key = match key {
            Ok(key) => Ok(key),
            // Not a state that a change would end.
            Err(error @ AppError::Store(_)) => return Err(error),
            Err(error) => Err(error.to_string()),
        };
        let mapping = match self.compiled(&messenger.id, &text) {
            Ok(mapping) => Ok(mapping),
            Err(AppError::Mapping(findings)) => Err(findings),
            Err(error) => return Err(error),
        };
        let issued = self.issued(&messenger.id, key.as_ref().ok().map(|key| key.id.as_str()));
        let shared = Arc::new(Shared {
            origin,
            names: Arc::new(names.map(|stored| stored.names).unwrap_or_default()),
            messenger,
            mapping,
            definitions,
            desk,
            key,
            counters,
            issued,
            described: Mutex::default(),
        });
        self.0.shared.0.lock().insert(id.clone(), shared.clone());
        Ok(shared)
    }
}

fn published_text(db: &mut dyn Sql, messenger: &MessengerId) -> Result<String, store::Error> {
    let version = store::mappings::published(db, messenger)?;
    Ok(version.map_or_else(|| super::mapping::STARTER.to_owned(), |version| version.text))
}
