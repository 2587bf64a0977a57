//! `/handover`: where the site leads a browser with a code when its pages are of another site than
//! ours, so that no cookie could come with a script's request. It asks first, because opening an
//! address changes nothing; where the site itself has led here, its script sends the form at once.

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, REFERER};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::app::handovers::{CodeRefusal, Presenter};
use crate::app::login::Browser;
use crate::app::{App, AppError};
use crate::core::next;
use crate::core::origin::Origin;
use crate::web::http::blocking::blocking;
use crate::web::http::client::{Client, agent, only_header, render};
use crate::web::http::error::Failure;
use crate::web::http::form::{Posted, Proof};
use crate::web::http::headers::Allowed;
use crate::web::http::page::Page;
use crate::web::http::session;
use crate::web::http::session::{FormCookie, Visitor};

#[derive(Template)]
#[template(path = "handover.html")]
struct HandoverPage {
    page: Page,
    name: String,
    site: String,
    code: String,
    next: String,
    /// Whether the site itself has led here.
    at_once: bool,
}

/// The code, and where to go afterwards.
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
    app: web::Data<App>,
    client: Client,
    visitor: Visitor,
    query: web::Query<Handed>,
) -> Result<HttpResponse, Failure> {
    let Handed { code, next } = query.into_inner();
    // The page that led here, as far as its browser says.
    let from = only_header(&request, REFERER)
        .map(|from| Origin::parse_page(from).map(|origin| origin.as_str().to_owned()).unwrap_or_default());
    form_page(&request, &app, &client, &visitor, Handed { code, next }, from, StatusCode::OK).await
}

async fn form_page(
    request: &HttpRequest,
    app: &web::Data<App>,
    client: &Client,
    visitor: &Visitor,
    handed: Handed,
    from: Option<String>,
    status: StatusCode,
) -> Result<HttpResponse, Failure> {
    let Handed { code, next } = handed;
    let (state, asked) = (app.get_ref().clone(), code.clone());
    let (user, site) = blocking(move || state.handover(&asked)).await?.map_err(Failure::Code)?;
    let at_once = match from {
        // Our own page shows the form once more, or the browser does not say.
        None => false,
        Some(from) if from == client.origin() => false,
        Some(from) if from == site => true,
        Some(_) => return Err(Failure::Code(CodeRefusal::OtherPage)),
    };
    let (value, cookie) = FormCookie::value(request, app, visitor);
    let page = Page::new(visitor.visit.as_ref(), app, client).with_form(app, &value);
    let template = HandoverPage { page, name: user.shown_name(), site: site.clone(), code, next, at_once };
    let mut response = render(status, &template);
    FormCookie::set(&mut response, cookie);
    let forms = Origin::parse(&site).into_iter().collect();
    response.extensions_mut().insert(Allowed { forms, ..Allowed::default() });
    Ok(response)
}

/// `POST /handover`
pub async fn begin(
    request: HttpRequest,
    app: web::Data<App>,
    client: Client,
    posted: Posted<Handed>,
) -> Result<HttpResponse, Failure> {
    match posted.proof {
        Proof::Ours => {}
        Proof::Late => {
            let Posted { form, visitor, .. } = posted;
            return form_page(&request, &app, &client, &visitor, form, None, StatusCode::FORBIDDEN).await;
        }
        Proof::Refused(why) => return Err(Failure::Form(why)),
    }
    let Handed { code, next } = posted.form;
    let (state, caller, agent) = (app.get_ref().clone(), client.caller(), agent(&request));
    let current = session::reference(&request, &app);
    let (swapped, site) = blocking(move || {
        let site = state.handover(&code)?.map_err(AppError::Code)?.1;
        let browser = Browser { agent: &agent, keep: false };
        let current = current.as_deref();
        let swapped = state.log_in_by_code(&code, Presenter::OwnPage, None, current, &browser, &caller)?;
        state.leave_session(current, &swapped, &caller)?;
        Ok::<_, AppError>((swapped, site))
    })
    .await?;
    let allowed: Vec<Origin> = Origin::parse(&site).into_iter().collect();
    let to = next::destination(&next, &format!("{site}/"), &allowed);
    let mut response = HttpResponse::SeeOther().insert_header((LOCATION, to)).finish();
    if swapped.is_new {
        session::give(&mut response, &app, &swapped.reference, None)?;
    }
    Ok(response)
}
