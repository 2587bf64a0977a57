//! `GET /api/v1/token`: a fresh token for whoever the session cookie or the device token belongs to.
//! On a slim chain: the cookie is read here, without the pages' session layer. Pages of allowed
//! origins may ask (`cors`).

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::site::bearer;
use super::client::{Client, header};
use super::error::Failure;
use super::{hop, session};
use crate::app::messengers::DEFAULT;
use crate::app::tokens::Issued;
use crate::app::{App, AppError};
use crate::core::messenger::{Messenger, Platform};

/// What may be asked for.
#[derive(Deserialize)]
pub struct Query {
    messenger: Option<String>,
    #[serde(default)]
    optional: String,
    platform: Option<String>,
}

/// Answers a token, 401 when nobody is signed in (204 with `?optional=1`), or 403 with the reason
/// why this user gets none.
pub async fn show(
    request: HttpRequest,
    app: web::Data<App>,
    client: Client,
    query: web::Query<Query>,
) -> Result<HttpResponse, Failure> {
    let Query { messenger, optional, platform } = query.into_inner();
    let platform = platform.map(|word| read_platform(&word)).transpose()?.flatten();
    let wanted = messenger.unwrap_or_else(|| DEFAULT.to_owned());
    let messenger = app.messenger(&wanted)?;
    // Other schemes are for a proxy in front of us.
    if let Some(token) = bearer(&request) {
        let token = token.to_owned();
        let (state, caller) = (app.get_ref().clone(), client.caller());
        let answer = hop(move || {
            let Some((signed_in, device)) = state.device(&token, &caller)? else { return Ok(None) };
            state.ask_token(&token)?;
            let user = &signed_in.user;
            let caller = caller.as_user(&user.id);
            let issued = state.issue_token(user, &messenger.id, Some(signed_in.ends_at), &caller)?;
            let subject = state.subject(user, &messenger.id);
            let platform = platform.or_else(|| Platform::parse(&device.platform));
            Ok::<_, AppError>(Some(written(&issued, &subject, &messenger, platform)))
        });
        let answer = answer.await?.ok_or(Failure::DeviceToken)?;
        return Ok(HttpResponse::Ok().json(answer));
    }
    let reference = session::reference(&request, &app);
    let cross_site = reference.is_none() && header(&request, "sec-fetch-site") == Some("cross-site");
    let (state, caller, id) = (app.get_ref().clone(), client.caller(), messenger.id.clone());
    let answer = match reference {
        None => None,
        Some(reference) => {
            hop(move || {
                let Some(signed_in) = state.session(&reference)? else { return Ok(None) };
                state.ask_token(&reference)?;
                let user = &signed_in.user;
                let caller = caller.as_user(&user.id);
                let issued = state.issue_token(user, &id, Some(signed_in.ends_at), &caller)?;
                Ok::<_, AppError>(Some((issued, state.subject(user, &id))))
            })
            .await?
        }
    };
    match answer {
        Some((issued, subject)) => {
            Ok(HttpResponse::Ok().json(written(&issued, &subject, &messenger, platform)))
        }
        None if optional == "1" => Ok(HttpResponse::NoContent().finish()),
        None => Err(Failure::SignedOut { cross_site, messenger: Some(describe(&messenger, platform)) }),
    }
}

/// The platform that a request names; `web` is none of an app's.
pub fn read_platform(word: &str) -> Result<Option<Platform>, Failure> {
    match word {
        "web" => Ok(None),
        _ => Platform::parse(word).map(Some).ok_or_else(|| {
            let words = Platform::WORDS.join(", ");
            Failure::Body(format!("platform: '{word}' is none of web, {words}."))
        }),
    }
}

/// A token as every door answers it.
pub fn written(issued: &Issued, subject: &str, messenger: &Messenger, platform: Option<Platform>) -> Value {
    json!({
        "token": issued.token,
        "expires_at": issued.expires_at,
        "expires_in": issued.expires_in(),
        "refresh_in": issued.refresh_in(),
        "server_time": issued.server_time,
        "subject": subject,
        "messenger": describe(messenger, platform),
    })
}

/// What a page or an app needs to show a messenger.
fn describe(messenger: &Messenger, platform: Option<Platform>) -> Value {
    let script = messenger.deployment.as_ref().map(|deployment| deployment.init_script_url.as_str());
    let place = messenger.place(platform);
    json!({
        "id": messenger.id,
        "init_script_url": script,
        "deskpro_url": place.map(|(url, _)| url.as_str()),
        "messenger_id": place.map(|(_, id)| id),
        "options": messenger.options,
        "anonymous": messenger.anonymous.as_str(),
    })
}
