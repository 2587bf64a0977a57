//! `POST /api/v1/mint`: the site's server gets a token for its user, and its page gets the response as if
//! it had called the token route itself.

use actix_web::HttpResponse;
use serde::Deserialize;

use super::site::{Site, SiteBody, external_id};
use super::{Object, answer};
use crate::app::App;
use crate::app::mint::Minted;
use crate::core::api_key::Scope;
use crate::core::id::MessengerId;
use crate::web::api::token;
use crate::web::http::error::Failure;
use crate::web::http::person::wait_for_person;
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
    let (asked, wanted) = (id.clone(), messenger.clone());
    let mint = move |app: &App, site: &Site| {
        let user = body.user.as_ref().map(|user| &user.0);
        app.mint(&site.key, &asked, &wanted, user, &site.caller)
    };
    let (issued, subject) = match site.run(mint).await? {
        Minted::Token(issued, subject) => (issued, subject),
        Minted::NeedsPerson(user) => {
            wait_for_person(&site, user.clone(), messenger.clone()).await?;
            let wanted = messenger.clone();
            let again =
                move |app: &App, site: &Site| app.mint_for(&app.user_by_id(&user)?, &wanted, &site.caller);
            site.run(again).await?
        }
    };
    let mut written = token::written(&issued, subject, &site.app().messenger(&messenger)?, platform);
    // Lets a page detect a cached response for another user.
    written["external_id"] = id.as_str().into();
    Ok(answer(written))
}
