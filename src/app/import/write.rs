//! The second pass over a file that has been checked: writes it in short transactions.

use super::judge::{Judged, Mover};
use super::records::DataRow;
use super::report::Report;
use super::rows::{At, Choices};
use super::{Action, Options, Row};
use crate::app::audit::{Event, record as record_event};
use crate::app::incoming::{candidates, ensure_own_deskpro_id, give_way, settle};
use crate::app::progress::Progress;
use crate::app::tokens::Issuer;
use crate::app::{App, AppError, Caller, clock};
use crate::core::id::{MessengerId, UserId};
use crate::core::import::columns::Columns;
use crate::core::incoming::{Decision, Found, Incoming, Reason, Whom};
use crate::core::user::User;
use crate::store::users::{self, Held};
use crate::store::{ChangeKind, Error, Tx, attributes};

/// Rows that are read before a transaction, which writes as many of them as its time allows.
const BATCH: usize = 2_000;
/// The maximum time that others wait for the writer (milliseconds).
const LONGEST: u128 = 150;
/// Tries of a transaction if another writer took a key at the same moment.
const TRIES: usize = 5;
/// Users whose changes are noted one by one; more than this are noted as "all".
const MOST_NOTED: usize = 1_000;

impl App {
    pub(super) fn write_import(
        &self,
        judged: &Judged<'_>,
        options: &Options<'_>,
        caller: &Caller,
        report: &mut Report<impl FnMut(Row)>,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), AppError> {
        self.make_attributes(&judged.columns)?;
        // A messenger that cannot be read is reported elsewhere; it does not prevent the import.
        let issuer = self.issuer(&MessengerId::default(), None).ok();
        let task = Task { judged, choices: options.choices(), caller, issuer };
        let mut tell = |done| progress(Progress { step: "writing", done, total: judged.rows });
        if !judged.movers.is_empty() {
            self.write_movers(&task)?.into_iter().for_each(|row| report.early(row));
            tell(report.done);
        }
        let mut rows = judged
            .table
            .records(&judged.columns, options)
            .map_err(|problem| AppError::Refused(problem.what))?;
        loop {
            let to_write = rows.by_ref().filter(|record| !report.knows(record.row));
            let batch: Vec<DataRow> = to_write.take(BATCH).collect();
            if batch.is_empty() {
                return Ok(());
            }
            let mut rest = batch.as_slice();
            while !rest.is_empty() {
                let written = self.write_some(rest, &task)?;
                rest = &rest[written.len()..];
                written.into_iter().for_each(|row| report.next(row));
                tell(report.done);
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
                // It was readable when it was checked.
                let fields = record.fields(&columns).map_err(|problem| AppError::Refused(problem.what))?;
                let at = At::new(&columns, task.choices, (record.row, record.line), fields);
                written.push(writing.write_row(tx, &at)?);
                if watch.milliseconds() > LONGEST {
                    break;
                }
            }
            writing.note_changes(tx);
            Ok(written)
        })
    }

    /// Writes the rows that move keys between users in one transaction: all users give up their keys,
    /// then all take the new ones.
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
            let ids: Vec<&UserId> = means.iter().filter_map(|(_, id)| id.as_ref()).collect();
            let mut held = users::hold_all(tx, &ids)?;
            for (mover, id) in &means {
                let (record, _) = mover.at(task, &columns).record();
                let known = held.iter().find(|held| Some(&held.id) == id.as_ref());
                let is_same = |user: &Held<'_>| match &record.external_id {
                    Some(id) => user.text("external_id").as_ref() == Some(id),
                    None => record.login.as_deref() == Some(user.login.as_str()),
                };
                if known.is_some_and(|user| !is_same(user)) || (id.is_some() && known.is_none()) {
                    // Another writer gave the key to another user in between.
                    return Err(Error::Conflict("users.login".into()).into());
                }
            }
            for user in &held {
                users::park(tx, user)?;
            }
            means.sort_by_key(|(mover, _)| mover.row);
            let mut written = Vec::new();
            for (mover, id) in &means {
                let at = mover.at(task, &columns);
                let own = held.iter().position(|held| Some(&held.id) == id.as_ref());
                written.push(match own.map(|place| held.swap_remove(place)) {
                    Some(held) => writing.write_parked(tx, &at, held)?,
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

    /// Runs a transaction of a bulk writer, and runs it again if another writer took a key in between.
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
                        "Other writers kept changing the same {} at the same time. Rows that were already written stay. Run the import again.",
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
            attributes::lock(tx)?;
            let mut known = attributes::all(tx)?;
            for name in names.iter().filter(|name| known.get(name).is_none()).cloned().collect::<Vec<_>>() {
                let definition = columns.definitions.get(&name).copied().unwrap_or_default();
                known
                    .define(&name, definition)
                    .map_err(|problem| AppError::Refused(format!("'{name}': {problem}.")))?;
                attributes::put(tx, &name, &definition, now)?;
                // A mapping may read it already.
                tx.changed(ChangeKind::All, "");
            }
            Ok(())
        })
    }
}

/// The user whom a row that moves keys meant before: by external ID, or by a login that no row with an
/// external ID gives up.
fn own_user(
    tx: &mut Tx<'_>,
    record: &Incoming,
    known: &[(&Mover, Option<UserId>)],
) -> Result<Option<UserId>, AppError> {
    let found = candidates(tx, record)?;
    let own = if record.external_id.is_some() { found.by_external_id } else { found.by_login };
    let id = own.map(|found| found.user.id);
    Ok(id.filter(|id| !known.iter().any(|(_, other)| other.as_ref() == Some(id))))
}

impl Mover {
    fn at<'a>(&'a self, task: &Task<'a>, columns: &'a Columns) -> At<'a> {
        At::new(columns, task.choices, (self.row, self.line), &self.fields)
    }
}

