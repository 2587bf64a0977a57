//! Messengers: added, changed, switched off; and what this process knows of them without querying the
//! database. What the environment sets for `default` takes precedence, and can be changed only there.

use std::sync::Arc;

use super::audit::{Event, record};
use super::{App, AppError, Caller};
use crate::core::id::MessengerId;
use crate::core::messenger::fields::{self, FIELDS, FieldProblem, Texts, default_of};
use crate::core::messenger::probe::{Probe, probe};
use crate::core::messenger::{Messenger, reach};
use crate::core::nearest::nearest;
use crate::core::origin::Origin;
use crate::store::messengers::{self, StoredMessenger};
use crate::store::{ChangeKind, Error};

/// Messengers as this process last read them.
#[derive(Clone, Default)]
pub(super) struct Loaded {
    usable: Arc<Vec<Messenger>>,
    broken: Arc<Vec<Broken>>,
}

/// An enabled messenger whose settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its ID.
    pub id: MessengerId,
    /// What is wrong with it.
    pub problems: Vec<FieldProblem>,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, problems } = self;
        write!(
            f,
            "The settings of the messenger '{id}' cannot be used. {} Change them with `countersign messenger set {id} NAME=VALUE`.",
            in_one_line(problems)
        )
    }
}

/// A messenger with all its properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its ID.
    pub id: MessengerId,
    /// The current values, by field: from the environment, the database, or the default.
    pub texts: Texts,
    /// The fields that the environment sets.
    pub fixed: Vec<&'static str>,
    /// Whether it may be used.
    pub enabled: bool,
    /// What a change must send, so that a second window is noticed.
    pub revision: i64,
    /// What the admin should check: addresses that others cannot reach, or settings that cannot be used.
    pub warnings: Vec<String>,
}

impl App {
    /// The enabled messengers, without a database query: changes by another process are known a second
    /// later, changes by this one at once.
    pub fn messengers(&self) -> Arc<Vec<Messenger>> {
        self.0.messengers.read().usable.clone()
    }

    /// The enabled messengers whose settings cannot be used. Their last usable settings are still in
    /// [`App::messengers`], if this process knew them.
    pub fn broken_messengers(&self) -> Arc<Vec<Broken>> {
        self.0.messengers.read().broken.clone()
    }

    /// Refuses to start while a messenger cannot be used: its pages would silently be missing.
    pub fn ensure_messengers(&self) -> Result<(), AppError> {
        let broken = self.broken_messengers();
        if broken.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = broken.iter().map(ToString::to_string).collect();
        Err(AppError::BrokenMessenger(lines.join("\n")))
    }

    /// An enabled messenger by its ID.
    pub fn messenger(&self, id: &MessengerId) -> Result<Messenger, AppError> {
        let known = self.0.messengers.read().clone();
        if let Some(messenger) = known.usable.iter().find(|messenger| messenger.id == *id) {
            return Ok(messenger.clone());
        }
        let broken = known.broken.iter().find(|broken| broken.id == *id);
        Err(broken.map_or_else(|| unknown(id), |broken| AppError::BrokenMessenger(broken.to_string())))
    }

    /// The origins of all enabled messengers: their pages may send requests here.
    pub fn allowed_origins(&self) -> Vec<Origin> {
        self.messengers().iter().flat_map(|messenger| messenger.allowed_origins.clone()).collect()
    }

    /// Reads all messengers again if another process has changed one.
    pub fn refresh_messengers(&self) -> Result<(), Error> {
        let changed = self.store().read(|db| {
            let of = |db: &mut dyn crate::store::Sql, kind| crate::store::changes::latest_of(db, kind);
            Ok::<_, Error>(of(db, ChangeKind::Messenger)?.max(of(db, ChangeKind::All)?))
        })?;
        let seen = &self.0.messengers_seen;
        if seen.load(std::sync::atomic::Ordering::Acquire) != changed {
            self.load_messengers()?;
            seen.store(changed, std::sync::atomic::Ordering::Release);
        }
        Ok(())
    }

