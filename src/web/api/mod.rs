//! The console for programs: what an admin does there, as JSON. Every handler takes an [`Asked`] or an
//! [`Asking`], so that it cannot forget to ask who it is.
//!
//! The caller is an admin by the session cookie. A request that changes something carries the header
//! `X-Countersign: 1`, which no page of a stranger can send here.

pub mod audit;
pub mod draft;
pub mod expected;
pub mod mapping;

use std::future::Future;
use std::pin::Pin;

use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, ORIGIN};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev, web};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::admin::{LONGEST_FORM, MESSENGER};
use super::client::{Client, header, only_header};
use super::error::Failure;
use super::{hop, session};
use crate::app::{App, Caller};
use crate::core::csrf;
use crate::core::user::Role;

/// An admin who asks, without a body.
pub struct Asking {
    /// The product.
    pub app: App,
    /// The id of the messenger it is about.
    pub messenger: String,
    /// The admin's id.
    pub id: String,
    /// For audit and logs.
    pub caller: Caller,
}

/// An admin who asks with a body of JSON.
pub struct Asked<T> {
    /// Who.
    pub admin: Asking,
    /// With what.
    pub body: T,
}

/// Which messenger it is about.
#[derive(Deserialize)]
struct Which {
    messenger: Option<String>,
}

type Answered<T> = Pin<Box<dyn Future<Output = Result<T, actix_web::Error>>>>;

impl FromRequest for Asking {
    type Error = actix_web::Error;
    type Future = Answered<Self>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(admit(&request).await?) })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Asked<T> {
    type Error = actix_web::Error;
    type Future = Answered<Self>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            // Who it is comes first: a stranger's body is not read.
            let admin = admit(&request).await?;
            let kind = header(&request, CONTENT_TYPE).unwrap_or_default();
            if !kind
                .split(';')
                .next()
                .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
            {
                return Err(Failure::Status(actix_web::http::StatusCode::UNSUPPORTED_MEDIA_TYPE).into());
            }
            let body = web::Bytes::from_request(&request, &mut payload).await?;
            let body = serde_json::from_slice(&body)
                .map_err(|error| Failure::Body(format!("The body is not what this route takes: {error}.")))?;
            Ok(Self { admin, body })
        })
    }
}

/// The longest body (bytes): as a form of the console.
pub const LONGEST: usize = LONGEST_FORM;

async fn admit(request: &HttpRequest) -> Result<Asking, Failure> {
    let client = Client::extract(request).await?;
    let app = web::Data::<App>::extract(request)
        .await
        .map_err(|_| Failure::Internal("the server has no product".into()))?;
    let signed_out = || Failure::SignedOut { cross_site: false, messenger: None };
    let reference = session::reference(request, &app).ok_or_else(signed_out)?;
    let state = app.get_ref().clone();
    let signed_in = hop(move || state.session(&reference)).await?.ok_or_else(signed_out)?;
    if signed_in.user.role != Role::Admin {
        return Err(Failure::Forbidden);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let (origin, site) = (only_header(request, ORIGIN), only_header(request, "sec-fetch-site"));
        let proved = only_header(request, "x-countersign") == Some("1");
        if !proved || !csrf::is_own_origin(origin, site, client.origin()) {
            return Err(Failure::Header);
        }
    }
    let which = web::Query::<Which>::extract(request).await;
    let which = which.map_err(|_| Failure::BadRequest("its query is malformed"))?.into_inner();
    Ok(Asking {
        app: app.get_ref().clone(),
        messenger: which.messenger.unwrap_or_else(|| MESSENGER.to_owned()),
        caller: client.caller().as_user(&signed_in.user.id),
        id: signed_in.user.id,
    })
}

/// An answer with a body of JSON.
fn answer(body: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(body)
}

/// The same for what was made by this.
fn created(body: impl Serialize) -> HttpResponse {
    HttpResponse::Created().json(body)
}

/// Done, and nothing to say.
fn nothing() -> HttpResponse {
    HttpResponse::NoContent().finish()
}
