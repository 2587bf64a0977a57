//! Who sends the request: the request's own id, the client's address behind trusted proxies, its language,
//! and the nonce of its page. Created once per request by `edge`, read by every layer that needs it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use actix_web::http::StatusCode;
use actix_web::http::header::{AcceptLanguage, HOST, Header as _, USER_AGENT};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, dev};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::form_urlencoded;

use crate::app::{App, Caller, clock};
use crate::core::{network, origin};
use crate::web::http::cookies::{self, LANGUAGE_COOKIE};
use crate::web::http::error::Failure;
use crate::web::http::run::Asker;

/// What is known about a request before it is handled.
#[derive(Clone)]
pub struct Client {
    /// The product.
    pub app: App,
    head: Arc<Head>,
}

/// The content of its head.
struct Head {
    /// Made when it is needed, like the nonce.
    request_id: OnceLock<String>,
    nonce: OnceLock<String>,
    address: IpAddr,
    language: &'static str,
    origin: String,
    agent: String,
}

/// The type of a page.
pub const HTML: &str = "text/html; charset=utf-8";

/// A nonce for the scripts of a page.
pub fn new_nonce() -> String {
    URL_SAFE_NO_PAD.encode(clock::random::<16>())
}

/// The languages that end users can choose, with their own names.
pub const LANGUAGES: &[(&str, &str)] = &[("en", "English"), ("de", "Deutsch")];

impl Client {
    /// Reads a request's head.
    pub fn new(request: &HttpRequest, app: &App) -> Self {
        let head = Head {
            request_id: OnceLock::new(),
            nonce: OnceLock::new(),
            address: address(request, request.peer_addr(), app),
            language: language(request, request.query_string()),
            origin: own_origin(request, app),
            agent: header(request, USER_AGENT).unwrap_or_default().to_owned(),
        };
        Self { app: app.clone(), head: Arc::new(head) }
    }

    /// The request's id: in logs, the audit log and error pages.
    pub fn request_id(&self) -> &str {
        self.head.request_id.get_or_init(clock::new_id)
    }

    /// The nonce of the page's scripts.
    pub fn nonce(&self) -> &str {
        self.head.nonce.get_or_init(new_nonce)
    }

    /// `en` or `de`.
    pub fn language(&self) -> &'static str {
        self.head.language
    }

    /// Our own origin, as the browser sees it.
    pub fn origin(&self) -> &str {
        &self.head.origin
    }

    /// The browser's name for itself (`User-Agent`).
    pub fn agent(&self) -> &str {
        &self.head.agent
    }

    /// The network for which password attempts are counted.
    pub fn network(&self) -> String {
        network::network(self.head.address)
    }

    /// The client for the audit log and logs.
    pub fn caller(&self) -> Caller {
        Caller {
            actor: "anonymous".to_owned(),
            request_id: self.request_id().to_owned(),
            address: self.head.address.to_string(),
        }
    }
}

impl Asker for Client {
    fn app(&self) -> &App {
        &self.app
    }
}

impl FromRequest for Client {
    type Error = Failure;
    type Future = std::future::Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let known = request.extensions().get::<Self>().cloned();
        std::future::ready(known.ok_or_else(|| Failure::Internal("the request did not pass the edge".into())))
    }
}

/// A header's value, if it is a string.
pub fn header(request: &impl HttpMessage, name: impl actix_web::http::header::AsHeaderName) -> Option<&str> {
    request.headers().get(name)?.to_str().ok()
}

/// A header's value if only one can be right: a header that came twice or cannot be read matches nothing.
pub fn only_header(
    request: &impl HttpMessage,
    name: impl actix_web::http::header::AsHeaderName,
) -> Option<&str> {
    let mut values = request.headers().get_all(name);
    let first = values.next()?;
    Some(if values.next().is_none() { first.to_str().unwrap_or("?") } else { "?" })
}

