//! Some users at once: what is to be done for each is planned, the requests are sent by a few threads, and each result is
//! written as soon as it is there. Meanwhile the calling thread shows that this server is alive.

use std::collections::HashMap;
use std::sync::mpsc;

use parking_lot::Mutex;

use super::one::{Came, Sender, Verdict};
use super::plan::{Action, Note, Send, plan};
use super::talk::Halt;
use crate::app::audit::{Event, record};
use crate::app::{AppError, Caller};
use crate::core::desk::Known;
use crate::core::id::UserId;
use crate::core::mapping::Token;
use crate::core::sync::{Conflict, Counts, PersonState};
use crate::core::user::User;
use crate::deskpro::PersonId;
use crate::store::people::{self, PersonRow};
use crate::store::{ChangeKind, Error, Sql, desks, users};

/// A user with what is known at the desk.
pub(super) struct Item {
    pub user: User,
    pub row: PersonRow,
    /// Sent whether or not it was sent or refused before.
    pub anyway: bool,
    /// Whether the person that is kept has to be judged first.
    pub is_judged_again: bool,
}

/// One thing to do.
struct Task {
    item: Item,
    action: Action,
}

/// What came of some users.
#[derive(Default)]
pub(super) struct Batch {
    pub counts: Counts,
    /// Users whose person Deskpro does not have, if they are only noted.
    pub missing: Vec<UserId>,
    /// Users who wait for others, with those.
    pub waiting: Vec<(UserId, UserId)>,
}

