//! How a desk stands, for programs: the same from the command line and the API.

use serde_json::{Map, Value, json};

use super::status::{DeskStatus, Listed};
use crate::store::runs::Run;

impl DeskStatus {
    /// As one JSON object. Times in unix seconds.
    pub fn as_json(&self) -> Value {
        let states: Map<String, Value> =
            self.states.iter().map(|(state, count)| (state.as_str().to_owned(), (*count).into())).collect();
        json!({
            "id": self.desk.id,
            "helpdesk": self.desk.origin.as_str(),
            "messenger": self.desk.messenger,
            "health": self.health,
            "code": self.code,
            "message": self.words,
            "paused": self.stored.paused_at.is_some(),
            "overdue": self.is_overdue,
            "next_at": self.next_at,
            "limited_until": self.until,
            "requests_left": { "minute": self.left[0], "hour": self.left[1], "day": self.left[2] },
            "users": states,
            "due": self.due,
            "last_run": self.runs.first().map(run_json),
            "last_complete_run": self.last_done.as_ref().map(run_json),
        })
    }
}

impl Listed {
    /// As one JSON object.
    pub fn as_json(&self) -> Value {
        let row = &self.row;
        json!({
            "login": self.login, "state": row.state.as_str(), "code": row.code, "message": row.words,
            "deskpro_id": row.deskpro_id, "tried_at": row.tried_at,
        })
    }
}

/// A run as a JSON object.
pub fn run_json(run: &Run) -> Value {
    json!({
        "id": run.id,
        "kind": run.kind.as_str(),
        "cause": run.cause,
        "state": run.state.as_str(),
        "mapping": run.mapping,
        "total": run.total,
        "counts": run.counts,
        "code": run.code,
        "message": run.words,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
    })
}
