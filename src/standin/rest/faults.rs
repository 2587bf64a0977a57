//! What the stand-in does wrong on demand: for one person, for one in so many requests, or for the next ones.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, RETRY_AFTER};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How long a request that hangs stays open.
const HANG: Duration = Duration::from_mins(2);

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 400: somebody has the address.
    DupeEmail,
    /// 400 on this field.
    Field(String),
    /// 401.
    KeyRefused,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 423, with this `Retry-After` if it is not empty.
    Maintenance(String),
    /// 429, with this `Retry-After` if it is not empty.
    Limited(String),
    /// This status.
    Status(u16),
    /// No answer.
    Hang,
    /// An answer, one byte a second.
    Drip,
    /// The connection ends before the answer.
    Reset,
    /// The work is done, and the connection ends before the answer.
    Lost,
    /// 302 to this URL.
    Redirect(String),
    /// A page.
    Html,
    /// JSON that ends too early.
    BadJson,
    /// 50 MB.
    Huge,
}

/// Which requests go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// Those that write the person with this address.
    Person(String),
    /// One in so many, reads and writes.
    OneIn(u32),
    /// The next so many.
    Next(u32),
    /// All.
    All,
}

/// What goes wrong, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule {
    /// What happens.
    pub fault: Fault,
    /// When.
    pub on: On,
}

/// Everything that goes wrong at the moment.
#[derive(Debug, Default)]
pub(in super::super) struct Faults {
    rules: Vec<FaultRule>,
    by_person: HashMap<String, Fault>,
    /// A simple generator, so that a run can be repeated.
    chance: u64,
}

impl Faults {
    pub(in super::super) fn set(&mut self, rules: Vec<FaultRule>) {
        let is_person = |rule: &FaultRule| matches!(rule.on, On::Person(_));
        let (people, rules) = rules.into_iter().partition(is_person);
        self.rules = rules;
        self.by_person = people
            .into_iter()
            .filter_map(|FaultRule { fault, on }| match on {
                On::Person(address) => Some((address.to_lowercase(), fault)),
                _ => None,
            })
            .collect();
    }

    /// What goes wrong, except for single people.
    pub(in super::super) fn rules(&self) -> &[FaultRule] {
        &self.rules
    }

    pub(super) fn for_request(&mut self, about: Option<&str>, is_write: bool) -> Option<Fault> {
        if let Some(fault) =
            about.filter(|_| is_write).and_then(|address| self.by_person.get(&address.to_lowercase()))
        {
            return Some(fault.clone());
        }
        for rule in &mut self.rules {
            match &mut rule.on {
                On::All => return Some(rule.fault.clone()),
                On::Next(left) if *left > 0 => {
                    *left -= 1;
                    return Some(rule.fault.clone());
                }
                On::OneIn(many) => {
                    self.chance = self
                        .chance
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    if (self.chance >> 33).is_multiple_of(u64::from((*many).max(1))) {
                        return Some(rule.fault.clone());
                    }
                }
                On::Next(_) | On::Person(_) => {}
            }
        }
        None
    }
}

impl Fault {
    /// Whether the work is done first.
    pub(super) fn happens_after(&self) -> bool {
        matches!(self, Self::Lost | Self::Drip)
    }

    /// Its status and its answer. `done`: what the answer would have been, if the work was done.
    pub(super) async fn answer(&self, done: Option<(u16, Value)>) -> (u16, HttpResponse) {
        let error = |status: u16, errors: Value| {
            let body = json!({ "status": status, "code": "invalid_input", "message": "Request input is invalid.", "errors": errors });
            (status, builder(status).json(body))
        };
        let limited = |status: u16, retry_after: &str| {
            let mut built = builder(status);
            if !retry_after.is_empty() {
                built.insert_header((RETRY_AFTER, retry_after));
            }
            (
                status,
                built
                    .json(json!({ "status": status, "code": "rate_limit", "message": "Too many requests." })),
            )
        };
        match self {
            Self::DupeEmail => {
                let problem = json!({ "errors": [{ "code": "dupe_email", "message": "This email address is already in use." }] });
                error(400, json!({ "fields": { "emails": { "fields": { "emails_0": problem } } } }))
            }
            Self::Field(name) => {
                let problem = json!({ "errors": [{ "code": "invalid", "message": "This value is not valid." }] });
                error(400, json!({ "fields": { name: problem } }))
            }
            Self::KeyRefused => (401, builder(401).json(json!({ "status": 401, "code": "unauthorized", "message": "The API key is not valid." }))),
            Self::Forbidden => (403, builder(403).json(json!({ "status": 403, "code": "forbidden", "message": "This agent may not edit users." }))),
            Self::NotFound => (404, builder(404).json(json!({ "status": 404, "code": "not_found", "message": "Not found." }))),
            Self::Maintenance(retry_after) => limited(423, retry_after),
            Self::Limited(retry_after) => limited(429, retry_after),
            Self::Status(status) => (*status, builder(*status).body("An error.")),
            Self::Hang => {
                actix_web::rt::time::sleep(HANG).await;
                (0, builder(504).finish())
            }
            Self::Drip => {
                let (status, body) = done.unwrap_or((200, Value::Null));
                let bytes = one_a_second(body.to_string().into_bytes());
                (status, builder(status).content_type("application/json").streaming(bytes))
            }
            Self::Reset | Self::Lost => (0, broken()),
            Self::Redirect(url) => (302, builder(302).insert_header((LOCATION, url.as_str())).finish()),
            Self::Html => (200, builder(200).content_type("text/html").body("<!doctype html><title>Login</title><p>Please sign in.")),
            Self::BadJson => (200, builder(200).content_type("application/json").body("{\"data\": [{\"id\": 1")),
            Self::Huge => (200, builder(200).content_type("application/json").body(vec![b' '; 50 * 1024 * 1024])),
        }
    }
}

fn builder(status: u16) -> HttpResponseBuilder {
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

/// An answer whose body fails, so that the connection ends.
fn broken() -> HttpResponse {
    let body =
        actix_web::body::BodyStream::new(Once(Some(Err(std::io::Error::other("the stand-in ends this")))));
    HttpResponse::Ok().body(body)
}

/// A stream of one element.
struct Once<T>(Option<T>);

impl<T: Unpin> futures_core::Stream for Once<T> {
    type Item = T;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<T>> {
        std::task::Poll::Ready(self.0.take())
    }
}

/// Bytes, one a second.
fn one_a_second(
    bytes: Vec<u8>,
) -> impl futures_core::Stream<Item = Result<actix_web::web::Bytes, Infallible>> {
    Drip { bytes: bytes.into_iter(), timer: Box::pin(actix_web::rt::time::sleep(Duration::from_secs(1))) }
}

struct Drip {
    bytes: std::vec::IntoIter<u8>,
    timer: std::pin::Pin<Box<actix_web::rt::time::Sleep>>,
}

impl futures_core::Stream for Drip {
    type Item = Result<actix_web::web::Bytes, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::ready!(self.timer.as_mut().poll(context));
        let next = actix_web::rt::time::Instant::now() + Duration::from_secs(1);
        self.timer.as_mut().reset(next);
        std::task::Poll::Ready(self.bytes.next().map(|byte| Ok(vec![byte].into())))
    }
}
