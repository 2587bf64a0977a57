//! Users as the site's own server knows them: added or changed under the site's own key, the
//! `external_id`, as often as it likes. What a server may not write is refused, never ignored.

use serde_json::{Map, Value};

use super::audit::{Event, record};
use super::users::{assign, custom_kind, say_who_has_address, taken};
use super::{App, AppError, Caller, clock};
use crate::core::address::Address;
use crate::core::api_key::ApiKey;
use crate::core::attribute::{BUILT_IN, Definitions, Kind, Value as Attribute};
use crate::core::secret::digest;
use crate::core::user::{ExternalId, Login, Role, User};
use crate::store::{self, ChangeKind, Tx, attributes, users};

/// What is wrong with one attribute that a program sent.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct AttributeFault {
    /// Where it stands in the body, as a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// What became of a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    /// The user as it is now.
    pub user: User,
    /// Whether this call made it.
    pub created: bool,
    /// Whether anything is different from before.
    pub changed: bool,
}

/// What no server may say of a user, and where it is said instead.
const CLOSED: [(&str, &str); 7] = [
    ("external_id", "It is the key of the user and stands in the address or beside the attributes."),
    ("deskpro_id", "It comes from Deskpro alone."),
    ("role", "Admins are made with `countersign user add LOGIN --admin`."),
    ("password", "Users of a site with its own sign-in have no password here."),
    ("password_hash", "Users of a site with its own sign-in have no password here."),
    ("disabled", "Users are disabled with `countersign user disable LOGIN`."),
    ("id", "It is our own key of the user; the site's is the external_id."),
];

/// Tries before a user who is written by many at once is given up.
const TRIES: usize = 5;

impl App {
    /// Adds or changes the user with an `external_id`. Attributes that are not named stay as they are,
    /// `null` takes one away, and the same call again changes nothing.
    pub fn put_user(
        &self,
        key: &ApiKey,
        external_id: &ExternalId,
        sent: &Map<String, Value>,
        caller: &Caller,
    ) -> Result<Put, AppError> {
        let mut last = None;
        for _ in 0..TRIES {
            match self.try_put_user(key, external_id, sent, caller) {
                // Another call has made this user in between: it is there now.
                Err(AppError::Store(error @ store::Error::Conflict(_))) => last = Some(error),
                Err(AppError::Taken(text)) => {
                    let id = external_id.as_str();
                    return Err(AppError::Taken(format!(
                        "{text} `countersign user list` shows who. If it is the same user, give that one your key: `countersign user set LOGIN external_id={id}`."
                    )));
                }
                done => return done,
            }
        }
        Err(taken(last.unwrap_or_else(|| store::Error::Conflict("users.login".into()))))
    }

    fn try_put_user(
        &self,
        key: &ApiKey,
        external_id: &ExternalId,
        sent: &Map<String, Value>,
        caller: &Caller,
    ) -> Result<Put, AppError> {
        let now = self.now();
        let (known, definitions) = self.store().snapshot(|db| {
            let known = users::by_external_id(db, external_id.as_str())?;
            Ok::<_, AppError>((known, attributes::all(db)?))
        })?;
        let create = known.is_none();
        let draft = match &known {
            Some(user) => user.clone(),
            None => self.new_user(external_id, now)?,
        };
        let wanted = written(&draft, sent, key, &definitions)?;
        if !create && wanted == draft {
            return Ok(Put { user: draft, created: false, changed: false });
        }
        if wanted.role == Role::Admin {
            return Err(AppError::AboutAdmin);
        }
        self.store().write(now, |tx| {
            let definitions = attributes::all(tx)?;
            if create {
                return insert(tx, &wanted, &definitions, now, caller);
            }
            // Holds the row, so that of two calls at once neither undoes what the other wrote.
            users::hold(tx, &draft.id)?;
            let Some(current) = users::by_id(tx, &draft.id)? else {
                return Err(store::Error::Conflict("users.id".into()).into());
            };
            let mut wanted = written(&current, sent, key, &definitions)?;
            if wanted.role == Role::Admin {
                return Err(AppError::AboutAdmin);
            }
            wanted.updated_at = now;
            say_who_has_address(tx, &wanted).map_err(|error| match error {
                AppError::Taken(_) => used_by_another(),
                error => error,
            })?;
            users::update(tx, &wanted, &definitions).map_err(taken)?;
            let names: Vec<&str> = sent.keys().map(String::as_str).collect();
            record(tx, now, caller, &Event::UserChanged { attributes: names.join(", ") }, &wanted.id)?;
            tx.changed(ChangeKind::User, &wanted.id);
            Ok(Put { user: wanted, created: false, changed: true })
        })
    }

