//! `/api/v1/admin/mapping…`: the mapping in force, its versions, and what a text would make.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Asking, Which, answer, created};
use crate::app::{App, AppError};
use crate::core::mapping::changes;
use crate::core::user::Login;
use crate::store::mappings::Version;
use crate::web::error::Failure;
use crate::web::hop;

/// A version as it is answered.
fn shown(app: &App, version: &Version) -> Value {
    json!({
        "version": version.number,
        "text": version.text,
        "by": app.actor_name(&version.author),
        "reason": version.reason,
        "at": version.created_at,
    })
}

/// `GET …/mapping`: the one in force; version 0 is the starter, before anything was published.
pub async fn show(app: web::Data<App>, _: Asking, which: web::Query<Which>) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    let shown = hop(move || {
        Ok::<_, AppError>(match state.published_mapping(&messenger)? {
            Some(version) => shown(&state, &version),
            None => json!({ "version": 0, "text": crate::app::mapping::STARTER }),
        })
    })
    .await?;
    Ok(answer(shown))
}

/// A mapping to publish.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    text: String,
    #[serde(default)]
    reason: String,
    /// The version that it was made from.
    base: Option<i64>,
}

/// `POST …/mapping`: publishes a text as the next version.
pub async fn publish(
    app: web::Data<App>,
    which: web::Query<Which>,
    asked: Asked<Publish>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    let published = hop(move || {
        let Publish { text, reason, base } = asked.body;
        match state.publish_mapping_after(&messenger, &text, base, &reason, &asked.admin.caller) {
            Ok((version, checked)) => Ok(json!({ "version": version.number, "findings": checked.findings })),
            Err(AppError::MappingMoved(theirs)) => Err(Failure::MappingMoved { theirs, yours: text }),
            Err(error) => Err(error.into()),
        }
    })
    .await?;
    Ok(created(published))
}

/// A text to look at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    text: String,
}

/// `POST …/mapping/check`: everything that is wrong with a text, and what is worth knowing of it.
pub async fn check(
    app: web::Data<App>,
    which: web::Query<Which>,
    asked: Asked<Text>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    let found = hop(move || {
        let checked = state.check_mapping(&asked.body.text)?;
        let unexpected = match &checked.mapping {
            Some(mapping) => state.unexpected(&messenger, mapping.clone())?,
            None => Vec::new(),
        };
        Ok::<_, AppError>(json!({ "findings": checked.findings, "unexpected": unexpected }))
    })
    .await?;
    Ok(answer(found))
}

/// Whose token to look at, by which text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preview {
    login: String,
    /// Instead of the mapping in force.
    text: Option<String>,
}

/// `POST …/mapping/preview`: header, claims and trace, never a signature.
pub async fn preview(
    app: web::Data<App>,
    which: web::Query<Which>,
    asked: Asked<Preview>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    let preview = hop(move || {
        let Preview { login, text } = asked.body;
        let login = Login::parse(&login).map_err(|error| AppError::Refused(error.to_string()))?;
        let user = state.user(&login)?;
        let draft = match text {
            None => None,
            Some(text) => {
                let (checked, _) = state.judge_draft(&text)?;
                Some(checked.mapping.ok_or(AppError::Mapping(checked.findings))?)
            }
        };
        Ok::<_, AppError>(state.issuer(&messenger, draft)?.preview(&user))
    })
    .await?;
    Ok(answer(preview))
}

/// `GET …/mapping/versions`: newest first, without their texts.
pub async fn versions(
    app: web::Data<App>,
    _: Asking,
    which: web::Query<Which>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    let versions = hop(move || {
        let versions = state.mapping_versions(&messenger)?;
        let starter = crate::app::mapping::STARTER;
        let before = versions.iter().skip(1).map(|version| version.text.as_str()).chain([starter]);
        let lines = versions.iter().zip(before).map(|(version, before)| {
            let mut line = shown(&state, version);
            line["changes"] = json!(changes(before, &version.text));
            if let Some(line) = line.as_object_mut() {
                line.shift_remove("text");
            }
            line
        });
        Ok::<_, AppError>(json!({ "versions": lines.collect::<Vec<_>>() }))
    })
    .await?;
    Ok(answer(versions))
}

/// `GET …/mapping/versions/{version}`
pub async fn version(
    app: web::Data<App>,
    _: Asking,
    which: web::Query<Which>,
    number: web::Path<i64>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    let version = hop(move || {
        Ok::<_, AppError>(shown(&state, &state.mapping_version(&messenger, number.into_inner())?))
    })
    .await?;
    Ok(answer(version))
}

/// On top of which version an earlier one is put.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    in_force: i64,
}

/// `POST …/mapping/versions/{version}/restore`
pub async fn restore(
    app: web::Data<App>,
    which: web::Query<Which>,
    number: web::Path<i64>,
    asked: Asked<Restore>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    let restored = hop(move || {
        let version = state.mapping_version(&messenger, number.into_inner())?;
        let (in_force, caller) = (asked.body.in_force, &asked.admin.caller);
        match state.restore_mapping(&messenger, &version, in_force, caller) {
            Ok(version) => Ok(json!({ "version": version.number })),
            Err(AppError::MappingMoved(theirs)) => Err(Failure::MappingMoved { theirs, yours: version.text }),
            Err(error) => Err(error.into()),
        }
    })
    .await?;
    Ok(created(restored))
}
