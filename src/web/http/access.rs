//! Who may use a route. A guard receives this where the route is registered.

use actix_web::HttpRequest;
use actix_web::http::Method;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everyone; no session is looked up.
    Anyone,
    /// Everyone; the page knows who is signed in.
    Page,
    /// Admins; others are asked to sign in, or refused.
    Admin,
    /// Admins who typed their password minutes ago; other admins are asked for it.
    Confirmed,
    /// Programs of admins: like [`Access::Admin`], but the route itself checks it and responds with
    /// problems.
    AdminApi,
    /// Like [`Access::AdminApi`], and the password was typed within the last minutes: for data that leaves
    /// the server.
    ConfirmedApi,
    /// The site's own server, with an API key that the route itself checks.
    Site,
    /// Deskpro itself, with the secret of a webhook that the route itself checks.
    Deskpro,
    /// The caller authenticates itself on each request: the route reads the session cookie on its own.
    Token,
}

/// Who may use a path, by method. A path that is not in the list of routes has no entry.
#[derive(Clone)]
pub struct Accesses(pub Vec<(Method, Access)>);

impl Accesses {
    /// Who may make this request; `None` if its route does not have the method. HEAD uses the entry of GET.
    /// If nothing was registered, the password is required.
    pub fn of(request: &HttpRequest) -> Option<Access> {
        let method = if *request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let Some(Self(accesses)) = request.app_data::<Self>() else { return Some(Access::Confirmed) };
        accesses.iter().find(|(known, _)| known == method).map(|(_, access)| *access)
    }
}
