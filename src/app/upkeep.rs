//! Regular maintenance, so that tables stay small and times stay correct. Each table that an outsider
//! can make grow is limited here or where it is written; `docs/running.md` lists them all.

use super::handovers::LIFETIME;
use super::{App, AppError};
use crate::core::throttle::DAY;
use crate::store::{
    api_keys, attempts, audit, changes, counts, devices, handovers, jobs, people, runs, sessions,
};

/// A finished job is deleted after this long (seconds).
const JOB_KEPT: i64 = 7 * DAY;
/// A run is deleted after this long (seconds), for the chart.
const RUN_KEPT: i64 = 90 * DAY;
/// Audit log entries that one sweep removes at most: others wait for the writer no longer than that takes.
const MOST_ROWS: i64 = 5_000;
/// A time in the future by less than this is a difference between two machines, not a clock that was set
/// back (seconds).
const TOLERANCE: i64 = 2;
/// How far two clocks may differ before it is reported (seconds).
const APART: i64 = 5;

impl App {
    /// Removes what has ended, and what is older than it is to be stored.
    pub fn sweep(&self) -> Result<(), AppError> {
        let (now, limits, kept) = (self.now(), self.settings().sessions, self.settings().kept);
        self.0.key_rates.sweep();
        self.0.token_rates.sweep();
        self.0.call_rates.sweep();
        self.store().write(now, |tx| {
            attempts::sweep(tx, now - DAY)?;
            handovers::sweep(tx, now - DAY)?;
            sessions::sweep(tx, now, &limits)?;
            devices::sweep(tx, now - limits.device_absolute, now - limits.device_idle)?;
            runs::sweep(tx, now - RUN_KEPT)?;
            jobs::sweep(tx, now - JOB_KEPT)?;
            Ok::<_, AppError>(())
        })?;
        self.store().write(now, |tx| {
            changes::sweep(tx, changes::KEPT)?;
            counts::sweep(tx, now - kept.counts * DAY)
        })?;
        // In short transactions, until nothing old is left.
        while self.store().write(now, |tx| audit::sweep(tx, now - kept.audit * DAY, MOST_ROWS))? > 0 {}
        Ok(())
    }

    /// Sets times in the future to now, because the clock has been set back since: they age from now on.
    /// Reads first, and rarely writes.
    pub fn pull_back_moments(&self) -> Result<(), AppError> {
        let now = self.now();
        let ahead = now + TOLERANCE;
        // Runs and looks are written by the clock that all servers share.
        let shared = self.now_for_all()?;
        let is_any = self.store().read(|db| {
            Ok::<_, AppError>(
                attempts::is_any_after(db, ahead)?
                    || handovers::is_any_after(db, ahead + LIFETIME)?
                    || api_keys::is_any_after(db, ahead)?
                    || sessions::is_any_after(db, ahead)?
                    || devices::is_any_after(db, ahead)?
                    || people::is_any_after(db, ahead)?
                    || runs::is_any_after(db, shared + TOLERANCE)?
                    || jobs::is_any_after(db, ahead)?,
            )
        })?;
        if !is_any {
            return Ok(());
        }
        let moved = self.store().write(now, |tx| {
            Ok::<_, AppError>(
                attempts::pull_back(tx, now)?
                    + handovers::pull_back(tx, now + LIFETIME)?
                    + people::pull_back(tx, now, shared)?
                    + api_keys::pull_back(tx, now)?
                    + sessions::pull_back(tx, now)?
                    + devices::pull_back(tx, now)?
                    + runs::pull_back(tx, shared)?
                    + jobs::pull_back(tx, now)?,
            )
        })?;
        tracing::warn!(moved, "stored times were in the future and were set to now: was the clock set back?");
        Ok(())
    }

    /// Notices that the clock was set since the last call, and immediately does what that requires.
    pub fn notice_clock_steps(&self) -> Result<(), AppError> {
        let (wall, monotonic) = (self.now(), (self.0.monotonic)());
        let before = self.0.clocks.lock().replace((wall, monotonic));
        let Some((wall_before, monotonic_before)) = before else { return Ok(()) };
        let passed = i64::try_from(monotonic.saturating_sub(monotonic_before).as_secs()).unwrap_or(i64::MAX);
        let step = wall - wall_before - passed;
        if step.abs() <= TOLERANCE {
            return Ok(());
        }
        let how = if step < 0 { "back" } else { "forward" };
        tracing::warn!("This machine's clock was set {how} by {} seconds.", step.abs());
        self.pull_back_moments()?;
        self.compare_clocks()
    }

    /// How many seconds this machine's clock is ahead of the database's, if the database has a clock of
    /// its own.
    fn ahead_of_database(&self) -> Result<Option<i64>, AppError> {
        Ok(self.store().clock()?.map(|theirs| self.now() - theirs))
    }

    /// Logs if this machine's clock and the database's differ: with several instances, codes and
    /// sessions would end too early or too late.
    pub fn compare_clocks(&self) -> Result<(), AppError> {
        if let Some(text) = self.clocks_apart()? {
            tracing::warn!("{text}");
        }
        Ok(())
    }

    /// The message about this machine's clock and the database's, if they differ too much.
    pub(super) fn clocks_apart(&self) -> Result<Option<String>, AppError> {
        let ahead = self.ahead_of_database()?.filter(|ahead| ahead.abs() > APART);
        Ok(ahead.map(|ahead| {
            let how = if ahead < 0 { "behind" } else { "ahead of" };
            format!(
                "This machine's clock is {} seconds {how} the database's. Synchronise both with a time server (NTP): these clocks determine when codes and sessions end.",
                ahead.abs()
            )
        }))
    }
}
