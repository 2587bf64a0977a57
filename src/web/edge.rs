//! The outermost layer around every request: its id and nonce, the host it was meant for, one
//! place that turns failures into pages or problems, security headers, one line in the log.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError, web};
use serde_json::json;

use super::client::{Client, header};
use super::error::Failure;
use super::page::{ErrorPage, Page};
use super::{client, headers, page};
use crate::app::{App, clock};

/// Answers a request, whatever happens inside.
pub async fn around(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let watch = clock::Stopwatch::start();
    let Some(app) = request.app_data::<web::Data<App>>().cloned() else {
        return Err(Failure::Internal("the server has no product".into()).into());
    };
    let client = Client::new(request.request(), &app);
    request.extensions_mut().insert(client.clone());
    let head = request.request().clone();
    let answered = if is_for_us(&head, &app) { next.call(request).await } else { Err(Failure::Host.into()) };
    let mut response = match answered {
        Ok(response) => match response.response().error() {
            Some(error) => {
                let failed = fail(error, response.request(), &app, &client);
                // Cookies that the layers inside have set stay.
                let kept: Vec<HeaderValue> =
                    response.headers().get_all(actix_web::http::header::SET_COOKIE).cloned().collect();
                let mut failed = response.into_response(failed);
                for cookie in kept {
                    failed.headers_mut().append(actix_web::http::header::SET_COOKIE, cookie);
                }
                failed
            }
            None => response.map_into_boxed_body(),
        },
        Err(error) => ServiceResponse::new(head.clone(), fail(&error, &head, &app, &client)),
    };
    page::remember_language(&mut response, &app);
    headers::add(&mut response, &app, &client);
    tracing::info!(
        target: "countersign::request",
        request_id = client.request_id(),
        method = %head.method(),
        // The pattern, never the path or query: they may hold what somebody typed.
        route = response.request().match_pattern().unwrap_or_default(),
        status = response.status().as_u16(),
        milliseconds = u64::try_from(watch.milliseconds()).unwrap_or(u64::MAX),
        address = client.caller().address,
    );
    Ok(response)
}

/// Whether the request names the host people know us by. Probes may use any name.
fn is_for_us(request: &HttpRequest, app: &App) -> bool {
    let Some(public) = &app.settings().public_url else { return true };
    let is_probe = matches!(request.path(), "/healthz" | "/readyz");
    let host = header(request, HOST).unwrap_or_default();
    is_probe || host.eq_ignore_ascii_case(&public.host)
}

/// The answer to a failure: a problem for programs, a page for people.
fn fail(error: &Error, request: &HttpRequest, app: &App, client: &Client) -> HttpResponse {
    let converted;
    let failure = match error.as_error::<Failure>() {
        Some(failure) => failure,
        None => {
            converted = Failure::of(error);
            &converted
        }
    };
    if let Failure::Internal(cause) = failure {
        tracing::error!(request_id = client.request_id(), cause, "a request failed");
    }
    let below = request.path().strip_prefix(page::prefix(app)).unwrap_or(request.path());
    let mut response = if below.starts_with("/api/") { problem(failure, app, client) } else { html(failure, request, app, client) };
    if let Some(seconds) = failure.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Failure::Method(methods) = failure {
        let methods: Vec<&str> = methods.iter().map(actix_web::http::Method::as_str).collect();
        let value = HeaderValue::from_str(&methods.join(", ")).expect("methods are plain ASCII");
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

fn problem(failure: &Failure, app: &App, client: &Client) -> HttpResponse {
    let text = |part: &str| page::text("en", &format!("error.{}.{part}", failure.text_key()));
    let detail = match failure {
        Failure::NoToken(refusal) => refusal.message.clone(),
        Failure::UnknownMessenger(text) => text.clone(),
        Failure::SignedOut { cross_site: true, .. } => {
            "The browser sends no sign-in cookie to a page of another site. Serve Countersign from the same site, or fetch the token from your own server.".to_owned()
        }
        _ => format!("{} {}", text("explain"), text("do")),
    };
    let catalogue = format!("{}{}/help/errors/{}", client.origin(), page::prefix(app), failure.code());
    let mut body = json!({
        "type": catalogue,
        "title": text("title"),
        "status": failure.status_code().as_u16(),
        "detail": detail,
        "code": failure.code(),
        "request_id": client.request_id(),
    });
    match failure {
        Failure::SignedOut { messenger: Some(messenger), .. } => body["messenger"] = messenger.clone(),
        Failure::NoToken(refusal) => body["claim"] = json!(refusal.claim),
        _ => {}
    }
    let mut response = HttpResponse::build(failure.status_code()).body(body.to_string());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

fn html(failure: &Failure, request: &HttpRequest, app: &App, client: &Client) -> HttpResponse {
    let page = Page::of(request, app, client);
    let key = failure.text_key();
    let template = ErrorPage {
        status: failure.status_code().as_u16(),
        title: page.t(&format!("error.{key}.title")),
        explanation: page.t(&format!("error.{key}.explain")),
        what_to_do: page.t(&format!("error.{key}.do")),
        code: failure.code().to_owned(),
        request_id: client.request_id().to_owned(),
        retry_after: failure.retry_after(),
        page,
    };
    client::render(failure.status_code(), &template)
}
