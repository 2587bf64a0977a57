//! API keys: created, listed, revoked, and recognised when a site's server presents one.

use std::fmt;

use super::audit::{Event, record};
use super::rates::Bucket;
use super::{App, AppError, Caller, clock};
use crate::core::api_key::{self, ApiKey, CODE_LIFETIME, LONGEST_LIFETIME, Scope, State};
use crate::core::id::{MessengerId, join_ids};
use crate::core::name;
use crate::core::secret::digest;
use crate::core::session::{USE_WRITTEN_EVERY, is_due};
use crate::core::user::ExternalId;
use crate::store::{ChangeKind, Error, Tx, api_keys, devices, sessions, users};

/// Why an admin must first say whether a website's IDs mean the same people as the existing external IDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhoseIds {
    /// Another key is for a different messenger; the key's name.
    OtherKey(String),
    /// A user has an external ID that no key of this website has sent.
    User {
        /// The external ID.
        id: String,
        /// The user's name.
        name: String,
    },
}

impl fmt::Display for WhoseIds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKey(name) => write!(out, "The key '{name}' is for another messenger.")?,
            Self::User { id, name } => {
                write!(out, "Some users already have an external_id, such as '{id}' ({name}).")?;
            }
        }
        out.write_str(
            " If this website uses the same IDs for the same people, set an empty prefix: --prefix ''. \
             Otherwise, set a prefix that keeps the IDs apart, for example --prefix shop-b-",
        )
    }
}

/// A key to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// The ID it gets, if a form has chosen one, so that sending the form twice creates one key.
    pub id: Option<String>,
    /// What it is for.
    pub name: String,
    /// What it may do; at least one.
    pub scopes: Vec<Scope>,
    /// For which messengers; at least one.
    pub messengers: Vec<MessengerId>,
    /// Whether addresses sent with this key are verified unless a call says otherwise.
    pub email_verified: bool,
    /// The prefix for the external IDs that it writes. `None` if the caller did not say, which is not
    /// allowed for a second messenger: customer 7 of one shop is not customer 7 of another.
    pub prefix: Option<String>,
    /// How long it lasts, in seconds.
    pub lifetime: i64,
}

/// Why a presented key is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRefusal {
    /// There was no key.
    Missing,
    /// It is not a key of this server.
    Unknown,
    /// It has expired.
    Expired,
    /// It was revoked.
    Revoked,
}

impl App {
    /// Creates a key: what is stored of it, and the key itself, which cannot be shown again.
    pub fn create_api_key(&self, new: &NewKey, caller: &Caller) -> Result<(ApiKey, String), AppError> {
        let secret = api_key::write(&clock::new_secret());
        let key = ApiKey { hint: hint(&secret), ..self.judged(new, caller)? };
        let (name, scopes, messengers) = audit_words(&key);
        let event = Event::ApiKeyCreated { name, scopes, messengers };
        self.store().write(key.created_at, |tx| {
            ensure_new(tx, &key)?;
            api_keys::insert(tx, &key, &digest(&secret))?;
            // Whom a page shows depends on the prefixes of the keys.
            tx.changed(ChangeKind::All, "");
            Ok::<_, AppError>(record(tx, key.created_at, caller, &event, &key.id)?)
        })?;
        Ok((key, secret))
    }

    /// Creates a connection code, with which a website's plugin creates the key itself: what is stored,
    /// and the code, which cannot be shown again. This way no person handles the key.
    pub fn offer_api_key(&self, new: &NewKey, caller: &Caller) -> Result<(ApiKey, String), AppError> {
        let code = api_key::write_code(&clock::new_secret());
        let key = self.judged(new, caller)?;
        // A plugin puts one messenger into the pages, and there is no way to choose among several.
        if key.messengers.len() > 1 {
            return Err(AppError::Refused(
                "A connection code can be for one messenger only. Choose one.".into(),
            ));
        }
        // It is created with one click, without an explanation of prefixes.
        if new.prefix.is_none() {
            self.ensure_ids_are_its_own(&key)?;
        }
        let key = ApiKey { code_until: Some(key.created_at + CODE_LIFETIME), ..key };
        let (name, scopes, messengers) = audit_words(&key);
        let event = Event::ApiKeyOffered { name, scopes, messengers };
        // The digest of a secret that is discarded: nobody has the key until the code is used.
        let nobodys = digest(&clock::new_secret());
        self.store().write(key.created_at, |tx| {
            ensure_new(tx, &key)?;
            api_keys::insert_waiting(tx, &key, &nobodys, &digest(&code))?;
            Ok::<_, AppError>(record(tx, key.created_at, caller, &event, &key.id)?)
        })?;
        Ok((key, code))
    }

    /// Creates the key of a connection code: what is stored of it, and the key itself. `site` is what
    /// the plugin says about its website, for the audit log.
    pub fn collect_api_key(
        &self,
        code: &str,
        site: &str,
        caller: &Caller,
    ) -> Result<(ApiKey, String), AppError> {
        let site = name::parse(site).unwrap_or_default();
        let collected = self.swap_code(code, &site, caller);
        if let Err(AppError::ConnectionCode(why)) = &collected {
            tracing::info!(why, site, address = caller.address, "a connection code was refused");
        }
        if matches!(collected, Ok(_) | Err(AppError::ConnectionCode(_))) {
            self.count("connection", if collected.is_ok() { "swapped" } else { "refused" });
        }
        collected
    }

