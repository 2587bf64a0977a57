//! The console for programs: what an admin does there, as JSON. Every handler takes an [`Admin`] or an
//! [`AdminBody`], so that it cannot forget the check who the caller is.
//!
//! The caller is an admin with a session cookie. A request that changes something contains the header
//! `X-Countersign: 1`, which a page of another site cannot send here.

pub mod audit;
pub mod draft;
pub mod expected;
pub mod mapping;
pub mod sync;

use std::future::Future;
use std::pin::Pin;

use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest, dev, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{answer, created, nothing};
use crate::app::sessions::Use;
use crate::app::{App, Caller};
use crate::core::id::{MessengerId, UserId};
use crate::core::session::is_confirmed;
use crate::core::user::Role;
use crate::web::admin::LONGEST_FORM;
use crate::web::http::access::{Access, Accesses};
use crate::web::http::client::{Client, only_header};
use crate::web::http::error::{Failure, Nobody};
use crate::web::http::form::own_page;
use crate::web::http::run::Asker;
use crate::web::http::session;

/// An admin who sends a request.
#[derive(Clone)]
pub struct Admin {
    /// The product.
    pub app: App,
    /// The id of the messenger that the request is about.
    pub messenger: MessengerId,
    /// The admin's id.
    pub id: UserId,
    /// For the audit log and logs.
    pub caller: Caller,
}

/// An admin who sends a request with a JSON body.
pub struct AdminBody<T> {
    /// The admin.
    pub admin: Admin,
    /// The body.
    pub body: T,
}

/// The messenger that the request is about.
#[derive(Deserialize)]
struct Which {
    messenger: Option<MessengerId>,
}

type Answered<T> = Pin<Box<dyn Future<Output = Result<T, actix_web::Error>>>>;

impl Asker for Admin {
    fn app(&self) -> &App {
        &self.app
    }
}

impl FromRequest for Admin {
    type Error = actix_web::Error;
    type Future = Answered<Self>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(admit(&request).await?) })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for AdminBody<T> {
    type Error = actix_web::Error;
    type Future = Answered<Self>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            // The caller is checked first: the body of an unknown caller is not read.
            let admin = admit(&request).await?;
            let body = super::body(&request, &mut payload).await?;
            Ok(Self { admin, body })
        })
    }
}

/// The maximum body (bytes): the same as for a form of the console.
pub const LONGEST: usize = LONGEST_FORM;

async fn admit(request: &HttpRequest) -> Result<Admin, Failure> {
    let client = Client::extract(request).await?;
    let app = client.app.clone();
    let signed_out = || Failure::SignedOut { nobody: Nobody::SignedOut, messenger: None };
    let reference = session::reference(request, &app).ok_or_else(signed_out)?;
    let signed_in = app.run(move |app, _| app.session(&reference, Use::Console)).await?;
    let signed_in = signed_in.ok_or_else(signed_out)?;
    if signed_in.user.role != Role::Admin {
        return Err(Failure::Forbidden);
    }
    if !signed_in.is_console_open {
        return Err(signed_out());
    }
    let is_open = Accesses::of(request) == Some(Access::AdminApi);
    if !is_open && !is_confirmed(signed_in.confirmed_at, app.now()) {
        return Err(Failure::Unconfirmed);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let proved = only_header(request, "x-countersign") == Some("1");
        if !proved || own_page(request, &client).is_err() {
            return Err(Failure::Header);
        }
    }
    let which = web::Query::<Which>::extract(request).await;
    let which = which.map_err(|_| Failure::BadRequest("its query is malformed"))?.into_inner();
    let messenger = which.messenger.unwrap_or_default();
    app.messenger(&messenger)?;
    Ok(Admin { app, messenger, caller: client.caller().as_user(&signed_in.user.id), id: signed_in.user.id })
}
