//! The person of a user who is disabled or gone, as the desk's policy says.

use serde_json::{Map, Value};

use super::one::{Came, Sender, Verdict, failed};
use super::plan::{How, Note, Retire};
use super::talk::Halt;
use crate::core::sync::PersonState;
use crate::deskpro::Error;
use crate::store::people::PersonRow;

impl Sender<'_> {
    /// Treats the person of a user who is disabled or gone.
    pub fn retire(&self, row: &PersonRow, retire: &Retire) -> Result<Verdict, Halt> {
        let mut row = PersonRow { tried_at: Some(self.app.now()), ..row.clone() };
        let done = self.retired(retire)?;
        let how = match done {
            Ok(words) => {
                (row.state, row.code) = (PersonState::Retired, "done".into());
                row.words = words;
                row.digest = Some(retire.digest.clone());
                Came::Retired
            }
            Err(note) => {
                (row.state, row.code, row.words) = (note.state, note.code, note.words);
                Came::Not
            }
        };
        Ok(Verdict { row, how })
    }

    fn retired(&self, retire: &Retire) -> Result<Result<String, Note>, Halt> {
        let person = match self.talk.ask(|client| client.person(retire.person))? {
            Ok(Some(person)) => person,
            Ok(None) => return Ok(Ok("Deskpro no longer has the person.".into())),
            Err(error) => return Ok(Err(failed(&error))),
        };
        let (member, value, words) = match &retire.how {
            How::Ungroup(given) => {
                let groups = person.numbers("user_groups");
                let kept = groups.into_iter().filter(|id| !given.contains(&id.to_string()));
                (
                    "user_groups",
                    kept.collect::<Value>(),
                    "The person left the groups that were given by us.".to_owned(),
                )
            }
            How::Label(label) => {
                let mut labels = person.texts("labels");
                if !labels.contains(label) {
                    labels.push(label.clone());
                }
                ("labels", labels.into(), format!("The person has the label '{label}'."))
            }
        };
        let body = Map::from_iter([(member.to_owned(), value)]);
        Ok(match self.put_person(retire.person, &body)? {
            Ok(()) => Ok(words),
            Err(Error::NotFound(_)) => Ok("Deskpro no longer has the person.".into()),
            Err(error) => Err(failed(&error)),
        })
    }
}
