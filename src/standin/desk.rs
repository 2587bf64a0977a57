//! Everything a running stand-in remembers, and the only entry point: the token that a visitor presents
//! is checked, the person is found, the conversation is theirs, and the verification is stored for the
//! page. No HTTP here, and no clock: `now` is unix seconds.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::Value;

use super::claims::Claims;
use super::people::{People, Person};
use super::play::Play;
use super::refusal::{Reason, Refusal};
use super::rest::state::State as Rest;
use super::verify::verify;

/// How many verifications the page can show.
const VERIFICATIONS: usize = 50;
/// The maximum length of a conversation, in messages; the oldest are removed.
const MESSAGES: usize = 200;
/// The maximum number of conversations; a demo that runs for weeks must not grow forever.
const CONVERSATIONS: usize = 1_000;

/// What the page returned when it was asked for `signedUserInfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// The property is not there: an anonymous visitor.
    Nothing,
    /// A string, which may contain anything.
    Token(String),
    /// The property exists but is not a token: `null`, `""`, a number. A mistake of the host page that
    /// is worth showing.
    NotAToken,
}

impl Presented {
    /// From the JSON value of the property, `None` if it is missing.
    pub(super) fn from_json(value: Option<Value>) -> Self {
        match value {
            None => Self::Nothing,
            Some(Value::String(token)) if !token.is_empty() => Self::Token(token),
            Some(_) => Self::NotAToken,
        }
    }
}

/// Who a visitor is to support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A token identified the visitor.
    Confirmed,
    /// Unknown: it could be anyone.
    Unconfirmed,
    /// Not admitted.
    Refused,
}

/// The answer to a visitor who opens the panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// Confirmed, unconfirmed or refused.
    pub state: State,
    /// The code of a refusal.
    pub reason: Option<Reason>,
    /// What happened, in a sentence.
    pub message: String,
    /// What to do about a refusal.
    pub advice: Option<&'static str>,
    /// The person whom the token named, in their current state.
    pub person: Option<Person>,
    /// [`Person::display_name`].
    pub display_name: Option<String>,
    /// The token created this person.
    pub created: bool,
    /// Notes for the signer: what was accepted but should be corrected.
    pub notes: Vec<String>,
    /// The conversation so far.
    pub messages: Vec<Message>,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Whether it is from support rather than from the visitor.
    pub from_support: bool,
    /// As it was typed.
    pub text: String,
    /// Unix seconds.
    pub at: i64,
}

/// One line of the page's record. The token itself is not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Counted from 1.
    pub number: u64,
    /// Unix seconds.
    pub at: i64,
    /// The result.
    pub state: State,
    /// The code of a refusal.
    pub reason: Option<Reason>,
    /// What happened, in a sentence for the person who runs the demo.
    pub message: String,
    /// Notes for the signer: what was accepted but should be corrected.
    pub notes: Vec<String>,
    /// The person's name, if there is one.
    pub who: Option<String>,
    /// The payload, if the token itself was right.
    pub claims: Option<Claims>,
}

/// Who a conversation belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Person(u64),
    /// An unconfirmed visitor, identified by the random string that their panel generated.
    Visitor(String),
}

/// The memory of a running stand-in.
pub(super) struct Desk {
    pub(super) secret: Vec<u8>,
    pub(super) play: Play,
    pub(super) people: People,
    conversations: BTreeMap<Owner, Vec<Message>>,
    verifications: VecDeque<Verification>,
    count: u64,
    /// What the REST API remembers.
    pub(super) rest: Rest,
}

impl Desk {
    pub(super) fn new(secret: &[u8], play: Play) -> Self {
        Self {
            secret: secret.to_vec(),
            play,
            people: People::default(),
            conversations: BTreeMap::new(),
            verifications: VecDeque::new(),
            count: 0,
            rest: Rest::default(),
        }
    }

    pub(super) fn verifications(&self) -> impl Iterator<Item = &Verification> {
        self.verifications.iter()
    }

    /// The visitor who presents this, with their conversation. `visitor` only distinguishes unconfirmed
    /// visitors.
    pub(super) fn judge(&mut self, presented: &Presented, visitor: &str, now: i64) -> Judgement {
        let mut claims = None;
        let outcome = self.admit(presented, &mut claims, now);
        let (mut judgement, owner) = match outcome {
            Ok(None) => (unconfirmed(), Some(Owner::Visitor(visitor.to_owned()))),
            Ok(Some((person, created, notes))) => {
                let owner = Owner::Person(person.id);
                (confirmed(person, created, notes), Some(owner))
            }
            Err(refusal) => (refused(refusal), None),
        };
        if let Some(messages) = owner.and_then(|owner| self.conversations.get(&owner)) {
            judgement.messages.clone_from(messages);
        }
        self.record(&judgement, claims, now);
        judgement
    }