impl Sender<'_> {
    /// Reads users with what is known of them; those who no longer exist are left out.
    pub fn items(&self, users: Vec<User>, anyway: bool) -> Result<Vec<Item>, Halt> {
        let ids: Vec<UserId> = users.iter().map(|user| user.id.clone()).collect();
        let mut rows: HashMap<UserId, PersonRow> =
            self.app.store().read(|db| people::of(db, &self.desk.id, &ids))?;
        let item = |user: User| {
            let row = rows.remove(&user.id).unwrap_or_else(|| PersonRow::new(user.id.clone()));
            Item { user, row, anyway, is_judged_again: false }
        };
        Ok(users.into_iter().map(item).collect())
    }

    /// The same for ids.
    pub fn items_of(&self, ids: &[UserId], anyway: bool) -> Result<Vec<Item>, Halt> {
        let users = self.app.store().read(|db| users::by_ids(db, ids))?;
        self.items(users, anyway)
    }

    /// Plans and sends.
    pub fn batch(&self, items: Vec<Item>) -> Result<Batch, Halt> {
        let began = self.app.now();
        let mut batch = Batch::default();
        let (mut tasks, mut noted, mut may_create) = (Vec::new(), Vec::new(), Vec::new());
        for item in items {
            batch.counts.compared += 1;
            match plan(self.desk, self.issuer, &item.user, &item.row, item.anyway) {
                Action::Nothing(state) => {
                    count_state(&mut batch.counts, state);
                    batch.counts.unchanged += i64::from(state == PersonState::Sent);
                    if item.row.due_at.is_some() {
                        noted.push((item, None));
                    }
                }
                Action::Note(note) => {
                    count_state(&mut batch.counts, note.state);
                    noted.push((item, Some(note)));
                }
                mut action => {
                    if let Action::Send(send) = &mut action {
                        send.is_judged_again = item.is_judged_again;
                        if let Some(conflict) = self.shared_address(&item.user, send) {
                            batch.counts.conflicts += 1;
                            let item = Item {
                                row: PersonRow { tried: Some(send.tried.clone()), ..item.row },
                                ..item
                            };
                            noted.push((item, Some(Note::conflict(&conflict))));
                            continue;
                        }
                    }
                    if item.row.deskpro_id.is_none() && item.row.sending_since.is_none() {
                        may_create.push(item.user.id.clone());
                    }
                    tasks.push(Task { item, action });
                }
            }
        }
        for (item, note) in noted {
            self.note(item, note)?;
        }
        if !may_create.is_empty() {
            self.app.store().write(began, |tx| {
                self.ensure_ours(tx)?;
                people::mark_sending(tx, &self.desk.id, &may_create, began)?;
                Ok::<_, Lost>(())
            })?;
        }
        let answer = self.send_all(tasks, &mut batch);
        batch.counts.requests += self.talk.take_requests();
        answer.map(|()| batch)
    }

    fn send_all(&self, tasks: Vec<Task>, batch: &mut Batch) -> Result<(), Halt> {
        let threads = self.desk.settings.at_once.min(tasks.len());
        let queue = Mutex::new(tasks.into_iter());
        let (done, results) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let (queue, done) = (&queue, done.clone());
                scope.spawn(move || {
                    loop {
                        let Some(task) = queue.lock().next() else { return };
                        let result = self.do_one(task);
                        let is_end = result.is_err();
                        if done.send(result).is_err() || is_end {
                            return;
                        }
                    }
                });
            }
            drop(done);
            for result in results {
                match result {
                    Ok(None) => {}
                    Ok(Some(verdict)) => batch.count(&verdict),
                    // The others stop at their next request.
                    Err(why) => self.talk.halt(why),
                }
            }
        });
        self.talk.go_on()
    }

    /// Sends one user and writes what came of it; `None` for a user who was deleted meanwhile.
    fn do_one(&self, task: Task) -> Result<Option<Verdict>, Halt> {
        let Task { item, action } = task;
        let verdict = match &action {
            Action::Send(send) => self.send(&item.user, &item.row, send)?,
            Action::Retire(retire) => self.retire(&item.row, retire)?,
            Action::Nothing(_) | Action::Note(_) => return Ok(None),
        };
        let is_there = self.write(&verdict)?;
        self.app.0.visits.answered(&verdict.row.user_id);
        Ok(is_there.then_some(verdict))
    }

    /// Writes a row without sending anything.
    pub fn settle(&self, row: PersonRow) -> Result<(), Halt> {
        self.write(&Verdict { row, how: Came::Not }).map(|_| ())
    }

    fn note(&self, item: Item, note: Option<Note>) -> Result<(), Halt> {
        let mut row = item.row;
        if let Some(note) = note {
            (row.state, row.code, row.words) = (note.state, note.code, note.words);
        }
        row.tried_at = Some(self.app.now());
        let user = row.user_id.clone();
        self.settle(row)?;
        self.app.0.visits.answered(&user);
        Ok(())
    }

    /// Writes what came of a user; `false` if the user was deleted meanwhile.
    fn write(&self, verdict: &Verdict) -> Result<bool, Halt> {
        let Verdict { row, how } = verdict;
        let (app, desk) = (self.app, self.desk);
        if let Some(person) = &row.deskpro_id {
            self.free(person, &row.user_id)?;
        }
        let now = app.now();
        let written = app.store().write(now, |tx| {
            self.ensure_ours(tx)?;
            let Some(mut user) = users::hold(tx, &row.user_id)? else { return Ok(false) };
            let before = people::one(tx, &desk.id, &row.user_id)?;
            let is_other = |it: &PersonRow| it.state != row.state || it.code != row.code;
            let before_known = user.persons.clone();
            let known = self.known(row, before_known.at(&desk.id));
            if people::put(tx, &desk.id, &mut user, row, known)? {
                tx.changed(ChangeKind::Person, &row.user_id);
            }
            let caller = Caller::system();
            let helpdesk = || desk.origin.as_str().to_owned();
            let person_before = before.as_ref().and_then(|row| row.deskpro_id.as_ref());
            if let Some(person) = row.deskpro_id.as_ref().filter(|person| person_before != Some(*person)) {
                let how = if *how == Came::Created { "created" } else { "found" };
                let event = Event::PersonKept { helpdesk: helpdesk(), deskpro_id: person.clone(), how };
                record(tx, now, &caller, &event, &row.user_id)?;
            }
            if row.state == PersonState::Conflict && before.as_ref().is_none_or(is_other) {
                let event = Event::PersonConflict { helpdesk: helpdesk(), code: row.code.clone() };
                record(tx, now, &caller, &event, &row.user_id)?;
            }
            Ok(true)
        });
        match written {
            // Another user got the person in this moment.
            Err(Lost::Store(Error::Conflict(_))) if row.deskpro_id.is_some() => {
                let note = Note::conflict(&Conflict::Taken { login: "?".into() });
                let Note { state, code, words } = note;
                let row = PersonRow { deskpro_id: None, digest: None, state, code, words, ..row.clone() };
                self.write(&Verdict { row, how: Came::Not })
            }
            written => Ok(written?),
        }
    }

    /// Fails if another server has the desk.
    pub fn ensure_ours(&self, db: &mut dyn Sql) -> Result<(), Lost> {
        if desks::is_worker(db, &self.desk.id, self.worker)? { Ok(()) } else { Err(Lost::Lease) }
    }

    /// Takes a person from a user whose account is gone.
    fn free(&self, person: &str, user: &UserId) -> Result<(), Halt> {
        let (app, desk) = (self.app, &self.desk.id);
        let holder = app.store().read(|db| people::holder(db, desk, person))?;
        let Some(holder) = holder.filter(|holder| holder.is_gone && holder.user_id != *user) else {
            return Ok(());
        };
        app.store().write(app.now(), |tx| {
            if let Some(mut gone) = users::hold(tx, &holder.user_id)? {
                people::give_up(tx, desk, &mut gone)?;
            }
            Ok::<_, Error>(())
        })?;
        Ok(())
    }

    fn shared_address(&self, user: &User, send: &Send) -> Option<Conflict> {
        let shared = self.shared.as_ref()?;
        shared.conflict(user.login.as_str(), send.address.as_ref(), &send.others)
    }

    /// Which person tokens of the user may name.
    fn known<'k>(&self, row: &'k PersonRow, before: Known<'k>) -> Known<'k> {
        match (&row.deskpro_id, row.state) {
            // A token with the address, too, would name two people.
            (Some(_), PersonState::Conflict) if self.issuer.signs() == Token::All => Known::Barred,
            (Some(person), _) => Known::Person(person),
            // The address is still somebody else's at Deskpro.
            (None, PersonState::Conflict | PersonState::Waiting) => Known::Barred,
            // Neither a person nor an id that was written here.
            (None, PersonState::NoAddress | PersonState::Retired) => Known::Nothing,
            // What was not judged again stays as it was, except for a person who is gone.
            (None, _) if before == Known::Barred => Known::Barred,
            (None, _) => Known::Nothing,
        }
    }

    /// Makes sure that no other user gets a person; `false` if another one has it.
    pub fn reserve(&self, user: &UserId, id: PersonId) -> Result<bool, Halt> {
        self.free(&id.to_string(), user)?;
        let (app, desk) = (self.app, &self.desk.id);
        let reserved = app.store().write(app.now(), |tx| {
            self.ensure_ours(tx)?;
            people::reserve(tx, desk, user, &id.to_string())?;
            Ok::<_, Lost>(())
        });
        match reserved {
            Err(Lost::Store(Error::Conflict(_))) => Ok(false),
            reserved => Ok(reserved.map(|()| true)?),
        }
    }
}

