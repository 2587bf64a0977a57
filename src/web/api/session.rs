//! `/api/v1/session`: what pages of allowed origins do with the session of their browser. They start one
//! with a code from the site's server, and they end it. Their origin and a header prove that the request
//! does not come from another site's page.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use crate::app::handovers::Presenter;
use crate::app::login::Browser;
use crate::app::sessions::Use;
use crate::app::{App, AppError};
use crate::web::api::token;
use crate::web::http::client::{Client, only_header};
use crate::web::http::error::{Failure, Nobody};
use crate::web::http::form::own_page;
use crate::web::http::run::Asker as _;
use crate::web::http::{cors, session};

/// A code to exchange.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Swap {
    code: String,
    /// The user whom the page shows: the site's own user ID, or empty if the page shows no user.
    shown: Option<String>,
}

fn has_header(request: &HttpRequest) -> bool {
    only_header(request, "x-countersign") == Some("1")
}

/// `POST`: exchanges a code for a session and returns the first token.
pub async fn begin(
    request: HttpRequest,
    client: Client,
    payload: web::Payload,
) -> Result<HttpResponse, actix_web::Error> {
    let origin = cors::allowed_origin(&request, &client.app).filter(|_| has_header(&request));
    let Some(origin) = origin.and_then(|origin| origin.to_str().map(str::to_owned).ok()) else {
        return Err(Failure::Header.into());
    };
    if token::is_of_another_site(&request) {
        // The browser would not store its cookie: the code stays valid for a page where it would.
        return Err(Failure::SignedOut { nobody: Nobody::Kept, messenger: None }.into());
    }
    let mut payload = payload.into_inner();
    let Swap { code, shown } = super::body(&request, &mut payload).await?;
    let current = session::reference(&request, &client.app);
    let swap = move |app: &App, client: &Client| {
        let (browser, caller) = (Browser { agent: client.agent(), keep: false }, client.caller());
        let page = Presenter::Page(&origin);
        let current = current.as_ref();
        let swapped = app.log_in_by_code(&code, page, shown.as_deref(), current, &browser, &caller)?;
        let messenger = app.messenger(&swapped.messenger)?;
        let Some(signed_in) = app.session(&swapped.reference, Use::Website)? else {
            return Err(AppError::Code(crate::app::handovers::CodeRefusal::Withdrawn));
        };
        let caller = caller.as_user(&signed_in.user.id);
        let issued = app.issue_token(&signed_in.user, &messenger.id, Some(signed_in.ends_at), &caller);
        match issued {
            Ok(issued) => {
                app.leave_session(current, &swapped, &caller)?;
                let subject = app.subject(&signed_in.user, &messenger.id);
                Ok((swapped, token::written(&issued, subject, &messenger, None)))
            }
            Err(error) => {
                // Without a token, a new session is of no use to the page, and nothing would end it. The
                // browser's previous session stays.
                if swapped.is_new {
                    app.end_session(&swapped.reference, &caller)?;
                }
                Err(error)
            }
        }
    };
    let (swapped, answer) = client.run(swap).await?;
    let mut response = HttpResponse::Created().json(answer);
    if swapped.is_new {
        session::set_cookie(&mut response, &client.app, &swapped.reference, None)?;
    }
    Ok(response)
}

/// `DELETE`: ends the session of the cookie, if there is one. Our own pages use it, too.
pub async fn end(request: HttpRequest, client: Client) -> Result<HttpResponse, Failure> {
    let is_allowed =
        cors::allowed_origin(&request, &client.app).is_some() || own_page(&request, &client).is_ok();
    if !is_allowed || !has_header(&request) {
        return Err(Failure::Header);
    }
    let mut response = super::nothing();
    if let Some(reference) = session::reference(&request, &client.app) {
        client.run(move |app, client| app.end_session(&reference, &client.caller())).await?;
        session::remove_cookie(&mut response, &client.app)?;
    }
    Ok(response)
}
