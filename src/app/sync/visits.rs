//! A page whose user is no person yet. It says that the user is needed, and waits without a thread, not for long; the
//! server that talks to the desk does the rest, like for everybody else who is due.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;

use crate::app::tokens::Issuer;
use crate::app::{App, AppError};
use crate::core::desk::{Desk, Known};
use crate::core::id::{MessengerId, UserId};
use crate::core::mapping::Token;
use crate::core::sync::PersonState;
use crate::core::user::User;
use crate::store::people::{self, PersonRow};
use crate::store::{Change, ChangeKind};

/// How many pages wait at most.
const MOST: usize = 200;
/// After so many waits in vain, none waits for a while.
const VAIN: u32 = 5;
/// How long.
const REST: Duration = Duration::from_secs(30);

/// States in which nothing comes of another try by itself.
const HOPELESS: [PersonState; 4] =
    [PersonState::Refused, PersonState::Conflict, PersonState::NoAddress, PersonState::LeftOut];

/// Tells one page that something is known about its user.
type Tell = Box<dyn FnOnce() + Send>;

/// The pages that wait.
#[derive(Default)]
pub(in crate::app) struct Visits {
    waiting: Mutex<HashMap<UserId, Vec<Tell>>>,
    /// Waits in vain since the last one that was not, and when the last of them ended.
    vain: Mutex<(u32, Duration)>,
}

impl Visits {
    /// Tells the pages of users who changed.
    pub fn changed(&self, changes: &[Change]) {
        let mut waiting = self.waiting.lock();
        if waiting.is_empty() {
            return;
        }
        for change in changes {
            match change.kind {
                ChangeKind::User | ChangeKind::Person => tell(waiting.remove(change.subject.as_str())),
                ChangeKind::All => waiting.drain().for_each(|(_, tells)| tell(Some(tells))),
                _ => {}
            }
        }
    }

    /// Tells the pages of a user for whom there is an answer, even if it is no person.
    pub fn answered(&self, user: &UserId) {
        tell(self.waiting.lock().remove(user));
    }

    /// Adds a page, if there is room.
    fn add(&self, user: &UserId, say: Tell) -> bool {
        let mut waiting = self.waiting.lock();
        if waiting.values().map(Vec::len).sum::<usize>() >= MOST {
            return false;
        }
        waiting.entry(user.clone()).or_default().push(say);
        true
    }
}

fn tell(waiting: Option<Vec<Tell>>) {
    waiting.into_iter().flatten().for_each(|tell| tell());
}

impl App {
    /// Whether a token of a user must name a person whom the helpdesk does not have yet.
    pub fn needs_person(&self, user: &User, messenger: &MessengerId) -> Result<bool, AppError> {
        Ok(self.issuer(messenger, None)?.missing_person_at(user).is_some())
    }

    /// Says that a user is needed at the desk of a messenger. If it makes sense to wait for that, `say` is called as soon as
    /// something changed, and the answer is how long to wait at most in all.
    pub fn want_person(
        &self,
        user: &UserId,
        messenger: &MessengerId,
        say: impl FnOnce() + Send + 'static,
    ) -> Result<Option<Duration>, AppError> {
        let issuer = self.issuer(messenger, None)?;
        let is_asked = issuer.shared().desk.as_ref().is_some_and(|desk| desk.settings.wait_ms > 0);
        if !is_asked || self.is_vain() {
            return Ok(None);
        }
        // Before the user is read, so that no change is missed.
        let is_listening = self.0.visits.add(user, Box::new(say));
        let needed = self.user_by_id(user).and_then(|user| match issuer.missing_person_at(&user) {
            Some(desk) if self.need_person(desk, &user)? => Ok(Some(desk.settings.wait_ms)),
            _ => Ok(None),
        });
        if !matches!(needed, Ok(Some(_))) {
            self.0.visits.answered(user);
        }
        Ok(needed?.filter(|_| is_listening).map(Duration::from_millis))
    }

