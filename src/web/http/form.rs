//! Forms that were proved to come from our own pages. A handler that changes something takes one
//! of these and nothing else, so it cannot forget to ask.

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

/// A request's body is at most this long (bytes); forms here are a few hundred.
pub const LONGEST_BODY: usize = 64 * 1024;

/// A form with its visitor.
pub struct Posted<T> {
    /// What was typed.
    pub form: T,
    /// Who typed it.
    pub visitor: Visitor,
    /// Whether it came from our own page. A handler that can show its form again asks; others
    /// call [`Posted::proved`].
    pub proof: Proof,
}

/// Where a form came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Our own page, shown in this sign-in.
    Ours,
    /// Our own origin, but the page was shown in another sign-in or its cookie is gone.
    Late,
    /// Elsewhere, or nobody can say.
    Refused(FormRefusal),
}

impl<T> Posted<T> {
    /// The same, or the failure of a form that is not ours.
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
                // Also where the token fits: the sign-in would be none at the next request.
                Ok(()) if cookies::is_doubled(&request) => Proof::Refused(FormRefusal::Cookies),
                Ok(()) if token_fits => Proof::Ours,
                Ok(()) => Proof::Late,
            };
            Ok(Self { form, visitor, proof })
        })
    }
}

/// Whether the headers of a request let it come from our own pages. What speaks against it is logged.
pub fn own_page(request: &HttpRequest, client: &Client) -> Result<(), Stranger> {
    static TOLD: AtomicBool = AtomicBool::new(false);
    let (origin, site) = (only_header(request, ORIGIN), only_header(request, "sec-fetch-site"));
    let own = client.origin();
    let judged = csrf::judge_origin(origin, site, own);
    let shown = origin.unwrap_or_default();
    match judged {
        Ok(()) => {}
        Err(Stranger::Address) if !TOLD.swap(true, Ordering::Relaxed) => {
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