/// The client's address: of a request, behind the trusted proxies, or of its connection.
pub fn address(request: &impl HttpMessage, peer: Option<SocketAddr>, app: &App) -> IpAddr {
    // Only a test without a socket has no peer.
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    // Bytes that are not text stay in their place, so that the hops behind them keep their positions.
    let lines = request.headers().get_all("x-forwarded-for");
    let forwarded: Vec<String> =
        lines.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
    let trusted = &app.settings().trusted_proxies;
    if !forwarded.is_empty() && !trusted.iter().any(|network| network.contains(&peer.to_canonical())) {
        warn_once(peer);
    }
    network::client(peer, &forwarded, trusted)
}

/// Logs, for each of the first peers, what to set if it is a proxy.
fn warn_once(peer: IpAddr) {
    use std::collections::BTreeSet;
    static SEEN: parking_lot::Mutex<BTreeSet<IpAddr>> = parking_lot::Mutex::new(BTreeSet::new());
    let mut seen = SEEN.lock();
    if seen.len() < 20 && seen.insert(peer) {
        let network = network::cidr(peer);
        tracing::warn!(
            "{peer} sends X-Forwarded-For, which is not trusted. If it is your proxy, add {network} to COUNTERSIGN_TRUSTED_PROXIES."
        );
    }
}

/// The language of pages for a request: as chosen with a link, now or before, otherwise as the browser prefers.
pub fn language(request: &impl HttpMessage, query: &str) -> &'static str {
    let known = |wanted: &str| LANGUAGES.iter().map(|(code, _)| *code).find(|code| *code == wanted);
    let asked = chosen_language(query);
    let remembered = cookies::only(request.headers(), LANGUAGE_COOKIE).and_then(|value| known(&value));
    let preferred = || {
        let wanted = AcceptLanguage::parse(request).ok()?.ranked();
        wanted.iter().find_map(|tag| known(&tag.item()?.primary_language().to_lowercase()))
    };
    asked.or(remembered).or_else(preferred).unwrap_or("en")
}

/// The language that a link of the page requests: `?lang=de`.
pub fn chosen_language(query: &str) -> Option<&'static str> {
    let (_, wanted) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "lang")?;
    LANGUAGES.iter().map(|(code, _)| *code).find(|code| *code == wanted)
}

fn own_origin(request: &HttpRequest, app: &App) -> String {
    match &app.settings().public_url {
        Some(url) => url.origin.as_str().to_owned(),
        None => format!("http://{}", origin::normal_host(header(request, HOST).unwrap_or_default(), false)),
    }
}

/// A page without the characters that HTML forbids (WHATWG HTML, 13.2.3.5): control characters are replaced
/// by visible symbols. This is done here so that it applies to everything that a template writes.
fn visible(html: String) -> String {
    let is_forbidden = |letter: char| {
        let code = u32::from(letter);
        letter.is_control() && !matches!(letter, '\t' | '\n' | '\r')
            || matches!(code, 0xfdd0..=0xfdef)
            || code & 0xfffe == 0xfffe
    };
    if !html.contains(is_forbidden) {
        return html;
    }
    let sign = |letter: char| match letter {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(letter)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        _ => '\u{fffd}',
    };
    html.chars().map(|letter| if is_forbidden(letter) { sign(letter) } else { letter }).collect()
}

/// A template as a response.
pub fn render(status: StatusCode, template: &impl askama::Template) -> HttpResponse {
    match html(template) {
        Ok(html) => of_html(status, html),
        Err(error) => {
            tracing::error!(%error, "a template could not be written");
            HttpResponse::InternalServerError()
                .content_type("text/plain")
                .body("Something went wrong on our side.")
        }
    }
}

/// A template as HTML.
pub fn html(template: &impl askama::Template) -> askama::Result<String> {
    template.render().map(visible)
}

/// A page as a response.
pub fn of_html(status: StatusCode, html: String) -> HttpResponse {
    HttpResponse::build(status).content_type(HTML).body(html)
}
