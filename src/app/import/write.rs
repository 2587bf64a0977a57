//! The second pass over a file that was judged: writes it in short transactions.

use super::columns::Columns;
use super::judge::{Judged, Keys, Match, blank_user, in_order, matching, merged};
use super::records::DataRow;
use super::{Action, Options, Progress, Row, Totals};
use crate::app::attributes::LOCK;
use crate::app::users::assign;
use crate::app::{App, AppError, clock};
use crate::store::{self, ChangeKind, Error, Tx, attributes, users};

/// Rows of one transaction at most; it ends earlier when its time is over.
const MOST_ROWS: usize = 20_000;
/// Others wait for the writer no longer than this (milliseconds).
const LONGEST: u128 = 150;

impl App {
    pub(super) fn write_import(
        &self,
        judged: &Judged<'_>,
        options: &Options<'_>,
        report: &mut impl FnMut(Row),
        progress: &mut impl FnMut(Progress),
    ) -> Result<Totals, AppError> {
        self.make_attributes(&judged.columns)?;
        let mut aside = judged.set_aside.iter().copied().peekable();
        let all = judged.table.records(&judged.columns, options);
        let mut reader = all
            .map_err(|fault| AppError::Refused(fault.message))?
            .filter(move |record| aside.next_if_eq(&record.row).is_none());
        let mut totals = Totals { set_aside: judged.set_aside.len(), ..Totals::default() };
        let mut row = 0;
        let mut waiting = reader.next();
        while waiting.is_some() {
            let (now, mut written) = (self.now(), Vec::new());
            let watch = clock::Stopwatch::start();
            self.store().write(now, |tx| {
                while let Some(record) = waiting.take() {
                    row = record.row;
                    written.push(write_row(tx, &judged.columns, &record, now)?);
                    waiting = reader.next();
                    if written.len() >= MOST_ROWS || watch.milliseconds() > LONGEST {
                        break;
                    }
                }
                tx.changed(ChangeKind::All, "");
                Ok::<_, AppError>(())
            })?;
            for row in written {
                totals.add(row.action);
                report(row);
            }
            progress(Progress { step: "writing", done: row, total: judged.rows });
        }
        Ok(totals)
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

fn write_row(tx: &mut Tx<'_>, columns: &Columns, record: &DataRow, now: i64) -> Result<Row, AppError> {
    let (row, line) = (record.row, record.line);
    // It was readable when it was judged.
    let fields = record
        .fields(columns)
        .map_err(|fault| AppError::Refused(format!("row {row}, line {line}: {}", fault.message)))?;
    let mut wanted = blank_user();
    for (name, text) in in_order(columns, fields) {
        // A row without a login means a user who has one.
        if let Err(what) = assign(&mut wanted, name, text, &columns.definitions)
            && name != "login"
        {
            return Err(AppError::Refused(format!("row {row}, line {line}: {what}")));
        }
    }
    let done = |login: &str, action| Row { row, line, login: login.to_owned(), action, message: None };
    match matching(tx, &Keys::of(&wanted))? {
        Match::None if wanted.text("login").is_none() => {
            let message = "The user of this row is gone by now.".to_owned();
            Ok(Row { message: Some(message), ..done("", Action::Skipped) })
        }
        Match::None => {
            wanted.disabled = columns.is_disabled(fields);
            wanted.created_at = now;
            wanted.updated_at = now;
            match users::insert(tx, &wanted, &columns.definitions) {
                Ok(()) => Ok(done(wanted.login.as_str(), Action::Added)),
                Err(Error::Conflict(_)) => Err(lost(row, line)),
                Err(error) => Err(error.into()),
            }
        }
        Match::One(found) => {
            let mut user = merged(&found, columns, fields).map_err(AppError::Refused)?;
            if let Err(what) = user.attributes.check() {
                let message = format!("Others wrote to this user meanwhile: {what}.");
                return Ok(Row { message: Some(message), ..done(found.login.as_str(), Action::Skipped) });
            }
            if user == *found {
                return Ok(done(user.login.as_str(), Action::Unchanged));
            }
            user.updated_at = now;
            users::update(tx, &user, &columns.definitions)?;
            Ok(done(user.login.as_str(), Action::Changed))
        }
        Match::Several(logins) => {
            let message = format!("This row names several users by now: {}.", logins.join(", "));
            Ok(Row { message: Some(message), ..done(wanted.login.as_str(), Action::Skipped) })
        }
    }
}

fn lost(row: usize, line: usize) -> AppError {
    AppError::Refused(format!(
        "Row {row} (line {line}): somebody else added the same user at this moment. What was written before stays; run the import again."
    ))
}
