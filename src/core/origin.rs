//! Origins and hosts: read exactly, and compared without differences that have no meaning.

use url::Url;

/// An origin as browsers write it: `scheme://host`, and `:port` if it is not the default port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin; `*`, `null`, and URLs with paths, user names or schemes except http(s) are not
    /// origins.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let origin = url.origin();
        let plain = matches!(url.scheme(), "http" | "https")
            && origin.is_tuple()
            && has_plain_host(&url)
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.path() == "/";
        plain.then(|| Self(origin.ascii_serialization()))
    }

    /// The origin of a page, from its URL as `Referer` has it.
    pub fn parse_page(address: &str) -> Option<Self> {
        let url = Url::parse(address).ok()?;
        (matches!(url.scheme(), "http" | "https") && url.origin().is_tuple()).then(|| Self::of(&url))
    }

    /// The origin of a URL that was checked.
    pub fn of(url: &Url) -> Self {
        Self(url.origin().ascii_serialization())
    }

    /// The value that a browser sends in `Origin`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A host with its port, as it is compared (RFC 9110 section 4.2.3): in lowercase, without a dot at its
/// end, and without the default port of http or https.
pub fn normal_host(text: &str, is_secure: bool) -> String {
    let text = text.to_ascii_lowercase();
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (text.as_str(), ""),
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let usual = if is_secure { "443" } else { "80" };
    let port = port.trim_start_matches('0');
    if port.is_empty() || port == usual { host.to_owned() } else { format!("{host}:{port}") }
}

/// An origin as it is compared: its scheme, and its host as [`normal_host`] writes it.
pub fn normal_origin(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, host)) => {
            let scheme = scheme.to_ascii_lowercase();
            format!("{scheme}://{}", normal_host(host, scheme == "https"))
        }
        None => text.to_owned(),
    }
}

/// Whether a URL's host consists of letters, digits, `.`, `-` and `_`, or is an address in brackets. Other
/// characters would mean something else in a policy or a list.
pub fn has_plain_host(url: &Url) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'[' | b']' | b':');
    url.host_str().is_some_and(|host| !host.is_empty() && host.bytes().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_compared_without_what_means_nothing() {
        let check = |text: &str, expected: &str| assert_eq!(normal_host(text, true), expected, "{text:?}");
        check("accounts.example.com", "accounts.example.com");
        check("Accounts.Example.COM:443", "accounts.example.com");
        check("accounts.example.com.", "accounts.example.com");
        check("accounts.example.com.:0443", "accounts.example.com");
        check("accounts.example.com:", "accounts.example.com");
        check("accounts.example.com:80", "accounts.example.com:80");
        check("[::1]:443", "[::1]");
        check("[::1]", "[::1]");
        check("accounts.example.com:44x", "accounts.example.com:44x");
        check("accounts.example.com..", "accounts.example.com.");
        assert_eq!(normal_host("localhost:80", false), "localhost");
        assert_eq!(normal_origin("HTTPS://Example.com.:443"), "https://example.com");
        assert_eq!(normal_origin("null"), "null");
    }

    #[test]
    fn an_origin_is_exact() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(Origin::parse(text).as_ref().map(Origin::as_str), expected, "{text:?}");
        };
        check("https://www.example.com", Some("https://www.example.com"));
        check("https://WWW.example.com:443/", Some("https://www.example.com"));
        check("http://127.0.0.1:8080", Some("http://127.0.0.1:8080"));
        for hostile in [
            "*",
            "null",
            "https://*.example.com",
            "https://*",
            "https://%2a.example.com",
            "https://a.example;sandbox",
            "https://a,b.example",
            "https://a'b.example",
            "https://(a)",
            "https://*.example.com/x",
            "file:///x",
            "https://a@b.example",
            "www.example.com",
        ] {
            check(hostile, None);
        }
    }
}
