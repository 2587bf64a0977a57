//! Probes: alive, and ready for work.

use actix_web::{HttpResponse, web};

use crate::app::App;
use crate::web::http::blocking::blocking;
use crate::web::http::error::Failure;

/// `GET /healthz`: the process answers.
pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// `GET /readyz`: the database can be written, messengers can be read, and their keys can be used. Says
/// no more than yes or no, because strangers may ask; the log says why.
pub async fn ready(app: web::Data<App>) -> Result<HttpResponse, Failure> {
    let app = app.get_ref().clone();
    let ready = blocking(move || Ok::<_, Failure>(app.is_ready())).await?;
    if ready {
        Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"))
    } else {
        Err(Failure::Unavailable(2))
    }
}
