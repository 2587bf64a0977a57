//! Forms that were proved to come from our own pages. A handler that changes something takes one
//! of these and nothing else, so it cannot forget to ask.

use std::pin::Pin;

use actix_web::http::header::ORIGIN;
use actix_web::{FromRequest, HttpRequest, dev, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::{Client, only_header};
use super::error::Failure;
use super::session::{FormCookie, Visitor};
use crate::app::App;
use crate::core::csrf;

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
    /// Elsewhere.
    Foreign,
}

impl<T> Posted<T> {
    /// The same, or the failure of a form that is not ours.
    pub fn proved(self) -> Result<Self, Failure> {
        if self.proof == Proof::Ours { Ok(self) } else { Err(Failure::Form) }
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
            let client = Client::extract(&request).await?;
            let app = web::Data::<App>::extract(&request).await?;
            let WithToken { csrf_token, form } = body.await?.into_inner();
            let origin_fits = csrf::is_own_origin(
                only_header(&request, ORIGIN),
                only_header(&request, "sec-fetch-site"),
                client.origin(),
            );
            let cookie = FormCookie::presented(&request, &app, &visitor);
            let token_fits = cookie.is_some_and(|cookie| csrf::verify(app.csrf_key(), &cookie, &csrf_token));
            let proof = match (origin_fits, token_fits) {
                (true, true) => Proof::Ours,
                (true, false) => Proof::Late,
                (false, _) => Proof::Foreign,
            };
            Ok(Self { form, visitor, proof })
        })
    }
}
