//! TLS to PostgreSQL: how it is set up, and which URLs do not require it.

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Error;

/// The host of a URL that is reached over a network without requiring TLS, if there is one. Without
/// `sslmode=require`, the connection continues in clear text if the server, or an attacker on the
/// network, says that there is no TLS.
pub(super) fn host_without_tls(url: &str) -> Option<String> {
    let config: Config = url.parse().ok()?;
    if config.get_ssl_mode() == SslMode::Require {
        return None;
    }
    let named = config.get_hosts().iter().enumerate().find_map(|(index, host)| {
        let Host::Tcp(name) = host else { return None };
        let address = config.get_hostaddrs().get(index).copied().or_else(|| name.parse().ok());
        let is_here = address.map_or(name.eq_ignore_ascii_case("localhost"), |it| it.is_loopback());
        (!is_here).then(|| name.clone())
    });
    let by_address = || config.get_hostaddrs().iter().find(|it| !it.is_loopback()).map(ToString::to_string);
    named.or_else(|| if config.get_hosts().is_empty() { by_address() } else { None })
}

/// Creates the connections: with the machine's certificates, and with a check of the server's name.
pub(super) fn connector() -> Result<MakeRustlsConnect, Error> {
    use rustls_platform_verifier::BuilderVerifierExt;
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| Error::Failed(error.into()))?
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