impl Batch {
    fn count(&mut self, verdict: &Verdict) {
        let Verdict { row, how } = verdict;
        let counts = &mut self.counts;
        match how {
            Came::Created => counts.created += 1,
            Came::Found => counts.found += 1,
            Came::Changed => counts.changed += 1,
            Came::Retired => counts.retired += 1,
            Came::Not => count_state(counts, row.state),
        }
        counts.missing += i64::from(row.state == PersonState::Missing);
        if row.state == PersonState::Missing {
            self.missing.push(row.user_id.clone());
        }
        if let Some(holder) = &row.waits_for {
            self.waiting.push((row.user_id.clone(), holder.clone()));
        }
    }
}

/// Counts a user who is not as the mapping says.
fn count_state(counts: &mut Counts, state: PersonState) {
    match state {
        PersonState::Refused => counts.refused += 1,
        PersonState::Conflict => counts.conflicts += 1,
        PersonState::NoAddress | PersonState::LeftOut => counts.left_out += 1,
        PersonState::Failed => counts.failed += 1,
        PersonState::New
        | PersonState::Sent
        | PersonState::Waiting
        | PersonState::Missing
        | PersonState::Retired => {}
    }
}

/// Why nothing was written.
pub(super) enum Lost {
    /// Another server has the desk.
    Lease,
    /// The database.
    Store(Error),
}

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<AppError> for Lost {
    fn from(error: AppError) -> Self {
        Self::Store(Error::Failed(error.to_string().into()))
    }
}

impl From<Lost> for Halt {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Lease => Self::Interrupted,
            Lost::Store(error) => error.into(),
        }
    }
}
