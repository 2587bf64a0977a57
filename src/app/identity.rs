//! Which users Deskpro would take for one person, or for somebody else: found by looking at all users with the published mapping,
//! whether or not their helpdesk is connected. As a job for the console, and directly for `check`.

use std::collections::HashMap;
use std::ops::ControlFlow;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::tokens::Issuer;
use super::{App, AppError, clock};
use crate::core::id::{MessengerId, UserId};
use crate::core::job::JobState;
use crate::core::shared_values::SharedValues;
use crate::core::sync::Conflict;
use crate::core::user::User;
use crate::store::jobs::{self, Job, LatestJob};
use crate::store::{lock, users};

/// The kind of the job.
pub(super) const KIND: &str = "conflicts";

/// A step looks at this many users.
const STEP: i64 = 500;
/// How many users are listed.
const LISTED: usize = 200;

/// What is known while all users are looked at. Not stored: a job that another server continues begins again.
#[derive(Default)]
pub(super) struct Scan {
    addresses: SharedValues,
    ids: SharedValues,
    pass: Pass,
    /// How far the job was when this was remembered.
    at: (Option<String>, i64),
}

/// What is done with each user; all users are read once for each.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Pass {
    /// The user's values are noted.
    #[default]
    Note,
    /// Who has a value that several have is noted.
    Name,
    /// The user is judged.
    Judge,
}

/// Scans by job.
pub(super) type Scans = Mutex<HashMap<String, Scan>>;

/// A user who is not certain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uncertain {
    /// The user.
    pub login: String,
    /// The stable word.
    pub code: String,
    /// What is wrong, and how to fix it.
    pub words: String,
}

/// What was found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uncertainties {
    /// The first users.
    pub users: Vec<Uncertain>,
    /// How many users in all.
    pub count: i64,
    /// How many users were looked at.
    pub looked_at: i64,
}

/// How far a look is, or its result. Times in unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityCheck {
    /// How far the job is.
    pub state: JobState,
    /// Steps done.
    pub done: i64,
    /// All steps.
    pub total: i64,
    /// What was found.
    pub found: Uncertainties,
    /// When it began.
    pub created_at: i64,
    /// When it moved last.
    pub updated_at: i64,
}

impl IdentityCheck {
    /// How much is done, in percent.
    pub fn percent(&self) -> i64 {
        (self.done * 100).checked_div(self.total).unwrap_or(0).min(100)
    }
}

impl Scan {
    fn observe(&mut self, issuer: &Issuer<'_>, user: &User, found: &mut Uncertainties) {
        if user.disabled {
            return;
        }
        let described = issuer.describe(user);
        if described.refusal.is_some() {
            return;
        }
        let (login, person) = (user.login.as_str(), described.person);
        let (address, id) = (person.email.as_ref(), person.deskpro_id.as_ref());
        match self.pass {
            Pass::Note => {
                address.into_iter().for_each(|address| self.addresses.add(address));
                id.into_iter().for_each(|id| self.ids.add(id));
            }
            Pass::Name => {
                address.into_iter().for_each(|address| self.addresses.name(address, login));
                id.into_iter().for_each(|id| self.ids.name(id, login));
            }
            Pass::Judge => {
                found.looked_at += 1;
                let others = person.emails.as_deref().unwrap_or_default();
                let same_id = || {
                    let other = id.and_then(|id| self.ids.other(id, login));
                    other.map(|login| Conflict::SameId { login })
                };
                if let Some(conflict) = self.addresses.conflict(login, address, others).or_else(same_id) {
                    found.add(login, &conflict);
                }
            }
        }
    }

    /// The next pass; `None` after the last one.
    fn next(&self) -> Option<Pass> {
        match self.pass {
            Pass::Note if self.addresses.is_any_shared() || self.ids.is_any_shared() => Some(Pass::Name),
            Pass::Note | Pass::Name => Some(Pass::Judge),
            Pass::Judge => None,
        }
    }
}

impl Uncertainties {
    fn add(&mut self, login: &str, conflict: &Conflict) {
        self.count += 1;
        if self.users.len() < LISTED {
            let (code, words) = (conflict.code().to_owned(), conflict.words());
            self.users.push(Uncertain { login: login.to_owned(), code, words });
        }
    }
}

