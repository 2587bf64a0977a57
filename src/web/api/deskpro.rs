//! `/api/v1/deskpro/{desk}/people`: Deskpro's CRM Sync calls it when a person was created, updated or deleted. It proves
//! itself with the secret of the desk, by basic authentication or in a header.

use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answer;
use super::site::refuse_browsers;
use crate::app::sync::Presented;
use crate::core::id::DeskId;
use crate::core::person_event::PersonEvent;
use crate::web::http::client::{Client, only_header};
use crate::web::http::error::Failure;
use crate::web::http::run::Asker as _;

/// The maximum body (bytes).
pub const LONGEST: usize = 64 << 10;
/// The header with the secret, if a proxy in front of Countersign uses `Authorization` itself.
pub const HEADER: &str = "X-Countersign-Secret";

/// Notes that people have changed. The answer is the same whether or not they are users here.
pub async fn person(
    request: HttpRequest,
    desk: web::Path<DeskId>,
    client: Client,
    payload: web::Payload,
) -> Result<HttpResponse, actix_web::Error> {
    refuse_browsers(&request)?;
    let (desk, presented) = (desk.into_inner(), presented(&request));
    let id = desk.clone();
    if !client.run(move |app, _| app.is_call_allowed(&id, &presented)).await? {
        return Err(Failure::WebhookSecret.into());
    }
    let body = web::Bytes::from_request(&request, &mut payload.into_inner()).await?;
    // Whatever it says that it is.
    let event = serde_json::from_slice(&body).ok().as_ref().and_then(PersonEvent::read).ok_or_else(|| {
        Failure::Body(
            "Send the person as JSON, with its id: {\"id\": 82, \"primary_email\": \"ada@example.com\"}."
                .into(),
        )
    })?;
    let shown = event.ids.first().map_or(Value::Null, |id| json!(id.to_string()));
    let shown = if shown.is_null() { json!(event.addresses.first()) } else { shown };
    client.run(move |app, _| app.person_changed(&desk, &event)).await?;
    Ok(answer(json!({ "id": shown })))
}

fn presented(request: &HttpRequest) -> Presented {
    let basic = only_header(request, AUTHORIZATION)
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Into::into);
    let header =
        request.headers().get(HEADER).and_then(|value| value.to_str().ok()).map(|value| value.trim().into());
    Presented { basic, header }
}
