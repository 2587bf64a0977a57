//! Confirms the password again before actions that are more sensitive than the rest of the console.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LOCATION, RETRY_AFTER};
use askama::Template;
use serde::Deserialize;

use super::{Admin, Sent, encoded};
use crate::app::App;
use crate::app::login::Guess;
use crate::core::next;
use crate::web::http::client::{Client, render};
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::public;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;
use crate::web::http::visitor::Visitor;

#[derive(Template)]
#[template(path = "admin/confirm.html")]
struct ConfirmPage {
    page: Page,
    next: String,
    error: String,
    wait: bool,
    is_done: bool,
}

/// Where to continue afterwards.
#[derive(Deserialize)]
pub struct Query {
    #[serde(default)]
    next: String,
    /// Whether the password was just confirmed.
    #[serde(default)]
    done: bool,
}

/// `GET /admin/confirm`
pub async fn show(admin: Admin, PageQuery(query): PageQuery<Query>) -> HttpResponse {
    let Query { next, done } = query;
    let next = next::destination(&next, "", &[]);
    let template = ConfirmPage { page: admin.page(), next, error: String::new(), wait: false, is_done: done };
    render(StatusCode::OK, &template)
}

/// `POST /admin/confirm`
pub async fn confirm(visitor: Visitor, admin: Admin, sent: Sent) -> Result<HttpResponse, Failure> {
    let next = sent.0.text("next");
    let password = sent.0.text("password");
    let Err(wrong) = judge(&visitor, password).await? else {
        let done = format!("{}/admin/confirm?done=true", public::prefix(&admin.app));
        let wanted = next::destination(&next, "", &[]);
        let path = wanted.split('?').next().unwrap_or_default();
        let to = match path {
            "" => done,
            // A browser that saves a file stays on the page: that page must not be the form.
            path if path.ends_with("/file") => format!("{done}&next={}", encoded(&wanted)),
            _ => wanted,
        };
        return Ok(HttpResponse::SeeOther().insert_header((LOCATION, to)).finish());
    };
    let (status, wait) = (wrong.status, wrong.wait);
    let template =
        ConfirmPage { page: admin.page(), next, error: wrong.text, wait: wait.is_some(), is_done: false };
    let mut response = render(status, &template);
    ask_to_wait(&mut response, wait);
    Ok(response)
}

/// Why a password was not accepted.
pub struct Wrong {
    /// The message: what is wrong and what to do.
    pub text: String,
    /// 401, 422 or 429.
    pub status: StatusCode,
    /// Seconds until the next attempt is checked.
    pub wait: Option<i64>,
}

/// Checks the password of the user who is signed in, and remembers for five minutes that it was right.
pub async fn judge(visitor: &Visitor, password: String) -> Result<Result<(), Wrong>, Failure> {
    let wrong = |text: String, status, wait| Ok(Err(Wrong { text, status, wait }));
    let Some(reference) = visitor.reference.clone() else { return Err(Failure::Forbidden) };
    if password.is_empty() {
        // There is nothing to check, so this is not counted as an attempt.
        return wrong("Enter your password.".to_owned(), StatusCode::UNPROCESSABLE_ENTITY, None);
    }
    let confirm = move |app: &App, client: &Client| {
        app.confirm_password(&reference, &password, &client.network(), &client.caller())
    };
    match visitor.run(confirm).await? {
        Guess::Right(()) => Ok(Ok(())),
        Guess::Wrong => {
            let text = "This is not your password. Enter it again.";
            wrong(text.to_owned(), StatusCode::UNAUTHORIZED, None)
        }
        Guess::Wait(seconds) => {
            let wait = Page::console(None, visitor).duration(seconds);
            let text = format!("There were too many wrong passwords. Try again in {wait}.");
            wrong(text, StatusCode::TOO_MANY_REQUESTS, Some(seconds))
        }
    }
}

/// Also sets the header that says how long to wait.
pub fn ask_to_wait(response: &mut HttpResponse, wait: Option<i64>) {
    if let Some(seconds) = wait {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
}
