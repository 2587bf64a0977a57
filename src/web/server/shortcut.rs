//! The short way to a token that is remembered, alone or in the host page: before the routes, without their router,
//! their extractors and the layers of pages.
//!
//! Only for a request in which nothing is unusual. Every other one goes on to the routes, and so does one whose
//! token is not remembered; this is the only place that looks for one. The response is the same as that of the
//! routes (`token::show`, `home::show`), to the byte; a test compares them.

use actix_http::{HttpMessage as _, Request, Response};
use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue, ORIGIN};
use actix_web::http::{Method, StatusCode};
use url::form_urlencoded;

use crate::app::App;
use crate::app::clock::{self, Stopwatch};
use crate::app::entries::{self, Credential, Remembered, Wanted};
use crate::app::metrics::CountedRequests;
use crate::config::Home;
use crate::core::id::MessengerId;
use crate::core::messenger::Platform;
use crate::core::origin;
use crate::web::api::site::bearer;
use crate::web::api::token;
use crate::web::http::connection::Connection;
use crate::web::http::edge::{self, Asked};
use crate::web::http::{client, cookies, cors, headers, public, session};
use crate::web::pages::gaps;

/// What requests are compared with.
pub struct Shortcut {
    app: App,
    token_path: String,
    /// If it is our own page.
    home_path: Option<String>,
    /// The host of the public URL, as most clients write it.
    host: Option<String>,
    cookie: String,
    is_secure: bool,
    tokens: Option<CountedRequests>,
    pages: Option<CountedRequests>,
}

/// The parameters of a request for a token.
#[derive(Default)]
struct Query {
    messenger: Option<String>,
    platform: Option<String>,
    shown: Option<String>,
    nonce: Option<String>,
}

impl Shortcut {
    /// The short way of a product.
    pub fn new(app: &App) -> Self {
        let (settings, prefix) = (app.settings(), public::prefix(app));
        Self {
            app: app.clone(),
            token_path: format!("{prefix}{}", cors::TOKEN),
            home_path: matches!(settings.home, Home::Page).then(|| format!("{prefix}/")),
            host: settings.public_url.as_ref().map(|url| origin::normal_host(&url.host, url.secure)),
            cookie: cookies::session_cookie_name(app),
            is_secure: public::is_secure(app),
            tokens: app.counted_requests(cors::TOKEN, "GET", 200),
            pages: app.counted_requests("/", "GET", 200),
        }
    }

    /// The response to a request, if the token that it asks for is remembered.
    pub fn answer(&self, request: &mut Request) -> Option<Response<BoxBody>> {
        let is_token = request.path() == self.token_path;
        let is_plain = (is_token || Some(request.path()) == self.home_path.as_deref())
            && *request.method() == Method::GET
            && request.uri().authority().is_none()
            && matches!(request.payload(), Payload::None)
            && self.is_for_us(request.headers())
            // What is loaded before a person has chosen it may be refused.
            && !request.headers().contains_key("sec-purpose");
        if !is_plain {
            return None;
        }
        let watch = Stopwatch::start();
        let response = if is_token { self.token(request) } else { self.home(request) }?;
        drop(request.conn_data::<Connection>().cloned().map(Connection::enter_without_body));
        if let Some(counted) = if is_token { &self.tokens } else { &self.pages } {
            counted.add(watch.elapsed());
        }
        edge::log(&watch, request.method(), StatusCode::OK, || Asked {
            request_id: clock::new_id(),
            route: request.path().to_owned(),
            address: client::address(request, request.peer_addr(), &self.app).to_string(),
        });
        Some(response)
    }

