//! Decides which of a request's cookies are ours. The only place that reads the `Cookie` header.
//!
//! actix reads all cookies of a request or none: a single non-ASCII byte in another cookie would make every
//! session unreadable. So the edge leaves only our cookies in the header, and later readers (actix-session,
//! [`HttpRequest::cookie`]) find them regardless of other cookies (RFC 6265 section 5.4).

use std::borrow::Cow;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue};
use actix_web::{HttpMessage, HttpRequest};
use percent_encoding::percent_decode_str;

use crate::app::App;
use crate::web::http::public::cookie_name;

/// The cookie that stores the language chosen with a link.
pub const LANGUAGE_COOKIE: &str = "countersign-language";

/// The name of the session cookie.
pub fn session_cookie_name(app: &App) -> String {
    cookie_name(app, "countersign")
}

/// The name of the cookie to which forms belong while no user is signed in.
pub fn form_cookie_name(app: &App) -> String {
    cookie_name(app, "countersign-form")
}

/// Marks requests that contained one of our cookies twice, with different values.
struct Doubled;

/// Leaves only our cookies in a request. If two have the same name and different values, both are removed:
/// another site of the same domain may have set one of them, and nothing says which.
pub fn keep_ours(request: &mut ServiceRequest, app: &App) {
    if !request.headers().contains_key(COOKIE) {
        return;
    }
    let names = [session_cookie_name(app), form_cookie_name(app), LANGUAGE_COOKIE.to_owned()];
    let lines = || request.headers().get_all(COOKIE).map(HeaderValue::as_bytes);
    let found = names.iter().map(|name| (name, find(lines(), name)));
    let mut kept = String::new();
    let mut is_doubled = false;
    for (name, found) in found {
        match found {
            Found::One(value) => {
                let sign = if kept.is_empty() { "" } else { "; " };
                kept.extend([sign, name, "=", value]);
            }
            // The language proves nothing.
            Found::Two => is_doubled |= name != LANGUAGE_COOKIE,
            Found::None => {}
        }
    }
    request.headers_mut().remove(COOKIE);
    if let (false, Ok(value)) = (kept.is_empty(), HeaderValue::from_str(&kept)) {
        request.headers_mut().insert(COOKIE, value);
    }
    if is_doubled {
        request.extensions_mut().insert(Doubled);
    }
}

/// The value of a cookie, if it came once or always the same. Percent-encoding is decoded, as actix-session does: servers
/// that forward a browser's cookies may add it.
pub fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cow<'a, str>> {
    match find(headers.get_all(COOKIE).map(HeaderValue::as_bytes), name) {
        Found::One(value) => percent_decode_str(value).decode_utf8().ok(),
        Found::None | Found::Two => None,
    }
}

/// Whether a request contained one of our cookies twice, with different values.
pub fn is_doubled(request: &HttpRequest) -> bool {
    request.extensions().contains::<Doubled>()
}

#[derive(Debug, PartialEq, Eq)]
enum Found<'a> {
    None,
    One(&'a str),
    Two,
}

/// The value of a cookie in the lines of the header.
fn find<'a>(lines: impl Iterator<Item = &'a [u8]>, name: &str) -> Found<'a> {
    let mut found = None;
    for pair in lines.flat_map(|line| line.split(|byte| *byte == b';')) {
        let mut parts = pair.trim_ascii().splitn(2, |byte| *byte == b'=');
        let (Some(known), Some(value)) = (parts.next(), parts.next()) else { continue };
        if known.trim_ascii() != name.as_bytes() {
            continue;
        }
        let value = value.trim_ascii();
        if found.is_some_and(|other| other != value) {
            return Found::Two;
        }
        found = Some(value);
    }
    // We never set a cookie that is not ASCII.
    let text = found.and_then(|value| std::str::from_utf8(value).ok()).filter(|value| value.is_ascii());
    text.map_or(Found::None, Found::One)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_whatever_is_beside_it() {
        let check = |lines: &[&[u8]], expected: Found<'_>| {
            assert_eq!(find(lines.iter().copied(), "ours"), expected, "{lines:?}");
        };
        check(&[b"ours=1"], Found::One("1"));
        check(&[b"city=M\xfcnchen; ours=1"], Found::One("1"));
        check(&[b"ours=1; city=M\xfcnchen"], Found::One("1"));
        check(&[b"bad; =x; ;; a b=\"; ours=a=b"], Found::One("a=b"));
        check(&[b"a=1", b"ours=1"], Found::One("1"));
        check(&[b"ours=1; ours=1"], Found::One("1"));
        check(&[b"ours=1; ours=2"], Found::Two);
        check(&[b"ours=1", b"ours=2"], Found::Two);
        check(&[b"ours=1; ours=\xfc"], Found::Two);
        check(&[b"ours=\xfc"], Found::None);
        check(&[b"Ours=1; xours=2; ours"], Found::None);
    }
}
