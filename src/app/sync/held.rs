//! What the server does that has a desk: one thing after the other, and meanwhile it shows that it is alive.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::one::Sender;
use super::run::{PAGE, Runner};
use super::talk::{Halt, Talk};
use crate::app::audit::{Event, record};
use crate::app::desks;
use crate::app::{App, AppError, Caller, clock};
use crate::core::desk::Desk;
use crate::core::id::{DeskId, UserId};
use crate::core::schedule::Schedule;
use crate::core::sync::{Counts, RunKind, RunState};
use crate::store::desks::{self as stored, Stopped, StoredDesk, WantedRun};
use crate::store::runs::{self, Run};
use crate::store::{ChangeKind, changes, mappings, people, users};

/// A server that could not show that it is alive for this long stops.
const STOPS_AFTER: Duration = Duration::from_secs(15);
/// How often it shows that.
const BEATS_EVERY: Duration = Duration::from_secs(5);
/// How often an idle server looks for something to do, at most.
const LOOKS_EVERY: Duration = Duration::from_millis(250);
/// How often it looks at the schedule.
const SCHEDULED_EVERY: Duration = Duration::from_secs(2);
/// Changes of more users than this at once are a run.
const MANY: usize = 2_000;

/// A desk that this server has.
pub(super) struct HeldDesk<'a> {
    app: &'a App,
    id: &'a DeskId,
    worker: &'a str,
    /// When it last showed that it is alive.
    last: Mutex<Duration>,
    /// When it last looked at the schedule.
    scheduled: Mutex<Option<Duration>>,
}

impl<'a> HeldDesk<'a> {
    /// A desk that was just taken.
    pub fn new(app: &'a App, id: &'a DeskId, worker: &'a str) -> Self {
        Self { app, id, worker, last: Mutex::new((app.0.monotonic)()), scheduled: Mutex::default() }
    }

    fn is_time(&self) -> bool {
        (self.app.0.monotonic)().saturating_sub(*self.last.lock()) >= BEATS_EVERY
    }

    /// Shows that this server is alive. Fails if another one has the desk, or if it could not be shown for too long.
    fn beat(&self, seen: i64, spent: &str) -> Result<(), Halt> {
        let now = self.app.now();
        match self.app.store().write(now, |tx| stored::renew(tx, self.id, self.worker, seen, spent)) {
            Ok(true) => {
                *self.last.lock() = (self.app.0.monotonic)();
                Ok(())
            }
            Ok(false) => Err(Halt::Interrupted),
            Err(error) => {
                let since = (self.app.0.monotonic)().saturating_sub(*self.last.lock());
                if since >= STOPS_AFTER { Err(error.into()) } else { Ok(()) }
            }
        }
    }

    /// Works on the desk until another server has it, it is removed, or the program stops.
    pub fn serve(&self) {
        while !self.app.is_stopping() {
            match self.turn() {
                Ok(true) => {}
                Ok(false) => self.app.0.desks.sleep(LOOKS_EVERY),
                Err(Halt::Interrupted) => return,
                Err(why) => {
                    tracing::warn!(
                        "a synchronization could not continue; it will be retried: {}",
                        why.words()
                    );
                    self.app.0.desks.sleep(Duration::from_secs(3));
                    if (self.app.0.monotonic)().saturating_sub(*self.last.lock()) >= STOPS_AFTER {
                        return;
                    }
                }
            }
        }
    }

    /// Does one thing, if there is one; [`Halt::Interrupted`] if the desk is no longer ours.
    fn turn(&self) -> Result<bool, Halt> {
        let Some(stored) = self.app.store().read(|db| stored::by_id(db, self.id))? else {
            return Err(Halt::Interrupted);
        };
        if stored.worker != self.worker {
            return Err(Halt::Interrupted);
        }
        if self.is_time() {
            self.beat(stored.seen, &stored.spent)?;
        }
        let Some(desk) = desks::read(&stored) else { return Ok(false) };
        if stored.paused_at.is_some() || !self.is_in_use(&desk) {
            return Ok(false);
        }
        let Some(work) = self.next(&stored, &desk)? else { return Ok(false) };
        match self.work(&stored, &desk, work) {
            // If it was only interrupted, the next turn sees what is different.
            Ok(()) | Err(Halt::Interrupted) => Ok(true),
            Err(why) => {
                if let Some(code) = why.code() {
                    self.stop(code, &why.words())?;
                    return Ok(true);
                }
                Err(why)
            }
        }
    }

    /// Whether the messenger that describes the people still belongs to the helpdesk: otherwise ids of another one would
    /// be sent.
    fn is_in_use(&self, desk: &Desk) -> bool {
        let messenger = self.app.messenger(&desk.messenger);
        messenger.is_ok_and(|messenger| desks::origin_of(&messenger).as_ref() == Some(&desk.origin))
    }

