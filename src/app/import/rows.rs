//! A row of a file: what its cells say of who it is about, and a user with them written over.

use super::columns::Columns;
use super::{Action, Row};
use crate::app::clock;
use crate::app::users::assign;
use crate::core::attribute::is_blank;
use crate::core::incoming::Incoming;
use crate::core::user::{Login, Role, User};

/// A row with what its cells mean.
pub(super) struct At<'a> {
    pub columns: &'a Columns,
    pub same_logins: bool,
    pub row: usize,
    pub line: usize,
    pub fields: &'a [String],
}

impl<'a> At<'a> {
    /// The row with a number, on a line.
    pub fn new(
        columns: &'a Columns,
        same_logins: bool,
        (row, line): (usize, usize),
        fields: &'a [String],
    ) -> Self {
        At { columns, same_logins, row, line, fields }
    }

    /// The line of the report that says what became of the row.
    pub fn done(&self, login: &str, action: Action) -> Row {
        Row { row: self.row, line: self.line, login: login.to_owned(), action, message: None }
    }

    /// The line of the report that says why the row was left out.
    pub fn skipped(&self, login: &str, message: String) -> Row {
        Row { message: Some(message), ..self.done(login, Action::Skipped) }
    }

    /// What the row says of who it is about, and a user with its cells.
    pub fn record(&self) -> (Incoming, User) {
        let mut user = blank_user();
        for (name, text) in in_order(self.columns, self.fields) {
            // What cannot be read was told before.
            let _ = assign(&mut user, name, text, &self.columns.definitions);
        }
        let record = Incoming {
            external_id: user.text("external_id"),
            login: user.text("login"),
            // A disabled user keeps no address from others.
            address: user.folded_email().filter(|_| !self.columns.is_disabled(self.fields)),
            proved: user.attributes.email_verified() == Some(true),
            needs_login: true,
            same_logins: self.same_logins,
        };
        (record, user)
    }
}

/// A user with a row's cells written over it, or what is wrong with one of them.
pub(super) fn merged(found: &User, columns: &Columns, fields: &[String]) -> Result<User, String> {
    let mut user = found.clone();
    for (name, text) in in_order(columns, fields) {
        if name != "login" || !is_blank(text) {
            assign(&mut user, name, text, &columns.definitions)?;
        }
    }
    Ok(user)
}

/// The cells with their attributes, the address first: writing it takes its proof away.
pub(super) fn in_order<'a>(
    columns: &'a Columns,
    fields: &'a [String],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let named = |(name, text): (&'a Option<String>, &'a String)| Some((name.as_deref()?, text.as_str()));
    let cells = || columns.names.iter().zip(fields).filter_map(named);
    let is_email = |(name, _): &(&str, &str)| *name == "email";
    cells().filter(is_email).chain(cells().filter(move |cell| !is_email(cell)))
}

/// A user to write cells into; without a login it has this one.
pub(super) fn blank_user() -> User {
    let login = Login::parse("-").expect("a dash is a login");
    let mut user = User::new(clock::new_id(), login, Role::User, 0);
    user.attributes.remove("login");
    user
}
