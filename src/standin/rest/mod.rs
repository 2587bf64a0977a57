//! The REST API, version 2, as far as a synchronization of users needs it: the stand-in's people, and the names of what
//! they can have. It refuses what Deskpro refuses, in Deskpro's form, and can be told to fail (`faults`).

mod catalogue;
mod faults;
mod input;
pub(super) mod state;

use std::sync::atomic::Ordering;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::Shared;
use super::desk::Desk;
use super::people::Person;

pub use catalogue::{Catalogue, Entry, Field};
pub use faults::{Fault, FaultRule, On};
pub use state::{API_KEY, Asked};

/// The longest page of a list.
const PER_PAGE: usize = 200;
pub(super) fn register(config: &mut web::ServiceConfig) {
    config.service(web::scope("/api/v2").default_service(web::to(answer)));
}

/// An answer before it is written.
struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    fn data(status: u16, data: &Value, meta: &Value) -> Self {
        Self { status, body: json!({ "data": data, "meta": meta, "linked": {} }) }
    }

    /// An error in Deskpro's form.
    fn error(status: u16, code: &str, message: &str) -> Self {
        Self { status, body: json!({ "status": status, "code": code, "message": message }) }
    }
}

/// A request of the API.
struct Request<'a> {
    method: &'a str,
    /// Below `/api/v2/`.
    path: &'a str,
    query: Vec<(String, String)>,
    /// Whether the body of a POST is a query.
    is_query: bool,
    body: Value,
}

impl Request<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn person(&self) -> Option<u64> {
        self.path.strip_prefix("people/")?.parse().ok()
    }
}

async fn answer(request: HttpRequest, body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let _open = Open::new(&shared);
    judged(&request, &body, &shared).await
}

/// Counts a request while it is under way.
struct Open<'a>(&'a Shared);

impl<'a> Open<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.open.fetch_add(1, Ordering::SeqCst);
        Self(shared)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn judged(request: &HttpRequest, body: &[u8], shared: &Shared) -> HttpResponse {
    let is_query = request.headers().contains_key("x-deskpro-api-get-query-body");
    let query = url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
    let asked = Request {
        method: request.method().as_str(),
        path: request.path().strip_prefix("/api/v2/").unwrap_or_default(),
        query,
        is_query,
        body: serde_json::from_slice(body).unwrap_or_default(),
    };
    let key = request.headers().get("authorization").and_then(|key| key.to_str().ok()).unwrap_or_default();
    let latency = shared.desk().rest.latency;
    if !latency.is_zero() {
        actix_web::rt::time::sleep(latency).await;
    }
    let (fault, answered, number) = {
        let now = shared.now();
        let mut desk = shared.desk();
        let about = about(&desk, &asked);
        let is_write = matches!(asked.method, "PUT" | "DELETE") || (asked.method == "POST" && !is_query);
        let fault = desk.rest.faults.for_request(about.as_deref(), is_write);
        let answered = match &fault {
            Some(fault) if !fault.happens_after() => None,
            _ => Some(carried_out(&mut desk, &asked, key, now)),
        };
        let status = answered.as_ref().map_or(0, |answer| answer.status);
        let number = desk.rest.note(Asked {
            method: asked.method.to_owned(),
            target: request.uri().to_string(),
            status,
            had_key: !key.is_empty(),
            about,
        });
        (fault, answered, number)
    };
    if let Some(fault) = fault {
        let (status, answered) = fault.answer(answered.map(|answer| (answer.status, answer.body))).await;
        shared.desk().rest.set_status(number, status);
        return answered;
    }
    let Some(Answer { status, body }) = answered else { return HttpResponse::InternalServerError().finish() };
    let mut built =
        HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    if status == 204 { built.finish() } else { built.json(body) }
}

/// The address of the person whom a request is about.
fn about(desk: &Desk, asked: &Request<'_>) -> Option<String> {
    let by_id = asked.person().and_then(|id| desk.people.by_id(id)?.email.clone());
    by_id.or_else(|| asked.body.get("primary_email")?.as_str().map(str::to_lowercase))
}

