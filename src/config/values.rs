//! How single values are read from what was set: `None` if a value is not valid.

use ipnet::IpNet;

use super::{Home, PublicUrl};
use crate::core::messenger::fields::web_url;
use crate::core::origin::Origin;

pub(super) fn public_url(text: &str) -> Option<PublicUrl> {
    let url = web_url(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return None;
    }
    let origin = Origin::of(&url);
    let host = origin.as_str().split_once("://")?.1.to_owned();
    let path = url.path().trim_end_matches('/').to_owned();
    // Proxies, browsers and the router might read other characters differently; two slashes at the start
    // would name another host.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~');
    if path.contains("//") || !path.bytes().all(plain) {
        return None;
    }
    Some(PublicUrl { secure: url.scheme() == "https", origin, host, path })
}

/// A level, or several filters `TARGET=LEVEL`. The filter's parser treats any other word as a target,
/// and would log only that target.
pub(super) fn log_filter(text: &str) -> Option<String> {
    let is_level = |word: &str| {
        let word = word.to_ascii_lowercase();
        matches!(word.as_str(), "error" | "warn" | "info" | "debug" | "trace" | "off")
    };
    let fits = |part: &str| is_level(part.rsplit_once('=').map_or(part, |(_, level)| level).trim());
    text.split(',').all(fits).then(|| text.to_owned())
}

pub(super) fn home(text: &str) -> Option<Home> {
    match text {
        "page" => Some(Home::Page),
        "off" => Some(Home::Off),
        _ => web_url(text).map(Home::Redirect),
    }
}

pub(super) fn network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
}
