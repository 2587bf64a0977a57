//! Managing users: added, changed, disabled, given a password.

use super::audit::{Event, record};
use super::incoming::ensure_own_deskpro_id;
use super::{App, AppError, Caller};
use crate::core::address::Address;
use crate::core::api_key::ApiKey;
use crate::core::attribute::{Attributes, Definitions, is_blank, read_yes_no};
use crate::core::id::UserId;
use crate::core::incoming::Reason;
use crate::core::password::{Password, Weakness};
use crate::core::user::{ExternalId, Login, Role, User};
use crate::store::users::Held;
use crate::store::{self, Error, Sql, Tx, attributes, users};

use crate::core::assign::assign;

/// The lock under which admins are counted.
const ADMINS: &str = "admins";

/// An attribute as it was typed: its name and a string.
pub type Assignment = (String, String);

impl App {
    /// A user by login.
    pub fn user(&self, login: &Login) -> Result<User, AppError> {
        self.store().read(|db| match users::by_login(db, login)? {
            Some(user) => Ok(user),
            None => Err(not_there(db, login)?),
        })
    }

    /// A user by ID; missing only if deleted at this moment.
    pub fn user_by_id(&self, id: &UserId) -> Result<User, AppError> {
        self.store()
            .read(|db| users::by_id(db, id))?
            .ok_or_else(|| AppError::NotFound("This user no longer exists.".into()))
    }

    /// Users with a search key that starts with a string, each once, at most `limit`.
    pub fn search_users(&self, begin: &str, limit: i64) -> Result<Vec<User>, AppError> {
        let key = crate::core::user::search_key(begin);
        if key.contains('\0') {
            // No user has such a name, and PostgreSQL refuses the query.
            return Ok(Vec::new());
        }
        let found = self.store().read(|db| users::search(db, &key, None, limit))?;
        let mut seen = std::collections::HashSet::new();
        Ok(found.into_iter().map(|(_, user)| user).filter(|user| seen.insert(user.id.clone())).collect())
    }

    /// The user that a person means by what they typed: a login, or the start of a login, an address or
    /// a name that matches only one user.
    pub fn find_user(&self, typed: &str) -> Result<Option<User>, AppError> {
        if let Some(user) = self.user_called(typed)? {
            return Ok(Some(user));
        }
        // Rows of the search: one user may match several times.
        let mut found = self.search_users(typed, 50)?;
        Ok(if found.len() == 1 { found.pop() } else { None })
    }

