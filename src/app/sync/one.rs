//! One user, from what is known to what is known afterwards. This is the only place that writes people at Deskpro, and a
//! user is here at most once at a time.
//!
//! A create is safe at every moment: that it may happen was committed before. Whoever continues after a kill finds the
//! person by address before it creates one.

use serde_json::{Map, Value};

use super::plan::{Note, Send};
use super::talk::{Halt, Talk, is_worth_another};
use crate::app::App;
use crate::app::tokens::Issuer;
use crate::core::desk::Desk;
use crate::core::shared_values::SharedValues;
use crate::core::sync::{Conflict, Found, PersonState, judge};
use crate::core::user::User;
use crate::deskpro::{Error, Person, PersonId};
use crate::store::people::{Holder, PersonRow};

/// What came of one user.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    pub row: PersonRow,
    pub how: Came,
}

/// How a person became, or stayed, the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Created.
    Created,
    /// Found by address, or by the id that an import or an admin had written.
    Found,
    /// Changed.
    Changed,
    /// Treated as the policy for disabled users says.
    Retired,
    /// None of them: see the state.
    Not,
}

/// What is needed to send users of one desk.
pub(super) struct Sender<'a> {
    pub app: &'a App,
    pub desk: &'a Desk,
    pub issuer: &'a Issuer<'a>,
    pub talk: &'a Talk<'a>,
    /// This server, as the desk knows it.
    pub worker: &'a str,
    /// Whether people who are missing are looked for and created, or only noted.
    pub replaces_missing: bool,
    /// Addresses that several users would have; only a run over all users knows.
    pub shared: Option<SharedValues>,
}

/// What a search by address found.
enum Search {
    Nobody,
    Somebody(Box<Person>),
    Several,
}

/// What became of an address that somebody has as a further one.
pub(super) enum Release {
    /// It was taken from the person of another user, who no longer has it here.
    Freed,
    /// Another user is about to give it up.
    Waits(Holder),
    /// It is a stranger's.
    No,
}

/// How one user ends: a person, or why not.
enum End {
    Kept(PersonId, Came),
    Not(Note),
    WaitsFor(Holder),
}

type Sent = Result<End, Halt>;

