//! `/api/v1/devices…`: the sign-ins of native apps. An app begins one by a password or a code; later
//! it is known by its device token alone, and no cookie stands in for that.

use std::future::Future;
use std::pin::Pin;

use actix_web::http::header::ORIGIN;
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::site::bearer;
use super::{answer, created, nothing};
use crate::app::devices::{Begun, NewDevice};
use crate::app::handovers::Presenter;
use crate::app::login::Guess;
use crate::app::{App, Caller};
use crate::core::id::UserId;
use crate::core::messenger::Platform;
use crate::store::devices::Device;
use crate::web::http::blocking::blocking;
use crate::web::http::client::{Client, only_header};
use crate::web::http::error::Failure;

/// How an app signs in: by login and password, or by a code.
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
    app: web::Data<App>,
    client: Client,
    payload: web::Payload,
) -> Result<HttpResponse, actix_web::Error> {
    let mut payload = payload.into_inner();
    let origin = only_header(&request, ORIGIN).map(str::to_owned);
    let SignIn { login, password, code, name, platform } = super::body(&request, &mut payload).await?;
    let platform = Platform::parse(&platform).ok_or_else(|| {
        let words = Platform::WORDS.join(", ");
        Failure::Body(format!("platform: '{platform}' is none of {words}."))
    })?;
    let new = NewDevice { name, platform };
    let (state, network, caller) = (app.get_ref().clone(), client.network(), client.caller());
    let begun = match (login, password, code) {
        (Some(login), Some(password), None) => {
            if origin.is_some() {
                return Err(Failure::Browser.into());
            }
            let guess =
                blocking(move || state.log_in_device(&login, &password, &new, &network, &caller)).await?;
            match guess {
                Guess::Right(begun) => begun,
                Guess::Wrong => return Err(Failure::Credentials.into()),
                Guess::Wait(seconds) => return Err(Failure::TooMany(seconds).into()),
            }
        }
        (None, None, Some(code)) => {
            blocking(move || {
                let presenter = origin.as_deref().map_or(Presenter::Program, Presenter::Page);
                state.log_in_device_by_code(&code, presenter, &new, &caller)
            })
            .await?
        }
        _ => {
            let text = "Send either 'login' and 'password', or 'code'.";
            return Err(Failure::Body(text.to_owned()).into());
        }
    };
    let Begun { device, token, expires_at } = begun;
    Ok(created(json!({ "id": device.id, "device_token": token, "expires_at": expires_at })))
}

/// An app that asks with its device token.
pub struct Signed {
    app: App,
    user_id: UserId,
    device: Device,
    caller: Caller,
}

impl FromRequest for Signed {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let client = Client::extract(&request).await?;
            let app = web::Data::<App>::extract(&request).await?;
            let token = bearer(&request).ok_or(Failure::DeviceToken)?.to_owned();
            let (state, caller) = (app.get_ref().clone(), client.caller());
            let asked = caller.clone();
            let found = blocking(move || state.device(&token, &asked)).await?;
            let (signed_in, device) = found.ok_or(Failure::DeviceToken)?;
            Ok(Self {
                app: app.get_ref().clone(),
                caller: caller.as_user(&signed_in.user.id),
                user_id: signed_in.user.id,
                device,
            })
        })
    }
}

/// `GET /api/v1/devices`: the user's, the last used first.
pub async fn list(signed: Signed) -> Result<HttpResponse, Failure> {
    let Signed { app, user_id, device: current, .. } = signed;
    let devices = blocking(move || app.devices(&user_id)).await?;
    let shown = |(device, ends_at): (Device, i64)| -> Value {
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
    let Signed { app, user_id, device, caller } = signed;
    blocking(move || app.end_device(&user_id, &device.id, &caller)).await?;
    Ok(nothing())
}

/// `DELETE /api/v1/devices/{id}`: another app of the same user is signed out.
pub async fn end(signed: Signed, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    let Signed { app, user_id, caller, .. } = signed;
    blocking(move || app.end_device(&user_id, &id, &caller)).await?;
    Ok(nothing())
}
