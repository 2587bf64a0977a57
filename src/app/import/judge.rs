//! The first pass over a file: finds every problem and writes nothing.

use std::collections::{BTreeSet, HashSet};
use std::io::Write;

use super::records::{DataRow, Table, whole};
use super::rows::{At, blank_user};
use super::set_aside::SetAside;
use super::source::Source;
use super::{Options, Place, Row};
use crate::app::incoming::{candidates, ensure_own_deskpro_id};
use crate::app::progress::Progress;
use crate::app::{App, AppError};
use crate::core::assign::{assign, nearest};
use crate::core::attribute::{Definitions, is_blank, looks_like_a_stored_password};
use crate::core::import::cells;
use crate::core::import::columns::{self, Columns};
use crate::core::import::digests::Digests;
use crate::core::import::errors::{Errors, NO_LOGIN_COLUMN};
use crate::core::import::people::{self, MOST_MOVERS, People};
use crate::core::incoming::{Candidates, Decision, Reason, Whom};
use crate::core::problem::Problem;
use crate::core::user::User;
use crate::store::{Sql, attributes, users};

/// A file that can be written.
pub(super) struct Judged<'s> {
    /// The file.
    pub table: Table<'s>,
    /// Its columns.
    pub columns: Columns,
    /// How many rows it has.
    pub rows: usize,
    /// The lines of the report about the rows that were set aside, in the file's order.
    pub set_aside: Vec<Row>,
    /// What is wrong with them.
    pub errors: Vec<Problem<Place>>,
    /// The rows that move logins or addresses between users: they are written first, together.
    pub movers: Vec<Mover>,
    /// Notes about the file that are not errors.
    pub notes: Vec<String>,
}

/// A row that takes a key from another row's user, or gives it up.
pub(super) struct Mover {
    pub row: usize,
    pub line: usize,
    pub fields: Vec<String>,
}

impl App {
    pub(super) fn judge_import<'s>(
        &self,
        source: Source<'s>,
        options: &Options<'_>,
        set_aside: Option<&mut dyn Write>,
        progress: &mut impl FnMut(Progress),
    ) -> Result<Judged<'s>, Vec<Problem<Place>>> {
        let table = Table::of(source).map_err(|problem| vec![problem])?;
        let refused = |error: AppError| vec![whole(&format!("The file could not be checked: {error}."))];
        let known = self.store().read(|db| attributes::all(db)).map_err(|error| refused(error.into()))?;
        let (columns, header_problems) = columns::read(table.header(), &known, options.of_header());
        let mut errors = Errors::default();
        // A row is set aside only if its columns are right.
        let header = table.header().fields.as_deref().unwrap_or_default();
        let mut aside =
            SetAside::new(set_aside.filter(|_| header_problems.is_empty()), header, table.dialect());
        errors.extend(header_problems);
        let Some(columns) = columns else { return Err(errors.finish()) };
        let mut records = table.records(&columns, options).map_err(|problem| vec![problem])?;
        let (mut earlier, mut people) = (EarlierRows::default(), People::default());
        let mut sorting =
            Sorting { columns: &columns, aside: &mut aside, errors, aside_errors: Errors::default() };
        let mut rows = 0;
        while let Some(record) = records.next() {
            rows = record.row;
            if rows % 500 == 0 {
                progress(Progress { step: "checking", done: rows, total: records.expected() });
            }
            let problems = match record.fields(&columns) {
                Err(problem) => vec![problem],
                Ok(fields) => {
                    let at = At::new(&columns, options.choices(), (record.row, record.line), fields);
                    let judged = self.store().read(|db| judge_row(db, &at, &mut earlier, &mut people));
                    judged.map_err(refused)?
                }
            };
            if sorting.take(record, problems)? {
                records.leave_out();
            }
        }
        people.settle();
        // Again while rows are left out that other rows depended on to give up a key.
        while people.is_any_open() {
            let before = people.count_left_out();
            people.movers.clear();
            for record in table.records(&columns, options).map_err(|problem| vec![problem])? {
                if !people.is_open(record.row) {
                    continue;
                }
                let problems = match record.fields(&columns) {
                    Err(_) => continue,
                    Ok(fields) => {
                        let at = At::new(&columns, options.choices(), (record.row, record.line), fields);
                        let judged = self.store().read(|db| at.judge_open(db, &mut earlier, &mut people));
                        judged.map_err(refused)?
                    }
                };
                sorting.take(record, problems)?;
            }
            if people.count_left_out() == before {
                break;
            }
        }
        let Sorting { errors, aside_errors, .. } = sorting;
        if !errors.is_empty() {
            return Err(errors.finish());
        }
        let movers = movers(&table, &columns, options, &people.movers).map_err(|problem| vec![problem])?;
        let mut notes: Vec<String> = table.note().into_iter().collect();
        notes.extend(new_attributes(&columns, &known));
        notes.extend(records.notes());
        notes.extend(earlier.note());
        aside.rows.sort_unstable_by_key(|row| row.row);
        Ok(Judged {
            columns,
            rows,
            set_aside: aside.rows,
            errors: aside_errors.finish(),
            movers,
            notes,
            table,
        })
    }
}

