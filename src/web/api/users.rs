//! `PUT /api/v1/users/{external_id}`: the site's server keeps a user here up to date.

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use super::site::{SiteAsked, external_id};
use super::{Object, answer, created};
use crate::app::users::as_json;
use crate::core::api_key::Scope;
use crate::web::error::Failure;
use crate::web::hop;

/// Adds the user (201) or changes the attributes that are named (200).
pub async fn put(path: web::Path<String>, asked: SiteAsked<Object>) -> Result<HttpResponse, Failure> {
    let SiteAsked { site, body } = asked;
    site.ensure(Scope::Users)?;
    let id = external_id(&path)?;
    let put = hop(move || site.app.put_user(&site.key, &id, &body.0, &site.caller)).await?;
    let mut shown = json!({ "external_id": put.user.text("external_id") });
    if let (Value::Object(shown), Value::Object(user)) = (&mut shown, as_json(&put.user)) {
        shown.extend(user);
        // Whether somebody is an admin here is nobody's business there.
        shown.remove("role");
        shown.insert("changed".to_owned(), json!(put.changed));
    }
    Ok(if put.created { created(shown) } else { answer(shown) })
}
