//! `POST /api/v1/connections`: a website's plugin sends a connection code and gets the API key that an admin has made
//! the code for.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::created;
use super::site::refuse_browsers;
use crate::app::App;
use crate::core::api_key::Scope;
use crate::web::http::blocking::blocking;
use crate::web::http::client::Client;

/// The code, and which website sends it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Connect {
    code: String,
    /// For the audit.
    site: Option<String>,
}

/// Answers the key, once.
pub async fn connect(
    request: HttpRequest,
    app: web::Data<App>,
    client: Client,
    payload: web::Payload,
) -> Result<HttpResponse, actix_web::Error> {
    refuse_browsers(&request)?;
    let mut payload = payload.into_inner();
    let Connect { code, site } = super::body(&request, &mut payload).await?;
    let (state, caller) = (app.get_ref().clone(), client.caller());
    let (key, secret) =
        blocking(move || state.collect_api_key(&code, &site.unwrap_or_default(), &caller)).await?;
    Ok(created(json!({
        "api_key": secret,
        "name": key.name,
        "scopes": key.scopes.iter().copied().map(Scope::as_str).collect::<Vec<_>>(),
        "messengers": key.messengers,
        "expires_at": key.expires_at,
    })))
}
