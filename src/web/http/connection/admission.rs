//! How many connections may be open at once: in total, and per client. A connection that is not admitted
//! gets a short response and costs nothing more.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use parking_lot::Mutex;

use crate::app::clock::Stopwatch;
use crate::core::network;

/// The maximum number of connections per client: an IPv4 address, or an IPv6 network of 64 bits. A browser
/// opens six.
const PER_CLIENT: usize = 256;
/// Descriptors that are reserved for the database, logs and files.
const KEPT_BACK: u64 = 128;
/// The maximum number of connections in total if descriptors are no limit.
const MOST: u64 = 25_000;
/// Refusals are logged together, at this interval.
const LOG_EVERY: Duration = Duration::from_mins(1);

/// Raises the process's limit of open files to the maximum that the system allows, and returns how many
/// connections fit into it.
pub fn raise_descriptors() -> usize {
    let limit = rlimit::increase_nofile_limit(rlimit::INFINITY).unwrap_or_else(|error| {
        tracing::warn!(%error, "the limit of open files cannot be raised");
        1024
    });
    // A low limit is shared fairly.
    let most = limit.saturating_sub(KEPT_BACK).max(limit / 2).min(MOST);
    usize::try_from(most).unwrap_or(usize::MAX)
}

/// The connections of one server.
pub struct Admission {
    most: usize,
    trusted: Vec<IpNet>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_client: HashMap<String, usize>,
    refused: u64,
    logged_at: Option<Stopwatch>,
}

/// An open connection; its place becomes free when this is dropped.
pub struct Permit {
    admission: Arc<Admission>,
    /// `None` if clients are not counted.
    client: Option<String>,
}

impl Admission {
    /// Admits up to `most` connections. `trusted` proxies bring many clients each.
    pub fn new(most: usize, trusted: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self { most, trusted, open: Mutex::default() })
    }

    /// Admits a connection, if there is room.
    pub fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Permit> {
        let peer = peer.to_canonical();
        // A proxy in the own network is seldom listed if its headers do not have to be trusted.
        let is_counted = !network::is_near(peer) && !self.trusted.iter().any(|known| known.contains(&peer));
        let client = is_counted.then(|| network::network(peer));
        let mut open = self.open.lock();
        let by_client = client.as_ref().and_then(|client| open.by_client.get(client)).copied().unwrap_or(0);
        let is_full = open.all >= self.most;
        if is_full || by_client >= PER_CLIENT {
            open.refuse(peer, is_full);
            return None;
        }
        open.all += 1;
        if let Some(client) = &client {
            *open.by_client.entry(client.clone()).or_default() += 1;
        }
        Some(Permit { admission: self.clone(), client })
    }
}

impl Open {
    fn refuse(&mut self, peer: IpAddr, by_all: bool) {
        self.refused += 1;
        if self.logged_at.as_ref().is_some_and(|logged_at| logged_at.elapsed() < LOG_EVERY) {
            return;
        }
        let why = if by_all { "too many connections in total" } else { "too many connections of one client" };
        tracing::warn!(address = %peer, refused = self.refused, open = self.all, "{why}: refused");
        (self.refused, self.logged_at) = (0, Some(Stopwatch::start()));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.admission.open.lock();
        open.all -= 1;
        if let Some(client) = &self.client
            && let Some(many) = open.by_client.get_mut(client)
        {
            *many -= 1;
            if *many == 0 {
                open.by_client.remove(client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_client_takes_only_its_share() {
        let admission = Admission::new(10_000, vec!["203.0.113.7/32".parse().expect("a network")]);
        let fill =
            |peer: &str| -> Vec<Permit> { (0..1000).map_while(|_| admission.admit(address(peer))).collect() };
        let first = fill("198.51.100.1");
        assert_eq!(first.len(), PER_CLIENT);
        assert_eq!(fill("::ffff:198.51.100.1").len(), 0, "the same client in another notation");
        assert_eq!(fill("198.51.100.2").len(), PER_CLIENT);
        let six = fill("2001:db8::1");
        assert_eq!(six.len(), PER_CLIENT);
        assert_eq!(fill("2001:db8::ffff:2").len(), 0, "the same network");
        for many in ["127.0.0.1", "10.1.2.3", "fd00::1", "203.0.113.7"] {
            assert_eq!(fill(many).len(), 1000, "{many}");
        }
        drop(first);
        assert_eq!(fill("198.51.100.1").len(), PER_CLIENT, "closed connections free their places");
        drop(six);
        assert!(admission.open.lock().by_client.is_empty(), "no client that left is remembered");
    }

    #[test]
    fn all_together_stay_below_the_limit_of_descriptors() {
        let admission = Admission::new(3, Vec::new());
        let inside: Vec<Permit> = (0..3).filter_map(|_| admission.admit(address("127.0.0.1"))).collect();
        assert_eq!(inside.len(), 3);
        assert!(admission.admit(address("127.0.0.1")).is_none());
        drop(inside);
        assert!(admission.admit(address("127.0.0.1")).is_some());
    }
}