    /// Reads all messengers. If one can no longer be used, its last usable settings stay.
    pub(super) fn load_messengers(&self) -> Result<(), Error> {
        // One at a time, so that an older reading cannot replace a newer one.
        let _one = self.0.loading.lock();
        let kept = self.store().read(|db| messengers::all(db))?;
        let (mut usable, mut broken) = (Vec::new(), Vec::new());
        let is_default_on = kept.iter().any(|kept| kept.id.is_default() && kept.enabled);
        for kept in kept.into_iter().filter(|kept| kept.enabled) {
            match self.read_kept(&kept) {
                Ok(messenger) => usable.push(messenger),
                Err(problems) => broken.push(Broken { id: kept.id, problems }),
            }
        }
        if !is_default_on {
            let what = "It is switched off or missing in the database.".to_owned();
            let fix = "Switch it on with `countersign messenger enable default`, or restore a backup.";
            broken.push(Broken {
                id: MessengerId::default(),
                problems: vec![fields::problem("enabled", what, fix)],
            });
        }
        let mut known = self.0.messengers.write();
        for broken in &broken {
            tracing::error!(messenger = broken.id.as_str(), "{broken}");
            usable.extend(known.usable.iter().find(|before| before.id == broken.id).cloned());
        }
        usable.sort_by(|one, other| one.id.cmp(&other.id));
        *known = Loaded { usable: Arc::new(usable), broken: Arc::new(broken) };
        Ok(())
    }

    fn read_kept(&self, kept: &StoredMessenger) -> Result<Messenger, Vec<FieldProblem>> {
        if kept.damaged {
            let what = "The stored settings are damaged.".to_owned();
            let fix = "Restore a backup of the database.";
            return Err(vec![fields::problem("settings", what, fix)]);
        }
        self.read_messenger(&kept.id, &kept.texts)
    }

    fn read_messenger(&self, id: &MessengerId, texts: &Texts) -> Result<Messenger, Vec<FieldProblem>> {
        let mut messenger = fields::read(id, &self.effective(id, texts))?;
        // Blocked identities of `default` apply to every messenger.
        let everywhere = self.settings().messenger.policy.blocked.clone();
        messenger.policy.blocked = messenger.policy.blocked.with(&everywhere);
        Ok(messenger)
    }

    /// The current values: the environment takes precedence over the database.
    fn effective(&self, id: &MessengerId, texts: &Texts) -> Texts {
        let mut texts = texts.clone();
        if id.is_default() {
            texts.extend(self.settings().messenger_set.clone());
        }
        texts
    }

    /// Every messenger with all its properties, by ID.
    pub fn describe_messengers(&self) -> Result<Vec<Described>, AppError> {
        let kept = self.store().read(|db| messengers::all(db))?;
        Ok(kept.into_iter().map(|kept| self.described(kept)).collect())
    }

    /// One of them.
    pub fn describe_messenger(&self, id: &MessengerId) -> Result<Described, AppError> {
        let kept = self.store().read(|db| messengers::by_id(db, id))?;
        Ok(self.described(kept.ok_or_else(|| unknown(id))?))
    }

    fn described(&self, kept: StoredMessenger) -> Described {
        let set = &self.settings().messenger_set;
        let fixed = |name: &str| kept.id.is_default() && set.contains_key(name);
        let fixed: Vec<&'static str> =
            FIELDS.iter().map(|(name, _)| *name).filter(|name| fixed(name)).collect();
        let mut texts: Texts =
            FIELDS.iter().map(|(name, _)| ((*name).to_owned(), default_of(name).to_owned())).collect();
        texts.extend(self.effective(&kept.id, &kept.texts));
        let warnings = match self.read_kept(&kept) {
            Ok(messenger) => reach::warnings(&messenger),
            Err(problems) => {
                problems.iter().map(|problem| in_one_line(std::slice::from_ref(problem))).collect()
            }
        };
        Described { id: kept.id, texts, fixed, enabled: kept.enabled, revision: kept.updated_at, warnings }
    }

