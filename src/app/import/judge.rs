//! The first pass over a file: finds every fault and writes nothing.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::columns::{self, Columns};
use super::csv::{Reader, Record};
use super::people::{self, MOST_MOVERS, People};
use super::rows::{At, blank_user, in_order, merged};
use super::{Fault, Options, Progress};
use crate::app::incoming::{candidates, ensure_own_deskpro_id};
use crate::app::users::{assign, nearest};
use crate::app::{App, AppError};
use crate::core::attribute::{Definitions, is_blank, looks_like_a_stored_password, read_yes_no};
use crate::core::incoming::{Candidates, Decision, Reason, Whom};
use crate::store::{Sql, attributes, users};

/// A file without faults.
pub(super) struct Judged {
    /// Its columns.
    pub columns: Columns,
    /// What may be written.
    pub options: Options,
    /// How many rows it has.
    pub rows: usize,
    /// The rows that move logins or addresses between users: written first, together.
    pub movers: Vec<Mover>,
    /// What is worth knowing of it and no fault.
    pub notes: Vec<String>,
}

/// A row that takes a key from another row's user, or gives it up.
pub(super) struct Mover {
    pub row: usize,
    pub line: usize,
    pub fields: Vec<String>,
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
        let whole = |message: &str| vec![Fault::of_file(1, message.to_owned())];
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
        let (mut seen, mut people) = (Seen::default(), People::new());
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
                        let row = At { columns, options, row: rows, line: record.line, fields };
                        let judged = self.store().read(|db| judge_row(db, &row, &mut seen, &mut people));
                        faults.extend(judged.map_err(refused)?);
                    }
                }
            }
            if faults.len() >= MOST_FAULTS {
                let message = format!("The file has {MOST_FAULTS} faults or more; the rest was not read.");
                faults.push(Fault { row: rows, ..Fault::of_file(record.line, message) });
                break;
            }
        }
        people.settle();
        if let Some(columns) = columns.as_ref().filter(|_| people.is_any_open() && faults.len() < MOST_FAULTS)
        {
            let found = self.judge_open_rows(file, columns, options, &mut seen, &mut people);
            faults.extend(found.map_err(refused)?);
            faults.sort_by_key(|fault| fault.row);
        }
        match columns {
            Some(columns) if faults.is_empty() => {
                let movers = movers(file, &people.movers).map_err(|fault| vec![fault])?;
                let notes = notes(&columns, &known, &seen);
                Ok(Judged { columns, options, rows, movers, notes })
            }
            _ => Err(faults),
        }
    }

    /// Judges the rows once more of which it was not known whom they mean before all were read.
    fn judge_open_rows(
        &self,
        file: &[u8],
        columns: &Columns,
        options: Options,
        seen: &mut Seen,
        people: &mut People,
    ) -> Result<Vec<Fault>, AppError> {
        let mut faults = Vec::new();
        for (index, record) in Reader::new(file).skip(1).enumerate() {
            let row = index + 1;
            if !people.is_open(row) {
                continue;
            }
            let Ok(fields) = &record.fields else { continue };
            let at = At { columns, options, row, line: record.line, fields };
            let (record, _) = at.record();
            faults.extend(self.store().read(|db| {
                let found = candidates(db, &record)?;
                let decision = people.decide(row, &record, found.clone());
                at.judge_decision(db, &decision, &found, seen, people)
            })?);
            if faults.len() >= MOST_FAULTS {
                break;
            }
        }
        Ok(faults)
    }
}

/// The rows that move keys between users, whole.
fn movers(file: &[u8], numbers: &BTreeSet<usize>) -> Result<Vec<Mover>, Fault> {
    if numbers.len() > MOST_MOVERS {
        let message = format!(
            "{} rows give a login or an address to another user than the one who has it today. More than \
             {MOST_MOVERS} such rows cannot be written together: split the file.",
            numbers.len()
        );
        return Err(Fault::of_file(1, message));
    }
    let mut movers = Vec::new();
    if !numbers.is_empty() {
        for (index, record) in Reader::new(file).skip(1).enumerate() {
            if numbers.contains(&(index + 1)) {
                let fields = record.fields.unwrap_or_default();
                movers.push(Mover { row: index + 1, line: record.line, fields });
            }
        }
    }
    Ok(movers)
}

