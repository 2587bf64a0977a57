//! The stand-in's own page for the person who runs the demo: what it is, the switches, the people it
//! knows, what it verified last, and what to enter at Countersign.
//! Its script fills it from JSON, so that no content of a token ever becomes markup.

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::desk::Desk;
use super::play::Play;
use super::routes::{SCRIPT, STYLE, own_asset};
use super::{MESSENGER_ID, Shared, TENANT};

pub(super) fn register(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(page))
        .route("/standin/people.json", web::get().to(people))
        .route("/standin/play", web::get().to(play))
        .route("/standin/play", web::put().to(set_play))
        .route("/standin/secret", web::put().to(set_secret))
        .route("/standin/state.json", web::get().to(state));
    for (path, kind, body) in [
        ("/standin/page.js", SCRIPT, include_str!("../../static/standin/page.js")),
        ("/standin/page.css", STYLE, include_str!("../../static/standin/page.css")),
    ] {
        config.route(path, web::get().to(async move || own_asset(kind, body)));
    }
}

async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .insert_header((
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ))
        .body(include_str!("../../static/standin/page.html"))
}

/// Everything the page shows, in one answer, so that its parts agree.
async fn state(shared: web::Data<Shared>) -> HttpResponse {
    let origin = &shared.origin;
    let desk = shared.desk();
    let verifications: Vec<_> = desk.verifications().collect();
    HttpResponse::Ok().json(json!({
        "init_script_url": format!("{origin}/deskpro-messenger-init/web.js"),
        "deskpro_url": format!("{origin}/deskpro-messenger/{TENANT}"),
        "messenger_id": MESSENGER_ID,
        "secret": String::from_utf8_lossy(&desk.secret),
        "play": desk.play,
        "people": listed(&desk),
        "verifications": verifications,
    }))
}

async fn people(shared: web::Data<Shared>) -> HttpResponse {
    let desk = shared.desk();
    HttpResponse::Ok().json(listed(&desk))
}

async fn play(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(&shared.desk().play)
}

/// `PUT` with a JSON body: a page of another origin would need permission first (CORS), and never gets it.
async fn set_play(play: web::Json<Play>, shared: web::Data<Shared>) -> HttpResponse {
    let mut desk = shared.desk();
    desk.play = play.into_inner();
    HttpResponse::Ok().json(&desk.play)
}

/// Another shared secret.
#[derive(Deserialize)]
struct NewSecret {
    secret: String,
}

async fn set_secret(new: web::Json<NewSecret>, shared: web::Data<Shared>) -> HttpResponse {
    if new.secret.len() < 32 {
        return HttpResponse::BadRequest()
            .json(json!({ "error": "A secret must have at least 32 characters." }));
    }
    shared.desk().secret = new.into_inner().secret.into_bytes();
    HttpResponse::NoContent().finish()
}

/// People with their display names, which are computed and not stored.
fn listed(desk: &Desk) -> Vec<Value> {
    desk.people
        .all()
        .map(|person| {
            let mut entry = json!(person);
            entry["display_name"] = person.display_name().into();
            entry
        })
        .collect()
}