impl Sender<'_> {
    /// Creates or updates the person of a user.
    pub fn send(&self, user: &User, row: &PersonRow, send: &Send) -> Result<Verdict, Halt> {
        let known = row.deskpro_id.as_ref().and_then(|id| id.parse().ok()).map(PersonId);
        let mut row = row.clone();
        let end = match known {
            Some(id) if row.state == PersonState::Missing && self.replaces_missing => {
                self.instead(user, &mut row, send, id)?
            }
            Some(id) if send.is_judged_again => self.judge_again(user, &mut row, send, id)?,
            Some(id) => self.update(user, send, id, Came::Changed)?,
            None => self.without_person(user, &row, send)?,
        };
        row.waits_for = None;
        // Until when a person may have been created, and was not found.
        let sending_since = row.sending_since.take();
        row.tried_at = Some(self.app.now());
        let how = match end {
            End::Kept(id, how) => {
                row.deskpro_id = Some(id.to_string());
                row.digest = Some(send.digest.clone());
                row.user_groups.clone_from(&send.groups);
                let address = send.address.as_ref().map(|address| address.to_lowercase());
                if row.address != address {
                    row.former = std::mem::replace(&mut row.address, address);
                }
                (row.state, row.tried) = (PersonState::Sent, None);
                (row.code, row.words) = (String::new(), String::new());
                how
            }
            End::WaitsFor(holder) => {
                row.state = PersonState::Waiting;
                row.code = "address_moves".into();
                row.words = format!(
                    "'{}' still has the address at Deskpro, and has to give it up first.",
                    holder.login
                );
                row.waits_for = Some(holder.user_id);
                Came::Not
            }
            End::Not(note) => {
                if note.state == PersonState::Failed {
                    // The person may have been created.
                    row.sending_since = sending_since.or(known.is_none().then(|| self.app.now()));
                }
                row.tried = matches!(note.state, PersonState::Refused | PersonState::Conflict)
                    .then(|| send.tried.clone());
                (row.state, row.code, row.words) = (note.state, note.code, note.words);
                Came::Not
            }
        };
        Ok(Verdict { row, how })
    }

    /// A user for whom no person is kept yet.
    fn without_person(&self, user: &User, row: &PersonRow, send: &Send) -> Sent {
        if let Some(own) = send.own {
            match self.talk.ask(|client| client.person(own))? {
                Ok(Some(person)) => return self.found(user, send, &person),
                Ok(None) => {}
                Err(error) => return Ok(End::Not(failed(&error))),
            }
        }
        let Some(address) = &send.address else {
            let words = "The id that was written for this user is no person at this helpdesk, and there is no address.";
            return Ok(End::Not(Note::new(PersonState::NoAddress, "no_address", words)));
        };
        if row.sending_since.is_some() {
            match self.search(address)? {
                Ok(Search::Nobody) => {}
                Ok(found) => return self.searched(user, send, found),
                Err(error) => return Ok(End::Not(failed(&error))),
            }
        }
        self.create(user, send, address)
    }

    /// The person who is kept may have become somebody else: an agent, or deleted.
    fn judge_again(&self, user: &User, row: &mut PersonRow, send: &Send, id: PersonId) -> Sent {
        let person = match self.talk.ask(|client| client.person(id))? {
            Ok(Some(person)) => person,
            Ok(None) => {
                let words = "Deskpro no longer has this person.";
                return Ok(End::Not(Note::new(PersonState::Missing, "missing", words)));
            }
            Err(error) => return Ok(End::Not(failed(&error))),
        };
        let found = Found { is_agent: person.is_agent, is_deleted: person.is_deleted, holder: None };
        // The address was judged when the person was kept.
        if let Err(conflict) = judge(&found, true) {
            row.deskpro_id = None;
            return Ok(End::Not(Note::conflict(&conflict)));
        }
        self.update(user, send, id, Came::Changed)
    }

    /// A person that Deskpro no longer knows is looked for, and otherwise created again.
    fn instead(&self, user: &User, row: &mut PersonRow, send: &Send, gone: PersonId) -> Sent {
        // Perhaps only that request found nothing.
        match self.talk.ask(|client| client.person(gone))? {
            Ok(Some(_)) => return self.judge_again(user, row, send, gone),
            Ok(None) => row.deskpro_id = None,
            Err(error) => return Ok(End::Not(failed(&error))),
        }
        let Some(address) = &send.address else {
            let words =
                "Deskpro no longer has the person, and there is no address to find or create another one by.";
            return Ok(End::Not(Note::new(PersonState::NoAddress, "no_address", words)));
        };
        match self.search(address)? {
            Ok(Search::Nobody) => self.create(user, send, address),
            Ok(found) => self.searched(user, send, found),
            Err(error) => Ok(End::Not(failed(&error))),
        }
    }

    fn create(&self, user: &User, send: &Send, address: &str) -> Sent {
        for tries in 1.. {
            let error = match self.talk.ask_once(&|client| client.create_person(&send.body))? {
                Ok(id) => return Ok(End::Kept(id, Came::Created)),
                Err(error) => error,
            };
            if error.is_taken_address() {
                match self.search(address)? {
                    Ok(Search::Nobody) => match self.release(user, send, address)? {
                        Release::Waits(holder) => return Ok(End::WaitsFor(holder)),
                        Release::Freed if tries == 1 => continue,
                        Release::Freed | Release::No => {
                            return Ok(End::Not(Note::conflict(&Conflict::Further)));
                        }
                    },
                    Ok(found) => return self.searched(user, send, found),
                    Err(error) => return Ok(End::Not(failed(&error))),
                }
            }
            if !is_worth_another(&error) || !self.talk.back_off(tries)? {
                return Ok(End::Not(failed(&error)));
            }
            if error.may_be_done() {
                // Before another try: was it done?
                match self.search(address)? {
                    Ok(Search::Nobody) => {}
                    Ok(found) => return self.searched(user, send, found),
                    Err(error) => return Ok(End::Not(failed(&error))),
                }
            }
        }
        unreachable!("there is a last try")
    }

    fn search(&self, address: &str) -> Result<Result<Search, Error>, Halt> {
        let found = self.talk.ask(|client| client.people_by_address(address))?;
        Ok(found.map(|mut people| match (people.len(), people.pop()) {
            (1, Some(person)) => Search::Somebody(Box::new(person)),
            (0, _) => Search::Nobody,
            _ => Search::Several,
        }))
    }

    fn searched(&self, user: &User, send: &Send, found: Search) -> Sent {
        match found {
            Search::Nobody => Ok(End::Not(Note::conflict(&Conflict::Further))),
            Search::Several => Ok(End::Not(Note::conflict(&Conflict::Several))),
            Search::Somebody(person) => self.found(user, send, &person),
        }
    }

    /// Somebody was found by address or id: whether it is the user is decided here.
    fn found(&self, user: &User, send: &Send, person: &Person) -> Sent {
        let holder = self.holder(user, person.id)?;
        if let Some(holder) = &holder
            && send.own != Some(person.id)
            && self.gives_up(holder, send)?
        {
            return Ok(End::WaitsFor(holder.clone()));
        }
        let found = Found {
            is_agent: person.is_agent,
            is_deleted: person.is_deleted,
            holder: holder.map(|holder| holder.login),
        };
        if let Err(conflict) = judge(&found, send.is_proved) {
            return Ok(End::Not(Note::conflict(&conflict)));
        }
        // Before anything is written there: two users may have found the same person in this moment.
        if !self.reserve(&user.id, person.id)? {
            let login = self.holder(user, person.id)?.map(|holder| holder.login).unwrap_or_default();
            return Ok(End::Not(Note::conflict(&Conflict::Taken { login })));
        }
        self.update(user, send, person.id, Came::Found)
    }

    fn update(&self, user: &User, send: &Send, id: PersonId, how: Came) -> Sent {
        let body = match self.without_label(send, id)? {
            Ok(body) => body,
            Err(error) => return Ok(End::Not(failed(&error))),
        };
        let error = match self.put_person(id, &body)? {
            Ok(()) => return Ok(End::Kept(id, how)),
            Err(error) => error,
        };
        if matches!(error, Error::NotFound(_)) {
            let words = "Deskpro no longer has this person.";
            return Ok(End::Not(Note::new(PersonState::Missing, "missing", words)));
        }
        let Some(address) = send.address.as_ref().filter(|_| error.is_taken_address()) else {
            return Ok(End::Not(failed(&error)));
        };
        // The person is known, and somebody else has one of the addresses.
        let other = match self.search(address)? {
            Ok(Search::Somebody(other)) if other.id != id => other,
            Ok(Search::Several) => return Ok(End::Not(Note::conflict(&Conflict::Several))),
            Ok(Search::Nobody) => {
                return Ok(match self.release(user, send, address)? {
                    Release::Waits(holder) => End::WaitsFor(holder),
                    Release::No => End::Not(Note::conflict(&Conflict::Further)),
                    Release::Freed => match self.put_person(id, &body)? {
                        Ok(()) => End::Kept(id, how),
                        Err(error) if error.is_taken_address() => {
                            End::Not(Note::conflict(&Conflict::Further))
                        }
                        Err(error) => End::Not(failed(&error)),
                    },
                });
            }
            Ok(Search::Somebody(_)) => return Ok(End::Not(Note::conflict(&Conflict::Further))),
            Err(error) => return Ok(End::Not(failed(&error))),
        };
        if other.is_agent != Some(false) {
            return Ok(End::Not(Note::conflict(&Conflict::Agent)));
        }
        let conflict = match self.holder(user, other.id)? {
            Some(holder) if self.gives_up(&holder, send)? => return Ok(End::WaitsFor(holder)),
            Some(holder) => Conflict::Taken { login: holder.login },
            None => Conflict::TwoPeople { other: other.id.to_string() },
        };
        Ok(End::Not(Note::conflict(&conflict)))
    }

    /// Writes a person; never two requests for one person at a time.
    pub(super) fn put_person(
        &self,
        id: PersonId,
        body: &Map<String, Value>,
    ) -> Result<Result<(), Error>, Halt> {
        let _alone = self.talk.alone_with(id);
        self.talk.ask(|client| client.update_person(id, body))
    }

    /// The body, and the labels without the one that the person got while the user was disabled.
    fn without_label(&self, send: &Send, id: PersonId) -> Result<Result<Map<String, Value>, Error>, Halt> {
        let mut body = send.body.clone();
        let Some(label) = send.unlabel.as_ref().filter(|_| !body.contains_key("labels")) else {
            return Ok(Ok(body));
        };
        Ok(self.talk.ask(|client| client.person(id))?.map(|person| {
            if let Some(person) = person {
                let labels = person.texts("labels").into_iter().filter(|own| own != label);
                body.insert("labels".into(), labels.collect());
            }
            body
        }))
    }
}

/// What an error means for one user.
pub(super) fn failed(error: &Error) -> Note {
    match error {
        Error::Refused { status, problems, .. } => {
            let code = problems.first().map_or_else(|| status.to_string(), |problem| problem.code.clone());
            Note::new(PersonState::Refused, code, error.to_string())
        }
        Error::NotFound(_) => Note::new(PersonState::Missing, "missing", error.to_string()),
        _ => Note::new(PersonState::Failed, "no_answer", error.to_string()),
    }
}
