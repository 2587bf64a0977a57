//! Importing a file of users. The whole file is checked first: if it has errors, all of them are
//! reported, by row and line, and nothing is imported, unless the caller chose to set aside rows with
//! errors. Then the file is written in short transactions, so that other work continues. If an import is
//! killed, running it again completes it, because every row says what the state is, not what to do.
//!
//! A column sets its attribute, a blank cell removes the value, and attributes that are not columns of
//! the file stay as they are. An import creates no admins, changes none, enables no user and sets no
//! password. `core::incoming` decides which user a row means, based on the state after the whole file.
//!
//! The parts, in the order in which a file passes through them: `source` (bytes), `dialect` (encoding
//! and separator), `csv` (records), `columns` (the header), `cells` and `records` (the content of the
//! rows), `judge` (what is wrong with them, summarised by `errors`; which users they mean, by `people`),
//! `write`. Parts that need no file and no database are in `core::import`. `export` is the reverse.

mod dialect;
mod export;
mod judge;
mod records;
mod report;
mod rows;
mod set_aside;
mod source;
mod write;

use std::collections::BTreeMap;

use report::Report;
use rows::Choices;
pub use source::Source;

pub use crate::core::import::Place;

use super::audit::{Event, record};
use super::progress::Progress;
use super::{App, AppError, Caller};
use crate::core::import::columns::HeaderChoices;
use crate::core::mapping::RefusalCode;
use crate::core::problem::Problem;
use crate::store::ChangeKind;

/// The options of an import.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct Options<'a> {
    /// Import the column `deskpro_id`, which decides which person Deskpro takes a user for.
    pub deskpro_id: bool,
    /// A row with a new external ID means the user with the row's login, unless that user has a
    /// different verified address: the site's logins belong to the same people as ours.
    pub same_logins: bool,
    /// Addresses are verified unless a row says otherwise: the person who sends the file vouches for them.
    pub email_verified: bool,
    /// Prefix for external IDs, so that customer 7 of one website is not customer 7 of another.
    pub prefix: String,
    /// Values that mean "no value", exactly as they are written.
    pub nothing: Vec<String>,
    /// Columns in which a time means "yes".
    pub yes_when_set: Vec<String>,
    /// New attributes may have names that look similar to existing ones.
    pub new_attributes: bool,
    /// Where rows with errors are written, as CSV; the other rows are imported. Without it, one error
    /// prevents the import of the whole file.
    pub set_aside: Option<&'a mut dyn std::io::Write>,
}

impl Options<'_> {
    fn of_header(&self) -> HeaderChoices<'_> {
        HeaderChoices {
            deskpro_id: self.deskpro_id,
            yes_when_set: &self.yes_when_set,
            new_attributes: self.new_attributes,
        }
    }

    fn choices(&self) -> Choices<'_> {
        Choices { same_logins: self.same_logins, email_verified: self.email_verified, prefix: &self.prefix }
    }
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A new user.
    Added,
    /// Other values than before.
    Changed,
    /// Other values than before, and the external ID of the row, which the user did not have.
    Adopted,
    /// Unchanged.
    Unchanged,
    /// Not written: it is about an admin, or another writer wrote the same key in the meantime.
    Skipped,
    /// Not written: it has errors and was set aside.
    SetAside,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// The row; the one below the header is 1.
    pub row: usize,
    /// The line of the file where it starts.
    pub line: usize,
    /// The user.
    pub login: String,
    /// What happened to it.
    pub action: Action,
    /// Why it was skipped or set aside.
    pub message: Option<String>,
    /// The stable word for why it cannot be assigned to a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The stable word for why the user currently gets no token for `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_token: Option<&'static str>,
}

/// How many rows there are of each action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Totals {
    /// New users.
    pub added: usize,
    /// Users with other values than before.
    pub changed: usize,
    /// Users who got their external ID, and perhaps other values.
    #[serde(skip_serializing_if = "is_none")]
    pub adopted: usize,
    /// Users who are unchanged.
    pub unchanged: usize,
    /// Rows that lost against another writer.
    pub skipped: usize,
    /// Rows with errors that were set aside.
    #[serde(skip_serializing_if = "is_none")]
    pub set_aside: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// What an import did, and notes about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many rows there are of each action.
    pub totals: Totals,
    /// Sentences: how many users of the file get no token for `default`, one per reason.
    pub without_token: Vec<String>,
    /// Sentences: attributes that were created, verifications without effect.
    pub notes: Vec<String>,
    /// What is wrong with the rows that were set aside.
    pub set_aside: Vec<Problem<Place>>,
}

/// Users of the file who get no token: by the reason's word, how many, and the login of the first.
#[derive(Default)]
struct Without(BTreeMap<&'static str, (usize, String)>);

impl Without {
    fn note(&mut self, row: &Row) {
        // A user whom an admin or the file has disabled is not expected to get one.
        let Some(code) = row.no_token.filter(|code| *code != RefusalCode::Disabled.as_str()) else { return };
        self.0.entry(code).or_insert_with(|| (0, row.login.clone())).0 += 1;
    }

    /// A sentence for each reason.
    fn sentences(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(code, (count, login))| {
            let (who, first) = match count {
                1 => ("1 user of this file gets".to_owned(), ""),
                count => (format!("{count} users of this file get"), "the first is "),
            };
            let help = if *code == RefusalCode::Unverified.as_str() {
                " If your website has verified the addresses, import again with --email-verified."
            } else {
                ""
            };
            format!(
                "{who} no token: {code} ({first}{login}). `countersign token issue LOGIN` says why.{help}"
            )
        })
    }
}

impl Totals {
    fn add(&mut self, action: Action) {
        match action {
            Action::Added => self.added += 1,
            Action::Changed => self.changed += 1,
            Action::Adopted => self.adopted += 1,
            Action::Unchanged => self.unchanged += 1,
            Action::Skipped => self.skipped += 1,
            Action::SetAside => self.set_aside += 1,
        }
    }
}

impl App {
    /// Imports a CSV file. `report` is called for every row that was written or set aside, `progress`
    /// now and then. `Import` contains all errors of a file that was refused.
    pub fn import_users<'s>(
        &self,
        source: impl Into<Source<'s>>,
        mut options: Options<'_>,
        caller: &Caller,
        mut report: impl FnMut(Row),
        mut progress: impl FnMut(Progress),
    ) -> Result<Imported, AppError> {
        let set_aside = options.set_aside.take();
        let mut judged =
            self.judge_import(source.into(), &options, set_aside, &mut progress).map_err(AppError::Import)?;
        let mut without = Without::default();
        let set_aside = std::mem::take(&mut judged.set_aside);
        let mut report = Report::new(set_aside, |row: Row| {
            without.note(&row);
            report(row);
        });
        let written = self.write_import(&judged, &options, caller, &mut report, &mut progress);
        let totals = report.finish();
        written?;
        let now = self.now();
        self.store().write(now, |tx| {
            let Totals { added, changed, adopted, unchanged, .. } = totals;
            let changed = changed + adopted;
            if added + changed > 0 {
                // Users were noted one by one; results about all users are outdated.
                tx.changed(ChangeKind::Import, "");
            }
            record(tx, now, caller, &Event::UsersImported { added, changed, unchanged }, "")
        })?;
        let without_token = without.sentences().collect();
        Ok(Imported { totals, without_token, notes: judged.notes, set_aside: judged.errors })
    }
}
