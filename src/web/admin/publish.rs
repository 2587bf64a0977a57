//! Publishing a draft: what would change, the reason, and what happens if another admin published first.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde::Deserialize;

use super::diff::Diff;
use super::fields::Fields;
use super::mapping::{FindingLine, finding_lines};
use super::{Admin, Sent};
use crate::app::compare::Comparison;
use crate::app::expected::Mismatch;
use crate::app::mapping::STARTER;
use crate::app::{App, AppError};
use crate::core::job::JobState;
use crate::core::mapping::{Draft, Level, Version, Word};
use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;

#[derive(Template)]
#[template(path = "admin/publish.html")]
struct PublishPage {
    page: Page,
    draft: Draft,
    next: i64,
    diff: Diff,
    errors: Vec<FindingLine>,
    warnings: Vec<FindingLine>,
    /// Users for whom the draft does not produce the expected payload.
    unexpected: Vec<Mismatch>,
    reason: String,
    reason_error: Option<String>,
    comparison: Option<Comparison>,
    left: Option<String>,
    /// How many people would be sent to Deskpro, and how long the budget takes, if there is one.
    sends: Option<(i64, Option<String>)>,
    /// Whether the page does not refresh while users are checked.
    is_still: bool,
    /// Whether nothing was published because the draft has changed in the meantime.
    is_moved: bool,
}

/// The query of a link to the page.
#[derive(Deserialize)]
pub struct Query {
    #[serde(default)]
    still: bool,
}

#[derive(Template)]
#[template(path = "admin/conflict.html")]
struct ConflictPage {
    page: Page,
    draft: Draft,
    theirs: Version,
    /// Who published it; `None` if it was the admin who sees this page.
    their_author: Option<String>,
    reason: String,
    /// What that version changed and what this draft changes, both compared with the version on which the
    /// draft is based.
    theirs_diff: Diff,
    yours_diff: Diff,
}

/// The result of a step of publishing.
enum Answer {
    Review(StatusCode, Box<PublishPage>),
    Conflict(Box<ConflictPage>),
    Go(String),
}

impl Answer {
    fn respond(self, admin: &Admin) -> HttpResponse {
        match self {
            Self::Review(status, template) => render(status, &*template),
            Self::Conflict(template) => render(StatusCode::CONFLICT, &*template),
            Self::Go(to) => admin.go(&to),
        }
    }
}

/// `GET /admin/mapping/publish`
pub async fn show(admin: Admin, PageQuery(query): PageQuery<Query>) -> Result<HttpResponse, Failure> {
    let mut answer = admin.run(|app, admin| review(app, admin, String::new(), None)).await?;
    if let Answer::Review(_, template) = &mut answer {
        template.is_still = query.still;
    }
    Ok(answer.respond(&admin))
}

fn review(
    app: &App,
    admin: &Admin,
    reason: String,
    reason_error: Option<String>,
) -> Result<Answer, AppError> {
    let draft = app.draft(&admin.messenger, &admin.id)?;
    let in_force = app.published_mapping(&admin.messenger)?;
    if let Some(theirs) = in_force.clone().filter(|version| version.number > draft.base) {
        return conflict(app, admin, draft, theirs, reason);
    }
    let before = in_force.as_ref().map_or(STARTER, |version| &version.text);
    let (mut checked, _) = app.judge_draft(&admin.messenger, &draft.text)?;
    let comparison = app.comparison(&admin.messenger, &admin.id)?;
    if let Some(comparison) = &comparison {
        checked.findings.extend(comparison.warnings.iter().cloned());
    }
    let (errors, warnings) =
        (finding_lines(&checked.findings, Level::Error), finding_lines(&checked.findings, Level::Warning));
    let unexpected = match &checked.mapping {
        Some(mapping) => app.unexpected(&admin.messenger, mapping.clone())?,
        None => Vec::new(),
    };
    let diff = Diff::of(before, &draft.text, &*app.catalogue(&admin.messenger)?);
    let status = if reason_error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let next = draft.base.saturating_add(1);
    let page = admin.page();
    let left = comparison.as_ref().and_then(Comparison::seconds_left).map(|seconds| page.duration(seconds));
    let sends = comparison.as_ref().and_then(|comparison| comparison.sends);
    let sends = match (sends, app.described_desk(&admin.messenger)?) {
        (Some(sends), Some(desk)) => {
            Some((sends, desk.settings.duration_of(sends).map(|seconds| page.duration(seconds))))
        }
        _ => None,
    };
    let template = PublishPage {
        page,
        draft,
        next,
        diff,
        errors,
        warnings,
        unexpected,
        reason,
        reason_error,
        comparison,
        left,
        sends,
        is_still: false,
        is_moved: false,
    };
    Ok(Answer::Review(status, Box::new(template)))
}

