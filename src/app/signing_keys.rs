//! Signing keys: added, staged, switched and reverted, without a restart. One key at a time signs; a key
//! that the environment sets is the only one of `default`, and can be changed only there.

use super::audit::{Event, record};
use super::messengers::unknown;
use super::{App, AppError, Caller, clock};
use crate::core::id::MessengerId;
use crate::core::pasted::{oddities, wrapping};
use crate::core::secret::{Encoding, KeyState, SigningKey};
use crate::store::signing_keys::{self, SealedKey};
use crate::store::{ChangeKind, Sql, Tx, counts, messengers};

/// The name of the environment's key in statistics and lists.
pub const OF_SETTINGS: &str = "settings";

/// What is shown of a key. Times in unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its ID; [`OF_SETTINGS`] for the environment's.
    pub id: String,
    /// What it is used for.
    pub state: KeyState,
    /// Its encoding.
    pub encoding: Encoding,
    /// Its length in bytes, decoded.
    pub bytes: usize,
    /// The last four characters as they were added; empty if that would reveal too much.
    pub hint: String,
    /// When it was added; 0 for the environment's.
    pub created_at: i64,
    /// When its state last changed; 0 for the environment's.
    pub changed_at: i64,
    /// The minute in which it last signed, as far as it is counted.
    pub used_at: Option<i64>,
    /// How many tokens it signed, as far as they are counted.
    pub used: i64,
    /// What looks wrong with it, and what to do.
    pub oddities: Vec<&'static str>,
}

/// The key that signs.
pub(super) struct OpenKey {
    /// Its ID.
    pub id: String,
    /// The key.
    pub key: SigningKey,
}

/// A key that has been decrypted.
struct Unsealed {
    /// As it was added.
    text: String,
    /// As it signs.
    key: SigningKey,
}

impl App {
    /// The keys of a messenger, newest first.
    pub fn signing_keys(&self, messenger: &MessengerId) -> Result<Vec<Shown>, AppError> {
        let (kept, uses) = self.store().snapshot(|db| {
            messengers::by_id(db, messenger)?.ok_or_else(|| unknown(messenger))?;
            Ok::<_, AppError>((
                signing_keys::of(db, messenger)?,
                counts::by_key(db, "token_issued", messenger)?,
            ))
        })?;
        let mut shown = Vec::new();
        if let Some(key) = self.fixed_key(messenger) {
            let encoding = self.settings().signing_key_encoding;
            shown.push(Shown {
                id: OF_SETTINGS.to_owned(),
                state: KeyState::Active,
                encoding,
                bytes: key.expose().len(),
                hint: String::new(),
                created_at: 0,
                changed_at: 0,
                used_at: None,
                used: 0,
                oddities: oddities(key.expose(), encoding),
            });
        }
        for kept in kept {
            let Unsealed { text, key } = self.opened(&kept)?;
            // Four of sixteen characters would reveal too much.
            let hint: String = text.chars().rev().take(4).collect();
            shown.push(Shown {
                id: kept.id,
                state: kept.state,
                encoding: kept.encoding,
                bytes: key.expose().len(),
                hint: if text.len() >= 24 { hint.chars().rev().collect() } else { String::new() },
                created_at: kept.created_at,
                changed_at: kept.changed_at,
                used_at: None,
                used: 0,
                oddities: oddities(key.expose(), kept.encoding),
            });
        }
        for key in &mut shown {
            if let Some(uses) = uses.iter().find(|uses| uses.key == key.id) {
                (key.used_at, key.used) = (Some(uses.last), uses.tokens);
            }
        }
        Ok(shown)
    }

    /// Stores a key as the next one, or uses it now if there is none yet. The answer says which.
    pub fn add_signing_key(
        &self,
        messenger: &MessengerId,
        text: &str,
        encoding: Encoding,
        allow_short: bool,
        caller: &Caller,
    ) -> Result<(String, KeyState), AppError> {
        self.ensure_not_fixed(messenger)?;
        let text = text.trim_matches(['\r', '\n']);
        SigningKey::parse(text, encoding, allow_short).map_err(|error| {
            let seen = wrapping(text).join(" ");
            AppError::BadKey(format!("The key cannot be used: {error}. {seen}").trim_end().to_owned())
        })?;
        let (now, id) = (self.now(), clock::new_id());
        let sealed = self.0.seal.seal(&id, text.as_bytes(), clock::random());
        self.store().write(now, |tx| {
            if !messengers::hold(tx, messenger)? {
                return Err(unknown(messenger));
            }
            let kept = signing_keys::of(tx, messenger)?;
            for other in &kept {
                // The same string with another encoding is another key.
                if other.encoding == encoding && self.opened(other)?.text == text {
                    return Err(AppError::BadKey("This key already exists with the same encoding.".into()));
                }
            }
            let state = if kept.iter().any(|key| key.state == KeyState::Active) {
                KeyState::Next
            } else {
                KeyState::Active
            };
            // Only one key waits at a time: the last one added.
            for other in kept.iter().filter(|key| key.state == KeyState::Next) {
                signing_keys::set_state(tx, &other.id, KeyState::Retired, now)?;
            }
            let key = SealedKey {
                id: id.clone(),
                messenger_id: messenger.to_owned(),
                state,
                sealed: sealed.clone(),
                encoding,
                created_at: now,
                changed_at: now,
            };
            signing_keys::insert(tx, &key)?;
            Self::note_key(
                tx,
                now,
                caller,
                &Event::SigningKeyAdded { key: id.clone(), state: state.as_str() },
                messenger,
            )?;
            Ok((id.clone(), state))
        })
    }

