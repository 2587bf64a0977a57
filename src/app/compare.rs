//! Runs a draft over all users and compares it with the published mapping: who changes, and who gets a
//! value from each rule. As a job for the console and directly for the command line.

use std::ops::ControlFlow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::mapping::STARTER;
use super::{App, AppError, clock};
use crate::core::id::{MessengerId, UserId};
use crate::core::job::JobState;
use crate::core::mapping::{Coverage, Draft, Effect, Finding, Mapping, Survey, Surveyed};
use crate::core::secret::digest;
use crate::store::jobs::{self, Job, LatestJob};
use crate::store::{ChangeKind, Error, Sql, Tx, changes, lock, mappings, users};

/// The kind of the job.
pub(super) const KIND: &str = "compare";

/// A step checks this many users, or runs for this long.
const STEP: i64 = 500;
const STEP_TIME: Duration = Duration::from_millis(500);

/// What the job is about.
#[derive(Serialize, Deserialize)]
struct Input {
    messenger: MessengerId,
    before: String,
    after: String,
    /// The latest change of users that it can include.
    #[serde(default, rename = "seen")]
    changes: LastChanges,
}

/// The latest changes of users: numbers of `store::changes`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct LastChanges {
    /// The last change of one user.
    user: i64,
    /// The last change of many users, or of attributes.
    all: i64,
}

/// How long single users may change before the result is outdated (seconds). On a busy site, some user
/// always changes.
const COUNTS_FOR: i64 = 600;

/// What the job finds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Who changes.
    pub effect: Effect,
    /// Who gets a value from each of the draft's rules.
    pub coverage: Coverage,
    /// How many people would be sent to the helpdesk whose people the mapping describes, if there is one.
    #[serde(default)]
    pub sends: Option<i64>,
    /// What the draft refers to that no user has.
    #[serde(default)]
    survey: Option<Surveyed>,
}

/// How far a comparison is, or its result.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The job's ID.
    pub id: String,
    /// How far the job is.
    pub state: JobState,
    /// Users so far.
    pub done: i64,
    /// All users, as counted when the job started.
    pub total: i64,
    /// Who changes, so far.
    pub effect: Effect,
    /// Who gets a value from each of the draft's rules, so far.
    pub coverage: Coverage,
    /// How many people would be sent to the helpdesk, so far, if the mapping describes people.
    pub sends: Option<i64>,
    /// Warnings about the draft that need all users to find.
    pub warnings: Vec<Finding>,
    /// Whether the result is still valid: no file of users was imported since, and no single user has
    /// changed, or the result is at most a few minutes old.
    pub is_current: bool,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
}

impl Comparison {
    /// Whether it is still running.
    pub fn is_running(&self) -> bool {
        self.state.is_under_way()
    }

    /// How much is done, in percent.
    pub fn percent(&self) -> i64 {
        (self.done * 100).checked_div(self.total).unwrap_or(0).min(100)
    }

    /// Seconds left, estimated from the rate so far; `None` while there is no estimate.
    pub fn seconds_left(&self) -> Option<i64> {
        let took = self.updated_at - self.created_at;
        (self.done > 0 && took > 0).then(|| (self.total - self.done).max(0) * took / self.done)
    }
}

impl App {
    /// Compares a draft without errors with the published mapping, user by user. `progress` is called
    /// with how many are done, of how many.
    pub fn compare_mapping(
        &self,
        messenger: &MessengerId,
        draft: &str,
        mut progress: impl FnMut(i64, i64),
    ) -> Result<Found, AppError> {
        let mut job = self.new_comparison(messenger, draft)?;
        loop {
            let step = self.compare_step(&mut job)?;
            progress(job.done, job.total);
            if step.is_break() {
                return read_report(&job);
            }
        }
    }

    /// Starts to compare an admin's draft as a job, unless one is running or its result is still valid.
    /// Comparisons of earlier states of the draft end.
    pub fn begin_comparison(&self, messenger: &MessengerId, user_id: &UserId) -> Result<(), AppError> {
        let known = self.comparison(messenger, user_id)?;
        if known.is_some_and(|known| known.state == JobState::Done && known.is_current) {
            return Ok(());
        }
        self.compare_anew(messenger, user_id)
    }

    /// The same, regardless of earlier results.
    pub fn compare_anew(&self, messenger: &MessengerId, user_id: &UserId) -> Result<(), AppError> {
        let draft = self.draft(messenger, user_id)?;
        let job = self.new_comparison(messenger, &draft.text)?;
        let (now, subject) = (self.now(), subject(messenger, user_id, &draft));
        self.store().write(now, |tx| {
            lock(tx, "jobs")?;
            if jobs::latest(tx, KIND, &subject)?.is_some_and(|latest| latest.state.is_under_way()) {
                return Ok(());
            }
            jobs::cancel_all(tx, KIND, &subjects(messenger, user_id), now)?;
            // A draft that returns to an earlier state finds its recent results again.
            jobs::trim(tx, KIND, &subjects(messenger, user_id), 5)?;
            jobs::insert_about(tx, &job, &subject, now)
        })?;
        Ok(())
    }

