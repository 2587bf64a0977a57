//! Attributes: which exist, and the properties of each.

use serde_json::json;

use super::audit::{Event, record};
use super::progress::Progress;
use super::{App, AppError, Caller, clock};
use crate::core::assign::read_value;
use crate::core::attribute::{Definition, Definitions, Kind, NameError, Value};
use crate::core::id::UserId;
use crate::core::mapping::Mapping;
use crate::core::user::User;
use crate::core::visible::shown;
use crate::store::{self, ChangeKind, attributes, users};

/// What to change of an attribute; `None` leaves it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change {
    /// Its type; values of users are converted.
    pub kind: Option<Kind>,
    /// Whether users can be searched by it.
    pub searchable: Option<bool>,
    /// Whether its writer vouches that the value is the user's own: it is trusted (`proved` in the API).
    pub proved: Option<bool>,
}

impl Change {
    /// The definition of an attribute after the change.
    fn over(self, before: Option<Definition>) -> Definition {
        let before = before.unwrap_or_default();
        Definition {
            kind: self.kind.unwrap_or(before.kind),
            searchable: self.searchable.unwrap_or(before.searchable),
            proved: self.proved.unwrap_or(before.proved),
        }
    }
}

impl App {
    /// The definitions of the site's attributes.
    pub fn attributes(&self) -> Result<Definitions, AppError> {
        Ok(self.store().read(|db| attributes::all(db))?)
    }

    /// Creates an attribute or changes it. If a user has a value that cannot be read as the new type,
    /// nothing changes and the error names that user. Values are converted, and search keys written, in
    /// short transactions, so sign-ins and imports continue. If a run was killed, the same call
    /// completes it.
    pub fn set_attribute(
        &self,
        name: &str,
        change: Change,
        caller: &Caller,
        mut progress: impl FnMut(Progress),
    ) -> Result<Definition, AppError> {
        let mut definitions = self.attributes()?;
        let before = definitions.any(name);
        definitions.define(name, change.over(before)).map_err(|error| refused(name, &error))?;
        let rewrite = Rewrite {
            name,
            kind: change.kind.filter(|_| before.is_some()),
            rekey: before.is_some() && change.searchable.is_some(),
            removes: false,
        };
        if let Some(kind) = rewrite.kind.filter(|kind| before.is_some_and(|before| before.kind != *kind)) {
            self.check_values(name, kind, &mut progress)?;
        }
        let now = self.now();
        let after = self.store().write(now, |tx| {
            // Every writer that adds users or writes many of them reads the definitions of attributes
            // behind this lock: all that come after it write the new type.
            tx.lock_bulk()?;
            attributes::lock(tx)?;
            let mut definitions = attributes::all(tx)?;
            let after = change.over(definitions.any(name));
            definitions.define(name, after).map_err(|error| refused(name, &error))?;
            attributes::put(tx, name, &after, now)?;
            let detail = json!({ "type": after.kind.as_str(), "searchable": after.searchable, "proved": after.proved });
            record(tx, now, caller, &Event::AttributeSet { detail }, name)?;
            tx.changed(ChangeKind::All, "");
            Ok::<_, AppError>(after)
        })?;
        if rewrite.kind.is_some() || rewrite.rekey {
            self.rewrite(&rewrite, &mut progress)?;
        }
        Ok(after)
    }

    /// Removes an attribute: every user's value, and its definition. Refused while a published mapping
    /// reads it.
    pub fn remove_attribute(
        &self,
        name: &str,
        caller: &Caller,
        mut progress: impl FnMut(Progress),
    ) -> Result<(), AppError> {
        if self.attributes()?.get(name).is_none() {
            return Err(AppError::NotFound(format!(
                "There is no attribute '{}'. `countersign attribute list` shows your attributes.",
                shown(name)
            )));
        }
        for messenger in self.messengers().iter() {
            let Some(version) = self.published_mapping(&messenger.id)? else { continue };
            let mapping = Mapping::published(&version.text).map_err(AppError::Mapping)?;
            if mapping.attributes().any(|read| read == name) {
                return Err(AppError::Refused(format!(
                    "The published mapping of '{}' reads this attribute. Publish a mapping that does not read it first.",
                    messenger.id
                )));
            }
        }
        let now = self.now();
        self.store().write(now, |tx| {
            tx.lock_bulk()?;
            attributes::lock(tx)?;
            attributes::delete(tx, name)?;
            record(tx, now, caller, &Event::AttributeRemoved, name)?;
            tx.changed(ChangeKind::All, "");
            Ok::<_, AppError>(())
        })?;
        self.rewrite(&Rewrite { name, kind: None, rekey: true, removes: true }, &mut progress)
    }

