//! The second pass over a file that was judged: writes it in short transactions.

use std::collections::HashSet;

use super::columns::Columns;
use super::judge::{Judged, Mover};
use super::records::DataRow;
use super::rows::{At, merged};
use super::{Action, Options, Progress, Row, Totals};
use crate::app::attributes::LOCK;
use crate::app::audit::{Event, record as record_event};
use crate::app::incoming::{candidates, ensure_own_deskpro_id, give_way, settle};
use crate::app::{App, AppError, Caller, clock};
use crate::core::incoming::{Incoming, Reason, Whom};
use crate::core::user::User;
use crate::store::users::{self, Held};
use crate::store::{self, ChangeKind, Error, Tx, attributes};

/// Rows that are read before a transaction, which writes as many of them as its time allows.
const BATCH: usize = 2_000;
/// Others wait for the writer no longer than this (milliseconds).
const LONGEST: u128 = 150;
/// Tries of a transaction in which somebody else took a key at the same moment.
const TRIES: usize = 5;
/// Users whose changes are noted one by one; more are noted as "all".
const MOST_NOTED: usize = 1_000;

impl App {
    pub(super) fn write_import(
        &self,
        judged: &Judged<'_>,
        options: &Options<'_>,
        caller: &Caller,
        report: &mut impl FnMut(Row),
        progress: &mut impl FnMut(Progress),
    ) -> Result<Totals, AppError> {
        self.make_attributes(&judged.columns)?;
        let task = Task { judged, same_logins: options.same_logins, caller };
        let mut totals = Totals { set_aside: judged.set_aside.len(), ..Totals::default() };
        let mut done = 0;
        let mut tell = |written: Vec<Row>| {
            done += written.len();
            for row in written {
                totals.add(row.action);
                report(row);
            }
            progress(Progress { step: "writing", done, total: judged.rows });
        };
        if !judged.movers.is_empty() {
            tell(self.write_movers(&task)?);
        }
        let moved: HashSet<usize> = judged.movers.iter().map(|mover| mover.row).collect();
        let mut aside = judged.set_aside.iter().copied().peekable();
        let all = judged.table.records(&judged.columns, options);
        let mut rows = all
            .map_err(|fault| AppError::Refused(fault.message))?
            .filter(move |record| aside.next_if_eq(&record.row).is_none() && !moved.contains(&record.row));
        loop {
            let batch: Vec<DataRow> = rows.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return Ok(totals);
            }
            let mut rest = batch.as_slice();
            while !rest.is_empty() {
                let written = self.write_some(rest, &task)?;
                rest = &rest[written.len()..];
                tell(written);
            }
        }
    }

    /// Writes rows in one transaction until its time is over.
    fn write_some(&self, rows: &[DataRow], task: &Task<'_>) -> Result<Vec<Row>, AppError> {
        self.trying(|tx, now| {
            let watch = clock::Stopwatch::start();
            let columns = task.columns(tx)?;
            let mut writing = Writing { task, now, changed: Vec::new() };
            let mut written = Vec::new();
            for record in rows {
                // It was readable when it was judged.
                let fields = record.fields(&columns).map_err(|fault| AppError::Refused(fault.message))?;
                let at = At::new(&columns, task.same_logins, (record.row, record.line), fields);
                written.push(writing.write_row(tx, &at)?);
                if watch.milliseconds() > LONGEST {
                    break;
                }
            }
            writing.note_changes(tx);
            Ok(written)
        })
    }

    /// Writes the rows that move keys between users in one transaction: all give up theirs, then all take
    /// the new ones.
    fn write_movers(&self, task: &Task<'_>) -> Result<Vec<Row>, AppError> {
        self.trying(|tx, now| {
            let columns = task.columns(tx)?;
            let movers = &task.judged.movers;
            let mut writing = Writing { task, now, changed: Vec::new() };
            let mut means = Vec::new();
            for by_key in [true, false] {
                for mover in movers {
                    let (record, _) = mover.at(task, &columns).record();
                    if record.external_id.is_some() == by_key {
                        let id = own_user(tx, &record, &means)?;
                        means.push((mover, id));
                    }
                }
            }
            let ids: Vec<&str> = means.iter().filter_map(|(_, id)| id.as_deref()).collect();
            let mut held = users::hold_all(tx, &ids)?;
            for user in &held {
                users::park(tx, user)?;
            }
            means.sort_by_key(|(mover, _)| mover.row);
            let mut written = Vec::new();
            for (mover, id) in &means {
                let at = mover.at(task, &columns);
                let own = held.iter().position(|held| Some(&held.id) == id.as_ref());
                written.push(match own.map(|place| held.swap_remove(place)) {
                    Some(held) => writing.write_over(tx, &at, held, Action::Changed)?,
                    None => writing.write_row(tx, &at)?,
                });
            }
            writing.note_changes(tx);
            match written.iter().find(|row| row.action == Action::Skipped) {
                Some(row) => Err(lost(row.row, row.line)),
                None => Ok(written),
            }
        })
    }

    /// Runs a transaction of a bulk writer, again when somebody else took a key in between.
    fn trying<T>(
        &self,
        mut work: impl FnMut(&mut Tx<'_>, i64) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let now = self.now();
            let done = self.store().write(now, |tx| {
                tx.lock_bulk()?;
                work(tx, now)
            });
            match done {
                Err(AppError::Store(Error::Conflict(_))) if tries < TRIES => {}
                Err(AppError::Store(Error::Conflict(column))) => {
                    return Err(AppError::Refused(format!(
                        "Somebody else wrote the same {} again and again. What was written before stays; run the import again.",
                        column.rsplit('.').next().unwrap_or_default()
                    )));
                }
                done => return done,
            }
        }
    }

    fn make_attributes(&self, columns: &Columns) -> Result<(), AppError> {
        let names = &columns.new;
        if names.is_empty() {
            return Ok(());
        }
        let now = self.now();
        self.store().write(now, |tx| {
            store::lock(tx, LOCK)?;
            let mut known = attributes::all(tx)?;
            for name in names.iter().filter(|name| known.get(name).is_none()).cloned().collect::<Vec<_>>() {
                let definition = columns.definitions.get(&name).copied().unwrap_or_default();
                known
                    .define(&name, definition)
                    .map_err(|fault| AppError::Refused(format!("'{name}': {fault}.")))?;
                attributes::put(tx, &name, &definition, now)?;
            }
            Ok(())
        })
    }
}

