//! `/api/v1/devices…`: the sessions of native apps. An app starts one with a password or a code; later only
//! its device token identifies it, and no cookie can replace the token.

use std::future::Future;
use std::pin::Pin;

use actix_web::http::header::ORIGIN;
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::site::bearer;
use super::{answer, created, nothing};
use crate::app::devices::{Begun, LiveDevice, NewDevice};
use crate::app::handovers::Presenter;
use crate::app::login::Guess;
use crate::app::{App, Caller};
use crate::core::id::UserId;
use crate::core::messenger::Platform;
use crate::core::session::Device;
use crate::web::http::client::{Client, only_header};
use crate::web::http::error::Failure;
use crate::web::http::run::Asker;

/// How an app signs in: with login and password, or with a code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    login: Option<String>,
    password: Option<String>,
    code: Option<String>,
    name: String,
    platform: String,
}

/// `POST /api/v1/devices`
pub async fn begin(
    request: HttpRequest,
    client: Client,
    payload: web::Payload,
) -> Result<HttpResponse, actix_web::Error> {
    let mut payload = payload.into_inner();
    let origin = only_header(&request, ORIGIN).map(str::to_owned);
    let SignIn { login, password, code, name, platform } = super::body(&request, &mut payload).await?;
    let platform = Platform::parse(&platform).ok_or_else(|| {
        let words = Platform::WORDS.join(", ");
        Failure::Body(format!("platform: '{platform}' is not one of {words}."))
    })?;
    let new = NewDevice { name, platform };
    let begun = match (login, password, code) {
        (Some(login), Some(password), None) => {
            if origin.is_some() {
                return Err(Failure::Browser.into());
            }
            let log_in = move |app: &App, client: &Client| {
                app.log_in_device(&login, &password, &new, &client.network(), &client.caller())
            };
            match client.run(log_in).await? {
                Guess::Right(begun) => begun,
                Guess::Wrong => return Err(Failure::Credentials.into()),
                Guess::Wait(seconds) => return Err(Failure::TooMany(seconds).into()),
            }
        }
        (None, None, Some(code)) => {
            let log_in = move |app: &App, client: &Client| {
                let presenter = origin.as_deref().map_or(Presenter::Program, Presenter::Page);
                app.log_in_device_by_code(&code, presenter, &new, &client.caller())
            };
            client.run(log_in).await?
        }
        _ => {
            let text = "Send either 'login' and 'password', or 'code'.";
            return Err(Failure::Body(text.to_owned()).into());
        }
    };
    let Begun { device, token, expires_at } = begun;
    Ok(created(json!({ "id": device.id, "device_token": token, "expires_at": expires_at })))
}

/// An app that sends a request with its device token.
#[derive(Clone)]
pub struct Signed {
    app: App,
    user_id: UserId,
    device: Device,
    caller: Caller,
}

impl Asker for Signed {
    fn app(&self) -> &App {
        &self.app
    }
}

impl FromRequest for Signed {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let client = Client::extract(&request).await?;
            let token = bearer(&request).ok_or(Failure::DeviceToken)?.to_owned();
            let found = client.run(move |app, client| app.device(&token, &client.caller())).await?;
            let (signed_in, device) = found.ok_or(Failure::DeviceToken)?;
            Ok(Self {
                caller: client.caller().as_user(&signed_in.user.id),
                app: client.app,
                user_id: signed_in.user.id,
                device,
            })
        })
    }
}

/// `GET /api/v1/devices`: the user's devices, the most recently used first.
pub async fn list(signed: Signed) -> Result<HttpResponse, Failure> {
    let devices = signed.run(|app, signed| app.devices(&signed.user_id)).await?;
    let current = signed.device;
    let shown = |LiveDevice { device, ends_at }: LiveDevice| -> Value {
        json!({
            "id": device.id,
            "name": device.name,
            "platform": device.platform,
            "created_at": device.created_at,
            "used_at": device.used_at,
            "expires_at": ends_at,
            "current": device.id == current.id,
        })
    };
    Ok(answer(json!({ "devices": devices.into_iter().map(shown).collect::<Vec<_>>() })))
}

/// `DELETE /api/v1/devices/current`: the app signs out.
pub async fn end_current(signed: Signed) -> Result<HttpResponse, Failure> {
    signed.run(|app, signed| app.end_device(&signed.user_id, &signed.device.id, &signed.caller)).await?;
    Ok(nothing())
}

/// `DELETE /api/v1/devices/{id}`: signs out another app of the same user.
pub async fn end(signed: Signed, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    signed.run(move |app, signed| app.end_device(&signed.user_id, &id, &signed.caller)).await?;
    Ok(nothing())
}
