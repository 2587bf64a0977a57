//! `/handover`: the site sends a browser here with a code if its pages are of another site, so that a
//! script's request could contain no cookie of ours. The page asks first, because opening an address must
//! change nothing; if the site itself has sent the browser here, the page's script submits the form
//! immediately.

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, REFERER};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::app::handovers::{CodeRefusal, Offered, Presenter};
use crate::app::login::Browser;
use crate::app::{App, AppError};
use crate::core::next;
use crate::core::origin::Origin;
use crate::web::http::client::{Client, only_header, render};
use crate::web::http::error::Failure;
use crate::web::http::form::{Posted, Proof};
use crate::web::http::headers::Allowed;
use crate::web::http::page::Page;
use crate::web::http::run::Asker as _;
use crate::web::http::session;
use crate::web::http::visitor::Visitor;

#[derive(Template)]
#[template(path = "handover.html")]
struct HandoverPage {
    page: Page,
    name: String,
    site: String,
    code: String,
    next: String,
    /// Whether the site itself has sent the browser here.
    at_once: bool,
}

/// The code, and the page to open afterwards.
#[derive(Deserialize)]
pub struct Handed {
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// `GET /handover`
pub async fn show(
    request: HttpRequest,
    visitor: Visitor,
    query: web::Query<Handed>,
) -> Result<HttpResponse, Failure> {
    let Handed { code, next } = query.into_inner();
    // The page that led here, as far as the browser names it.
    let from = only_header(&request, REFERER)
        .map(|from| Origin::parse_page(from).map(|origin| origin.as_str().to_owned()).unwrap_or_default());
    form_page(&visitor, Handed { code, next }, from, StatusCode::OK).await
}

async fn form_page(
    visitor: &Visitor,
    handed: Handed,
    from: Option<String>,
    status: StatusCode,
) -> Result<HttpResponse, Failure> {
    let Handed { code, next } = handed;
    let asked = code.clone();
    let offered = visitor.run(move |app, _| app.handover(&asked)).await?;
    let Offered { user, site } = offered.map_err(Failure::Code)?;
    let at_once = match from {
        // Our own page shows the form again, or the browser names no page.
        None => false,
        Some(from) if from == visitor.origin() => false,
        Some(from) if from == site => true,
        Some(_) => return Err(Failure::Code(CodeRefusal::OtherPage)),
    };
    let (page, form) = visitor.with_form(visitor.page());
    let template = HandoverPage { page, name: user.shown_name(), site: site.clone(), code, next, at_once };
    let mut response = render(status, &template);
    form.set(&mut response);
    let forms = Origin::parse(&site).into_iter().collect();
    response.extensions_mut().insert(Allowed { forms, ..Allowed::default() });
    Ok(response)
}

/// `POST /handover`
pub async fn begin(posted: Posted<Handed>) -> Result<HttpResponse, Failure> {
    let Posted { form: Handed { code, next }, visitor, proof } = posted;
    match proof {
        Proof::Ours => {}
        Proof::Late => {
            return form_page(&visitor, Handed { code, next }, None, StatusCode::FORBIDDEN).await;
        }
        Proof::Refused(why) => return Err(Failure::Form(why)),
    }
    let current = visitor.reference.clone();
    let swap = move |app: &App, client: &Client| {
        let site = app.handover(&code)?.map_err(AppError::Code)?.site;
        let browser = Browser { agent: client.agent(), keep: false };
        let (current, caller) = (current.as_ref(), client.caller());
        let swapped = app.log_in_by_code(&code, Presenter::OwnPage, None, current, &browser, &caller)?;
        app.leave_session(current, &swapped, &caller)?;
        Ok::<_, AppError>((swapped, site))
    };
    let (swapped, site) = visitor.run(swap).await?;
    let allowed: Vec<Origin> = Origin::parse(&site).into_iter().collect();
    let to = next::destination(&next, &format!("{site}/"), &allowed);
    let mut response = HttpResponse::SeeOther().insert_header((LOCATION, to)).finish();
    if swapped.is_new {
        session::set_cookie(&mut response, &visitor.app, &swapped.reference, None)?;
    }
    Ok(response)
}