    /// Uses a key from now on; the one before is retired, and can be used again in the same way.
    pub fn activate_signing_key(
        &self,
        messenger: &MessengerId,
        id: &str,
        caller: &Caller,
    ) -> Result<(), AppError> {
        self.ensure_not_fixed(messenger)?;
        let now = self.now();
        self.store().write(now, |tx| {
            let kept = Self::held_keys(tx, messenger)?;
            let wanted = kept.iter().find(|key| key.id == id).ok_or_else(unknown_key)?;
            if wanted.state == KeyState::Active {
                return Ok(());
            }
            // A key that cannot be decrypted could not sign anything.
            self.opened(wanted)?;
            for other in kept.iter().filter(|key| key.state == KeyState::Active) {
                signing_keys::set_state(tx, &other.id, KeyState::Retired, now)?;
            }
            signing_keys::set_state(tx, id, KeyState::Active, now)?;
            Self::note_key(tx, now, caller, &Event::SigningKeySwitched { key: id.to_owned() }, messenger)
        })
    }

    /// Removes a key that does not sign.
    pub fn remove_signing_key(
        &self,
        messenger: &MessengerId,
        id: &str,
        caller: &Caller,
    ) -> Result<(), AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            let kept = Self::held_keys(tx, messenger)?;
            let wanted = kept.iter().find(|key| key.id == id).ok_or_else(unknown_key)?;
            if wanted.state == KeyState::Active && self.fixed_key(messenger).is_none() {
                return Err(AppError::Refused(
                    "This key is in use. Switch to another key first, then remove it.".into(),
                ));
            }
            signing_keys::delete(tx, id)?;
            Self::note_key(tx, now, caller, &Event::SigningKeyRemoved { key: id.to_owned() }, messenger)
        })
    }

    /// The key that currently signs a messenger's tokens, with its ID.
    pub(super) fn active_key(&self, db: &mut dyn Sql, messenger: &MessengerId) -> Result<OpenKey, AppError> {
        if let Some(key) = self.fixed_key(messenger) {
            return Ok(OpenKey { id: OF_SETTINGS.to_owned(), key: key.clone() });
        }
        match signing_keys::active(db, messenger)? {
            Some(kept) => Ok(OpenKey { key: self.opened(&kept)?.key, id: kept.id }),
            None => Err(no_key(messenger)),
        }
    }

    /// Why no token can be signed at all, if that is the case.
    pub(super) fn no_key_at_all(&self) -> Result<Option<AppError>, AppError> {
        let any = self.fixed_key(&MessengerId::default()).is_some()
            || self.store().read(|db| signing_keys::any_active(db))?;
        Ok((!any).then(|| no_key(&MessengerId::default())))
    }

    /// Refuses if a key that should sign cannot be used, or if `default` has none and another messenger
    /// has one. A messenger without a key, other than `default`, is still being set up.
    pub(super) fn ensure_keys(&self, db: &mut dyn Sql) -> Result<(), AppError> {
        if self.fixed_key(&MessengerId::default()).is_none() && !signing_keys::any_active(db)? {
            return Ok(());
        }
        for messenger in self.messengers().iter() {
            if self.fixed_key(&messenger.id).is_some() {
                continue;
            }
            match signing_keys::active(db, &messenger.id)? {
                Some(kept) => drop(self.opened(&kept)?),
                None if messenger.id.is_default() => return Err(no_key(&MessengerId::default())),
                None => {}
            }
        }
        Ok(())
    }

    /// The key that the environment sets.
    pub(super) fn fixed_key(&self, messenger: &MessengerId) -> Option<&SigningKey> {
        self.settings().signing_key.as_ref().filter(|_| messenger.is_default())
    }

    fn ensure_not_fixed(&self, messenger: &MessengerId) -> Result<(), AppError> {
        match self.fixed_key(messenger) {
            None => Ok(()),
            Some(_) => Err(AppError::Refused(
                "The environment sets this messenger's key (COUNTERSIGN_SIGNING_KEY). Change it there, or remove it there first.".into(),
            )),
        }
    }

    fn held_keys(tx: &mut Tx<'_>, messenger: &MessengerId) -> Result<Vec<SealedKey>, AppError> {
        if !messengers::hold(tx, messenger)? {
            return Err(unknown(messenger));
        }
        Ok(signing_keys::of(tx, messenger)?)
    }

    fn note_key(
        tx: &mut Tx<'_>,
        now: i64,
        caller: &Caller,
        event: &Event,
        messenger: &MessengerId,
    ) -> Result<(), AppError> {
        record(tx, now, caller, event, messenger)?;
        tx.changed(ChangeKind::Key, messenger);
        Ok(())
    }

    /// A key as it was added, and as it signs.
    fn opened(&self, kept: &SealedKey) -> Result<Unsealed, AppError> {
        let text = self.0.seal.open(&kept.id, &kept.sealed).and_then(|bytes| String::from_utf8(bytes).ok());
        let key = text.and_then(|text| {
            // It was checked when it was added.
            let key = SigningKey::parse(&text, kept.encoding, true).ok()?;
            Some(Unsealed { text, key })
        });
        key.ok_or_else(|| {
            AppError::Refused(format!(
                "The signing key {} cannot be decrypted with this master key. Restore the master key, or add the signing key again.",
                kept.id
            ))
        })
    }
}

fn unknown_key() -> AppError {
    AppError::NotFound("There is no such key; it may have been removed already.".into())
}

fn no_key(messenger: &MessengerId) -> AppError {
    AppError::Refused(if messenger.is_default() {
        "There is no signing key. Copy the secret from Deskpro's Messenger settings and add it in the console, under \
         Messengers, or with `countersign key add`. For automation there is COUNTERSIGN_SIGNING_KEY_FILE."
            .into()
    } else {
        format!(
            "The messenger '{messenger}' has no signing key. Add it with `countersign key add --messenger {messenger}`."
        )
    })
}
