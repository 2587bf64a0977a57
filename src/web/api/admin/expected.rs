//! `/api/v1/admin/mapping/expected…`: what a mapping must make of some users.

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use super::{Asked, Asking, answer, nothing};
use crate::app::AppError;
use crate::core::mapping::Expected;
use crate::core::user::Login;
use crate::web::http::blocking::blocking;
use crate::web::http::error::Failure;

/// `GET …/mapping/expected`, by login.
pub async fn list(admin: Asking) -> Result<HttpResponse, Failure> {
    let kept = blocking(move || admin.app.expected(&admin.messenger)).await?;
    let lines = kept.into_iter().map(|(user, expected)| {
        let mut line = expected.write();
        line["login"] = json!(user.login.as_str());
        line
    });
    Ok(answer(json!({ "expected": lines.collect::<Vec<_>>() })))
}

fn login(text: &str) -> Result<Login, AppError> {
    Login::known(text).map_err(|error| AppError::Refused(error.to_string()))
}

/// `PUT …/mapping/expected/{login}`: `{"payload": {…}}` or `{"refused": "code"}`.
pub async fn put(name: web::Path<String>, asked: Asked<Map<String, Value>>) -> Result<HttpResponse, Failure> {
    let Asked { admin, body } = asked;
    blocking(move || {
        let expected = Expected::read(&body).map_err(AppError::Refused)?;
        admin.app.expect(&admin.messenger, &login(&name)?, &expected, &admin.caller)
    })
    .await?;
    Ok(nothing())
}

/// `DELETE …/mapping/expected/{login}`
pub async fn remove(admin: Asking, name: web::Path<String>) -> Result<HttpResponse, Failure> {
    blocking(move || admin.app.stop_expecting(&admin.messenger, &login(&name)?, &admin.caller)).await?;
    Ok(nothing())
}
