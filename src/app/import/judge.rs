//! The first pass over a file: finds every fault and writes nothing.

use std::collections::HashSet;
use std::io::Write;

use super::columns::{self, Columns};
use super::digests::Digests;
use super::errors::{Errors, NO_LOGIN_COLUMN};
use super::records::{Table, whole};
use super::set_aside::SetAside;
use super::source::Source;
use super::{Action, Fault, Options, Progress, Row, cells};
use crate::app::users::{assign, nearest};
use crate::app::{App, AppError, clock};
use crate::core::address::Address;
use crate::core::attribute::{Definitions, is_blank, looks_like_a_stored_password};
use crate::core::user::{Login, Role, User};
use crate::store::{Sql, attributes, users};

/// A file that can be written.
pub(super) struct Judged<'s> {
    /// The file.
    pub table: Table<'s>,
    /// Its columns.
    pub columns: Columns,
    /// How many rows it has.
    pub rows: usize,
    /// Rows that were set aside, in order.
    pub set_aside: Vec<usize>,
    /// What is wrong with them.
    pub errors: Vec<Fault>,
    /// What is worth knowing of it and no error.
    pub notes: Vec<String>,
}

impl App {
    pub(super) fn judge_import<'s>(
        &self,
        source: Source<'s>,
        options: &Options<'_>,
        set_aside: Option<&mut dyn Write>,
        report: &mut impl FnMut(Row),
        progress: &mut impl FnMut(Progress),
    ) -> Result<Judged<'s>, Vec<Fault>> {
        let table = Table::of(source).map_err(|fault| vec![fault])?;
        let refused = |error: AppError| vec![whole(&format!("The file could not be checked: {error}."))];
        let known = self.store().read(|db| attributes::all(db)).map_err(|error| refused(error.into()))?;
        let (columns, header_faults) = columns::read(table.header(), &known, options);
        let mut errors = Errors::default();
        // A row is set aside only where its columns are right.
        let header = table.header().fields.as_deref().unwrap_or_default();
        let mut aside = SetAside::new(set_aside.filter(|_| header_faults.is_empty()), header);
        errors.extend(header_faults);
        let Some(columns) = columns else { return Err(errors.finish()) };
        let mut records = table.records(&columns, options).map_err(|fault| vec![fault])?;
        let (mut seen, mut set_aside_errors) = (Seen::default(), Errors::default());
        let mut rows = 0;
        while let Some(record) = records.next() {
            rows = record.row;
            if rows % 500 == 0 {
                progress(Progress { step: "checking", done: rows, total: records.expected() });
            }
            let (row, line) = (record.row, record.line);
            let faults = match record.fields(&columns) {
                Err(fault) => vec![fault],
                Ok(fields) => self
                    .store()
                    .read(|db| judge_row(db, fields, &columns, row, line, &mut seen))
                    .map_err(refused)?,
            };
            let is_row = faults.iter().all(|fault| fault.row > 0);
            if faults.is_empty() || !(aside.is_chosen() && is_row) {
                errors.extend(faults);
                continue;
            }
            let reason = aside.put(record, &faults).map_err(|error| {
                vec![whole(&format!(
                    "The rows to be set aside cannot be written: {error}. Nothing was imported."
                ))]
            })?;
            set_aside_errors.extend(faults);
            report(Row { row, line, login: String::new(), action: Action::SetAside, message: Some(reason) });
        }
        if !errors.is_empty() {
            return Err(errors.finish());
        }
        let mut notes: Vec<String> = table.note().into_iter().collect();
        notes.extend(new_attributes(&columns, &known));
        notes.extend(records.notes());
        Ok(Judged { columns, rows, set_aside: aside.rows, errors: set_aside_errors.finish(), notes, table })
    }
}

fn new_attributes(columns: &Columns, known: &Definitions) -> Vec<String> {
    let say = |name: &String| {
        let meant = nearest(name, known).map(|other| format!(" Did you mean '{other}'?"));
        format!("'{name}' is a new attribute.{}", meant.unwrap_or_default())
    };
    columns.new.iter().map(say).collect()
}

