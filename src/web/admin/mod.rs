//! The console: pages for site admins only. This file contains what they share: who is let in, the check
//! that a form comes from our own page, and the frame around every page.
//!
//! The guard wraps every route of [`super::Access::Admin`], so that a handler cannot forget it. A page
//! asks visitors who are not signed in to sign in. A form that comes too late (the admin was signed out
//! in the meantime, or the page is from an older session) is shown again with everything that was typed.

mod again;
pub mod api_keys;
pub mod audit;
pub mod confirm;
pub mod coverage;
pub mod desks;
pub mod diff;
pub mod expected;
pub mod fields;
pub mod identity;
pub mod integrate;
pub mod keys;
pub mod mapping;
mod members;
mod messenger_fields;
pub mod messengers;
pub mod names;
mod places;
pub mod preview;
pub mod publish;
mod recipes;
pub mod rule;
pub mod rule_fields;
pub mod rule_view;
pub mod sync;
mod table;
pub mod versions;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, dev, web};

use crate::app::{App, Caller};
use crate::core::id::{MessengerId, UserId};
use crate::core::session::is_confirmed;
use crate::web::http::access::{Access, Accesses};
use crate::web::http::client::{Client, header};
use crate::web::http::error::{Failure, FormRefusal};
use crate::web::http::form::{LONGEST_BODY, Posted, Proof};
use crate::web::http::page::Page;
use crate::web::http::public;
use crate::web::http::run::Asker;
use crate::web::http::session::{self, Visit};
use crate::web::http::visitor::Visitor;
use again::Late;
use fields::Fields;

/// The maximum size of a form (bytes): a mapping of 200,000 bytes, all of them percent-encoded, plus the
/// names of the fields.
pub const LONGEST_FORM: usize = 2 * 1024 * 1024;

/// An admin who is signed in. Every handler of the console has this parameter.
#[derive(Clone)]
pub struct Admin {
    /// The admin's id.
    pub id: UserId,
    /// The messenger whose mapping is shown: the one in the path, or `default`.
    pub messenger: MessengerId,
    /// For the audit log and the server log.
    pub caller: Caller,
    /// The product.
    pub app: App,
    page: (String, String),
    client: Client,
}

impl FromRequest for Admin {
    type Error = Failure;
    type Future = std::future::Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let admitted = request.extensions().get::<Self>().cloned();
        std::future::ready(admitted.ok_or(Failure::Forbidden))
    }
}

/// The fields of a form of the console, verified to come from our own page.
#[derive(Clone, Default)]
pub struct Sent(pub Fields);

impl FromRequest for Sent {
    type Error = Failure;
    type Future = std::future::Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let proved = request.extensions_mut().remove::<Self>();
        std::future::ready(proved.ok_or(Failure::Form(FormRefusal::Late)))
    }
}

