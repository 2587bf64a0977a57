//! What the public URL means for addresses and cookies: the path before every route, and the
//! names, path and guard of our cookies.

use actix_web::cookie::{Cookie, SameSite};

use crate::app::App;

/// The path of the public URL, without a slash at its end; empty when there is none.
pub fn prefix(app: &App) -> &str {
    app.settings().public_url.as_ref().map_or("", |url| &url.path)
}

/// Whether browsers reach us by https.
pub fn is_secure(app: &App) -> bool {
    app.settings().public_url.as_ref().is_some_and(|url| url.secure)
}

/// The path of all our cookies.
pub fn cookie_path(app: &App) -> String {
    let prefix = prefix(app);
    if prefix.is_empty() { "/".to_owned() } else { prefix.to_owned() }
}

/// A cookie's name with the prefix by which browsers guard it: `__Host-` needs the path `/`,
/// below a path of the public URL `__Secure-` is the most there is.
pub fn cookie_name(app: &App, name: &str) -> String {
    match (is_secure(app), prefix(app).is_empty()) {
        (true, true) => format!("__Host-{name}"),
        (true, false) => format!("__Secure-{name}"),
        (false, _) => name.to_owned(),
    }
}

/// A cookie for as long as the browser runs, out of reach of scripts and of other sites' forms.
pub fn cookie(app: &App, name: String, value: String) -> Cookie<'static> {
    Cookie::build(name, value)
        .path(cookie_path(app))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_secure(app))
        .finish()
}
