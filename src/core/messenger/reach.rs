//! Warnings about the URLs of a messenger that can be used but may not work for others. Pages load these
//! URLs, not this server. So a private URL is not a danger to the server; other people just cannot use it.

use url::{Host, Url};

use super::Messenger;
use crate::core::network;

/// A sentence for each URL that pages elsewhere cannot reach, or whose content can be changed in transit.
pub fn warnings(messenger: &Messenger) -> Vec<String> {
    let web = messenger
        .deployment
        .iter()
        .flat_map(|it| [("init_script_url", &it.init_script_url), ("deskpro_url", &it.deskpro_url)]);
    let ios = messenger.ios.iter().map(|it| ("ios_deskpro_url", &it.deskpro_url));
    let android = messenger.android.iter().map(|it| ("android_deskpro_url", &it.deskpro_url));
    let mut warnings = Vec::new();
    for (field, url) in web.chain(ios).chain(android) {
        if url.scheme() == "http" {
            warnings.push(format!(
                "{field} starts with http:, so others on the network can read and change what it loads. Use http only for trials."
            ));
        }
        if !is_public(url) {
            let host = url.host_str().unwrap_or_default();
            warnings.push(format!(
                "{field} leads to {host}, which is this machine, a private network or a cloud's metadata service. Other people's browsers cannot reach Deskpro there."
            ));
        }
    }
    for origin in &messenger.allowed_origins {
        let url = Url::parse(origin.as_str()).ok().filter(|url| url.scheme() == "http" && is_public(url));
        if url.is_some() {
            warnings.push(format!(
                "allowed_origins has {}, so others on the network can read the tokens of its pages. Use http only for trials.",
                origin.as_str()
            ));
        }
    }
    warnings
}

fn is_public(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => network::is_public(address.into()),
        Some(Host::Ipv6(address)) => network::is_public(address.into()),
        Some(Host::Domain(name)) => is_public_name(name),
        None => false,
    }
}

/// Endings of names that no public name server resolves (RFC 6761, RFC 6762, RFC 8375), and endings that
/// networks and clouds use internally.
const PRIVATE_NAMES: [&str; 10] = [
    "localhost",
    "local",
    "localdomain",
    "internal",
    "lan",
    "intranet",
    "corp",
    "home",
    "home.arpa",
    "private",
];

fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let ends =
        |end: &&str| name.strip_suffix(*end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    name.contains('.') && !PRIVATE_NAMES.iter().any(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_others_cannot_reach_is_told_from_a_public_one() {
        let check = |url: &str, expected: bool| {
            assert_eq!(is_public(&Url::parse(url).expect("a URL")), expected, "{url}");
        };
        for url in [
            "http://127.0.0.1:8090/x",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://desk.localhost/",
            "https://10.1.2.3/",
            "https://172.31.255.255/",
            "https://192.168.0.1/",
            "https://100.64.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://metadata.google.internal/",
            "https://0.0.0.0/",
            "https://255.255.255.255/",
            "https://[::1]/",
            "https://[::]/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://[64:ff9b::a00:1]/",
            "https://desk/",
            "https://desk.corp/",
            "https://printer.local/",
            "https://router.home.arpa/",
        ] {
            check(url, false);
        }
        for url in [
            "https://desk.example.com/",
            "https://local.example.com/",
            "https://notlocal.example/",
            "https://172.32.0.1/",
            "https://100.128.0.1/",
            "https://8.8.8.8/",
            "https://[2606:4700::1]/",
            "https://[::ffff:8.8.8.8]/",
        ] {
            check(url, true);
        }
    }
}
