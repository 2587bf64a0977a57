//! Files of the pages, compiled in. Their addresses carry a digest, so browsers keep them for good.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::LazyLock;

use actix_web::http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG,
    EntityTag, HeaderName, IF_NONE_MATCH, VARY,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;

use super::error::Failure;
use crate::core::secret::hex;

#[derive(RustEmbed)]
#[folder = "static/"]
#[exclude = "standin/*"]
#[exclude = "openapi.json"]
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

/// The helper as it is sent: every page of the website loads it, so its comments, which stand on lines of
/// their own, stay here.
static EMBED: LazyLock<String> = LazyLock::new(|| {
    let source = Files::get("embed.js").map(|file| file.data.into_owned()).unwrap_or_default();
    let source = String::from_utf8_lossy(&source);
    let is_comment = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("//") || line.starts_with("/**")
    };
    let kept: Vec<&str> = source.lines().filter(|line| !is_comment(line)).map(str::trim_start).collect();
    kept.join("\n")
});

/// The same by gzip, smaller than what the middleware packs in haste, Brotli included.
static EMBED_GZIP: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(EMBED.as_bytes()).and_then(|()| packed.finish()).expect("a vector takes what is written")
});

/// Answers with a file's bytes.
fn send(request: &HttpRequest, name: &str, mut response: HttpResponseBuilder) -> Option<HttpResponse> {
    if name != "embed.js" {
        return Files::get(name).map(|file| response.body(file.data));
    }
    let mut accepted = request.headers().get_all(ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    let takes_gzip = accepted.any(|value| {
        value.split(',').any(|one| {
            let (coding, quality) = one.split_once(';').unwrap_or((one, ""));
            coding.trim() == "gzip" && quality.trim() != "q=0"
        })
    });
    response.append_header((VARY, "Accept-Encoding"));
    Some(if takes_gzip {
        response.insert_header((CONTENT_ENCODING, "gzip")).body(EMBED_GZIP.as_slice())
    } else {
        response.body(EMBED.as_str())
    })
}

/// What pages of every site load.
const SHARED: [&str; 2] = ["embed.js", "embed.d.ts"];
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// `GET /embed.js`: the helper for pages of the website, under an address that stays. Browsers ask
/// after five minutes whether it is still the same.
pub async fn embed(request: HttpRequest) -> Result<HttpResponse, Failure> {
    current(&request, "embed.js")
}

/// `GET /embed.d.ts`: its types, for TypeScript.
pub async fn embed_types(request: HttpRequest) -> Result<HttpResponse, Failure> {
    current(&request, "embed.d.ts")
}

fn current(request: &HttpRequest, name: &'static str) -> Result<HttpResponse, Failure> {
    let tag = EntityTag::new_weak(VERSIONS.get(name).cloned().unwrap_or_default());
    let known = request.headers().get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    let is_same = known.flat_map(|value| value.split(',')).any(|known| {
        known.trim() == "*" || known.trim().parse().is_ok_and(|known: EntityTag| known.weak_eq(&tag))
    });
    let mut response = if is_same { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((ETAG, tag.to_string()))
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .insert_header((RESOURCE_POLICY, "cross-origin"))
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    if is_same {
        return Ok(response.finish());
    }
    response.insert_header((CONTENT_TYPE, kind(name)));
    send(request, name, response).ok_or(Failure::NotFound)
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

/// `GET /assets/{version}/{file}`: only under the version it has.
pub async fn show(request: HttpRequest, asked: web::Path<(String, String)>) -> Result<HttpResponse, Failure> {
    let (version, name) = asked.into_inner();
    if VERSIONS.get(name.as_str()) != Some(&version) {
        return Err(Failure::NotFound);
    }
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, kind(&name)))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"));
    if SHARED.contains(&name.as_str()) {
        response
            .insert_header((RESOURCE_POLICY, "cross-origin"))
            .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    }
    send(&request, &name, response).ok_or(Failure::NotFound)
}