/// Where the errors of a row go: into the answer, or with the row into the file of rows that are set aside.
struct Sorting<'a, 'f> {
    columns: &'a Columns,
    aside: &'a mut SetAside<'f>,
    errors: Errors,
    aside_errors: Errors,
}

impl Sorting<'_, '_> {
    /// Returns whether the row is set aside.
    fn take(&mut self, record: DataRow, problems: Vec<Problem<Place>>) -> Result<bool, Vec<Problem<Place>>> {
        let is_row = problems.iter().all(|problem| problem.place.row > 0);
        if problems.is_empty() || !(self.aside.is_chosen() && is_row) {
            self.errors.extend(problems);
            return Ok(false);
        }
        let login = record.cell("login", self.columns).unwrap_or_default().to_owned();
        self.aside.put(record, login, &problems).map_err(|error| {
            let what = format!(
                "The rows with errors cannot be written to their file: {error}. Nothing was imported."
            );
            vec![whole(&what)]
        })?;
        self.aside_errors.extend(problems);
        Ok(true)
    }
}

/// The rows that move keys between users, as a whole.
fn movers(
    table: &Table<'_>,
    columns: &Columns,
    options: &Options<'_>,
    numbers: &BTreeSet<usize>,
) -> Result<Vec<Mover>, Problem<Place>> {
    if numbers.len() > MOST_MOVERS {
        let message = format!(
            "{} rows give a login or an address to another user than the one who has it today. More than \
             {MOST_MOVERS} such rows cannot be written together: split the file.",
            numbers.len()
        );
        return Err(Problem::new(Place::of_file(1), message));
    }
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let rows = table.records(columns, options)?.filter(|record| numbers.contains(&record.row));
    rows.map(|record| {
        let fields = record.fields(columns)?.to_vec();
        Ok(Mover { row: record.row, line: record.line, fields })
    })
    .collect()
}

fn new_attributes(columns: &Columns, known: &Definitions) -> Vec<String> {
    let say = |name: &String| {
        let meant = nearest(name, known).map(|other| format!(" Did you mean '{other}'?"));
        format!("'{name}' is a new attribute.{}", meant.unwrap_or_default())
    };
    columns.new.iter().map(say).collect()
}

/// What earlier rows have shown.
#[derive(Default)]
struct EarlierRows {
    /// Keys, each with its row and line.
    keys: Digests<(u32, u32)>,
    /// Columns that contain stored passwords: each is reported once.
    secret: HashSet<String>,
    /// How many rows are about admins.
    admins: usize,
}

impl EarlierRows {
    fn note(&self) -> Option<String> {
        let rows = match self.admins {
            0 => return None,
            1 => "1 row is about an admin and was left out".to_owned(),
            more => format!("{more} rows are about admins and were left out"),
        };
        Some(format!("{rows}: files do not change admins."))
    }
}

