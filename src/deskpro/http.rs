//! One request and its answer: where it may go, what it may cost, and what its status means.

use std::io::ErrorKind;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use ureq::http::HeaderValue;
use ureq::http::header::{AUTHORIZATION, DATE, HeaderMap, RETRY_AFTER};
use ureq::{Agent, Body, Timeout};

use super::Access;
use super::error::Error;
use crate::outgoing::{self, CONNECT, PRIVATE};

/// The longest answer, in bytes.
const LARGEST: u64 = 10 * 1024 * 1024;
/// How much of an answer that cannot be read is quoted, in characters.
const QUOTED: usize = 120;

/// The only methods that are needed besides GET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Creates.
    Post,
    /// Updates.
    Put,
}

/// An answer of the API.
pub struct Reply {
    pub status: u16,
    /// What was asked for; null if there is nothing, as after an update.
    pub data: Value,
    /// What the answer says about itself; anything but an object means nothing.
    pub meta: Value,
}

/// The way to one helpdesk.
pub struct Connection {
    agent: Agent,
    base: String,
    key: HeaderValue,
}

impl Connection {
    pub fn new(access: &Access) -> Result<Self, Error> {
        let origin = access.origin.as_str();
        if !access.is_private && !origin.starts_with("https://") {
            return Err(Error::NotAllowed(format!(
                "The API key would be readable on the way to {origin}. Use https, or allow private addresses (`--private`)."
            )));
        }
        let key = access.key.expose_secret().trim();
        if key.is_empty() {
            return Err(Error::NotAllowed("The API key is empty. Paste it as Deskpro shows it.".into()));
        }
        let mut key = HeaderValue::try_from(format!("key {key}")).map_err(|_| {
            Error::NotAllowed("The API key contains characters that no key has. Paste it again.".into())
        })?;
        key.set_sensitive(true);
        let agent = outgoing::agent(access.is_private, access.total);
        Ok(Self { agent, base: format!("{origin}/api/v2/"), key })
    }

    pub fn get(&self, path: &str) -> Result<Reply, Error> {
        read(self.agent.get(self.url(path)).header(AUTHORIZATION, &self.key).call())
    }

    pub fn get_without_key(&self, path: &str) -> Result<Reply, Error> {
        read(self.agent.get(self.url(path)).call())
    }

    /// A search whose parameters are in the body.
    pub fn query(&self, path: &str, parameters: &Value) -> Result<Reply, Error> {
        let request = self.agent.post(self.url(path)).header(AUTHORIZATION, &self.key);
        read(request.header("X-Deskpro-Api-Get-Query-Body", "1").send_json(parameters))
    }

    pub fn send(&self, method: Method, path: &str, input: &Map<String, Value>) -> Result<Reply, Error> {
        let request = match method {
            Method::Post => self.agent.post(self.url(path)),
            Method::Put => self.agent.put(self.url(path)),
        };
        read(request.header(AUTHORIZATION, &self.key).send_json(input))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

fn read(answered: Result<ureq::http::Response<Body>, ureq::Error>) -> Result<Reply, Error> {
    let mut answer = answered.map_err(failed)?;
    let (status, wait) = (answer.status().as_u16(), wait(answer.headers()));
    match status {
        300..=399 => {
            return Err(Error::NotDeskpro(format!(
                "it redirects (status {status}); use the address it redirects to"
            )));
        }
        423 | 429 => return Err(Error::Paused { is_maintenance: status == 423, wait }),
        503 if wait.is_some() => return Err(Error::Paused { is_maintenance: true, wait }),
        408 | 425 => return Err(Error::Lost(format!("the server gave up (status {status})"))),
        500..=599 => return Err(Error::Server(status)),
        _ => {}
    }
    let bytes =
        answer.body_mut().with_config().limit(LARGEST).read_to_vec().map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => Error::NotDeskpro("it is longer than 10 MB".into()),
            error => Error::Lost(error.to_string()),
        })?;
    if status == 204 || (bytes.is_empty() && (200..300).contains(&status)) {
        return Ok(Reply { status, data: Value::Null, meta: Value::Null });
    }
    let body: Result<Value, _> = serde_json::from_slice(&bytes);
    let foreign = || Error::NotDeskpro(format!("status {status}: {}", quoted(&bytes)));
    // A proxy in front of Deskpro answers with the same statuses.
    let message = || {
        let own =
            body.as_ref().ok().filter(|body| body.get("status").is_some() || body.get("code").is_some());
        let message = own?.get("message").and_then(Value::as_str).unwrap_or("no reason was given");
        Some(message.trim_end_matches('.').to_owned())
    };
    match status {
        401 => Err(message().map_or_else(foreign, Error::KeyRefused)),
        403 => Err(message().map_or_else(foreign, Error::Forbidden)),
        404 => Err(message().map_or_else(foreign, Error::NotFound)),
        200..300 => match body {
            Ok(Value::Object(mut body)) => Ok(Reply {
                status,
                data: body.remove("data").unwrap_or_default(),
                meta: body.remove("meta").unwrap_or_default(),
            }),
            _ => Err(Error::NotDeskpro(format!("it is not JSON: {}", quoted(&bytes)))),
        },
        _ => match body {
            Ok(body) => Err(Error::refused(status, &body)),
            Err(_) => Err(foreign()),
        },
    }
}

