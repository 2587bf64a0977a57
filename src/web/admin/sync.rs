//! The synchronization with Deskpro: how each helpdesk stands, what its runs did, who is in trouble and why; start, pause,
//! retry, and what a run would change.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Admin, Sent, go, members};
use crate::app::sync::{DeskStatus, Health, Listed, Planned, Would};
use crate::app::{App, AppError};
use crate::core::catalogue::Catalogue;
use crate::core::id::{DeskId, UserId};
use crate::core::sync::{PersonState, RunKind, RunState};
use crate::store::runs::Run;
use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;

/// How many users one page of a list has.
const PER_PAGE: i64 = 50;
/// How many users one page of a dry run looks at: each may cost a request to Deskpro.
const LOOKED_AT: i64 = 25;
/// The size of the chart.
const WIDTH: i64 = 720;
const HEIGHT: i64 = 120;

#[derive(Template)]
#[template(path = "admin/sync_desk.html")]
struct DeskPage {
    page: Page,
    status: DeskStatus,
    /// The action that was just done.
    done: String,
    /// Why it was not done.
    error: String,
    /// The first users in trouble.
    trouble: Vec<Listed>,
    bars: Vec<Bar>,
    /// The number at the top of the chart.
    most: i64,
}

/// One run in the chart, in the chart's units.
struct Bar {
    x: i64,
    width: i64,
    changed_y: i64,
    changed_height: i64,
    trouble_y: i64,
    trouble_height: i64,
}

/// The query of a link to a desk.
#[derive(serde::Deserialize)]
pub struct Query {
    #[serde(default)]
    done: String,
}

/// `GET /admin/sync/{desk}`
pub async fn show(
    admin: Admin,
    id: web::Path<DeskId>,
    PageQuery(query): PageQuery<Query>,
) -> Result<HttpResponse, Failure> {
    desk_page(&admin, id.into_inner(), query.done, String::new()).await
}

async fn desk_page(admin: &Admin, id: DeskId, done: String, error: String) -> Result<HttpResponse, Failure> {
    let read = move |app: &App, _: &Admin| {
        let status = app.desk_status(&id)?;
        let mut trouble = Vec::new();
        for state in PersonState::TROUBLE {
            trouble.extend(app.people_in_state(&id, state, None, 5)?);
        }
        Ok::<_, AppError>((status, trouble))
    };
    let (status, trouble) = admin.run(read).await?;
    let (bars, most) = chart(&status.runs);
    let code = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(render(code, &DeskPage { page: admin.page(), status, done, error, trouble, bars, most }))
}

/// The runs as bars, the oldest on the left.
fn chart(runs: &[Run]) -> (Vec<Bar>, i64) {
    let ended: Vec<&Run> = runs.iter().filter(|run| run.state != RunState::Running).rev().collect();
    let height_of = |run: &Run| sent(run) + run.counts.in_trouble();
    let most = ended.iter().map(|run| height_of(run)).max().unwrap_or_default().max(1);
    let count = i64::try_from(ended.len()).unwrap_or_default().max(1);
    let width = (WIDTH / count).clamp(4, 40);
    let scaled = |number: i64| if number == 0 { 0 } else { (number * HEIGHT / most).max(2) };
    let bar = |(place, run): (usize, &&Run)| {
        let (changed, trouble) = (scaled(sent(run)), scaled(run.counts.in_trouble()));
        Bar {
            x: i64::try_from(place).unwrap_or_default() * width,
            width: width - 2,
            changed_y: HEIGHT - changed,
            changed_height: changed,
            trouble_y: HEIGHT - changed - trouble,
            trouble_height: trouble,
        }
    };
    (ended.iter().enumerate().map(bar).collect(), most)
}

/// The icon and the colour of how a desk stands.
pub fn kind(health: Health) -> &'static str {
    match health {
        Health::Good => "good",
        Health::Trouble => "attention",
        Health::Running | Health::Waiting | Health::Paused => "info",
        Health::Bad => "bad",
    }
}

/// How many people a run wrote.
fn sent(run: &Run) -> i64 {
    run.counts.created + run.counts.found + run.counts.changed + run.counts.retired
}

impl DeskPage {
    /// The kind of the banner.
    fn kind(&self) -> &'static str {
        kind(self.status.health)
    }

    fn title(&self) -> &'static str {
        match self.status.health {
            Health::Good => "All users are as they should be",
            Health::Trouble => "Some users could not be sent",
            Health::Running => "A run is going on",
            Health::Waiting => "Waiting for Deskpro",
            Health::Paused if self.status.runs.is_empty() => "Not started yet",
            Health::Paused => "Paused",
            Health::Bad => "It does not work",
        }
    }

    fn is_paused(&self) -> bool {
        self.status.stored.paused_at.is_some()
    }

    fn is_wrong_helpdesk(&self) -> bool {
        self.status.code.as_deref() == Some("wrong_helpdesk")
    }

    /// Users who were compared in a minute, in the run that is going on.
    fn rate(run: &Run) -> i64 {
        let seconds = (run.moved_at - run.started_at).max(1);
        run.counts.compared * 60 / seconds
    }

    /// What was just done, in words.
    fn done_words(&self) -> &'static str {
        match self.done.as_str() {
            "run" => "The run begins in a moment",
            "pause" => "Paused: nothing is sent",
            "resume" => "Started",
            "retry" => "They are sent again in a moment",
            "settings" => "The settings are saved",
            "connected" => "The helpdesk is connected",
            _ => "",
        }
    }

    /// The limits of the budget, with what is left.
    fn budget(&self) -> Vec<(&'static str, u32)> {
        let [minute, hour, day] = self.status.left;
        [("minute", minute), ("hour", hour), ("day", day)]
            .into_iter()
            .filter_map(|(name, left)| Some((name, left?)))
            .collect()
    }
}

