//! Messengers: all settings with their errors, reading Deskpro's snippet, switching on and off. Settings
//! from the environment are shown here but cannot be changed.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::fields::Fields;
use super::messenger_fields::{Group, SECTIONS, Section};
use super::{Admin, Sent, go};
use crate::app::messengers::Described;
use crate::app::{App, AppError};
use crate::core::id::MessengerId;
use crate::core::messenger::fields::{FIELDS, FieldProblem, Texts};
use crate::core::messenger::probe::Probe;
use crate::core::messenger::snippet;
use crate::core::origin::Origin;
use crate::web::http::client::{Client, render};
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;

#[derive(Template)]
#[template(path = "admin/messengers.html")]
struct ListPage {
    page: Page,
    messengers: Vec<Line>,
    /// What was entered as the id of a new messenger, and what is wrong with it.
    typed: String,
    error: String,
}

struct Line {
    id: MessengerId,
    enabled: bool,
    deskpro: String,
    origins: usize,
    key: &'static str,
}

#[derive(Template)]
#[template(path = "admin/messenger.html")]
struct MessengerPage {
    page: Page,
    id: MessengerId,
    enabled: bool,
    revision: i64,
    /// Warnings about the saved settings.
    warnings: Vec<String>,
    sections: Vec<Section>,
    /// The action that was just done, or an error of the whole form.
    notice: Notice,
    /// The snippet that could not be read.
    pasted: String,
    probed: Probed,
}

/// A page of the website that was tried, and what a browser would do there.
#[derive(Default)]
struct Probed {
    /// The address that was entered.
    page: String,
    found: Option<Probe>,
    /// The allowed origins in the form differ from the saved ones.
    is_unsaved: bool,
    error: String,
}

/// What the page shows in addition to the values of the form.
#[derive(Default)]
struct FormState {
    status: StatusCode,
    notice: Notice,
    problems: Vec<FieldProblem>,
    pasted: String,
    probed: Probed,
}

