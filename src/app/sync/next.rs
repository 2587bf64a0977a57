//! What a server does next with its desk.

use std::time::Duration;

use super::held::HeldDesk;
use super::run::PAGE;
use super::talk::Halt;
use super::work::Work;
use crate::app::AppError;
use crate::core::desk::Desk;
use crate::core::id::UserId;
use crate::core::schedule::Schedule;
use crate::core::sync::RunKind;
use crate::store::desks::{StoredDesk, WantedRun};
use crate::store::runs::{self};
use crate::store::{ChangeKind, changes, people};

/// How often it looks at the schedule.
const SCHEDULED_EVERY: Duration = Duration::from_secs(2);
/// How long calls of Deskpro are gathered, in seconds.
const GATHERED: i64 = 3;
/// Changes of more users than this at once are a run.
const MANY: usize = 2_000;

impl HeldDesk<'_> {
    /// What is to be done now.
    pub(super) fn next(&self, stored: &StoredDesk, desk: &Desk) -> Result<Option<Work>, Halt> {
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
        let named = if stored.webhook_id.is_some() { self.named()? } else { None };
        if named.is_some() { Ok(named) } else { self.changed(stored, desk) }
    }

    /// The people whom Deskpro named, a few seconds later: one request reads many of them, and a change of ours that
    /// Deskpro tells us about has been stored by then.
    fn named(&self) -> Result<Option<Work>, Halt> {
        let now = self.app.now_for_all()?;
        let looks = self.app.store().read(|db| people::to_look_at(db, self.id, now, PAGE))?;
        let is_full = i64::try_from(looks.len()).is_ok_and(|count| count == PAGE);
        let is_time = is_full || looks.first().is_some_and(|(_, oldest)| *oldest + GATHERED <= now);
        Ok(is_time.then_some(Work::Look(looks)))
    }

    /// The run that the schedule wants now. Looked at now and then.
    fn scheduled(&self, stored: &StoredDesk, desk: &Desk) -> Result<Option<WantedRun>, Halt> {
        if desk.settings.schedule == Schedule::Off || !self.is_schedule_time() {
            return Ok(None);
        }
        let now = self.app.now_for_all()?;
        let (last, verified) = self.app.store().read(|db| {
            Ok::<_, AppError>((runs::last_scheduled(db, self.id)?, runs::last_done(db, self.id, true)?))
        })?;
        let is_due = match &last {
            None => true,
            Some(run) => desk.settings.schedule.next_after(run.started_at).is_some_and(|at| at <= now),
        };
        if !is_due {
            return Ok(None);
        }
        let since = verified.map_or(stored.created_at, |run| run.started_at);
        let is_verify =
            last.is_some() && desk.settings.verify_every.is_some_and(|every| now - since >= every);
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
        if above.latest < stored.seen {
            // An older database.
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
}
