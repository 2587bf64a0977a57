//! `/account`: what support sees about the user, a form to change the password, and all places where the
//! user is signed in, with a button to end each.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LOCATION, RETRY_AFTER};
use askama::Template;
use serde::Deserialize;

use crate::app::account::{Account, Ending, NewPassword, OwnSession};
use crate::app::login::Browser;
use crate::app::{App, AppError};
use crate::core::agent;
use crate::core::catalogue::Catalogue;
use crate::core::password::Weakness;
use crate::core::session::Stay;
use crate::web::http::client::{Client, render};
use crate::web::http::error::Failure;
use crate::web::http::form::{Posted, Proof};
use crate::web::http::page::Page;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;
use crate::web::http::visitor::Visitor;
use crate::web::http::{public, session};
use crate::web::pages::facts::{Fact, facts};
use crate::web::pages::notice::or_notice;

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    page: Page,
    login: String,
    facts: Vec<Fact>,
    /// Why support does not know who the user is.
    unknown: Option<String>,
    sessions: Vec<Line>,
    devices: Vec<Line>,
    has_password: bool,
    /// The minimum number of characters of a new password.
    shortest: usize,
    /// What was just done.
    done: Option<String>,
    problem: Option<Problem>,
}

impl AccountPage {
    /// What is wrong with a field, if anything is.
    fn error_at(&self, field: &str) -> &str {
        self.problem.as_ref().filter(|problem| problem.field == field).map_or("", |problem| &problem.text)
    }
}

/// A place where the user is signed in.
struct Line {
    id: String,
    name: String,
    address: String,
    used_at: i64,
    is_current: bool,
}

/// What is wrong with a new password, and at which field.
struct Problem {
    text: String,
    field: &'static str,
    wait: Option<i64>,
}

/// What was just done.
#[derive(Deserialize)]
pub struct Query {
    #[serde(default)]
    done: String,
}

/// The fields of a form.
#[derive(Deserialize)]
pub struct Form {
    #[serde(default, rename = "do")]
    what: String,
    #[serde(default)]
    current: String,
    #[serde(default)]
    new: String,
}

/// `GET /account`
pub async fn show(visitor: Visitor, PageQuery(query): PageQuery<Query>) -> Result<HttpResponse, Failure> {
    let key = match query.done.as_str() {
        "password" => Some("account.done_password"),
        "ended" => Some("account.done_ended"),
        "nothing" => Some("account.done_nothing"),
        _ => None,
    };
    page_of(&visitor, key, None).await
}

async fn page_of(
    visitor: &Visitor,
    done: Option<&'static str>,
    problem: Option<(StatusCode, Wrong)>,
) -> Result<HttpResponse, Failure> {
    let (Some(visit), Some(reference)) = (&visitor.visit, visitor.reference.clone()) else {
        return Ok(to_sign_in(&visitor.app));
    };
    let ends_at = visit.ends_at;
    let look = move |app: &App, _: &Client| {
        let Some(account) = app.account(&reference)? else { return Ok(None) };
        let seen = or_notice(app.claims_for(&account.user, &account.messenger, Some(ends_at)))?;
        let names = app.catalogue(&account.messenger)?;
        Ok::<_, AppError>(Some((account, seen, names)))
    };
    let Some((account, seen, names)) = visitor.run(look).await? else { return Ok(to_sign_in(&visitor.app)) };
    let (page, form) = visitor.with_form(visitor.page());
    let (status, problem) = match problem {
        Some((status, wrong)) => (status, Some(wrong.problem(&page))),
        None => (StatusCode::OK, None),
    };
    let wait = problem.as_ref().and_then(|problem| problem.wait);
    let template =
        filled(page, account, (seen, &names), done, problem, visitor.app.settings().passwords.shortest);
    let mut response = render(status, &template);
    form.set(&mut response);
    if let Some(seconds) = wait {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    Ok(response)
}

fn filled(
    page: Page,
    account: Account,
    (seen, names): (Result<serde_json::Value, &'static str>, &Catalogue),
    done: Option<&'static str>,
    problem: Option<Problem>,
    shortest: usize,
) -> AccountPage {
    let Account { user, sessions, devices, has_password, .. } = account;
    let unknown_browser = page.t("account.some_browser");
    AccountPage {
        login: user.login.as_str().to_owned(),
        facts: seen.as_ref().map(|claims| facts(&page, claims, &user, names)).unwrap_or_default(),
        unknown: seen.err().map(|key| page.t(key)),
        sessions: sessions
            .into_iter()
            .map(|OwnSession { session, is_current }| Line {
                name: agent::name(&session.agent, &page.t("account.on"))
                    .unwrap_or_else(|| unknown_browser.clone()),
                id: session.digest.to_string(),
                address: session.address,
                used_at: session.used_at,
                is_current,
            })
            .collect(),
        devices: devices
            .into_iter()
            .map(|device| Line {
                id: device.id,
                name: device.name,
                address: device.address,
                used_at: device.used_at,
                is_current: false,
            })
            .collect(),
        has_password,
        shortest,
        done: done.map(|key| page.t(key)),
        problem,
        page,
    }
}

fn to_sign_in(app: &App) -> HttpResponse {
    let prefix = public::prefix(app);
    let account = crate::web::admin::encoded(&format!("{prefix}/account"));
    redirect(&format!("{prefix}/login?next={account}"))
}

fn redirect(to: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, to)).finish()
}