/// The user whom a row that moves keys meant before: by external id, or by a login that no row with an
/// external id gives up.
fn own_user(
    tx: &mut Tx<'_>,
    record: &Incoming,
    known: &[(&Mover, Option<String>)],
) -> Result<Option<String>, AppError> {
    let found = candidates(tx, record)?;
    let own = if record.external_id.is_some() { found.by_external_id } else { found.by_login };
    let id = own.map(|found| found.user.id);
    Ok(id.filter(|id| !known.iter().any(|(_, other)| other.as_ref() == Some(id))))
}

impl Mover {
    fn at<'a>(&'a self, task: &Task<'_>, columns: &'a Columns) -> At<'a> {
        At::new(columns, task.same_logins, (self.row, self.line), &self.fields)
    }
}

/// What all transactions of an import share.
struct Task<'a> {
    judged: &'a Judged<'a>,
    same_logins: bool,
    caller: &'a Caller,
}

impl Task<'_> {
    /// The columns of the file, with what is said of attributes while nobody else changes it for all users.
    fn columns(&self, tx: &mut Tx<'_>) -> Result<Columns, AppError> {
        Ok(self.judged.columns.with(attributes::all(tx)?))
    }
}

/// What rows of one transaction share.
struct Writing<'a> {
    task: &'a Task<'a>,
    now: i64,
    /// The ids of the users who were written.
    changed: Vec<String>,
}