    fn swap_code(&self, code: &str, site: &str, caller: &Caller) -> Result<(ApiKey, String), AppError> {
        let refuse = |why| AppError::ConnectionCode(why);
        let unknown = "This connection code is unknown. Copy the whole code from the console.";
        let code = digest(code.trim());
        // Anyone can send codes: a wrong one does not use the writer.
        if !self.store().read(|db| api_keys::has_code(db, &code))? {
            return Err(refuse(unknown));
        }
        let (now, secret) = (self.now(), api_key::write(&clock::new_secret()));
        let collected = self.store().write(now, |tx| {
            let Some(key) = api_keys::hold_by_code(tx, &code)? else { return Err(refuse(unknown)) };
            match key.state(now) {
                State::Waiting => {}
                State::Missed => {
                    return Err(refuse("This connection code is older than 15 minutes. Create a new one in the console."));
                }
                State::Revoked => {
                    return Err(refuse("This connection code was revoked in the console. Create a new one there."));
                }
                State::Live | State::Expired => {
                    return Err(refuse("This connection code was already used, and a code works only once. Create a new one in the console."));
                }
            }
            let expires_at = now + (key.expires_at - key.created_at);
            // If the clock was ahead in the meantime, that is not subtracted from the key's lifetime later.
            let created_at = key.created_at.min(now);
            let key = ApiKey { hint: hint(&secret), code_until: None, expires_at, created_at, ..key };
            api_keys::collect(tx, &key, &digest(&secret))?;
            let event = Event::ApiKeyCollected { name: key.name.clone(), site: site.to_owned() };
            record(tx, now, &caller.by_key(&key), &event, &key.id)?;
            tx.changed(ChangeKind::All, "");
            Ok(key)
        })?;
        Ok((collected, secret))
    }

    /// A key as it will be stored, if it may be created.
    fn judged(&self, new: &NewKey, caller: &Caller) -> Result<ApiKey, AppError> {
        let refuse = |text: String| Err(AppError::Refused(text));
        let Some(name) = name::parse(&new.name) else {
            let longest = name::LONGEST;
            return refuse(format!(
                "Describe in 1 to {longest} characters what the key is for, such as 'shop server'."
            ));
        };
        if new.scopes.is_empty() {
            return refuse(format!("Choose what the key may do: {}.", Scope::WORDS.join(", ")));
        }
        if new.messengers.is_empty() {
            return refuse("Choose which messengers the key is for.".into());
        }
        for messenger in &new.messengers {
            self.messenger(messenger)?;
        }
        let prefix = match &new.prefix {
            Some(prefix) => read_prefix(prefix)?,
            None => self.ensure_no_prefix_needed(&new.messengers)?,
        };
        if !(60..=LONGEST_LIFETIME).contains(&new.lifetime) {
            return refuse("The lifetime of a key must be between one minute and five years.".into());
        }
        let now = self.now();
        let mut scopes = new.scopes.clone();
        scopes.sort_by_key(|scope| *scope as usize);
        scopes.dedup();
        let mut messengers = new.messengers.clone();
        messengers.sort();
        messengers.dedup();
        Ok(ApiKey {
            id: new.id.clone().filter(|id| is_id(id)).unwrap_or_else(clock::new_id),
            name,
            hint: String::new(),
            scopes,
            messengers,
            email_verified: new.email_verified,
            prefix,
            created_by: caller.actor.clone(),
            created_at: now,
            expires_at: now + new.lifetime,
            used_at: None,
            revoked_at: None,
            code_until: None,
        })
    }

    /// Nothing, unless another live key is for other messengers: then an admin must say whether both use
    /// the same IDs for the same people.
    fn ensure_no_prefix_needed(&self, messengers: &[MessengerId]) -> Result<String, AppError> {
        let now = self.now();
        let is_other = |key: &ApiKey| {
            matches!(key.state(now), State::Live | State::Waiting) && !is_for_one_of(key, messengers)
        };
        match self.api_keys()?.into_iter().find(is_other) {
            Some(other) => Err(AppError::WhoseIds(WhoseIds::OtherKey(other.name))),
            None => Ok(String::new()),
        }
    }

    /// The same for users whose external IDs this website has not sent: IDs from a file, or from another
    /// website's key, may mean other people. A key that replaces one of the same name needs no new
    /// answer.
    fn ensure_ids_are_its_own(&self, new: &ApiKey) -> Result<(), AppError> {
        let (keys, known) =
            self.store().read(|db| Ok::<_, Error>((api_keys::all(db)?, users::any_with_external_id(db)?)))?;
        let has_said = |key: &ApiKey| {
            let is_the_same = key.name == new.name && is_for_one_of(key, &new.messengers);
            is_the_same && key.code_until.is_none() && key.prefix.is_empty()
        };
        match known {
            Some(user) if !keys.iter().any(has_said) => {
                let (name, id) = (user.shown_name(), user.text("external_id").unwrap_or_default());
                Err(AppError::WhoseIds(WhoseIds::User { id, name }))
            }
            _ => Ok(()),
        }
    }

