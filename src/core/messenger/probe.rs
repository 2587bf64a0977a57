//! What a browser would do on a page of the website: whether it lets the page read a token, and whether
//! it sends the session cookie. Nothing is fetched: browsers decide it only by the two origins
//! (Fetch standard, CORS protocol; HTML standard, "schemelessly same site"; RFC 6265bis 5.2).

use url::{Host, Url};

use super::Messenger;
use super::fields::web_url;
use crate::core::finding::{Item, State};
use crate::core::origin::Origin;

/// The result for a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The page's origin.
    pub page: Origin,
    /// One item for each step of a browser: `list`, `site`, `transport`, `chat`.
    pub items: Vec<Item>,
}

impl Probe {
    /// Whether a page of this origin gets the token of the user who is signed in to Countersign.
    pub fn gets_token(&self) -> bool {
        self.items.iter().all(|item| item.state != State::Bad)
    }
}

/// Checks a page by its URL or its origin; `None` if the string is neither. `accounts` is the origin of
/// Countersign as browsers see it, `known` has all messengers.
pub fn probe(page: &str, accounts: &Origin, messenger: &Messenger, known: &[Messenger]) -> Option<Probe> {
    let page = page_url(page)?;
    let accounts = Url::parse(accounts.as_str()).ok()?;
    let items: Vec<Item> = [
        Some(list(&page, &accounts, messenger, known)),
        Some(site(&page, &accounts)),
        transport(&page, &accounts),
        chat(messenger),
    ]
    .into_iter()
    .flatten()
    .collect();
    Some(Probe { page: Origin::of(&page), items })
}

/// The page's URL; people often leave out the scheme.
fn page_url(text: &str) -> Option<Url> {
    let text = text.trim();
    let with = |scheme: &str| web_url(&format!("{scheme}://{text}"));
    if text.contains("://") {
        return web_url(text);
    }
    // On the local machine, hardly anything is served over https.
    with("http").filter(is_loopback).or_else(|| {
        let is_name = text.split(['/', ':']).next().is_some_and(|host| host.contains('.'));
        is_name.then(|| with("https")).flatten()
    })
}

/// Whether the page may read the response.
fn list(page: &Url, accounts: &Url, messenger: &Messenger, known: &[Messenger]) -> Item {
    let origin = Origin::of(page);
    let (id, shown) = (&messenger.id, origin.as_str());
    if messenger.allowed_origins.contains(&origin) {
        let text =
            format!("{shown} is an allowed origin of '{id}': the browser lets the page read the token.");
        return Item::new("list", State::Good, text);
    }
    if page.origin() == accounts.origin() {
        let text = format!(
            "{shown} is Countersign's own origin, so you need not allow it. Only handover codes require it as an allowed origin."
        );
        return Item::new("list", State::Good, text);
    }
    let other = known.iter().find(|other| other.id != *id && other.allowed_origins.contains(&origin));
    let near = messenger.allowed_origins.iter().find(|allowed| is_near(page, allowed));
    let advice = match (other, near) {
        (Some(other), _) => {
            let other = &other.id;
            format!(
                "It is an allowed origin of '{other}': set data-messenger=\"{other}\" in that page, or also allow it here."
            )
        }
        (None, Some(near)) => {
            let near = near.as_str();
            format!(
                "{near} is allowed, but it is a different origin: scheme, host and port must all be the same. Also allow {shown}, or send visitors to {near}."
            )
        }
        (None, None) => format!("Add {shown} to the allowed origins."),
    };
    let text = format!(
        "{shown} is not an allowed origin of '{id}': the browser does not let the page read Countersign's response. {advice}"
    );
    Item::new("list", State::Bad, text)
}

/// Whether an allowed origin was probably meant: it has the same host, or a host that differs only by `www.`.
fn is_near(page: &Url, allowed: &Origin) -> bool {
    let bare = |url: &Url| url.host_str().map(|host| host.strip_prefix("www.").unwrap_or(host).to_owned());
    Url::parse(allowed.as_str()).is_ok_and(|allowed| bare(&allowed) == bare(page))
}

/// Whether the browser sends the cookie.
fn site(page: &Url, accounts: &Url) -> Item {
    let (Some(of_page), Some(of_accounts)) = (site_of(page), site_of(accounts)) else {
        return Item::new("site", State::Bad, "The page's address has no host.");
    };
    if of_page != of_accounts {
        let shown = Origin::of(accounts);
        let shown = shown.as_str();
        let name = match page.host() {
            Some(Host::Domain(host)) if psl::domain_str(host).is_some() => format!("accounts.{of_page}"),
            _ => "a subdomain of the page's host".to_owned(),
        };
        let text = format!(
            "{of_page} and {of_accounts} are two different sites: no browser sends the session cookie of {shown}, and no setting changes that in Safari. Serve Countersign as {name} or behind a path of the website, or let the page fetch its token from your own server (data-token-url)."
        );
        return Item::new("site", State::Bad, text);
    }
    if page.scheme() != accounts.scheme() {
        return Item::new(
            "site",
            State::Bad,
            "One is http and the other https: Chromium treats them as two sites and sends no cookie. Serve both over https.",
        );
    }
    let text = if matches!(page.host(), Some(Host::Domain(_))) && of_page != "localhost" {
        format!(
            "Both belong to the site {of_page}: Chromium, Firefox and Safari send the session cookie. Safari deletes it after 7 days if the two names lead to different networks."
        )
    } else {
        format!("Both belong to the site {of_page}: every browser sends the session cookie, on any port.")
    };
    Item::new("site", State::Good, text)
}

