//! The password once more, before something that weighs more than the rest of the console.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LOCATION, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::{Admin, Sent, encoded};
use crate::app::App;
use crate::app::login::Guess;
use crate::core::next;
use crate::web::client::{Client, render};
use crate::web::error::Failure;
use crate::web::page::Page;
use crate::web::{hop, public, session};

#[derive(Template)]
#[template(path = "admin/confirm.html")]
struct ConfirmPage {
    page: Page,
    next: String,
    error: String,
    wait: bool,
    is_done: bool,
}

/// Where to go afterwards.
#[derive(Deserialize)]
pub struct Query {
    #[serde(default)]
    next: String,
    /// Whether the password was just confirmed.
    #[serde(default)]
    done: bool,
}

/// `GET /admin/confirm`
pub async fn show(app: web::Data<App>, admin: Admin, query: web::Query<Query>) -> HttpResponse {
    let Query { next, done } = query.into_inner();
    let next = next::destination(&next, "", &[]);
    let template =
        ConfirmPage { page: admin.page(&app), next, error: String::new(), wait: false, is_done: done };
    render(StatusCode::OK, &template)
}

/// `POST /admin/confirm`
pub async fn confirm(
    request: HttpRequest,
    app: web::Data<App>,
    client: Client,
    admin: Admin,
    sent: Sent,
) -> Result<HttpResponse, Failure> {
    let next = sent.0.text("next");
    let Some(reference) = session::reference(&request, &app) else { return Err(Failure::Forbidden) };
    if sent.0.text("password").is_empty() {
        // Nothing to judge, so nothing counts as a guess.
        let (page, error) = (admin.page(&app), "Type your password.".to_owned());
        let template = ConfirmPage { page, next, error, wait: false, is_done: false };
        return Ok(render(StatusCode::UNPROCESSABLE_ENTITY, &template));
    }
    let (state, password, caller) = (app.get_ref().clone(), sent.0.text("password"), admin.caller.clone());
    let network = client.network();
    let guess = hop(move || state.confirm_password(&reference, &password, &network, &caller)).await?;
    let page = admin.page(&app);
    let (status, error, wait) = match guess {
        Guess::Right(()) => {
            let done = format!("{}/admin/confirm?done=true", public::prefix(&app));
            let wanted = next::destination(&next, "", &[]);
            let path = wanted.split('?').next().unwrap_or_default();
            let to = match path {
                "" => done,
                // A browser that saves a file stays where it is: that must not be the form.
                path if path.ends_with("/file") => format!("{done}&next={}", encoded(&wanted)),
                _ => wanted,
            };
            return Ok(HttpResponse::SeeOther().insert_header((LOCATION, to)).finish());
        }
        Guess::Wrong => {
            (StatusCode::UNAUTHORIZED, "This is not your password. Type it again.".to_owned(), None)
        }
        Guess::Wait(seconds) => {
            let wait = page.duration(seconds);
            let error = format!("There were too many wrong passwords. Try again in {wait}.");
            (StatusCode::TOO_MANY_REQUESTS, error, Some(seconds))
        }
    };
    let template = ConfirmPage { page, next, error, wait: wait.is_some(), is_done: false };
    let mut response = render(status, &template);
    if let Some(seconds) = wait {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    Ok(response)
}