    fn token(&self, request: &Request) -> Option<Response<BoxBody>> {
        let Query { messenger, platform, shown, nonce } =
            Query::read(request.uri().query().unwrap_or_default())?;
        if nonce.as_deref().is_some_and(|nonce| !token::is_nonce(nonce)) {
            return None;
        }
        let platform = platform.as_deref().map(token::read_platform).transpose().ok()?.flatten();
        let (mut messenger, mut allowed) = (messenger.map(MessengerId::from), None);
        let cookie;
        let credential = if let Some(token) = bearer(request) {
            Credential::Device(token)
        } else {
            cookie = cookies::only(request.headers(), &self.cookie)?;
            Credential::Cookie(&cookie)
        };
        if let Some(origin) = client::only_header(request, ORIGIN) {
            let of = messenger.clone().unwrap_or_default();
            allowed = cors::allowed(origin, Some(&of), &self.app);
            // A device's token says for which messenger it is.
            if matches!(credential, Credential::Cookie(_)) {
                messenger = Some(of);
            }
        }
        let wanted = Wanted { messenger: messenger.as_ref(), platform, shown: shown.as_deref(), page: None };
        // Whoever asks too often is told so by the route.
        let remembered = match self.app.remembered(credential, &wanted).ok()? {
            Some(remembered) => remembered,
            None => self.first(credential, &wanted)?,
        };
        let body = token::body(&remembered, nonce.as_deref());
        let mut response =
            self.response("application/json", HeaderValue::from_static(headers::NO_PAGE), body);
        cors::add_shared(response.headers_mut(), allowed.as_ref());
        Some(response)
    }

    fn home(&self, request: &Request) -> Option<Response<BoxBody>> {
        if request.uri().query().is_some() {
            return None;
        }
        let lang = client::language(request, "");
        let wanted = Wanted { messenger: None, platform: None, shown: None, page: Some(lang) };
        let cookie = cookies::only(request.headers(), &self.cookie)?;
        let Remembered { issued, described, .. } =
            self.app.remembered(Credential::Cookie(&cookie), &wanted).ok()??;
        let (policy, html) = gaps::filled(&described, &client::new_nonce(), &issued.token);
        Some(self.response(client::HTML, HeaderValue::try_from(policy).ok()?, html))
    }

    /// The first token of a session or a device, if it is had without waiting.
    fn first(&self, credential: Credential<'_>, wanted: &Wanted<'_>) -> Option<Remembered> {
        if !self.app.may_issue_at_once(wanted) {
            return None;
        }
        let before = self.app.before_reading();
        let (signed_in, of_device) = match credential {
            Credential::Cookie(cookie) => {
                (self.app.session_at_once(&session::signed_reference(cookie, &self.app)?)?, None)
            }
            // Nothing else is looked up on this thread.
            Credential::Device(token) if !token.starts_with("device_") => return None,
            Credential::Device(token) => {
                let (signed_in, device) = self.app.device_at_once(token)?;
                (signed_in, Platform::parse(&device.platform))
            }
        };
        let request = entries::Request { before, credential, wanted: *wanted, shown_until: i64::MAX };
        let fresh = self.app.issue_at_once(&request, &signed_in)?;
        Some(token::remember(&self.app, fresh, wanted.platform.or(of_device)))
    }

    fn response(&self, kind: &'static str, policy: HeaderValue, body: String) -> Response<BoxBody> {
        let mut response = Response::with_body(StatusCode::OK, BoxBody::new(body));
        let all = headers::all(policy, self.is_secure);
        for (name, value) in all.chain([(CONTENT_TYPE, HeaderValue::from_static(kind))]) {
            response.headers_mut().insert(name, value);
        }
        response
    }

    /// Whether it names the host of our public URL as most clients write it.
    fn is_for_us(&self, headers: &HeaderMap) -> bool {
        self.host.as_ref().is_none_or(|own| headers.get(HOST).is_some_and(|host| host == own.as_str()))
    }
}

impl Query {
    /// Reads the parameters as the route does; `None` if it has more to do with them than to find a token.
    fn read(query: &str) -> Option<Self> {
        if query.contains("%00") {
            return None;
        }
        let (mut read, mut optional) = (Self::default(), None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "messenger" => &mut read.messenger,
                "platform" => &mut read.platform,
                "shown" => &mut read.shown,
                "nonce" => &mut read.nonce,
                // Without a meaning for a user who gets a token.
                "optional" => &mut optional,
                // Chooses the language of pages.
                "lang" => return None,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        Some(read)
    }
}
