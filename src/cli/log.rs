//! The program's log on standard error: the operator's filter, and a limit for libraries that no filter
//! can raise.

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt, registry};

use super::output::Refused;
use crate::config::{LogFormat, Settings};
use crate::store::DRIVER;
use crate::web::SILENT;

/// Starts logging.
pub(super) fn start(settings: &Settings) -> Result<(), Refused> {
    let filter = EnvFilter::try_new(&settings.log).map_err(|_| {
        Refused::Text(format!(
            "COUNTERSIGN_LOG: '{}' cannot be used. Use error, warn, info or debug.",
            settings.log
        ))
    })?;
    let log = fmt::layer().with_writer(std::io::stderr);
    let shared = registry().with(filter).with(Libraries);
    let begun = match settings.log_format {
        LogFormat::Text => {
            shared.with(log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))).try_init()
        }
        LogFormat::Json => shared.with(log.json().flatten_event(true)).try_init(),
    };
    begun.map_err(|error| Refused::Text(format!("The log cannot be written: {error}.")))
}

/// Limits libraries to `info` and above, and the PostgreSQL driver to `warn`. At `debug`, that driver
/// writes the parameters of statements, such as addresses, digests of sessions and hashes of passwords;
/// HTTP and TLS libraries write headers and bytes. What this program itself logs at `debug` contains
/// none of that. The server itself logs what [`SILENT`] would log, with the address.
struct Libraries;

impl<S: Subscriber> Layer<S> for Libraries {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        if metadata.target().starts_with(SILENT) {
            return false;
        }
        let most = match metadata.target().split("::").next().unwrap_or_default() {
            env!("CARGO_PKG_NAME") => Level::TRACE,
            // The server's own log has what the server notices.
            DRIVER => Level::WARN,
            _ => Level::INFO,
        };
        *metadata.level() <= most
    }
}