    /// All keys, newest first.
    pub fn api_keys(&self) -> Result<Vec<ApiKey>, AppError> {
        Ok(self.store().read(|db| api_keys::all(db))?)
    }

    /// How many browsers and apps are signed in with codes of a key.
    pub fn sign_ins_of_key(&self, id: &str) -> Result<(i64, i64), AppError> {
        Ok(self
            .store()
            .read(|db| Ok::<_, Error>((sessions::count_of_key(db, id)?, devices::count_of_key(db, id)?)))?)
    }

    /// Revokes a key: the next request with it is refused. Sessions started by its codes continue, or
    /// end with it: a stolen key may have signed in any user. The second value is how many ended.
    pub fn revoke_api_key(
        &self,
        id: &str,
        end_sign_ins: bool,
        caller: &Caller,
    ) -> Result<(ApiKey, u64), AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            // Held before sessions end: a code that is swapped at this moment is waited for, and its
            // session ends, too.
            let Some(key) = api_keys::hold(tx, id)? else {
                return Err(AppError::NotFound(format!(
                    "There is no API key '{id}'. `countersign api-key list` shows the IDs."
                )));
            };
            let revoked = api_keys::revoke(tx, id, now)?;
            let ended = if end_sign_ins {
                sessions::delete_of_key(tx, id)? + devices::delete_of_key(tx, id)?
            } else {
                0
            };
            if revoked || ended > 0 {
                tx.changed(ChangeKind::All, "");
            }
            if revoked || ended > 0 {
                record(tx, now, caller, &Event::ApiKeyRevoked { name: key.name.clone(), ended }, id)?;
            }
            Ok((ApiKey { revoked_at: key.revoked_at.or(Some(now)), ..key }, ended))
        })
    }

    /// The key that was presented. This is recorded as a use, written at most every five minutes.
    pub fn api_key(&self, presented: &str) -> Result<Result<ApiKey, KeyRefusal>, AppError> {
        let now = self.now();
        let Some(key) = self.store().read(|db| api_keys::by_digest(db, &digest(presented)))? else {
            return Ok(Err(KeyRefusal::Unknown));
        };
        match key.state(now) {
            State::Live => {}
            State::Expired => return Ok(Err(KeyRefusal::Expired)),
            State::Revoked => return Ok(Err(KeyRefusal::Revoked)),
            State::Waiting | State::Missed => return Ok(Err(KeyRefusal::Unknown)),
        }
        self.0.key_rates.take(Bucket::of(&key.id)).map_err(AppError::TooMany)?;
        if key.used_at.is_none_or(|used_at| is_due(used_at, USE_WRITTEN_EVERY, now))
            && let Err(error) = self.store().write(now, |tx| api_keys::touch(tx, &key.id, now))
        {
            super::warn_unwritten("an API key's use", &error);
        }
        Ok(Ok(key))
    }
}

/// The last characters, which help people to tell keys apart.
fn hint(secret: &str) -> String {
    secret[secret.len() - 4..].to_owned()
}

fn is_for_one_of(key: &ApiKey, messengers: &[MessengerId]) -> bool {
    key.messengers.iter().any(|own| messengers.contains(own))
}

/// What the audit log says about a key: its name, scopes and messengers.
fn audit_words(key: &ApiKey) -> (String, String, String) {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    (key.name.clone(), scopes.join(", "), join_ids(&key.messengers, ", "))
}

/// Refuses a form that was sent twice.
fn ensure_new(tx: &mut Tx<'_>, key: &ApiKey) -> Result<(), AppError> {
    if api_keys::by_id(tx, &key.id)?.is_none() {
        return Ok(());
    }
    let what = "This was already created, and is shown only once. Revoke it if you did not copy it.";
    Err(AppError::Taken(what.into()))
}

/// The external ID of a user whom a key names.
pub(super) fn prefixed(key: &ApiKey, external_id: &ExternalId) -> Result<ExternalId, AppError> {
    key.prefixed(external_id).map_err(|what| AppError::Refused(what.to_owned()))
}

/// A prefix of external IDs as it was typed.
fn read_prefix(typed: &str) -> Result<String, AppError> {
    let is_plain = typed.is_empty() || ExternalId::parse(typed).is_ok();
    if is_plain && typed.chars().count() <= 40 {
        return Ok(typed.to_owned());
    }
    Err(AppError::Refused(
        "A prefix has at most 40 characters, no spaces at its start or end, and no control characters."
            .into(),
    ))
}

/// Whether a string has the form of our IDs.
fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

impl Caller {
    /// The same caller, identified by an API key.
    #[must_use]
    pub fn by_key(&self, key: &ApiKey) -> Self {
        Self { actor: format!("key:{}", key.id), ..self.clone() }
    }
}
