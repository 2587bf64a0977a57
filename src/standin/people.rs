//! The people whom the stand-in knows, and what a payload does to them: found by either identifier,
//! updated to match, or created. In memory only; the rules are the guide's if it has one for a case,
//! otherwise a note goes to the signer.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::claims::Claims;
use super::play::OmittedLists;
use super::refusal::{Reason, Refusal};

/// A user as support knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// The number that `deskpro_id` names.
    pub id: u64,
    /// The full name, if it was sent as one.
    pub name: Option<String>,
    /// Half of the pair.
    pub first_name: Option<String>,
    /// Half of the pair.
    pub last_name: Option<String>,
    /// The first address.
    pub email: Option<String>,
    /// More addresses; the person is found by them as well as by the first one.
    pub emails: Vec<String>,
    /// The number of the organization.
    pub organization_id: Option<String>,
    /// The number of the language.
    pub language_id: Option<String>,
    /// An IANA name.
    pub timezone: Option<String>,
    /// Groups besides the implied 1 (everyone) and 2 (registered).
    pub usergroup_ids: Vec<String>,
    /// Labels, as they were sent.
    pub labels: Vec<String>,
    /// Custom fields by number.
    pub fields: Map<String, Value>,
    /// Works for support: no visitor can be signed in as this person.
    pub is_agent: bool,
    /// Is in the recycle bin.
    pub is_deleted: bool,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
}

impl Person {
    /// The display name: the name, the pair, the address, or the number.
    pub fn display_name(&self) -> String {
        let pair = [&self.first_name, &self.last_name];
        let pair: Vec<&str> = pair.into_iter().flatten().map(String::as_str).collect();
        match (&self.name, pair.is_empty(), &self.email) {
            (Some(name), _, _) => name.clone(),
            (None, false, _) => pair.join(" "),
            (None, true, Some(email)) => email.clone(),
            (None, true, None) => format!("Person {}", self.id),
        }
    }

    /// The person as Deskpro describes it: ids are numbers, and an object without members is a list.
    pub(super) fn described(&self) -> Value {
        let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<u64>().ok());
        let groups: Vec<u64> = self.usergroup_ids.iter().filter_map(|id| id.parse().ok()).collect();
        let all_groups: Vec<u64> = std::iter::once(1).chain(groups.iter().copied()).collect();
        let emails: Vec<&String> = self.email.iter().chain(&self.emails).collect();
        let fields = if self.fields.is_empty() { json!([]) } else { json!(self.fields) };
        json!({
            "id": self.id,
            "primary_email": self.email,
            "emails": emails,
            "name": self.display_name(),
            "first_name": self.first_name,
            "last_name": self.last_name,
            "is_agent": self.is_agent,
            "is_deleted": self.is_deleted,
            "is_disabled": false,
            "language": number(&self.language_id),
            "organization": number(&self.organization_id),
            "timezone": self.timezone,
            "all_user_groups": all_groups,
            "user_groups": groups,
            "labels": self.labels,
            "fields": fields,
        })
    }

    fn addresses(&self) -> impl Iterator<Item = String> {
        self.email.iter().chain(&self.emails).map(|own| fold(own))
    }
}

/// All people, by number.
#[derive(Debug, Default)]
pub(super) struct People {
    by_id: BTreeMap<u64, Person>,
    /// By each address, folded: usually one.
    by_address: HashMap<String, Vec<u64>>,
    /// The highest number that was ever given: numbers are not used again.
    last: u64,
    /// Who is told of people who are created, changed or removed.
    pub(super) reports: Option<mpsc::Sender<Value>>,
}

/// The person whom a payload identified.
pub(super) struct Admitted {
    pub(super) id: u64,
    pub(super) created: bool,
    pub(super) notes: Vec<String>,
}

impl People {
    pub(super) fn all(&self) -> impl Iterator<Item = &Person> {
        self.by_id.values()
    }

    pub(super) fn by_id(&self, id: u64) -> Option<&Person> {
        self.by_id.get(&id)
    }

    /// Writes a person; a new one if the number is 0.
    pub(super) fn put(&mut self, mut person: Person, now: i64) -> Person {
        if person.id == 0 {
            (person.id, person.created_at) = (self.free_id(), now);
        }
        person.updated_at = now;
        self.keep(person.clone());
        self.report(&person);
        person
    }

    fn report(&self, person: &Person) {
        if let Some(reports) = &self.reports {
            // Nobody may listen any more.
            let _sent = reports.send(person.described());
        }
    }

    /// Removes a person, as an agent does.
    pub(super) fn remove(&mut self, id: u64) -> Option<Person> {
        let person = self.take(id)?;
        self.report(&person);
        Some(person)
    }

    fn take(&mut self, id: u64) -> Option<Person> {
        let person = self.by_id.remove(&id)?;
        for address in person.addresses() {
            if let Some(owners) = self.by_address.get_mut(&address) {
                owners.retain(|owner| *owner != id);
            }
        }
        Some(person)
    }

    /// Merges two people, as an agent does: the number of `loser` no longer exists.
    pub(super) fn merge(&mut self, loser: u64, winner: u64) {
        let Some(lost) = self.take(loser) else { return };
        if let Some(mut kept) = self.by_id.get(&winner).cloned() {
            kept.emails.extend(lost.email.into_iter().chain(lost.emails));
            kept.labels.extend(lost.labels);
            self.keep(kept);
        }
    }