impl App {
    /// Checks all users with a messenger's published mapping. `progress` is called with how many steps are done, of how many.
    pub fn uncertain_users(
        &self,
        messenger: &MessengerId,
        mut progress: impl FnMut(i64, i64),
    ) -> Result<Uncertainties, AppError> {
        let mut job = self.new_identity_job(messenger)?;
        loop {
            let step = self.identity_step(&mut job)?;
            progress(job.done, job.total);
            if step.is_break() {
                return read_report(&job);
            }
        }
    }

    /// The same as a job, unless one is running.
    pub fn begin_identity_check(&self, messenger: &MessengerId) -> Result<(), AppError> {
        let job = self.new_identity_job(messenger)?;
        let (now, subject) = (self.now(), subject(messenger));
        self.store().write(now, |tx| {
            lock(tx, "jobs")?;
            if jobs::latest(tx, KIND, &subject)?.is_some_and(|latest| latest.state.is_under_way()) {
                return Ok(());
            }
            jobs::trim(tx, KIND, &subject, 1)?;
            jobs::insert_about(tx, &job, &subject, now)
        })?;
        Ok(())
    }

    /// The latest check of a messenger, if there was one.
    pub fn identity_check(&self, messenger: &MessengerId) -> Result<Option<IdentityCheck>, AppError> {
        let latest = self.store().read(|db| jobs::latest(db, KIND, &subject(messenger)))?;
        let Some(LatestJob { job, state, created_at, updated_at }) = latest else { return Ok(None) };
        let Ok(found) = read_report(&job) else { return Ok(None) };
        let Job { done, total, .. } = job;
        Ok(Some(IdentityCheck { state, done, total, found, created_at, updated_at }))
    }

    fn new_identity_job(&self, messenger: &MessengerId) -> Result<Job, AppError> {
        let messenger = self.messenger(messenger)?.id;
        let total = self.store().read(|db| users::count(db))?;
        Ok(Job {
            id: clock::new_id(),
            kind: KIND.to_owned(),
            input: messenger.to_string(),
            cursor: None,
            done: 0,
            total: total * 3,
            report: serde_json::to_string(&Uncertainties::default()).map_err(broken)?,
        })
    }

    /// Looks at the next users; `Break` when all passes are done.
    pub(super) fn identity_step(&self, job: &mut Job) -> Result<ControlFlow<()>, AppError> {
        let messenger = MessengerId::from(job.input.as_str());
        let mut found = read_report(job)?;
        // A step that could not be stored is done again, from the beginning: nobody may be counted twice.
        let known = self.0.scans.lock().remove(&job.id);
        let known = known.filter(|scan| scan.at == (job.cursor.clone(), job.done));
        let mut scan = known.unwrap_or_else(|| {
            // It was begun by a server that no longer runs.
            (job.cursor, job.done, found) = (None, 0, Uncertainties::default());
            Scan::default()
        });
        let issuer = self.issuer(&messenger, None)?;
        let last = job.cursor.as_deref().map(UserId::from);
        let page = self.store().read(|db| users::page(db, last.as_ref(), STEP))?;
        for user in &page {
            scan.observe(&issuer, user, &mut found);
        }
        job.done += i64::try_from(page.len()).unwrap_or_default();
        job.cursor = page.last().map(|user| user.id.to_string());
        job.report = serde_json::to_string(&found).map_err(broken)?;
        if page.is_empty() {
            let Some(next) = scan.next() else {
                job.done = job.total;
                return Ok(ControlFlow::Break(()));
            };
            if scan.pass == Pass::Note && next == Pass::Judge {
                job.done += job.total / 3;
            }
            scan.pass = next;
        }
        scan.at = (job.cursor.clone(), job.done);
        let mut scans = self.0.scans.lock();
        // Jobs that were cancelled, or that another server continues.
        scans.clear();
        scans.insert(job.id.clone(), scan);
        Ok(ControlFlow::Continue(()))
    }
}

/// The key of checks: with an end, because jobs are deleted by the beginning of their key.
fn subject(messenger: &MessengerId) -> String {
    format!("{messenger} ")
}

fn read_report(job: &Job) -> Result<Uncertainties, AppError> {
    serde_json::from_str(&job.report).map_err(broken)
}

fn broken(error: impl std::fmt::Display) -> AppError {
    AppError::Refused(format!("The data of the job cannot be read: {error}."))
}
