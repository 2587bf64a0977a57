//! What a host page and the panel request: the init script with its parts, the deployment's settings,
//! the panel, and the two requests in which the panel sends a token in the body (a URL never contains
//! one).

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, error, web};
use serde::Deserialize;
use serde_json::{Value, json};
use url::{Origin, Url};

use super::desk::Presented;
use super::{MESSENGER_ID, Shared, TENANT};

/// The maximum size of a body, in bytes: a token of 8 KiB, a message, and room for tokens that are too
/// large.
const LARGEST_BODY: usize = 64 * 1024;
/// The maximum length of a message, in characters; the panel's field has the same limit.
const LONGEST_MESSAGE: usize = 2_000;
/// The maximum length of the name that a panel generates for its visitor, in bytes.
const LONGEST_VISITOR: usize = 64;

pub(super) fn register(config: &mut web::ServiceConfig) {
    for (path, kind, body) in [
        ("/deskpro-messenger-init/web.js", SCRIPT, include_str!("../../static/standin/web.js")),
        ("/deskpro-messenger-init/bridge.js", SCRIPT, include_str!("../../static/standin/bridge.js")),
        ("/deskpro-messenger-init/web.css", STYLE, include_str!("../../static/standin/web.css")),
        ("/deskpro-messenger-init/tokens.css", STYLE, include_str!("../../static/standin/tokens.css")),
        ("/deskpro-messenger-init/launcher.svg", IMAGE, include_str!("../../static/standin/launcher.svg")),
    ] {
        config.route(path, web::get().to(async move || shared_asset(kind, body)));
    }
    for (path, kind, body) in [
        ("/standin/panel.js", SCRIPT, include_str!("../../static/standin/panel.js")),
        ("/standin/view.js", SCRIPT, include_str!("../../static/standin/view.js")),
        ("/standin/panel.css", STYLE, include_str!("../../static/standin/panel.css")),
    ] {
        config.route(path, web::get().to(async move || own_asset(kind, body)));
    }
    config.service(
        web::scope(&format!("/deskpro-messenger/{TENANT}"))
            .route("/config", web::get().to(settings))
            .route("/panel", web::get().to(panel))
            .route("/session", web::post().to(session))
            .route("/messages", web::post().to(say)),
    );
}

pub(super) const SCRIPT: &str = "text/javascript; charset=utf-8";
pub(super) const STYLE: &str = "text/css; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

/// A file that pages of other origins load. Module scripts are always requested with CORS.
fn shared_asset(kind: &'static str, body: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header(("Cross-Origin-Resource-Policy", "cross-origin"))
        .insert_header(("Access-Control-Allow-Origin", "*"))
        .body(body)
}

/// A file that only the stand-in's own pages load.
pub(super) fn own_asset(kind: &'static str, body: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type(kind).body(body)
}

pub(super) fn json_limits() -> web::JsonConfig {
    web::JsonConfig::default().limit(LARGEST_BODY).error_handler(|error, _| {
        let answer = HttpResponse::BadRequest().json(json!({ "error": error.to_string() }));
        error::InternalError::from_response(error, answer).into()
    })
}

pub(super) async fn not_found() -> HttpResponse {
    HttpResponse::NotFound().json(json!({ "error": "There is nothing here." }))
}

#[derive(Deserialize)]
struct WhichMessenger {
    messenger: String,
}

/// Requested by the init script before it draws anything, so that a wrong messenger ID is noticed at once.
async fn settings(which: web::Query<WhichMessenger>, shared: web::Data<Shared>) -> HttpResponse {
    let mut answer = if which.messenger == MESSENGER_ID {
        HttpResponse::Ok().json(json!({ "require_jwt": shared.desk().play.require_jwt }))
    } else {
        HttpResponse::NotFound().json(json!({ "error": "There is no messenger with this ID." }))
    };
    let headers = answer.headers_mut();
    for (name, value) in
        [("access-control-allow-origin", "*"), ("cross-origin-resource-policy", "cross-origin")]
    {
        headers.insert(
            actix_web::http::header::HeaderName::from_static(name),
            actix_web::http::header::HeaderValue::from_static(value),
        );
    }
    answer
}

#[derive(Deserialize)]
struct Embedding {
    host: String,
}

/// The panel may be framed by the page it names, and communicates only with that page's origin.
async fn panel(embedding: web::Query<Embedding>) -> HttpResponse {
    let Some(host) = origin_of(&embedding.host) else {
        return HttpResponse::BadRequest()
            .content_type(ContentType::plaintext())
            .body("The page that opened this panel did not send its origin.");
    };
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .insert_header((
            "Content-Security-Policy",
            format!(
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                 base-uri 'none'; form-action 'none'; frame-ancestors {host}"
            ),
        ))
        .insert_header(("Cross-Origin-Resource-Policy", "cross-origin"))
        .body(include_str!("../../static/standin/panel.html"))
}

/// `text`, if it is exactly an origin of http or https: it is used in a header.
fn origin_of(text: &str) -> Option<String> {
    let origin = Url::parse(text).ok()?.origin();
    let is_web = matches!(&origin, Origin::Tuple(scheme, ..) if scheme == "http" || scheme == "https");
    let written = origin.ascii_serialization();
    (is_web && written == text).then_some(written)
}

/// What the panel sends. A missing `signedUserInfo` is an anonymous visitor; `null` is a mistake of the page.
#[derive(Deserialize)]
struct Visit {
    messenger_id: String,
    #[serde(rename = "signedUserInfo", default, deserialize_with = "present")]
    signed_user_info: Option<Value>,
    #[serde(default)]
    visitor: String,
    #[serde(default)]
    text: String,
}

/// `Some` for any value, including `null`: serde by itself reads both as `None`.
fn present<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(reader).map(Some)
}

async fn session(visit: web::Json<Visit>, shared: web::Data<Shared>) -> HttpResponse {
    let visit = visit.into_inner();
    if let Some(answer) = bad_visit(&visit) {
        return answer;
    }
    let presented = Presented::from_json(visit.signed_user_info);
    let now = shared.now();
    HttpResponse::Ok().json(shared.desk().judge(&presented, &visit.visitor, now))
}

async fn say(visit: web::Json<Visit>, shared: web::Data<Shared>) -> HttpResponse {
    let visit = visit.into_inner();
    if let Some(answer) = bad_visit(&visit) {
        return answer;
    }
    let text = visit.text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_MESSAGE {
        return bad_request("A message must have 1 to 2,000 characters.");
    }
    let presented = Presented::from_json(visit.signed_user_info);
    let now = shared.now();
    HttpResponse::Ok().json(shared.desk().say(&presented, &visit.visitor, text, now))
}

fn bad_visit(visit: &Visit) -> Option<HttpResponse> {
    if visit.messenger_id != MESSENGER_ID {
        return Some(bad_request("There is no messenger with this ID."));
    }
    if visit.visitor.len() > LONGEST_VISITOR {
        return Some(bad_request("The visitor’s name for itself is too long."));
    }
    None
}

fn bad_request(why: &str) -> HttpResponse {
    HttpResponse::BadRequest().json(json!({ "error": why }))
}
