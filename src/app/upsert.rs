//! Users as the site's own server knows them: added or changed under the site's own user ID, the
//! `external_id`, as often as it likes. Attributes that a server may not write are refused, never
//! ignored.

use serde_json::{Map, Value};

use super::api_keys::prefixed;
use super::audit::{Event, record as record_event};
use super::incoming::{candidates, give_way, keep_proof, settle};
use super::users::taken;
use super::{App, AppError, Caller, clock};
use crate::core::api_key::ApiKey;
use crate::core::assign::{assign, custom_kind};
use crate::core::attribute::{BUILT_IN, Definitions, Kind, Value as Attribute};
use crate::core::id::UserId;
use crate::core::incoming::{Incoming, Whom};
use crate::core::problem::Problem;
use crate::core::secret::digest;
use crate::core::user::{ExternalId, Login, Role, User};
use crate::store::{self, ChangeKind, Sql, attributes, users};

/// Where a value is in the body of a request.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Pointer {
    /// A JSON Pointer (RFC 6901); empty for the whole body.
    pub pointer: String,
}

/// What happened to a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    /// The user as it is now.
    pub user: User,
    /// Whether this call created the user.
    pub created: bool,
    /// Whether anything has changed.
    pub changed: bool,
}

/// Attributes that no server may write, and where to set them instead.
const CLOSED: [(&str, &str); 7] = [
    ("external_id", "It identifies the user. Send it in the URL or beside the attributes."),
    ("deskpro_id", "It comes only from Deskpro."),
    ("role", "Create admins with `countersign user add LOGIN --admin`."),
    ("password", "Users of a site with its own sign-in have no password here."),
    ("password_hash", "Users of a site with its own sign-in have no password here."),
    ("disabled", "Disable users with `countersign user disable LOGIN`."),
    ("id", "It is Countersign's own ID of the user; the site's ID is the external_id."),
];

/// Tries before a write to a user whom many callers write at once fails.
const TRIES: usize = 5;

impl App {
    /// Adds or changes the user with an `external_id`. Attributes that are not named stay as they are,
    /// `null` removes one, and repeating the same call changes nothing.
    pub fn put_user(
        &self,
        key: &ApiKey,
        external_id: &ExternalId,
        sent: &Map<String, Value>,
        caller: &Caller,
    ) -> Result<Put, AppError> {
        self.put_prefixed(key, &prefixed(key, external_id)?, sent, caller)
    }

