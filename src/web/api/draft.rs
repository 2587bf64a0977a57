//! `/api/v1/admin/mapping/draft…`: the admin's own draft, who changes by it, and publishing it.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Asking, Which, answer, created, nothing};
use crate::app::compare::Comparison;
use crate::app::{App, AppError};
use crate::store::drafts::Draft;
use crate::web::error::Failure;
use crate::web::hop;

fn shown(app: &App, draft: &Draft) -> Result<Value, AppError> {
    let (checked, _) = app.judge_draft(&draft.text)?;
    Ok(json!({
        "text": draft.text,
        "base": draft.base,
        "revision": draft.revision,
        "at": draft.updated_at,
        "findings": checked.findings,
    }))
}

/// `GET …/mapping/draft`
pub async fn show(
    app: web::Data<App>,
    admin: Asking,
    which: web::Query<Which>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    let draft = hop(move || shown(&state, &state.draft(&messenger, &admin.id)?)).await?;
    Ok(answer(draft))
}

/// A text in place of the draft with this revision.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Put {
    revision: i64,
    text: String,
}

/// `PUT …/mapping/draft`: kept right or wrong, with everything that is wrong.
pub async fn put(
    app: web::Data<App>,
    which: web::Query<Which>,
    asked: Asked<Put>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    let draft = hop(move || {
        let (admin, Put { revision, text }) = (asked.admin, asked.body);
        state.import_draft(&messenger, &admin.id, revision, &text, &admin.caller)?;
        shown(&state, &state.draft(&messenger, &admin.id)?)
    })
    .await?;
    Ok(answer(draft))
}

/// `DELETE …/mapping/draft`
pub async fn discard(
    app: web::Data<App>,
    admin: Asking,
    which: web::Query<Which>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    hop(move || state.discard_draft(&messenger, &admin.id)).await?;
    Ok(nothing())
}

/// The draft to publish, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    revision: i64,
    #[serde(default)]
    reason: String,
}

/// `POST …/mapping/draft/publish`
pub async fn publish(
    app: web::Data<App>,
    which: web::Query<Which>,
    asked: Asked<Publish>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    let published = hop(move || {
        let (admin, Publish { revision, reason }) = (asked.admin, asked.body);
        match state.publish_draft(&messenger, &admin.id, revision, &reason, &admin.caller) {
            Ok(version) => Ok(json!({ "version": version.number })),
            Err(AppError::MappingMoved(theirs)) => {
                let yours = state.draft(&messenger, &admin.id)?.text;
                Err(Failure::MappingMoved { theirs, yours })
            }
            Err(error) => Err(error.into()),
        }
    })
    .await?;
    Ok(created(published))
}

/// The version that the draft is to follow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rebase {
    revision: i64,
    base: i64,
}

/// `POST …/mapping/draft/rebase`: after a conflict, once the texts are merged by hand.
pub async fn rebase(
    app: web::Data<App>,
    which: web::Query<Which>,
    asked: Asked<Rebase>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    let draft = hop(move || {
        let (admin, Rebase { revision, base }) = (asked.admin, asked.body);
        state.rebase_draft(&messenger, &admin.id, revision, base)?;
        shown(&state, &state.draft(&messenger, &admin.id)?)
    })
    .await?;
    Ok(answer(draft))
}

fn progress(comparison: &Comparison) -> Value {
    json!({
        "state": comparison.state,
        "done": comparison.done,
        "total": comparison.total,
        "effect": comparison.effect,
        "coverage": comparison.coverage,
    })
}

/// `GET …/mapping/draft/comparison`: who changes by the draft, as far as it is known.
pub async fn comparison(
    app: web::Data<App>,
    admin: Asking,
    which: web::Query<Which>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    let found = hop(move || state.comparison(&messenger, &admin.id)).await?;
    let found = found.ok_or_else(|| {
        Failure::NoSuch(
            "Nobody looks at who changes by this draft yet. Begin by POST to the same address.".into(),
        )
    })?;
    Ok(answer(progress(&found)))
}

/// `POST …/mapping/draft/comparison`: begins to look at all users, unless it is done or under way.
pub async fn compare(
    app: web::Data<App>,
    admin: Asking,
    which: web::Query<Which>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    let found = hop(move || {
        state.begin_comparison(&messenger, &admin.id)?;
        state.comparison(&messenger, &admin.id)
    })
    .await?;
    Ok(HttpResponse::Accepted().json(found.as_ref().map(progress)))
}

/// `DELETE …/mapping/draft/comparison`: stops it.
pub async fn cancel(
    app: web::Data<App>,
    admin: Asking,
    which: web::Query<Which>,
) -> Result<HttpResponse, Failure> {
    let (state, messenger) = (app.get_ref().clone(), which.into_inner().id());
    hop(move || state.cancel_comparison(&messenger, &admin.id)).await?;
    Ok(nothing())
}