    /// The user with this login, if the string is one.
    pub fn user_called(&self, text: &str) -> Result<Option<User>, AppError> {
        let Ok(login) = Login::known(text) else { return Ok(None) };
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
            let what = "Give the login once, before the attributes. Remove 'login=…'.";
            return Err(AppError::Refused(what.into()));
        }
        let now = self.now();
        let user = User::new(super::clock::new_user_id(), login.clone(), role, now);
        let blank = user;
        self.store().write(now, |tx| {
            tx.lock_bulk()?;
            let definitions = attributes::all(tx)?;
            let mut user = blank.clone();
            assign_all(&mut user, assignments, &definitions)?;
            say_who_has_it(tx, &user)?;
            users::insert(tx, &user, &definitions).map_err(taken)?;
            record(tx, now, caller, &Event::UserAdded, &user.id)?;
            tx.changed(store::ChangeKind::User, &user.id);
            Ok(user)
        })
    }

    /// Changes a user's attributes; a blank value removes one.
    pub fn change_user(
        &self,
        login: &Login,
        assignments: &[Assignment],
        caller: &Caller,
    ) -> Result<User, AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            if assignments.iter().any(|(name, _)| name == "deskpro_id") {
                // If two callers assign the same person at the same moment, the second one sees the first.
                tx.lock_bulk()?;
            }
            let mut held = existing(tx, login)?;
            // Read while the user is held: a call that changes a type converts this user before or after.
            let definitions = attributes::all(tx)?;
            let mut user = held.clone();
            assign_all(&mut user, assignments, &definitions)?;
            user.updated_at = now;
            say_who_has_it(tx, &user)?;
            users::update(tx, &mut held, &user, &definitions).map_err(taken)?;
            let names: Vec<&str> = assignments.iter().map(|(name, _)| name.as_str()).collect();
            record(tx, now, caller, &Event::UserChanged { attributes: names.join(", ") }, &user.id)?;
            tx.changed(store::ChangeKind::User, &user.id);
            Ok(user)
        })
    }

    /// Sets a password after checking it against the policy, and ends all sessions.
    pub fn set_password(&self, login: &Login, typed: &str, caller: &Caller) -> Result<(), AppError> {
        let user = self.user(login)?;
        let password = self
            .judge_new_password(&user, typed)
            .map_err(|weakness| AppError::Refused(weakness.to_string()))?;
        let hash = self.0.hashing.hash(&password)?;
        let now = self.now();
        self.store().write(now, |tx| {
            // An account that is gone in the meantime has given up its login, and gets no password any
            // more.
            let still = |held: &Held<'_>| held.login == *login;
            let Some(held) = users::hold(tx, &user.id)?.filter(still) else {
                return Err(not_there(tx, login)?);
            };
            users::set_password(tx, &held, Some(&hash))?;
            Self::end_sessions(tx, &held)?;
            Ok(record(tx, now, caller, &Event::PasswordSet, &user.id)?)
        })
    }

    /// Checks a new password of a user against the policy.
    pub(super) fn judge_new_password(&self, user: &User, typed: &str) -> Result<Password, Weakness> {
        let names: Vec<String> = ["login", "email", "display_name", "external_id"]
            .iter()
            .filter_map(|name| user.text(name))
            .collect();
        let mut context: Vec<&str> = names.iter().map(String::as_str).collect();
        if let Some(url) = &self.settings().public_url {
            context.push(&url.host);
        }
        context.extend(self.settings().site_name.as_deref());
        self.settings().passwords.check(typed, &context)
    }

    /// Disables a user: no sign-in, no session, no token. The last admin cannot be disabled.
    pub fn disable_user(&self, login: &Login, caller: &Caller) -> Result<(), AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            store::lock(tx, ADMINS)?;
            let mut held = existing(tx, login)?;
            ensure_no_last_admin(tx, &held)?;
            let user = User { disabled: true, updated_at: now, ..held.clone() };
            let definitions = attributes::all(tx)?;
            users::update(tx, &mut held, &user, &definitions)?;
            Self::end_sessions(tx, &held)?;
            Ok(record(tx, now, caller, &Event::UserDisabled, &user.id)?)
        })
    }

    /// Records that an account is gone: the user is disabled, sessions end, and login, address, person
    /// and password are removed. The external ID stays, so that a late record does not bring the account
    /// back.
    pub fn user_gone(&self, login: &Login, caller: &Caller) -> Result<User, AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            store::lock(tx, ADMINS)?;
            let held = existing(tx, login)?;
            ensure_no_last_admin(tx, &held)?;
            gone(tx, held, now, caller)
        })
    }

    /// The same for a site's server, which identifies its user by its own user ID. Repeating it changes
    /// nothing.
    pub fn user_gone_by_key(
        &self,
        key: &ApiKey,
        external_id: &ExternalId,
        caller: &Caller,
    ) -> Result<(), AppError> {
        let id = super::api_keys::prefixed(key, external_id)?;
        let now = self.now();
        self.store().write(now, |tx| {
            let Some(known) = users::by_external_id(tx, id.as_str())? else {
                return Err(AppError::UnknownUser(external_id.as_str().to_owned()));
            };
            // Another writer may have given the ID to another user in between.
            let still = |held: &Held<'_>| held.text("external_id").as_deref() == Some(id.as_str());
            let Some(held) = users::hold(tx, &known.id)?.filter(still) else {
                return Err(AppError::UnknownUser(external_id.as_str().to_owned()));
            };
            if held.role == Role::Admin {
                return Err(Reason::AboutAdmin.into());
            }
            if held.gone_at.is_none() {
                gone(tx, held, now, caller)?;
            }
            Ok(())
        })
    }

    /// Lets a disabled user sign in again. Refused if another user has the address by now, and for an
    /// account that is gone.
    pub fn enable_user(&self, login: &Login, caller: &Caller) -> Result<(), AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            let mut held = existing(tx, login)?;
            if held.gone_at.is_some() {
                return Err(Reason::Gone.into());
            }
            let user = User { disabled: false, updated_at: now, ..held.clone() };
            say_who_has_address(tx, &user)?;
            let definitions = attributes::all(tx)?;
            users::update(tx, &mut held, &user, &definitions).map_err(taken)?;
            tx.changed(store::ChangeKind::User, &user.id);
            Ok(record(tx, now, caller, &Event::UserEnabled, &user.id)?)
        })
    }
}

