//! What every page shares: its language, its addresses, who is signed in. The templates read it.

use std::borrow::Borrow;

use actix_web::HttpResponse;
use askama::Template;

use crate::app::App;
use crate::core::csrf;
use crate::core::id::MessengerId;
use crate::web::http::assets;
use crate::web::http::client::{Client, LANGUAGES};
use crate::web::http::cookies::LANGUAGE_COOKIE;
use crate::web::http::public::{cookie, prefix};
use crate::web::http::session::Visit;
use crate::web::http::texts::text;

/// The parts of a message, each with a flag for code: code is between backticks.
pub fn pieces(text: &str) -> Vec<(bool, &str)> {
    text.split('`').enumerate().map(|(place, piece)| (place % 2 == 1, piece)).collect()
}

/// What a template knows about its page.
pub struct Page {
    /// `en` or `de`.
    pub lang: &'static str,
    /// The nonce in script tags.
    pub nonce: String,
    /// The token in forms.
    pub csrf: String,
    /// The name of the signed-in user.
    pub who: Option<String>,
    /// Whether the user may open the console.
    pub is_admin: bool,
    /// The messenger whose mapping the console shows, if it is not `default`.
    pub messenger: Option<MessengerId>,
    /// The website's name on pages for its users; empty on our own pages.
    pub site: String,
    /// Codes and names of the languages that the visitor can choose.
    pub languages: &'static [(&'static str, &'static str)],
    prefix: String,
}

impl Page {
    /// The page of a visitor.
    pub fn new(visit: Option<&Visit>, client: &Client) -> Self {
        Self {
            lang: client.language(),
            nonce: client.nonce().to_owned(),
            csrf: String::new(),
            who: visit.map(|visit| visit.name.clone()),
            is_admin: visit.is_some_and(|visit| visit.is_admin),
            messenger: None,
            site: site(&client.app),
            languages: LANGUAGES,
            prefix: prefix(&client.app).to_owned(),
        }
    }

    /// A page of the console, which is in English only.
    pub fn console(visit: Option<&Visit>, client: &Client) -> Self {
        Self { lang: "en", languages: &[], ..Self::of_our_own(visit, client) }
    }

    /// A page about Countersign, for developers.
    pub fn of_our_own(visit: Option<&Visit>, client: &Client) -> Self {
        Self { site: String::new(), ..Self::new(visit, client) }
    }

    /// The same page for another template.
    pub fn again(&self) -> Self {
        Self {
            csrf: self.csrf.clone(),
            messenger: self.messenger.clone(),
            who: self.who.clone(),
            nonce: self.nonce.clone(),
            prefix: self.prefix.clone(),
            site: self.site.clone(),
            ..*self
        }
    }

    /// The same page with a form, which belongs to a cookie's value.
    #[must_use]
    pub fn with_form(mut self, app: &App, cookie: &str) -> Self {
        self.csrf = csrf::token(app.csrf_key(), cookie);
        self
    }

    /// The text of a key.
    pub fn t(&self, key: &str) -> String {
        text(self.lang, key)
    }

    /// The text of a key with one placeholder filled in.
    pub fn t1(&self, key: &str, name: &str, value: impl std::fmt::Display) -> String {
        self.t(key).replace(&format!("%{{{name}}}"), &value.to_string())
    }

    /// A length of time in words, in the form that follows "in".
    pub fn duration(&self, seconds: i64) -> String {
        let up = |seconds: i64, unit: i64| (seconds + unit - 1) / unit;
        match seconds {
            ..=1 => self.t("duration.second"),
            2..60 => self.t1("duration.seconds", "count", seconds),
            60 => self.t("duration.minute"),
            61..=3540 => self.t1("duration.minutes", "count", up(seconds, 60)),
            3541..=3600 => self.t("duration.hour"),
            3601..=82_800 => self.t1("duration.hours", "count", up(seconds, 3600)),
            82_801..=86_400 => self.t("duration.day"),
            _ => self.t1("duration.days", "count", up(seconds, 86_400)),
        }
    }

    /// A time in Unix seconds, in the reader's format.
    pub fn moment(&self, seconds: impl Borrow<i64>) -> String {
        match self.lang {
            "de" => written(*seconds.borrow(), "%d.%m.%Y, %H:%M UTC"),
            _ => moment(seconds),
        }
    }

    /// An address under the public URL.
    ///
    /// In the console, the addresses of the mapping's pages keep the messenger that they are about.
    pub fn url(&self, path: &str) -> String {
        match (&self.messenger, path.strip_prefix("/admin/mapping")) {
            (Some(id), Some(rest)) => format!("{}/admin/messengers/{id}/mapping{rest}", self.prefix),
            _ => format!("{}{path}", self.prefix),
        }
    }

    /// The address of a file. It changes when the file changes.
    pub fn asset(&self, file: &str) -> String {
        self.url(&assets::path(file))
    }
}

/// The website's name: from the setting, otherwise the domain of the public URL.
fn site(app: &App) -> String {
    let settings = app.settings();
    let domain = || {
        let host = settings.public_url.as_ref()?.host.split(':').next()?;
        if host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok() {
            return None;
        }
        psl::domain_str(host).map(str::to_owned)
    };
    settings.site_name.clone().or_else(domain).unwrap_or_default()
}

/// A time in Unix seconds, in a format for people.
pub fn moment(seconds: impl Borrow<i64>) -> String {
    written(*seconds.borrow(), "%-d %b %Y, %H:%M UTC")
}

/// A time in Unix seconds, for programs (RFC 3339).
pub fn timestamp(seconds: impl Borrow<i64>) -> String {
    written(*seconds.borrow(), "%Y-%m-%dT%H:%M:%SZ")
}

fn written(seconds: i64, format: &str) -> String {
    let moment = jiff::Timestamp::from_second(seconds);
    moment.map_or_else(|_| seconds.to_string(), |at| at.strftime(format).to_string())
}

/// Stores the language that a link requested.
pub fn remember_language(response: &mut HttpResponse, language: &str, app: &App) {
    let cookie = cookie(app, LANGUAGE_COOKIE.to_owned(), language.to_owned());
    if let Err(error) = response.add_cookie(&cookie) {
        tracing::debug!(%error, "the language was not stored");
    }
}

/// The page of an error.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub page: Page,
    pub status: u16,
    pub title: String,
    pub explanation: String,
    pub what_to_do: String,
    pub code: String,
    pub request_id: String,
    /// How long to wait, in words.
    pub wait: Option<String>,
}
