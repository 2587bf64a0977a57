//! Looking after users: added, changed, disabled, given a password.

use super::audit::{Event, record};
use super::{App, AppError, Caller};
use crate::core::address::{Address, oddity};
use crate::core::attribute::{
    Attributes, BUILT_IN, Definitions, Kind, Value, is_blank, looks_like_a_stored_password, read_yes_no,
};
use crate::core::password::{Password, Weakness};
use crate::core::user::{ExternalId, Login, Role, User};
use crate::core::visible::visible;
use crate::store::{self, Error, Sql, Tx, attributes, users};

/// The lock under which admins are counted.
const ADMINS: &str = "admins";

/// An attribute as somebody writes it: its name and a text.
pub type Assignment = (String, String);

impl App {
    /// A user by login.
    pub fn user(&self, login: &Login) -> Result<User, AppError> {
        self.store().read(|db| users::by_login(db, login))?.ok_or_else(|| {
            AppError::NotFound(format!(
                "There is no user '{login}'. `countersign user list` shows who there is."
            ))
        })
    }

    /// A user by id; gone only if deleted this moment.
    pub fn user_by_id(&self, id: &str) -> Result<User, AppError> {
        self.store()
            .read(|db| users::by_id(db, id))?
            .ok_or_else(|| AppError::NotFound("This user does not exist any more.".into()))
    }

    /// Users of whom a search key begins with a text, each once, at most `limit`.
    pub fn search_users(&self, begin: &str, limit: i64) -> Result<Vec<User>, AppError> {
        let key = crate::core::user::search_key(begin);
        if key.contains('\0') {
            // Nothing is called so, and PostgreSQL refuses to be asked.
            return Ok(Vec::new());
        }
        let found = self.store().read(|db| users::search(db, &key, None, limit))?;
        let mut seen = std::collections::HashSet::new();
        Ok(found.into_iter().map(|(_, user)| user).filter(|user| seen.insert(user.id.clone())).collect())
    }

    /// Whether a page that shows somebody means this user.
    pub fn is_shown(&self, user: &User, shown: &str) -> Result<bool, AppError> {
        Ok(self.store().read(|db| is_shown(db, user, shown))?)
    }

    /// The user that somebody means by what they typed: a login, or the beginning of a login, an
    /// address or a name that one user alone has.
    pub fn find_user(&self, typed: &str) -> Result<Option<User>, AppError> {
        if let Some(user) = self.user_called(typed)? {
            return Ok(Some(user));
        }
        // Rows of the search: one user may have several of them.
        let mut found = self.search_users(typed, 50)?;
        Ok(if found.len() == 1 { found.pop() } else { None })
    }

    /// The user whose login a text is, if it is one.
    pub fn user_called(&self, text: &str) -> Result<Option<User>, AppError> {
        let Ok(login) = Login::parse(text) else { return Ok(None) };
        Ok(self.store().read(|db| users::by_login(db, &login))?)
    }

    /// Adds a user without a password.
    pub fn add_user(
        &self,
        login: &Login,
        role: Role,
        assignments: &[Assignment],
        caller: &Caller,
    ) -> Result<User, AppError> {
        if assignments.iter().any(|(name, _)| name == "login") {
            let what = "The login is given once, before the attributes. Leave 'login=…' out.";
            return Err(AppError::Refused(what.into()));
        }
        let now = self.now();
        let mut user = User::new(super::clock::new_id(), login.clone(), role, now);
        self.store().write(now, |tx| {
            let definitions = attributes::all(tx)?;
            assign_all(&mut user, assignments, &definitions)?;
            say_who_has_it(tx, &user)?;
            users::insert(tx, &user, &definitions).map_err(taken)?;
            record(tx, now, caller, &Event::UserAdded, &user.id)?;
            tx.changed(store::ChangeKind::User, &user.id);
            Ok(user.clone())
        })
    }

