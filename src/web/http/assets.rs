//! Files of the pages, compiled in. Their addresses contain a digest, so browsers cache them permanently.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::LazyLock;

use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG,
    Encoding, EntityTag, Header as _, HeaderName, IfNoneMatch, VARY,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::core::secret::hex;
use crate::web::http::error::Failure;

#[derive(RustEmbed)]
#[folder = "static/"]
#[exclude = "standin/*"]
#[exclude = "openapi.json"]
#[exclude = "embed.js"]
struct Files;

/// The embed script for the website's pages. Every page loads it, so it is sent minified by esbuild; its
/// source is `static/embed.js`, and `npm run embed` in `tests/browser` creates the minified file from it.
const HELPER: &str = "embed.js";
const SMALL_HELPER: &str = "embed.min.js";

fn file(name: &str) -> Option<EmbeddedFile> {
    match name {
        HELPER => Files::get(SMALL_HELPER),
        SMALL_HELPER => None,
        name => Files::get(name),
    }
}

/// The version of each file: the start of its digest.
static VERSIONS: LazyLock<HashMap<Cow<'static, str>, String>> = LazyLock::new(|| {
    let names = Files::iter().map(|name| if name == SMALL_HELPER { HELPER.into() } else { name });
    names
        .filter_map(|name| {
            let file = file(&name)?;
            Some((name, hex(&file.metadata.sha256_hash()[..8])))
        })
        .collect()
});

/// The path of a file under the public URL.
pub fn path(file: &str) -> String {
    let version = VERSIONS.get(file).map_or("missing", String::as_str);
    format!("/assets/{version}/{file}")
}

/// The embed script, compressed as far as possible: every page of the website loads it.
static HELPER_BROTLI: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut helper().as_ref(), &mut packed, &BrotliEncoderParams::default())
        .expect("writing to a vector cannot fail");
    packed
});

static HELPER_GZIP: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&helper()).and_then(|()| packed.finish()).expect("writing to a vector cannot fail")
});

fn helper() -> Cow<'static, [u8]> {
    file(HELPER).map(|file| file.data).unwrap_or_default()
}

/// Responds with a file's bytes.
fn send(request: &HttpRequest, name: &str, mut response: HttpResponseBuilder) -> Option<HttpResponse> {
    if name != HELPER {
        return file(name).map(|file| response.body(file.data));
    }
    response.append_header((VARY, "Accept-Encoding"));
    let packed: [(Encoding, &LazyLock<Vec<u8>>); 2] =
        [(Encoding::brotli(), &HELPER_BROTLI), (Encoding::gzip(), &HELPER_GZIP)];
    let known = [Encoding::brotli(), Encoding::gzip(), Encoding::identity()];
    let taken = AcceptEncoding::parse(request).ok().and_then(|accepted| accepted.negotiate(known.iter()));
    Some(match packed.into_iter().find(|(encoding, _)| Some(encoding) == taken.as_ref()) {
        Some((encoding, bytes)) => {
            response.insert_header((CONTENT_ENCODING, encoding.to_string())).body(bytes.as_slice())
        }
        None => response.body(helper()),
    })
}

/// Files that pages of every site load.
const SHARED: [&str; 2] = [HELPER, "embed.d.ts"];
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// `GET /embed.js`: the embed script for the website's pages, under a permanent address. Browsers check
/// after five minutes whether it has changed.
pub async fn embed(request: HttpRequest) -> Result<HttpResponse, Failure> {
    current(&request, HELPER)
}

/// `GET /embed.d.ts`: its types, for TypeScript.
pub async fn embed_types(request: HttpRequest) -> Result<HttpResponse, Failure> {
    current(&request, "embed.d.ts")
}

fn current(request: &HttpRequest, name: &'static str) -> Result<HttpResponse, Failure> {
    let tag = EntityTag::new_weak(VERSIONS.get(name).cloned().unwrap_or_default());
    let is_same = match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(&tag)),
        Err(_) => false,
    };
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

/// `GET /assets/{version}/{file}`: only under the file's current version.
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