    /// Adds `person`, or replaces the one with the same number. If the number is 0, a free one is used.
    pub(super) fn seed(&mut self, mut person: Person, now: i64) -> u64 {
        if person.id == 0 {
            person.id = self.free_id();
        }
        person.created_at = now;
        person.updated_at = now;
        let id = person.id;
        self.report(&person);
        self.keep(person);
        id
    }

    fn keep(&mut self, person: Person) {
        self.take(person.id);
        for address in person.addresses() {
            self.by_address.entry(address).or_default().push(person.id);
        }
        self.last = self.last.max(person.id);
        self.by_id.insert(person.id, person);
    }

    /// The person whom the identifiers name, updated to match; a new person if they name none.
    ///
    /// # Errors
    /// `no_identifier`, `two_people`, `agent`. No person is changed then.
    pub(super) fn admit(
        &mut self,
        claims: &Claims,
        omitted: OmittedLists,
        now: i64,
    ) -> Result<Admitted, Refusal> {
        let named: Option<u64> = claims
            .deskpro_id
            .as_ref()
            .map(|id| id.parse().expect("a checked deskpro_id has 1 to 18 digits, which fit"));
        let by_id = named.filter(|id| self.by_id.contains_key(id));
        let by_email = claims.email.as_deref().and_then(|email| self.owner(email));
        let known = match (by_id, by_email) {
            (Some(one), Some(other)) if one != other => {
                return Err(Refusal::new(
                    Reason::TwoPeople,
                    format!(
                        "The token names two people: deskpro_id is person {one}, email belongs to person {other}."
                    ),
                ));
            }
            (one, other) => one.or(other),
        };
        if named.is_none() && claims.email.is_none() {
            return Err(Refusal::new(
                Reason::NoIdentifier,
                "The token contains neither a deskpro_id nor an email, so it could be anyone.",
            ));
        }
        if known.and_then(|id| self.by_id(id)).is_some_and(|person| person.is_agent) {
            return Err(Refusal::new(Reason::Agent, "The token names a person who works for support."));
        }

        let mut notes = claims.notes.clone();
        let id = known.unwrap_or_else(|| named.unwrap_or_else(|| self.free_id()));
        match named {
            Some(named) if by_id.is_none() && known.is_none() => notes.push(format!(
                "There was no person {named}, so one was created. The guide does not say which number Deskpro assigns here."
            )),
            Some(named) if by_id.is_none() => {
                notes.push(format!("There is no person {named}; the person was found by email instead."));
            }
            _ => {}
        }
        let further = claims.emails.as_ref().map(|emails| {
            let (free, taken): (Vec<_>, Vec<_>) =
                emails.iter().cloned().partition(|email| self.owner(email).is_none_or(|owner| owner == id));
            if !taken.is_empty() {
                notes.push("An address in emails belongs to another person and was left out.".to_owned());
            }
            free
        });
        let known_person = self.by_id.get(&id).cloned();
        let mut person = known_person.unwrap_or_else(|| Person { id, created_at: now, ..Person::default() });
        update(&mut person, claims, further, omitted);
        person.updated_at = now;
        self.keep(person);
        Ok(Admitted { id, created: known.is_none(), notes })
    }

    pub(super) fn owner(&self, email: &str) -> Option<u64> {
        self.by_address.get(&fold(email))?.first().copied()
    }

    fn free_id(&self) -> u64 {
        (self.last + 1).max(101)
    }
}

/// Scalars that the payload omits stay; for omitted lists, it depends on the switches.
fn update(person: &mut Person, claims: &Claims, further: Option<Vec<String>>, omitted: OmittedLists) {
    let replaced = claims.email.as_ref().and_then(|email| person.email.replace(email.clone()));
    match further {
        Some(further) => person.emails = further,
        // The person can still be found by the address before this one.
        None => person.emails.extend(replaced),
    }
    let first = person.email.as_deref().map(fold);
    person.emails.retain(|email| Some(fold(email)) != first);

    if claims.name.is_some() {
        (person.first_name, person.last_name) = (None, None);
    }
    if claims.name.is_some() || claims.first_name.is_some() || claims.last_name.is_some() {
        person.name.clone_from(&claims.name);
    }
    for (own, claim) in [
        (&mut person.first_name, &claims.first_name),
        (&mut person.last_name, &claims.last_name),
        (&mut person.organization_id, &claims.organization_id),
        (&mut person.language_id, &claims.language_id),
        (&mut person.timezone, &claims.timezone),
    ] {
        if claim.is_some() {
            own.clone_from(claim);
        }
    }

    for (own, claim) in
        [(&mut person.usergroup_ids, &claims.usergroup_ids), (&mut person.labels, &claims.labels)]
    {
        match (claim, omitted) {
            (Some(list), _) => own.clone_from(list),
            (None, OmittedLists::Cleared) => own.clear(),
            (None, OmittedLists::Kept) => {}
        }
    }
    // In `fields`, every key is treated as such a value.
    if omitted == OmittedLists::Cleared {
        person.fields.clear();
    }
    for (key, value) in claims.fields.iter().flatten() {
        person.fields.insert(key.clone(), value.clone());
    }
}

/// Addresses are compared in lowercase.
fn fold(email: &str) -> String {
    email.to_lowercase()
}