    /// Adds a messenger.
    pub fn add_messenger(&self, id: &MessengerId, caller: &Caller) -> Result<(), AppError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=40).contains(&id.as_str().len())
            || !id.as_str().bytes().all(plain)
            || id.as_str().starts_with('-')
        {
            return Err(AppError::Refused(
                "A messenger's ID has 1 to 40 lowercase letters, digits and hyphens, such as 'shop'. It is used in pages and addresses.".into(),
            ));
        }
        let now = self.now();
        self.store().write(now, |tx| {
            if messengers::by_id(tx, id)?.is_some() {
                return Err(AppError::Taken(format!("There is already a messenger '{id}'.")));
            }
            messengers::insert(tx, id, &Texts::new(), now)?;
            record(tx, now, caller, &Event::MessengerAdded, id)?;
            tx.changed(ChangeKind::Messenger, id);
            Ok(())
        })?;
        Ok(self.load_messengers()?)
    }

    /// Changes settings of a messenger, all of them or none: fields that are not named stay, and an
    /// empty value resets a field to its default. `revision` is the one that was seen, if it matters.
    pub fn change_messenger(
        &self,
        id: &MessengerId,
        changes: &Texts,
        revision: Option<i64>,
        caller: &Caller,
    ) -> Result<Described, AppError> {
        let now = self.now();
        let set = &self.settings().messenger_set;
        self.store()
            .write(now, |tx| {
                messengers::hold(tx, id)?;
                let mut kept = messengers::by_id(tx, id)?.ok_or_else(|| unknown(id))?;
                if revision.is_some_and(|revision| revision != kept.updated_at) {
                    return Err(AppError::MessengerMoved);
                }
                if kept.damaged {
                    // A change would lose the damaged settings, including the block list.
                    self.read_kept(&kept).map_err(AppError::Messenger)?;
                }
                let before = kept.texts.clone();
                for (name, text) in changes {
                    if !FIELDS.iter().any(|(field, _)| field == name) {
                        return Err(unknown_field(name));
                    }
                    if id.is_default() && set.contains_key(name) {
                        // Shown read-only; a form sends it anyway.
                        continue;
                    }
                    let text = text.trim().replace("\r\n", "\n");
                    if text.is_empty() || text == default_of(name) {
                        kept.texts.remove(name);
                    } else {
                        kept.texts.insert(name.clone(), text);
                    }
                }
                self.read_messenger(id, &kept.texts).map_err(AppError::Messenger)?;
                let names: Vec<&str> = FIELDS
                    .iter()
                    .map(|(name, _)| *name)
                    .filter(|name| before.get(*name) != kept.texts.get(*name))
                    .collect();
                if !names.is_empty() {
                    // Always grows, even within one second.
                    kept.updated_at = now.max(kept.updated_at + 1);
                    messengers::update(tx, &kept)?;
                    record(tx, now, caller, &Event::MessengerChanged { settings: names.join(", ") }, id)?;
                    tx.changed(ChangeKind::Messenger, id);
                }
                Ok(kept)
            })
            .and_then(|kept| {
                self.load_messengers()?;
                self.settle_origin()?;
                Ok(self.described(kept))
            })
    }

    /// What a browser would do on a page of the website: the page by its address, the messenger by
    /// settings that need not be saved, Countersign by its origin as browsers see it.
    pub fn probe_page(
        &self,
        id: &MessengerId,
        texts: &Texts,
        page: &str,
        accounts: &Origin,
    ) -> Result<Probe, AppError> {
        let messenger = self.read_messenger(id, texts).map_err(AppError::Messenger)?;
        probe(page, accounts, &messenger, &self.messengers()).ok_or_else(|| {
            AppError::Refused(format!(
                "'{page}' is not the address of a web page. Enter an address such as https://www.example.com/cart."
            ))
        })
    }

    /// Switches a messenger off or on. The messenger `default` stays on.
    pub fn enable_messenger(&self, id: &MessengerId, enabled: bool, caller: &Caller) -> Result<(), AppError> {
        if id.is_default() && !enabled {
            return Err(AppError::Refused("The messenger 'default' cannot be switched off.".into()));
        }
        let now = self.now();
        self.store().write(now, |tx| {
            messengers::hold(tx, id)?;
            let mut kept = messengers::by_id(tx, id)?.ok_or_else(|| unknown(id))?;
            if kept.enabled != enabled {
                if enabled {
                    self.read_kept(&kept).map_err(AppError::Messenger)?;
                }
                kept.enabled = enabled;
                kept.updated_at = now.max(kept.updated_at + 1);
                messengers::update(tx, &kept)?;
                let event = if enabled { Event::MessengerEnabled } else { Event::MessengerDisabled };
                record(tx, now, caller, &event, id)?;
                tx.changed(ChangeKind::Messenger, id);
            }
            Ok::<_, AppError>(())
        })?;
        Ok(self.load_messengers()?)
    }
}

fn unknown_field(name: &str) -> AppError {
    unknown_setting("A messenger", FIELDS.iter().map(|(field, _)| *field), name)
}

/// The error for a setting that a thing does not have; it names the nearest one, or all.
pub(super) fn unknown_setting(
    thing: &str,
    names: impl Iterator<Item = &'static str> + Clone,
    name: &str,
) -> AppError {
    let help = match nearest(names.clone(), name) {
        Some(meant) => format!("Did you mean '{meant}'?"),
        None => format!("The settings are: {}.", names.collect::<Vec<_>>().join(", ")),
    };
    AppError::Refused(format!("{thing} has no setting '{name}'. {help}"))
}

pub(super) fn unknown(id: &MessengerId) -> AppError {
    // A caller who is not identified must not learn which messengers exist.
    AppError::UnknownMessenger(format!(
        "There is no messenger '{id}', or it is switched off. `countersign messenger list` shows them."
    ))
}

/// Problems joined on one line.
pub fn in_one_line(problems: &[FieldProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join(" ")
}
