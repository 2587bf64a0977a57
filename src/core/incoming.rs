//! Which user an incoming record is about. Files, the site's server on every route, and later other
//! sources all send records of users. Only this module decides which user of the table a record is
//! about, so that no entry point accepts what another one refuses.
//!
//! A strong key beats a weak one: the site's own `external_id` says who a user is, a login or an
//! address only who it probably is. A weak key never joins two users whom a strong key keeps apart, an
//! address that is not verified joins nothing, and only admins write admins.
//!
//! This module uses no database: callers look up who has the record's keys, and ask again while they
//! hold those users.

use super::user::{Role, User};
use crate::core::id::UserId;

/// What a record says about the user it means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate fact")]
pub struct Incoming {
    /// The site's own user ID, if the record has one.
    pub external_id: Option<String>,
    /// The login, as it is stored.
    pub login: Option<String>,
    /// The address, folded.
    pub address: Option<String>,
    /// Whether the sender of the record vouches that the address belongs to the user.
    pub proved: bool,
    /// Whether a user created from it is disabled from the start, and so holds no address.
    pub disabled: bool,
    /// Whether a new user needs a login. This is so for records of files and other sources; the site's server
    /// need not know logins.
    pub needs_login: bool,
    /// Whether the sender of the file says that its logins mean the same people as ours.
    pub same_logins: bool,
}

/// A user who has one of the record's keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The user.
    pub user: User,
    /// Whether only attributes are known about the user: see `store::users::is_bare`.
    pub bare: bool,
}

/// The users who have the record's keys; often they are the same user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates {
    /// The user with the external id.
    pub by_external_id: Option<Found>,
    /// The user with the login.
    pub by_login: Option<Found>,
    /// The user with the address. A disabled user has none.
    pub by_address: Option<Found>,
}

/// What to do with a record. Users are named by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// It is about this user.
    Update(UserId),
    /// It is about this user, who had no external id and gets the record's.
    Adopt(UserId),
    /// It is about a new user.
    Create,
    /// The user it is about cannot be determined for sure.
    Refused(Reason),
}

/// A decision, and its effect on another user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub whom: Whom,
    /// The user who loses an unverified address to the record, which has it as verified.
    pub gives_way: Option<UserId>,
}

/// Why a record is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// One of the users it names is an admin.
    AboutAdmin,
    /// The site reported that this account is gone.
    Gone,
    /// Another user has the login.
    LoginTaken,
    /// Another user has the address.
    AddressTaken,
    /// Its login or address belongs to a user with another external id.
    OtherExternalId,
    /// Its login belongs to one user, its address to another.
    NamesTwo,
    /// A user with the login exists, and nothing proves that it is the same person.
    NotProvedSame,
    /// It has no external id and would change the address of a user who has one.
    NeedsExternalId,
    /// Its login is new, and its address belongs to a user.
    NamesAnother,
    /// It has only an address, which must be verified on both sides.
    AddressUnproved,
    /// It is about a new user and has no login.
    NoLogin,
}

impl Reason {
    /// The stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::AboutAdmin => "about_admin",
            Self::Gone => "gone",
            Self::LoginTaken => "login_taken",
            Self::AddressTaken => "address_taken",
            Self::OtherExternalId => "other_external_id",
            Self::NamesTwo => "names_two",
            Self::NotProvedSame => "not_proved_same",
            Self::NeedsExternalId => "needs_external_id",
            Self::NamesAnother => "names_another",
            Self::AddressUnproved => "address_unproved",
            Self::NoLogin => "no_login",
        }
    }

    /// What is wrong and what to do, for the admin who manages the users.
    pub fn explain(self) -> &'static str {
        match self {
            Self::AboutAdmin => {
                "This user is an admin in Countersign. Imports and API keys can neither change admins nor sign users in as admins."
            }
            Self::Gone => {
                "The website reported that this account is gone. A new account needs a new external_id."
            }
            Self::LoginTaken => "Another user has this login. Send a different login, or leave it out.",
            Self::AddressTaken => {
                "Another user has this address. If the address is this user's now, send it as verified or change the other user first."
            }
            Self::OtherExternalId => {
                "This login or address belongs to a user with another external_id. If that account is gone, report it first: `countersign user gone LOGIN`."
            }
            Self::NamesTwo => {
                "The login belongs to one user and the address to another. Correct one of them."
            }
            Self::NotProvedSame => {
                "There is a user with this login, and nothing proves that it is the same person. Send the user's verified address, or give that user the external_id: `countersign user set LOGIN external_id=…`."
            }
            Self::NeedsExternalId => {
                "This user has an external_id, so only a record with that external_id can change the address. Add it to the record."
            }
            Self::NamesAnother => {
                "There is no user with this login, and another user has the address. Correct one of them."
            }
            Self::AddressUnproved => {
                "This record identifies the user only by address, and the address is not verified on both sides. Add the login or the external_id."
            }
            Self::NoLogin => "A new user needs a login. Add it, or correct the external_id or the address.",
        }
    }
}

