//! A row of a file: what its cells say about the user it means, and a user with the row's values.

use super::{Action, Row};
use crate::app::clock;
use crate::app::incoming::keep_proof;
use crate::core::assign::assign;
use crate::core::attribute::is_blank;
use crate::core::import::columns::Columns;
use crate::core::incoming::{Incoming, Reason};
use crate::core::user::{Login, Role, User};

/// The options for reading rows.
#[derive(Clone, Copy)]
pub(super) struct Choices<'a> {
    /// A new external ID may mean the user with the row's login.
    pub same_logins: bool,
    /// Addresses are verified unless a row says otherwise.
    pub email_verified: bool,
    /// Prefix for external IDs.
    pub prefix: &'a str,
}

/// A row with the meaning of its cells.
pub(super) struct At<'a> {
    pub columns: &'a Columns,
    pub choices: Choices<'a>,
    pub row: usize,
    pub line: usize,
    pub fields: &'a [String],
}

impl<'a> At<'a> {
    /// The row with a given number, on a given line.
    pub fn new(
        columns: &'a Columns,
        choices: Choices<'a>,
        (row, line): (usize, usize),
        fields: &'a [String],
    ) -> Self {
        At { columns, choices, row, line, fields }
    }

    /// The line of the report that says what happened to the row.
    pub fn done(&self, login: &str, action: Action) -> Row {
        Row {
            row: self.row,
            line: self.line,
            login: login.to_owned(),
            action,
            message: None,
            code: None,
            no_token: None,
        }
    }

    /// The line of the report that says why the row was left out.
    pub fn skipped(&self, login: &str, message: String) -> Row {
        Row { message: Some(message), ..self.done(login, Action::Skipped) }
    }

    /// The same for a row that cannot be assigned to a user.
    pub fn left_out(&self, login: &str, reason: Reason) -> Row {
        Row { code: Some(reason.code()), ..self.skipped(login, reason.explain().to_owned()) }
    }

    /// The cells with their attributes, the address first: writing it clears its verified flag.
    pub fn cells(&self) -> Vec<(&'a str, String)> {
        let named = |(name, text): (&'a Option<String>, &'a String)| Some((name.as_deref()?, text.as_str()));
        let mut cells: Vec<(&str, String)> = self
            .columns
            .names
            .iter()
            .zip(self.fields)
            .filter_map(named)
            .map(|(name, text)| {
                let is_key = name == "external_id" && !is_blank(text);
                (
                    name,
                    if is_key { format!("{}{}", self.choices.prefix, text.trim()) } else { text.to_owned() },
                )
            })
            .collect();
        let says = |wanted: &str| cells.iter().any(|(name, text)| *name == wanted && !is_blank(text));
        if self.choices.email_verified && says("email") && !says("email_verified") {
            cells.retain(|(name, _)| *name != "email_verified");
            cells.push(("email_verified", "yes".to_owned()));
        }
        cells.sort_by_key(|(name, _)| *name != "email");
        cells
    }

    /// What the row says about the user it means, and a user with its cells.
    pub fn record(&self) -> (Incoming, User) {
        let mut user = blank_user();
        for (name, text) in self.cells() {
            // A value that cannot be read was reported before.
            let _ = assign(&mut user, name, &text, &self.columns.definitions);
        }
        let record = Incoming {
            external_id: user.text("external_id"),
            login: user.text("login"),
            address: user.folded_email(),
            proved: user.attributes.email_verified() == Some(true),
            disabled: self.columns.state(self.fields).is_disabled,
            needs_login: true,
            same_logins: self.choices.same_logins,
        };
        (record, user)
    }

    /// A user with the row's values, or what is wrong with one of them.
    pub fn over(&self, found: &User) -> Result<User, String> {
        let mut user = found.clone();
        let cells = self.cells();
        for (name, text) in &cells {
            // A blank key has no effect: the row still means the same user.
            if !matches!(*name, "login" | "external_id") || !is_blank(text) {
                assign(&mut user, name, text, &self.columns.definitions)?;
            }
        }
        let says = |wanted: &str| cells.iter().any(|(name, text)| *name == wanted && !is_blank(text));
        let is_own = says("external_id") && user.text("external_id") == found.text("external_id");
        if !says("email") && !is_own {
            keep_proof(&mut user, found);
        }
        Ok(user)
    }
}

/// An empty user to write cells into; if the row has no login, the user has this one.
pub(super) fn blank_user() -> User {
    let login = Login::parse("-").expect("a dash is a login");
    let mut user = User::new(clock::new_user_id(), login, Role::User, 0);
    user.attributes.remove("login");
    user
}
