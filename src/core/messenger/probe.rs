//! What a browser would do on a page of the website: whether it lets the page read a token, and whether
//! it sends the sign-in's cookie along. Nothing is fetched: browsers decide it by the two origins alone
//! (Fetch standard, CORS protocol; HTML standard, "schemelessly same site"; RFC 6265bis 5.2).

use url::{Host, Url};

use super::Messenger;
use super::fields::web_url;
use crate::core::finding::{Item, State};
use crate::core::origin::Origin;

/// What was found of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The page's origin.
    pub page: Origin,
    /// Each step that a browser takes: `list`, `site`, `transport`, `chat`.
    pub items: Vec<Item>,
}

impl Probe {
    /// Whether a page there gets the token of whoever is signed in at Countersign.
    pub fn gets_token(&self) -> bool {
        self.items.iter().all(|item| item.state != State::Bad)
    }
}

/// Looks at a page by its address or its origin; `None` where the text is neither. `accounts` is the
/// origin of Countersign as browsers see it, `known` are all messengers.
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

/// The page's address; people leave the scheme out.
fn page_url(text: &str) -> Option<Url> {
    let text = text.trim();
    let with = |scheme: &str| web_url(&format!("{scheme}://{text}"));
    if text.contains("://") {
        return web_url(text);
    }
    // On this machine hardly anything is served as https.
    with("http").filter(is_loopback).or_else(|| {
        let is_name = text.split(['/', ':']).next().is_some_and(|host| host.contains('.'));
        is_name.then(|| with("https")).flatten()
    })
}

/// Whether the answer may be read.
fn list(page: &Url, accounts: &Url, messenger: &Messenger, known: &[Messenger]) -> Item {
    let origin = Origin::of(page);
    let (id, shown) = (&messenger.id, origin.as_str());
    if messenger.allowed_origins.contains(&origin) {
        let text = format!(
            "{shown} is among the allowed origins of '{id}': the browser lets the page read the token."
        );
        return Item::new("list", State::Good, text);
    }
    if page.origin() == accounts.origin() {
        let text = format!(
            "{shown} is Countersign's own origin: nothing has to be allowed. Only for hand-over codes it must be among the allowed origins."
        );
        return Item::new("list", State::Good, text);
    }
    let other = known.iter().find(|other| other.id != *id && other.allowed_origins.contains(&origin));
    let near = messenger.allowed_origins.iter().find(|allowed| is_near(page, allowed));
    let mend = match (other, near) {
        (Some(other), _) => {
            let other = &other.id;
            format!(
                "It is among those of '{other}': write data-messenger=\"{other}\" into that page, or allow it here as well."
            )
        }
        (None, Some(near)) => {
            let near = near.as_str();
            format!(
                "{near} is, and that is another origin: scheme, host and port must all be the same. Allow {shown} as well, or lead visitors to the other."
            )
        }
        (None, None) => format!("Add {shown} to the allowed origins."),
    };
    let text = format!(
        "{shown} is not among the allowed origins of '{id}': the browser keeps our answer from the page. {mend}"
    );
    Item::new("list", State::Bad, text)
}

/// Whether a listed origin is what was meant: the same host, or the same but for `www.`.
fn is_near(page: &Url, allowed: &Origin) -> bool {
    let bare = |url: &Url| url.host_str().map(|host| host.strip_prefix("www.").unwrap_or(host).to_owned());
    Url::parse(allowed.as_str()).is_ok_and(|allowed| bare(&allowed) == bare(page))
}

