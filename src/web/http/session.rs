//! The session of a browser: actix-session carries the cookie, our own store the rest. Only this
//! file spells the keys of a session, and only it knows the names of cookies.
//!
//! The token route reads the same cookie on its own: see [`reference`].

use std::collections::HashMap;

use actix_session::config::{BrowserSession, CookieContentSecurity};
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_session::{Session, SessionExt, SessionMiddleware};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, CookieJar, Key, SameSite};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev, web};

use crate::app::sessions::Use;
use crate::app::{App, AppError, Caller, clock};
use crate::core::id::{MessengerId, UserId, join_ids};
use crate::core::user::Role;
use crate::web::http::error::Failure;
use crate::web::http::public::{cookie, cookie_name, cookie_path, is_secure};

const USER: &str = "user";
const ENDS_AT: &str = "ends_at";
const NAME: &str = "name";
const ADMIN: &str = "admin";
const CONFIRMED_AT: &str = "confirmed_at";
const MESSENGERS: &str = "messengers";
const CONSOLE: &str = "console";

/// Who visits a page, as the session has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The user's id.
    pub user_id: UserId,
    /// How to address the user.
    pub name: String,
    /// When the session ends, unix seconds.
    pub ends_at: i64,
    /// Whether the console is open to the user.
    pub is_admin: bool,
    /// Whether that console was used not long ago; otherwise it asks for the password first.
    pub is_console_open: bool,
    /// When the password was typed last, unix seconds.
    pub confirmed_at: i64,
    /// The only messengers it gets tokens for; none for any.
    pub messengers: Vec<MessengerId>,
}

/// The visitor of a page: signed in or not. The one way for handlers to the session.
pub struct Visitor {
    session: Session,
    /// Who is signed in.
    pub visit: Option<Visit>,
}

impl FromRequest for Visitor {
    type Error = Failure;
    type Future = std::future::Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        use actix_web::HttpMessage as _;
        let session = request.get_session();
        let visit = read(&session);
        if let Some(visit) = &visit {
            request.extensions_mut().insert(visit.clone());
        }
        std::future::ready(Ok(Self { session, visit }))
    }
}

fn read(session: &Session) -> Option<Visit> {
    let text = |key| session.get::<String>(key).ok().flatten();
    let (user_id, name, ends_at) = (text(USER)?.into(), text(NAME)?, text(ENDS_AT)?.parse().ok()?);
    let confirmed_at = text(CONFIRMED_AT)?.parse().ok()?;
    let messengers = text(MESSENGERS)?.split_whitespace().map(MessengerId::from).collect();
    let (is_admin, is_console_open) = (text(ADMIN).is_some(), text(CONSOLE).is_some());
    Some(Visit { user_id, name, ends_at, is_admin, is_console_open, confirmed_at, messengers })
}

impl Visitor {
    /// Forgets the session and its cookie. The row is ended by the use case.
    pub fn sign_out(&self) {
        self.session.purge();
    }
}

/// The name of the session cookie.
pub fn session_cookie_name(app: &App) -> String {
    cookie_name(app, "countersign")
}

fn key(app: &App) -> Key {
    Key::from(app.cookie_key())
}

/// The layer that looks up sessions, for pages.
/// `by`: what they use it for.
pub fn middleware(app: &App, by: Use) -> SessionMiddleware<Rows> {
    SessionMiddleware::builder(Rows(app.clone(), by), key(app))
        .cookie_name(session_cookie_name(app))
        .cookie_secure(is_secure(app))
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .cookie_path(cookie_path(app))
        .cookie_content_security(CookieContentSecurity::Signed)
        .session_lifecycle(BrowserSession::default())
        .build()
}

/// The reference in a request's session cookie, if we signed it.
pub fn reference(request: &HttpRequest, app: &App) -> Option<String> {
    let name = session_cookie_name(app);
    let mut jar = CookieJar::new();
    jar.add_original(request.cookie(&name)?);
    jar.signed(&key(app)).get(&name).map(|cookie| cookie.value().to_owned())
}

