//! `countersign serve`

use super::output::Refused;
use crate::app::App;
use crate::web::Server;

pub(super) fn run(app: App) -> Result<(), Refused> {
    app.ensure_messengers()?;
    app.warn_at_start();
    let settings = app.settings().clone();
    let server = Server::start(app, true).map_err(|error| {
        let (place, variable) = match settings.metrics_listen {
            Some(metrics) => (
                format!("{} or {metrics}", settings.listen),
                "COUNTERSIGN_LISTEN or COUNTERSIGN_METRICS_LISTEN",
            ),
            None => (settings.listen.to_string(), "COUNTERSIGN_LISTEN"),
        };
        Refused::Text(format!(
            "The server cannot listen on {place}: {error}. Set {variable} to a free address and port."
        ))
    })?;
    let address = server.address;
    match &settings.public_url {
        Some(url) => {
            tracing::info!("listening on {address}; public address: {}{}", url.origin.as_str(), url.path);
        }
        None => {
            tracing::info!(
                "listening on http://{address}; set COUNTERSIGN_PUBLIC_URL before other people use it"
            );
        }
    }
    server.wait().map_err(|error| Refused::Text(format!("The server stopped: {error}.")))
}