fn conflict(
    app: &App,
    admin: &Admin,
    draft: Draft,
    theirs: Version,
    reason: String,
) -> Result<Answer, AppError> {
    let base = match draft.base {
        0 => STARTER.to_owned(),
        number => app.mapping_version(&admin.messenger, number)?.text,
    };
    let names = app.catalogue(&admin.messenger)?;
    Ok(Answer::Conflict(Box::new(ConflictPage {
        page: admin.page(),
        their_author: (theirs.author != admin.caller.actor).then(|| app.actor_name(&theirs.author)),
        theirs_diff: Diff::of(&base, &theirs.text, &names),
        yours_diff: Diff::of(&base, &draft.text, &names),
        theirs,
        draft,
        reason,
    })))
}

/// `POST /admin/mapping/publish`
pub async fn publish(admin: Admin, sent: Sent) -> Result<HttpResponse, Failure> {
    let answer = admin.run(move |app, admin| press(app, admin, &sent.0)).await?;
    Ok(answer.respond(&admin))
}

fn press(app: &App, admin: &Admin, fields: &Fields) -> Result<Answer, AppError> {
    let revision = fields.number("revision");
    match fields.text("do").as_str() {
        "rebase" => {
            return match app.rebase_draft(&admin.messenger, &admin.id, revision, fields.number("version")) {
                // The page shows the even newer version.
                Ok(()) | Err(AppError::MappingMoved(_)) => Ok(Answer::Go("/mapping/publish".to_owned())),
                Err(error) => Err(error),
            };
        }
        button @ ("compare" | "again") => {
            let begun = if button == "again" {
                app.compare_anew(&admin.messenger, &admin.id)
            } else {
                app.begin_comparison(&admin.messenger, &admin.id)
            };
            match begun {
                // The page shows the errors of the draft.
                Ok(()) | Err(AppError::Mapping(_)) => {}
                Err(error) => return Err(error),
            }
            return Ok(Answer::Go("/mapping/publish".to_owned()));
        }
        "cancel" => {
            app.cancel_comparison(&admin.messenger, &admin.id)?;
            return Ok(Answer::Go("/mapping/publish".to_owned()));
        }
        "discard" => {
            app.discard_draft(&admin.messenger, &admin.id, revision)?;
            return Ok(Answer::Go("/mapping".to_owned()));
        }
        _ => {}
    }
    let reason = fields.text("reason").trim().to_owned();
    match app.publish_draft(&admin.messenger, &admin.id, revision, &reason, &admin.caller) {
        Ok(version) => Ok(Answer::Go(format!("/mapping/versions/{}?done=true", version.number))),
        Err(AppError::MappingMoved(theirs)) => {
            let draft = app.draft(&admin.messenger, &admin.id)?;
            conflict(app, admin, draft, *theirs, reason)
        }
        Err(AppError::ReasonNeeded(error) | AppError::BadReason(error)) => {
            review(app, admin, reason, Some(error))
        }
        Err(AppError::Mapping(_)) => review(app, admin, reason, None),
        Err(AppError::DraftMoved) => {
            let mut answer = review(app, admin, reason, None)?;
            if let Answer::Review(status, template) = &mut answer {
                *status = StatusCode::CONFLICT;
                template.is_moved = true;
            }
            Ok(answer)
        }
        Err(error) => Err(error),
    }
}