/// Gives the browser the reference of a session that has begun, under the name and the signature by
/// which [`middleware`] reads it: until the browser ends, or for so many seconds.
pub fn give(
    response: &mut HttpResponse,
    app: &App,
    reference: &str,
    seconds: Option<i64>,
) -> Result<(), Failure> {
    let mut given = cookie(app, session_cookie_name(app), reference.to_owned());
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

/// Tells the browser to forget its session cookie.
pub fn forget(response: &mut HttpResponse, app: &App) -> Result<(), Failure> {
    let mut gone = cookie(app, session_cookie_name(app), String::new());
    gone.make_removal();
    response.add_cookie(&gone).map_err(|error| Failure::Internal(error.to_string()))
}

/// Sessions in the database. Deliberately without a life of its own: rows are made at sign-in,
/// never revived by an update, and found only while the user may use them.
pub struct Rows(App, Use);

impl Rows {
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&App) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, Cause> {
        let app = self.0.clone();
        web::block(move || work(&app)).await?.map_err(Into::into)
    }
}

/// What actix-session wants as an error: the type of the crate `anyhow`, which it re-exports nowhere.
type Cause = anyhow::Error;

impl SessionStore for Rows {
    async fn load(&self, key: &SessionKey) -> Result<Option<HashMap<String, String>>, LoadError> {
        let reference = key.as_ref().to_owned();
        let by = self.1;
        let found =
            self.blocking(move |app| app.use_session(&reference, by)).await.map_err(LoadError::Other)?;
        Ok(found.map(|signed_in| {
            // actix-session keeps values as JSON texts.
            let json = |text: &str| serde_json::Value::from(text).to_string();
            let mut state = HashMap::from([
                (USER.to_owned(), json(signed_in.user.id.as_str())),
                (NAME.to_owned(), json(&signed_in.user.shown_name())),
                (ENDS_AT.to_owned(), json(&signed_in.ends_at.to_string())),
                (MESSENGERS.to_owned(), json(&join_ids(&signed_in.messengers, " "))),
                (CONFIRMED_AT.to_owned(), json(&signed_in.confirmed_at.to_string())),
            ]);
            if signed_in.user.role == Role::Admin {
                state.insert(ADMIN.to_owned(), json("yes"));
            }
            if signed_in.is_console_open {
                state.insert(CONSOLE.to_owned(), json("yes"));
            }
            state
        }))
    }

    async fn save(&self, _: HashMap<String, String>, _: &Duration) -> Result<SessionKey, SaveError> {
        // The row is there since the password was judged, and the cookie is [`give`]n.
        Err(SaveError::Other(anyhow::anyhow!("a session begins by signing in alone")))
    }

    async fn update(
        &self,
        key: SessionKey,
        _: HashMap<String, String>,
        _: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        // Nothing of a session changes but by sign-in and sign-out.
        Ok(key)
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), Cause> {
        // Use is written by `load`.
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), Cause> {
        let reference = key.as_ref().to_owned();
        let caller = Caller { actor: "system".to_owned(), ..Caller::default() };
        self.blocking(move |app| app.end_session(&reference, &caller)).await
    }
}

/// The cookie to which forms belong while nobody is signed in. Set by pages with a form only.
pub struct FormCookie;

impl FormCookie {
    /// Its name.
    pub fn name(app: &App) -> String {
        cookie_name(app, "countersign-form")
    }

    /// The value a form of this visitor belongs to, and the cookie to set if it is new.
    pub fn value(request: &HttpRequest, app: &App, visitor: &Visitor) -> (String, Option<Cookie<'static>>) {
        if let Some(value) = Self::presented(request, app, visitor) {
            return (value, None);
        }
        let value = clock::new_secret();
        let cookie = cookie(app, Self::name(app), value.clone());
        (value, Some(cookie))
    }

    /// Sets the new cookie that [`FormCookie::value`] gave, if any. Should that fail, the page goes
    /// out all the same and its form is refused.
    pub fn set(response: &mut HttpResponse, cookie: Option<Cookie<'static>>) {
        if let Some(cookie) = cookie
            && let Err(error) = response.add_cookie(&cookie)
        {
            tracing::error!(%error, "the form's cookie was not set");
        }
    }

    /// The value that the request's form must belong to: the session cookie's while it is live,
    /// else the form cookie's.
    pub fn presented(request: &HttpRequest, app: &App, visitor: &Visitor) -> Option<String> {
        let name = if visitor.visit.is_some() { session_cookie_name(app) } else { Self::name(app) };
        request.cookie(&name).map(|cookie| cookie.value().to_owned()).filter(|value| value.len() >= 32)
    }
}
