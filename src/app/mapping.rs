//! The mapping of a messenger: checked, published, shown. Applying it is `app::tokens`.

use super::audit::{Event, record};
use super::{App, AppError, Caller};
use crate::core::mapping::{self, Checked, Survey};
use crate::store::mappings::{self, Version};
use crate::store::{ChangeKind, Error, attributes, users};

/// In force until a first mapping is published: the on-demand pattern with what every site has.
pub const STARTER: &str = r#"{"token": "all",
 "rules": [
  {"claim": "email", "from": {"attribute": "email"}},
  {"claim": "name", "from": {"text": ["{display_name}", "{first_name} {last_name}", "{first_name|last_name}"]}},
  {"claim": "timezone", "from": {"attribute": "timezone"}}]}
"#;

/// Users read at once when all are looked at.
const PAGE: i64 = 500;

impl App {
    /// Checks a draft: all errors and warnings at once, those that ask all users included.
    pub fn check_mapping(&self, draft: &str) -> Result<Checked, AppError> {
        let definitions = self.store().read(|db| attributes::all(db))?;
        let mut checked = mapping::check(draft, &definitions);
        if let Some(mapping) = &checked.mapping {
            let mut survey = Survey::new(mapping);
            self.each_user(|user| survey.observe(&user.attributes))?;
            checked.findings.extend(survey.warnings());
        }
        Ok(checked)
    }

    /// Publishes a draft as the next version, or says everything that is wrong with it.
    pub fn publish_mapping(
        &self,
        messenger: &str,
        draft: &str,
        reason: &str,
        caller: &Caller,
    ) -> Result<(Version, Checked), AppError> {
        let messenger = self.messenger(messenger)?.id;
        let checked = self.check_mapping(draft)?;
        if checked.mapping.is_none() {
            return Err(AppError::Mapping(checked.findings));
        }
        let now = self.now();
        let number = self.published_mapping(&messenger)?.map_or(1, |version| version.number + 1);
        let version = Version {
            number,
            text: draft.to_owned(),
            author: caller.actor.clone(),
            reason: reason.to_owned(),
            created_at: now,
        };
        let published = self.store().write(now, |tx| {
            mappings::insert(tx, &messenger, &version)?;
            tx.changed(ChangeKind::Mapping, &messenger);
            let event = Event::MappingPublished { version: number, reason: reason.to_owned() };
            record(tx, now, caller, &event, &messenger)
        });
        match published {
            Ok(()) => Ok((version, checked)),
            Err(Error::Conflict(_)) => Err(AppError::Refused(format!(
                "Somebody else published version {number} a moment ago. Look at it with `countersign mapping show` and apply yours again."
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// The version in force, or `None` while [`STARTER`] is.
    pub fn published_mapping(&self, messenger: &str) -> Result<Option<Version>, AppError> {
        let messenger = self.messenger(messenger)?.id;
        Ok(self.store().read(|db| mappings::published(db, &messenger))?)
    }

    /// Calls `look` with every user, in the order of logins, a page at a time.
    pub fn each_user(&self, mut look: impl FnMut(&crate::core::user::User)) -> Result<(), AppError> {
        let mut after = String::new();
        loop {
            let page = self.store().read(|db| users::page(db, &after, PAGE))?;
            let Some(last) = page.last() else { return Ok(()) };
            last.login.as_str().clone_into(&mut after);
            page.iter().for_each(&mut look);
        }
    }
}
