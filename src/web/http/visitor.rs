//! The visitor of a page: who is signed in, and which cookie the visitor's forms belong to.

use std::borrow::Cow;
use std::ops::Deref;

use actix_session::{Session, SessionExt};
use actix_web::cookie::Cookie;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, dev};

use crate::app::clock;
use crate::core::session::Reference;
use crate::web::http::client::Client;
use crate::web::http::cookies::{self, form_cookie_name, session_cookie_name};
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::public::cookie;
use crate::web::http::session::{Visit, reference};

/// The visitor of a page, signed in or not: the only way for handlers to access the session.
pub struct Visitor {
    /// The visitor's request.
    pub client: Client,
    /// Who is signed in.
    pub visit: Option<Visit>,
    /// The secret of the session's cookie, also of a session that is over.
    pub reference: Option<Reference>,
    session: Session,
    /// The value of the cookie that the visitor's form must belong to, if there is one.
    presented: Option<String>,
}

impl Deref for Visitor {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl FromRequest for Visitor {
    type Error = Failure;
    type Future = std::future::Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let client = match Client::from_request(request, payload).into_inner() {
            Ok(client) => client,
            Err(error) => return std::future::ready(Err(error)),
        };
        let session = request.get_session();
        let (visit, reference) = (Visit::of(&session), reference(request, &client.app));
        if let Some(visit) = &visit {
            request.extensions_mut().insert(visit.clone());
        }
        // The session's cookie while the session is active, otherwise the form's cookie.
        let app = &client.app;
        let name = if visit.is_some() { session_cookie_name(app) } else { form_cookie_name(app) };
        let presented = cookies::only(request.headers(), &name).filter(|value| value.len() >= 32);
        let presented = presented.map(Cow::into_owned);
        std::future::ready(Ok(Self { client, visit, reference, session, presented }))
    }
}

impl Visitor {
    /// The value of the cookie that the visitor's form must belong to.
    pub fn presented(&self) -> Option<&str> {
        self.presented.as_deref()
    }

    /// The page that the visitor sees.
    pub fn page(&self) -> Page {
        Page::new(self.visit.as_ref(), &self.client)
    }

    /// A page with a form, and the cookie to set with it.
    pub fn with_form(&self, page: Page) -> (Page, FormCookie) {
        let app = &self.client.app;
        if let Some(value) = self.presented() {
            return (page.with_form(app, value), FormCookie(None));
        }
        let value = clock::new_secret();
        (page.with_form(app, &value), FormCookie(Some(cookie(app, form_cookie_name(app), value))))
    }

    /// Removes the session and its cookie. The use case ends the row.
    pub fn sign_out(&self) {
        self.session.purge();
    }
}

/// The cookie to which forms belong while no user is signed in, if it is new.
#[must_use]
pub struct FormCookie(Option<Cookie<'static>>);

impl FormCookie {
    /// Sets it. If that fails, the page is sent anyway and its form is refused.
    pub fn set(self, response: &mut HttpResponse) {
        if let Some(cookie) = self.0
            && let Err(error) = response.add_cookie(&cookie)
        {
            tracing::error!(%error, "the form's cookie was not set");
        }
    }
}
