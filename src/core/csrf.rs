//! Proof that a form was sent from our own page (OWASP CSRF sheet: HMAC-based token, plus the
//! origin). Nothing is stored: the token is derived from a cookie in the user's browser.

use subtle::ConstantTimeEq;

use super::origin::normal_origin;
use super::secret::keyed_digest;

/// The token that belongs to the value of a cookie: the session cookie or, without a session, the form
/// cookie.
pub fn token(key: &[u8], cookie: &str) -> String {
    keyed_digest(key, &["csrf", cookie])
}

/// Whether `presented` is the token of `cookie`, in constant time.
pub fn verify(key: &[u8], cookie: &str, presented: &str) -> bool {
    token(key, cookie).as_bytes().ct_eq(presented.as_bytes()).into()
}

/// Why a request does not seem to come from our own pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// `Origin` names another site.
    Origin,
    /// `Sec-Fetch-Site` says that it comes from another site.
    FetchSite,
    /// The browser uses one of our addresses that we do not know: https where a proxy ends it, or
    /// another host name.
    Address,
}

/// Checks by its headers whether a state-changing request comes from our own pages; `own` is our origin.
///
/// Browsers send `Origin` with every POST; `Sec-Fetch-Site` is a second check. A client that sends
/// neither is not a browser; for it, only the token decides. A browser that hides its origin because of
/// a `Referrer-Policy` (`Origin: null`) and says that the request has the same origin is trusted: no
/// page of another origin can make it say so (Fetch Metadata, section 2.4).
pub fn judge_origin(origin: Option<&str>, fetch_site: Option<&str>, own: &str) -> Result<(), Stranger> {
    let is_same = fetch_site == Some("same-origin");
    if fetch_site.is_some_and(|site| !is_same && site != "none") {
        return Err(Stranger::FetchSite);
    }
    let Some(origin) = origin else { return Ok(()) };
    let (origin, own) = (normal_origin(origin), normal_origin(own));
    if origin == own || (origin == "null" && is_same) {
        return Ok(());
    }
    let is_by_https =
        origin.strip_prefix("https://").is_some_and(|host| own.strip_prefix("http://") == Some(host));
    Err(if is_by_https || is_same { Stranger::Address } else { Stranger::Origin })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_origin_may_post() {
        let own = "https://accounts.example.com";
        let check = |origin, site, expected| {
            assert_eq!(judge_origin(origin, site, own), expected, "{origin:?} {site:?}");
        };
        check(Some(own), Some("same-origin"), Ok(()));
        check(Some("https://accounts.example.com."), Some("same-origin"), Ok(()));
        check(None, None, Ok(()));
        check(Some("null"), Some("same-origin"), Ok(()));
        check(Some("null"), None, Err(Stranger::Origin));
        check(Some("null"), Some("none"), Err(Stranger::Origin));
        check(Some("null"), Some("cross-site"), Err(Stranger::FetchSite));
        check(Some("https://accounts.example.com.evil.example"), None, Err(Stranger::Origin));
        check(Some("http://accounts.example.com"), None, Err(Stranger::Origin));
        check(Some("https://accounts.example.com:444"), None, Err(Stranger::Origin));
        check(Some(own), Some("same-site"), Err(Stranger::FetchSite));
        check(None, Some("cross-site"), Err(Stranger::FetchSite));
        check(Some("?"), Some("same-origin"), Err(Stranger::Address));
    }

    #[test]
    fn an_address_of_ours_that_we_do_not_know_is_told_from_a_stranger() {
        let check = |origin, site, expected| {
            let judged = judge_origin(Some(origin), site, "http://accounts.example.com");
            assert_eq!(judged, Err(expected), "{origin} {site:?}");
        };
        check("https://accounts.example.com", None, Stranger::Address);
        check("https://other.example.com", Some("same-origin"), Stranger::Address);
        check("https://other.example.com", None, Stranger::Origin);
        check("https://accounts.example.com:8443", None, Stranger::Origin);
    }
}