    /// Refuses a type if a user's value cannot be read as it.
    fn check_values(
        &self,
        name: &str,
        kind: Kind,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), AppError> {
        let total = usize::try_from(self.store().read(|db| users::count(db))?).unwrap_or_default();
        let (mut after, mut done) = (None, 0);
        loop {
            let page = self.store().read(|db| users::page(db, after.as_ref(), PAGE))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            for user in &page {
                if let Some(value) = user.attributes.get(name) {
                    converted(value, kind).map_err(|what| {
                        AppError::Refused(format!("'{}'{what} Nothing was changed.", user.login))
                    })?;
                }
            }
            done += page.len();
            progress(Progress { step: "checking", done, total });
        }
    }

    /// Converts every user's value to the type, and updates search keys.
    fn rewrite(&self, rewrite: &Rewrite<'_>, progress: &mut impl FnMut(Progress)) -> Result<(), AppError> {
        let total = usize::try_from(self.store().read(|db| users::count(db))?).unwrap_or_default();
        let (mut after, mut done) = (None, 0);
        loop {
            // In the order of IDs, which never change, and every user is held: a writer that still uses
            // the old definition is waited for.
            let ids = self.store().read(|db| users::ids_after(db, after.as_ref(), PAGE))?;
            let Some(last) = ids.last().cloned() else { return Ok(()) };
            let mut rest = ids.as_slice();
            while !rest.is_empty() {
                rest = &rest[self.rewrite_some(rewrite, rest)?..];
            }
            after = Some(last);
            done += ids.len();
            progress(Progress { step: "writing", done, total });
        }
    }

    /// Rewrites users in one transaction until its time is over; returns how many.
    fn rewrite_some(&self, rewrite: &Rewrite<'_>, ids: &[UserId]) -> Result<usize, AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            let watch = clock::Stopwatch::start();
            tx.lock_bulk()?;
            let definitions = attributes::all(tx)?;
            let mut done = 0;
            for ids in ids.chunks(HELD) {
                done += ids.len();
                rewrite.apply(tx, ids, &definitions, now)?;
                if watch.milliseconds() > LONGEST {
                    break;
                }
            }
            if rewrite.kind.is_some() || rewrite.removes {
                tx.changed(ChangeKind::All, "");
            }
            Ok(done)
        })
    }
}

/// Users that are read at once.
const PAGE: i64 = 500;
/// Users who are held at once.
const HELD: usize = 50;
/// The maximum time that others wait for the writer (milliseconds).
const LONGEST: u128 = 100;

/// What is written for every user after the definition of an attribute changed.
struct Rewrite<'a> {
    name: &'a str,
    /// The type that values get.
    kind: Option<Kind>,
    /// Whether search keys are written again.
    rekey: bool,
    /// Whether values are removed.
    removes: bool,
}

impl Rewrite<'_> {
    fn apply(
        &self,
        tx: &mut store::Tx<'_>,
        ids: &[UserId],
        definitions: &Definitions,
        now: i64,
    ) -> Result<(), AppError> {
        let ids: Vec<&UserId> = ids.iter().collect();
        let mut all = users::hold_all(tx, &ids)?;
        all.retain(|held| held.attributes.get(self.name).is_some());
        for held in &mut all {
            if let Some(mut user) = self.changed(held) {
                user.updated_at = now;
                users::update(tx, held, &user, definitions)?;
            }
        }
        if self.rekey {
            users::rekey_all(tx, &all, definitions)?;
        }
        Ok(())
    }

    /// A user with a new value or without one; `None` if there is nothing to change.
    fn changed(&self, user: &User) -> Option<User> {
        let value = user.attributes.get(self.name)?;
        let mut user = user.clone();
        if self.removes {
            user.attributes.remove(self.name);
        } else {
            // A value that was written in the meantime and cannot be read as the type stays, and rules
            // ignore it.
            let wanted = converted(value, self.kind?).ok().filter(|wanted| wanted != value)?;
            user.attributes.set(self.name.to_owned(), wanted);
        }
        Some(user)
    }
}

/// A value as another type. The one reader of values does this: it reads the value's string form again.
/// The error is appended to the user's login.
fn converted(value: &Value, kind: Kind) -> Result<Value, String> {
    let text = match value {
        Value::List(_) if kind == Kind::List => return Ok(value.clone()),
        Value::List(items) => match items.as_slice() {
            [one] => one.as_text(),
            _ => return Err(format!(" has a list with {} items.", items.len())),
        },
        one => one.as_text(),
    };
    read_value(&text.unwrap_or_default(), kind).map_err(|what| format!(": {what}"))
}

fn refused(name: &str, error: &NameError) -> AppError {
    let what = match (error, name) {
        (NameError::BuiltIn(_), "email" | "email_verified") => {
            "it is built in and cannot be changed: email_verified says for each user whether the address is verified"
                .to_owned()
        }
        (NameError::BuiltIn(_), "deskpro_id") => {
            "it is built in and cannot be changed: only admins write it, so it is always trusted"
                .to_owned()
        }
        (NameError::BuiltIn(_), _) => {
            "it is built in, and only --trusted or --no-trusted can be set for it".to_owned()
        }
        _ => error.to_string(),
    };
    AppError::Refused(format!("'{}': {what}.", shown(name)))
}
