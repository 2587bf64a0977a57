//! How a desk stands, and what people may do about it: start, pause, resume, retry. The state is never good without proof:
//! it is taken from the last run that compared everybody, and from nothing else.

use serde::Serialize;

use super::talk::Spent;
use crate::app::audit::{Event, record};
use crate::app::desks::{gone, read};
use crate::app::{App, AppError, Caller};
use crate::core::desk::Desk;
use crate::core::id::{DeskId, MessengerId, UserId};
use crate::core::sync::{PersonState, RunKind, RunState};
use crate::core::user::User;
use crate::store::desks::{self, StoredDesk, WantedRun};
use crate::store::people::{self, PersonRow};
use crate::store::runs::{self, Run};
use crate::store::{mappings, users};

/// A run that is this late (seconds) is overdue.
const LATE: i64 = 900;
/// A run that is due begins this long (seconds) after the one before at the latest.
const SOON: i64 = 60;
/// A server that did not show for this long (seconds) that it is alive is not there.
const ALIVE: i64 = 60;
/// How many earlier runs are shown.
const SHOWN_RUNS: i64 = 30;

/// How a desk stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// The last run compared everybody, is not older than the schedule allows, and nobody is in trouble.
    Good,
    /// The same, and some users are in trouble.
    Trouble,
    /// A run is going on.
    Running,
    /// Nothing is sent for a while: a limit, maintenance, or Deskpro cannot be reached.
    Waiting,
    /// An admin paused it, or it was never started.
    Paused,
    /// It stopped by itself, is overdue, or never compared everybody.
    Bad,
}

impl Health {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Trouble => "trouble",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Bad => "bad",
        }
    }
}

/// How a desk stands. Times in unix seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct DeskStatus {
    /// The desk as it is stored.
    pub stored: StoredDesk,
    /// The same with its settings read.
    pub desk: Desk,
    /// In one word.
    pub health: Health,
    /// In a sentence.
    pub words: String,
    /// The stable code of what is wrong, if something is.
    pub code: Option<String>,
    /// The latest runs, newest first.
    pub runs: Vec<Run>,
    /// The last run that compared everybody.
    pub last_done: Option<Run>,
    /// When the next run starts by itself.
    pub next_at: Option<i64>,
    /// Whether a run is overdue.
    pub is_overdue: bool,
    /// Whether a server works on it.
    pub is_alive: bool,
    /// How many users are in each state.
    pub states: Vec<(PersonState, i64)>,
    /// How many users are due besides runs.
    pub due: i64,
    /// Until when nothing is sent because of a limit.
    pub until: Option<i64>,
    /// How many requests are left in a minute, an hour and a day.
    pub left: [Option<u32>; 3],
}

impl DeskStatus {
    /// The run that is going on.
    pub fn running(&self) -> Option<&Run> {
        self.runs.iter().find(|run| run.state == RunState::Running)
    }

    /// How many users are in a state.
    pub fn count(&self, state: PersonState) -> i64 {
        self.states.iter().find(|(known, _)| *known == state).map_or(0, |(_, count)| *count)
    }

    /// How many users are in trouble.
    pub fn trouble(&self) -> i64 {
        PersonState::TROUBLE.iter().map(|state| self.count(*state)).sum()
    }
}

/// A user at a desk, for lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The user.
    pub login: String,
    /// What is known.
    pub row: PersonRow,
}

impl App {
    /// How every desk stands.
    pub fn desk_statuses(&self) -> Result<Vec<DeskStatus>, AppError> {
        let desks = self.desks()?;
        let ids: Vec<DeskId> = desks.into_iter().map(|desk| desk.id).collect();
        ids.iter().map(|id| self.desk_status(id)).collect()
    }