impl Writing<'_> {
    fn note_changes(&self, tx: &mut Tx<'_>) {
        if self.changed.len() > MOST_NOTED {
            tx.changed(ChangeKind::All, "");
        } else {
            self.changed.iter().for_each(|id| tx.changed(ChangeKind::User, id));
        }
    }

    fn write_row(&mut self, tx: &mut Tx<'_>, at: &At<'_>) -> Result<Row, AppError> {
        let (record, mut wanted) = at.record();
        let mut settled = settle(tx, &record)?;
        let whom = settled.decision.whom.clone();
        let (id, action) = match &whom {
            Whom::Refused(reason) => return Ok(left_out(at, &record, *reason)),
            Whom::Update(id) => (id.clone(), Action::Changed),
            Whom::Adopt(id) => (id.clone(), Action::Adopted),
            Whom::Create => (clock::new_id(), Action::Added),
        };
        give_way(tx, &mut settled, &id, &at.columns.definitions, self.now, self.task.caller)?;
        if action != Action::Added {
            let held = settled.take(&id)?;
            return self.write_over(tx, at, held, action);
        }
        wanted.id = id;
        wanted.disabled = at.columns.is_disabled(at.fields);
        wanted.created_at = self.now;
        wanted.updated_at = self.now;
        if let Some(row) = unwritable(tx, at, &wanted)? {
            return Ok(row);
        }
        users::insert(tx, &wanted, &at.columns.definitions)?;
        self.changed.push(wanted.id.clone());
        Ok(at.done(wanted.login.as_str(), action))
    }

    /// Writes a row's cells over the user it means.
    fn write_over(
        &mut self,
        tx: &mut Tx<'_>,
        at: &At<'_>,
        mut held: Held<'_>,
        action: Action,
    ) -> Result<Row, AppError> {
        let mut user = match merged(&held, at.columns, at.fields) {
            Ok(user) => user,
            Err(what) => return Ok(at.skipped(held.login.as_str(), what)),
        };
        if let Some(row) = unwritable(tx, at, &user)? {
            return Ok(row);
        }
        // A user who let keys go for this file is written even where nothing else changes.
        if user == *held && self.task.judged.movers.is_empty() {
            return Ok(at.done(user.login.as_str(), Action::Unchanged));
        }
        user.updated_at = self.now;
        users::update(tx, &mut held, &user, &at.columns.definitions)?;
        if action == Action::Adopted {
            let external_id = user.text("external_id").unwrap_or_default();
            record_event(tx, self.now, self.task.caller, &Event::UserAdopted { external_id }, &user.id)?;
        }
        self.changed.push(user.id.clone());
        Ok(at.done(user.login.as_str(), action))
    }
}

/// Why a user cannot be written, though the row was judged good: others wrote meanwhile.
fn unwritable(tx: &mut Tx<'_>, at: &At<'_>, user: &User) -> Result<Option<Row>, AppError> {
    if let Err(what) = user.attributes.check() {
        let message = format!("Others wrote to this user meanwhile: {what}.");
        return Ok(Some(at.skipped(user.login.as_str(), message)));
    }
    match ensure_own_deskpro_id(tx, user) {
        Err(AppError::Taken(message)) => Ok(Some(at.skipped(user.login.as_str(), message))),
        Err(error) => Err(error),
        Ok(()) => Ok(None),
    }
}

fn left_out(at: &At<'_>, record: &Incoming, reason: Reason) -> Row {
    at.skipped(record.login.as_deref().unwrap_or_default(), reason.explain().to_owned())
}

fn lost(row: usize, line: usize) -> AppError {
    AppError::Refused(format!(
        "Row {row} (line {line}): somebody else wrote the same user at this moment. Nothing of the rows that move logins or addresses was written; run the import again."
    ))
}
