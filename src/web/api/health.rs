//! Probes: whether the server runs, and whether it is ready for requests.

use actix_web::HttpResponse;

use crate::web::http::client::Client;
use crate::web::http::error::Failure;
use crate::web::http::run::Asker as _;

/// `GET /healthz`: the process responds.
pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// `GET /readyz`: the database can be written, messengers can be read, and their keys can be used. The
/// response only says yes or no, because anyone may ask; the log says why.
pub async fn ready(client: Client) -> Result<HttpResponse, Failure> {
    if client.run(|app, _| Ok::<_, Failure>(app.is_ready())).await? {
        Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"))
    } else {
        Err(Failure::Unavailable(2))
    }
}
