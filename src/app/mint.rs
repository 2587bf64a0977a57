//! A token for the site's own server: the server names its user, sends the user's data in the same call,
//! and passes the answer to its page.

use serde_json::{Map, Value};

use super::api_keys::prefixed;
use super::tokens::{Issued, TokenSubject};
use super::{App, AppError, Caller};
use crate::core::api_key::ApiKey;
use crate::core::id::{MessengerId, UserId};
use crate::core::incoming::Reason;
use crate::core::user::{ExternalId, Role, User};
use crate::store::users;

/// What came of the request for a token.
pub enum Minted {
    /// A token.
    Token(Issued, TokenSubject),
    /// The user is no person at the helpdesk yet.
    NeedsPerson(UserId),
}

impl App {
    /// Writes the user, if attributes come with the call, and issues a token, with the subject by which
    /// a page notices that the user has changed. If there is no person for the token yet, the caller waits, and
    /// calls [`App::mint_for`].
    pub fn mint(
        &self,
        key: &ApiKey,
        external_id: &ExternalId,
        messenger: &MessengerId,
        sent: Option<&Map<String, Value>>,
        caller: &Caller,
    ) -> Result<Minted, AppError> {
        let user = self.vouched(key, external_id, sent, caller)?;
        if self.needs_person(&user, messenger)? {
            return Ok(Minted::NeedsPerson(user.id));
        }
        let (issued, subject) = self.mint_for(&user, messenger, caller)?;
        Ok(Minted::Token(issued, subject))
    }

    /// Issues the token of a user whom the site's server has named.
    pub fn mint_for(
        &self,
        user: &User,
        messenger: &MessengerId,
        caller: &Caller,
    ) -> Result<(Issued, TokenSubject), AppError> {
        let issued = self.issue_token(user, messenger, None, caller)?;
        Ok((issued, self.subject(user, messenger)))
    }

    /// The user whom a site's server names, after the user's attributes in the call are written.
    pub(super) fn vouched(
        &self,
        key: &ApiKey,
        external_id: &ExternalId,
        sent: Option<&Map<String, Value>>,
        caller: &Caller,
    ) -> Result<User, AppError> {
        let external_id = &prefixed(key, external_id)?;
        if let Some(sent) = sent {
            return Ok(self.put_prefixed(key, external_id, sent, caller)?.user);
        }
        let known = self.store().read(|db| users::by_external_id(db, external_id.as_str()))?;
        match known {
            Some(user) if user.role == Role::Admin => Err(Reason::AboutAdmin.into()),
            Some(user) if user.gone_at.is_some() => Err(Reason::Gone.into()),
            Some(user) => Ok(user),
            None => Err(AppError::UnknownUser(external_id.as_str().to_owned())),
        }
    }
}