fn carried_out(desk: &mut Desk, asked: &Request<'_>, key: &str, now: i64) -> Answer {
    if asked.path == "helpdesk/discover" {
        return Answer::data(
            200,
            &json!({ "is_deskpro": true, "helpdesk_url": "", "build": "stand-in" }),
            &json!([]),
        );
    }
    if key != format!("key {}", desk.rest.api_key) {
        return Answer::error(401, "unauthorized", "The API key is not valid.");
    }
    match (asked.method, asked.path) {
        ("GET", "me") => Answer::data(
            200,
            &json!({ "person": { "id": 1, "name": "Agent of the key", "is_agent": true } }),
            &json!({}),
        ),
        ("GET", "people") => found(desk, asked),
        ("POST", "people") if asked.is_query => {
            let primary =
                asked.body.get("primary_email").and_then(Value::as_str).unwrap_or_default().to_lowercase();
            listed(
                &by_primary(desk, &primary).map(Person::described).into_iter().collect::<Vec<_>>(),
                1,
                PER_PAGE,
            )
        }
        ("POST", "people") => written(desk, None, &asked.body, now),
        (method, path) if path.starts_with("people/") => {
            match (method, asked.person().and_then(|id| desk.people.by_id(id))) {
                (_, None) => Answer::error(404, "not_found", "There is no such person."),
                ("GET", Some(person)) => Answer::data(200, &Person::described(person), &json!({})),
                ("PUT", Some(person)) => written(desk, Some(person.id), &asked.body, now),
                ("DELETE", Some(person)) => {
                    desk.people.remove(person.id);
                    Answer { status: 204, body: Value::Null }
                }
                _ => Answer::error(405, "method_not_allowed", "Method not allowed."),
            }
        }
        ("GET", list) => match desk.rest.catalogue.list(list) {
            Some(entries) => listed(&entries, page(asked), count(asked)),
            None => Answer::error(404, "not_found", "Not found."),
        },
        ("POST", "batch") => batch(desk, &asked.body, key, now),
        _ => Answer::error(405, "method_not_allowed", "Method not allowed."),
    }
}

fn page(asked: &Request<'_>) -> usize {
    asked.parameter("page").and_then(|page| page.parse().ok()).unwrap_or(1).max(1)
}

fn count(asked: &Request<'_>) -> usize {
    asked.parameter("count").and_then(|count| count.parse().ok()).unwrap_or(10).clamp(1, PER_PAGE)
}

fn found(desk: &Desk, asked: &Request<'_>) -> Answer {
    let ids = asked
        .parameter("ids")
        .map(|ids| ids.split(',').filter_map(|id| id.parse().ok()).collect::<Vec<u64>>());
    let address = asked.parameter("primary_email").map(str::to_lowercase);
    let people: Vec<&Person> = match (ids, address) {
        (Some(ids), _) => ids.iter().filter_map(|id| desk.people.by_id(*id)).collect(),
        (None, Some(address)) => by_primary(desk, &address).into_iter().collect(),
        (None, None) => desk.people.all().collect(),
    };
    paged(&people, page(asked), count(asked), |person| person.described())
}

/// The person with a primary address.
fn by_primary<'a>(desk: &'a Desk, address: &str) -> Option<&'a Person> {
    let owner = desk.people.owner(address).and_then(|id| desk.people.by_id(id))?;
    owner.email.as_ref().is_some_and(|own| own.to_lowercase() == address).then_some(owner)
}

fn listed(entries: &[Value], page: usize, count: usize) -> Answer {
    paged(entries, page, count, Value::clone)
}

/// One page of a list; only its entries are written.
fn paged<T>(entries: &[T], page: usize, count: usize, write: impl Fn(&T) -> Value) -> Answer {
    let (total, pages) = (entries.len(), entries.len().div_ceil(count));
    let shown: Vec<Value> =
        entries.iter().skip((page - 1).saturating_mul(count)).take(count).map(write).collect();
    let pagination = json!({
        "total": total, "count": shown.len(), "per_page": count, "current_page": page, "total_pages": pages,
    });
    Answer::data(200, &shown.into(), &json!({ "pagination": pagination }))
}

/// Creates a person, or updates one.
fn written(desk: &mut Desk, id: Option<u64>, body: &Value, now: i64) -> Answer {
    match input::write(&mut desk.people, &desk.rest.catalogue, id, body, now) {
        Ok(person) if id.is_none() => Answer::data(201, &Person::described(&person), &json!({})),
        Ok(_) => Answer { status: 204, body: Value::Null },
        Err(errors) => Answer {
            status: 400,
            body: json!({
                "status": 400, "code": "invalid_input", "message": "Request input is invalid.", "errors": errors,
            }),
        },
    }
}

fn batch(desk: &mut Desk, body: &Value, key: &str, now: i64) -> Answer {
    let mut responses = Map::new();
    for (name, request) in body.get("requests").and_then(Value::as_object).into_iter().flatten() {
        let text = |member: &str| request.get(member).and_then(Value::as_str).unwrap_or_default();
        let (path, query) = text("url").split_once('?').unwrap_or((text("url"), ""));
        let path = path.trim_start_matches('/');
        let asked = Request {
            method: text("method"),
            path: path.strip_prefix("api/v2/").unwrap_or(path),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            is_query: false,
            body: request.get("payload").or_else(|| request.get("body")).cloned().unwrap_or_default(),
        };
        if asked.path == "batch" {
            continue;
        }
        let Answer { status, body } = carried_out(desk, &asked, key, now);
        let mut response = json!({ "headers": { "status-code": status } });
        for (name, value) in body.as_object().into_iter().flatten() {
            response[name] = value.clone();
        }
        responses.insert(name.clone(), response);
    }
    Answer { status: 200, body: json!({ "responses": responses }) }
}
