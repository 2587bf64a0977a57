//! The session of a browser, and the names of our cookies.
//!
//! actix-session reads the cookie of a page, asks [`Rows`] before the handler runs whose session it is, and
//! removes both when its user signs out ([`Visitor::sign_out`](super::visitor::Visitor::sign_out)). What it
//! does not do for us:
//!
//! - **Start a session.** That is decided in the transaction that checks the password or uses the code,
//!   which knows no cookie: the handler sets the cookie ([`set_cookie`]) afterwards. `save` would start a
//!   session that no such check has allowed.
//! - **Change a session.** A session only says whose it is and since when, which the database knows:
//!   `update` and `update_ttl` have nothing to write. [`App::session`], which knows when it is due, records
//!   the session's use.
//! - **Serve programs.** The token route and the JSON API have no layer for pages: they read the
//!   [`reference`] from the same cookie. Only [`App::session`] decides whose it is, for pages and programs.

use std::borrow::Cow;
use std::collections::HashMap;

use actix_session::config::{BrowserSession, CookieContentSecurity};
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, CookieJar, Key, SameSite};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};

use crate::app::sessions::{SignedIn, Use};
use crate::app::{App, Caller};
use crate::core::id::{MessengerId, UserId};
use crate::core::session::Reference;
use crate::core::user::Role;
use crate::web::http::cookies::{self, session_cookie_name};
use crate::web::http::error::Failure;
use crate::web::http::public::{cookie, cookie_path, is_secure};
use crate::web::http::run::Asker as _;

/// The name under which actix-session stores the visitor for the length of a request.
const VISIT: &str = "visit";

/// The visitor of a page, according to the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The user's id.
    pub user_id: UserId,
    /// The name to show for the user.
    pub name: String,
    /// When the session ends, in Unix seconds.
    pub ends_at: i64,
    /// Whether the user may open the console.
    pub is_admin: bool,
    /// Whether the console was used recently; otherwise it asks for the password first.
    pub is_console_open: bool,
    /// When the password was last typed, in Unix seconds.
    pub confirmed_at: i64,
    /// The only messengers that it gets tokens for; none means any.
    pub messengers: Vec<MessengerId>,
}

impl Visit {
    /// The visitor of a session.
    pub fn new(signed_in: SignedIn) -> Self {
        let SignedIn { user, ends_at, confirmed_at, is_console_open, messengers, .. } = signed_in;
        let (name, is_admin) = (user.shown_name(), user.role == Role::Admin);
        Self { user_id: user.id, name, ends_at, is_admin, is_console_open, confirmed_at, messengers }
    }

    /// The visitor of a page, if a user is signed in.
    pub fn of(session: &Session) -> Option<Self> {
        session.get(VISIT).ok().flatten()
    }
}

fn key(app: &App) -> Key {
    Key::from(app.cookie_key())
}

/// The layer that looks up sessions, for pages. `by`: what the pages use it for.
pub fn middleware(app: &App, by: Use) -> SessionMiddleware<Rows> {
    SessionMiddleware::builder(Rows { app: app.clone(), by }, key(app))
        .cookie_name(session_cookie_name(app))
        .cookie_secure(is_secure(app))
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .cookie_path(cookie_path(app))
        .cookie_content_security(CookieContentSecurity::Signed)
        .session_lifecycle(BrowserSession::default())
        .build()
}

/// The value of a request's session cookie, whoever signed it.
pub fn presented(request: &HttpRequest, app: &App) -> Option<String> {
    cookies::only(request.headers(), &session_cookie_name(app)).map(Cow::into_owned)
}

/// The reference in a request's session cookie, if we signed it.
pub fn reference(request: &HttpRequest, app: &App) -> Option<Reference> {
    signed_reference(&cookies::only(request.headers(), &session_cookie_name(app))?, app)
}

/// The reference in the value of a session cookie, if we signed it.
pub fn signed_reference(presented: &str, app: &App) -> Option<Reference> {
    let name = session_cookie_name(app);
    let mut jar = CookieJar::new();
    jar.add_original(Cookie::new(name.clone(), presented.to_owned()));
    jar.signed(&key(app)).get(&name).map(|cookie| Reference::new(cookie.value().to_owned()))
}

/// Gives the browser the reference of a session that has started, with the name and the signature that
/// [`middleware`] expects: until the browser is closed, or for this many seconds.
pub fn set_cookie(
    response: &mut HttpResponse,
    app: &App,
    reference: &Reference,
    seconds: Option<i64>,
) -> Result<(), Failure> {
    let mut given = cookie(app, session_cookie_name(app), reference.as_str().to_owned());
    if let Some(seconds) = seconds {
        given.set_max_age(Duration::seconds(seconds));
    }
    let mut jar = CookieJar::new();
    jar.signed_mut(&key(app)).add(given);
    for signed in jar.delta() {
        response.add_cookie(signed).map_err(|error| Failure::Internal(error.to_string()))?;
    }
    Ok(())
}

/// Tells the browser to delete its session cookie.
pub fn remove_cookie(response: &mut HttpResponse, app: &App) -> Result<(), Failure> {
    let mut gone = cookie(app, session_cookie_name(app), String::new());
    gone.make_removal();
    response.add_cookie(&gone).map_err(|error| Failure::Internal(error.to_string()))
}

/// The sessions in the database, for actix-session.
pub struct Rows {
    app: App,
    /// What the sessions are used for.
    by: Use,
}

/// The error type that actix-session requires: that of the crate `anyhow`, which it does not re-export.
type Cause = anyhow::Error;

impl SessionStore for Rows {
    async fn load(&self, key: &SessionKey) -> Result<Option<HashMap<String, String>>, LoadError> {
        let (reference, by) = (Reference::new(key.as_ref().to_owned()), self.by);
        let found = self.app.attempt(move |app, _| app.session(&reference, by)).await;
        let found = found.map_err(|error| LoadError::Other(error.into()))?;
        let found = found.map_err(|error| LoadError::Other(error.into()))?;
        let json = found.map(|signed_in| serde_json::to_string(&Visit::new(signed_in))).transpose();
        let json = json.map_err(|error| LoadError::Deserialization(error.into()))?;
        Ok(json.map(|json| HashMap::from([(VISIT.to_owned(), json)])))
    }

    async fn save(&self, _: HashMap<String, String>, _: &Duration) -> Result<SessionKey, SaveError> {
        Err(SaveError::Other(anyhow::anyhow!("only signing in starts a session")))
    }

    async fn update(
        &self,
        key: SessionKey,
        _: HashMap<String, String>,
        _: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        Ok(key)
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), Cause> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), Cause> {
        let reference = Reference::new(key.as_ref().to_owned());
        let caller = Caller::system();
        Ok(self.app.run(move |app, _| app.end_session(&reference, &caller)).await?)
    }
}
