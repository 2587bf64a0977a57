//! The outermost layer around every request: its id and nonce, the host that it names, the one place that
//! turns failures into pages or problems, the security headers, and one line in the log.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    ALLOW, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError, web};
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::app::{App, clock};
use crate::core::origin;
use crate::web::http::client::{Client, chosen_language, header};
use crate::web::http::connection::Watch;
use crate::web::http::error::{Failure, Nobody};
use crate::web::http::page::{ErrorPage, Page};
use crate::web::http::session::Visit;
use crate::web::http::{client, cookies, cors, headers, nul, page, public, texts};

/// What is read from a request before it is passed on: a clone of the request itself would prevent the
/// router from writing to it.
struct Inbound {
    client: Client,
    method: Method,
    path: String,
    language: Option<&'static str>,
    /// The origin of the page that sent the request, if it may read responses.
    origin: Option<HeaderValue>,
}

/// Responds to a request, whatever happens inside.
pub async fn around(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let watch = clock::Stopwatch::start();
    let _request = Watch::begin(&mut request);
    nul::refuse(&mut request);
    let Some(app) = request.app_data::<web::Data<App>>().cloned() else {
        return Err(Failure::Internal("the server has no application state".into()).into());
    };
    cookies::keep_ours(&mut request, &app);
    let inbound = Inbound {
        client: Client::new(request.request(), &app),
        method: request.method().clone(),
        path: request.path().to_owned(),
        language: chosen_language(request.query_string()),
        origin: cors::allowed_origin(request.request(), &app),
    };
    request.extensions_mut().insert(inbound.client.clone());
    let for_us = is_for_us(request.request(), &inbound.client.app);
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let answered = if !for_us {
        Err(Failure::Host.into())
    } else if target.contains("%00") {
        // Nothing that we store can contain it.
        Err(Failure::BadRequest("it contains a NUL character").into())
    } else if is_speculative(request.request(), &inbound.client.app) {
        Err(Failure::Unavailable(1).into())
    } else if !is_text(request.path()) {
        // The router would replace everything that is not UTF-8 with the same character.
        Err(Failure::BadRequest("its path is not UTF-8").into())
    } else {
        next.call(request).await
    };
    let asked = |route: Option<String>| Asked {
        request_id: inbound.client.request_id().to_owned(),
        route: route.unwrap_or_default(),
        address: inbound.client.caller().address,
    };
    match answered {
        Ok(response) => {
            let (request, response) = response.into_parts();
            let visit = request.extensions().get::<Visit>().cloned();
            let mut response = match response.error() {
                Some(error) => {
                    let mut failed = fail(error, visit.as_ref(), &inbound);
                    // Cookies that the inner layers have set stay.
                    for cookie in response.headers().get_all(SET_COOKIE) {
                        failed.headers_mut().append(SET_COOKIE, cookie.clone());
                    }
                    failed
                }
                None => response.map_into_boxed_body(),
            };
            finish(&mut response, &inbound);
            count(&inbound, request.match_pattern().as_deref(), response.status(), &watch);
            log(&watch, &inbound.method, response.status(), || asked(request.match_pattern()));
            Ok(ServiceResponse::new(request, response))
        }
        Err(error) => {
            let mut response = fail(&error, None, &inbound);
            finish(&mut response, &inbound);
            count(&inbound, None, response.status(), &watch);
            log(&watch, &inbound.method, response.status(), || asked(None));
            Err(InternalError::from_response(error, response).into())
        }
    }
}

/// Counts a request for the metrics, by the pattern of its route under the public URL's path.
fn count(inbound: &Inbound, pattern: Option<&str>, status: StatusCode, watch: &clock::Stopwatch) {
    let app = &inbound.client.app;
    let route = match pattern.map(|pattern| pattern.strip_prefix(public::prefix(app)).unwrap_or(pattern)) {
        // The public URL without a slash at its end.
        Some("") => "/",
        Some(route) => route,
        None => "none",
    };
    let counted = app.counted_requests(route, inbound.method.as_str(), status.as_u16());
    if let Some(counted) = counted {
        counted.add(watch.elapsed());
    }
}

