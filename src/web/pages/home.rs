//! The host page: a page of the website with the Messenger, which knows who is signed in.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use askama::Template;
use serde::Deserialize;

use crate::app::{App, AppError};
use crate::config::Home;
use crate::core::id::MessengerId;
use crate::core::messenger::{Anonymous, Messenger, options_json};
use crate::web::http::client::{Client, render};
use crate::web::http::error::Failure;
use crate::web::http::headers::Allowed;
use crate::web::http::page::Page;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;
use crate::web::http::visitor::Visitor;
use crate::web::pages::facts::{Fact, facts};
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

/// `GET /`
pub async fn show(visitor: Visitor, PageQuery(query): PageQuery<Query>) -> Result<HttpResponse, Failure> {
    let app = &visitor.app;
    let signed_out = query.signed_out.is_some() && visitor.visit.is_none();
    match &app.settings().home {
        Home::Page => {}
        Home::Off => return Err(Failure::NotFound),
        Home::Redirect(url) => {
            return Ok(HttpResponse::SeeOther().insert_header((LOCATION, url.as_str())).finish());
        }
    }
    let messenger = app.messenger(&MessengerId::default())?;
    let page = visitor.page();
    let token_url = page.url("/api/v1/token");
    let template = match &visitor.visit {
        None => {
            let messenger =
                (messenger.anonymous == Anonymous::Allow).then(|| embed(&messenger, None)).flatten();
            HomePage {
                page,
                facts: Vec::new(),
                notice: None,
                messenger,
                subject: String::new(),
                token_url,
                signed_out,
            }
        }
        Some(visit) => {
            let (id, visit, reference) = (messenger.id.clone(), visit.clone(), visitor.reference.clone());
            let issue = move |app: &App, client: &Client| {
                let user = app.user_by_id(&visit.user_id)?;
                if !visit.messengers.is_empty() && !visit.messengers.contains(&id) {
                    // The session comes from a handover for the pages of another messenger.
                    return Ok((Err("notice.unavailable"), String::new(), user));
                }
                let caller = client.caller().as_user(&visit.user_id);
                // It is limited like the requests of scripts.
                let asked = reference.map_or(Ok(()), |reference| app.ask_token(reference.digest().as_str()));
                let issue = |()| app.issue_token(&user, &id, Some(visit.ends_at), &caller);
                let issued = or_notice(asked.and_then(issue))?;
                let subject = issued.as_ref().map(|_| app.subject(&user, &id)).unwrap_or_default();
                Ok::<_, AppError>((issued, subject, user))
            };
            let (issued, subject, user) = visitor.run(issue).await?;
            let (page, _) = visitor.with_form(page);
            let notice = issued.as_ref().err().map(|key| page.t(key));
            let facts =
                issued.as_ref().map(|issued| facts(&page, &issued.claims(), &user)).unwrap_or_default();
            let token = issued.as_ref().ok().map(|issued| issued.token.as_str());
            let shown = token.is_some() || messenger.anonymous == Anonymous::Allow;
            let messenger = shown.then(|| embed(&messenger, token)).flatten();
            HomePage { page, facts, notice, messenger, subject, token_url, signed_out }
        }
    };
    let mut response = render(StatusCode::OK, &template);
    if template.messenger.is_some() {
        response.extensions_mut().insert(Allowed::messenger(&messenger));
    }
    Ok(response)
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