    /// How a desk stands.
    pub fn desk_status(&self, id: &DeskId) -> Result<DeskStatus, AppError> {
        let now = self.now_for_all()?;
        let (stored, runs, last_done, scheduled, states, due) = self.store().snapshot(|db| {
            let stored = desks::by_id(db, id)?.ok_or_else(gone)?;
            Ok::<_, AppError>((
                stored,
                runs::latest(db, id, SHOWN_RUNS)?,
                runs::last_done(db, id, false)?,
                runs::last_scheduled(db, id)?,
                people::states(db, id)?,
                people::count_due(db, id)?,
            ))
        })?;
        let desk = read(&stored).ok_or_else(gone)?;
        let spent: Spent = serde_json::from_str(&stored.spent).unwrap_or_default();
        let until = spent.until.filter(|until| *until > self.now());
        let next_at = scheduled.and_then(|run| desk.settings.schedule.next_after(run.started_at));
        let is_overdue = stored.paused_at.is_none()
            && next_at.is_some_and(|at| at + LATE < now)
            && stored.wanted.is_none()
            // The next one may begin in this moment.
            && runs.first().is_none_or(|run| run.ended_at.is_some_and(|at| at + SOON < now));
        let is_alive = stored.beat_at.is_some_and(|at| (now - at).abs() < ALIVE);
        let mut status = DeskStatus {
            health: Health::Bad,
            words: String::new(),
            code: None,
            runs,
            last_done,
            next_at: next_at.filter(|_| stored.paused_at.is_none()),
            is_overdue,
            is_alive,
            states,
            due,
            until,
            left: if spent.left == [None; 3] { desk.settings.budget } else { spent.left },
            stored,
            desk,
        };
        (status.health, status.code, status.words) = self.health_of(&status);
        Ok(status)
    }

    fn health_of(&self, status: &DeskStatus) -> (Health, Option<String>, String) {
        let bad = |code: &str, words: &str| (Health::Bad, Some(code.to_owned()), words.to_owned());
        if let Some(stopped) = &status.stored.stopped {
            return bad(&stopped.code, &stopped.words);
        }
        if !self.is_in_use(&status.desk) {
            return bad(
                "messenger_moved",
                "The messenger whose mapping describes these people is switched off, or has another helpdesk by now. \
                 Nothing is sent. Disconnect this helpdesk, or give the messenger its address again.",
            );
        }
        if status.stored.paused_at.is_some() {
            let words = if status.runs.is_empty() {
                "Nothing was sent yet. Look at a dry run, then start it."
            } else {
                "An admin paused it. Nothing is sent until it is resumed."
            };
            return (Health::Paused, None, words.into());
        }
        if !status.is_alive {
            return bad("no_server", "No server works on it: nothing is sent. At least one server must run.");
        }
        if status.is_overdue {
            return bad(
                "overdue",
                "A run is overdue: no server works on it. At least one server must run; its log says what is wrong.",
            );
        }
        if status.until.is_some() {
            let words = "Deskpro takes no requests at the moment: the limit of the API key is reached, the helpdesk is \
                         in maintenance, or it cannot be reached. It goes on by itself.";
            return (Health::Waiting, Some("limited".into()), words.into());
        }
        if status.running().is_some() || status.stored.wanted.is_some() {
            return (Health::Running, None, "A run is going on.".into());
        }
        let Some(done) = &status.last_done else {
            return bad("never", "No run has compared everybody yet.");
        };
        if status.runs.first().is_some_and(|run| run.state == RunState::Stopped) {
            let words = status.runs.first().map(|run| run.words.clone()).unwrap_or_default();
            return bad("stopped", &words);
        }
        let pending: i64 = PersonState::PENDING.iter().map(|state| status.count(*state)).sum();
        if pending + status.due > 0 || self.is_other_mapping(&status.desk, done) {
            return (Health::Running, None, "Changes are being sent.".into());
        }
        let trouble = status.trouble();
        if trouble > 0 {
            let users = if trouble == 1 { "1 user".to_owned() } else { format!("{trouble} users") };
            let words = format!(
                "The last run compared {} users. Deskpro does not have {users} as the mapping says: see why below.",
                done.counts.compared
            );
            return (Health::Trouble, Some("refused".into()), words);
        }
        (
            Health::Good,
            None,
            format!("The last run compared {} users. All are as the mapping says.", done.counts.compared),
        )
    }

