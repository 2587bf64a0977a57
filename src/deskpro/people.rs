//! People: the users whom Deskpro knows.

use serde_json::{Map, Value, json};

use super::error::Error;
use super::{Client, http};

/// The number of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub u64);

impl std::fmt::Display for PersonId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

/// A person as Deskpro describes it. Unknown members are ignored, and members that are missing are empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Person {
    /// The number.
    pub id: PersonId,
    /// The address that decides who the person is.
    pub primary_email: Option<String>,
    /// All addresses.
    pub emails: Vec<String>,
    /// The full name.
    pub name: Option<String>,
    /// Works for support; `None` if Deskpro does not say: then nobody may be signed in as this person.
    pub is_agent: Option<bool>,
    /// Is in Deskpro's recycle bin; `None` if Deskpro does not say.
    pub is_deleted: Option<bool>,
    /// Everything that Deskpro says about the person.
    pub all: Map<String, Value>,
}

impl Default for PersonId {
    /// No person has it.
    fn default() -> Self {
        Self(0)
    }
}

const HEADER_LOST: &str = "a search was taken for a new person; a proxy may remove request headers";

/// How many people one request reads.
const AT_ONCE: usize = 200;

impl Person {
    pub(super) fn read(value: &Value) -> Result<Self, Error> {
        let not = || Error::NotDeskpro("a person without a number".into());
        let all = value.as_object().ok_or_else(not)?.clone();
        let text = |name: &str| all.get(name).and_then(Value::as_str).map(str::to_owned);
        let flag = |name: &str| all.get(name).and_then(Value::as_bool);
        let emails = all.get("emails").and_then(Value::as_array).into_iter().flatten();
        Ok(Self {
            id: all.get("id").and_then(id).ok_or_else(not)?,
            primary_email: text("primary_email"),
            emails: emails.filter_map(|email| email.as_str().map(str::to_owned)).collect(),
            name: text("name"),
            is_agent: flag("is_agent"),
            is_deleted: flag("is_deleted"),
            all,
        })
    }
}

/// A number above 0, also written as a string.
fn id(value: &Value) -> Option<PersonId> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    (number > 0).then_some(PersonId(number))
}

impl Person {
    /// The texts of a member that is a list; none if it is something else.
    pub fn texts(&self, member: &str) -> Vec<String> {
        let items = self.all.get(member).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }

    /// The ids of a member that is a list; none if it is something else.
    pub fn numbers(&self, member: &str) -> Vec<u64> {
        let items = self.all.get(member).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|item| id(item).or_else(|| id(item.get("id")?))).map(|PersonId(id)| id).collect()
    }
}

impl Client {
    /// The people with a primary address.
    ///
    /// The address is in the body: `POST` with the header `X-Deskpro-Api-Get-Query-Body` is a query. Without the header,
    /// the same request would create a person, so the body has nothing from which one can be made, and 201 is an error.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn people_by_address(&self, address: &str) -> Result<Vec<Person>, Error> {
        let asked = self.connection.query("people", &json!({ "primary_email": address }));
        let reply = match asked {
            Ok(reply) if reply.status != 201 => reply,
            // It was taken for the creation of a person without a name.
            Err(Error::Refused { problems, .. })
                if problems.iter().any(|problem| problem.field == "name") =>
            {
                return Err(Error::NotDeskpro(HEADER_LOST.into()));
            }
            Ok(_) => return Err(Error::NotDeskpro(HEADER_LOST.into())),
            Err(error) => return Err(error),
        };
        let mut found = read_all(&reply.data)?;
        // A search that Deskpro does not understand finds everybody.
        let is_asked = |own: &String| own.eq_ignore_ascii_case(address);
        found.retain(|person| person.primary_email.as_ref().is_some_and(is_asked));
        Ok(found)
    }

    /// Creates a person; returns the number.
    ///
    /// # Errors
    /// [`Error::is_taken_address`] if somebody has the address.
    pub fn create_person(&self, input: &Map<String, Value>) -> Result<PersonId, Error> {
        let reply = self.connection.send(http::Method::Post, "people", input)?;
        Ok(Person::read(&reply.data)?.id)
    }

    /// Updates the members of a person that `input` has.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such person.
    pub fn update_person(&self, id: PersonId, input: &Map<String, Value>) -> Result<(), Error> {
        let reply = self.connection.send(http::Method::Put, &format!("people/{id}"), input)?;
        if reply.status == 204 || !reply.data.is_null() {
            return Ok(());
        }
        Err(Error::NotDeskpro(format!(
            "an update was answered with status {} and nothing else",
            reply.status
        )))
    }

    /// A person; `None` if there is none with the number.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn person(&self, id: PersonId) -> Result<Option<Person>, Error> {
        match self.connection.get(&format!("people/{id}")) {
            Ok(reply) => Person::read(&reply.data).map(Some),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The people with these numbers, in no order; one request for each 200. Numbers without a person are left out.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn people(&self, ids: &[PersonId]) -> Result<Vec<Person>, Error> {
        let mut found = Vec::new();
        for ids in ids.chunks(AT_ONCE) {
            let list: Vec<String> = ids.iter().map(ToString::to_string).collect();
            let reply = self.connection.get(&format!("people?count={AT_ONCE}&ids={}", list.join(",")))?;
            found.extend(read_all(&reply.data)?.into_iter().filter(|person| ids.contains(&person.id)));
        }
        Ok(found)
    }
}

fn read_all(data: &Value) -> Result<Vec<Person>, Error> {
    let list = data.as_array().ok_or_else(|| Error::NotDeskpro("the people are not a list".into()))?;
    list.iter().map(Person::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_read_whatever_is_missing() {
        let check = |value: Value| {
            Person::read(&value).map(|person| (person.id.0, person.primary_email, person.emails))
        };
        assert_eq!(check(json!({"id": 82})), Ok((82, None, vec![])));
        assert_eq!(
            check(json!({"id": "82", "primary_email": null, "emails": ["a@b.example", null], "fields": []})),
            Ok((82, None, vec!["a@b.example".into()]))
        );
        for odd in
            [json!({}), json!([]), json!({"id": 0}), json!({"id": -1}), json!({"id": "x"}), json!(null)]
        {
            assert!(matches!(check(odd.clone()), Err(Error::NotDeskpro(_))), "{odd}");
        }
    }
}