    /// A user with nothing but the site's key. The login is that key, or where somebody has it already
    /// (logins know no capitals, keys do) the key with the beginning of its digest.
    fn new_user(&self, external_id: &ExternalId, now: i64) -> Result<User, AppError> {
        let key = external_id.as_str();
        let mark = digest(key);
        let marked = |letters: usize| Login::parse(&format!("{key:.100}~{}", &mark[..letters]));
        let candidates = [Login::parse(key), marked(8), marked(16), marked(64), Login::parse(&mark)];
        let mut login = None;
        for candidate in candidates.into_iter().flatten() {
            if self.store().read(|db| users::by_login(db, &candidate))?.is_none() {
                login = Some(candidate);
                break;
            }
        }
        let login = login.ok_or_else(|| {
            AppError::Taken(format!(
                "Every login that could be made of '{key}' is taken. Send a 'login' of your own."
            ))
        })?;
        let mut user = User::new(clock::new_id(), login, Role::User, now);
        user.attributes.set("external_id", Attribute::from(external_id.as_str()));
        Ok(user)
    }
}

fn insert(
    tx: &mut Tx<'_>,
    user: &User,
    definitions: &Definitions,
    now: i64,
    caller: &Caller,
) -> Result<Put, AppError> {
    // Asked once: between two questions another call may make this very user. Whoever comes after the
    // question is refused by the database, and the call is tried again.
    if let Some(address) = user.text("email").and_then(|email| Address::parse(&email).ok())
        && let Some(other) = users::by_address(tx, &address)?
    {
        let is_same = other.text("external_id") == user.text("external_id");
        return Err(if is_same {
            store::Error::Conflict("users.external_id".into()).into()
        } else {
            used_by_another()
        });
    }
    users::insert(tx, user, definitions)?;
    record(tx, now, caller, &Event::UserAdded, &user.id)?;
    tx.changed(ChangeKind::User, &user.id);
    Ok(Put { user: user.clone(), created: true, changed: true })
}

/// Who it is stays here: a site's route may pass the answer on to whoever opens the page.
fn used_by_another() -> AppError {
    taken(store::Error::Conflict("users.email_key".into()))
}

/// A user with what was sent, or everything that is wrong with it.
fn written(
    user: &User,
    sent: &Map<String, Value>,
    key: &ApiKey,
    definitions: &Definitions,
) -> Result<User, AppError> {
    let mut user = user.clone();
    let mut faults = Vec::new();
    // The address first: writing it takes the proof away, unless the same call gives it.
    let mut ordered: Vec<(&String, &Value)> = sent.iter().collect();
    ordered.sort_by_key(|(name, _)| *name != "email");
    for (name, value) in ordered {
        let closed = CLOSED.iter().find(|(closed, _)| closed == name);
        let outcome = match closed {
            Some((_, instead)) => Err(format!("'{name}' cannot be written by an API key. {instead}")),
            None => assign_json(&mut user, name, value, definitions),
        };
        if let Err(message) = outcome {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            faults.push(AttributeFault { pointer, message });
        }
    }
    let says_address = sent.get("email").is_some_and(|email| !email.is_null());
    if says_address
        && key.email_verified
        && !sent.contains_key("email_verified")
        && user.text("email").is_some()
    {
        user.attributes.set("email_verified", Attribute::from(true));
    }
    if let Err(fault) = user.attributes.check() {
        faults.push(AttributeFault { pointer: String::new(), message: fault.to_string() });
    }
    if faults.is_empty() { Ok(user) } else { Err(AppError::Attributes(faults)) }
}

/// Writes one attribute from JSON. A text is read as everywhere else; yes or no, a number and a list
/// are taken where the attribute holds such.
fn assign_json(user: &mut User, name: &str, value: &Value, definitions: &Definitions) -> Result<(), String> {
    let kind = if BUILT_IN.contains(&name) {
        if name == "email_verified" { Kind::YesNo } else { Kind::Text }
    } else {
        custom_kind(name, definitions)?
    };
    let misfit = |what: &str| {
        let needs = match kind {
            Kind::Text => "a text: put it in quotes",
            Kind::YesNo => "true or false",
            Kind::Number => "a number",
            Kind::List => "a list: [\"one\", \"two\"]",
        };
        Err(format!("'{name}' needs {needs}. This is {what}."))
    };
    match (value, kind) {
        (Value::Null, _) => assign(user, name, "", definitions),
        (Value::String(text), _) => {
            let verified =
                name == "email_verified" && crate::core::attribute::read_yes_no(text.trim()).is_none();
            if verified { misfit("a text") } else { assign(user, name, text, definitions) }
        }
        (Value::Bool(answer), Kind::YesNo) => {
            assign(user, name, if *answer { "true" } else { "false" }, definitions)
        }
        (Value::Number(number), Kind::Number) => assign(user, name, &number.to_string(), definitions),
        (Value::Array(_), Kind::List) => assign(user, name, &value.to_string(), definitions),
        (Value::Bool(_), _) => misfit("true or false"),
        (Value::Number(_), _) => misfit("a number"),
        (Value::Array(_), _) => misfit("a list"),
        (Value::Object(_), _) => misfit("an object"),
    }
}
