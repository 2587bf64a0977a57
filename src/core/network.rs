//! The network address of a client behind trusted proxies, and the network that its password guesses
//! are counted for. Pure: headers and peers are parameters.

use std::net::IpAddr;

use ipnet::IpNet;

/// The client's address: the address of the peer, unless the peer is a trusted proxy. Then it is the
/// last address in `X-Forwarded-For` that is not a trusted proxy. `forwarded` has the header's lines in
/// order.
///
/// Only `X-Forwarded-For` is read: a proxy that sets one forwarding header passes the others on as
/// the client wrote them, so reading two would let a client choose its address.
pub fn client(peer: IpAddr, forwarded: &[impl AsRef<str>], trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    let hops = forwarded.iter().flat_map(|line| line.as_ref().split(',')).collect::<Vec<_>>();
    for hop in hops.into_iter().rev() {
        if !is_trusted(&client) {
            return client;
        }
        match parse(hop.trim()) {
            Some(address) => client = address,
            // The proxy's value cannot be read, so only the proxy itself is known.
            None => return client,
        }
    }
    client
}

/// An address, with or without a port: `1.2.3.4`, `1.2.3.4:5`, `::1`, `[::1]:5`.
fn parse(hop: &str) -> Option<IpAddr> {
    let address = hop.parse().ok().or_else(|| Some(hop.parse::<std::net::SocketAddr>().ok()?.ip()));
    let bare = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address.or_else(bare).map(|address: IpAddr| address.to_canonical())
}

/// The network that guesses are counted for: an IPv4 address, or the /64 of an IPv6 address, which is
/// the least that a provider gives one customer.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Whether an address can belong to a server on the internet: not this machine, not a private network,
/// not a provider's internal network, not link-local (where clouds have their metadata), and not
/// unassigned.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            let is_special =
                a == 0 || a >= 224 || (a == 192 && b == 0 && c == 0) || (a == 198 && b & 0xfe == 18);
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || is_shared
                || is_special)
        }
        IpAddr::V6(address) => {
            let segments = address.segments();
            if segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
                // An IPv4 address as networks without IPv4 write it (RFC 6052).
                let [.., a, b, c, d] = address.octets();
                return is_public(IpAddr::from([a, b, c, d]));
            }
            // Assigned addresses start with 2 or 3.
            segments[0] & 0xe000 == 0x2000
        }
    }
}

/// Whether an address belongs to this machine or to a network that the internet cannot reach (RFC 1918,
/// RFC 4193, link-local). A proxy at such an address has many clients behind it.
pub fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// The address as logs show it; for a peer, also the network to add to `trusted_proxies`.
pub fn cidr(address: IpAddr) -> String {
    IpNet::from(address.to_canonical()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forwarding_header_counts_only_from_a_trusted_proxy() {
        let trusted: Vec<IpNet> =
            ["10.0.0.0/8", "::1/128"].iter().map(|cidr| cidr.parse().expect("a network")).collect();
        let check = |peer: &str, forwarded: &[&str], expected: &str| {
            let client = client(peer.parse().expect("an address"), forwarded, &trusted);
            assert_eq!(client.to_string(), expected, "{peer} {forwarded:?}");
        };
        check("203.0.113.9", &["1.2.3.4"], "203.0.113.9");
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["1.2.3.4"], "1.2.3.4");
        check("10.0.0.1", &["6.6.6.6, 1.2.3.4"], "1.2.3.4");
        check("10.0.0.1", &["6.6.6.6", "1.2.3.4, 10.2.2.2"], "1.2.3.4");
        check("10.0.0.1", &["1.2.3.4, evil"], "10.0.0.1");
        check("10.0.0.1", &["6.6.6.6", "\u{fffd}, 1.2.3.4"], "1.2.3.4");
        check("10.0.0.1", &["6.6.6.6, unknown, 10.3.3.3"], "10.3.3.3");
        check("::1", &["[2001:db8::7]:443"], "2001:db8::7");
        check("::1", &["1.2.3.4:5678"], "1.2.3.4");
        check("::ffff:10.0.0.1", &["::ffff:1.2.3.4"], "1.2.3.4");
    }

    #[test]
    fn guesses_are_counted_for_an_ipv4_address_and_an_ipv6_network() {
        let check = |address: &str, expected: &str| {
            assert_eq!(network(address.parse().expect("an address")), expected);
        };
        check("1.2.3.4", "1.2.3.4");
        check("::ffff:1.2.3.4", "1.2.3.4");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64");
        check("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64");
    }
}
