//! `/api/v1/admin/mapping…`: the published mapping, its versions, and what another mapping would produce.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Admin, AdminBody, answer, created};
use crate::app::history::Published;
use crate::app::{App, AppError};
use crate::core::mapping::Version;
use crate::core::user::Login;
use crate::web::http::error::Failure;
use crate::web::http::run::Asker as _;

/// A version as the API returns it.
fn shown(app: &App, version: &Version) -> Value {
    json!({
        "version": version.number,
        "text": version.text,
        "by": app.actor_name(&version.author),
        "reason": version.reason,
        "at": version.created_at,
    })
}

/// `GET …/mapping`: the published mapping; version 0 is the starter mapping, before anything was published.
pub async fn show(admin: Admin) -> Result<HttpResponse, Failure> {
    let work = move |app: &App, admin: &Admin| {
        Ok::<_, AppError>(match app.published_mapping(&admin.messenger)? {
            Some(version) => shown(app, &version),
            None => json!({ "version": 0, "text": crate::app::mapping::STARTER }),
        })
    };
    Ok(answer(admin.run(work).await?))
}

/// A mapping to publish.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    text: String,
    #[serde(default)]
    reason: String,
    /// The version that it is based on.
    base: Option<i64>,
}

/// `POST …/mapping`: publishes a mapping as the next version.
pub async fn publish(AdminBody { admin, body }: AdminBody<Publish>) -> Result<HttpResponse, Failure> {
    let work = move |app: &App, admin: &Admin| {
        let Publish { text, reason, base } = body;
        match app.publish_mapping_after(&admin.messenger, &text, base, &reason, &admin.caller) {
            Ok((version, checked)) => Ok(json!({ "version": version.number, "findings": checked.findings })),
            Err(AppError::MappingMoved(theirs)) => Err(Failure::MappingMoved { theirs, yours: text }),
            Err(error) => Err(error.into()),
        }
    };
    Ok(created(admin.run(work).await?))
}

/// A mapping to check.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    text: String,
}

/// `POST …/mapping/check`: everything that is wrong with a mapping, and warnings about it.
pub async fn check(AdminBody { admin, body }: AdminBody<Text>) -> Result<HttpResponse, Failure> {
    let work = move |app: &App, admin: &Admin| {
        let checked = app.check_mapping(&admin.messenger, &body.text)?;
        let unexpected = match &checked.mapping {
            Some(mapping) => app.unexpected(&admin.messenger, mapping.clone())?,
            None => Vec::new(),
        };
        Ok::<_, AppError>(json!({ "findings": checked.findings, "unexpected": unexpected }))
    };
    Ok(answer(admin.run(work).await?))
}

/// Whose token to preview, and with which mapping.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preview {
    login: String,
    /// Replaces the published mapping.
    text: Option<String>,
}

/// `POST …/mapping/preview`: header, claims and trace, never a signature.
pub async fn preview(AdminBody { admin, body }: AdminBody<Preview>) -> Result<HttpResponse, Failure> {
    let work = move |app: &App, admin: &Admin| {
        let Preview { login, text } = body;
        let login = Login::known(&login).map_err(|error| AppError::Refused(error.to_string()))?;
        let user = app.user(&login)?;
        let draft = match text {
            None => None,
            Some(text) => {
                let (checked, _) = app.judge_draft(&admin.messenger, &text)?;
                Some(checked.mapping.ok_or(AppError::Mapping(checked.findings))?)
            }
        };
        Ok::<_, AppError>(app.issuer(&admin.messenger, draft)?.preview(&user))
    };
    Ok(answer(admin.run(work).await?))
}

/// `GET …/mapping/versions`: newest first, without their texts.
pub async fn versions(admin: Admin) -> Result<HttpResponse, Failure> {
    let work = move |app: &App, admin: &Admin| {
        let published = app.mapping_history(&admin.messenger)?;
        let lines = published.iter().map(|Published { version, author, changes }| {
            json!({
                "version": version.number,
                "by": author,
                "reason": version.reason,
                "at": version.created_at,
                "changes": changes,
            })
        });
        Ok::<_, AppError>(json!({ "versions": lines.collect::<Vec<_>>() }))
    };
    Ok(answer(admin.run(work).await?))
}

/// `GET …/mapping/versions/{version}`
pub async fn version(admin: Admin, number: web::Path<i64>) -> Result<HttpResponse, Failure> {
    let work = move |app: &App, admin: &Admin| {
        Ok::<_, AppError>(shown(app, &app.mapping_version(&admin.messenger, number.into_inner())?))
    };
    Ok(answer(admin.run(work).await?))
}

/// The version after which an earlier one is published again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    in_force: i64,
    #[serde(default)]
    reason: String,
}

/// `POST …/mapping/versions/{version}/restore`
pub async fn restore(
    number: web::Path<i64>,
    AdminBody { admin, body }: AdminBody<Restore>,
) -> Result<HttpResponse, Failure> {
    let work = move |app: &App, admin: &Admin| {
        let version = app.mapping_version(&admin.messenger, number.into_inner())?;
        let Restore { in_force, reason } = body;
        match app.restore_mapping(&admin.messenger, &version, in_force, &reason, &admin.caller) {
            Ok(version) => Ok(json!({ "version": version.number })),
            Err(AppError::MappingMoved(theirs)) => Err(Failure::MappingMoved { theirs, yours: version.text }),
            Err(error) => Err(error.into()),
        }
    };
    Ok(created(admin.run(work).await?))
}
