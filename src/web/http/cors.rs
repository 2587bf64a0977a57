//! Which pages of other origins may read a token and end a session: those on a messenger's list, by their
//! exact origin (Fetch standard, CORS protocol). Their origin, and a header for requests that change
//! something, prove that the request does not come from another site's page.

use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::app::App;
use crate::core::id::MessengerId;
use crate::core::messenger::Messenger;
use crate::web::http::client::only_header;
use crate::web::http::public;

/// The token route.
pub const TOKEN: &str = "/api/v1/token";

/// The routes that other origins may call, with the methods they may use.
const SHARED: [(&str, &str); 2] = [(TOKEN, "GET"), ("/api/v1/session", "POST, DELETE")];

/// How long a browser may remember the response to a preflight request (seconds).
const REMEMBERED: &str = "600";

/// The origin of a request, if it is on the list.
pub fn allowed_origin(request: &HttpRequest, app: &App) -> Option<HeaderValue> {
    let origin = only_header(request, ORIGIN)?;
    // A token is for the pages of its own messenger; a session belongs to none of them.
    let of = request.path().ends_with(TOKEN).then(|| {
        let mut query = url::form_urlencoded::parse(request.query_string().as_bytes());
        query.find(|(name, _)| name == "messenger").map(|(_, id)| MessengerId::from(&*id)).unwrap_or_default()
    });
    allowed(origin, of.as_ref(), app)
}

/// An origin, if it is on the list of a messenger: of this one, or of any.
pub fn allowed(origin: &str, of: Option<&MessengerId>, app: &App) -> Option<HeaderValue> {
    let known = app.messengers();
    let is_asked = |messenger: &&Messenger| of.is_none_or(|id| messenger.id == *id);
    let mut allowed = known.iter().filter(is_asked).flat_map(|messenger| &messenger.allowed_origins);
    let found = allowed.find(|allowed| allowed.as_str() == origin)?;
    HeaderValue::from_str(found.as_str()).ok()
}

/// How other origins may call a path, if they may.
fn shared(path: &str, app: &App) -> Option<&'static str> {
    let below = path.strip_prefix(public::prefix(app))?;
    SHARED.iter().find(|(path, _)| *path == below).map(|(_, method)| *method)
}

/// Lets the page that sent the request read the response, errors included; `origin` comes from
/// [`allowed_origin`].
pub fn add(headers: &mut HeaderMap, path: &str, origin: Option<&HeaderValue>, app: &App) {
    if shared(path, app).is_some() {
        add_shared(headers, origin);
    }
}

/// The same for a path that other origins may call.
pub fn add_shared(headers: &mut HeaderMap, origin: Option<&HeaderValue>) {
    // Always: a cache must not give one origin's response to another.
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("Retry-After, X-Countersign-Code"),
        );
    }
}

/// `OPTIONS` of the shared routes: the browser's preflight request.
pub async fn preflight(request: HttpRequest, app: web::Data<App>) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    if let (Some(method), Some(_)) = (shared(request.path(), &app), allowed_origin(&request, &app)) {
        response
            .insert_header((ACCESS_CONTROL_ALLOW_METHODS, method))
            .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, asked_headers(&request)))
            .insert_header((ACCESS_CONTROL_MAX_AGE, REMEMBERED));
    }
    response.finish()
}

/// `OPTIONS` of what any page may read.
pub async fn preflight_of_anyone(request: HttpRequest) -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((ACCESS_CONTROL_ALLOW_METHODS, "GET"))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, asked_headers(&request)))
        .insert_header((ACCESS_CONTROL_MAX_AGE, REMEMBERED))
        .finish()
}

/// The headers that a page may send: those that it asks for. Pages that trace their requests add some to
/// each (`traceparent`, `baggage`, `sentry-trace` and others); we ignore them.
fn asked_headers(request: &HttpRequest) -> HeaderValue {
    let asked = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS);
    let is_list = |value: &&HeaderValue| {
        value.len() <= 1000
            && value.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_, ".contains(byte))
    };
    asked.filter(is_list).cloned().unwrap_or(HeaderValue::from_static("X-Countersign, Content-Type"))
}