    /// The comparison of an admin's draft in its current state, if one was started.
    pub fn comparison(
        &self,
        messenger: &MessengerId,
        user_id: &UserId,
    ) -> Result<Option<Comparison>, AppError> {
        let subject = subject(messenger, user_id, &self.draft(messenger, user_id)?);
        let (found, latest) = self
            .store()
            .snapshot(|db| Ok::<_, AppError>((jobs::latest(db, KIND, &subject)?, last_changes(db)?)))?;
        let Some(LatestJob { job, state, created_at, updated_at }) = found else { return Ok(None) };
        // A result that an older version stored in another format is computed again.
        let Ok(found) = read_report(&job) else { return Ok(None) };
        let input: Input = serde_json::from_str(&job.input).map_err(broken)?;
        let warnings = match (Mapping::published(&input.after), found.survey) {
            (Ok(mapping), Some(seen)) if state == JobState::Done => Survey::resume(&mapping, seen).warnings(),
            _ => Vec::new(),
        };
        let is_young = self.now() - created_at <= COUNTS_FOR;
        let is_current = latest.all <= input.changes.all && (is_young || latest.user <= input.changes.user);
        let Found { effect, coverage, sends, .. } = found;
        let Job { id, done, total, .. } = job;
        Ok(Some(Comparison {
            id,
            state,
            done,
            total,
            effect,
            coverage,
            sends,
            warnings,
            is_current,
            created_at,
            updated_at,
        }))
    }

    /// Cancels a comparison before it is done.
    pub fn cancel_comparison(&self, messenger: &MessengerId, user_id: &UserId) -> Result<(), AppError> {
        let now = self.now();
        let subjects = subjects(messenger, user_id);
        Ok(self.store().write(now, |tx| jobs::cancel_all(tx, KIND, &subjects, now))?)
    }

    fn new_comparison(&self, messenger: &MessengerId, draft: &str) -> Result<Job, AppError> {
        let messenger = self.messenger(messenger)?.id;
        let (checked, _) = self.judge_draft(&messenger, draft)?;
        if checked.mapping.is_none() {
            return Err(AppError::Mapping(checked.findings));
        }
        let (published, total, changes) = self.store().snapshot(|db| {
            Ok::<_, AppError>((mappings::published(db, &messenger)?, users::count(db)?, last_changes(db)?))
        })?;
        let before = published.map_or_else(|| STARTER.to_owned(), |version| version.text);
        let input = Input { messenger, before, after: draft.to_owned(), changes };
        Ok(Job {
            id: clock::new_id(),
            kind: KIND.to_owned(),
            input: serde_json::to_string(&input).map_err(broken)?,
            cursor: None,
            done: 0,
            total,
            report: serde_json::to_string(&Found::default()).map_err(broken)?,
        })
    }

    /// Checks the next users; `Break` when all are checked.
    pub(super) fn compare_step(&self, job: &mut Job) -> Result<ControlFlow<()>, AppError> {
        let input: Input = serde_json::from_str(&job.input).map_err(broken)?;
        let mut found = read_report(job)?;
        let read = |text: &str| Mapping::published(text).map_err(AppError::Mapping);
        let mapping = read(&input.after)?;
        let mut survey = match found.survey.take() {
            Some(seen) => Survey::resume(&mapping, seen),
            None => Survey::new(&mapping),
        };
        let before = self.issuer(&input.messenger, Some(read(&input.before)?))?;
        let after = self.issuer(&input.messenger, Some(mapping))?;
        let last = job.cursor.as_deref().map(UserId::from);
        let page = self.store().read(|db| users::page(db, last.as_ref(), STEP))?;
        let watch = clock::Stopwatch::start();
        let mut step = ControlFlow::Break(());
        let first = job.done;
        for user in &page {
            let after = after.outcome(user);
            found.effect.observe(user.login.as_str(), &before.payload(user), &after.result);
            found.coverage.observe(&user.attributes, &after.trace);
            survey.observe(&user.attributes);
            job.cursor = Some(user.id.to_string());
            job.done += 1;
            step = ControlFlow::Continue(());
            // A draft may need much work for each user; a stop or a cancellation has to wait for the step.
            if watch.elapsed() > STEP_TIME {
                break;
            }
        }
        if let Some(desk) = self.described_desk(&input.messenger)? {
            let looked_at = usize::try_from(job.done - first).unwrap_or_default().min(page.len());
            let sends = self.count_sends(&desk, &after, &page[..looked_at])?;
            found.sends = Some(found.sends.unwrap_or_default() + sends);
        }
        found.survey = Some(survey.seen());
        job.report = serde_json::to_string(&found).map_err(broken)?;
        Ok(step)
    }
}

/// The key of a comparison: both mappings as text, so that a draft that returns to an earlier state
/// finds its result again.
fn subject(messenger: &MessengerId, user_id: &UserId, draft: &Draft) -> String {
    format!("{}{} {}", subjects(messenger, user_id), draft.base, digest(&draft.text))
}

/// Cancels and deletes the comparisons of an admin's draft that no longer exists.
pub(super) fn forget(
    tx: &mut Tx<'_>,
    messenger: &MessengerId,
    user_id: &UserId,
    now: i64,
) -> Result<(), Error> {
    let subjects = subjects(messenger, user_id);
    jobs::cancel_all(tx, KIND, &subjects, now)?;
    jobs::trim(tx, KIND, &subjects, 0).map(drop)
}

/// The prefix of the subjects of all of an admin's drafts.
fn subjects(messenger: &MessengerId, user_id: &UserId) -> String {
    format!("{messenger} {user_id} ")
}

fn last_changes(db: &mut dyn Sql) -> Result<LastChanges, AppError> {
    Ok(LastChanges {
        user: changes::latest_of(db, ChangeKind::User)?.max(changes::latest_of(db, ChangeKind::Person)?),
        all: changes::latest_of(db, ChangeKind::All)?.max(changes::latest_of(db, ChangeKind::Import)?),
    })
}

fn read_report(job: &Job) -> Result<Found, AppError> {
    serde_json::from_str(&job.report).map_err(broken)
}

/// Ends the job as failed: a new attempt would read the same data.
fn broken(error: impl std::fmt::Display) -> AppError {
    AppError::Refused(format!("The data of the job cannot be read: {error}."))
}