/// What the line about a request says of it.
pub struct Asked {
    /// Its own id.
    pub request_id: String,
    /// The pattern, never the path or query: they may contain text that a user typed.
    pub route: String,
    /// The client's address.
    pub address: String,
}

/// Writes the line about a request, if they are logged; only then it is asked for what it says.
pub fn log(watch: &clock::Stopwatch, method: &Method, status: StatusCode, asked: impl FnOnce() -> Asked) {
    const REQUESTS: &str = "countersign::request";
    if tracing::enabled!(target: REQUESTS, tracing::Level::INFO) {
        let Asked { request_id, route, address } = asked();
        let milliseconds = u64::try_from(watch.milliseconds()).unwrap_or(u64::MAX);
        let status = status.as_u16();
        tracing::info!(target: REQUESTS, request_id, %method, route, status, milliseconds, address);
    }
}

fn finish(response: &mut HttpResponse, inbound: &Inbound) {
    if let Some(language) = inbound.language {
        page::remember_language(response, language, &inbound.client.app);
    }
    headers::add(response, &inbound.client);
    cors::add(response.headers_mut(), &inbound.path, inbound.origin.as_ref(), &inbound.client.app);
}

/// Whether a browser loads a page before a person has chosen it. Such a page would run and contain a user's
/// token although nobody sees it, and another user may be signed in when it is shown. A refused page is
/// loaded when it is chosen.
fn is_speculative(request: &HttpRequest, app: &App) -> bool {
    let below = request.path().strip_prefix(public::prefix(app)).unwrap_or_default();
    let is_file = below.starts_with("/assets/") || below.starts_with("/embed.");
    !is_file && header(request, "sec-purpose").is_some_and(|purpose| purpose.starts_with("prefetch"))
}

/// Whether a path is UTF-8 once decoded, and every `%` in it starts an escape.
fn is_text(path: &str) -> bool {
    let is_escape = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    path.split('%').skip(1).all(is_escape) && percent_decode_str(path).decode_utf8().is_ok()
}

/// Whether the request names the host of our public address. Probes may use any name.
fn is_for_us(request: &HttpRequest, app: &App) -> bool {
    let Some(public) = &app.settings().public_url else { return true };
    let is_probe = matches!(request.path(), "/healthz" | "/readyz");
    let own = origin::normal_host(&public.host, public.secure);
    let is_ours = |host: &str| origin::normal_host(host, public.secure) == own;
    // A host in the request target overrides the header (RFC 9112 section 3.2.2).
    let target_fits = request.uri().authority().is_none_or(|authority| is_ours(authority.as_str()));
    is_probe || target_fits && is_ours(header(request, HOST).unwrap_or_default())
}

