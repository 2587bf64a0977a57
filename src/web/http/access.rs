//! Who may use a route. A guard gets it where the route is registered.

use actix_web::HttpRequest;
use actix_web::http::Method;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody; nobody's session is looked up.
    Anyone,
    /// Anybody; the page knows who is signed in.
    Page,
    /// Admins; others are asked to sign in, or refused.
    Admin,
    /// Admins who typed their password minutes ago; others are asked for it.
    Confirmed,
    /// Programs of admins: as [`Access::Admin`], but asked by the route itself and answered by problems.
    AdminApi,
    /// As [`Access::AdminApi`], and the password was typed within the last minutes: data that leaves.
    ConfirmedApi,
    /// The site's own server, by an API key that the route itself asks for.
    Site,
    /// The caller proves itself on each request: the route reads the session cookie on its own.
    Token,
}

/// Who may use a place, by method. What has no place in the list of routes has none.
#[derive(Clone)]
pub struct Accesses(pub Vec<(Method, Access)>);

impl Accesses {
    /// Who may make this request; `None` where its route does not have the method. HEAD is answered by GET's. Where
    /// nothing was registered, the password is asked for.
    pub fn of(request: &HttpRequest) -> Option<Access> {
        let method = if *request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let Some(Self(accesses)) = request.app_data::<Self>() else { return Some(Access::Confirmed) };
        accesses.iter().find(|(known, _)| known == method).map(|(_, access)| *access)
    }
}
