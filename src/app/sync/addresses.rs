//! Addresses that move between users, and persons that two users might be: who has what, and who gives it up.

use serde_json::Map;

use super::one::{Release, Sender};
use super::plan::Send;
use super::talk::Halt;
use crate::core::user::User;
use crate::deskpro::PersonId;
use crate::store::people::{self, Holder};
use crate::store::users;

impl Sender<'_> {
    /// Gets an address that somebody has as a further one, if another of our users had it before.
    pub(super) fn release(&self, user: &User, send: &Send, address: &str) -> Result<Release, Halt> {
        // In this order: whoever gives it up in between is seen by the second question.
        if let Some(holder) = self.still_has(user, send, address)? {
            return Ok(Release::Waits(holder));
        }
        Ok(if self.free_former(user, send, address)? { Release::Freed } else { Release::No })
    }

    /// Takes an address from the person of another of our users, who had it before: Deskpro may keep the address that a
    /// person had as a further one. Whether there was one.
    fn free_former(&self, user: &User, send: &Send, address: &str) -> Result<bool, Halt> {
        let folded = address.to_lowercase();
        let former = self.app.store().read(|db| people::with_former(db, &self.desk.id, &folded, &user.id))?;
        let Some(former) = former.filter(|_| send.is_proved) else { return Ok(false) };
        // Only if the other user no longer has it in any way.
        let other = self.app.store().read(|db| users::by_id(db, &former.user_id))?;
        let has_it = |other: &User| {
            let described = self.issuer.describe(other).person;
            described.addresses().any(|own| own.to_lowercase() == folded)
        };
        if other.is_some_and(|other| has_it(&other)) {
            return Ok(false);
        }
        let Some(id) = former.deskpro_id.and_then(|id| id.parse().ok()).map(PersonId) else {
            return Ok(false);
        };
        let _alone = self.talk.alone_with(id);
        let Ok(Some(person)) = self.talk.ask(|client| client.person(id))? else { return Ok(false) };
        let is_primary =
            |own: &String| person.primary_email.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(own));
        let is_asked = |own: &String| own.to_lowercase() == folded;
        if !person.emails.iter().any(|own| is_asked(own) && !is_primary(own)) {
            return Ok(false);
        }
        let kept: Vec<String> =
            person.emails.iter().filter(|own| !is_asked(own) && !is_primary(own)).cloned().collect();
        let body = Map::from_iter([("emails".to_owned(), kept.into())]);
        Ok(self.talk.ask(|client| client.update_person(id, &body))?.is_ok())
    }

    /// Another user who was sent with an address, and is about to give it up.
    fn still_has(&self, user: &User, send: &Send, address: &str) -> Result<Option<Holder>, Halt> {
        let folded = address.to_lowercase();
        let holder =
            self.app.store().read(|db| people::with_address(db, &self.desk.id, &folded, &user.id))?;
        match holder {
            Some(holder) if self.gives_up(&holder, send)? => Ok(Some(holder)),
            _ => Ok(None),
        }
    }

    /// Another user who has a person, or for whom an import or an admin has written it.
    pub(super) fn holder(&self, user: &User, id: PersonId) -> Result<Option<Holder>, Halt> {
        let origin = self.desk.origin.as_str();
        let other =
            self.app.store().read(|db| users::other_with_deskpro_id(db, &id.to_string(), &user.id))?;
        if let Some(other) = other
            && other.gone_at.is_none()
            && other.own_person(origin).is_some()
            && user.own_person(origin) != Some(id.to_string())
        {
            return Ok(Some(Holder { user_id: other.id, login: other.login.to_string(), is_gone: false }));
        }
        let holder = self.app.store().read(|db| people::holder(db, &self.desk.id, &id.to_string()))?;
        Ok(holder.filter(|holder| holder.user_id != user.id && !holder.is_gone))
    }

    /// Whether another user has the address at Deskpro, and no longer has it here.
    pub(super) fn gives_up(&self, holder: &Holder, send: &Send) -> Result<bool, Halt> {
        let user = self.app.store().read(|db| users::by_id(db, &holder.user_id))?;
        let Some(user) = user.filter(|user| !user.disabled) else { return Ok(false) };
        let described = self.issuer.describe(&user);
        let folded = |address: &Option<String>| address.as_ref().map(|address| address.to_lowercase());
        Ok(described.refusal.is_none()
            && described.person.email.is_some()
            && folded(&described.person.email) != folded(&send.address))
    }
}
