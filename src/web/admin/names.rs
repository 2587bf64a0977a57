//! What Deskpro calls the ids in payloads: where the names are from, all of them, and a way to load them.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::{Admin, Sent};
use crate::app::{App, AppError};
use crate::core::catalogue::Entry;
use crate::store::catalogues::StoredCatalogue;
use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;

/// How many names of one list a page shows.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "admin/names.html")]
struct NamesPage {
    page: Page,
    helpdesk: Option<String>,
    is_connected: bool,
    stored: Option<StoredCatalogue>,
    lists: Vec<NameList>,
    is_done: bool,
    error: String,
    /// The lines of a file that cannot be used.
    problems: Vec<String>,
    typed: String,
}

/// One list of names.
struct NameList {
    title: String,
    /// What a rule for it is called.
    claim: String,
    entries: Vec<Entry>,
    more: usize,
}

impl NameList {
    fn of(title: impl Into<String>, claim: impl Into<String>, entries: &[Entry]) -> Option<Self> {
        let more = entries.len().saturating_sub(SHOWN);
        let (title, claim) = (title.into(), claim.into());
        (!entries.is_empty()).then(|| Self {
            title,
            claim,
            entries: entries.iter().take(SHOWN).cloned().collect(),
            more,
        })
    }
}

/// The query of a link to the page.
#[derive(serde::Deserialize)]
pub struct Query {
    #[serde(default)]
    done: bool,
}

/// What the page shows besides the names.
#[derive(Default)]
struct Extra {
    is_done: bool,
    error: String,
    problems: Vec<String>,
    typed: String,
}

/// `GET /admin/mapping/names`
pub async fn show(admin: Admin, PageQuery(query): PageQuery<Query>) -> Result<HttpResponse, Failure> {
    names_page(&admin, Extra { is_done: query.done, ..Extra::default() }).await
}

async fn names_page(admin: &Admin, extra: Extra) -> Result<HttpResponse, Failure> {
    let Extra { is_done, error, problems, typed } = extra;
    let read = |app: &App, admin: &Admin| {
        let helpdesk = app.helpdesk(&admin.messenger).ok();
        let is_connected = match &helpdesk {
            Some(origin) => app.desks()?.iter().any(|desk| desk.origin == origin.as_str()),
            None => false,
        };
        let stored = app.stored_catalogue(&admin.messenger)?;
        Ok::<_, AppError>((helpdesk.map(|origin| origin.as_str().to_owned()), is_connected, stored))
    };
    let (helpdesk, is_connected, stored) = admin.run(read).await?;
    let lists = stored.as_ref().map(lists).unwrap_or_default();
    let is_fine = error.is_empty() && problems.is_empty();
    let code = if is_fine { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = admin.page();
    Ok(render(
        code,
        &NamesPage { page, helpdesk, is_connected, stored, lists, is_done, error, problems, typed },
    ))
}

fn lists(stored: &StoredCatalogue) -> Vec<NameList> {
    let names = &stored.names;
    let fields: Vec<Entry> = names.fields.iter().map(|field| field.entry.clone()).collect();
    let mut lists = vec![
        NameList::of("Groups", "usergroup_ids", &names.user_groups),
        NameList::of("Custom fields", "fields", &fields),
    ];
    lists.extend(names.fields.iter().map(|field| {
        let (name, id) = (&field.entry.name, field.entry.id);
        NameList::of(format!("Choices of {name}"), format!("fields.{id}"), &field.choices)
    }));
    lists.push(NameList::of("Languages", "language_id", &names.languages));
    lists.push(NameList::of("Organizations", "organization_id", &names.organizations));
    lists.into_iter().flatten().collect()
}

/// `POST /admin/mapping/names`: reads the names from the API, or from a file that was pasted.
pub async fn change(admin: Admin, sent: Sent) -> Result<HttpResponse, Failure> {
    let (is_file, typed) = (sent.0.text("do") == "import", sent.0.text("names"));
    let text = typed.clone();
    let load = move |app: &App, admin: &Admin| {
        if is_file {
            app.import_catalogue(&admin.messenger, &text, &admin.caller)
        } else {
            app.refresh_catalogue(&admin.messenger, &admin.caller)
        }
    };
    match admin.attempt(load).await? {
        Ok(_) => Ok(admin.go("/mapping/names?done=true")),
        Err(AppError::Names(problems)) => {
            let problems = problems.iter().take(20).map(ToString::to_string).collect();
            names_page(&admin, Extra { problems, typed, ..Extra::default() }).await
        }
        Err(AppError::Refused(error)) => names_page(&admin, Extra { error, typed, ..Extra::default() }).await,
        Err(error) => Err(error.into()),
    }
}