    /// Whether another mapping was published since a run.
    fn is_other_mapping(&self, desk: &Desk, run: &Run) -> bool {
        let published = self.store().read(|db| mappings::published(db, &desk.messenger));
        published.is_ok_and(|version| version.map_or(0, |version| version.number) != run.mapping)
    }

    /// Asks for a run as soon as possible. Several requests are one run.
    pub fn start_run(
        &self,
        id: &DeskId,
        kind: RunKind,
        cause: &str,
        caller: &Caller,
    ) -> Result<(), AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            let desk = desks::hold(tx, id)?.ok_or_else(gone)?;
            if desk.paused_at.is_some() {
                return Err(AppError::Refused(
                    "The synchronization is paused. Resume it first: `countersign sync resume`, or in the console under \
                     Synchronization."
                        .into(),
                ));
            }
            if runs::running(tx, id)?.is_some() && desk.stopped.is_none() {
                return Err(AppError::Taken("A run is already going on.".into()));
            }
            let wanted = WantedRun { cause: cause.to_owned(), kind: kind.as_str().to_owned() };
            desks::set_wanted(tx, id, Some(&wanted))?;
            record(tx, now, caller, &Event::SyncAsked { kind: wanted.kind }, id)?;
            Ok(())
        })?;
        self.0.desks.wake();
        Ok(())
    }

    /// Pauses a desk, or lets it go on.
    pub fn pause_desk(&self, id: &DeskId, pause: bool, caller: &Caller) -> Result<(), AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            let desk = desks::hold(tx, id)?.ok_or_else(gone)?;
            if desk.paused_at.is_some() == pause {
                return Ok(());
            }
            desks::set_paused(tx, id, pause.then_some(now))?;
            let event = if pause { Event::SyncPaused } else { Event::SyncResumed };
            record(tx, now, caller, &event, id)?;
            Ok::<_, AppError>(())
        })?;
        self.0.desks.wake();
        Ok(())
    }

    /// Sends one user again, or all users in trouble, as soon as possible. Returns how many.
    pub fn retry_people(&self, id: &DeskId, user: Option<&User>) -> Result<u64, AppError> {
        let now = self.now();
        let retried = self.store().write(now, |tx| {
            desks::by_id(tx, id)?.ok_or_else(gone)?;
            let Some(user) = user else {
                return Ok(people::retry(tx, id, &PersonState::TROUBLE, now)?);
            };
            people::mark_due(tx, id, std::slice::from_ref(&user.id), now)?;
            people::forget_refusal(tx, id, &user.id)?;
            Ok::<_, AppError>(1)
        })?;
        self.0.desks.wake();
        Ok(retried)
    }

    /// Users in a state at a desk, by id, after one of them.
    pub fn people_in_state(
        &self,
        id: &DeskId,
        state: PersonState,
        after: Option<&UserId>,
        limit: i64,
    ) -> Result<Vec<Listed>, AppError> {
        self.store().read(|db| {
            let rows = people::in_state(db, id, state, after, limit)?;
            let ids: Vec<&UserId> = rows.iter().map(|row| &row.user_id).collect();
            let mut logins = users::logins(db, &ids)?;
            let listed =
                |row: PersonRow| Listed { login: logins.remove(&row.user_id).unwrap_or_default(), row };
            Ok(rows.into_iter().map(listed).collect())
        })
    }

    /// What is known of a user at the desk of a messenger; `None` if it has none, or if nothing is known.
    pub fn person_at(&self, messenger: &MessengerId, user: &UserId) -> Result<Option<PersonRow>, AppError> {
        let Some(desk) = self.shared(messenger)?.desk.as_ref().map(|desk| desk.id.clone()) else {
            return Ok(None);
        };
        self.person_row(&desk, user)
    }

    /// What is known of one user at a desk.
    pub fn person_row(&self, id: &DeskId, user: &UserId) -> Result<Option<PersonRow>, AppError> {
        Ok(self.store().read(|db| people::one(db, id, user))?)
    }
}
