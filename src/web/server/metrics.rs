//! `GET /metrics` on a listener of its own, for monitoring: it is not reachable where people sign in.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App as ActixApp, HttpResponse, HttpServer, web};

use crate::app::App;
use crate::web::http::run::Asker as _;

/// The text format of Prometheus.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves metrics until it is stopped.
pub fn serve(app: App, listener: TcpListener) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        ActixApp::new().app_data(web::Data::new(app.clone())).route("/metrics", web::get().to(show))
    });
    Ok(server
        .workers(1)
        .max_connections(100)
        .client_request_timeout(Duration::from_secs(5))
        .shutdown_timeout(1)
        .disable_signals()
        .listen(listener)?
        .run())
}

async fn show(app: web::Data<App>) -> HttpResponse {
    match app.run(|app, _| app.metrics()).await {
        Ok(text) => HttpResponse::Ok().content_type(FORMAT).body(text),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "metrics could not be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}
