//! The host page: a page of the website with the Messenger, which knows who is signed in.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use askama::Template;
use serde::Deserialize;

use crate::app::entries::{Credential, Fresh, Request, Wanted};
use crate::app::sessions::{SignedIn, Use};
use crate::app::{App, AppError};
use crate::config::Home;
use crate::core::id::{MessengerId, UserId};
use crate::core::messenger::{Anonymous, Messenger, options_json};
use crate::core::token;
use crate::web::http::client::{Client, html, of_html, render};
use crate::web::http::error::Failure;
use crate::web::http::headers::{Allowed, page_policy};
use crate::web::http::page::Page;
use crate::web::http::person::wait_for_person;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;
use crate::web::http::session::Visit;
use crate::web::http::visitor::Visitor;
use crate::web::pages::facts::{Fact, facts};
use crate::web::pages::gaps::with_gaps;
use crate::web::pages::notice::or_notice;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    page: Page,
    facts: Vec<Fact>,
    notice: Option<String>,
    messenger: Option<Embed>,
    subject: String,
    token_url: String,
    /// Whether a user has just signed out here.
    signed_out: bool,
}

/// The query parameters.
#[derive(Deserialize)]
pub struct Query {
    /// Any value: the user has signed out.
    signed_out: Option<String>,
}

/// Deskpro's snippet.
struct Embed {
    options_json: String,
    init_script_url: String,
    deskpro_url: String,
    messenger_id: String,
}

/// `GET /`. A page with a token that is remembered does not come here (`shortcut`).
pub async fn show(visitor: Visitor, PageQuery(query): PageQuery<Query>) -> Result<HttpResponse, Failure> {
    match &visitor.app.settings().home {
        Home::Page => {}
        Home::Off => return Err(Failure::NotFound),
        Home::Redirect(url) => {
            return Ok(HttpResponse::SeeOther().insert_header((LOCATION, url.as_str())).finish());
        }
    }
    if visitor.visit.is_some()
        && let Some(response) = of_user(&visitor).await?
    {
        return Ok(response);
    }
    let messenger = visitor.app.messenger(&MessengerId::default())?;
    let embed = (messenger.anonymous == Anonymous::Allow).then(|| embed(&messenger, None)).flatten();
    let page = Page::new(None, &visitor);
    let token_url = page.url("/api/v1/token");
    let template = HomePage {
        page,
        facts: Vec::new(),
        notice: None,
        messenger: embed,
        subject: String::new(),
        token_url,
        signed_out: query.signed_out.is_some(),
    };
    let mut response = render(StatusCode::OK, &template);
    allow(&mut response, &template, &messenger);
    Ok(response)
}

/// What came of the page of a user.
enum Turn {
    /// The session has just ended.
    SignedOut,
    /// The user is no person at the helpdesk yet.
    NeedsPerson(UserId),
    /// The user, and the token or the key of the notice why there is none.
    Done(Box<(SignedIn, Result<Fresh, &'static str>)>),
}

/// The page of a user who is signed in; `None` if the session has just ended.
async fn of_user(visitor: &Visitor) -> Result<Option<HttpResponse>, Failure> {
    let (Some(reference), Some(cookie)) = (visitor.reference.clone(), visitor.presented()) else {
        return Ok(None);
    };
    let (cookie, lang) = (cookie.to_owned(), visitor.language());
    let issue = move |app: &App, client: &Client, may_wait: bool| {
        let before = app.before_reading();
        let Some(signed_in) = app.session(&reference, Use::Website)? else { return Ok(Turn::SignedOut) };
        let id = MessengerId::default();
        if !signed_in.may_use(&id) {
            // The session comes from a handover for the pages of another messenger.
            return Ok(Turn::Done(Box::new((signed_in, Err("notice.unavailable")))));
        }
        if may_wait && app.needs_person(&signed_in.user, &id).unwrap_or(false) {
            return Ok(Turn::NeedsPerson(signed_in.user.id));
        }
        let wanted = Wanted { messenger: None, platform: None, shown: None, page: Some(lang) };
        let credential = Credential::Cookie(&cookie);
        let request = Request { before, credential, wanted, shown_until: i64::MAX };
        let caller = client.caller().as_user(&signed_in.user.id);
        // It is limited like the requests of scripts.
        let asked = app.ask_token(&signed_in.digest);
        let issue = |()| app.issue_fresh(&request, &signed_in, &id, &caller);
        let fresh = or_notice(asked.and_then(issue))?;
        Ok::<_, AppError>(Turn::Done(Box::new((signed_in, fresh))))
    };
    let first = issue.clone();
    let mut turn = visitor.run(move |app, client| first(app, client, true)).await?;
    if let Turn::NeedsPerson(user) = turn {
        wait_for_person(&**visitor, user, MessengerId::default()).await?;
        turn = visitor.run(move |app, client| issue(app, client, false)).await?;
    }
    let Turn::Done(done) = turn else { return Ok(None) };
    let (signed_in, fresh) = *done;
    let app = &visitor.app;
    let messenger = match &fresh {
        Ok(fresh) => fresh.messenger().clone(),
        Err(_) => app.messenger(&MessengerId::default())?,
    };
    let facts_of = signed_in.user.clone();
    let (page, _) = visitor.with_form(Page::new(Some(&Visit::new(signed_in)), visitor));
    let token_url = page.url("/api/v1/token");
    let notice = fresh.as_ref().err().map(|key| page.t(key));
    let facts = fresh
        .as_ref()
        .map(|fresh| facts(&page, &token::without_times(&fresh.payload), &facts_of, fresh.names()))
        .unwrap_or_default();
    let token = fresh.as_ref().ok().map(|fresh| fresh.issued.token.clone());
    let subject = fresh.as_ref().map(|fresh| fresh.subject.as_str().to_owned()).unwrap_or_default();
    let shown = token.is_some() || messenger.anonymous == Anonymous::Allow;
    let embed = shown.then(|| embed(&messenger, token.as_deref())).flatten();
    let template = HomePage { page, facts, notice, messenger: embed, subject, token_url, signed_out: false };
    let html = html(&template).map_err(|error| Failure::Internal(error.to_string()))?;
    if let (Ok(fresh), Some(token), true) = (fresh, token, template.messenger.is_some()) {
        let policy = page_policy(visitor.nonce(), &Allowed::messenger(&messenger));
        app.remember(fresh, with_gaps(&policy, &html, visitor.nonce(), &token).into());
    }
    let mut response = of_html(StatusCode::OK, html);
    allow(&mut response, &template, &messenger);
    Ok(Some(response))
}

/// Lets the page load its messenger.
fn allow(response: &mut HttpResponse, template: &HomePage, messenger: &Messenger) {
    if template.messenger.is_some() {
        response.extensions_mut().insert(Allowed::messenger(messenger));
    }
}

fn embed(messenger: &Messenger, token: Option<&str>) -> Option<Embed> {
    let deployment = messenger.deployment.as_ref()?;
    Some(Embed {
        options_json: options_json(&messenger.options, token),
        init_script_url: deployment.init_script_url.to_string(),
        deskpro_url: deployment.deskpro_url.to_string(),
        messenger_id: deployment.messenger_id.clone(),
    })
}
