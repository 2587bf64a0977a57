//! Forms that are proved to come from our own pages. A handler that changes something takes one of these
//! and nothing else, so it cannot forget the check.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::header::ORIGIN;
use actix_web::{FromRequest, HttpRequest, dev, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::core::csrf::{self, Stranger};
use crate::web::http::client::{Client, only_header};
use crate::web::http::cookies;
use crate::web::http::error::{Failure, FormRefusal};
use crate::web::http::visitor::Visitor;

/// The maximum length of a request's body (bytes); our forms have a few hundred bytes.
pub const LONGEST_BODY: usize = 64 * 1024;

/// A form with its visitor.
pub struct Posted<T> {
    /// The values that were typed.
    pub form: T,
    /// The visitor who typed them.
    pub visitor: Visitor,
    /// Whether it came from our own page. A handler that can show its form again checks this; other
    /// handlers call [`Posted::proved`].
    pub proof: Proof,
}

/// Where a form came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Our own page, shown in this session.
    Ours,
    /// Our own origin, but the page was shown in another session, or its cookie no longer exists.
    Late,
    /// From another site, or unknown.
    Refused(FormRefusal),
}

impl<T> Posted<T> {
    /// Returns itself, or the failure for a form that is not ours.
    pub fn proved(self) -> Result<Self, Failure> {
        match self.proof {
            Proof::Ours => Ok(self),
            Proof::Late => Err(Failure::Form(FormRefusal::Late)),
            Proof::Refused(why) => Err(Failure::Form(why)),
        }
    }
}

#[derive(Deserialize)]
struct WithToken<T> {
    #[serde(default)]
    csrf_token: String,
    #[serde(flatten)]
    form: T,
}

impl<T: DeserializeOwned + 'static> FromRequest for Posted<T> {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let body = web::Form::<WithToken<T>>::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let visitor = Visitor::extract(&request).await?;
            let WithToken { csrf_token, form } = body.await?.into_inner();
            let key = visitor.app.csrf_key();
            let token_fits = visitor.presented().is_some_and(|cookie| csrf::verify(key, cookie, &csrf_token));
            let proof = match own_page(&request, &visitor) {
                Err(Stranger::Address) => Proof::Refused(FormRefusal::Address),
                Err(Stranger::Origin | Stranger::FetchSite) => Proof::Refused(FormRefusal::Foreign),
                // Also if the token matches: the session would not be accepted at the next request.
                Ok(()) if cookies::is_doubled(&request) => Proof::Refused(FormRefusal::Cookies),
                Ok(()) if token_fits => Proof::Ours,
                Ok(()) => Proof::Late,
            };
            Ok(Self { form, visitor, proof })
        })
    }
}

/// Whether a request's headers allow that it comes from our own pages. A header that contradicts this is
/// logged.
pub fn own_page(request: &HttpRequest, client: &Client) -> Result<(), Stranger> {
    static WARNED: AtomicBool = AtomicBool::new(false);
    let (origin, site) = (only_header(request, ORIGIN), only_header(request, "sec-fetch-site"));
    let own = client.origin();
    let judged = csrf::judge_origin(origin, site, own);
    let shown = origin.unwrap_or_default();
    match judged {
        Ok(()) => {}
        Err(Stranger::Address) if !WARNED.swap(true, Ordering::Relaxed) => {
            tracing::warn!(
                "Origin {shown} is not {own}: set COUNTERSIGN_PUBLIC_URL to the address that people use"
            );
        }
        Err(stranger) => {
            let header = if stranger == Stranger::FetchSite { "Sec-Fetch-Site" } else { "Origin" };
            let request_id = client.request_id();
            let site = site.unwrap_or_default();
            tracing::info!(request_id, header, origin = shown, site, own, "a cross-site request was refused");
        }
    }
    judged
}
