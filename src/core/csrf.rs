//! Proof that a form was sent from our own page (OWASP CSRF sheet: HMAC-based token, plus the
//! origin). Nothing is stored: the token follows from a cookie that the page's owner holds.

use subtle::ConstantTimeEq;

use super::secret::keyed_digest;

/// The token that belongs to a cookie's value: the session cookie's, or without a session the
/// form cookie's.
pub fn token(key: &[u8], cookie: &str) -> String {
    keyed_digest(key, &["csrf", cookie])
}

/// Whether `presented` is the token of `cookie`, in constant time.
pub fn verify(key: &[u8], cookie: &str, presented: &str) -> bool {
    token(key, cookie).as_bytes().ct_eq(presented.as_bytes()).into()
}

/// Whether the headers of a state-changing request allow it to come from our own pages.
///
/// Browsers send `Origin` with every POST; `Sec-Fetch-Site` is the second opinion. A client that
/// sends neither is no browser and is left to the token.
pub fn is_own_origin(origin: Option<&str>, fetch_site: Option<&str>, own: &str) -> bool {
    let origin_fits = origin.is_none_or(|origin| origin == own);
    let site_fits = fetch_site.is_none_or(|site| matches!(site, "same-origin" | "none"));
    origin_fits && site_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_origin_may_post() {
        let own = "https://accounts.example.com";
        let check = |origin, site, expected| {
            assert_eq!(is_own_origin(origin, site, own), expected, "{origin:?} {site:?}");
        };
        check(Some(own), Some("same-origin"), true);
        check(None, None, true);
        check(Some("null"), None, false);
        check(Some("https://accounts.example.com.evil.example"), None, false);
        check(Some("http://accounts.example.com"), None, false);
        check(Some("https://accounts.example.com:444"), None, false);
        check(Some(own), Some("same-site"), false);
        check(None, Some("cross-site"), false);
    }
}