/// Lets only admins in.
pub async fn guard(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<BoxBody, impl MessageBody>>, Error> {
    let Some(access) = Accesses::of(request.request()) else {
        // The route itself answers with the methods that exist.
        return Ok(next.call(request).await?.map_into_right_body());
    };
    let visitor = request.extract::<Visitor>().await?;
    let app = visitor.app.clone();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if let Some(visit) = &visitor.visit {
        if !visit.is_admin {
            return Err(Failure::Forbidden.into());
        }
        let (page, _) = visitor.with_form(visitor.page());
        let messenger = request.match_info().get("messenger").map(MessengerId::from).unwrap_or_default();
        // No later code checks this: a messenger that does not exist has no mapping.
        app.messenger(&messenger).map_err(Failure::from)?;
        let admin = Admin {
            messenger,
            id: visit.user_id.clone(),
            caller: visitor.caller().as_user(&visit.user_id),
            app: app.clone(),
            page: (visit.name.clone(), page.csrf),
            client: visitor.client.clone(),
        };
        request.extensions_mut().insert(admin);
    }
    // After a while without use, the console asks for the password; that page belongs to the console.
    let is_asking = request.match_pattern().is_some_and(|pattern| pattern.ends_with("/admin/confirm"));
    let is_late = |visit: &Visit| {
        !is_asking && !visit.is_console_open
            || access == Access::Confirmed && !is_confirmed(visit.confirmed_at, app.now())
    };
    let late = match &visitor.visit {
        None => Some(Late::SignedOut),
        Some(visit) if is_late(visit) => Some(Late::Unconfirmed),
        Some(_) => None,
    };
    if let (Some(late), true) = (late, reads) {
        let path = request.uri().path_and_query().map_or("/", |it| it.as_str());
        let to = format!("{}{}?next={}", public::prefix(&app), late.way_in(), encoded(path));
        let response = HttpResponse::SeeOther().insert_header((LOCATION, to)).finish();
        return Ok(request.into_response(response).map_into_left_body());
    }
    if !reads {
        if visitor.visit.is_none() && !may_send_much(&request, &app) {
            return Err(Failure::Status(StatusCode::PAYLOAD_TOO_LARGE).into());
        }
        let posted = request.extract::<Posted<Fields>>().await?;
        match posted.proof {
            Proof::Ours if late.is_none() => {
                request.extensions_mut().insert(Sent(posted.form));
            }
            Proof::Refused(why) => return Err(Failure::Form(why).into()),
            // The password may be sent together with the form that requires it.
            Proof::Ours if late == Some(Late::Unconfirmed) && posted.form.has(fields::PASSWORD) => {
                let password = posted.form.text(fields::PASSWORD);
                match confirm::judge(&visitor, password).await? {
                    Ok(()) => {
                        request.extensions_mut().insert(Sent(posted.form));
                    }
                    Err(wrong) => {
                        let late = Late::Unconfirmed;
                        let response =
                            again::page(request.request(), &visitor, late, &posted.form, Some(wrong));
                        return Ok(request.into_response(response).map_into_left_body());
                    }
                }
            }
            Proof::Ours | Proof::Late => {
                let late = late.unwrap_or(Late::OtherSession);
                let response = again::page(request.request(), &visitor, late, &posted.form, None);
                return Ok(request.into_response(response).map_into_left_body());
            }
        }
    }
    Ok(next.call(request).await?.map_into_right_body())
}

/// Whether a client that is not signed in may send a long form: only if it has one of our session cookies,
/// so it was signed in before. Every other client may send as much as to any other page.
fn may_send_much(request: &ServiceRequest, app: &App) -> bool {
    let length = header(request.request(), CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let is_short = length.is_some_and(|length: usize| length <= LONGEST_BODY);
    is_short || session::reference(request.request(), app).is_some()
}

/// A value, encoded for a query.
pub fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

impl Admin {
    /// The frame of a page of the console.
    pub fn page(&self) -> Page {
        let (name, csrf) = &self.page;
        let mut page = Page::console(None, &self.client);
        page.messenger = Some(self.messenger.clone()).filter(|id| !id.is_default());
        page.who = Some(name.clone());
        page.csrf.clone_from(csrf);
        page
    }
}

impl Asker for Admin {
    fn app(&self) -> &App {
        &self.app
    }
}

impl Admin {
    /// The redirect after a form about a mapping: `to` is a path below `/admin`, as for `default`.
    pub fn go(&self, to: &str) -> HttpResponse {
        let page = self.page();
        HttpResponse::SeeOther().insert_header((LOCATION, page.url(&format!("/admin{to}")))).finish()
    }
}

/// The path below which the mapping of a messenger other than `default` is found.
pub const OF_MESSENGER: &str = "/admin/messengers/{messenger}";

/// A mapping as a file to download.
fn json_file(name: &str, text: String) -> HttpResponse {
    file(name, "application/json", text)
}

/// A file to download; `name` is plain ASCII.
fn file(name: &str, kind: &'static str, content: impl Into<web::Bytes>) -> HttpResponse {
    let disposition = format!("attachment; filename=\"{name}\"");
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, kind)).insert_header((CONTENT_DISPOSITION, disposition));
    response.body(content.into())
}

/// The redirect after a form, so that a reload repeats nothing; `to` is a path below `/admin`.
fn go(admin: &Admin, to: &str) -> HttpResponse {
    let to = format!("{}/admin{to}", public::prefix(&admin.app));
    HttpResponse::SeeOther().insert_header((LOCATION, to)).finish()
}

/// `GET /admin`
pub async fn show(admin: Admin) -> HttpResponse {
    go(&admin, "/mapping")
}
