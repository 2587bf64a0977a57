//! What happened: the audit, filtered and paged.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::{Admin, encoded};
use crate::app::App;
use crate::app::audit::{EVENTS, Filter, Seen};
use crate::web::client::render;
use crate::web::error::Failure;
use crate::web::hop;
use crate::web::page::Page;

/// Rows on a page.
const SHOWN: i64 = 50;

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage {
    page: Page,
    events: &'static [(&'static str, &'static str)],
    query: Query,
    rows: Vec<Seen>,
    unknown_user: bool,
    older: Option<String>,
}

/// What to show.
#[derive(Clone, Default, Deserialize)]
pub struct Query {
    /// The word of an event.
    #[serde(default)]
    event: String,
    /// The login of who did it, or whom it is about.
    #[serde(default)]
    user: String,
    /// The id of the last row seen.
    #[serde(default)]
    before: String,
}

/// `GET /admin/audit`
pub async fn show(
    app: web::Data<App>,
    admin: Admin,
    query: web::Query<Query>,
) -> Result<HttpResponse, Failure> {
    let (state, page, query) = (app.get_ref().clone(), admin.page(&app), query.into_inner());
    let asked = query.clone();
    let found = hop(move || {
        let filter = Filter { event: asked.event, login: asked.user, before: asked.before };
        state.events(&filter, SHOWN)
    })
    .await?;
    let unknown_user = found.is_none();
    let rows = found.unwrap_or_default();
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == SHOWN);
    let older = rows.last().filter(|_| is_full).map(|last| {
        format!("?event={}&user={}&before={}", encoded(&query.event), encoded(&query.user), last.id)
    });
    Ok(render(StatusCode::OK, &AuditPage { page, events: EVENTS, query, rows, unknown_user, older }))
}
