//! The mapping of a messenger: checked, published, shown. Applying it is in `app::tokens`.

use super::audit::{Event, record};
use super::{App, AppError, Caller};
use crate::core::attribute::{Definitions, is_blank};
use crate::core::id::MessengerId;
use crate::core::mapping::{self, Checked, Survey, Version, changes};
use crate::store::{ChangeKind, Error, Tx, attributes, drafts, mappings, users};

/// Used until a first mapping is published: the on-demand pattern with the data that every site has.
pub const STARTER: &str = r#"{"token": "all",
 "rules": [
  {"claim": "email", "from": {"attribute": "email"}},
  {"claim": "name", "from": {"text": ["{display_name}", "{first_name} {last_name}", "{first_name|last_name}"]}},
  {"claim": "timezone", "from": {"attribute": "timezone"}}]}
"#;

/// A mapping that is to be published, and the reason.
pub(super) struct Publication<'a> {
    pub messenger: &'a MessengerId,
    pub text: &'a str,
    /// The version it follows; the published one if not given.
    pub base: Option<i64>,
    pub reason: &'a str,
}

/// Users read at once when all are checked.
const PAGE: i64 = 500;

/// The maximum length of a reason, in characters.
const LONGEST_REASON: usize = 500;

pub(super) fn check_reason(reason: &str) -> Result<(), AppError> {
    if reason.chars().count() > LONGEST_REASON {
        let text = format!("The reason is longer than {LONGEST_REASON} characters. Shorten it.");
        return Err(AppError::BadReason(text));
    }
    if reason.contains('\0') {
        return Err(AppError::BadReason("The reason contains a NUL character. Remove it.".into()));
    }
    Ok(())
}

impl App {
    /// Checks a draft: all errors and warnings at once, including those that need all users.
    pub fn check_mapping(&self, messenger: &MessengerId, draft: &str) -> Result<Checked, AppError> {
        let (mut checked, _) = self.judge_draft(messenger, draft)?;
        if let Some(mapping) = &checked.mapping {
            let mut survey = Survey::new(mapping);
            self.each_user(|user| survey.observe(&user.attributes))?;
            checked.findings.extend(survey.warnings());
        }
        Ok(checked)
    }

    /// Checks a draft without querying the users, and returns which attributes it may read.
    pub fn judge_draft(
        &self,
        messenger: &MessengerId,
        draft: &str,
    ) -> Result<(Checked, Definitions), AppError> {
        let definitions = self.store().read(|db| attributes::all(db))?;
        Ok((mapping::check(draft, &definitions, &*self.catalogue(messenger)?), definitions))
    }

    /// Publishes a mapping as the next version, or reports everything that is wrong with it. Who would no
    /// longer get a token is not checked here: `compare_mapping` does that.
    pub fn publish_mapping(
        &self,
        messenger: &MessengerId,
        text: &str,
        reason: &str,
        caller: &Caller,
    ) -> Result<(Version, Checked), AppError> {
        self.publish_mapping_after(messenger, text, None, reason, caller)
    }

    /// The same, as the version after `base`. `MappingMoved` if that is not the published one.
    pub fn publish_mapping_after(
        &self,
        messenger: &MessengerId,
        text: &str,
        base: Option<i64>,
        reason: &str,
        caller: &Caller,
    ) -> Result<(Version, Checked), AppError> {
        check_reason(reason)?;
        let event =
            |version, changes| Event::MappingPublished { version, reason: reason.to_owned(), changes };
        let publication = Publication { messenger, text, base, reason };
        self.publish(&publication, caller, event, |_, _| Ok(()))
    }

    /// Publishes an earlier version again, as the one after `in_force`. `MappingMoved` if that is no
    /// longer the published one; `ReasonNeeded` if there is no reason and it does not produce the
    /// expected payload of some users.
    pub fn restore_mapping(
        &self,
        messenger: &MessengerId,
        version: &Version,
        in_force: i64,
        why: &str,
        caller: &Caller,
    ) -> Result<Version, AppError> {
        let from = version.number;
        check_reason(why)?;
        let why = why.trim();
        let reason = if is_blank(why) {
            format!("Back to version {from}")
        } else {
            format!("Back to version {from}: {why}")
        };
        if is_blank(why)
            && let (Checked { mapping: Some(mapping), .. }, _) = self.judge_draft(messenger, &version.text)?
        {
            self.ensure_as_expected(messenger, &mapping)?;
        }
        let event = |version, changes| Event::MappingRestored { version, from, changes };
        let base = Some(in_force);
        let publication = Publication { messenger, text: &version.text, base, reason: &reason };
        Ok(self.publish(&publication, caller, event, |_, _| Ok(()))?.0)
    }

