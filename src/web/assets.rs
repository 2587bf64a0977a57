//! Files of the pages, compiled in. Their addresses carry a digest, so browsers keep them for good.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use rust_embed::RustEmbed;

use super::error::Failure;
use crate::core::secret::hex;

#[derive(RustEmbed)]
#[folder = "static/"]
#[exclude = "standin/*"]
struct Files;

/// The version of each file: the begin of its digest.
static VERSIONS: LazyLock<HashMap<Cow<'static, str>, String>> = LazyLock::new(|| {
    Files::iter()
        .filter_map(|name| {
            let file = Files::get(&name)?;
            Some((name, hex(&file.metadata.sha256_hash()[..8])))
        })
        .collect()
});

/// The path of a file below the public URL.
pub fn path(file: &str) -> String {
    let version = VERSIONS.get(file).map_or("missing", String::as_str);
    format!("/assets/{version}/{file}")
}

/// `GET /assets/{version}/{file}`: only under the version it has.
pub async fn show(asked: web::Path<(String, String)>) -> Result<HttpResponse, Failure> {
    let (version, name) = asked.into_inner();
    let file = Files::get(&name)
        .filter(|_| VERSIONS.get(name.as_str()) == Some(&version))
        .ok_or(Failure::NotFound)?;
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(file.data))
}