    /// Checks as [`Self::judge`] does and, unless that refuses, adds `text` to the conversation, with an
    /// answer.
    pub(super) fn say(&mut self, presented: &Presented, visitor: &str, text: &str, now: i64) -> Judgement {
        let mut judgement = self.judge(presented, visitor, now);
        let owner = match (&judgement.state, &judgement.person) {
            (State::Refused, _) => return judgement,
            (_, Some(person)) => Owner::Person(person.id),
            (_, None) => Owner::Visitor(visitor.to_owned()),
        };
        if self.conversations.len() >= CONVERSATIONS && !self.conversations.contains_key(&owner) {
            // Visitors sort after people, so an unconfirmed visitor's conversation is removed first.
            self.conversations.pop_last();
        }
        let answer = match &judgement.display_name {
            Some(name) => {
                format!("Thank you, {name}. An agent would see your name as confirmed, and answer here.")
            }
            None => "Thank you. An agent would see an unconfirmed visitor, and answer here.".to_owned(),
        };
        let messages = self.conversations.entry(owner).or_default();
        for (from_support, text) in [(false, text.to_owned()), (true, answer)] {
            messages.push(Message { from_support, text, at: now });
        }
        let surplus = messages.len().saturating_sub(MESSAGES);
        messages.drain(..surplus);
        judgement.messages.clone_from(messages);
        judgement
    }

    /// `None` is an anonymous visitor who may stay anonymous.
    fn admit(
        &mut self,
        presented: &Presented,
        claims: &mut Option<Claims>,
        now: i64,
    ) -> Result<Option<(Person, bool, Vec<String>)>, Refusal> {
        let token = match presented {
            Presented::Nothing if self.play.require_jwt => {
                return Err(Refusal::new(
                    Reason::TokenRequired,
                    "Support is only for people who are signed in.",
                ));
            }
            Presented::Nothing => return Ok(None),
            Presented::NotAToken => {
                return Err(Refusal::new(
                    Reason::Malformed,
                    "The page returned a signedUserInfo that is not a token.",
                ));
            }
            Presented::Token(token) => token,
        };
        let claims = claims.insert(verify(token, &self.secret, &self.play, now)?);
        let admitted = self.people.admit(claims, self.play.omitted_lists, now)?;
        let person =
            self.people.by_id(admitted.id).expect("`admit` returns the number of a person it has").clone();
        Ok(Some((person, admitted.created, admitted.notes)))
    }

    fn record(&mut self, judgement: &Judgement, claims: Option<Claims>, now: i64) {
        self.count += 1;
        self.verifications.push_front(Verification {
            number: self.count,
            at: now,
            state: judgement.state,
            reason: judgement.reason,
            message: match &judgement.person {
                Some(person) if judgement.created => format!("Created person {}.", person.id),
                Some(person) => format!("Found person {} and updated them to match.", person.id),
                None if judgement.state == State::Unconfirmed => "The page sent no token.".to_owned(),
                None => judgement.message.clone(),
            },
            notes: judgement.notes.clone(),
            who: judgement.display_name.clone(),
            claims,
        });
        self.verifications.truncate(VERIFICATIONS);
    }
}

fn confirmed(person: Person, created: bool, notes: Vec<String>) -> Judgement {
    let message = if created {
        "This is your first contact with support, and the website has told support that this is you."
    } else {
        "Support knows you, and the website has told support that this is you."
    };
    Judgement {
        state: State::Confirmed,
        reason: None,
        message: message.to_owned(),
        advice: None,
        display_name: Some(person.display_name()),
        person: Some(person),
        created,
        notes,
        messages: Vec::new(),
    }
}

fn unconfirmed() -> Judgement {
    Judgement {
        state: State::Unconfirmed,
        reason: None,
        message: "No website has told support who you are.".to_owned(),
        advice: None,
        person: None,
        display_name: None,
        created: false,
        notes: Vec::new(),
        messages: Vec::new(),
    }
}

fn refused(refusal: Refusal) -> Judgement {
    Judgement {
        state: State::Refused,
        reason: Some(refusal.reason),
        advice: Some(refusal.reason.advice()),
        message: refusal.message,
        ..unconfirmed()
    }
}
