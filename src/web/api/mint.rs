//! `POST /api/v1/mint`: the site's server gets a token for its user, and its page gets the response as if
//! it had called the token route itself.

use actix_web::HttpResponse;
use serde::Deserialize;

use super::site::{Site, SiteBody, external_id};
use super::{Object, answer};
use crate::app::{App, AppError};
use crate::core::api_key::Scope;
use crate::core::id::MessengerId;
use crate::web::api::token;
use crate::web::http::error::Failure;
use crate::web::http::run::Asker as _;

/// Whose token, for which messenger, and what the site knows about the user.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mint {
    external_id: String,
    messenger: Option<MessengerId>,
    platform: Option<String>,
    user: Option<Object>,
}

/// Returns a token, or 403 with the reason why this user gets none.
pub async fn mint(SiteBody { site, body }: SiteBody<Mint>) -> Result<HttpResponse, Failure> {
    site.ensure(Scope::Mint)?;
    if body.user.is_some() {
        site.ensure(Scope::Users)?;
    }
    let id = external_id(&body.external_id)?;
    let messenger = site.messenger(body.messenger)?;
    let platform = body.platform.map(|word| token::read_platform(&word)).transpose()?.flatten();
    let mint = move |app: &App, site: &Site| {
        let user = body.user.as_ref().map(|user| &user.0);
        let (issued, subject) = app.mint(&site.key, &id, &messenger, user, &site.caller)?;
        let mut answer = token::written(&issued, subject, &app.messenger(&messenger)?, platform);
        // Lets a page detect a cached response for another user.
        answer["external_id"] = id.as_str().into();
        Ok::<_, AppError>(answer)
    };
    Ok(answer(site.run(mint).await?))
}