/// What is wrong with a form.
enum Wrong {
    Expired,
    Empty,
    Same,
    Weak(Weakness),
    Current,
    Wait(i64),
}

impl Wrong {
    fn problem(self, page: &Page) -> Problem {
        let (text, field, wait) = match self {
            Self::Expired => (page.t("account.expired_form"), "", None),
            Self::Empty => (page.t("account.empty"), "current", None),
            Self::Same => (page.t("account.same"), "new", None),
            Self::Current => (page.t("account.wrong_current"), "current", None),
            Self::Wait(seconds) => {
                (page.t1("login.too_many", "wait", page.duration(seconds)), "", Some(seconds))
            }
            Self::Weak(weakness) => {
                let text = match weakness {
                    Weakness::Short(least) => page.t1("account.weak_short", "count", least),
                    Weakness::Long => page.t("account.weak_long"),
                    Weakness::Control => page.t("account.weak_control"),
                    Weakness::Context => page.t("account.weak_context"),
                    Weakness::Common => page.t("account.weak_common"),
                };
                (text, "new", None)
            }
        };
        Problem { text, field, wait }
    }
}

/// `POST /account`
pub async fn change(posted: Posted<Form>) -> Result<HttpResponse, Failure> {
    let Posted { form, visitor, proof } = posted;
    if let Proof::Refused(why) = proof {
        return Err(Failure::Form(why));
    }
    let Some(reference) = visitor.reference.clone().filter(|_| visitor.visit.is_some()) else {
        return Ok(to_sign_in(&visitor.app));
    };
    let again = async |status, wrong| page_of(&visitor, None, Some((status, wrong))).await;
    if proof != Proof::Ours {
        return again(StatusCode::FORBIDDEN, Wrong::Expired).await;
    }
    let home = format!("{}/account", public::prefix(&visitor.app));
    if form.what == "password" {
        if form.current.is_empty() || form.new.is_empty() {
            return again(StatusCode::UNPROCESSABLE_ENTITY, Wrong::Empty).await;
        }
        if form.current == form.new {
            return again(StatusCode::UNPROCESSABLE_ENTITY, Wrong::Same).await;
        }
        let change = move |app: &App, client: &Client| {
            let browser = Browser { agent: client.agent(), keep: false };
            let (network, caller) = (client.network(), client.caller());
            app.change_password(&reference, &form.current, &form.new, &network, &browser, &caller)
        };
        return match visitor.run(change).await? {
            NewPassword::Set(reference, stay) => {
                let mut response = redirect(&format!("{home}?done=password"));
                let kept = (stay == Stay::Kept).then_some(visitor.app.settings().sessions.kept);
                session::set_cookie(&mut response, &visitor.app, &reference, kept)?;
                Ok(response)
            }
            NewPassword::Weak(weakness) => {
                again(StatusCode::UNPROCESSABLE_ENTITY, Wrong::Weak(weakness)).await
            }
            NewPassword::Wrong => again(StatusCode::UNAUTHORIZED, Wrong::Current).await,
            NewPassword::Wait(seconds) => again(StatusCode::TOO_MANY_REQUESTS, Wrong::Wait(seconds)).await,
        };
    }
    let ending = match form.what.split_once('-') {
        Some(("session", digest)) => Ending::Session(digest.into()),
        Some(("device", id)) => Ending::Device(id.to_owned()),
        _ if form.what == "others" => Ending::Others,
        _ if form.what == "everything" => Ending::Everything,
        _ => return Err(Failure::BadRequest("it names no action")),
    };
    let end = move |app: &App, client: &Client| app.end_sign_ins(&reference, &ending, &client.caller());
    let ended = visitor.run(end).await?;
    Ok(redirect(&format!("{home}?done={}", if ended > 0 { "ended" } else { "nothing" })))
}