    /// What is to be done now.
    fn next(&self, stored: &StoredDesk, desk: &Desk) -> Result<Option<Work>, Halt> {
        let running = self.app.store().read(|db| runs::running(db, self.id))?;
        if let Some(wanted) = &stored.wanted
            && running.is_none()
        {
            return Ok(Some(Work::Begin(wanted.clone())));
        }
        // A desk that stopped by itself tries again with the next run.
        if let Some(run) = running.filter(|_| stored.stopped.is_none()) {
            return Ok(Some(Work::Run(Box::new(run))));
        }
        if let Some(wanted) = self.scheduled(stored, desk)? {
            return Ok(Some(Work::Begin(wanted)));
        }
        if stored.stopped.is_some() {
            return Ok(None);
        }
        let due = self.app.store().read(|db| people::due(db, self.id, PAGE))?;
        if !due.is_empty() {
            return Ok(Some(Work::Some(due)));
        }
        self.changed(stored, desk)
    }

    /// The run that the schedule wants now. Looked at now and then.
    fn scheduled(&self, stored: &StoredDesk, desk: &Desk) -> Result<Option<WantedRun>, Halt> {
        if desk.settings.schedule == Schedule::Off || !self.is_schedule_time() {
            return Ok(None);
        }
        let now = self.app.now_for_all()?;
        let (latest, verified) = self.app.store().read(|db| {
            Ok::<_, AppError>((runs::latest(db, self.id, 1)?.pop(), runs::last_done(db, self.id, true)?))
        })?;
        let is_due = match &latest {
            None => true,
            Some(run) => desk.settings.schedule.next_after(run.started_at).is_some_and(|at| at <= now),
        };
        if !is_due {
            return Ok(None);
        }
        let since = verified.map_or(stored.created_at, |run| run.started_at);
        let is_verify =
            latest.is_some() && desk.settings.verify_every.is_some_and(|every| now - since >= every);
        let kind = if is_verify { RunKind::Verify } else { RunKind::Sync };
        Ok(Some(WantedRun { cause: "schedule".into(), kind: kind.as_str().into() }))
    }

    fn is_schedule_time(&self) -> bool {
        let (mut last, now) = (self.scheduled.lock(), (self.app.0.monotonic)());
        let is_time = last.is_none_or(|last| now.saturating_sub(last) >= SCHEDULED_EVERY);
        if is_time {
            *last = Some(now);
        }
        is_time
    }

    /// The users who changed since the last look; a run if that cannot be told one by one.
    fn changed(&self, stored: &StoredDesk, desk: &Desk) -> Result<Option<Work>, Halt> {
        let above = self.app.store().read(|db| changes::above(db, stored.seen))?;
        if above.latest == stored.seen {
            return Ok(None);
        }
        let is_about_mapping = |kind: ChangeKind, subject: &str| {
            kind == ChangeKind::Mapping && *subject == *desk.messenger.as_str()
        };
        let mut all = None;
        if !above.follows(stored.seen)
            && above.latest - stored.seen > i64::try_from(above.changes.len()).unwrap_or(0)
        {
            // Some were not read, or are no longer there.
            all = Some("changes");
        }
        let mut ids = Vec::new();
        for change in &above.changes {
            match change.kind {
                ChangeKind::User => ids.push(UserId::from(change.subject.as_str())),
                ChangeKind::All => all = Some("changes"),
                kind if is_about_mapping(kind, &change.subject) => all = Some("mapping"),
                _ => {}
            }
        }
        ids.sort_unstable();
        ids.dedup();
        if ids.len() > MANY {
            all = Some("changes");
        }
        let seen = if all.is_some() {
            above.latest
        } else {
            stored.seen.max(above.changes.last().map_or(0, |it| it.seq))
        };
        Ok(Some(match all {
            Some(cause) => Work::Ask { cause, seen },
            None => Work::Changed { ids, seen },
        }))
    }

    fn work(&self, stored: &StoredDesk, desk: &Desk, work: Work) -> Result<(), Halt> {
        match work {
            Work::Begin(wanted) => self.begin(desk, &wanted),
            Work::Run(mut run) => self.run(stored, desk, &mut run),
            Work::Some(ids) => self.some(stored, desk, &ids, stored.seen),
            Work::Changed { ids, seen } => {
                self.some(stored, desk, &ids, seen)?;
                self.see(seen)
            }
            Work::Ask { cause, seen } => {
                let wanted = WantedRun { cause: cause.into(), kind: RunKind::Sync.as_str().into() };
                self.app
                    .store()
                    .write(self.app.now(), |tx| stored::set_wanted(tx, self.id, Some(&wanted)))?;
                self.see(seen)
            }
        }
    }

    fn see(&self, seen: i64) -> Result<(), Halt> {
        self.app.store().write(self.app.now(), |tx| stored::set_seen(tx, self.id, self.worker, seen))?;
        Ok(())
    }

