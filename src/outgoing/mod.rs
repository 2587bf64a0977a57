//! Requests to other servers: over which TLS, how long they may take, and that they reach no private network unless an admin
//! allows it. Nothing follows a redirect: it could lead anywhere.

pub mod webhook;

use std::io::ErrorKind;
use std::time::Duration;

use ureq::Agent;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::core::network;

/// The time for a connection, TLS included.
pub const CONNECT: Duration = Duration::from_secs(5);
/// Why an address is not asked.
pub const PRIVATE: &str = "its address is private or on this machine; `--private` allows that";

/// Sends requests that take at most `total`. `is_private`: also to addresses of this machine and of private networks.
pub fn agent(is_private: bool, total: Duration) -> Agent {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(std::sync::Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        // A secret goes to no other host.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_connect(Some(CONNECT))
        .timeout_resolve(Some(CONNECT))
        .timeout_global(Some(total))
        .user_agent(concat!("Countersign/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls)
        .build();
    let resolver = PublicOnly { inner: DefaultResolver::default(), is_private };
    Agent::with_parts(config, DefaultConnector::default(), resolver)
}

/// Looks names up, and leaves out addresses of this machine and of private networks unless they are allowed. It runs for
/// each connection, so that a name cannot change its meaning after a check.
#[derive(Debug)]
struct PublicOnly {
    inner: DefaultResolver,
    is_private: bool,
}

impl Resolver for PublicOnly {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout).map_err(|error| match error {
            // A name that nobody knows comes as an error of input and output.
            ureq::Error::Io(_) => ureq::Error::HostNotFound,
            error => error,
        })?;
        if self.is_private {
            return Ok(found);
        }
        let mut public = self.empty();
        for address in found.iter().filter(|address| network::is_public(address.ip())) {
            public.push(*address);
        }
        if public.is_empty() {
            return Err(ureq::Error::Io(std::io::Error::new(ErrorKind::PermissionDenied, PRIVATE)));
        }
        Ok(public)
    }
}