/// `POST /admin/sync/{desk}`
pub async fn act(admin: Admin, id: web::Path<DeskId>, sent: Sent) -> Result<HttpResponse, Failure> {
    let (id, word) = (id.into_inner(), sent.0.text("do"));
    let desk = id.clone();
    let act = move |app: &App, admin: &Admin| {
        let caller = &admin.caller;
        match word.as_str() {
            "run" => app.start_run(&desk, RunKind::Sync, "button", caller).map(|()| "run"),
            "verify" => app.start_run(&desk, RunKind::Verify, "button", caller).map(|()| "run"),
            "anyway" => app.start_run(&desk, RunKind::Sync, "button anyway", caller).map(|()| "run"),
            "pause" => app.pause_desk(&desk, true, caller).map(|()| "pause"),
            "resume" => app.pause_desk(&desk, false, caller).map(|()| "resume"),
            "retry" => app.retry_people(&desk, None).map(|_| "retry"),
            other => {
                let Some(user) = other.strip_prefix("retry-") else {
                    return Err(AppError::Refused(
                        "This button no longer exists. Load the page again.".into(),
                    ));
                };
                let user = app.user_by_id(&UserId::from(user))?;
                app.retry_people(&desk, Some(&user)).map(|_| "retry")
            }
        }
    };
    match admin.attempt(act).await? {
        Ok(done) => Ok(go(&admin, &format!("/sync/{id}?done={done}"))),
        Err(AppError::Refused(error) | AppError::Taken(error)) => {
            desk_page(&admin, id, String::new(), error).await
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "admin/sync_people.html")]
struct PeoplePage {
    page: Page,
    status: DeskStatus,
    state: PersonState,
    people: Vec<Listed>,
    /// The link to the next page.
    more: Option<String>,
}

/// The query of a list of users.
#[derive(serde::Deserialize)]
pub struct Which {
    #[serde(default)]
    state: String,
    #[serde(default)]
    after: String,
}

/// `GET /admin/sync/{desk}/people`
pub async fn people(
    admin: Admin,
    id: web::Path<DeskId>,
    PageQuery(query): PageQuery<Which>,
) -> Result<HttpResponse, Failure> {
    let id = id.into_inner();
    let state = PersonState::known(&query.state).unwrap_or(PersonState::Refused);
    let after = Some(query.after).filter(|after| !after.is_empty()).map(UserId::from);
    let read = move |app: &App, _: &Admin| {
        let status = app.desk_status(&id)?;
        Ok::<_, AppError>((status, app.people_in_state(&id, state, after.as_ref(), PER_PAGE)?))
    };
    let (status, people) = admin.run(read).await?;
    let is_full = i64::try_from(people.len()).is_ok_and(|count| count == PER_PAGE);
    let last = people.last().filter(|_| is_full);
    let more = last.map(|last| {
        format!("/admin/sync/{}/people?state={}&after={}", status.desk.id, state.as_str(), last.row.user_id)
    });
    Ok(render(StatusCode::OK, &PeoplePage { page: admin.page(), status, state, people, more }))
}

/// A state for people.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
pub fn state_label(state: &PersonState) -> &'static str {
    match state {
        PersonState::New => "not sent yet",
        PersonState::Sent => "as they should be",
        PersonState::Waiting => "waiting for another user",
        PersonState::Missing => "missing at Deskpro",
        PersonState::Refused => "refused by Deskpro",
        PersonState::Conflict => "in conflict",
        PersonState::NoAddress => "without an address",
        PersonState::LeftOut => "left out by the mapping",
        PersonState::Failed => "without an answer",
        PersonState::Retired => "disabled or gone",
    }
}

#[derive(Template)]
#[template(path = "admin/sync_dry_run.html")]
struct DryRunPage {
    page: Page,
    names: Arc<Catalogue>,
    id: DeskId,
    planned: Vec<Planned>,
    error: String,
    more: Option<String>,
    is_first: bool,
}

/// The query of a dry run.
#[derive(serde::Deserialize)]
pub struct From {
    #[serde(default)]
    after: String,
}

/// `GET /admin/sync/{desk}/dry-run`
pub async fn dry_run(
    admin: Admin,
    id: web::Path<DeskId>,
    PageQuery(query): PageQuery<From>,
) -> Result<HttpResponse, Failure> {
    let id = id.into_inner();
    let after = Some(query.after).filter(|after| !after.is_empty()).map(UserId::from);
    let (desk, is_first) = (id.clone(), after.is_none());
    let of = id.clone();
    let names = admin.run(move |app, _| app.catalogue(&app.desk_status(&of)?.desk.messenger)).await?;
    let looked = admin.attempt(move |app, _| app.dry_run(&desk, after.as_ref(), LOOKED_AT)).await?;
    let (planned, more, error) = match looked {
        Ok((planned, more)) => (planned, more, String::new()),
        Err(AppError::Refused(error)) => (Vec::new(), None, error),
        Err(error) => return Err(error.into()),
    };
    let more = more.map(|user| format!("/admin/sync/{id}/dry-run?after={user}"));
    let code = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(render(code, &DryRunPage { page: admin.page(), names, id, planned, error, more, is_first }))
}