/// The data that all transactions of an import share.
struct Task<'a> {
    judged: &'a Judged<'a>,
    choices: Choices<'a>,
    caller: &'a Caller,
    /// Determines who would get no token.
    issuer: Option<Issuer<'a>>,
}

impl Task<'_> {
    /// The columns of the file, with the attributes' definitions while no other writer changes them for
    /// all users.
    fn columns(&self, tx: &mut Tx<'_>) -> Result<Columns, AppError> {
        Ok(self.judged.columns.with(attributes::all(tx)?))
    }
}

/// The data that rows of one transaction share.
struct Writing<'a> {
    task: &'a Task<'a>,
    now: i64,
    /// The IDs of the users who were written.
    changed: Vec<UserId>,
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
        let decision = settled.decision.clone();
        let (id, action) = match &decision.whom {
            Whom::Refused(Reason::Gone) if at.columns.state(at.fields).is_gone => {
                return Ok(at.done(record.login.as_deref().unwrap_or_default(), Action::Unchanged));
            }
            Whom::Refused(reason) => {
                return Ok(at.left_out(record.login.as_deref().unwrap_or_default(), *reason));
            }
            Whom::Update(id) => (id.clone(), Action::Changed),
            Whom::Adopt(id) => (id.clone(), Action::Adopted),
            Whom::Create => (clock::new_user_id(), Action::Added),
        };
        if action != Action::Added {
            let held = settled.take(&id)?;
            return self.write_over(tx, at, held, &decision, action);
        }
        wanted.id = id;
        wanted.disabled = record.disabled;
        wanted.gone_at = at.columns.state(at.fields).is_gone.then_some(self.now);
        wanted.created_at = self.now;
        wanted.updated_at = self.now;
        if let Some(row) = unwritable(tx, at, &wanted)? {
            return Ok(row);
        }
        self.give_way(tx, at, &decision, &wanted.id)?;
        users::insert(tx, &wanted, &at.columns.definitions)?;
        self.changed.push(wanted.id.clone());
        Ok(self.done(at, &wanted, action))
    }

    /// Writes a row over its own user, who has given up login and address for this file. The user that
    /// the row means is decided again, now that all users who move have given up theirs.
    fn write_parked(&mut self, tx: &mut Tx<'_>, at: &At<'_>, held: Held<'_>) -> Result<Row, AppError> {
        let (record, _) = at.record();
        let mut found = candidates(tx, &record)?;
        let own = Some(Found { user: held.clone(), bare: false });
        if record.external_id.is_some() {
            found.by_external_id = own;
        } else {
            found.by_login = own;
        }
        let decision = found.decide(&record);
        match &decision.whom {
            Whom::Update(id) if *id == held.id => self.write_over(tx, at, held, &decision, Action::Changed),
            Whom::Refused(reason) => Ok(at.left_out(held.login.as_str(), *reason)),
            _ => Err(lost(at.row, at.line)),
        }
    }

    /// Writes a row's cells into the user it means.
    fn write_over(
        &mut self,
        tx: &mut Tx<'_>,
        at: &At<'_>,
        mut held: Held<'_>,
        decision: &Decision,
        action: Action,
    ) -> Result<Row, AppError> {
        let mut user = match at.over(&held) {
            Ok(user) => user,
            Err(what) => return Ok(at.skipped(held.login.as_str(), what)),
        };
        if let Some(row) = unwritable(tx, at, &user)? {
            return Ok(row);
        }
        self.give_way(tx, at, decision, &user.id)?;
        // A user who gave up keys for this file is written even if nothing else changes.
        let is_parked = self.task.judged.movers.iter().any(|mover| mover.row == at.row);
        if user == *held && !is_parked {
            return Ok(self.done(at, &user, Action::Unchanged));
        }
        user.updated_at = self.now;
        users::update(tx, &mut held, &user, &at.columns.definitions)?;
        if action == Action::Adopted {
            let external_id = user.text("external_id").unwrap_or_default();
            record_event(tx, self.now, self.task.caller, &Event::UserAdopted { external_id }, &user.id)?;
        }
        self.changed.push(user.id.clone());
        Ok(self.done(at, &user, action))
    }

    /// What happened to a row, and whether its user gets a token.
    fn done(&self, at: &At<'_>, user: &User, action: Action) -> Row {
        let refused = self.task.issuer.as_ref().and_then(|issuer| issuer.payload(user).err());
        Row { no_token: refused.map(|refusal| refusal.code.as_str()), ..at.done(user.login.as_str(), action) }
    }

    fn give_way(
        &self,
        tx: &mut Tx<'_>,
        at: &At<'_>,
        decision: &Decision,
        to: &UserId,
    ) -> Result<(), AppError> {
        give_way(tx, decision, to, &at.columns.definitions, self.now, self.task.caller)
    }
}

/// Why a user cannot be written although the row had no errors: other writers wrote in the meantime.
fn unwritable(tx: &mut Tx<'_>, at: &At<'_>, user: &User) -> Result<Option<Row>, AppError> {
    if let Err(what) = user.attributes.check() {
        let message = format!("This user was changed during the import: {what}.");
        return Ok(Some(at.skipped(user.login.as_str(), message)));
    }
    match ensure_own_deskpro_id(tx, user) {
        Err(AppError::Taken(message)) => Ok(Some(at.skipped(user.login.as_str(), message))),
        Err(error) => Err(error),
        Ok(()) => Ok(None),
    }
}

fn lost(row: usize, line: usize) -> AppError {
    AppError::Refused(format!(
        "Row {row} (line {line}): another writer changed the same user at the same time. None of the rows that move logins or addresses was written. Run the import again."
    ))
}
