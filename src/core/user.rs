//! Users as Countersign knows them. A user's attributes, built in or custom, are in one map, so that
//! a mapping reads all of them in the same way. Passwords and sessions are elsewhere.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::address::Address;
use super::attribute::{Attributes, Definitions, Value};
use super::desk::{Known, Persons};
use super::id::{DeskId, UserId};
use super::visible::{code, hidden_in};

/// The name a user signs in with: NFC, lowercase, 1 to 200 characters, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Login(String);

/// Why a string is not a [`Login`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// It is empty.
    #[error("A login cannot be empty.")]
    Empty,
    /// It has more than 200 characters.
    #[error("A login can have at most 200 characters.")]
    TooLong,
    /// A line break, a tab, or another control character.
    #[error("A login cannot contain line breaks, tabs or other control characters.")]
    Control,
    /// An invisible character, or one that looks like a space.
    #[error("A login cannot contain {}, which cannot be seen or looks like a space.", code(*.0))]
    Hidden(char),
}

impl Login {
    /// Reads a new login for a user. White space around it, uppercase letters and the Unicode form do not
    /// matter. Hidden characters are refused, so that two different logins never look the same
    /// (`visible::hidden_in`).
    pub fn parse(text: &str) -> Result<Self, LoginError> {
        let login = Self::known(text)?;
        match hidden_in(&login.0) {
            Some(letter) => Err(LoginError::Hidden(letter)),
            None => Ok(login),
        }
    }

    /// Reads a login that a user may already have, as it is typed to find that user. Users who got a login
    /// before hidden characters were refused keep it and can still sign in.
    pub fn known(text: &str) -> Result<Self, LoginError> {
        let login: String = text.trim().nfc().collect::<String>().to_lowercase().nfc().collect();
        if login.is_empty() {
            Err(LoginError::Empty)
        } else if login.chars().count() > 200 {
            Err(LoginError::TooLong)
        } else if login.chars().any(char::is_control) {
            Err(LoginError::Control)
        } else {
            Ok(Self(login))
        }
    }

    /// A login as it was stored: it was checked when it was written, by the rules of that time.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The login as it is stored and shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The site's own user ID (`external_id`): 1 to 200 characters, no control characters, case-sensitive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalId(String);

impl ExternalId {
    /// Reads an ID exactly as the site writes it: one that looks similar may be another user there. The error
    /// says what to do.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        match text.chars().count() {
            _ if text.trim().is_empty() => Err("An external_id cannot be empty."),
            _ if text.trim() != text => {
                Err("An external_id cannot start or end with white space. Send it without.")
            }
            201.. => Err("An external_id can have at most 200 characters."),
            _ if text.chars().any(char::is_control) => {
                Err("An external_id cannot contain line breaks, tabs or other control characters.")
            }
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The ID as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a user may do in Countersign; it says nothing about Deskpro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Signs in and chats.
    User,
    /// Edits the mapping and manages users, keys and messengers.
    Admin,
}

impl Role {
    /// The word in the table and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    /// The role that a word means; an unknown word means the role with the fewest rights.
    pub fn parse(word: &str) -> Self {
        if word == "admin" { Self::Admin } else { Self::User }
    }
}

/// A row of the local user table.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// `UUIDv7`; never shown to Deskpro.
    pub id: UserId,
    /// What the user signs in with; also the attribute `login`.
    pub login: Login,
    /// What the user may do in Countersign.
    pub role: Role,
    /// A disabled user has no session and gets no token.
    pub disabled: bool,
    /// Every attribute that has a value, built-in ones included.
    pub attributes: Attributes,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// When the site reported that the account is gone (unix seconds). The user stays disabled, and no
    /// record changes the user any more.
    pub gone_at: Option<i64>,
    /// Which person the user is at each desk.
    pub persons: Persons,
    /// The helpdesk that the attribute `deskpro_id` belongs to; `None` if there was none when it was written.
    pub deskpro_origin: Option<String>,
}

/// Where a token or a person is sent: a helpdesk, and its desk if it has one.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The helpdesk; `None` for a messenger without one.
    pub origin: Option<&'a str>,
    /// Its desk.
    pub desk: Option<&'a DeskId>,
}

impl User {
    /// A new, enabled user with only a login.
    pub fn new(id: UserId, login: Login, role: Role, now: i64) -> Self {
        let mut attributes = Attributes::default();
        attributes.set("login", Value::Text(login.as_str().to_owned()));
        Self {
            id,
            login,
            role,
            disabled: false,
            attributes,
            created_at: now,
            updated_at: now,
            gone_at: None,
            persons: Persons::default(),
            deskpro_origin: None,
        }
    }

    /// The person that an import or an admin has written for a helpdesk.
    pub fn own_person(&self, origin: &str) -> Option<String> {
        self.text("deskpro_id").filter(|_| self.deskpro_origin.as_deref() == Some(origin))
    }