/// The site of a URL: the registered name, or the whole host if there is none.
fn site_of(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(host) => {
            // For browsers, a dot at the end makes a different host; the list leaves it out.
            let (name, dot) = host.strip_suffix('.').map_or((host, ""), |name| (name, "."));
            Some(format!("{}{dot}", psl::domain_str(name).unwrap_or(name)))
        }
        _ => url.host_str().map(str::to_owned),
    }
}

/// Whether the page may load from Countersign, and whether others can read the traffic.
fn transport(page: &Url, accounts: &Url) -> Option<Item> {
    match (page.scheme(), accounts.scheme()) {
        ("https", "http") => Some(Item::new(
            "transport",
            State::Bad,
            "The page is https and Countersign is http: browsers load nothing over http into such a page. Serve Countersign over https and set COUNTERSIGN_PUBLIC_URL.",
        )),
        ("http", _) if !is_loopback(page) => Some(Item::new(
            "transport",
            State::Attention,
            "The page is http, so others on the network can read the token and change the page. Serve it over https.",
        )),
        _ => None,
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(host)) => host == "localhost" || host.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn chat(messenger: &Messenger) -> Option<Item> {
    let text = "Deskpro's three values are not set, so the page gets a token but no chat. Set them.";
    messenger.deployment.is_none().then(|| Item::new("chat", State::Attention, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::parse(text).expect("an origin")
    }

    fn messenger(id: &str, origins: &[&str]) -> Messenger {
        let allowed_origins = origins.iter().map(|text| origin(text)).collect();
        Messenger { id: id.into(), allowed_origins, ..Messenger::default() }
    }

    /// Whether the token arrives, and the parts that are not good.
    fn look(page: &str, accounts: &str, origins: &[&str]) -> (bool, String) {
        let shop = messenger("shop", &["https://shop.example.net"]);
        let found = probe(page, &origin(accounts), &messenger("default", origins), &[shop]).expect("a page");
        let bad = found.items.iter().filter(|item| item.state != State::Good && item.part != "chat");
        (found.gets_token(), bad.map(|item| item.part).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_page_gets_a_token_from_the_same_site_when_it_is_on_the_list() {
        const ACCOUNTS: &str = "https://accounts.example.co.uk";
        let check = |page: &str, accounts: &str, listed: &[&str], expected: (bool, &str)| {
            let (gets, parts) = look(page, accounts, listed);
            assert_eq!((gets, parts.as_str()), expected, "{page} at {accounts}");
        };
        let www = ["https://www.example.co.uk"];
        check("https://www.example.co.uk", ACCOUNTS, &www, (true, ""));
        check("www.example.co.uk/cart?x=1#y", ACCOUNTS, &www, (true, ""));
        check(" HTTPS://WWW.Example.co.uk:443/ ", ACCOUNTS, &www, (true, ""));
        check("localhost:3000/x", "http://localhost:8080", &["http://localhost:3000"], (true, ""));
        check(ACCOUNTS, ACCOUNTS, &[], (true, ""));
        check("https://www.example.co.uk:8443", ACCOUNTS, &www, (false, "list"));
        check("http://www.example.co.uk", ACCOUNTS, &www, (false, "list site transport"));
        check("https://example.co.uk", ACCOUNTS, &www, (false, "list"));
        check("https://www.example.co.uk.", ACCOUNTS, &["https://www.example.co.uk."], (false, "site"));
        // A public suffix is not a site.
        check("https://other.co.uk", ACCOUNTS, &["https://other.co.uk"], (false, "site"));
        check("https://a.github.io", "https://b.github.io", &["https://a.github.io"], (false, "site"));
        check("https://a.co.uk.example.com", ACCOUNTS, &["https://a.co.uk.example.com"], (false, "site"));
        // The port is not part of a site; the name and the address of this machine are different sites.
        check("http://127.0.0.1:3000", "http://127.0.0.1:8080", &["http://127.0.0.1:3000"], (true, ""));
        check("http://localhost:3000", "http://127.0.0.1:8080", &["http://localhost:3000"], (false, "site"));
        check("http://[::1]:3000", "http://[::1]:8080", &["http://[::1]:3000"], (true, ""));
        check("http://10.0.0.2", "http://10.0.0.3", &["http://10.0.0.2"], (false, "site transport"));
        check(
            "https://www.example.com",
            "http://accounts.example.com",
            &["https://www.example.com"],
            (false, "site transport"),
        );
        check("http://intranet", "http://intranet:8080", &["http://intranet"], (true, "transport"));
    }

    #[test]
    fn what_is_missing_is_told_with_what_to_do() {
        let check = |page: &str, listed: &[&str], expected: &str| {
            let shop = messenger("shop", &["https://shop.example.net"]);
            let accounts = origin("https://accounts.example.net");
            let found = probe(page, &accounts, &messenger("default", listed), &[shop]).expect("a page");
            let messages: Vec<&str> = found.items.iter().map(|item| item.message.as_str()).collect();
            assert!(messages.iter().any(|text| text.contains(expected)), "{page}: {messages:?}");
        };
        check("https://shop.example.net", &[], "data-messenger=\"shop\"");
        check(
            "https://example.net",
            &["https://www.example.net"],
            "https://www.example.net is allowed, but it is a different origin",
        );
        check("https://new.example.net", &[], "Add https://new.example.net to the allowed origins");
        check(
            "https://www.example.org",
            &["https://www.example.org"],
            "Serve Countersign as accounts.example.org",
        );
        check("https://accounts.example.net", &[], "own origin");
    }

    #[test]
    fn what_is_no_page_is_none() {
        for text in [
            "",
            "*",
            "null",
            "file:///x",
            "https://*.example.com",
            "javascript:1",
            "shop",
            "https://a@example.com",
            "a b.example",
        ] {
            let found = probe(text, &origin("https://a.example"), &messenger("default", &[]), &[]);
            assert_eq!(found, None, "{text:?}");
        }
    }
}