    /// Publishes a mapping. `also` runs in the same transaction. `MappingMoved` if the version after `base`
    /// exists already.
    pub(super) fn publish(
        &self,
        publication: &Publication<'_>,
        caller: &Caller,
        event: impl Fn(i64, Vec<String>) -> Event,
        mut also: impl FnMut(&mut Tx<'_>, &MessengerId) -> Result<(), AppError>,
    ) -> Result<(Version, Checked), AppError> {
        let messenger = self.messenger(publication.messenger)?.id;
        let (checked, _) = self.judge_draft(&messenger, publication.text)?;
        if checked.mapping.is_none() {
            return Err(AppError::Mapping(checked.findings));
        }
        if let (Some(mapping), true) = (&checked.mapping, is_blank(publication.reason)) {
            self.ensure_as_expected(&messenger, mapping)?;
        }
        let now = self.now();
        let base = match publication.base {
            Some(base) => base,
            None => self.published_mapping(&messenger)?.map_or(0, |version| version.number),
        };
        let version = Version {
            number: base.saturating_add(1),
            text: publication.text.to_owned(),
            author: caller.actor.clone(),
            reason: publication.reason.to_owned(),
            created_at: now,
        };
        let names = self.catalogue(&messenger)?;
        let published = self.store().write(now, |tx| {
            let before = mappings::published(tx, &messenger)?;
            if before.as_ref().map_or(0, |before| before.number) != base {
                return Err(Error::Conflict("mappings.version".into()).into());
            }
            let text_before = before.as_ref().map_or(STARTER, |before| &before.text);
            let changes = changes(text_before, &version.text, &names);
            mappings::insert(tx, &messenger, &version)?;
            also(tx, &messenger)?;
            drafts::delete_unchanged(tx, &messenger, text_before)?;
            tx.changed(ChangeKind::Mapping, &messenger);
            Ok(record(tx, now, caller, &event(version.number, changes), &messenger)?)
        });
        match published {
            Ok(()) => Ok((version, checked)),
            Err(AppError::Store(Error::Conflict(_))) => Err(self.moved(&messenger)?),
            Err(error) => Err(error),
        }
    }

    /// `ReasonNeeded` if a mapping does not produce the expected payload of some user.
    fn ensure_as_expected(
        &self,
        messenger: &MessengerId,
        mapping: &mapping::Mapping,
    ) -> Result<(), AppError> {
        let unexpected = self.unexpected(messenger, mapping.clone())?;
        let Some(first) = unexpected.first() else { return Ok(()) };
        let login = first.place.login.as_deref().unwrap_or_default();
        let message = format!("This is not the expected payload of {login}: {} Give a reason.", first.what);
        Err(AppError::ReasonNeeded(message))
    }

    fn moved(&self, messenger: &MessengerId) -> Result<AppError, AppError> {
        let version = self.published_mapping(messenger)?;
        Ok(version.map_or_else(
            || AppError::Refused("Nothing has been published yet, so the base version can only be 0.".into()),
            |version| AppError::MappingMoved(Box::new(version)),
        ))
    }

    /// Every version of a mapping, newest first.
    pub fn mapping_versions(&self, messenger: &MessengerId) -> Result<Vec<Version>, AppError> {
        let messenger = self.messenger(messenger)?.id;
        Ok(self.store().read(|db| mappings::all(db, &messenger))?)
    }

    /// One version of a mapping.
    pub fn mapping_version(&self, messenger: &MessengerId, number: i64) -> Result<Version, AppError> {
        let messenger = self.messenger(messenger)?.id;
        let version = self.store().read(|db| mappings::by_number(db, &messenger, number))?;
        version.ok_or_else(|| AppError::NotFound(format!("There is no version {number} of this mapping.")))
    }

    /// The published version, or `None` while [`STARTER`] is used.
    pub fn published_mapping(&self, messenger: &MessengerId) -> Result<Option<Version>, AppError> {
        let messenger = self.messenger(messenger)?.id;
        Ok(self.store().read(|db| mappings::published(db, &messenger))?)
    }

    /// Calls `look` with every user, the oldest first, a page at a time. A user who is renamed in the
    /// meantime is passed only once.
    pub fn each_user(&self, mut look: impl FnMut(&crate::core::user::User)) -> Result<(), AppError> {
        let mut after = None;
        loop {
            let page = self.store().read(|db| users::page(db, after.as_ref(), PAGE))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            page.iter().for_each(&mut look);
        }
    }
}
