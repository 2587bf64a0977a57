//! `/admin/integrate`: how to add the messenger to pages and apps, with this site's real values.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::recipes::{GROUPS, Recipe, Step, Values, With};
use super::{Admin, encoded, file};
use crate::core::id::MessengerId;
use crate::core::secret::KeyState;
use crate::web::http::client::{Client, render};
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;

#[derive(Template)]
#[template(path = "admin/integrate.html")]
struct IntegratePage {
    page: Page,
    id: MessengerId,
    messengers: Vec<MessengerId>,
    /// What is still missing before a recipe works.
    missing: Vec<(&'static str, String)>,
    values: Values,
}

/// Which messenger.
#[derive(Deserialize)]
pub struct Query {
    messenger: Option<MessengerId>,
}

/// `GET /admin/integrate`
pub async fn show(
    client: Client,
    admin: Admin,
    PageQuery(query): PageQuery<Query>,
) -> Result<HttpResponse, Failure> {
    let id = query.messenger.unwrap_or_default();
    let (app, page, asked) = (&admin.app, admin.page(), id.clone());
    let messenger = app.messenger(&id)?;
    let keys = admin.run(move |app, _| app.signing_keys(&asked)).await?;
    let mut missing = Vec::new();
    if !keys.iter().any(|key| key.state == KeyState::Active) {
        let keys = page.url(&format!("/admin/messengers/{id}/keys"));
        missing.push(("There is no signing key, so no user gets a token.", keys));
    }
    let settings = page.url(&format!("/admin/messengers/{id}"));
    if messenger.deployment.is_none() {
        missing.push(("Deskpro's three values are not set.", settings.clone()));
    }
    if messenger.allowed_origins.is_empty() {
        missing.push((
            "No origin is allowed yet: pages whose users sign in here cannot fetch a token.",
            settings,
        ));
    }
    let messengers = app.messengers().iter().map(|messenger| messenger.id.clone()).collect();
    let values = Values::new(app, &client, &messenger);
    Ok(render(StatusCode::OK, &IntegratePage { page, id, messengers, missing, values }))
}

/// `GET /admin/integrate/{recipe}`: one recipe as a file.
pub async fn download(
    client: Client,
    admin: Admin,
    name: web::Path<String>,
    PageQuery(query): PageQuery<Query>,
) -> Result<HttpResponse, Failure> {
    let messenger = admin.app.messenger(&query.messenger.unwrap_or_default())?;
    let recipe = GROUPS
        .iter()
        .flat_map(|(_, _, recipes)| *recipes)
        .find(|recipe| recipe.name == *name)
        .ok_or(Failure::NotFound)?;
    let (kind, body) = Values::new(&admin.app, &client, &messenger).download(recipe)?;
    Ok(file(recipe.saved_as, kind, body))
}

impl IntegratePage {
    /// The URL to download a recipe.
    fn link(&self, recipe: &Recipe) -> String {
        self.page.url(&format!("/admin/integrate/{}?messenger={}", recipe.name, encoded(self.id.as_str())))
    }
}
