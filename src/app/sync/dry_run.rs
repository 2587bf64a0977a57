//! What a run would do, user by user, without writing anything anywhere. Deskpro is only read: whether a person exists, and
//! how it looks now.

use serde_json::{Map, Value};

use super::one::Sender;
use super::plan::{Action, How, Send, plan};
use super::talk::{Halt, Talk};
use crate::app::desks::{gone, read};
use crate::app::{App, AppError};
use crate::core::id::{DeskId, UserId};
use crate::core::person;
use crate::core::sync::{Conflict, Found, PersonState, judge};
use crate::core::user::User;
use crate::deskpro::{Person, PersonId};
use crate::store::people::PersonRow;
use crate::store::{desks, people, users};

/// What would happen to one user.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The user.
    pub login: String,
    /// What would happen.
    pub would: Would,
}

/// What would happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Would {
    /// A person would be created, with these members.
    Create(Map<String, Value>),
    /// A person would be changed: the members that differ, as they are and as they would be.
    Change {
        /// The person.
        person: PersonId,
        /// Whether the person was found by address, and would be kept from then on.
        is_found: bool,
        /// Each member with both values.
        members: Vec<(String, Value, Value)>,
    },
    /// The person of a user who is disabled would be treated as the policy says.
    Retire(String),
    /// Nothing would be sent, and this would be shown.
    Not {
        /// The state.
        state: PersonState,
        /// The reason.
        code: String,
        /// What to do.
        words: String,
    },
}

impl App {
    /// What a run would do for the users after one of them, `limit` of them at most; users for whom nothing would happen
    /// are left out. The last user that was looked at, if there are more.
    pub fn dry_run(
        &self,
        id: &DeskId,
        after: Option<&UserId>,
        limit: i64,
    ) -> Result<(Vec<Planned>, Option<UserId>), AppError> {
        let stored = self.store().read(|db| desks::by_id(db, id))?.ok_or_else(gone)?;
        let desk = read(&stored).ok_or_else(gone)?;
        if !self.is_in_use(&desk) {
            return Err(AppError::Refused(
                "The messenger of this helpdesk has another helpdesk by now.".into(),
            ));
        }
        let refused = |why: Halt| AppError::Refused(why.words());
        let mut talk = Talk::new(self, &desk, &stored.spent).map_err(refused)?;
        talk.is_impatient = true;
        let issuer = self.issuer(&desk.messenger, None)?;
        let sender = Sender {
            app: self,
            desk: &desk,
            issuer: &issuer,
            talk: &talk,
            worker: "",
            replaces_missing: true,
            shared: None,
        };
        let found = self.store().read(|db| users::page(db, after, limit))?;
        let last = found.last().map(|user| user.id.clone());
        let more = last.filter(|_| i64::try_from(found.len()).is_ok_and(|count| count == limit));
        let mut planned = Vec::new();
        for item in sender.items(found, false).map_err(refused)? {
            let would = match plan(&desk, &issuer, &item.user, &item.row, false) {
                Action::Nothing(_) => None,
                Action::Note(note) if note.state == PersonState::Retired => None,
                Action::Note(note) => {
                    Some(Would::Not { state: note.state, code: note.code, words: note.words })
                }
                Action::Retire(retire) => Some(Would::Retire(match retire.how {
                    How::Ungroup(groups) => format!("leave the groups {}", groups.join(", ")),
                    How::Label(label) => format!("get the label '{label}'"),
                })),
                Action::Send(send) => sender.would(&item.user, &item.row, &send).map_err(refused)?,
            };
            planned.extend(would.map(|would| Planned { login: item.user.login.to_string(), would }));
        }
        Ok((planned, more))
    }
}

impl Sender<'_> {
    fn would(&self, user: &User, row: &PersonRow, send: &Send) -> Result<Option<Would>, Halt> {
        let failed = |words: String| {
            Ok(Some(Would::Not { state: PersonState::Failed, code: "no_answer".into(), words }))
        };
        let kept = row.deskpro_id.as_ref().and_then(|id| id.parse().ok()).map(PersonId);
        if let Some(id) = kept.or(send.own) {
            match self.talk.ask(|client| client.person(id))? {
                Ok(Some(person)) => return self.would_change(user, send, &person, kept.is_none()),
                Ok(None) => {}
                Err(error) => return failed(error.to_string()),
            }
        }
        let Some(address) = &send.address else {
            let words = "There is no person with the id, and no address to find another one by.";
            return Ok(Some(Would::Not {
                state: PersonState::NoAddress,
                code: "no_address".into(),
                words: words.into(),
            }));
        };
        match self.talk.ask(|client| client.people_by_address(address))? {
            Ok(people) => match people.first() {
                Some(person) => self.would_change(user, send, person, true),
                None => Ok(Some(Would::Create(send.body.clone()))),
            },
            Err(error) => failed(error.to_string()),
        }
    }

    fn would_change(
        &self,
        user: &User,
        send: &Send,
        person: &Person,
        is_found: bool,
    ) -> Result<Option<Would>, Halt> {
        if is_found {
            let holder =
                self.app.store().read(|db| people::holder(db, &self.desk.id, &person.id.to_string()))?;
            let holder = holder.filter(|holder| holder.user_id != user.id && !holder.is_gone);
            let found = Found {
                is_agent: person.is_agent,
                is_deleted: person.is_deleted,
                holder: holder.map(|holder| holder.login),
            };
            if let Err(conflict) = judge(&found, send.is_proved) {
                let (code, words) = (conflict.code().to_owned(), conflict.words());
                return Ok(Some(Would::Not { state: PersonState::Conflict, code, words }));
            }
        }
        let is_own = |address: &String| person.emails.iter().any(|own| own.eq_ignore_ascii_case(address));
        if let Some(address) = send.address.as_ref().filter(|address| !is_own(address)) {
            let people = self.talk.ask(|client| client.people_by_address(address))?.unwrap_or_default();
            if let Some(other) = people.into_iter().find(|other| other.id != person.id) {
                let conflict = Conflict::TwoPeople { other: other.id.to_string() };
                let (code, words) = (conflict.code().to_owned(), conflict.words());
                return Ok(Some(Would::Not { state: PersonState::Conflict, code, words }));
            }
        }
        let members: Vec<(String, Value, Value)> = person::differences(&send.body, &person.all)
            .into_iter()
            .map(|name| {
                let has = person.all.get(name).cloned().unwrap_or_default();
                (name.to_owned(), has, send.body.get(name).cloned().unwrap_or_default())
            })
            .collect();
        if members.is_empty() && !is_found {
            return Ok(None);
        }
        Ok(Some(Would::Change { person: person.id, is_found, members }))
    }
}