/// Marks the account of a user as gone.
fn gone(tx: &mut Tx<'_>, mut held: Held<'_>, now: i64, caller: &Caller) -> Result<User, AppError> {
    let mut user = User { disabled: true, updated_at: now, gone_at: Some(now), ..held.clone() };
    for name in ["email", "email_verified", "deskpro_id"] {
        user.attributes.remove(name);
    }
    // Available to other users, and not a login that can be used to sign in.
    let login = Login::parse(&format!("gone~{}", user.id));
    user.login = login.map_err(|error| AppError::Refused(error.to_string()))?;
    user.attributes.set("login", user.login.as_str());
    let definitions = attributes::all(tx)?;
    users::update(tx, &mut held, &user, &definitions)?;
    users::set_password(tx, &held, None)?;
    App::end_sessions(tx, &held)?;
    record(tx, now, caller, &Event::UserGone, &user.id)?;
    Ok(user)
}

/// Holds the user with a login.
fn existing<'tx>(tx: &mut Tx<'tx>, login: &Login) -> Result<Held<'tx>, AppError> {
    match users::by_login_held(tx, login)? {
        Some(held) => Ok(held),
        None => Err(not_there(tx, login)?),
    }
}

/// The error for a login that nobody has. It names the user who has this address or external ID, but nothing
/// is done to a user whom an admin has not named by login.
fn not_there(db: &mut dyn Sql, login: &Login) -> Result<AppError, Error> {
    let by_address = match Address::parse(login.as_str()) {
        Ok(address) => users::by_address(db, &address)?.map(|user| ("address", user.login)),
        Err(_) => None,
    };
    let meant = match by_address {
        Some(meant) => Some(meant),
        None => users::by_external_id(db, login.as_str())?.map(|user| ("external ID", user.login)),
    };
    let help = match meant {
        Some((key, meant)) => format!("The user with this {key} has the login '{meant}'."),
        None => "`countersign user list --search TEXT` finds users by login, address or name.".to_owned(),
    };
    Ok(AppError::NotFound(format!("There is no user '{login}'. {help}")))
}

/// Refuses to disable the last admin. Call under the lock [`ADMINS`].
fn ensure_no_last_admin(tx: &mut Tx<'_>, user: &User) -> Result<(), AppError> {
    if user.role == Role::Admin && !user.disabled && users::enabled_admins(tx)? <= 1 {
        let login = &user.login;
        return Err(AppError::Refused(format!(
            "'{login}' is the last admin. Create another admin first: `countersign user add LOGIN --admin`."
        )));
    }
    Ok(())
}

/// Reports which user already has an external ID, an address or a person at Deskpro.
fn say_who_has_it(tx: &mut Tx<'_>, user: &User) -> Result<(), AppError> {
    say_who_has_address(tx, user)?;
    ensure_own_deskpro_id(tx, user)?;
    let by_key = match user.text("external_id") {
        Some(key) => users::by_external_id(tx, &key)?,
        None => None,
    };
    is_other("external_id", user, by_key)
}

/// Reports which user already has an address.
fn say_who_has_address(tx: &mut Tx<'_>, user: &User) -> Result<(), AppError> {
    let by_address =
        match user.text("email").filter(|_| !user.disabled).and_then(|email| Address::parse(&email).ok()) {
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

/// A message for a write that lost a race to another writer.
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
    // The address first: writing it clears its verified flag, unless the same write sets it.
    let mut ordered: Vec<&Assignment> = assignments.iter().collect();
    ordered.sort_by_key(|(name, _)| name != "email");
    for (name, text) in ordered {
        // A file may contain anything there, which then verifies nothing; a person who types it should
        // be told.
        if name == "email_verified" && !is_blank(text) && read_yes_no(text.trim()).is_none() {
            return Err(AppError::Refused(format!(
                "email_verified: '{}' is neither yes nor no. Write yes or no (true, false, 1, 0).",
                text.trim()
            )));
        }
        assign(user, name, text, definitions).map_err(|what| AppError::Refused(format!("{name}: {what}")))?;
    }
    user.attributes.check().map_err(|error| AppError::Refused(error.to_string()))
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
