//! Sign-in and sign-out.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LOCATION, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use crate::app::login::{Browser, Guess};
use crate::app::{App, AppError};
use crate::config::Home;
use crate::core::next;
use crate::core::origin::Origin;
use crate::web::http::client::{Client, chosen_language, render};
use crate::web::http::error::{Failure, FormRefusal};
use crate::web::http::form::{Posted, Proof};
use crate::web::http::headers::Allowed;
use crate::web::http::page::Page;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;
use crate::web::http::visitor::Visitor;
use crate::web::http::{cookies, public, session};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    page: Page,
    login: String,
    next: String,
    problem: Option<String>,
    wait_seconds: Option<i64>,
    /// Whether the box “Keep me signed in” is ticked; `None` if there is no box.
    keep: Option<bool>,
    /// Whether a user has just signed out here.
    signed_out: bool,
}

/// The page to open afterwards, from a link.
#[derive(Deserialize)]
pub struct Query {
    #[serde(default)]
    next: String,
    /// Any value: the user has signed out.
    signed_out: Option<String>,
}

/// The values that were typed.
#[derive(Deserialize)]
pub struct Form {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
    /// Whether to stay signed in on this browser: any value, or missing.
    #[serde(default)]
    keep: String,
}

/// `GET /login`
pub async fn show(
    request: HttpRequest,
    visitor: Visitor,
    PageQuery(query): PageQuery<Query>,
) -> HttpResponse {
    let Query { next, signed_out } = query;
    if visitor.visit.is_some() {
        return redirect(&destination(&visitor.app, &next));
    }
    let problem = cookies::is_doubled(&request).then(|| refusal_key(FormRefusal::Cookies));
    let answer = Answer { next, problem, signed_out: signed_out.is_some(), ..Answer::default() };
    form_page(&visitor, StatusCode::OK, answer)
}

/// The values to show again in the form.
#[derive(Default)]
struct Answer {
    login: String,
    next: String,
    keep: bool,
    problem: Option<&'static str>,
    wait: Option<i64>,
    signed_out: bool,
}

/// `POST /login`: unknown, known and disabled users get the same response, and a form that is not ours is
/// refused before a password is checked. With `?lang=` the form is only shown again, in that language and
/// with the login that was typed.
pub async fn sign_in(request: HttpRequest, posted: Posted<Form>) -> Result<HttpResponse, Failure> {
    let Posted { form: Form { login, password, next, keep }, visitor, proof } = posted;
    let app = &visitor.app;
    let keep = !keep.is_empty() && app.settings().sessions.kept > 0;
    let again = |problem, wait, status| {
        let signed_out = false;
        let answer = Answer { login: login.clone(), next: next.clone(), keep, problem, wait, signed_out };
        Ok(form_page(&visitor, status, answer))
    };
    match proof {
        Proof::Ours => {}
        // Another tab of this browser was first: there is nothing left to do.
        Proof::Late if visitor.visit.is_some() => return Ok(redirect(&destination(app, &next))),
        Proof::Late => return again(Some(refusal_key(FormRefusal::Late)), None, StatusCode::FORBIDDEN),
        Proof::Refused(why) => return again(Some(refusal_key(why)), None, StatusCode::FORBIDDEN),
    }
    if chosen_language(request.query_string()).is_some() {
        return again(None, None, StatusCode::OK);
    }
    let (typed, before) = (login.clone(), visitor.reference.clone());
    let judge = move |app: &App, client: &Client| {
        let (network, caller) = (client.network(), client.caller());
        let browser = Browser { agent: client.agent(), keep };
        let guess = app.log_in(&typed, &password, &network, &browser, &caller)?;
        if let (Guess::Right(_), Some(before)) = (&guess, before) {
            // The user who was signed in on this browser before no longer is.
            app.end_session(&before, &caller)?;
        }
        Ok(guess)
    };
    match visitor.attempt(judge).await? {
        Ok(Guess::Right(reference)) => {
            let mut response = redirect(&destination(app, &next));
            let kept = app.settings().sessions.kept;
            session::set_cookie(&mut response, app, &reference, keep.then_some(kept))?;
            Ok(response)
        }
        Ok(Guess::Wrong) => again(Some("login.wrong"), None, StatusCode::UNAUTHORIZED),
        Ok(Guess::Wait(seconds)) => {
            again(Some("login.too_many"), Some(seconds), StatusCode::TOO_MANY_REQUESTS)
        }
        Err(AppError::Busy(seconds)) => {
            again(Some("login.busy"), Some(seconds), StatusCode::SERVICE_UNAVAILABLE)
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /logout`
pub async fn sign_out(posted: Posted<serde::de::IgnoredAny>) -> Result<HttpResponse, Failure> {
    if posted.proof == Proof::Late && posted.visitor.visit.is_none() {
        // Another tab of this browser was first: there is nothing left to do.
        return Ok(redirect(&home(&posted.visitor.app)));
    }
    let Posted { visitor, .. } = posted.proved()?;
    if let Some(reference) = visitor.reference.clone() {
        let end = move |app: &App, client: &Client| app.end_session(&reference, &client.caller());
        visitor.run(end).await?;
    }
    visitor.sign_out();
    let app = &visitor.app;
    // If we have no page to show the message, the sign-in page shows it.
    let to = if app.settings().home == Home::Off { "login" } else { "" };
    let said = if matches!(app.settings().home, Home::Redirect(_)) { "" } else { "?signed_out=1" };
    Ok(redirect(&format!("{}{to}{said}", home(app))))
}

fn form_page(visitor: &Visitor, status: StatusCode, answer: Answer) -> HttpResponse {
    let app = &visitor.app;
    let (page, form) = visitor.with_form(visitor.page());
    let problem = answer.problem.map(|key| match answer.wait {
        Some(seconds) => page.t1(key, "wait", page.duration(seconds)),
        None if key.starts_with("problem.") => {
            format!("{} {}", page.t(&format!("{key}.explain")), page.t(&format!("{key}.do")))
        }
        None => page.t(key),
    });
    let keep = (app.settings().sessions.kept > 0).then_some(answer.keep);
    // After sign-in, the form redirects to `next`, which browsers check as the form's target. Only this
    // target is named: naming all would reveal to everyone which sites exist, and make the header long.
    let forms = Origin::parse_page(&destination(app, &answer.next)).into_iter().collect();
    let Answer { login, next, wait: wait_seconds, signed_out, .. } = answer;
    let template = LoginPage { page, login, next, problem, wait_seconds, keep, signed_out };
    let mut response = render(status, &template);
    form.set(&mut response);
    if let Some(seconds) = answer.wait {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    response.extensions_mut().insert(Allowed { forms, ..Allowed::default() });
    response
}

fn refusal_key(why: FormRefusal) -> &'static str {
    match why {
        FormRefusal::Late => "login.expired_form",
        FormRefusal::Foreign => "problem.form_foreign",
        FormRefusal::Address => "problem.address_unknown",
        FormRefusal::Cookies => "problem.cookie_twice",
    }
}

fn home(app: &App) -> String {
    format!("{}/", public::prefix(app))
}

fn destination(app: &App, wanted: &str) -> String {
    let mut allowed = app.allowed_origins();
    // The website's own pages, if Countersign is under a path of the website.
    allowed.extend(app.settings().public_url.as_ref().map(|url| url.origin.clone()));
    next::destination(wanted, &home(app), &allowed)
}

fn redirect(to: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, to)).finish()
}
