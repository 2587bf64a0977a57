//! What the public URL means for addresses and cookies: the path prefix of every route, and the names, path
//! and attributes of our cookies.

use actix_web::cookie::{Cookie, SameSite};

use crate::app::App;

/// The path of the public URL, without a slash at its end; empty if it has no path.
pub fn prefix(app: &App) -> &str {
    app.settings().public_url.as_ref().map_or("", |url| &url.path)
}

/// Whether browsers reach us over https.
pub fn is_secure(app: &App) -> bool {
    app.settings().public_url.as_ref().is_some_and(|url| url.secure)
}

/// The path of all our cookies.
pub fn cookie_path(app: &App) -> String {
    let prefix = prefix(app);
    if prefix.is_empty() { "/".to_owned() } else { prefix.to_owned() }
}

/// A cookie's name with the prefix that makes browsers protect it: `__Host-` requires the path `/`; under a
/// path of the public URL, `__Secure-` is the strongest one possible.
pub fn cookie_name(app: &App, name: &str) -> String {
    match (is_secure(app), prefix(app).is_empty()) {
        (true, true) => format!("__Host-{name}"),
        (true, false) => format!("__Secure-{name}"),
        (false, _) => name.to_owned(),
    }
}

/// A cookie that lives until the browser is closed, and that scripts and forms of other sites cannot use.
pub fn cookie(app: &App, name: String, value: String) -> Cookie<'static> {
    Cookie::build(name, value)
        .path(cookie_path(app))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_secure(app))
        .finish()
}