impl Candidates {
    /// The same candidates, without the address if the user stays disabled or is created disabled. Such a
    /// user holds no address, so the address of another user does not conflict.
    #[must_use]
    pub fn holding(self, record: &Incoming) -> Self {
        let own = self.by_external_id.as_ref().or(self.by_login.as_ref());
        let holds_none = record.disabled && record.login.is_some() && own.is_none_or(|own| own.user.disabled);
        if holds_none { Self { by_address: None, ..self } } else { self }
    }

    /// Decides which user a record is about.
    pub fn decide(&self, record: &Incoming) -> Decision {
        let first = self.first_match(record);
        if let (Some(holder), true) = (&self.by_address, record.proved)
            && let Whom::Refused(reason) = &first
            && *reason != Reason::AboutAdmin
            && holder.user.attributes.email_verified() != Some(true)
        {
            // An unverified address does not block a record that has it as verified. This adopts no user.
            let without = Self { by_address: None, ..self.clone() };
            let second = without.first_match(record);
            if matches!(second, Whom::Update(_) | Whom::Create) {
                return Decision { whom: second, gives_way: Some(holder.user.id.clone()) };
            }
        }
        Decision { whom: first, gives_way: None }
    }

    fn first_match(&self, record: &Incoming) -> Whom {
        let (x, l, a) = (&self.by_external_id, &self.by_login, &self.by_address);
        if [x, l, a].into_iter().flatten().any(|found| found.user.role == Role::Admin) {
            return Whom::Refused(Reason::AboutAdmin);
        }
        match &record.external_id {
            Some(_) => match x {
                Some(known) => settled(known, l.as_ref(), a.as_ref()),
                None => unknown(record, l.as_ref(), a.as_ref()),
            },
            None => without_key(record, l.as_ref(), a.as_ref()),
        }
    }
}

/// A record with an external id that a user has.
fn settled(known: &Found, l: Option<&Found>, a: Option<&Found>) -> Whom {
    let id = &known.user.id;
    if known.user.gone_at.is_some() {
        Whom::Refused(Reason::Gone)
    } else if l.is_some_and(|other| other.user.id != *id) {
        Whom::Refused(Reason::LoginTaken)
    } else if a.is_some_and(|other| other.user.id != *id) {
        Whom::Refused(Reason::AddressTaken)
    } else {
        Whom::Update(id.clone())
    }
}

/// A record with an external id that no user has.
fn unknown(record: &Incoming, l: Option<&Found>, a: Option<&Found>) -> Whom {
    let has_key = |found: &&Found| found.user.attributes.get("external_id").is_some();
    if l.as_ref().is_some_and(has_key) || a.as_ref().is_some_and(has_key) {
        return Whom::Refused(Reason::OtherExternalId);
    }
    match (l, a) {
        (Some(l), Some(a)) if l.user.id != a.user.id => Whom::Refused(Reason::NamesTwo),
        (Some(l), _) => {
            let verified = verified_address(&l.user);
            let same_address = record.proved && verified.is_some() && verified == record.address;
            let differs = record.address.is_some() && verified.is_some() && verified != record.address;
            let is_same = same_address || l.bare || (record.same_logins && !differs);
            if is_same && !l.user.disabled {
                Whom::Adopt(l.user.id.clone())
            } else {
                Whom::Refused(Reason::NotProvedSame)
            }
        }
        (None, Some(a)) => {
            if record.proved && (verified_address(&a.user).is_some() || a.bare) {
                Whom::Adopt(a.user.id.clone())
            } else {
                Whom::Refused(Reason::AddressTaken)
            }
        }
        (None, None) if record.needs_login && record.login.is_none() => Whom::Refused(Reason::NoLogin),
        (None, None) => Whom::Create,
    }
}

/// A record without an external id.
fn without_key(record: &Incoming, l: Option<&Found>, a: Option<&Found>) -> Whom {
    match (l, a) {
        (Some(y), a) => {
            let has_key = y.user.attributes.get("external_id").is_some();
            let address = y.user.folded_email();
            let moves = record.address.is_some() && record.address != address;
            if y.user.gone_at.is_some() {
                Whom::Refused(Reason::Gone)
            } else if has_key && moves {
                Whom::Refused(Reason::NeedsExternalId)
            } else if a.is_some_and(|other| other.user.id != y.user.id) {
                Whom::Refused(Reason::AddressTaken)
            } else {
                Whom::Update(y.user.id.clone())
            }
        }
        (None, Some(_)) if record.login.is_some() => Whom::Refused(Reason::NamesAnother),
        (None, Some(z)) => {
            if record.proved && verified_address(&z.user).is_some() {
                Whom::Update(z.user.id.clone())
            } else {
                Whom::Refused(Reason::AddressUnproved)
            }
        }
        (None, None) if record.login.is_some() => Whom::Create,
        (None, None) => Whom::Refused(Reason::NoLogin),
    }
}

/// The user's address, folded, if it is verified.
fn verified_address(user: &User) -> Option<String> {
    user.folded_email().filter(|_| user.attributes.email_verified() == Some(true))
}
