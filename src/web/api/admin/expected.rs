//! `/api/v1/admin/mapping/expected…`: what a mapping must produce for some users.

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use super::{Admin, AdminBody, answer, nothing};
use crate::app::{App, AppError};
use crate::core::mapping::Expected;
use crate::core::user::Login;
use crate::web::http::error::Failure;
use crate::web::http::run::Asker as _;

/// `GET …/mapping/expected`, sorted by login.
pub async fn list(admin: Admin) -> Result<HttpResponse, Failure> {
    let kept = admin.run(move |app, admin| app.expected(&admin.messenger)).await?;
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
pub async fn put(
    name: web::Path<String>,
    AdminBody { admin, body }: AdminBody<Map<String, Value>>,
) -> Result<HttpResponse, Failure> {
    let work = move |app: &App, admin: &Admin| {
        let expected = Expected::read(&body).map_err(AppError::Refused)?;
        app.expect(&admin.messenger, &login(&name)?, &expected, &admin.caller)
    };
    admin.run(work).await?;
    Ok(nothing())
}

/// `DELETE …/mapping/expected/{login}`
pub async fn remove(admin: Admin, name: web::Path<String>) -> Result<HttpResponse, Failure> {
    admin.run(move |app, admin| app.stop_expecting(&admin.messenger, &login(&name)?, &admin.caller)).await?;
    Ok(nothing())
}
