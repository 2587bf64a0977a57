//! The audit log: filtered and paged, and as a file.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use askama::Template;
use futures_core::Stream;
use serde::Deserialize;
use tokio::sync::mpsc::{self, Receiver};

use super::{Admin, encoded};
use crate::app::audit::EVENTS;
use crate::app::history::{AuditLine, Filter};
use crate::core::csv;
use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::page::{Page, timestamp};
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;

/// Rows on a page.
const SHOWN: i64 = 50;

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage {
    page: Page,
    events: &'static [(&'static str, &'static str)],
    query: Query,
    rows: Vec<AuditLine>,
    unknown_user: bool,
    older: Option<String>,
    /// The query for the same events as a file.
    file: String,
}

/// Which events to show.
#[derive(Clone, Default, Deserialize)]
pub struct Query {
    /// The word of an event.
    #[serde(default)]
    event: String,
    /// The login of the user who did it or whom it is about.
    #[serde(default)]
    user: String,
    /// The id of the last row on the page before.
    #[serde(default)]
    before: String,
}

/// `GET /admin/audit`
pub async fn show(admin: Admin, PageQuery(query): PageQuery<Query>) -> Result<HttpResponse, Failure> {
    let Query { event, user: login, before } = query.clone();
    let filter = Filter::typed(event, &login, before);
    let (page, found) = (admin.page(), admin.run(move |app, _| app.events(&filter, SHOWN)).await?);
    let unknown_user = found.is_none();
    let rows = found.unwrap_or_default();
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == SHOWN);
    let older = rows.last().filter(|_| is_full).map(|last| {
        format!("?event={}&user={}&before={}", encoded(&query.event), encoded(&query.user), last.id)
    });
    let file = format!("?event={}&user={}", encoded(&query.event), encoded(&query.user));
    Ok(render(StatusCode::OK, &AuditPage { page, events: EVENTS, query, rows, unknown_user, older, file }))
}

/// Rows of a file that are read at once.
const READ: i64 = 500;

/// `GET /admin/audit/file`: every event of the filter as CSV, newest first, read as it is sent.
pub async fn file(admin: Admin, PageQuery(query): PageQuery<Query>) -> HttpResponse {
    let (app, Query { event, user, .. }) = (admin.app, query);
    let (send, receive) = mpsc::channel(2);
    actix_web::rt::task::spawn_blocking(move || {
        let head = ["time", "event", "by", "about", "address", "detail"].map(str::to_owned);
        let mut text = csv::line(&head);
        let mut filter = Filter::typed(event, &user, String::new());
        loop {
            let rows = app.events(&filter, READ).map(Option::unwrap_or_default);
            let is_last = match &rows {
                Ok(rows) => rows.last().map(|last| filter.before = Some(last.id.clone())).is_none(),
                Err(_) => true,
            };
            let chunk = rows.map_err(Failure::from).map(|rows| {
                text.extend(rows.iter().map(line));
                web::Bytes::from(std::mem::take(&mut text))
            });
            // Sending fails when the client has disconnected.
            if send.blocking_send(chunk).is_err() || is_last {
                return;
            }
        }
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""))
        .streaming(Chunks(receive))
}

fn line(row: &AuditLine) -> String {
    let mut detail: Vec<String> = row.detail.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    detail.extend(row.changes.iter().cloned());
    let (at, detail) = (timestamp(row.at), detail.join("\n"));
    csv::line(&[at, row.word.clone(), row.actor.clone(), row.subject.clone(), row.address.clone(), detail])
}

/// The body of a response, from the rows that a blocking thread reads.
struct Chunks(Receiver<Result<web::Bytes, Failure>>);

impl Stream for Chunks {
    type Item = Result<web::Bytes, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}
