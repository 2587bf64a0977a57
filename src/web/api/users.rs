//! `/api/v1/users/{external_id}`: the site's server keeps a user here up to date, and reports that an
//! account no longer exists.

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use super::site::{Site, SiteBody, external_id};
use super::{Object, answer, created, nothing};
use crate::app::users::as_json;
use crate::core::api_key::Scope;
use crate::web::http::error::Failure;
use crate::web::http::run::Asker as _;

/// Creates the user (201) or changes the attributes that are named (200).
pub async fn put(
    path: web::Path<String>,
    SiteBody { site, body }: SiteBody<Object>,
) -> Result<HttpResponse, Failure> {
    site.ensure(Scope::Users)?;
    let id = external_id(&path)?;
    let put = site.run(move |app, site| app.put_user(&site.key, &id, &body.0, &site.caller)).await?;
    let mut shown = json!({ "external_id": put.user.text("external_id") });
    if let (Value::Object(shown), Value::Object(user)) = (&mut shown, as_json(&put.user)) {
        shown.extend(user);
        // The site must not learn whether a user is an admin here.
        shown.remove("role");
        shown.insert("changed".to_owned(), json!(put.changed));
    }
    Ok(if put.created { created(shown) } else { answer(shown) })
}

/// The account no longer exists: the user gets no token any more, and the login and address become
/// available.
pub async fn gone(path: web::Path<String>, site: Site) -> Result<HttpResponse, Failure> {
    site.ensure(Scope::Users)?;
    let id = external_id(&path)?;
    site.run(move |app, site| app.user_gone_by_key(&site.key, &id, &site.caller)).await?;
    Ok(nothing())
}
