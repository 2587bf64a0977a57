//! Helpdesks whose API keeps the site's users: connected with a key, which is tried first and never shown again, and their
//! settings.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::sync::kind;
use super::{Admin, Sent, go};
use crate::app::desks::NewDesk;
use crate::app::sync::DeskStatus;
use crate::app::{App, AppError};
use crate::core::alert::Kind;
use crate::core::desk::{FIELDS, Settings};
use crate::core::id::{DeskId, MessengerId};
use crate::core::messenger::fields::Texts;
use crate::core::sync::PersonState;
use crate::store::desks::StoredDesk;
use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::public;
use crate::web::http::run::Asker as _;

#[derive(Template)]
#[template(path = "admin/sync.html")]
struct DesksPage {
    page: Page,
    desks: Vec<DeskStatus>,
    /// Messengers whose helpdesk is not connected, with the helpdesk.
    open: Vec<(MessengerId, String)>,
    /// The messenger that was tried, and why it was not connected.
    tried: MessengerId,
    error: String,
    is_private: bool,
}

/// `GET /admin/sync`
pub async fn list(admin: Admin) -> Result<HttpResponse, Failure> {
    desks_page(&admin, MessengerId::default(), String::new(), false).await
}

async fn desks_page(
    admin: &Admin,
    tried: MessengerId,
    error: String,
    is_private: bool,
) -> Result<HttpResponse, Failure> {
    let read = |app: &App, _: &Admin| {
        let desks = app.desk_statuses()?;
        let mut open: Vec<(MessengerId, String)> = Vec::new();
        for messenger in app.messengers().iter() {
            let Ok(origin) = app.helpdesk(&messenger.id) else { continue };
            let is_known = desks.iter().any(|status| status.desk.origin == origin)
                || open.iter().any(|(_, known)| *known == origin.as_str());
            if !is_known {
                open.push((messenger.id.clone(), origin.as_str().to_owned()));
            }
        }
        Ok::<_, AppError>((desks, open))
    };
    let (desks, open) = admin.run(read).await?;
    let code = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(render(code, &DesksPage { page: admin.page(), desks, open, tried, error, is_private }))
}

impl DesksPage {
    fn icon(status: &DeskStatus) -> &'static str {
        kind(status.health)
    }

    fn error_of(&self, id: &MessengerId) -> &str {
        if self.is_tried(id) { &self.error } else { "" }
    }

    fn is_tried(&self, id: &MessengerId) -> bool {
        !self.error.is_empty() && self.tried == *id
    }
}

/// `POST /admin/sync`
pub async fn connect(admin: Admin, sent: Sent) -> Result<HttpResponse, Failure> {
    let messenger = MessengerId::from(sent.0.text("messenger"));
    let is_private = sent.0.has("private");
    let new = NewDesk { messenger: messenger.clone(), key: sent.0.text("api_key").into(), is_private };
    match admin.attempt(move |app, admin| app.connect_desk(&new, &admin.caller)).await? {
        Ok(desk) => Ok(go(&admin, &format!("/sync/{}?done=connected", desk.id))),
        Err(AppError::Refused(error)) => desks_page(&admin, messenger, error, is_private).await,
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "admin/sync_settings.html")]
struct SettingsPage {
    page: Page,
    stored: StoredDesk,
    texts: BTreeMap<&'static str, String>,
    errors: BTreeMap<&'static str, String>,
    /// What is wrong with the form as a whole, or with the new key.
    error: String,
    /// Whether the admin wants to disconnect the helpdesk, and must say so again.
    is_asked: bool,
    /// The webhook that was just made: its URL and its password.
    webhook: Option<(String, String)>,
    /// The URL and the secret of alerts that were just switched on.
    alerts: Option<(String, String)>,
    /// The URL of alerts, as it was typed or as it is, and what is wrong with it.
    alert_url: String,
    alert_problem: String,
    is_tested: bool,
    unsent: Vec<(Kind, String)>,
}

/// What the page of the settings shows in addition to them.
#[derive(Default)]
struct Extra {
    typed: Option<Texts>,
    errors: BTreeMap<&'static str, String>,
    error: String,
    is_asked: bool,
    webhook: Option<(String, String)>,
    alerts: Option<(String, String)>,
    /// The URL of alerts that was typed, and what is wrong with it.
    alert: Option<(String, String)>,
    is_tested: bool,
}

impl SettingsPage {
    fn text(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", String::as_str)
    }

    fn problem(&self, name: &str) -> &str {
        self.errors.get(name).map_or("", String::as_str)
    }
}

/// `GET /admin/sync/{desk}/settings`
pub async fn settings(admin: Admin, id: web::Path<DeskId>) -> Result<HttpResponse, Failure> {
    settings_page(&admin, id.into_inner(), Extra::default()).await
}