    /// Changes a user's attributes; a blank text takes one away.
    pub fn change_user(
        &self,
        login: &Login,
        assignments: &[Assignment],
        caller: &Caller,
    ) -> Result<User, AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            let definitions = attributes::all(tx)?;
            let mut user = existing(tx, login)?;
            assign_all(&mut user, assignments, &definitions)?;
            user.updated_at = now;
            say_who_has_it(tx, &user)?;
            users::update(tx, &user, &definitions).map_err(taken)?;
            let names: Vec<&str> = assignments.iter().map(|(name, _)| name.as_str()).collect();
            record(tx, now, caller, &Event::UserChanged { attributes: names.join(", ") }, &user.id)?;
            tx.changed(store::ChangeKind::User, &user.id);
            Ok(user)
        })
    }

    /// Sets a password after judging it by the policy, and ends all sessions.
    pub fn set_password(&self, login: &Login, typed: &str, caller: &Caller) -> Result<(), AppError> {
        let user = self.user(login)?;
        let password = self
            .judge_new_password(&user, typed)
            .map_err(|weakness| AppError::Refused(weakness.to_string()))?;
        let hash = self.0.hashing.hash(&password)?;
        let now = self.now();
        self.store().write(now, |tx| {
            users::set_password(tx, &user.id, Some(&hash))?;
            Self::end_sessions(tx, &user.id)?;
            Ok(record(tx, now, caller, &Event::PasswordSet, &user.id)?)
        })
    }

    /// Judges a new password of a user by the policy.
    pub(super) fn judge_new_password(&self, user: &User, typed: &str) -> Result<Password, Weakness> {
        let names: Vec<String> = ["login", "email", "display_name", "external_id"]
            .iter()
            .filter_map(|name| user.text(name))
            .collect();
        let mut context: Vec<&str> = names.iter().map(String::as_str).collect();
        if let Some(url) = &self.settings().public_url {
            context.push(&url.host);
        }
        self.settings().passwords.check(typed, &context)
    }

    /// Disables a user: no sign-in, no session, no token. The last admin cannot be disabled.
    pub fn disable_user(&self, login: &Login, caller: &Caller) -> Result<(), AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            store::lock(tx, ADMINS)?;
            let mut user = existing(tx, login)?;
            if user.role == Role::Admin && !user.disabled && users::enabled_admins(tx)? <= 1 {
                return Err(AppError::Refused(format!(
                    "'{login}' is the last admin. Make somebody else an admin first: `countersign user add LOGIN --admin`."
                )));
            }
            user.disabled = true;
            user.updated_at = now;
            let definitions = attributes::all(tx)?;
            users::update(tx, &user, &definitions)?;
            Self::end_sessions(tx, &user.id)?;
            Ok(record(tx, now, caller, &Event::UserDisabled, &user.id)?)
        })
    }

    /// Lets a disabled user sign in again.
    pub fn enable_user(&self, login: &Login, caller: &Caller) -> Result<(), AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            let mut user = existing(tx, login)?;
            user.disabled = false;
            user.updated_at = now;
            let definitions = attributes::all(tx)?;
            users::update(tx, &user, &definitions)?;
            tx.changed(store::ChangeKind::User, &user.id);
            Ok(record(tx, now, caller, &Event::UserEnabled, &user.id)?)
        })
    }
}

fn existing(tx: &mut Tx<'_>, login: &Login) -> Result<User, AppError> {
    users::by_login(tx, login)?.ok_or_else(|| AppError::NotFound(format!("There is no user '{login}'.")))
}

/// Names the user who has an external id or an address already.
pub(super) fn say_who_has_it(tx: &mut Tx<'_>, user: &User) -> Result<(), AppError> {
    say_who_has_address(tx, user)?;
    let by_key = match user.text("external_id") {
        Some(key) => users::by_external_id(tx, &key)?,
        None => None,
    };
    is_other("external_id", user, by_key)
}

/// Names the user who has an address already.
pub(super) fn say_who_has_address(tx: &mut Tx<'_>, user: &User) -> Result<(), AppError> {
    let by_address = match user.text("email").and_then(|email| Address::parse(&email).ok()) {
        Some(email) => users::by_address(tx, &email)?,
        None => None,
    };
    is_other("address", user, by_address)
}

fn is_other(what: &str, user: &User, found: Option<User>) -> Result<(), AppError> {
    match found.filter(|other| other.id != user.id) {
        Some(other) => Err(AppError::Taken(format!("This {what} is already used by '{}'.", other.login))),
        None => Ok(()),
    }
}

/// Whether a page that shows somebody means this user: by the site's key or, where the user has none and
/// nobody else has it as one, by the login.
pub(super) fn is_shown(db: &mut dyn Sql, user: &User, shown: &str) -> Result<bool, Error> {
    if user.text("external_id").is_some_and(|id| id == shown) {
        return Ok(true);
    }
    Ok(user.is_only_called(shown) && users::by_external_id(db, shown)?.is_none())
}

/// A race lost to another writer, in words.
pub(super) fn taken(error: Error) -> AppError {
    match error {
        Error::Conflict(column) => {
            let what = match column.rsplit('.').next() {
                Some("email_key") => "address",
                Some("external_id") => "external_id",
                _ => "login",
            };
            AppError::Taken(format!("This {what} is already used by another user."))
        }
        error => error.into(),
    }
}

fn assign_all(
    user: &mut User,
    assignments: &[Assignment],
    definitions: &Definitions,
) -> Result<(), AppError> {
    // The address first: writing it takes the proof away, unless the same write gives it.
    let mut ordered: Vec<&Assignment> = assignments.iter().collect();
    ordered.sort_by_key(|(name, _)| name != "email");
    for (name, text) in ordered {
        // A file may say anything there, which then proves nothing; whoever types it should know.
        if name == "email_verified" && !is_blank(text) && read_yes_no(text.trim()).is_none() {
            return Err(AppError::Refused(format!(
                "email_verified: '{}' says neither yes nor no. Write yes or no (true, false, 1, 0).",
                text.trim()
            )));
        }
        assign(user, name, text, definitions).map_err(|what| AppError::Refused(format!("{name}: {what}")))?;
    }
    user.attributes.check().map_err(|fault| AppError::Refused(fault.to_string()))
}

