//! Whether the user who is signed in is the one whom a page of the website shows.

use super::{App, AppError};
use crate::core::api_key::{ApiKey, State};
use crate::core::id::MessengerId;
use crate::core::user::User;
use crate::store::{Error, Sql, api_keys, users};

/// That the user whom a page shows is the one who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Until then (unix seconds) only a change of the user or of an API key can end it. A match by login depends on
    /// the other users, so it is true only now.
    pub until: i64,
}

impl App {
    /// Whether the user that a messenger's page shows is this user.
    pub fn is_shown(
        &self,
        user: &User,
        shown: &str,
        messenger: &MessengerId,
    ) -> Result<Option<Shown>, AppError> {
        let now = self.now();
        Ok(self.store().read(|db| {
            let keys = api_keys::all(db)?;
            let of_messenger = |key: &&ApiKey| key.state(now) == State::Live && key.may_use(messenger);
            let keys: Vec<&ApiKey> = keys.iter().filter(of_messenger).collect();
            let mut prefixes: Vec<&str> = keys.iter().map(|key| key.prefix.as_str()).collect();
            prefixes.sort_unstable();
            prefixes.dedup();
            // If the keys' prefixes differ, it is unknown which website the page is from: it must name
            // its user in full.
            let prefix = if let [only] = prefixes.as_slice() { only } else { "" };
            let until = keys.iter().map(|key| key.expires_at).min().unwrap_or(i64::MAX);
            let by_id = has_shown_id(user, shown, prefix);
            let is_shown = by_id || is_shown(db, user, shown, prefix)?;
            Ok::<_, Error>(is_shown.then_some(Shown { until: if by_id { until } else { now } }))
        })?)
    }
}

/// Whether the user that a page shows is this user: by the site's own user ID or, if the user has none
/// and no other user has it, by the login. `prefix` is what the website's key puts before its IDs.
pub(super) fn is_shown(db: &mut dyn Sql, user: &User, shown: &str, prefix: &str) -> Result<bool, Error> {
    if has_shown_id(user, shown, prefix) {
        return Ok(true);
    }
    let whole = format!("{prefix}{shown}");
    Ok(user.is_only_called(shown) && users::by_external_id(db, &whole)?.is_none())
}

fn has_shown_id(user: &User, shown: &str, prefix: &str) -> bool {
    let is_it =
        |id: String| id.strip_prefix(prefix) == Some(shown) || (id == shown && shown.starts_with(prefix));
    user.text("external_id").is_some_and(is_it)
}