    fn begin(&self, desk: &Desk, wanted: &WantedRun) -> Result<(), Halt> {
        let now = self.app.now_for_all()?;
        self.app.store().write(now, |tx| {
            let run = Run {
                id: clock::new_id(),
                kind: RunKind::parse(&wanted.kind),
                cause: wanted.cause.clone(),
                mapping: mappings::published(tx, &desk.messenger)?.map_or(0, |version| version.number),
                total: users::count(tx)?,
                started_at: now,
                moved_at: now,
                ..Run::about_some()
            };
            stored::set_wanted(tx, self.id, None)?;
            stored::set_stopped(tx, self.id, None)?;
            runs::insert(tx, self.id, &run)
        })?;
        Ok(())
    }

    fn run(&self, stored: &StoredDesk, desk: &Desk, run: &mut Run) -> Result<(), Halt> {
        let anyway = run.cause.ends_with("anyway");
        let ended = self.with_runner(stored, desk, stored.seen, |runner| runner.run(run, anyway));
        match ended {
            Ok(()) => self.end(run, RunState::Done, "", ""),
            Err(why) => {
                if let Some(code) = why.code() {
                    self.end(run, RunState::Stopped, code, &why.words())?;
                }
                Err(why)
            }
        }
    }

    fn some(&self, stored: &StoredDesk, desk: &Desk, ids: &[UserId], seen: i64) -> Result<(), Halt> {
        if ids.is_empty() {
            return Ok(());
        }
        self.with_runner(stored, desk, seen, |runner| runner.some(ids)).map(|_: Counts| ())
    }

    fn with_runner<T>(
        &self,
        stored: &StoredDesk,
        desk: &Desk,
        seen: i64,
        work: impl FnOnce(&mut Runner<'_>) -> Result<T, Halt>,
    ) -> Result<T, Halt> {
        let talk = Talk::new(self.app, desk, &stored.spent)?;
        let issuer = self.app.issuer(&desk.messenger, None)?;
        let sender = Sender {
            app: self.app,
            desk,
            issuer: &issuer,
            talk: &talk,
            worker: self.worker,
            replaces_missing: true,
        };
        let is_done = AtomicBool::new(false);
        let answer = std::thread::scope(|scope| {
            let beating = scope.spawn(|| {
                while !is_done.load(Ordering::Acquire) {
                    if let Err(why) = self.tick(stored, &talk, seen) {
                        talk.halt(why);
                    }
                    std::thread::park_timeout(LOOKS_EVERY);
                }
            });
            let answer = work(&mut Runner { sender });
            is_done.store(true, Ordering::Release);
            beating.thread().unpark();
            answer
        });
        self.beat(seen, &serde_json::to_string(&talk.spent()).unwrap_or_default())?;
        answer
    }

    /// While requests are under way: shows that this server is alive, and notices that the desk was changed.
    fn tick(&self, stored: &StoredDesk, talk: &Talk<'_>, seen: i64) -> Result<(), Halt> {
        if self.is_time() {
            self.beat(seen, &serde_json::to_string(&talk.spent()).unwrap_or_default())?;
        }
        match self.app.store().read(|db| stored::by_id(db, self.id)) {
            Ok(Some(now)) if now.updated_at == stored.updated_at && now.paused_at.is_none() => Ok(()),
            Ok(_) => Err(Halt::Interrupted),
            // The beat says whether to go on without the database.
            Err(_) => Ok(()),
        }
    }

    fn end(&self, run: &mut Run, state: RunState, code: &str, words: &str) -> Result<(), Halt> {
        let now = self.app.now();
        (run.state, run.ended_at, run.moved_at) = (state, Some(now), now);
        (run.code, run.words) = (code.to_owned(), words.to_owned());
        let caller = Caller { actor: "system".into(), ..Caller::default() };
        let outcome = if code.is_empty() { "done" } else { code };
        self.app.store().write(now, |tx| {
            runs::update(tx, run)?;
            let event = Event::SyncEnded { outcome: outcome.to_owned(), counts: run.counts };
            record(tx, now, &caller, &event, self.id)
        })?;
        Ok(())
    }

    /// Records that the desk stopped by itself. A run or another key lets it go on.
    fn stop(&self, code: &str, words: &str) -> Result<(), Halt> {
        let now = self.app.now();
        tracing::warn!(code, "a synchronization stopped: {words}");
        let stopped = Stopped { code: code.to_owned(), words: words.to_owned(), at: now };
        self.app.store().write(now, |tx| stored::set_stopped(tx, self.id, Some(&stopped)))?;
        Ok(())
    }
}

/// One thing to do.
enum Work {
    /// Begin a run.
    Begin(WantedRun),
    /// Do what is left of a run.
    Run(Box<Run>),
    /// Users who are due.
    Some(Vec<UserId>),
    /// Users who changed, up to a change.
    Changed { ids: Vec<UserId>, seen: i64 },
    /// Ask for a run, because of changes up to one.
    Ask { cause: &'static str, seen: i64 },
}