async fn settings_page(admin: &Admin, id: DeskId, extra: Extra) -> Result<HttpResponse, Failure> {
    let Extra { typed, errors, error, is_asked, webhook, alerts, alert, is_tested } = extra;
    let read = move |app: &App, _: &Admin| {
        Ok::<_, AppError>((app.desk_status(&id)?.stored, app.unsent_alerts(&id)?))
    };
    let (stored, unsent) = admin.run(read).await?;
    let texts = Settings::with_defaults(typed.as_ref().unwrap_or(&stored.texts));
    let is_fine = errors.is_empty() && error.is_empty() && alert.is_none();
    let code = if is_fine { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = admin.page();
    let current = || (stored.alert_url.clone().unwrap_or_default(), String::new());
    let (alert_url, alert_problem) = alert.unwrap_or_else(current);
    let template = SettingsPage {
        page,
        stored,
        texts,
        errors,
        error,
        is_asked,
        webhook,
        alerts,
        alert_url,
        alert_problem,
        is_tested,
        unsent,
    };
    Ok(render(code, &template))
}

/// Alerts are switched on, or tried.
async fn change_alerts(admin: &Admin, id: DeskId, sent: &Sent) -> Result<HttpResponse, Failure> {
    let (desk, url) = (id.clone(), sent.0.text("alert_url"));
    let is_test = sent.0.text("do") == "test-alerts";
    let typed = url.clone();
    let change = move |app: &App, admin: &Admin| {
        if is_test {
            return app.test_alerts(&desk).map(|()| None);
        }
        app.send_alerts_to(&desk, &url, &admin.caller).map(Some)
    };
    let extra = match admin.attempt(change).await? {
        Ok(None) => Extra { is_tested: true, ..Extra::default() },
        Ok(Some(secret)) => Extra { alerts: Some((typed, secret)), ..Extra::default() },
        Err(AppError::Refused(why)) => Extra { alert: Some((typed, why)), ..Extra::default() },
        Err(error) => return Err(error.into()),
    };
    settings_page(admin, id, extra).await
}

/// `POST /admin/sync/{desk}/settings`
pub async fn change(admin: Admin, id: web::Path<DeskId>, sent: Sent) -> Result<HttpResponse, Failure> {
    let id = id.into_inner();
    let desk = id.clone();
    match sent.0.text("do").as_str() {
        "ask" => settings_page(&admin, id, Extra { is_asked: true, ..Extra::default() }).await,
        "webhook" => {
            let secret = admin.run(move |app, admin| app.allow_calls(&desk, &admin.caller)).await?;
            let at = format!("{}{}", admin.client.origin(), public::prefix(&admin.app));
            let webhook = Some((format!("{at}/api/v1/deskpro/{id}/people"), secret));
            settings_page(&admin, id, Extra { webhook, ..Extra::default() }).await
        }
        "alerts" | "test-alerts" => change_alerts(&admin, id, &sent).await,
        "no-alerts" => {
            admin.run(move |app, admin| app.send_no_alerts(&desk, &admin.caller)).await?;
            Ok(go(&admin, &format!("/sync/{id}/settings#alerts")))
        }
        "no-webhook" => {
            admin.run(move |app, admin| app.refuse_calls(&desk, &admin.caller)).await?;
            Ok(go(&admin, &format!("/sync/{id}/settings#webhook")))
        }
        "disconnect" => {
            admin.run(move |app, admin| app.disconnect_desk(&desk, &admin.caller)).await?;
            Ok(go(&admin, "/sync"))
        }
        "key" => {
            let (key, is_private) = (sent.0.text("api_key"), sent.0.has("private"));
            let connect = move |app: &App, admin: &Admin| {
                let messenger = app.desk_status(&desk)?.desk.messenger;
                app.connect_desk(&NewDesk { messenger, key: key.into(), is_private }, &admin.caller)
            };
            match admin.attempt(connect).await? {
                Ok(_) => Ok(go(&admin, &format!("/sync/{id}?done=connected"))),
                Err(AppError::Refused(error)) => {
                    settings_page(&admin, id, Extra { error, ..Extra::default() }).await
                }
                Err(error) => Err(error.into()),
            }
        }
        _ => {
            let typed: Texts =
                FIELDS.iter().map(|(name, _)| ((*name).to_owned(), sent.0.text(name))).collect();
            let (texts, revision) = (typed.clone(), sent.0.number("revision"));
            let change =
                move |app: &App, admin: &Admin| app.change_desk(&desk, &texts, Some(revision), &admin.caller);
            match admin.attempt(change).await? {
                Ok(_) => Ok(go(&admin, &format!("/sync/{id}?done=settings"))),
                Err(AppError::Messenger(problems)) => {
                    let errors = problems.iter().map(|problem| (problem.place, problem.message())).collect();
                    let error = "Some settings cannot be used. Nothing was saved.".to_owned();
                    settings_page(&admin, id, Extra { typed: Some(typed), errors, error, ..Extra::default() })
                        .await
                }
                Err(error) => Err(error.into()),
            }
        }
    }
}