/// A message above the form.
#[derive(Default)]
enum Notice {
    #[default]
    None,
    Saved,
    /// Asks whether to switch it off.
    AskedOff,
    SwitchedOff,
    SwitchedOn,
    /// The fields that were read from a snippet, and the keys whose values are not plain values.
    Read(Vec<&'static str>, Vec<String>),
    NothingRead,
    Moved,
    Problems(usize),
}

/// `GET /admin/messengers`
pub async fn list(admin: Admin) -> Result<HttpResponse, Failure> {
    show_list(&admin, String::new(), String::new()).await
}

async fn show_list(admin: &Admin, typed: String, error: String) -> Result<HttpResponse, Failure> {
    let described = |app: &App, _: &Admin| {
        let described = app.describe_messengers()?;
        let lines = described.into_iter().map(|messenger| line(app, messenger));
        lines.collect::<Result<Vec<_>, AppError>>()
    };
    let (page, messengers) = (admin.page(), admin.run(described).await?);
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(render(status, &ListPage { page, messengers, typed, error }))
}

fn line(app: &App, messenger: Described) -> Result<Line, AppError> {
    let keys = app.signing_keys(&messenger.id)?;
    let is_active = keys.iter().any(|key| key.state == crate::core::secret::KeyState::Active);
    let text = |name: &str| messenger.texts.get(name).cloned().unwrap_or_default();
    let origins = crate::core::messenger::fields::items(&text("allowed_origins")).len();
    Ok(Line {
        enabled: messenger.enabled,
        deskpro: text("deskpro_url"),
        origins,
        key: if is_active { "signs" } else { "missing" },
        id: messenger.id,
    })
}

/// `POST /admin/messengers`: adds one.
pub async fn add(admin: Admin, sent: Sent) -> Result<HttpResponse, Failure> {
    let id = sent.0.text("id").trim().to_owned();
    let wanted = id.clone();
    match admin.attempt(move |app, admin| app.add_messenger(&wanted.into(), &admin.caller)).await? {
        Ok(()) => Ok(go(&admin, &format!("/messengers/{id}"))),
        Err(AppError::Refused(error) | AppError::Taken(error)) => show_list(&admin, id, error).await,
        Err(error) => Err(error.into()),
    }
}

/// The query of a link to a messenger.
#[derive(serde::Deserialize)]
pub struct Query {
    #[serde(default)]
    done: String,
}

/// `GET /admin/messengers/{id}`
pub async fn show(
    admin: Admin,
    id: web::Path<MessengerId>,
    PageQuery(query): PageQuery<Query>,
) -> Result<HttpResponse, Failure> {
    let messenger = admin.run(move |app, _| app.describe_messenger(&id)).await?;
    let notice = match query.done.as_str() {
        "saved" => Notice::Saved,
        "off" if !messenger.enabled => Notice::SwitchedOff,
        "on" if messenger.enabled => Notice::SwitchedOn,
        _ => Notice::None,
    };
    let texts = messenger.texts.clone();
    Ok(form_page(&admin.page(), messenger, &texts, FormState { notice, ..FormState::default() }))
}

fn form_page(page: &Page, messenger: Described, texts: &Texts, state: FormState) -> HttpResponse {
    let filled = |group: &Group| group.filled(texts, &messenger.fixed, &state.problems);
    let sections = SECTIONS.iter().map(filled).collect();
    let template = MessengerPage {
        page: page.again(),
        id: messenger.id,
        enabled: messenger.enabled,
        revision: messenger.revision,
        warnings: messenger.warnings,
        sections,
        notice: state.notice,
        pasted: state.pasted,
        probed: state.probed,
    };
    render(state.status, &template)
}

/// `POST /admin/messengers/{id}`: saves, reads a snippet into the form, tries a page, switches on or off.
pub async fn change(
    admin: Admin,
    client: Client,
    id: web::Path<MessengerId>,
    sent: Sent,
) -> Result<HttpResponse, Failure> {
    let (id, page) = (id.into_inner(), admin.page());
    let asked = id.clone();
    let messenger = admin.run(move |app, _| app.describe_messenger(&asked)).await?;
    let fields = &sent.0;
    let texts = typed(fields, &messenger);
    match fields.text("do").as_str() {
        // An admin who pasted a snippet and presses Save wants it read first.
        word if word == "snippet" || !fields.text("snippet").trim().is_empty() => {
            Ok(read_snippet(&page, messenger, texts, &fields.text("snippet")))
        }
        // Enter in the field for a page tries the page.
        word if word == "probe" || (word == "enter" && fields.text("page") != fields.text("tried")) => {
            Ok(probe(&admin.app, &page, &client, messenger, &texts, fields.text("page")))
        }
        word @ ("enable" | "disable") => {
            let enabled = word == "enable";
            let enable =
                move |app: &App, admin: &Admin| app.enable_messenger(&messenger.id, enabled, &admin.caller);
            admin.run(enable).await?;
            Ok(go(&admin, &format!("/messengers/{id}?done={}", if enabled { "on" } else { "off" })))
        }
        // The form keeps what was entered.
        "ask-disable" => Ok(form_page(
            &page,
            messenger,
            &texts,
            FormState { notice: Notice::AskedOff, ..FormState::default() },
        )),
        word if !matches!(word, "" | "save" | "enter") => Err(Failure::BadRequest("it names no action")),
        _ => {
            let revision = fields.text("revision").parse().unwrap_or_default();
            let changes = texts.clone();
            let save = move |app: &App, admin: &Admin| {
                app.change_messenger(&id, &changes, Some(revision), &admin.caller)
            };
            let state = match admin.attempt(save).await? {
                Ok(saved) => return Ok(go(&admin, &format!("/messengers/{}?done=saved", saved.id))),
                Err(AppError::Messenger(problems)) => with_problems(problems),
                Err(AppError::MessengerMoved) => {
                    FormState { status: StatusCode::CONFLICT, notice: Notice::Moved, ..FormState::default() }
                }
                Err(error) => return Err(error.into()),
            };
            Ok(form_page(&page, messenger, &texts, state))
        }
    }
}

fn with_problems(problems: Vec<FieldProblem>) -> FormState {
    let (status, notice) = (StatusCode::UNPROCESSABLE_ENTITY, Notice::Problems(problems.len()));
    FormState { status, notice, problems, ..FormState::default() }
}

/// Tries a page with the values in the form, saved or not.
fn probe(
    app: &App,
    page: &Page,
    client: &Client,
    messenger: Described,
    texts: &Texts,
    tried: String,
) -> HttpResponse {
    let found = match Origin::parse(client.origin()) {
        Some(accounts) => app.probe_page(&messenger.id, texts, &tried, &accounts),
        None => Err(AppError::Refused("Set COUNTERSIGN_PUBLIC_URL to the address that people see.".into())),
    };
    let origins = |texts: &Texts| {
        let text = texts.get("allowed_origins").map_or("", String::as_str);
        text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let is_unsaved = origins(texts) != origins(&messenger.texts);
    let state = match found {
        Ok(found) => FormState {
            probed: Probed { page: tried, found: Some(found), is_unsaved, ..Probed::default() },
            ..FormState::default()
        },
        Err(AppError::Messenger(problems)) => {
            FormState { probed: Probed { page: tried, ..Probed::default() }, ..with_problems(problems) }
        }
        Err(error) => FormState {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            probed: Probed { page: tried, error: error.to_string(), ..Probed::default() },
            ..FormState::default()
        },
    };
    form_page(page, messenger, texts, state)
}

/// The values of the form. A browser does not send a checkbox that is not ticked.
fn typed(fields: &Fields, messenger: &Described) -> Texts {
    let text = |name: &str| {
        if messenger.fixed.contains(&name) {
            return messenger.texts.get(name).cloned().unwrap_or_default();
        }
        let is_box = SECTIONS.iter().flat_map(|section| section.fields).any(|field| field.is_box(name));
        match (is_box, fields.has(name)) {
            (true, ticked) => ticked.to_string(),
            (false, _) => fields.text(name),
        }
    };
    FIELDS.iter().map(|(name, _)| ((*name).to_owned(), text(name))).collect()
}

fn read_snippet(page: &Page, messenger: Described, mut texts: Texts, pasted: &str) -> HttpResponse {
    let found = snippet::read(pasted);
    let values = found.texts();
    if values.is_empty() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let state = FormState {
            status,
            notice: Notice::NothingRead,
            pasted: pasted.to_owned(),
            ..FormState::default()
        };
        return form_page(page, messenger, &texts, state);
    }
    let is_free = |name: &str| !messenger.fixed.contains(&name);
    let labels = SECTIONS
        .iter()
        .flat_map(|section| section.fields)
        .filter(|field| values.contains_key(field.name) && is_free(field.name))
        .map(|field| field.label)
        .collect();
    texts.extend(values.into_iter().filter(|(name, _)| is_free(name)));
    let notice = Notice::Read(labels, found.left_out);
    form_page(page, messenger, &texts, FormState { notice, ..FormState::default() })
}

/// Whether a messenger can be switched off.
fn can_be_switched(id: &MessengerId) -> bool {
    !id.is_default()
}
