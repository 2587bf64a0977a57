//! Where a browser goes after sign-in: one of our own pages, or a page of an allowed origin. Anything
//! else would let a link to our sign-in page lead to an attacker's page.

use url::Url;

use super::origin::Origin;

/// The destination: `wanted` if it is a local path below `home` or a page of one of `allowed`,
/// otherwise `home` (the path of our own start page).
pub fn destination(wanted: &str, home: &str, allowed: &[Origin]) -> String {
    if is_local_path(wanted) {
        return wanted.to_owned();
    }
    let plain = !wanted.chars().any(|letter| letter.is_control() || letter.is_whitespace() || letter == '\\');
    // The scheme is also checked in the string: the parser reads "https:host" as "https://host".
    if plain
        && (wanted.starts_with("https://") || wanted.starts_with("http://"))
        && let Ok(url) = Url::parse(wanted)
        && url.username().is_empty()
        && url.password().is_none()
        && allowed.contains(&Origin::of(&url))
    {
        return url.into();
    }
    home.to_owned()
}

/// A path that every browser reads as a path on this host: one slash, no second slash or
/// backslash after it, and no control character (browsers drop them before they read a URL).
fn is_local_path(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next() == Some('/')
        && !matches!(letters.next(), Some('/' | '\\'))
        && !text.chars().any(|letter| letter.is_control() || letter.is_whitespace() || letter == '\\')
        && Url::parse("https://own.invalid")
            .and_then(|base| base.join(text))
            .is_ok_and(|url| url.host_str() == Some("own.invalid") && !url.path().starts_with("//"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_goes_to_a_local_path_or_an_allowed_origin_only() {
        let allowed = [Origin::parse("https://www.example.com").expect("an origin")];
        let check = |wanted: &str, expected: &str| {
            assert_eq!(destination(wanted, "/home", &allowed), expected, "{wanted:?}");
        };
        check("/account?tab=1#x", "/account?tab=1#x");
        check("https://www.example.com/cart?x=1", "https://www.example.com/cart?x=1");
        check("https://www.example.com:443/", "https://www.example.com/");
        for hostile in [
            "",
            "account",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https:\\\\evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://www.example.com.evil.example/",
            "https://www.example.com@evil.example/",
            "https://evil.example/www.example.com",
            "http://www.example.com/",
            "https://www.example.com:8443/",
            "https://user@www.example.com/",
            " /account",
            "/x/..//evil.example",
            "/.//evil.example",
            "https://www.example.com\u{3002}evil.example/",
        ] {
            check(hostile, "/home");
        }
    }
}