/// Writes one attribute from a text as a command line or a CSV file gives it; a blank text takes
/// it away. The text of an error says what to do.
pub(super) fn assign(
    user: &mut User,
    name: &str,
    text: &str,
    definitions: &Definitions,
) -> Result<(), String> {
    if is_blank(text) {
        if name == "login" {
            return Err("A login cannot be empty.".into());
        }
        if name == "email" {
            user.attributes.remove("email_verified");
        }
        user.attributes.remove(name);
        return Ok(());
    }
    let value: Value = match name {
        "login" => {
            user.login = Login::parse(text).map_err(|error| error.to_string())?;
            user.login.as_str().into()
        }
        "external_id" => ExternalId::parse(text.trim())?.as_str().into(),
        "email" => {
            let address = Address::parse(text).map_err(|_| {
                let (shown, why) = (visible(text.trim()), oddity(text));
                format!("'{shown}' is no e-mail address of the form name@example.com. {why}")
            })?;
            let same = user.text("email").is_some_and(|known| known == address.ascii());
            if !same {
                user.attributes.remove("email_verified");
            }
            address.into_ascii().into()
        }
        "email_verified" => {
            if let Some(answer) = read_yes_no(text.trim()) {
                answer.into()
            } else {
                user.attributes.remove(name);
                return Ok(());
            }
        }
        "deskpro_id" => {
            let id = text.trim();
            let fits = (1..=18).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_digit())
                && !id.starts_with('0');
            if !fits {
                return Err(format!("'{id}' is no id of a Deskpro person: 1 to 18 digits, the first not 0."));
            }
            id.into()
        }
        _ if BUILT_IN.contains(&name) => text.into(),
        _ => custom(name, text, definitions)?,
    };
    value.check().map_err(|fault| format!("{fault}."))?;
    user.attributes.set(name, value);
    Ok(())
}

/// The value of a custom attribute from a text, by the attribute's type.
fn custom(name: &str, text: &str, definitions: &Definitions) -> Result<Value, String> {
    if looks_like_a_stored_password(text) {
        return Err("This looks like a stored password. Hashes and secrets are no attributes.".into());
    }
    convert(text, custom_kind(name, definitions)?)
}

/// What a custom attribute holds; or that there is none of that name, and which was perhaps meant.
pub(super) fn custom_kind(name: &str, definitions: &Definitions) -> Result<Kind, String> {
    if let Some(definition) = definitions.get(name) {
        return Ok(definition.kind);
    }
    let how = format!("with `countersign attribute set {name}`.");
    Err(match nearest(name, definitions) {
        Some(other) => {
            format!("There is no attribute '{name}'. Did you mean '{other}'? A new one is made {how}")
        }
        None => format!("There is no attribute '{name}'. Make it {how}"),
    })
}

/// The attribute that was perhaps meant by a name that none has.
pub fn nearest(name: &str, definitions: &Definitions) -> Option<String> {
    let names =
        BUILT_IN.into_iter().map(str::to_owned).chain(definitions.iter().map(|(name, _)| name.to_owned()));
    let bare = |name: &str| name.to_lowercase().replace(['_', '-', ' ', '.'], "");
    let wanted = bare(name);
    let distance = |known: &String| strsim::damerau_levenshtein(&bare(known), &wanted);
    let close = names.filter(|known| known != name).min_by_key(distance)?;
    (distance(&close) <= 2 && distance(&close) < wanted.chars().count() / 2).then_some(close)
}

/// Reads a text as a type.
pub(super) fn convert(text: &str, kind: Kind) -> Result<Value, String> {
    match kind {
        Kind::Text => Ok(text.into()),
        Kind::YesNo => read_yes_no(text.trim())
            .map(Value::from)
            .ok_or_else(|| format!("'{}' says neither yes nor no.", text.trim())),
        Kind::Number => serde_json::from_str::<serde_json::Number>(text.trim())
            .map(Value::Number)
            .map_err(|_| format!("'{}' is no number such as 12 or 2500.50.", text.trim())),
        Kind::List => match serde_json::from_str::<Value>(text.trim()) {
            Ok(list @ Value::List(_)) => Ok(list),
            _ => Err("A list is written as JSON: [\"one\", \"two\"].".into()),
        },
    }
}

/// A user as one JSON object: attributes, role, state. Never a hash.
pub fn as_json(user: &User) -> serde_json::Value {
    let attributes: &Attributes = &user.attributes;
    serde_json::json!({
        "login": user.login.as_str(),
        "role": user.role.as_str(),
        "disabled": user.disabled,
        "attributes": attributes,
    })
}
