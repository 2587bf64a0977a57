//! What helpdesks call the ids in payloads: read from Deskpro's API, or from a file where there is no API key.

use std::sync::Arc;

use super::audit::{Event, record};
use super::desks::{origin_of, read};
use super::{App, AppError, Caller};
use crate::core::catalogue::{Catalogue, Entry, Field, MOST};
use crate::core::id::MessengerId;
use crate::core::origin::Origin;
use crate::deskpro::{Access, Client, Error, List, Named};
use crate::store::catalogues::{self, StoredCatalogue};
use crate::store::{ChangeKind, desks};

/// Names from the API that are older than this (seconds) are read again by the next run.
const OLD: i64 = 20 * 3_600;

/// The names that a helpdesk gave, and the lists that it did not give, with the reason.
#[derive(Default)]
pub(super) struct Given {
    pub names: Catalogue,
    pub missing: Vec<(List, Error)>,
}

impl Given {
    fn missing(&self) -> String {
        let line = |(list, error): &(List, Error)| format!("{}: {error}", list.as_str());
        self.missing.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// Reads all lists, page by page. A list that fails does not stop the others.
pub(super) fn read_names<H>(
    mut ask: impl FnMut(List, u64) -> Result<Result<(Vec<Named>, bool), Error>, H>,
) -> Result<Given, H> {
    let mut given = Given::default();
    for list in List::ALL {
        let mut found = Vec::new();
        for page in 1.. {
            match ask(list, page)? {
                Ok((entries, is_more)) => {
                    found.extend(entries);
                    if !is_more || found.len() >= MOST {
                        break;
                    }
                }
                Err(error) => {
                    given.missing.push((list, error));
                    found.clear();
                    break;
                }
            }
        }
        found.truncate(MOST);
        let entries = |found: Vec<Named>| found.iter().map(entry).collect();
        match list {
            List::UserGroups => given.names.user_groups = entries(found),
            List::Languages => given.names.languages = entries(found),
            List::Organizations => given.names.organizations = entries(found),
            List::Fields => given.names.fields = found.iter().map(field).collect(),
        }
    }
    Ok(given)
}

fn entry(named: &Named) -> Entry {
    Entry::new(named.id, &named.name)
}

fn field(named: &Named) -> Field {
    Field { entry: entry(named), choices: named.choices.iter().take(MOST).map(entry).collect() }
}

impl App {
    /// The names of a messenger's helpdesk, as far as they are known.
    pub fn catalogue(&self, messenger: &MessengerId) -> Result<Arc<Catalogue>, AppError> {
        match self.shared(messenger) {
            Ok(shared) => Ok(shared.names.clone()),
            Err(error @ (AppError::Store(_) | AppError::UnknownMessenger(_))) => Err(error),
            // What is wrong with the messenger matters to tokens.
            Err(_) => Ok(Arc::default()),
        }
    }

    /// The same with where they are from; `None` if none are known.
    pub fn stored_catalogue(&self, messenger: &MessengerId) -> Result<Option<StoredCatalogue>, AppError> {
        let Some(origin) = origin_of(&self.messenger(messenger)?) else { return Ok(None) };
        Ok(self.store().read(|db| catalogues::of(db, origin.as_str()))?)
    }

    /// Reads the names of a messenger's helpdesk from its API, with the key of its desk.
    pub fn refresh_catalogue(
        &self,
        messenger: &MessengerId,
        caller: &Caller,
    ) -> Result<StoredCatalogue, AppError> {
        let origin = self.helpdesk(messenger)?;
        let stored = self.store().read(|db| desks::by_origin(db, origin.as_str()))?;
        let Some(desk) = stored.as_ref().and_then(read) else {
            return Err(AppError::Refused(format!(
                "{} is not connected, so its names cannot be read. Connect it with an API key, or load a file: \
                 `countersign catalogue import FILE`.",
                origin.as_str()
            )));
        };
        let given = Self::names_given(&self.access(&desk)?)?;
        if let (true, Some((_, error))) = (given.missing.len() == List::ALL.len(), given.missing.first()) {
            return Err(AppError::Refused(format!("No names could be read. {error}")));
        }
        self.keep_names(&origin, given, caller)
    }

    /// Reads the names of a messenger's helpdesk from a file.
    pub fn import_catalogue(
        &self,
        messenger: &MessengerId,
        text: &str,
        caller: &Caller,
    ) -> Result<StoredCatalogue, AppError> {
        let origin = self.helpdesk(messenger)?;
        let names = Catalogue::read(text).map_err(AppError::Names)?;
        let catalogue = StoredCatalogue { names, source: "file".into(), ..StoredCatalogue::default() };
        self.put_names(&origin, &catalogue, caller)
    }

    /// Stores what the API gave.
    pub(super) fn keep_names(
        &self,
        origin: &Origin,
        given: Given,
        caller: &Caller,
    ) -> Result<StoredCatalogue, AppError> {
        let missing = given.missing();
        let catalogue = StoredCatalogue {
            names: given.names,
            source: "api".into(),
            missing,
            ..StoredCatalogue::default()
        };
        self.put_names(origin, &catalogue, caller)
    }

    fn put_names(
        &self,
        origin: &Origin,
        catalogue: &StoredCatalogue,
        caller: &Caller,
    ) -> Result<StoredCatalogue, AppError> {
        let now = self.now();
        let messengers = self.messengers();
        self.store().write(now, |tx| {
            let before = catalogues::of(tx, origin.as_str())?.map(|stored| stored.names).unwrap_or_default();
            let names = catalogue.names.clone().after(&before);
            let kept = StoredCatalogue { names, read_at: now, ..catalogue.clone() };
            catalogues::put(tx, origin.as_str(), &kept)?;
            if kept.names != before {
                for messenger in messengers.iter().filter(|it| origin_of(it).as_ref() == Some(origin)) {
                    tx.changed(ChangeKind::Messenger, &messenger.id);
                }
                let helpdesk = origin.as_str().to_owned();
                let event = Event::NamesLoaded { helpdesk, source: kept.source.clone() };
                record(tx, now, caller, &event, origin.as_str())?;
            }
            Ok::<_, AppError>(kept)
        })
    }

    /// Whether a run should read the names of a helpdesk again.
    pub(super) fn are_names_old(&self, origin: &Origin) -> Result<bool, AppError> {
        let (now, read_at) = (self.now(), self.store().read(|db| catalogues::read_at(db, origin.as_str()))?);
        Ok(read_at.is_none_or(|at| !(at..at + OLD).contains(&now)))
    }

    /// Reads the names of a helpdesk, without a budget: these are a few requests.
    pub(super) fn names_given(access: &Access) -> Result<Given, AppError> {
        let refused = |error: Error| AppError::Refused(error.to_string());
        // The key is sent only to a server that says it is Deskpro.
        let client = Client::new(access).map_err(refused)?;
        client.discover().map_err(refused)?;
        // A helpdesk that is away is not asked for every list.
        let mut away = None;
        read_names(|list, page| {
            if let Some(error) = &away {
                return Ok(Err(Error::clone(error)));
            }
            let answer = client.names(list, page);
            away = answer.as_ref().err().filter(|error| error.is_transient()).cloned();
            Ok(answer)
        })
    }
}
