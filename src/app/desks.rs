//! Desks: a helpdesk is connected with its API key, changed and disconnected. The key is encrypted, and never shown
//! again.

use secrecy::{ExposeSecret as _, SecretString};

use super::audit::{Event, record};
use super::messengers::{unknown, unknown_setting};
use super::{App, AppError, Caller, clock};
use crate::core::desk::{Desk, FIELDS, Settings};
use crate::core::finding::State;
use crate::core::id::{DeskId, MessengerId};
use crate::core::messenger::Messenger;
use crate::core::messenger::fields::Texts;
use crate::core::origin::Origin;
use crate::deskpro::{Access, TOTAL};
use crate::store::desks::{self, StoredDesk};
use crate::store::{ChangeKind, Sql, changes, messengers, secrets, users};

/// The helpdesk of a messenger.
pub(super) fn origin_of(messenger: &Messenger) -> Option<Origin> {
    messenger.deployment.as_ref().map(|deployment| Origin::of(&deployment.deskpro_url))
}

/// The desk of a messenger: the one of its helpdesk.
pub(super) fn desk_of(db: &mut dyn Sql, messenger: &Messenger) -> Result<Option<Desk>, AppError> {
    let Some(origin) = origin_of(messenger) else { return Ok(None) };
    Ok(desks::by_origin(db, origin.as_str())?.as_ref().and_then(read))
}

/// A desk as it was stored. Its settings were checked when they were written; those that a newer program wrote and this
/// one cannot read have their defaults.
pub(super) fn read(stored: &StoredDesk) -> Option<Desk> {
    Some(Desk {
        id: stored.id.clone(),
        origin: Origin::parse(&stored.origin)?,
        messenger: stored.messenger_id.clone(),
        key_id: stored.key_id.clone(),
        is_private: stored.is_private,
        settings: Settings::read(&stored.texts).unwrap_or_default(),
    })
}

/// How a desk is connected.
pub struct NewDesk {
    /// The messenger whose helpdesk it is, and whose mapping describes the people.
    pub messenger: MessengerId,
    /// The API key, as Deskpro shows it.
    pub key: SecretString,
    /// Whether the helpdesk may be in a private network, on this machine, or without TLS.
    pub is_private: bool,
}

impl App {
    /// All desks, by helpdesk.
    pub fn desks(&self) -> Result<Vec<StoredDesk>, AppError> {
        Ok(self.store().read(|db| desks::all(db))?)
    }

    /// The desk of a messenger's helpdesk.
    pub fn desk(&self, messenger: &MessengerId) -> Result<StoredDesk, AppError> {
        let origin = self.helpdesk(messenger)?;
        let found = self.store().read(|db| desks::by_origin(db, origin.as_str()))?;
        found.ok_or_else(|| {
            AppError::NotFound(format!(
                "{} is not connected yet. Connect it with `countersign helpdesk connect --messenger {messenger}`, or in the \
                 console under Synchronization.",
                origin.as_str()
            ))
        })
    }