    /// The attributes as a helpdesk may be told: `deskpro_id` is the person that its desk keeps, otherwise the user's own
    /// one if that belongs to this helpdesk, otherwise none. An id of one helpdesk is never read for another.
    pub fn attributes_at(&self, at: At<'_>) -> Cow<'_, Attributes> {
        let own = || self.text("deskpro_id").filter(|_| self.deskpro_origin.as_deref() == at.origin);
        let person = match at.desk.map_or(Known::Nothing, |desk| self.persons.at(desk)) {
            Known::Person(person) => Some(person.to_owned()),
            Known::Barred => None,
            Known::Nothing => own(),
        };
        if person == self.text("deskpro_id") {
            return Cow::Borrowed(&self.attributes);
        }
        let mut attributes = self.attributes.clone();
        match person {
            Some(person) => attributes.set("deskpro_id", Value::Text(person)),
            None => drop(attributes.remove("deskpro_id")),
        }
        Cow::Owned(attributes)
    }

    /// An attribute as a string, if it has a value.
    pub fn text(&self, attribute: &str) -> Option<String> {
        self.attributes.get(attribute).and_then(Value::as_text)
    }

    /// The address that no other user can have: folded, and `None` while the user is disabled.
    pub fn email_key(&self) -> Option<String> {
        if self.disabled { None } else { self.folded_email() }
    }

    /// The address folded, whether or not the user is disabled.
    pub fn folded_email(&self) -> Option<String> {
        self.text("email").and_then(|email| Address::parse(&email).ok()).map(|email| email.folded())
    }

    /// Whether this user has no `external_id`, and has this name as login.
    pub fn is_only_called(&self, name: &str) -> bool {
        self.text("external_id").is_none() && Login::known(name).is_ok_and(|login| login == self.login)
    }

    /// How to address the user on a page: the display name, the names, or the login.
    pub fn shown_name(&self) -> String {
        let names = || {
            let both: Vec<String> =
                ["first_name", "last_name"].iter().filter_map(|name| self.text(name)).collect();
            (!both.is_empty()).then(|| both.join(" "))
        };
        self.text("display_name").or_else(names).unwrap_or_else(|| self.login.as_str().to_owned())
    }

    /// The keys that find the user: login, external id, address, each word of the names, and the
    /// attributes marked searchable; in lowercase, at most 200 characters each.
    pub fn keys(&self, definitions: &Definitions) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        let mut add = |text: &str| {
            let key: String = search_key(text).chars().take(200).collect();
            if !key.is_empty() {
                keys.insert(key);
            }
        };
        for name in ["login", "external_id", "email"] {
            self.text(name).iter().for_each(|text| add(text));
        }
        for name in ["display_name", "first_name", "last_name"] {
            if let Some(text) = self.text(name) {
                text.split_whitespace().for_each(&mut add);
            }
        }
        for (name, _) in definitions.iter().filter(|(_, definition)| definition.searchable) {
            match self.attributes.get(name) {
                Some(Value::List(items)) => {
                    items.iter().filter_map(Value::as_text).for_each(|text| add(&text));
                }
                Some(value) => value.as_text().iter().for_each(|text| add(text)),
                None => {}
            }
        }
        keys
    }
}

/// A string as it is searched: NFC, lowercase, trimmed.
pub fn search_key(text: &str) -> String {
    text.trim().nfc().collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_ignores_capitals_spaces_and_the_unicode_form() {
        let check = |typed: &str, login: Result<&str, LoginError>| {
            assert_eq!(Login::parse(typed).as_ref().map(Login::as_str), login.as_ref().copied(), "{typed:?}");
        };
        check(" Ana ", Ok("ana"));
        check("A\u{308}nne", Ok("\u{e4}nne"));
        check("\u{c4}NNE", Ok("\u{e4}nne"));
        check("ana@Example.COM", Ok("ana@example.com"));
        check(" \u{a0}", Err(LoginError::Empty));
        check("a\nb", Err(LoginError::Control));
        check("a\0", Err(LoginError::Control));
        check(&"x".repeat(201), Err(LoginError::TooLong));
    }

    #[test]
    fn no_login_looks_like_another_one_with_something_hidden_in_it() {
        // By Unicode property: default-ignorable, formats, blank letters, white space except the space.
        let hidden = [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{180b}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2060}',
            '\u{2065}',
            '\u{2066}',
            '\u{2800}',
            '\u{3164}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff0}',
            '\u{fffa}',
            '\u{16fe4}',
            '\u{1bca0}',
            '\u{1d159}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{e0fff}',
            '\u{a0}',
            '\u{2003}',
            '\u{202f}',
            '\u{3000}',
            '\u{2028}',
        ];
        for letter in hidden {
            let typed = format!("an{letter}a");
            let error = Login::parse(&typed).expect_err(&format!("{letter:?}"));
            // NFC replaces some of them with another character.
            assert!(matches!(error, LoginError::Hidden(_)), "{letter:?} {error:?}");
            assert!(error.to_string().contains("U+"), "{error}");
            // A user who already has such a login is still found and read from the database.
            let known = Login::known(&typed).expect("it can be one");
            assert_eq!(Login::stored(known.as_str().to_owned()), known);
        }
        for login in
            ["ana smith", "می\u{200c}خواهم", "クリスティーナ", "ก้อง", "👍", "o'neill", "ana+1@example.com"]
        {
            assert_eq!(Login::parse(login).as_ref().map(Login::as_str), Ok(login));
        }
    }
}