/// Whether the cookie is sent along.
fn site(page: &Url, accounts: &Url) -> Item {
    let (Some(of_page), Some(of_accounts)) = (site_of(page), site_of(accounts)) else {
        return Item::new("site", State::Bad, "The page's address has no host.");
    };
    if of_page != of_accounts {
        let shown = Origin::of(accounts);
        let shown = shown.as_str();
        let name = match page.host() {
            Some(Host::Domain(host)) if psl::domain_str(host).is_some() => format!("accounts.{of_page}"),
            _ => "a subdomain of the page's".to_owned(),
        };
        let text = format!(
            "{of_page} and {of_accounts} are two sites: no browser sends the cookie of a sign-in at {shown} along, and no setting changes that in Safari. Serve Countersign as {name} or behind a path of the website, or let the page fetch its token from your own server (data-token-url)."
        );
        return Item::new("site", State::Bad, text);
    }
    if page.scheme() != accounts.scheme() {
        return Item::new(
            "site",
            State::Bad,
            "One is http and the other https: Chromium takes them for two sites and sends no cookie along. Serve both as https.",
        );
    }
    let text = if matches!(page.host(), Some(Host::Domain(_))) && of_page != "localhost" {
        format!(
            "Both are of the site {of_page}: Chromium, Firefox and Safari send the sign-in's cookie along. Safari forgets it after 7 days where the two names lead to different networks."
        )
    } else {
        format!(
            "Both are of the site {of_page}: every browser sends the sign-in's cookie along, whatever the port."
        )
    };
    Item::new("site", State::Good, text)
}

/// What makes a site: the name that somebody registered, or the whole host where there is none.
fn site_of(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(host) => {
            // A dot at the end makes another host to browsers, and the list leaves it off.
            let (name, dot) = host.strip_suffix('.').map_or((host, ""), |name| (name, "."));
            Some(format!("{}{dot}", psl::domain_str(name).unwrap_or(name)))
        }
        _ => url.host_str().map(str::to_owned),
    }
}

/// Whether the page may load from us at all, and whether others can listen.
fn transport(page: &Url, accounts: &Url) -> Option<Item> {
    match (page.scheme(), accounts.scheme()) {
        ("https", "http") => Some(Item::new(
            "transport",
            State::Bad,
            "The page is https and Countersign is http: browsers load nothing from http into such a page. Serve Countersign as https and set COUNTERSIGN_PUBLIC_URL.",
        )),
        ("http", _) if !is_loopback(page) => Some(Item::new(
            "transport",
            State::Attention,
            "The page is http, so others on the way can read the token and change the page. Serve it as https.",
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
    let text = "Deskpro's three values are not set, so the page gets a token and no chat.";
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

    /// Whether the token arrives, and `part: state` of what is not good.
    fn look(page: &str, accounts: &str, origins: &[&str]) -> (bool, String) {
        let shop = messenger("shop", &["https://shop.example.net"]);
        let found = probe(page, &origin(accounts), &messenger("default", origins), &[shop]).expect("a page");
        let told = found.items.iter().filter(|item| item.state != State::Good && item.part != "chat");
        (found.gets_token(), told.map(|item| item.part).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_page_gets_a_token_from_the_same_site_when_it_is_on_the_list() {
        const ACCOUNTS: &str = "https://accounts.example.co.uk";
        let check = |page: &str, accounts: &str, listed: &[&str], expected: (bool, &str)| {
            let (gets, told) = look(page, accounts, listed);
            assert_eq!((gets, told.as_str()), expected, "{page} at {accounts}");
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
        // A public suffix is nobody's site.
        check("https://other.co.uk", ACCOUNTS, &["https://other.co.uk"], (false, "site"));
        check("https://a.github.io", "https://b.github.io", &["https://a.github.io"], (false, "site"));
        check("https://a.co.uk.example.com", ACCOUNTS, &["https://a.co.uk.example.com"], (false, "site"));
        // Ports make no site; names and addresses of this machine are different ones.
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
            let told: Vec<&str> = found.items.iter().map(|item| item.message.as_str()).collect();
            assert!(told.iter().any(|text| text.contains(expected)), "{page}: {told:?}");
        };
        check("https://shop.example.net", &[], "data-messenger=\"shop\"");
        check(
            "https://example.net",
            &["https://www.example.net"],
            "https://www.example.net is, and that is another origin",
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