fn notes(columns: &Columns, known: &Definitions, seen: &Seen) -> Vec<String> {
    let mut notes = Vec::new();
    for name in &columns.new {
        let meant = nearest(name, known).map(|other| format!(" Did you mean '{other}'?"));
        notes.push(format!("'{name}' is a new attribute.{}", meant.unwrap_or_default()));
    }
    if seen.admins > 0 {
        let rows = if seen.admins == 1 { "1 row is".to_owned() } else { format!("{} rows are", seen.admins) };
        notes.push(format!("{rows} about admins and left out: files do not change admins."));
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
    let fault = |line, message: String| Fault { row, ..Fault::of_file(line, message) };
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
    /// How many rows are about admins.
    admins: usize,
    /// How many cells of `email_verified` say neither yes nor no, and the first of them.
    unclear: (usize, Option<String>),
}

impl At<'_> {
    fn fault(&self, column: Option<&str>, message: String) -> Fault {
        let column = column.map(str::to_owned);
        Fault { row: self.row, line: self.line, column, message, code: None }
    }

    /// What is wrong with whom a row means.
    fn judge_decision(
        &self,
        db: &mut dyn Sql,
        decision: &Decision,
        found: &Candidates,
        seen: &mut Seen,
        people: &mut People,
    ) -> Result<Vec<Fault>, AppError> {
        let mut faults = Vec::new();
        match &decision.whom {
            // Left out when the file is written, and said then.
            Whom::Refused(Reason::AboutAdmin) => seen.admins += 1,
            // The column itself was refused, and that was told.
            Whom::Refused(Reason::NoLogin) if !self.columns.needs_login(self.fields) => {}
            Whom::Refused(reason) => faults.push(self.refused(*reason, found)),
            Whom::Update(id) | Whom::Adopt(id) => {
                // What is not in the file stays, and applies.
                let user = users::by_id(db, id)?;
                let user = user.and_then(|user| merged(&user, self.columns, self.fields).ok());
                if let Some(Err(what)) = user.as_ref().map(|user| user.attributes.check()) {
                    faults.push(self.fault(None, format!("{what}.")));
                }
                if let Some(Err(AppError::Taken(what))) = user.map(|user| ensure_own_deskpro_id(db, &user)) {
                    faults.push(self.fault(Some("deskpro_id"), what));
                }
            }
            Whom::Create => {}
        }
        if let Some(other) = people.note(self.row, &decision.whom) {
            let what = format!("This row means the same user as row {other}. One row per user: remove one.");
            faults.push(self.fault(None, what));
        }
        Ok(faults)
    }

    fn refused(&self, reason: Reason, found: &Candidates) -> Fault {
        let (column, other) = match reason {
            Reason::LoginTaken | Reason::NotProvedSame => (Some("login"), found.by_login.as_ref()),
            Reason::AddressTaken | Reason::NamesAnother | Reason::AddressUnproved => {
                (Some("email"), found.by_address.as_ref())
            }
            Reason::NeedsExternalId => (Some("email"), found.by_login.as_ref()),
            Reason::Gone => (Some("external_id"), found.by_external_id.as_ref()),
            Reason::NoLogin => (Some("login"), None),
            _ => (None, found.by_login.as_ref().or(found.by_address.as_ref())),
        };
        let other = other.map(|found| match found.user.text("external_id") {
            Some(id) => format!(" It is about '{}', external_id '{id}'.", found.user.login),
            None => format!(" It is about '{}'.", found.user.login),
        });
        let message = format!("{}{}", reason.explain(), other.unwrap_or_default());
        Fault { code: Some(reason.code()), ..self.fault(column, message) }
    }
}

fn judge_row(
    db: &mut dyn Sql,
    at: &At<'_>,
    seen: &mut Seen,
    people: &mut People,
) -> Result<Vec<Fault>, AppError> {
    let mut faults = Vec::new();
    let mut user = blank_user();
    for (name, text) in in_order(at.columns, at.fields) {
        if name == "email_verified" && !is_blank(text) && read_yes_no(text.trim()).is_none() {
            seen.unclear.0 += 1;
            seen.unclear.1.get_or_insert_with(|| text.trim().to_owned());
        }
        if looks_like_a_stored_password(text) {
            if seen.secret.insert(name.to_owned()) {
                let what = "This looks like a stored password. Hashes and secrets are no attributes. Remove the column.";
                faults.push(at.fault(Some(name), what.into()));
            }
        } else if let Err(what) = assign(&mut user, name, text, &at.columns.definitions) {
            // A new user's missing login is judged below.
            if name != "login" || !is_blank(text) {
                faults.push(at.fault(Some(name), what));
            }
        }
    }
    if let Err(what) = user.attributes.check() {
        faults.push(at.fault(None, format!("{what}.")));
    }
    let (record, user) = at.record();
    let deskpro_id = user.text("deskpro_id");
    let keys = [
        ("external_id", &record.external_id),
        ("login", &record.login),
        ("email", &record.address),
        ("deskpro_id", &deskpro_id),
    ];
    let mut is_twin = false;
    for (column, key) in keys {
        let Some(key) = key else { continue };
        if let Some((row, line)) = seen.keys.insert((column, key.clone()), (at.row, at.line)) {
            is_twin = true;
            let what = format!("'{key}' is in row {row} (line {line}), too. One row per user: remove one.");
            faults.push(at.fault(Some(column), what));
        }
    }
    // A twin was told; whom it means would be told of the wrong row.
    if is_twin {
        return Ok(faults);
    }
    let found = candidates(db, &record)?;
    let has = |column: &str| at.columns.names.iter().any(|name| name.as_deref() == Some(column));
    let file = people::Columns { has_external_id: has("external_id"), has_address: has("email") };
    if people.first(at.row, &record, &found, file) {
        faults.extend(at.judge_decision(db, &found.decide(&record), &found, seen, people)?);
    }
    Ok(faults)
}