/// What rows before have shown.
#[derive(Default)]
struct Seen {
    /// Keys, each with its row and line.
    keys: Digests,
    /// Columns that hold stored passwords: each is named once.
    secret: HashSet<String>,
}

fn judge_row(
    db: &mut dyn Sql,
    fields: &[String],
    columns: &Columns,
    row: usize,
    line: usize,
    seen: &mut Seen,
) -> Result<Vec<Fault>, AppError> {
    let mut faults = Vec::new();
    let mut fault = |column: Option<&str>, message: String| {
        faults.push(Fault { row, line, column: column.map(str::to_owned), message });
    };
    let mut user = blank_user();
    for (name, text) in in_order(columns, fields) {
        if looks_like_a_stored_password(text) {
            if seen.secret.insert(name.to_owned()) {
                let what = "This looks like a stored password. Hashes and secrets are no attributes. Remove the column.";
                fault(Some(name), what.into());
            }
        } else if let Err(what) = assign(&mut user, name, text, &columns.definitions) {
            // A new user's missing login is judged below.
            if name != "login" || !is_blank(text) {
                fault(Some(name), format!("{what}{}", cells::about_key(text.trim())));
            }
        }
    }
    let keys = Keys::of(&user);
    let mut is_twin = false;
    for (column, key) in keys.all() {
        if let Some((row, line)) = seen.keys.insert(column, key, (row, line)) {
            is_twin = true;
            fault(
                Some(column),
                format!(
                    "'{key}' stands in row {row} (line {line}), too. One row per user: remove one.{}",
                    cells::about_key(key)
                ),
            );
        }
    }
    let whom = matching(db, &keys)?;
    // What is not in the file stays, and counts.
    if let Match::One(found) = &whom {
        user = merged(found, columns, fields).unwrap_or(user);
    }
    if let Err(what) = user.attributes.check() {
        fault(None, format!("{what}."));
    }
    match whom {
        Match::Several(logins) => {
            let what = format!(
                "This row names several users: {}. Correct its login, external_id or email.",
                logins.join(", ")
            );
            fault(None, what);
        }
        Match::None if keys.login.is_none() && columns.needs_login(fields) => {
            let what = if columns.has_login() {
                "A new user needs a login. Fill it in, or correct external_id or email."
            } else {
                NO_LOGIN_COLUMN
            };
            fault(Some("login"), what.into());
        }
        Match::None => {}
        Match::One(found) => {
            if let Some((row, line)) = seen.keys.insert("", &found.id, (row, line)).filter(|_| !is_twin) {
                let what = format!(
                    "This row names the user '{}', and so does row {row} (line {line}). One row per user: remove one.",
                    found.login
                );
                fault(None, what);
            }
        }
    }
    Ok(faults)
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

/// What a row is recognised by.
pub(super) struct Keys {
    pub external_id: Option<String>,
    pub login: Option<String>,
    pub email: Option<String>,
}

impl Keys {
    /// The keys that a row's values hold.
    pub fn of(user: &User) -> Self {
        let email = user.text("email").and_then(|email| Address::parse(&email).ok());
        Self {
            external_id: user.text("external_id"),
            login: user.text("login"),
            email: email.map(|email| email.folded()),
        }
    }

    fn all(&self) -> impl Iterator<Item = (&'static str, &String)> {
        [("external_id", &self.external_id), ("login", &self.login), ("email", &self.email)]
            .into_iter()
            .filter_map(|(column, key)| key.as_ref().map(|key| (column, key)))
    }
}

/// Whom a row means.
pub(super) enum Match {
    None,
    One(Box<User>),
    Several(Vec<String>),
}

/// Finds a row's user by external id, login and address. They must not name different users.
pub(super) fn matching(db: &mut dyn Sql, keys: &Keys) -> Result<Match, AppError> {
    let mut found =
        users::by_any_key(db, keys.external_id.as_deref(), keys.login.as_deref(), keys.email.as_deref())?;
    Ok(match found.len() {
        0 => Match::None,
        1 => Match::One(Box::new(found.remove(0))),
        _ => Match::Several(found.iter().map(|user| format!("'{}'", user.login)).collect()),
    })
}
