//! `/api/v1/admin/mapping/draft…`: the admin's own draft, its effect on users, and its publication.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Admin, AdminBody, answer, created, nothing};
use crate::app::compare::Comparison;
use crate::app::{App, AppError};
use crate::core::mapping::Draft;
use crate::web::http::error::Failure;
use crate::web::http::run::Asker as _;

fn shown(app: &App, admin: &Admin, draft: &Draft) -> Result<Value, AppError> {
    let (checked, _) = app.judge_draft(&admin.messenger, &draft.text)?;
    Ok(json!({
        "text": draft.text,
        "base": draft.base,
        "revision": draft.revision,
        "at": draft.updated_at,
        "findings": checked.findings,
    }))
}

/// `GET …/mapping/draft`
pub async fn show(admin: Admin) -> Result<HttpResponse, Failure> {
    let draft =
        admin.run(move |app, admin| shown(app, admin, &app.draft(&admin.messenger, &admin.id)?)).await?;
    Ok(answer(draft))
}

/// New content for the draft of this revision.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Put {
    revision: i64,
    text: String,
}

/// `PUT …/mapping/draft`: stores the text, valid or not, and returns everything that is wrong with it.
pub async fn put(AdminBody { admin, body }: AdminBody<Put>) -> Result<HttpResponse, Failure> {
    let work = move |app: &App, admin: &Admin| {
        let Put { revision, text } = body;
        app.import_draft(&admin.messenger, &admin.id, revision, &text, &admin.caller)?;
        shown(app, admin, &app.draft(&admin.messenger, &admin.id)?)
    };
    Ok(answer(admin.run(work).await?))
}

/// Which draft to discard.
#[derive(Deserialize)]
pub struct Discard {
    /// If missing, the current draft, whatever its revision.
    revision: Option<i64>,
}

/// `DELETE …/mapping/draft`
pub async fn discard(admin: Admin, query: web::Query<Discard>) -> Result<HttpResponse, Failure> {
    let work = move |app: &App, admin: &Admin| {
        let revision = match query.revision {
            Some(revision) => revision,
            None => app.draft(&admin.messenger, &admin.id)?.revision,
        };
        app.discard_draft(&admin.messenger, &admin.id, revision)
    };
    admin.run(work).await?;
    Ok(nothing())
}

/// The draft to publish, and the reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    revision: i64,
    #[serde(default)]
    reason: String,
}

/// `POST …/mapping/draft/publish`
pub async fn publish(AdminBody { admin, body }: AdminBody<Publish>) -> Result<HttpResponse, Failure> {
    let work = move |app: &App, admin: &Admin| {
        let Publish { revision, reason } = body;
        match app.publish_draft(&admin.messenger, &admin.id, revision, &reason, &admin.caller) {
            Ok(version) => Ok(json!({ "version": version.number })),
            Err(AppError::MappingMoved(theirs)) => {
                let yours = app.draft(&admin.messenger, &admin.id)?.text;
                Err(Failure::MappingMoved { theirs, yours })
            }
            Err(error) => Err(error.into()),
        }
    };
    Ok(created(admin.run(work).await?))
}

/// The version on which the draft is to be based.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rebase {
    revision: i64,
    base: i64,
}

/// `POST …/mapping/draft/rebase`: after a conflict, once the texts are merged by hand.
pub async fn rebase(AdminBody { admin, body }: AdminBody<Rebase>) -> Result<HttpResponse, Failure> {
    let work = move |app: &App, admin: &Admin| {
        let Rebase { revision, base } = body;
        app.rebase_draft(&admin.messenger, &admin.id, revision, base)?;
        shown(app, admin, &app.draft(&admin.messenger, &admin.id)?)
    };
    Ok(answer(admin.run(work).await?))
}

fn progress(comparison: &Comparison) -> Value {
    json!({
        "state": comparison.state,
        "done": comparison.done,
        "total": comparison.total,
        "is_current": comparison.is_current,
        "effect": comparison.effect,
        "coverage": comparison.coverage,
        "people_sent": comparison.sends,
        "findings": comparison.warnings,
    })
}

/// `GET …/mapping/draft/comparison`: the effect of the draft on users, as far as it is known.
pub async fn comparison(admin: Admin) -> Result<HttpResponse, Failure> {
    let found = admin.run(move |app, admin| app.comparison(&admin.messenger, &admin.id)).await?;
    let found = found.ok_or_else(|| {
        Failure::NoSuch(
            "No user check has started for this draft. Start one with POST to the same address.".into(),
        )
    })?;
    Ok(answer(progress(&found)))
}

/// `POST …/mapping/draft/comparison`: starts to check all users, unless that is done or in progress.
pub async fn compare(admin: Admin) -> Result<HttpResponse, Failure> {
    let work = move |app: &App, admin: &Admin| {
        app.begin_comparison(&admin.messenger, &admin.id)?;
        app.comparison(&admin.messenger, &admin.id)
    };
    let found = admin.run(work).await?;
    Ok(HttpResponse::Accepted().json(found.as_ref().map(progress)))
}

/// `DELETE …/mapping/draft/comparison`: stops the check.
pub async fn cancel(admin: Admin) -> Result<HttpResponse, Failure> {
    admin.run(move |app, admin| app.cancel_comparison(&admin.messenger, &admin.id)).await?;
    Ok(nothing())
}
