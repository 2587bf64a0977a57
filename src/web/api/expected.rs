//! `/api/v1/admin/mapping/expected…`: what a mapping must make of some users.

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use super::{Asked, Asking, Which, answer, nothing};
use crate::app::{App, AppError};
use crate::core::mapping::Expected;
use crate::core::user::Login;
use crate::web::error::Failure;
use crate::web::hop;

/// `GET …/mapping/expected`, by login.
pub async fn list(app: web::Data<App>, _: Asking, which: web::Query<Which>) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    let kept = hop(move || state.expected(&messenger)).await?;
    let lines = kept.into_iter().map(|(user, expected)| {
        let mut line = expected.write();
        line["login"] = json!(user.login.as_str());
        line
    });
    Ok(answer(json!({ "expected": lines.collect::<Vec<_>>() })))
}

fn login(text: &str) -> Result<Login, AppError> {
    Login::parse(text).map_err(|error| AppError::Refused(error.to_string()))
}

/// `PUT …/mapping/expected/{login}`: `{"payload": {…}}` or `{"refused": "code"}`.
pub async fn put(
    app: web::Data<App>,
    which: web::Query<Which>,
    name: web::Path<String>,
    asked: Asked<Map<String, Value>>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    hop(move || {
        let expected = Expected::read(&asked.body).map_err(AppError::Refused)?;
        state.expect(&messenger, &login(&name)?, &expected, &asked.admin.caller)
    })
    .await?;
    Ok(nothing())
}

/// `DELETE …/mapping/expected/{login}`
pub async fn remove(
    app: web::Data<App>,
    admin: Asking,
    which: web::Query<Which>,
    name: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    hop(move || state.stop_expecting(&messenger, &login(&name)?, &admin.caller)).await?;
    Ok(nothing())
}