    /// Connects a messenger's helpdesk, after its API was tried; or gives a connected one another key.
    pub fn connect_desk(&self, new: &NewDesk, caller: &Caller) -> Result<StoredDesk, AppError> {
        let origin = self.helpdesk(&new.messenger)?;
        let access =
            Access { origin: origin.clone(), key: new.key.clone(), is_private: new.is_private, total: TOTAL };
        let tried = Self::test_helpdesk(&access);
        if let Some(bad) = tried.iter().find(|item| item.state == State::Bad) {
            return Err(AppError::Refused(bad.message.clone()));
        }
        // A rule can be written with names at once. Without them, everything else works.
        let names = Self::names_given(&access).ok();
        let now = self.now();
        let (id, secret) = (DeskId::from(clock::new_id()), clock::new_id());
        let sealed = self.0.seal.seal(&secret, new.key.expose_secret().trim().as_bytes(), clock::random());
        let desk = self.store().write(now, |tx| {
            if messengers::by_id(tx, &new.messenger)?.is_none() {
                return Err(unknown(&new.messenger));
            }
            let known = desks::by_origin(tx, origin.as_str())?;
            secrets::put(tx, &secret, secrets::API_KEY, &sealed)?;
            let helpdesk = origin.as_str().to_owned();
            let desk = if let Some(known) = known {
                let mut desk = desks::hold(tx, &known.id)?.unwrap_or(known);
                desk.messenger_id.clone_from(&new.messenger);
                desk.is_private = new.is_private;
                desk.updated_at = now.max(desk.updated_at + 1);
                desks::update(tx, &desk)?;
                desks::set_key(tx, &desk.id, &secret)?;
                secrets::delete(tx, &desk.key_id)?;
                desks::set_stopped(tx, &desk.id, None)?;
                desk.key_id.clone_from(&secret);
                desk
            } else {
                let desk = StoredDesk {
                    id: id.clone(),
                    origin: helpdesk.clone(),
                    messenger_id: new.messenger.clone(),
                    key_id: secret.clone(),
                    is_private: new.is_private,
                    seen: changes::latest(tx)?,
                    created_at: now,
                    updated_at: now,
                    ..StoredDesk::default()
                };
                desks::insert(tx, &desk, now)?;
                // Nothing is sent until somebody starts it.
                desks::set_paused(tx, &desk.id, Some(now))?;
                StoredDesk { paused_at: Some(now), ..desk }
            };
            record(tx, now, caller, &Event::DeskConnected { helpdesk }, &desk.id)?;
            tx.changed(ChangeKind::Messenger, &new.messenger);
            Ok(desk)
        })?;
        if let Some(names) = names {
            // It is connected, whether or not these could be stored.
            if let Err(error) = self.keep_names(&origin, names, caller) {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "names of a helpdesk were not stored"
                );
            }
        }
        Ok(desk)
    }

    /// Changes settings of a desk, all of them or none; an empty value resets one to its default. `revision` is the one
    /// that was seen, if it matters.
    pub fn change_desk(
        &self,
        id: &DeskId,
        changed: &Texts,
        revision: Option<i64>,
        caller: &Caller,
    ) -> Result<StoredDesk, AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            let mut desk = desks::hold(tx, id)?.ok_or_else(gone)?;
            if revision.is_some_and(|revision| revision != desk.updated_at) {
                return Err(AppError::MessengerMoved);
            }
            let before = desk.texts.clone();
            for (name, text) in changed {
                let Some((_, default)) = FIELDS.iter().find(|(field, _)| field == name) else {
                    return Err(unknown_field(name));
                };
                let text = text.trim();
                if text.is_empty() || text == *default {
                    desk.texts.remove(name);
                } else {
                    desk.texts.insert(name.clone(), text.to_owned());
                }
            }
            Settings::read(&desk.texts).map_err(AppError::Messenger)?;
            let names: Vec<&str> = FIELDS
                .iter()
                .map(|(name, _)| *name)
                .filter(|name| before.get(*name) != desk.texts.get(*name))
                .collect();
            if !names.is_empty() {
                desk.updated_at = now.max(desk.updated_at + 1);
                desks::update(tx, &desk)?;
                record(tx, now, caller, &Event::DeskChanged { settings: names.join(", ") }, id)?;
                tx.changed(ChangeKind::Messenger, &desk.messenger_id);
            }
            Ok(desk)
        })
    }

    /// Disconnects a helpdesk: its key and everything that is known of its people is deleted here. Nothing is changed at
    /// Deskpro.
    pub fn disconnect_desk(&self, id: &DeskId, caller: &Caller) -> Result<(), AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            tx.lock_bulk()?;
            let Some(desk) = desks::by_id(tx, id)? else { return Err(gone()) };
            // Ids of this desk that are still in rows of users mean nothing without it, because no other desk gets its id.
            desks::delete(tx, id)?;
            for secret in std::iter::once(&desk.key_id).chain(&desk.webhook_id).chain(&desk.alert_id) {
                secrets::delete(tx, secret)?;
            }
            record(tx, now, caller, &Event::DeskRemoved { helpdesk: desk.origin.clone() }, id)?;
            tx.changed(ChangeKind::All, "");
            Ok(())
        })
    }

    /// Whether the messenger that describes a desk's people still belongs to its helpdesk: otherwise ids of another one
    /// would be sent.
    pub(super) fn is_in_use(&self, desk: &Desk) -> bool {
        let messenger = self.messenger(&desk.messenger);
        messenger.is_ok_and(|messenger| origin_of(&messenger).as_ref() == Some(&desk.origin))
    }

    /// How a desk is reached.
    pub(super) fn access(&self, desk: &Desk) -> Result<Access, AppError> {
        let sealed = self.store().read(|db| secrets::by_id(db, &desk.key_id))?;
        let key = sealed.and_then(|sealed| self.0.seal.open(&desk.key_id, &sealed));
        let key = key.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
            AppError::Refused(
                "The API key cannot be decrypted with this master key. Restore the master key, or connect the helpdesk again."
                    .into(),
            )
        })?;
        Ok(Access {
            origin: desk.origin.clone(),
            key: key.into(),
            is_private: desk.is_private,
            total: desk.settings.request_time,
        })
    }

    /// Stores the helpdesk of the messenger `default`, to which the attribute `deskpro_id` belongs.
    pub(super) fn settle_origin(&self) -> Result<(), AppError> {
        let Ok(messenger) = self.messenger(&MessengerId::default()) else { return Ok(()) };
        let Some(origin) = origin_of(&messenger) else { return Ok(()) };
        let known = self.store().read(|db| crate::store::facts::of(db, "default_origin"))?;
        if known.as_deref() == Some(origin.as_str()) {
            return Ok(());
        }
        self.store().write(self.now(), |tx| {
            if users::settle_origin(tx, origin.as_str())? {
                tx.changed(ChangeKind::All, "");
            }
            Ok(())
        })
    }
}

pub(super) fn gone() -> AppError {
    AppError::NotFound("This helpdesk is no longer connected.".into())
}

fn unknown_field(name: &str) -> AppError {
    unknown_setting("A synchronization", FIELDS.iter().map(|(field, _)| *field), name)
}