/// The start of an answer, in one line.
fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(QUOTED * 4)]);
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(QUOTED).collect();
    if line.is_empty() { "it is empty".into() } else { format!("“{line}”") }
}

/// Why there is no answer. Only what certainly happened before the request was sent is [`Error::Unreachable`].
fn failed(error: ureq::Error) -> Error {
    match error {
        ureq::Error::Io(cause) => failed_io(&cause),
        ureq::Error::Timeout(kind @ (Timeout::Resolve | Timeout::Connect)) => {
            Error::Unreachable(format!("no connection within {} s ({kind})", CONNECT.as_secs()))
        }
        ureq::Error::HostNotFound => Error::Unreachable("there is no such host".into()),
        ureq::Error::Tls(cause) => Error::Unreachable(cause.to_owned()),
        ureq::Error::Timeout(_) => Error::Lost("there was no answer in time".into()),
        error => Error::Lost(error.to_string()),
    }
}

fn failed_io(cause: &std::io::Error) -> Error {
    use rustls::Error as Tls;
    let is_before = matches!(
        cause.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::NetworkUnreachable
            | ErrorKind::HostUnreachable
            | ErrorKind::AddrNotAvailable
    );
    let tls = cause.get_ref().and_then(|inner| inner.downcast_ref::<Tls>());
    match tls {
        _ if cause.kind() == ErrorKind::PermissionDenied && cause.to_string() == PRIVATE => {
            Error::NotAllowed(format!("Deskpro is not asked: {PRIVATE}."))
        }
        // While the connection is set up.
        Some(Tls::InvalidCertificate(_) | Tls::PeerIncompatible(_) | Tls::InvalidMessage(_)) => {
            Error::Unreachable(format!("there is no secure connection ({cause})"))
        }
        None if is_before => Error::Unreachable(cause.to_string()),
        _ => Error::Lost(cause.to_string()),
    }
}

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a moment, which is compared with the `Date` of the answer.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = |text: &str| jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp());
    let written = moment(headers.get(DATE)?.to_str().ok()?)?;
    Duration::try_from(moment(text)?.duration_since(written)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_moment() {
        let check = |retry_after: &str, date: Option<&str>, seconds: Option<u64>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, retry_after.parse().expect("a header"));
            if let Some(date) = date {
                headers.insert(DATE, date.parse().expect("a header"));
            }
            assert_eq!(wait(&headers), seconds.map(Duration::from_secs), "{retry_after:?} {date:?}");
        };
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        check("3", None, Some(3));
        check(" 86400 ", None, Some(86400));
        check("Sun, 06 Nov 1994 08:50:37 GMT", date, Some(60));
        check("Sun, 06 Nov 1994 08:49:00 GMT", date, None);
        check("Sun, 06 Nov 1994 08:50:37 GMT", None, None);
        check("soon", date, None);
        check("-5", date, None);
        assert_eq!(wait(&HeaderMap::new()), None);
    }
}
