//! `POST /api/v1/handovers`: the site's server fetches a code by which its user is signed in here.

use actix_web::HttpResponse;
use serde::Deserialize;
use serde_json::json;

use super::site::{SiteAsked, external_id};
use super::{Object, created};
use crate::app::handovers::LIFETIME;
use crate::core::api_key::Scope;
use crate::core::id::MessengerId;
use crate::core::origin::Origin;
use crate::web::http::blocking::blocking;
use crate::web::http::error::Failure;

/// Whom, for which messenger, and which page may swap the code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Make {
    external_id: String,
    messenger: Option<MessengerId>,
    /// The page's origin; without one, an app alone swaps the code.
    origin: Option<String>,
    user: Option<Object>,
}

/// Answers the code, once.
pub async fn make(asked: SiteAsked<Make>) -> Result<HttpResponse, Failure> {
    let SiteAsked { site, body } = asked;
    site.ensure(Scope::Handovers)?;
    if body.user.is_some() {
        site.ensure(Scope::Users)?;
    }
    let id = external_id(&body.external_id)?;
    let messenger = site.messenger(body.messenger)?;
    let origin = match body.origin {
        None => None,
        Some(text) => Some(Origin::parse(&text).ok_or_else(|| {
            let help = "Write it as browsers do: https://www.example.com, without a path.";
            Failure::Body(format!("origin: '{text}' is no origin. {help}"))
        })?),
    };
    let (code, expires_at) = blocking(move || {
        let user = body.user.as_ref().map(|user| &user.0);
        site.app.hand_over(&site.key, &id, &messenger, origin.as_ref(), user, &site.caller)
    })
    .await?;
    Ok(created(json!({ "code": code, "expires_at": expires_at, "expires_in": LIFETIME })))
}
