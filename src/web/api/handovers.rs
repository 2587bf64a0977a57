//! `POST /api/v1/handovers`: the site's server gets a code that signs its user in here.

use actix_web::HttpResponse;
use serde::Deserialize;
use serde_json::json;

use super::site::{Site, SiteBody, external_id};
use super::{Object, created};
use crate::app::App;
use crate::app::handovers::{HandoverCode, LIFETIME};
use crate::core::api_key::Scope;
use crate::core::id::MessengerId;
use crate::core::origin::Origin;
use crate::web::http::error::Failure;
use crate::web::http::run::Asker as _;

/// The user, the messenger, and the page that may exchange the code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Make {
    external_id: String,
    messenger: Option<MessengerId>,
    /// The page's origin; without one, only an app can exchange the code.
    origin: Option<String>,
    user: Option<Object>,
}

/// Returns the code, once.
pub async fn make(SiteBody { site, body }: SiteBody<Make>) -> Result<HttpResponse, Failure> {
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
            Failure::Body(format!("origin: '{text}' is not an origin. {help}"))
        })?),
    };
    let hand_over = move |app: &App, site: &Site| {
        let user = body.user.as_ref().map(|user| &user.0);
        app.hand_over(&site.key, &id, &messenger, origin.as_ref(), user, &site.caller)
    };
    let HandoverCode { code, expires_at } = site.run(hand_over).await?;
    Ok(created(json!({ "code": code, "expires_at": expires_at, "expires_in": LIFETIME })))
}
