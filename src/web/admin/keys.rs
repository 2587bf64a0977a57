//! Signing keys of a messenger: added and never shown again, switched forwards and back, removed after the
//! admin confirmed it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Admin, Sent, go};
use crate::app::signing_keys::{OF_SETTINGS, Shown};
use crate::app::{App, AppError};
use crate::core::id::MessengerId;
use crate::core::secret::{Encoding, KeyState};
use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;

#[derive(Template)]
#[template(path = "admin/keys.html")]
struct KeysPage {
    page: Page,
    id: MessengerId,
    keys: Vec<Shown>,
    /// The key that the admin wants to remove, if any.
    asked: Option<Shown>,
    /// Whether the environment sets the key.
    is_fixed: bool,
    /// The action that was just done.
    done: String,
    /// What is wrong with the key that was entered.
    error: String,
    encoding: Encoding,
    allow_short: bool,
}

/// The query of a link to the keys.
#[derive(serde::Deserialize)]
pub struct Query {
    #[serde(default)]
    done: String,
}

/// The values that were sent with an unusable key; the key itself is never written into the page.
#[derive(Default)]
struct FormValues {
    error: String,
    encoding: Encoding,
    allow_short: bool,
}

/// `GET /admin/messengers/{id}/keys`
pub async fn show(
    admin: Admin,
    id: web::Path<MessengerId>,
    PageQuery(query): PageQuery<Query>,
) -> Result<HttpResponse, Failure> {
    keys_page(&admin, id.into_inner(), query.done, None, FormValues::default()).await
}

async fn keys_page(
    admin: &Admin,
    id: MessengerId,
    done: String,
    asked: Option<String>,
    typed: FormValues,
) -> Result<HttpResponse, Failure> {
    let messenger = id.clone();
    let keys = admin.run(move |app, _| app.signing_keys(&messenger)).await?;
    let asked = keys.iter().find(|key| asked.as_ref() == Some(&key.id)).cloned();
    let is_fixed = keys.iter().any(|key| key.id == OF_SETTINGS);
    let status = if typed.error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let FormValues { error, encoding, allow_short } = typed;
    let page = admin.page();
    Ok(render(status, &KeysPage { page, id, keys, asked, is_fixed, done, error, encoding, allow_short }))
}

/// `POST /admin/messengers/{id}/keys`
pub async fn change(admin: Admin, id: web::Path<MessengerId>, sent: Sent) -> Result<HttpResponse, Failure> {
    let id = id.into_inner();
    let (word, key) = sent
        .0
        .text("do")
        .split_once('-')
        .map_or_else(|| (sent.0.text("do"), String::new()), |(word, key)| (word.to_owned(), key.to_owned()));
    let messenger = id.clone();
    match word.as_str() {
        "activate" => {
            admin.run(move |app, admin| app.activate_signing_key(&messenger, &key, &admin.caller)).await?;
            Ok(go(&admin, &format!("/messengers/{id}/keys?done=switched")))
        }
        "ask" => keys_page(&admin, id, String::new(), Some(key), FormValues::default()).await,
        "remove" => {
            admin.run(move |app, admin| app.remove_signing_key(&messenger, &key, &admin.caller)).await?;
            Ok(go(&admin, &format!("/messengers/{id}/keys?done=removed")))
        }
        _ => {
            let text = sent.0.text("signing_key");
            let encoding = Encoding::parse(&sent.0.text("encoding")).unwrap_or_default();
            let allow_short = sent.0.has("allow_short");
            let add = move |app: &App, admin: &Admin| {
                app.add_signing_key(&messenger, &text, encoding, allow_short, &admin.caller)
            };
            match admin.attempt(add).await? {
                Ok((_, state)) => {
                    Ok(go(&admin, &format!("/messengers/{id}/keys?done=added-{}", state.as_str())))
                }
                Err(AppError::BadKey(error) | AppError::Refused(error)) => {
                    let typed = FormValues { error, encoding, allow_short };
                    keys_page(&admin, id, String::new(), None, typed).await
                }
                Err(error) => Err(error.into()),
            }
        }
    }
}
