//! `POST /api/v1/connections`: a website's plugin sends a connection code and gets the API key for which an
//! admin has created the code.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::created;
use super::site::refuse_browsers;
use crate::app::App;
use crate::core::api_key::Scope;
use crate::web::http::client::Client;
use crate::web::http::run::Asker as _;

/// The code, and the website that sends it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Connect {
    code: String,
    /// For the audit log.
    site: Option<String>,
}

/// Returns the key, once.
pub async fn connect(
    request: HttpRequest,
    client: Client,
    payload: web::Payload,
) -> Result<HttpResponse, actix_web::Error> {
    refuse_browsers(&request)?;
    let mut payload = payload.into_inner();
    let Connect { code, site } = super::body(&request, &mut payload).await?;
    let collect = move |app: &App, client: &Client| {
        app.collect_api_key(&code, &site.unwrap_or_default(), &client.caller())
    };
    let (key, secret) = client.run(collect).await?;
    Ok(created(json!({
        "api_key": secret,
        "name": key.name,
        "scopes": key.scopes.iter().copied().map(Scope::as_str).collect::<Vec<_>>(),
        "messengers": key.messengers,
        "expires_at": key.expires_at,
    })))
}
