//! All published versions: who published each, when, why and what it changed; publishing one again; the file.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::diff::Diff;
use super::fields::Fields;
use super::{Admin, Sent};
use crate::app::expected::Mismatch;
use crate::app::history::Published;
use crate::app::mapping::STARTER;
use crate::app::{App, AppError};
use crate::core::mapping::{Finding, Tree, Version, Word, words};
use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;

#[derive(Template)]
#[template(path = "admin/versions.html")]
struct VersionsPage {
    page: Page,
    versions: Vec<Published>,
}

#[derive(Template)]
#[template(path = "admin/version.html")]
struct VersionPage {
    page: Page,
    version: Version,
    author: String,
    in_force: i64,
    /// What it changed.
    diff: Diff,
    /// What publishing it again would change now.
    back: Diff,
    /// Users for whom it does not produce the expected payload.
    unexpected: Vec<Mismatch>,
    rules: Vec<(String, Vec<Word>)>,
    has_draft: bool,
    /// Whether the admin who sees this page has just published it.
    is_done: bool,
    problem: Problem,
}

/// Why a version was not published again.
#[derive(Default)]
struct Problem {
    errors: Vec<String>,
    reason: String,
    /// What is wrong with the reason.
    reason_error: Option<String>,
}

/// The version in the path, besides the messenger.
#[derive(Deserialize)]
pub struct Which {
    version: i64,
}

/// The query of a link to a version.
#[derive(Default, Deserialize)]
pub struct Query {
    #[serde(default)]
    done: bool,
}

/// `GET /admin/mapping/versions`
pub async fn list(admin: Admin) -> Result<HttpResponse, Failure> {
    let versions = admin.run(|app, admin| app.mapping_history(&admin.messenger)).await?;
    Ok(render(StatusCode::OK, &VersionsPage { page: admin.page(), versions }))
}

/// `GET /admin/mapping/versions/{version}`
pub async fn show(
    admin: Admin,
    number: web::Path<Which>,
    PageQuery(query): PageQuery<Query>,
) -> Result<HttpResponse, Failure> {
    let number = number.version;
    let show = move |app: &App, admin: &Admin| one(app, admin, number, Problem::default());
    let mut template = admin.run(show).await?;
    template.is_done = query.done;
    Ok(render(StatusCode::OK, &template))
}

fn one(app: &App, admin: &Admin, number: i64, problem: Problem) -> Result<VersionPage, AppError> {
    let version = app.mapping_version(&admin.messenger, number)?;
    let before = match number {
        1 => STARTER.to_owned(),
        _ => app.mapping_version(&admin.messenger, number - 1)?.text,
    };
    let published = app.published_mapping(&admin.messenger)?;
    let in_force = published.as_ref().map_or(0, |version| version.number);
    let text_in_force = published.as_ref().map_or(STARTER, |version| &version.text);
    let unexpected = match app.judge_draft(&admin.messenger, &version.text)?.0.mapping {
        Some(mapping) if number != in_force => app.unexpected(&admin.messenger, mapping)?,
        _ => Vec::new(),
    };
    let names = app.catalogue(&admin.messenger)?;
    let rules = Tree::read(&version.text).map(|tree| names.named(tree).rules).unwrap_or_default();
    Ok(VersionPage {
        page: admin.page(),
        author: app.actor_name(&version.author),
        in_force,
        diff: Diff::of(&before, &version.text, &names),
        back: Diff::of(text_in_force, &version.text, &names),
        unexpected,
        rules: rules.iter().map(|rule| (rule.title(&names), words(rule))).collect(),
        has_draft: app.draft(&admin.messenger, &admin.id)?.revision > 0,
        version,
        is_done: false,
        problem,
    })
}

/// `POST /admin/mapping/versions/{version}`: publishes it again, as a new version, or uses it as the draft.
pub async fn restore(admin: Admin, number: web::Path<Which>, sent: Sent) -> Result<HttpResponse, Failure> {
    let number = number.version;
    let done = admin.run(move |app, admin| press(app, admin, number, &sent.0)).await?;
    Ok(match done {
        Ok(to) => admin.go(&to),
        Err((status, template)) => render(status, &*template),
    })
}

/// Where to continue, or the page with the problem.
type Pressed = Result<String, (StatusCode, Box<VersionPage>)>;

fn press(app: &App, admin: &Admin, number: i64, fields: &Fields) -> Result<Pressed, AppError> {
    let version = app.mapping_version(&admin.messenger, number)?;
    if fields.text("do") == "draft" {
        let revision = app.draft(&admin.messenger, &admin.id)?.revision;
        let did = format!("Replaced the draft with version {number}");
        app.save_draft(&admin.messenger, &admin.id, revision, &version.text, &did)?;
        return Ok(Ok("/mapping".to_owned()));
    }
    let (in_force, reason) = (fields.number("in_force"), fields.text("reason"));
    let mut problem = Problem { reason, ..Problem::default() };
    let restored = app.restore_mapping(&admin.messenger, &version, in_force, &problem.reason, &admin.caller);
    let status = match restored {
        Ok(version) => return Ok(Ok(format!("/mapping/versions/{}?done=true", version.number))),
        Err(AppError::Mapping(findings)) => {
            problem.errors = findings.iter().map(Finding::text).collect();
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(AppError::MappingMoved(newer)) => {
            problem.errors = vec![format!(
                "Version {} has just been published. Check it first, then publish this version again if you still want to.",
                newer.number
            )];
            StatusCode::CONFLICT
        }
        Err(AppError::ReasonNeeded(error) | AppError::BadReason(error)) => {
            problem.reason_error = Some(error);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(error) => return Err(error),
    };
    Ok(Err((status, Box::new(one(app, admin, number, problem)?))))
}

/// `GET /admin/mapping/versions/{version}/file`
pub async fn file(admin: Admin, number: web::Path<Which>) -> Result<HttpResponse, Failure> {
    let number = number.version;
    let version = admin.run(move |app, admin| app.mapping_version(&admin.messenger, number)).await?;
    Ok(super::json_file(&format!("mapping-{number}.json"), version.text))
}