    /// The same under an external ID that has the key's prefix already.
    pub(super) fn put_prefixed(
        &self,
        key: &ApiKey,
        external_id: &ExternalId,
        sent: &Map<String, Value>,
        caller: &Caller,
    ) -> Result<Put, AppError> {
        let mut last = None;
        for _ in 0..TRIES {
            match self.try_put_user(key, external_id, sent, caller) {
                // Another call has created this user, or moved a key, in between: repeat the decision.
                Err(AppError::Store(error @ store::Error::Conflict(_))) => last = Some(error),
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
        // Checked before anything is held: most calls repeat what is already stored.
        let (record, unchanged) = self.store().snapshot(|db| {
            let definitions = attributes::all(db)?;
            let record = described(external_id, sent, key, &definitions)?;
            let decision = candidates(db, &record)?.decide(&record);
            let Whom::Update(id) = &decision.whom else { return Ok((record, None)) };
            let unchanged = match users::by_id(db, id)? {
                Some(user) if decision.gives_way.is_none() => {
                    (written(&user, sent, key, &definitions)? == user).then_some(user)
                }
                _ => None,
            };
            Ok::<_, AppError>((record, unchanged))
        })?;
        if let Some(user) = unchanged {
            return Ok(Put { user, created: false, changed: false });
        }
        self.store().write(now, |tx| {
            let mut settled = settle(tx, &record)?;
            // Read while the user is held: a call that changes a type converts this user before or after.
            let definitions = attributes::all(tx)?;
            let whom = settled.decision.whom.clone();
            let id = match &whom {
                Whom::Refused(reason) => return Err((*reason).into()),
                Whom::Update(id) | Whom::Adopt(id) => id.clone(),
                Whom::Create => clock::new_user_id(),
            };
            give_way(tx, &settled.decision, &id, &definitions, now, caller)?;
            let put = |user: User, created| Put { user, created, changed: true };
            if whom == Whom::Create {
                let draft = new_user(tx, id, external_id, record.login.as_deref(), now)?;
                let user = written(&draft, sent, key, &definitions)?;
                users::insert(tx, &user, &definitions)?;
                record_event(tx, now, caller, &Event::UserAdded, &user.id)?;
                tx.changed(ChangeKind::User, &user.id);
                return Ok(put(user, true));
            }
            let mut held = settled.take(&id)?;
            let mut user = held.clone();
            user.attributes.set("external_id", Attribute::from(external_id.as_str()));
            let mut user = written(&user, sent, key, &definitions)?;
            if matches!(whom, Whom::Adopt(_)) && record.address.is_none() {
                keep_proof(&mut user, &held);
            }
            user.updated_at = now;
            users::update(tx, &mut held, &user, &definitions)?;
            if matches!(whom, Whom::Adopt(_)) {
                let event = Event::UserAdopted { external_id: external_id.as_str().to_owned() };
                record_event(tx, now, caller, &event, &id)?;
            }
            let names: Vec<&str> = sent.keys().map(String::as_str).collect();
            record_event(tx, now, caller, &Event::UserChanged { attributes: names.join(", ") }, &id)?;
            tx.changed(ChangeKind::User, &id);
            Ok(put(user, false))
        })
    }
}

/// What a call says about the identity of its user, after the whole call was read: everything that is
/// wrong with it is reported first.
fn described(
    external_id: &ExternalId,
    sent: &Map<String, Value>,
    key: &ApiKey,
    definitions: &Definitions,
) -> Result<Incoming, AppError> {
    let blank = User::new(UserId::from(""), Login::parse("-").expect("a dash is a login"), Role::User, 0);
    let said = written(&blank, sent, key, definitions)?;
    let says = |name: &str| sent.get(name).is_some_and(|value| !value.is_null());
    Ok(Incoming {
        external_id: Some(external_id.as_str().to_owned()),
        login: says("login").then(|| said.login.as_str().to_owned()),
        address: said.folded_email(),
        proved: said.attributes.email_verified() == Some(true),
        disabled: false,
        needs_login: false,
        same_logins: false,
    })
}

/// A user with only the site's own user ID. The login is the one that was sent, or that ID; if that
/// login is taken (logins ignore case, IDs do not), the ID with the start of its digest.
fn new_user(
    db: &mut dyn Sql,
    id: UserId,
    external_id: &ExternalId,
    sent: Option<&str>,
    now: i64,
) -> Result<User, AppError> {
    let key = external_id.as_str();
    let mark = digest(key);
    let marked = |letters: usize| Login::parse(&format!("{key:.100}~{}", &mark[..letters]));
    let candidates = match sent {
        Some(login) => vec![Login::parse(login)],
        None => vec![Login::parse(key), marked(8), marked(16), marked(64), Login::parse(&mark)],
    };
    let mut free = None;
    for candidate in candidates.into_iter().flatten() {
        if users::by_login(db, &candidate)?.is_none() {
            free = Some(candidate);
            break;
        }
    }
    let login = free.ok_or_else(|| {
        let what = format!(
            "Every login that could be derived from '{key}' is taken. Send a 'login' with the request."
        );
        AppError::Taken(what)
    })?;
    let mut user = User::new(id, login, Role::User, now);
    user.attributes.set("external_id", Attribute::from(key));
    Ok(user)
}

/// A user with what was sent, or everything that is wrong with it.
fn written(
    user: &User,
    sent: &Map<String, Value>,
    key: &ApiKey,
    definitions: &Definitions,
) -> Result<User, AppError> {
    let mut user = user.clone();
    let mut problems = Vec::new();
    // The address first: writing it clears its verified flag, unless the same call sets it.
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
            problems.push(Problem::new(Pointer { pointer }, message));
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
    if let Err(error) = user.attributes.check() {
        problems.push(Problem::new(Pointer { pointer: String::new() }, error.to_string()));
    }
    if problems.is_empty() { Ok(user) } else { Err(AppError::Attributes(problems)) }
}

/// Writes one attribute from JSON. A string is read as everywhere else; true or false, a number and a
/// list are accepted if the attribute has that type.
fn assign_json(user: &mut User, name: &str, value: &Value, definitions: &Definitions) -> Result<(), String> {
    let kind = if BUILT_IN.contains(&name) {
        if name == "email_verified" { Kind::YesNo } else { Kind::Text }
    } else {
        custom_kind(name, definitions)?
    };
    let misfit = |what: &str| {
        let needs = match kind {
            Kind::Text => "a string: put it in quotes",
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
            if verified { misfit("a string") } else { assign(user, name, text, definitions) }
        }
        (Value::Bool(answer), Kind::YesNo) => {
            assign(user, name, if *answer { "true" } else { "false" }, definitions)
        }
        (Value::Number(number), Kind::Number) => assign(user, name, &number.to_string(), definitions),
        (Value::Array(items), Kind::List) => {
            let odd = items.iter().position(|item| item.is_null() || item.is_array() || item.is_object());
            match odd {
                Some(place) => Err(format!(
                    "'{name}': item {} is {}. An item must be a string, a number, true or false; leave out items without a value.",
                    place + 1,
                    items[place]
                )),
                None => assign(user, name, &value.to_string(), definitions),
            }
        }
        (Value::Bool(_), _) => misfit("true or false"),
        (Value::Number(_), _) => misfit("a number"),
        (Value::Array(_), _) => misfit("a list"),
        (Value::Object(_), _) => misfit("an object"),
    }
}