impl At<'_> {
    fn problem(&self, column: Option<&str>, message: String) -> Problem<Place> {
        let column = column.map(str::to_owned);
        Problem::new(Place { row: self.row, line: self.line, column }, message)
    }

    /// What is wrong with the user that a row means.
    fn judge_decision(
        &self,
        db: &mut dyn Sql,
        decision: &Decision,
        found: &Candidates,
        earlier: &mut EarlierRows,
        people: &mut People,
    ) -> Result<Vec<Problem<Place>>, AppError> {
        let mut problems = Vec::new();
        match &decision.whom {
            // It is left out when the file is written, and reported then.
            Whom::Refused(Reason::AboutAdmin) => {
                earlier.admins += 1;
                people.leave_out(self.row);
            }
            // The row says the same: nothing is written.
            Whom::Refused(Reason::Gone) if self.columns.state(self.fields).is_gone => {}
            // The column itself was refused, and that was reported.
            Whom::Refused(Reason::NoLogin) if !self.columns.needs_login(self.fields) => {}
            Whom::Refused(Reason::NoLogin) if !self.columns.has_login() => {
                let code = Some(Reason::NoLogin.code());
                problems.push(Problem { code, ..self.problem(Some("login"), NO_LOGIN_COLUMN.to_owned()) });
            }
            Whom::Refused(reason) => problems.push(self.refused(*reason, found)),
            Whom::Update(id) | Whom::Adopt(id) => {
                // Attributes that are not in the file stay, and are used.
                let user = users::by_id(db, id)?;
                let user = user.and_then(|user| self.over(&user).ok());
                if let Some(Err(what)) = user.as_ref().map(|user| user.attributes.check()) {
                    problems.push(self.problem(None, format!("{what}.")));
                }
                if let Some(user) = user {
                    problems.extend(self.other_person(db, &user)?);
                }
            }
            Whom::Create => problems.extend(self.other_person(db, &self.record().1)?),
        }
        if problems.is_empty()
            && let Some(other) = people.note(self.row, &decision.whom)
        {
            let what = format!(
                "This row means the same user as row {other}. Keep one row per user: remove the other."
            );
            problems.push(self.problem(None, what));
        }
        if !problems.is_empty() {
            // A key that this row would have given up stays with its user.
            people.leave_out(self.row);
        }
        Ok(problems)
    }

    /// What is wrong if another user is this person at Deskpro.
    fn other_person(&self, db: &mut dyn Sql, user: &User) -> Result<Option<Problem<Place>>, AppError> {
        match ensure_own_deskpro_id(db, user) {
            Ok(()) => Ok(None),
            Err(AppError::Taken(what)) => {
                Ok(Some(Problem { code: Some("deskpro_id_taken"), ..self.problem(Some("deskpro_id"), what) }))
            }
            Err(error) => Err(error),
        }
    }

    /// Checks a row whose user was not known before all rows were read.
    fn judge_open(
        &self,
        db: &mut dyn Sql,
        earlier: &mut EarlierRows,
        people: &mut People,
    ) -> Result<Vec<Problem<Place>>, AppError> {
        let (record, _) = self.record();
        let found = candidates(db, &record)?;
        let decision = people.decide(self.row, &record, found.clone());
        self.judge_decision(db, &decision, &found, earlier, people)
    }

    fn refused(&self, reason: Reason, found: &Candidates) -> Problem<Place> {
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
            Some(id) => format!(" The existing user is '{}', external_id '{id}'.", found.user.login),
            None => format!(" The existing user is '{}'.", found.user.login),
        });
        let message = format!("{}{}", reason.explain(), other.unwrap_or_default());
        Problem { code: Some(reason.code()), ..self.problem(column, message) }
    }
}

fn judge_row(
    db: &mut dyn Sql,
    at: &At<'_>,
    earlier: &mut EarlierRows,
    people: &mut People,
) -> Result<Vec<Problem<Place>>, AppError> {
    let mut problems = Vec::new();
    let mut user = blank_user();
    for (name, text) in at.cells() {
        let text = text.as_str();
        if looks_like_a_stored_password(text) {
            if earlier.secret.insert(name.to_owned()) {
                let what = "This looks like a stored password. Hashes and secrets must not be attributes. Remove the column.";
                problems.push(at.problem(Some(name), what.into()));
            }
        } else if let Err(what) = assign(&mut user, name, text, &at.columns.definitions) {
            // A missing login of a new user is checked below.
            if name != "login" || !is_blank(text) {
                problems.push(at.problem(Some(name), format!("{what}{}", cells::about_key(text.trim()))));
            }
        }
    }
    if let Err(what) = user.attributes.check() {
        problems.push(at.problem(None, format!("{what}.")));
    }
    let (record, user) = at.record();
    let deskpro_id = user.text("deskpro_id");
    // A disabled user does not reserve an address.
    let address = record.address.clone().filter(|_| !record.disabled);
    let keys = [
        ("external_id", &record.external_id),
        ("login", &record.login),
        ("email", &address),
        ("deskpro_id", &deskpro_id),
    ];
    let mut is_twin = false;
    for (column, key) in keys {
        let Some(key) = key else { continue };
        let own = (narrow(at.row), narrow(at.line));
        let (row, line) = *earlier.keys.get_or_insert(earlier.keys.digest((column, key)), own);
        if (row, line) != own {
            is_twin = true;
            let what = format!(
                "'{key}' is also in row {row} (line {line}). Keep one row per user: remove the other.{}",
                cells::about_key(key)
            );
            problems.push(at.problem(Some(column), what));
        }
    }
    // A row with errors changes no user; and for a duplicate, further errors would name the wrong row.
    if is_twin || !problems.is_empty() {
        return Ok(problems);
    }
    let found = candidates(db, &record)?;
    let has = |column: &str| at.columns.names.iter().any(|name| name.as_deref() == Some(column));
    let file = people::Columns { has_external_id: has("external_id"), has_address: has("email") };
    if people.first(at.row, &record, &found, file) {
        problems.extend(at.judge_decision(db, &found.decide(&record), &found, earlier, people)?);
    }
    Ok(problems)
}

/// A number of a row or line as it is stored.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
