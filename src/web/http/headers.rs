//! Security headers of every response, errors included (OWASP Secure Headers, MDN Observatory).

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpResponse, http};

use crate::core::messenger::Messenger;
use crate::core::origin::Origin;
use crate::web::http::client::Client;
use crate::web::http::public;

/// What the Content-Security-Policy of one page allows beyond our own files.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// Deskpro's origins: scripts, frames, connections, images, fonts, media, styles.
    pub messenger: Vec<Origin>,
    /// The targets to which a form may be redirected.
    pub forms: Vec<Origin>,
}

impl Allowed {
    /// What the page with the Messenger needs.
    pub fn messenger(messenger: &Messenger) -> Self {
        Self { messenger: messenger.page_origins(), forms: Vec::new() }
    }
}

const FIXED: [(HeaderName, &str); 5] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // `no-referrer` would make browsers send `Origin: null` with our own forms.
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    ),
];

/// The policy of everything that is not a page.
pub const NO_PAGE: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";

/// Adds the headers. A header that a handler set stays.
pub fn add(response: &mut HttpResponse, client: &Client) {
    let policy = policy(response, client);
    let headers = response.headers_mut();
    for (name, value) in all(policy, public::is_secure(&client.app)) {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    }
}

/// All of them. `is_secure`: whether browsers reach us over https.
pub fn all(policy: HeaderValue, is_secure: bool) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let hsts = (STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000"));
    FIXED
        .into_iter()
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .chain([
            (CONTENT_SECURITY_POLICY, policy),
            (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        ])
        .chain(is_secure.then_some(hsts))
}

fn policy(response: &HttpResponse, client: &Client) -> HeaderValue {
    let is_page = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/html"));
    if is_page && response.status() != http::StatusCode::NOT_MODIFIED {
        let allowed = response.extensions().get::<Allowed>().cloned().unwrap_or_default();
        let text = page_policy(client.nonce(), &allowed);
        HeaderValue::from_str(&text).expect("origins and nonces are plain ASCII")
    } else {
        HeaderValue::from_static(NO_PAGE)
    }
}

/// The policy of a page.
pub fn page_policy(nonce: &str, allowed: &Allowed) -> String {
    let joined =
        |origins: &[Origin]| origins.iter().map(|origin| format!(" {}", origin.as_str())).collect::<String>();
    let (desk, forms) = (joined(&allowed.messenger), joined(&allowed.forms));
    // The Messenger also connects to its server with WebSockets.
    let sockets: String = allowed
        .messenger
        .iter()
        .map(|origin| format!(" {}", origin.as_str().replacen("http", "ws", 1)))
        .collect();
    let frames = if desk.is_empty() { " 'none'" } else { &desk };
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'{desk}; style-src 'self'{desk}; img-src 'self' data:{desk}; \
         font-src 'self'{desk}; media-src 'self'{desk}; connect-src 'self'{desk}{sockets}; frame-src{frames}; \
         form-action 'self'{forms}; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    )
}
