//! What the server does that has a desk: one thing after the other, and meanwhile it shows that it is alive.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::one::Sender;
use super::run::Runner;
use super::talk::{Halt, Talk};
use super::work::Work;
use crate::app::audit::{Event, record};
use crate::app::desks;
use crate::app::{App, Caller, clock};
use crate::core::desk::Desk;
use crate::core::id::{DeskId, UserId};
use crate::core::sync::{Counts, RunKind, RunState};
use crate::store::desks::{self as stored, Stopped, StoredDesk, WantedRun};
use crate::store::runs::{self, Run};
use crate::store::{Error, Tx, mappings, people, users};

/// A server that could not show that it is alive for this long stops.
const STOPS_AFTER: Duration = Duration::from_secs(15);
/// How often it shows that.
const BEATS_EVERY: Duration = Duration::from_secs(5);
/// People who could not be looked at are tried again after this long, in seconds.
const LOOKED_AGAIN: i64 = 300;
/// How often an idle server looks for something to do, at most.
const LOOKS_EVERY: Duration = Duration::from_millis(250);

/// A desk that this server has.
pub(super) struct HeldDesk<'a> {
    pub(super) app: &'a App,
    pub(super) id: &'a DeskId,
    worker: &'a str,
    /// When it last showed that it is alive.
    last: Mutex<Duration>,
    /// When it last looked at the schedule.
    pub(super) scheduled: Mutex<Option<Duration>>,
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
    fn beat(&self, spent: &str) -> Result<(), Halt> {
        let renewed = self.app.now_for_all().and_then(|now| {
            self.app.store().write(now, |tx| stored::renew(tx, self.id, self.worker, now, spent))
        });
        match renewed {
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
            self.beat(&stored.spent)?;
        }
        let Some(desk) = desks::read(&stored) else { return Ok(false) };
        // Another process may have changed it.
        self.app.refresh_messengers()?;
        if stored.paused_at.is_some() || !self.app.is_in_use(&desk) {
            return Ok(false);
        }
        let Some(work) = self.next(&stored, &desk)? else { return Ok(false) };
        match self.work(&stored, &desk, work) {
            // If it was only interrupted, the next turn sees what is different.
            Ok(()) | Err(Halt::Interrupted) => Ok(true),
            Err(why) => {
                // Only the run ended.
                if let Some(code) = why.code().filter(|_| !matches!(why, Halt::Unanswered(_))) {
                    self.stop(code, &why.words())?;
                    return Ok(true);
                }
                Err(why)
            }
        }
    }

    fn work(&self, stored: &StoredDesk, desk: &Desk, work: Work) -> Result<(), Halt> {
        match work {
            Work::Begin(wanted) => self.begin(desk, &wanted),
            Work::Run(mut run) => self.run(stored, desk, &mut run),
            Work::Some(ids) => self.some(stored, desk, &ids),
            Work::Changed { ids, seen } => self.write(|tx, now| {
                // Both or neither: a user who changed is not forgotten.
                let there: Vec<UserId> = users::by_ids(tx, &ids)?.into_iter().map(|user| user.id).collect();
                people::mark_due(tx, self.id, &there, now)?;
                stored::set_seen(tx, self.id, self.worker, seen)
            }),
            Work::Look(looks) => {
                let ids: Vec<UserId> = looks.iter().map(|(id, _)| id.clone()).collect();
                let later = match self.with_runner(stored, desk, |runner| runner.look(&ids)) {
                    // Everything else goes on meanwhile.
                    Err(Halt::Unanswered(_)) => {
                        let again = self.app.now_for_all()? + LOOKED_AGAIN;
                        ids.into_iter().map(|id| (id, again)).collect()
                    }
                    later => later?,
                };
                self.write(|tx, _| people::looked_at(tx, self.id, &looks, &later))
            }
            Work::Ask { cause, seen } => self.write(|tx, _| {
                let wanted = WantedRun { cause: cause.into(), kind: RunKind::Sync.as_str().into() };
                let is_any = stored::by_id(tx, self.id)?.is_some_and(|desk| desk.wanted.is_some());
                if !is_any {
                    stored::set_wanted(tx, self.id, Some(&wanted))?;
                }
                stored::set_seen(tx, self.id, self.worker, seen)
            }),
        }
    }

    /// Writes, if the desk is still ours.
    fn write(&self, mut work: impl FnMut(&mut Tx<'_>, i64) -> Result<(), Error>) -> Result<(), Halt> {
        let now = self.app.now();
        let written = self.app.store().write(now, |tx| {
            if !stored::is_worker(tx, self.id, self.worker)? {
                return Ok(false);
            }
            work(tx, now).map(|()| true)
        });
        if written? { Ok(()) } else { Err(Halt::Interrupted) }
    }

    fn begin(&self, desk: &Desk, wanted: &WantedRun) -> Result<(), Halt> {
        let began = self.app.now_for_all()?;
        self.write(|tx, _| {
            let run = Run {
                id: clock::new_id(),
                kind: RunKind::parse(&wanted.kind),
                cause: wanted.cause.clone(),
                mapping: mappings::published(tx, &desk.messenger)?.map_or(0, |version| version.number),
                total: users::count(tx)?,
                started_at: began,
                moved_at: began,
                state: RunState::Running,
                cursor: None,
                counts: Counts::default(),
                code: String::new(),
                words: String::new(),
                ended_at: None,
            };
            // Perhaps somebody has just asked for another one.
            let asked = stored::by_id(tx, self.id)?.and_then(|desk| desk.wanted);
            if asked.as_ref() == Some(wanted) {
                stored::set_wanted(tx, self.id, None)?;
            }
            stored::set_stopped(tx, self.id, None)?;
            runs::insert(tx, self.id, &run)
        })
    }

    fn run(&self, stored: &StoredDesk, desk: &Desk, run: &mut Run) -> Result<(), Halt> {
        let anyway = run.cause.ends_with("anyway");
        let ended = self.with_runner(stored, desk, |runner| {
            runner.anyway = anyway;
            runner.run(run)
        });
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

    fn some(&self, stored: &StoredDesk, desk: &Desk, ids: &[UserId]) -> Result<(), Halt> {
        self.with_runner(stored, desk, |runner| runner.some(ids)).map(|_: Counts| ())
    }

    fn with_runner<T>(
        &self,
        stored: &StoredDesk,
        desk: &Desk,
        work: impl FnOnce(&mut Runner<'_>) -> Result<T, Halt>,
    ) -> Result<T, Halt> {
        let talk = Talk::new(self.app, desk, &stored.spent)?;
        let issuer = self.app.issuer(&desk.messenger, None)?;
        if issuer.shared().desk.as_ref().map(|desk| &desk.id) != Some(self.id) {
            return Err(Halt::Database("The messenger has another helpdesk by now.".into()));
        }
        let sender = Sender {
            app: self.app,
            desk,
            issuer: &issuer,
            talk: &talk,
            worker: self.worker,
            replaces_missing: true,
            shared: None,
        };
        let is_done = AtomicBool::new(false);
        let answer = std::thread::scope(|scope| {
            let beating = scope.spawn(|| {
                while !is_done.load(Ordering::Acquire) {
                    if let Err(why) = self.tick(stored, &talk) {
                        talk.halt(why);
                    }
                    std::thread::park_timeout(LOOKS_EVERY);
                }
            });
            // Also if the work panics: otherwise the desk would look alive for ever.
            let _end = EndOfWork { is_done: &is_done, beating: beating.thread() };
            work(&mut Runner { sender, anyway: false })
        });
        self.beat(&talk.spent())?;
        answer
    }

    /// While requests are under way: shows that this server is alive, and notices that the desk was changed.
    fn tick(&self, stored: &StoredDesk, talk: &Talk<'_>) -> Result<(), Halt> {
        if self.is_time() {
            self.beat(&talk.spent())?;
        }
        match self.app.store().read(|db| stored::by_id(db, self.id)) {
            Ok(Some(now)) if now.updated_at == stored.updated_at && now.paused_at.is_none() => Ok(()),
            Ok(_) => Err(Halt::Interrupted),
            // The beat says whether to go on without the database.
            Err(_) => Ok(()),
        }
    }

    fn end(&self, run: &mut Run, state: RunState, code: &str, words: &str) -> Result<(), Halt> {
        let now = self.app.now_for_all()?;
        (run.state, run.ended_at, run.moved_at) = (state, Some(now), now);
        (run.code, run.words) = (code.to_owned(), words.to_owned());
        let caller = Caller::system();
        let outcome = if code.is_empty() { "done" } else { code };
        self.write(|tx, now| {
            runs::update(tx, run)?;
            let event = Event::SyncEnded { outcome: outcome.to_owned(), counts: run.counts };
            record(tx, now, &caller, &event, self.id)
        })
    }

    /// Records that the desk stopped by itself. A run or another key lets it go on.
    fn stop(&self, code: &str, words: &str) -> Result<(), Halt> {
        let now = self.app.now();
        // Deskpro's words are shown to admins, and are not for the log.
        tracing::warn!(code, "a synchronization stopped; the console says why");
        let stopped = Stopped { code: code.to_owned(), words: words.to_owned(), at: now };
        self.write(|tx, _| stored::set_stopped(tx, self.id, Some(&stopped)))
    }
}

/// Ends the beat when it is dropped.
struct EndOfWork<'a> {
    is_done: &'a AtomicBool,
    beating: &'a std::thread::Thread,
}

impl Drop for EndOfWork<'_> {
    fn drop(&mut self) {
        self.is_done.store(true, Ordering::Release);
        self.beating.unpark();
    }
}
