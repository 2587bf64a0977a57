//! The first pass over a file: finds every fault and writes nothing.

use std::collections::{HashMap, HashSet};

use super::columns::{self, Columns};
use super::csv::{Reader, Record};
use super::{Fault, Options, Progress};
use crate::app::users::{assign, nearest};
use crate::app::{App, AppError, clock};
use crate::core::address::Address;
use crate::core::attribute::{Definitions, is_blank, looks_like_a_stored_password, read_yes_no};
use crate::core::user::{Login, Role, User};
use crate::store::{Sql, attributes, users};

/// A file without faults.
pub(super) struct Judged {
    /// Its columns.
    pub columns: Columns,
    /// How many rows it has.
    pub rows: usize,
    /// What is worth knowing of it and no fault.
    pub notes: Vec<String>,
}

/// Faults of one file that are named; the rest is counted.
const MOST_FAULTS: usize = 1000;

impl App {
    pub(super) fn judge_import(
        &self,
        file: &[u8],
        options: Options,
        progress: &mut impl FnMut(Progress),
    ) -> Result<Judged, Vec<Fault>> {
        let whole =
            |message: &str| vec![Fault { row: 0, line: 1, column: None, message: message.to_owned() }];
        if file.starts_with(b"\xff\xfe") || file.starts_with(b"\xfe\xff") {
            return Err(whole("The file is UTF-16. Save it as UTF-8 (in Excel: 'CSV UTF-8')."));
        }
        let mut reader = Reader::new(file);
        let Some(header) = reader.next() else {
            return Err(whole("The file is empty. The first line names the columns."));
        };
        let refused = |error: AppError| whole(&format!("The file could not be checked: {error}."));
        let known = self.store().read(|db| attributes::all(db)).map_err(|error| refused(error.into()))?;
        let (columns, mut faults) = columns::read(&header, &known, options);
        let width = header.fields.as_ref().map(Vec::len).ok();
        let mut seen = Seen::default();
        let mut rows = 0;
        while let Some(record) = reader.next() {
            rows += 1;
            if rows % 500 == 0 {
                let (read, all) = reader.progress();
                progress(Progress { step: "checking", done: rows, total: rows * all / read.max(1) });
            }
            match fields(&record, rows, width) {
                Err(fault) => faults.push(fault),
                Ok(fields) => {
                    if let Some(columns) = &columns {
                        let judged = self
                            .store()
                            .read(|db| judge_row(db, fields, columns, rows, record.line, &mut seen));
                        faults.extend(judged.map_err(refused)?);
                    }
                }
            }
            if faults.len() >= MOST_FAULTS {
                let message = format!("The file has {MOST_FAULTS} faults or more; the rest was not read.");
                faults.push(Fault { row: rows, line: record.line, column: None, message });
                break;
            }
        }
        match columns {
            Some(columns) if faults.is_empty() => {
                let notes = notes(&columns, &known, &seen);
                Ok(Judged { columns, rows, notes })
            }
            _ => Err(faults),
        }
    }
}

fn notes(columns: &Columns, known: &Definitions, seen: &Seen) -> Vec<String> {
    let mut notes = Vec::new();
    for name in &columns.new {
        let meant = nearest(name, known).map(|other| format!(" Did you mean '{other}'?"));
        notes.push(format!("'{name}' is a new attribute.{}", meant.unwrap_or_default()));
    }
    if let (count, Some(first)) = &seen.unclear {
        let cells = if *count == 1 { "1 cell says".to_owned() } else { format!("{count} cells say") };
        notes.push(format!(
            "email_verified: {cells} neither yes nor no, such as '{first}', so the address is not verified. \
             Write yes or no (true, false, 1, 0)."
        ));
    }
    notes
}

/// The cells of a record of the right form and number.
fn fields(record: &Record, row: usize, width: Option<usize>) -> Result<&[String], Fault> {
    let fault = |line, message: String| Fault { row, line, column: None, message };
    match &record.fields {
        Err(malformed) => Err(fault(malformed.line, malformed.what.clone())),
        Ok(fields) if width.is_some_and(|width| fields.len() != width) => {
            let what = format!(
                "{} {}, the header names {}. Put texts with commas in quotes.",
                fields.len(),
                if fields.len() == 1 { "column" } else { "columns" },
                width.unwrap_or_default()
            );
            Err(fault(record.line, what))
        }
        Ok(fields) => Ok(fields),
    }
}

/// What rows before have shown.
#[derive(Default)]
struct Seen {
    /// Keys, each with its row and line.
    keys: HashMap<(&'static str, String), (usize, usize)>,
    /// Columns that hold stored passwords: each is named once.
    secret: HashSet<String>,
    /// How many cells of `email_verified` say neither yes nor no, and the first of them.
    unclear: (usize, Option<String>),
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
        if name == "email_verified" && !is_blank(text) && read_yes_no(text.trim()).is_none() {
            seen.unclear.0 += 1;
            seen.unclear.1.get_or_insert_with(|| text.trim().to_owned());
        }
        if looks_like_a_stored_password(text) {
            if seen.secret.insert(name.to_owned()) {
                let what = "This looks like a stored password. Hashes and secrets are no attributes. Remove the column.";
                fault(Some(name), what.into());
            }
        } else if let Err(what) = assign(&mut user, name, text, &columns.definitions) {
            // A new user's missing login is judged below.
            if name != "login" || !is_blank(text) {
                fault(Some(name), what);
            }
        }
    }
    let keys = Keys::of(&user);
    let mut is_twin = false;
    for (column, key) in keys.all() {
        if let Some((row, line)) = seen.keys.insert((column, key.clone()), (row, line)) {
            is_twin = true;
            fault(
                Some(column),
                format!("'{key}' stands in row {row} (line {line}), too. One row per user: remove one."),
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
            fault(
                Some("login"),
                "A new user needs a login. Fill it in, or correct external_id or email.".into(),
            );
        }
        Match::None => {}
        Match::One(found) => {
            if let Some((row, line)) = seen.keys.insert(("", found.id), (row, line)).filter(|_| !is_twin) {
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
