//! What is to be done for a user at a desk: nothing, send a person, or treat the person of a user who is disabled. Pure:
//! everything comes from the user, the desk, and what is known of both.

use serde_json::{Map, Value};

use crate::app::tokens::{Description, Issuer};
use crate::core::desk::{Desk, OnDisabled};
use crate::core::person;
use crate::core::sync::{Conflict, PersonState};
use crate::core::user::User;
use crate::deskpro::PersonId;
use crate::store::people::PersonRow;

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// Nothing: this is how the user stands.
    Nothing(PersonState),
    /// Nothing is sent, and that is noted.
    Note(Note),
    /// The person is created or updated.
    Send(Box<Send>),
    /// The person of a user who is disabled or gone.
    Retire(Retire),
}

/// A state with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub state: PersonState,
    pub code: String,
    pub words: String,
}

impl Note {
    pub fn new(state: PersonState, code: impl Into<String>, words: impl Into<String>) -> Self {
        // Deskpro's words may be anything, and are stored and shown.
        let words: String = words.into();
        let words = words.chars().filter(|letter| !letter.is_control()).take(MOST_WORDS).collect();
        let code: String = code.into();
        let code = code.chars().filter(|letter| !letter.is_control()).take(100).collect();
        Self { state, code, words }
    }

    pub fn conflict(conflict: &Conflict) -> Self {
        Self::new(PersonState::Conflict, conflict.code(), conflict.words())
    }
}

/// A person as it is to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Send {
    /// The further addresses in the body.
    pub others: Vec<String>,
    pub body: Map<String, Value>,
    pub digest: String,
    /// Together with what decides about conflicts.
    pub tried: String,
    pub address: Option<String>,
    pub is_proved: bool,
    /// The person that an import or an admin says the user is.
    pub own: Option<PersonId>,
    /// The groups in the body.
    pub groups: Vec<String>,
    /// A label that the person got while the user was disabled.
    pub unlabel: Option<String>,
    /// Whether the person that is kept has to be judged first.
    pub is_judged_again: bool,
}

/// What happens to the person of a user who is disabled or gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Retire {
    pub person: PersonId,
    pub how: How,
    /// Compared like the digest of a body.
    pub digest: String,
}

/// How a person is retired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// The person leaves these groups.
    Ungroup(Vec<String>),
    /// The person gets this label.
    Label(String),
}

/// The longest words that are stored, in characters.
const MOST_WORDS: usize = 1_000;

/// How the digest of a label begins.
const LABELLED: &str = "label:";

/// What is to be done for a user. `anyway`: whether or not it was sent or refused before.
pub(super) fn plan(desk: &Desk, issuer: &Issuer<'_>, user: &User, row: &PersonRow, anyway: bool) -> Action {
    if user.disabled {
        return retire(desk, row);
    }
    let Description { person: payload, is_proved, refusal } = issuer.describe(user);
    if let Some(refusal) = refusal {
        let note = Note::new(PersonState::LeftOut, refusal.code.as_str(), refusal.message);
        return noted(row, note);
    }
    let body = person::input(&payload);
    let address = payload.email;
    // As it was written, whether or not it may be used: whether it may is decided here.
    let own = user.own_person(desk.origin.as_str()).filter(|_| row.deskpro_id.is_none());
    let own: Option<u64> = own.and_then(|id| id.parse().ok());
    if row.deskpro_id.is_none() && own.is_none() && address.is_none() {
        let words = "There is no address to find or create the person by: no rule for \"email\" has a valid value, or \
                     the user's address is not verified.";
        return noted(row, Note::new(PersonState::NoAddress, "no_address", words));
    }
    let digest = person::digest(&body);
    let tried = format!("{digest} {} {}", u8::from(is_proved), own.unwrap_or_default());
    let is_final = matches!(row.state, PersonState::Refused | PersonState::Conflict);
    if !anyway {
        if is_final && row.tried.as_ref() == Some(&tried) {
            return Action::Nothing(row.state);
        }
        // After a failure or a missing person, it is not certain what Deskpro has.
        let is_certain =
            !matches!(row.state, PersonState::Failed | PersonState::Missing | PersonState::Waiting);
        if is_certain && row.deskpro_id.is_some() && row.digest.as_ref() == Some(&digest) {
            return noted(row, Note::new(PersonState::Sent, "", ""));
        }
    }
    let unlabel = row.digest.as_ref().and_then(|digest| digest.strip_prefix(LABELLED)).map(str::to_owned);
    Action::Send(Box::new(Send {
        body,
        digest,
        tried,
        address,
        is_proved,
        others: payload.emails.unwrap_or_default(),
        own: own.map(PersonId),
        groups: payload.usergroup_ids.unwrap_or_default(),
        unlabel,
        is_judged_again: false,
    }))
}

fn noted(row: &PersonRow, note: Note) -> Action {
    if row.state == note.state && row.code == note.code {
        Action::Nothing(note.state)
    } else {
        Action::Note(note)
    }
}

fn retire(desk: &Desk, row: &PersonRow) -> Action {
    let Some(person) = row.deskpro_id.as_ref().and_then(|id| id.parse().ok()).map(PersonId) else {
        // Deskpro was never told about the user.
        if row.state == PersonState::New && row.sending_since.is_none() {
            return Action::Nothing(PersonState::Retired);
        }
        return noted(row, Note::new(PersonState::Retired, "nobody", "Deskpro has no person for this user."));
    };
    let (how, digest) = match desk.settings.on_disabled {
        OnDisabled::Leave => {
            return noted(
                row,
                Note::new(PersonState::Retired, "leave", "The person stays as it is at Deskpro."),
            );
        }
        OnDisabled::Ungroup if row.user_groups.is_empty() => {
            return noted(
                row,
                Note::new(PersonState::Retired, "ungroup", "The person was in no group of ours."),
            );
        }
        OnDisabled::Ungroup => (How::Ungroup(row.user_groups.clone()), "ungroup".to_owned()),
        OnDisabled::Label => {
            (How::Label(desk.settings.label.clone()), format!("{LABELLED}{}", desk.settings.label))
        }
    };
    if row.state == PersonState::Retired && row.digest.as_ref() == Some(&digest) {
        return Action::Nothing(PersonState::Retired);
    }
    Action::Retire(Retire { person, how, digest })
}