    /// Tells the pages of a user to look again: one of them gave up.
    pub fn forget_visit(&self, user: &UserId) {
        self.0.visits.answered(user);
    }

    /// Says that a user is needed; `false` if it is known that nothing would come of it.
    fn need_person(&self, desk: &Desk, user: &User) -> Result<bool, AppError> {
        let row = self.store().read(|db| people::one(db, &desk.id, &user.id))?;
        let is_due = row.as_ref().is_some_and(|row| row.due_at.is_some());
        let is_hopeless = row.is_some_and(|row| HOPELESS.contains(&row.state));
        if !is_due && is_hopeless {
            return Ok(false);
        }
        if !is_due {
            self.mark_due(desk, &user.id)?;
        }
        self.0.desks.wake();
        Ok(true)
    }

    fn mark_due(&self, desk: &Desk, user: &UserId) -> Result<(), AppError> {
        let now = self.now();
        self.store().write(now, |tx| people::mark_due(tx, &desk.id, std::slice::from_ref(user), now))?;
        Ok(())
    }

    fn is_vain(&self) -> bool {
        let (count, at) = *self.0.visits.vain.lock();
        count >= VAIN && (self.0.monotonic)().saturating_sub(at) < REST
    }

    /// Notes whether a wait was worth it.
    pub fn waited_for_person(&self, user: &UserId, came: bool) {
        let mut vain = self.0.visits.vain.lock();
        *vain = if came { (0, Duration::ZERO) } else { (vain.0.saturating_add(1), (self.0.monotonic)()) };
        drop(vain);
        if !came {
            // Nobody listens any more.
            self.0.visits.answered(user);
        }
    }

    /// To be called when a token of a user is issued: says that the user is needed who has no person yet, or whose person
    /// was not looked at for long. Whether a person may come soon. A token does not depend on whether it can be said.
    pub(in crate::app) fn visit(&self, issuer: &Issuer<'_>, user: &User) -> bool {
        let Some(desk) = &issuer.shared().desk else { return false };
        let said = match issuer.missing_person_at(user) {
            Some(desk) => self.need_person(desk, user),
            None => self.look_again(desk, user).map(|()| false),
        };
        said.unwrap_or_else(|error| {
            tracing::warn!("that a user is needed at the helpdesk could not be written: {error}");
            false
        })
    }

    fn look_again(&self, desk: &Desk, user: &User) -> Result<(), AppError> {
        let row = self.store().read(|db| people::one(db, &desk.id, &user.id))?;
        if row.is_some_and(|row| self.is_old(desk, &row)) {
            self.mark_due(desk, &user.id)?;
            self.0.desks.wake();
        }
        Ok(())
    }

    fn is_old(&self, desk: &Desk, row: &PersonRow) -> bool {
        let oldest = self.now() - desk.settings.look_after;
        row.due_at.is_none()
            && row.state == PersonState::Sent
            && row.tried_at.is_none_or(|tried_at| tried_at < oldest)
    }

    /// Whether [`App::visit`] has nothing to say, if that can be told without waiting.
    pub(in crate::app) fn is_visit_needless(&self, issuer: &Issuer<'_>, user: &User) -> bool {
        let Some(desk) = &issuer.shared().desk else { return true };
        let read = || self.store().read_at_once(|db| people::one(db, &desk.id, &user.id));
        issuer.missing_person_at(user).is_none()
            && read().is_some_and(|row| row.is_none_or(|row| !self.is_old(desk, &row)))
    }
}

impl Issuer<'_> {
    /// The desk that a user must have a person at for a token, and has none yet.
    pub(in crate::app) fn missing_person_at(&self, user: &User) -> Option<&Desk> {
        let desk = self.shared().desk.as_ref()?;
        let is_missing = self.signs() == Token::Id
            && !user.disabled
            && user.persons.at(&desk.id) == Known::Nothing
            && user.attributes_at(self.shared().at()).get("deskpro_id").is_none();
        is_missing.then_some(desk)
    }
}
