//! What can be done for a desk, one thing after the other.

use crate::core::id::UserId;
use crate::store::desks::WantedRun;
use crate::store::runs::Run;

/// One thing to do.
pub(super) enum Work {
    /// Begin a run.
    Begin(WantedRun),
    /// Do what is left of a run.
    Run(Box<Run>),
    /// Users who are due.
    Some(Vec<UserId>),
    /// Users who changed, up to a change.
    Changed { ids: Vec<UserId>, seen: i64 },
    /// People whom Deskpro named, with since when.
    Look(Vec<(UserId, i64)>),
    /// Ask for a run, because of changes up to one.
    Ask { cause: &'static str, seen: i64 },
}
