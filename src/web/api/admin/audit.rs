//! `/api/v1/admin/audit`: the events of the audit log, newest first, page by page.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::{Admin, answer};
use crate::app::history::Filter;
use crate::web::http::error::Failure;
use crate::web::http::run::Asker as _;

/// The maximum number of events in a response.
const MOST: i64 = 500;

/// The events to show.
#[derive(Deserialize)]
pub struct Query {
    /// The word of an event.
    #[serde(default)]
    event: String,
    /// The login of the user who did it or whom it is about.
    #[serde(default)]
    user: String,
    /// The id of the last event that the caller has.
    #[serde(default)]
    before: String,
    limit: Option<i64>,
}

/// `GET /api/v1/admin/audit`
pub async fn show(admin: Admin, query: web::Query<Query>) -> Result<HttpResponse, Failure> {
    let Query { event, user, before, limit } = query.into_inner();
    let limit = limit.unwrap_or(50).clamp(1, MOST);
    let rows = admin.run(move |app, _| app.events(&Filter::typed(event, &user, before), limit)).await?;
    let rows = rows.ok_or_else(|| Failure::NoSuch("No single user matches. Enter the full login.".into()))?;
    Ok(answer(json!({ "events": rows })))
}
