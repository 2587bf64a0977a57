//! `/api/v1/admin/sync…`: the state of each synchronization, start, pause and retry, and users by state.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Admin, AdminBody, answer};
use crate::app::sync::{DeskStatus, Listed};
use crate::app::{App, AppError};
use crate::core::id::{DeskId, UserId};
use crate::core::sync::{PersonState, RunKind};
use crate::web::http::error::Failure;
use crate::web::http::run::Asker as _;

/// How many users one answer has.
const MOST: i64 = 200;

/// `GET …/sync`
pub async fn list(admin: Admin) -> Result<HttpResponse, Failure> {
    let desks = admin.run(|app, _| app.desk_statuses()).await?;
    let desks: Vec<Value> = desks.iter().map(DeskStatus::as_json).collect();
    Ok(answer(json!({ "desks": desks })))
}

/// What is to be done.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Deed {
    Run,
    Verify,
    Pause,
    Resume,
    Retry,
}

/// An order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    #[serde(rename = "do")]
    deed: Deed,
}

/// `POST …/sync/{desk}`: starts, pauses, resumes, or sends users in trouble again. The response is how the desk stands.
pub async fn act(
    desk: web::Path<DeskId>,
    AdminBody { admin, body }: AdminBody<Order>,
) -> Result<HttpResponse, Failure> {
    let desk = desk.into_inner();
    let work = move |app: &App, admin: &Admin| {
        match body.deed {
            Deed::Run => app.start_run(&desk, RunKind::Sync, "api", &admin.caller)?,
            Deed::Verify => app.start_run(&desk, RunKind::Verify, "api", &admin.caller)?,
            Deed::Pause => app.pause_desk(&desk, true, &admin.caller)?,
            Deed::Resume => app.pause_desk(&desk, false, &admin.caller)?,
            Deed::Retry => app.retry_people(&desk, None).map(drop)?,
        }
        Ok::<_, AppError>(app.desk_status(&desk)?.as_json())
    };
    Ok(answer(admin.run(work).await?))
}

/// Which users.
#[derive(Deserialize)]
pub struct Which {
    #[serde(default)]
    state: String,
    #[serde(default)]
    after: String,
}

/// `GET …/sync/{desk}/people`: users in a state, by id.
pub async fn people(
    desk: web::Path<DeskId>,
    admin: Admin,
    query: web::Query<Which>,
) -> Result<HttpResponse, Failure> {
    let (desk, Which { state, after }) = (desk.into_inner(), query.into_inner());
    let state = if state.is_empty() { PersonState::Refused.as_str() } else { &state };
    let state = PersonState::known(state).ok_or_else(|| {
        let known: Vec<&str> = PersonState::ALL.iter().map(|state| state.as_str()).collect();
        Failure::Body(format!("There is no state '{state}'. Use one of {}.", known.join(", ")))
    })?;
    let after = Some(after).filter(|after| !after.is_empty()).map(UserId::from);
    let listed = admin.run(move |app, _| {
        app.desk_status(&desk)?;
        app.people_in_state(&desk, state, after.as_ref(), MOST)
    });
    let listed = listed.await?;
    let is_full = i64::try_from(listed.len()).is_ok_and(|count| count == MOST);
    let last = listed.last().filter(|_| is_full).map(|listed| listed.row.user_id.clone());
    let people: Vec<Value> = listed.iter().map(Listed::as_json).collect();
    Ok(answer(json!({ "people": people, "after": last })))
}
