//! Every published version: who, when, why, what changed; one click back; the file.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::diff::{Diff, words};
use super::{Admin, MESSENGER, Sent, go};
use crate::app::mapping::STARTER;
use crate::app::{App, AppError};
use crate::core::mapping::{Finding, Form, Word};
use crate::store::mappings::Version;
use crate::web::client::render;
use crate::web::error::Failure;
use crate::web::hop;
use crate::web::page::Page;

#[derive(Template)]
#[template(path = "admin/versions.html")]
struct VersionsPage {
    page: Page,
    versions: Vec<VersionLine>,
}

struct VersionLine {
    version: Version,
    author: String,
    changes: usize,
}

#[derive(Template)]
#[template(path = "admin/version.html")]
struct VersionPage {
    page: Page,
    version: Version,
    author: String,
    in_force: i64,
    diff: Diff,
    rules: Vec<(String, Vec<Word>)>,
    has_draft: bool,
    errors: Vec<String>,
}

/// `GET /admin/mapping/versions`
pub async fn list(app: web::Data<App>, admin: Admin) -> Result<HttpResponse, Failure> {
    let (state, page) = (app.get_ref().clone(), admin.page(&app));
    let versions = hop(move || {
        let versions = state.mapping_versions(MESSENGER)?;
        let before = versions.iter().skip(1).map(|version| version.text.as_str()).chain([STARTER]);
        let lines = versions.iter().zip(before).map(|(version, before)| VersionLine {
            version: version.clone(),
            author: state.actor_name(&version.author),
            changes: Diff::of(before, &version.text).count(),
        });
        Ok::<_, AppError>(lines.collect())
    })
    .await?;
    Ok(render(StatusCode::OK, &VersionsPage { page, versions }))
}

/// `GET /admin/mapping/versions/{version}`
pub async fn show(
    app: web::Data<App>,
    admin: Admin,
    number: web::Path<i64>,
) -> Result<HttpResponse, Failure> {
    let (state, page) = (app.get_ref().clone(), admin.page(&app));
    let template = hop(move || one(&state, page, &admin, number.into_inner(), Vec::new())).await?;
    Ok(render(StatusCode::OK, &template))
}

fn one(
    app: &App,
    page: Page,
    admin: &Admin,
    number: i64,
    errors: Vec<String>,
) -> Result<VersionPage, AppError> {
    let version = app.mapping_version(MESSENGER, number)?;
    let before = match number {
        1 => STARTER.to_owned(),
        _ => app.mapping_version(MESSENGER, number - 1)?.text,
    };
    let rules = Form::read(&version.text).map(|form| form.rules).unwrap_or_default();
    Ok(VersionPage {
        page,
        author: app.actor_name(&version.author),
        in_force: app.published_mapping(MESSENGER)?.map_or(0, |version| version.number),
        diff: Diff::of(&before, &version.text),
        rules: rules.iter().map(|rule| (rule.title(), words(rule))).collect(),
        has_draft: app.draft(MESSENGER, &admin.id)?.revision > 0,
        version,
        errors,
    })
}

/// `POST /admin/mapping/versions/{version}`: puts it in force again, as a new version.
pub async fn restore(
    app: web::Data<App>,
    admin: Admin,
    number: web::Path<i64>,
    sent: Sent,
) -> Result<HttpResponse, Failure> {
    let (state, page, number) = (app.get_ref().clone(), admin.page(&app), number.into_inner());
    let restored = hop(move || {
        let version = state.mapping_version(MESSENGER, number)?;
        let in_force = sent.0.number("in_force");
        let (status, errors) = match state.restore_mapping(MESSENGER, &version, in_force, &admin.caller) {
            Ok(version) => return Ok(Ok(version.number)),
            Err(AppError::Mapping(findings)) => {
                let errors = findings.iter().map(Finding::told);
                (StatusCode::UNPROCESSABLE_ENTITY, errors.collect())
            }
            Err(AppError::MappingMoved(newer)) => {
                let number = newer.number;
                let error = format!(
                    "Version {number} was published a moment ago. Look at it first, then go back if you still want to."
                );
                (StatusCode::CONFLICT, vec![error])
            }
            Err(error) => return Err(error),
        };
        Ok(Err((status, one(&state, page, &admin, number, errors)?)))
    })
    .await?;
    Ok(match restored {
        Ok(number) => go(&app, &format!("/mapping/versions/{number}")),
        Err((status, template)) => render(status, &template),
    })
}

/// `GET /admin/mapping/versions/{version}/file`
pub async fn file(app: web::Data<App>, _: Admin, number: web::Path<i64>) -> Result<HttpResponse, Failure> {
    let (state, number) = (app.get_ref().clone(), number.into_inner());
    let version = hop(move || state.mapping_version(MESSENGER, number)).await?;
    Ok(super::json_file(&format!("mapping-{number}.json"), version.text))
}
