//! API keys: created and shown once, listed, revoked.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::{Admin, Sent, go};
use crate::app::api_keys::{NewKey, WhoseIds};
use crate::app::{App, AppError, clock};
use crate::core::api_key::{ApiKey, LIFETIME, Scope, State};
use crate::core::id::MessengerId;
use crate::core::throttle::DAY;
use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;

#[derive(Template)]
#[template(path = "admin/api_keys.html")]
struct KeysPage {
    page: Page,
    keys: Vec<(ApiKey, State)>,
    messengers: Vec<MessengerId>,
    /// What is stored of the key or connection code that was just created, and the secret itself.
    made: Option<(ApiKey, String)>,
    asked: Option<Revoking>,
    done: String,
    error: String,
    /// The question about the ids that must be answered before the key is created, and a suitable prefix.
    whose_ids: Option<(WhoseIds, String)>,
    typed: FormValues,
    /// The id that the next key will have: a form that is sent twice creates only one key.
    next_id: String,
}

impl KeysPage {
    fn refused(&self) -> &'static str {
        if self.typed.is_code { "No connection code was made" } else { "No key was made" }
    }
}

/// A key that the admin wants to revoke, and the sessions that were started with its codes.
struct Revoking {
    key: ApiKey,
    browsers: i64,
    apps: i64,
}

/// The values of the form.
struct FormValues {
    name: String,
    scopes: Vec<Scope>,
    messengers: Vec<MessengerId>,
    email_verified: bool,
    prefix: String,
    days: String,
    /// Whether the admin wants a connection code instead of a key.
    is_code: bool,
}

impl Default for FormValues {
    fn default() -> Self {
        Self {
            name: String::new(),
            scopes: vec![Scope::Users, Scope::Mint],
            messengers: vec![MessengerId::default()],
            email_verified: false,
            prefix: String::new(),
            days: (LIFETIME / DAY).to_string(),
            is_code: false,
        }
    }
}

/// The query of a link to the list.
#[derive(serde::Deserialize)]
pub struct Query {
    #[serde(default)]
    done: String,
}

/// What the page shows in addition to the list.
#[derive(Default)]
struct Extra {
    made: Option<(ApiKey, String)>,
    asked: Option<String>,
    done: String,
    error: String,
    whose_ids: Option<WhoseIds>,
    typed: FormValues,
}

/// `GET /admin/api-keys`
pub async fn list(admin: Admin, PageQuery(query): PageQuery<Query>) -> Result<HttpResponse, Failure> {
    let extra = Extra { done: query.done, ..Extra::default() };
    keys_page(&admin, extra, StatusCode::OK).await
}

async fn keys_page(admin: &Admin, extra: Extra, status: StatusCode) -> Result<HttpResponse, Failure> {
    let Extra { made, asked, done, error, whose_ids, typed } = extra;
    let look = move |app: &App, _: &Admin| {
        let known = app.describe_messengers()?;
        let keys = app.api_keys()?;
        let asked = keys.iter().find(|key| asked.as_ref() == Some(&key.id)).cloned();
        let asked = asked.map(|key| {
            let (browsers, apps) = app.sign_ins_of_key(&key.id)?;
            Ok::<_, AppError>(Revoking { key, browsers, apps })
        });
        let ids: Vec<MessengerId> = known.into_iter().map(|messenger| messenger.id).collect();
        Ok::<_, AppError>((keys, asked.transpose()?, ids))
    };
    let (keys, asked, messengers) = admin.run(look).await?;
    let now = admin.app.now();
    let keys = keys.into_iter().map(|key| (key.clone(), key.state(now))).collect();
    let (page, next_id) = (admin.page(), clock::new_id());
    let whose_ids = whose_ids.map(|whose| (whose, prefix_for(&typed.name)));
    Ok(render(
        status,
        &KeysPage { page, keys, messengers, made, asked, done, error, whose_ids, typed, next_id },
    ))
}

/// `POST /admin/api-keys`: creates a key and shows it, or revokes a key after the admin confirmed it.
pub async fn change(admin: Admin, sent: Sent) -> Result<HttpResponse, Failure> {
    let fields = &sent.0;
    let pressed = fields.text("do");
    let is_code = pressed == "offer";
    match pressed.split_once('-').map(|(word, id)| (word, id.to_owned())) {
        Some(("ask", id)) => {
            let extra = Extra { asked: Some(id), ..Extra::default() };
            return keys_page(&admin, extra, StatusCode::OK).await;
        }
        Some(("revoke", id)) => {
            admin.run(move |app, admin| app.revoke_api_key(&id, false, &admin.caller)).await?;
            return Ok(go(&admin, "/api-keys?done=revoked"));
        }
        Some(("end", id)) => {
            admin.run(move |app, admin| app.revoke_api_key(&id, true, &admin.caller)).await?;
            return Ok(go(&admin, "/api-keys?done=ended"));
        }
        Some(_) => return Err(Failure::BadRequest("it names no action")),
        None => {}
    }
    let known = admin.run(|app, _| app.describe_messengers()).await?;
    let typed = FormValues {
        name: fields.text("name"),
        scopes: Scope::ALL
            .into_iter()
            .filter(|scope| fields.has(&format!("scope-{}", scope.as_str())))
            .collect(),
        messengers: known
            .into_iter()
            .map(|messenger| messenger.id)
            .filter(|id| fields.has(&format!("messenger-{id}")))
            .collect(),
        email_verified: fields.has("email_verified"),
        prefix: fields.text("prefix"),
        days: fields.text("days"),
        is_code,
    };
    let typed_prefix = Some(typed.prefix.clone()).filter(|prefix| !prefix.is_empty());
    let prefix = match fields.text("ids").as_str() {
        "same" => Some(String::new()),
        "apart" => Some(typed_prefix.unwrap_or_else(|| prefix_for(&typed.name))),
        _ => typed_prefix,
    };
    let new = NewKey {
        id: Some(fields.text("id")),
        name: typed.name.clone(),
        scopes: typed.scopes.clone(),
        messengers: typed.messengers.clone(),
        email_verified: typed.email_verified,
        prefix,
        // A value that is not a number is refused with the same message as a number out of bounds.
        lifetime: typed.days.trim().parse::<i64>().unwrap_or_default().saturating_mul(DAY),
    };
    let make = move |app: &App, admin: &Admin| {
        if is_code { app.offer_api_key(&new, &admin.caller) } else { app.create_api_key(&new, &admin.caller) }
    };
    match admin.attempt(make).await? {
        Ok(made) => {
            let extra = Extra { made: Some(made), ..Extra::default() };
            keys_page(&admin, extra, StatusCode::CREATED).await
        }
        Err(AppError::WhoseIds(whose)) => {
            let extra = Extra { whose_ids: Some(whose), typed, ..Extra::default() };
            keys_page(&admin, extra, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(AppError::Refused(error) | AppError::Taken(error)) => {
            let extra = Extra { error, typed, ..Extra::default() };
            keys_page(&admin, extra, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

/// A prefix by which people recognise the ids of a website: `shop-server-`.
fn prefix_for(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let prefix: String = words.flat_map(|word| [word, "-"]).collect::<String>().to_lowercase();
    if prefix.is_empty() || prefix.len() > 40 { "website-".to_owned() } else { prefix }
}
