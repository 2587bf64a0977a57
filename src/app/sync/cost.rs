//! How many people a mapping would send, before it is published.

use super::plan::{Action, plan};
use crate::app::tokens::Issuer;
use crate::app::{App, AppError, desks};
use crate::core::desk::Desk;
use crate::core::id::{MessengerId, UserId};
use crate::core::user::User;
use crate::store::desks::by_origin;
use crate::store::people::{self, PersonRow};

impl App {
    /// The desk whose people a messenger's mapping describes, if it has one.
    pub fn described_desk(&self, messenger: &MessengerId) -> Result<Option<Desk>, AppError> {
        let Ok(origin) = self.helpdesk(messenger) else { return Ok(None) };
        let stored = self.store().read(|db| by_origin(db, origin.as_str()))?;
        Ok(stored.as_ref().and_then(desks::read).filter(|desk| desk.messenger == *messenger))
    }

    /// How many of some users would be sent to a desk with the mapping of an issuer.
    pub(in crate::app) fn count_sends(
        &self,
        desk: &Desk,
        issuer: &Issuer<'_>,
        users: &[User],
    ) -> Result<i64, AppError> {
        let ids: Vec<UserId> = users.iter().map(|user| user.id.clone()).collect();
        let mut rows = self.store().read(|db| people::of(db, &desk.id, &ids))?;
        let is_sent = |user: &&User| {
            let row = rows.remove(&user.id).unwrap_or_else(|| PersonRow::new(user.id.clone()));
            matches!(plan(desk, issuer, user, &row, false), Action::Send(_) | Action::Retire(_))
        };
        Ok(users.iter().filter(is_sent).count().try_into().unwrap_or(i64::MAX))
    }
}