/// The response to a failure: a problem for programs, a page for people.
fn fail(error: &Error, visit: Option<&Visit>, inbound: &Inbound) -> HttpResponse {
    let converted;
    let failure = if let Some(failure) = error.as_error::<Failure>() {
        failure
    } else {
        converted = Failure::of(error);
        &converted
    };
    let client = &inbound.client;
    if let Failure::Internal(cause) = failure {
        tracing::error!(request_id = client.request_id(), cause, "a request failed");
    }
    let below = inbound.path.strip_prefix(public::prefix(&client.app)).unwrap_or(&inbound.path);
    let mut response =
        if below.starts_with("/api/") { problem(failure, client) } else { html(failure, visit, client) };
    if let Some(seconds) = failure.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Failure::Key(_) | Failure::Credentials | Failure::DeviceToken = failure {
        response
            .headers_mut()
            .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"countersign\""));
    }
    if let Failure::WebhookSecret = failure {
        response
            .headers_mut()
            .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"countersign\""));
    }
    if let Failure::Method(methods) = failure {
        let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
        let value = HeaderValue::from_str(&methods.join(", ")).expect("methods are plain ASCII");
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

fn problem(failure: &Failure, client: &Client) -> HttpResponse {
    let text = |part: &str| texts::text("en", &format!("problem.{}.{part}", failure.code().as_str()));
    let detail = match failure {
        Failure::NoToken(refusal) => refusal.message.clone(),
        Failure::NotThisUser(reason) => reason.explain().to_owned(),
        Failure::UnknownMessenger(text)
        | Failure::NoSuch(text)
        | Failure::Body(text)
        | Failure::ReasonNeeded(text)
        | Failure::Taken(text)
        | Failure::OriginNotAllowed(text)
        | Failure::Scope(text)
        | Failure::KeyMessenger(text)
        | Failure::UnknownUser(text)
        | Failure::Refused(text) => text.clone(),
        Failure::SignedOut { nobody: Nobody::Other, .. } => {
            "The user who is signed in here is not the user that the page shows. End that session first.".to_owned()
        }
        Failure::Method(methods) => {
            let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
            format!("This address accepts {}.", methods.join(", "))
        }
        Failure::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE) => {
            "Send the body as JSON, with the header Content-Type: application/json.".to_owned()
        }
        Failure::Status(StatusCode::PAYLOAD_TOO_LARGE) => "The body is longer than this address accepts.".to_owned(),
        Failure::Attributes(problems) => {
            let sentences: Vec<&str> = problems.iter().map(|problem| problem.what.as_str()).collect();
            sentences.join(" ")
        }
        Failure::Code(refusal) => refusal.explain().to_owned(),
        Failure::ConnectionCode(why) => (*why).to_owned(),
        Failure::SignedOut { nobody: Nobody::Kept, .. } => {
            "The browser does not send the session cookie from a page of another site. Serve Countersign from the same site, or fetch the token from your own server.".to_owned()
        }
        _ => format!("{} {}", text("explain"), text("do")),
    };
    let catalogue =
        format!("{}{}/help/errors/{}", client.origin(), public::prefix(&client.app), failure.code().as_str());
    let mut body = json!({
        "type": catalogue,
        "title": text("title"),
        "status": failure.status_code().as_u16(),
        "detail": detail,
        "code": failure.code().as_str(),
        "request_id": client.request_id(),
    });
    match failure {
        Failure::SignedOut { messenger: Some(messenger), .. } => body["messenger"] = messenger.clone(),
        Failure::NoToken(refusal) => {
            body["claim"] = json!(refusal.claim);
            if let Some(seconds) = refusal.refresh_in {
                body["refresh_in"] = seconds.into();
            }
        }
        Failure::Findings(findings) => body["findings"] = json!(findings),
        Failure::Attributes(problems) => body["errors"] = json!(problems),
        Failure::MappingMoved { theirs, yours } => {
            body["theirs"] = json!({ "version": theirs.number, "text": theirs.text });
            body["yours"] = json!({ "text": yours });
        }
        _ => {}
    }
    let mut response = HttpResponse::build(failure.status_code()).body(body.to_string());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

fn html(failure: &Failure, visit: Option<&Visit>, client: &Client) -> HttpResponse {
    let page = Page::new(visit, client);
    let key = failure.text_key();
    let template = ErrorPage {
        status: failure.status_code().as_u16(),
        title: page.t(&format!("{key}.title")),
        explanation: match failure {
            Failure::Refused(text) | Failure::NoSuch(text) => text.clone(),
            _ => page.t(&format!("{key}.explain")),
        },
        what_to_do: page.t(&format!("{key}.do")),
        code: failure.code().as_str().to_owned(),
        request_id: client.request_id().to_owned(),
        wait: failure.retry_after().map(|seconds| page.duration(seconds)),
        page,
    };
    client::render(failure.status_code(), &template)
}
