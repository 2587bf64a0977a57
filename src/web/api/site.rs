//! The site's own server, identified by an API key. Every handler for it takes a [`Site`] or a
//! [`SiteBody`], so that it cannot forget to check the key.
//!
//! Never a browser: any visitor can read a key in a page. Browsers send headers that a server does not
//! send, and a request with one of them is refused, whatever its key.

use std::future::Future;
use std::pin::Pin;

use actix_web::http::header::{AUTHORIZATION, ORIGIN};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev};
use serde::de::DeserializeOwned;

use crate::app::api_keys::KeyRefusal;
use crate::app::{App, Caller};
use crate::core::api_key::{ApiKey, Scope};
use crate::core::id::{MessengerId, join_ids};
use crate::core::user::ExternalId;
use crate::web::http::client::{Client, only_header};
use crate::web::http::error::Failure;
use crate::web::http::run::Asker;

/// A site's server that sends a request.
#[derive(Clone)]
pub struct Site {
    /// The product.
    pub app: App,
    /// Its key.
    pub key: ApiKey,
    /// For the audit log and logs.
    pub caller: Caller,
}

/// A site's server that sends a request with a JSON body.
pub struct SiteBody<T> {
    /// The server.
    pub site: Site,
    /// The body.
    pub body: T,
}

/// The maximum body (bytes): a user's attributes as they are stored, and as JSON encodes them.
pub const LONGEST: usize = 4 * crate::core::attribute::MAX_USER_BYTES;

type Answered<T> = Pin<Box<dyn Future<Output = Result<T, actix_web::Error>>>>;

impl Asker for Site {
    fn app(&self) -> &App {
        &self.app
    }
}

impl FromRequest for Site {
    type Error = actix_web::Error;
    type Future = Answered<Self>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(admit(&request).await?) })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for SiteBody<T> {
    type Error = actix_web::Error;
    type Future = Answered<Self>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let site = admit(&request).await?;
            let body = super::body(&request, &mut payload).await?;
            Ok(Self { site, body })
        })
    }
}

/// Refuses requests from browsers: any visitor can read a key in a page.
pub fn refuse_browsers(request: &HttpRequest) -> Result<(), Failure> {
    // Not `Sec-Fetch-Mode`: `fetch` in Node sends it, too.
    let headers = request.headers();
    let is_browser = headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site");
    if is_browser { Err(Failure::Browser) } else { Ok(()) }
}

async fn admit(request: &HttpRequest) -> Result<Site, Failure> {
    refuse_browsers(request)?;
    let client = Client::extract(request).await?;
    let presented = bearer(request).ok_or(Failure::Key(KeyRefusal::Missing))?.to_owned();
    let key = client.run(move |app, _| app.api_key(&presented)).await?.map_err(Failure::Key)?;
    Ok(Site { caller: client.caller().by_key(&key), app: client.app, key })
}

/// The value of `Authorization: Bearer …`, if that header came once (RFC 6750 section 2.1).
pub fn bearer(request: &impl HttpMessage) -> Option<&str> {
    let (scheme, credentials) = only_header(request, AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(credentials.trim()).filter(|text| !text.is_empty())
}

impl Site {
    /// Continues only if the key may do this.
    pub fn ensure(&self, scope: Scope) -> Result<(), Failure> {
        if self.key.may(scope) {
            return Ok(());
        }
        let scopes: Vec<&str> = Scope::ALL
            .into_iter()
            .filter(|known| self.key.may(*known) || *known == scope)
            .map(Scope::as_str)
            .collect();
        Err(Failure::Scope(format!(
            "This API key is not allowed to do that: it has no scope '{}'. {}",
            scope.as_str(),
            Self::another(&scopes, &self.key.messengers)
        )))
    }

    /// How to create a key that is allowed to do what this one is not.
    fn another(scopes: &[&str], messengers: &[MessengerId]) -> String {
        format!(
            "Create one in the console, or with `countersign api-key create NAME --scope {} --messenger {}`.",
            scopes.join(","),
            join_ids(messengers, ",")
        )
    }

    /// The messenger that was named, or the key's own if none was; only a messenger that the key is for.
    pub fn messenger(&self, named: Option<MessengerId>) -> Result<MessengerId, Failure> {
        let messenger = match (named, self.key.messengers.as_slice()) {
            (Some(named), _) => named,
            (None, [only]) => only.clone(),
            (None, _) => MessengerId::default(),
        };
        self.app.messenger(&messenger)?;
        if self.key.may_use(&messenger) {
            return Ok(messenger);
        }
        let scopes: Vec<&str> = self.key.scopes.iter().map(|scope| scope.as_str()).collect();
        let messengers = [self.key.messengers.clone(), vec![messenger.clone()]].concat();
        let another = Self::another(&scopes, &messengers);
        Err(Failure::KeyMessenger(format!("This API key is not for the messenger '{messenger}'. {another}")))
    }
}

/// The site's own user ID, as a request names it.
pub fn external_id(text: &str) -> Result<ExternalId, Failure> {
    ExternalId::parse(text).map_err(|what| Failure::Body(what.to_owned()))
}
