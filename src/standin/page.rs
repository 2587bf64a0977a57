//! The stand-in's own page for the person who runs the demo: what it is, the switches, the people it
//! knows, what it verified last, and what to enter at Countersign.
//! Its script fills it from JSON, so that no content of a token ever becomes markup.

use std::collections::BTreeMap;

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::people::Person;
use super::play::Play;
use super::report::{self, Webhook};
use super::rest::FaultRule;
use super::routes::{SCRIPT, STYLE, own_asset};
use super::{MESSENGER_ID, Shared, TENANT};

/// How many people the page shows.
const SHOWN: usize = 100;
/// The longest list of people that can be added at once, in bytes.
const MOST_BYTES: usize = 16 << 20;

pub(super) fn register(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(page))
        .route("/standin/people.json", web::get().to(people))
        .route("/standin/requests.json", web::get().to(requests))
        .route("/standin/play", web::get().to(play))
        .route("/standin/play", web::put().to(set_play))
        .route("/standin/secret", web::put().to(set_secret))
        .route("/standin/faults", web::put().to(set_faults))
        .route("/standin/merge", web::put().to(merge))
        .route("/standin/webhook", web::put().to(set_webhook))
        .service(
            web::resource("/standin/people")
                .app_data(web::JsonConfig::default().limit(MOST_BYTES))
                .route(web::put().to(set_people)),
        )
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
    // Thousands of lines would help nobody.
    let mut latest: Vec<&Person> = desk.people.all().collect();
    latest.sort_by_key(|person| (std::cmp::Reverse(person.updated_at), person.id));
    latest.truncate(SHOWN);
    HttpResponse::Ok().json(json!({
        "init_script_url": format!("{origin}/deskpro-messenger-init/web.js"),
        "deskpro_url": format!("{origin}/deskpro-messenger/{TENANT}"),
        "messenger_id": MESSENGER_ID,
        "secret": String::from_utf8_lossy(&desk.secret),
        "play": desk.play,
        "people": listed(latest.into_iter()),
        "people_count": desk.people.all().count(),
        "faults": desk.rest.faults.rules(),
        "verifications": verifications,
    }))
}

async fn people(shared: web::Data<Shared>) -> HttpResponse {
    let desk = shared.desk();
    HttpResponse::Ok().json(listed(desk.people.all()))
}

/// How many requests the REST API had, by method and status: `PUT 204`.
async fn requests(shared: web::Data<Shared>) -> HttpResponse {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for asked in shared.desk().rest.asked() {
        *counts.entry(format!("{} {}", asked.method, asked.status)).or_default() += 1;
    }
    HttpResponse::Ok().json(counts)
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

/// What goes wrong in the REST API from now on.
async fn set_faults(rules: web::Json<Vec<FaultRule>>, shared: web::Data<Shared>) -> HttpResponse {
    shared.desk().rest.faults.set(rules.into_inner());
    HttpResponse::NoContent().finish()
}

/// People as support would add them, or in place of those with the same number.
async fn set_people(people: web::Json<Vec<Person>>, shared: web::Data<Shared>) -> HttpResponse {
    let now = shared.now();
    let mut desk = shared.desk();
    for person in people.into_inner() {
        desk.people.seed(person, now);
    }
    HttpResponse::NoContent().finish()
}

/// Two people who are one.
#[derive(Deserialize)]
struct Merge {
    loser: u64,
    winner: u64,
}

async fn merge(merge: web::Json<Merge>, shared: web::Data<Shared>) -> HttpResponse {
    shared.desk().people.merge(merge.loser, merge.winner);
    HttpResponse::NoContent().finish()
}

/// Where CRM Sync reports to: null for nowhere.
async fn set_webhook(webhook: web::Json<Option<Webhook>>, shared: web::Data<Shared>) -> HttpResponse {
    shared.desk().people.reports = webhook.into_inner().map(report::start);
    HttpResponse::NoContent().finish()
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
fn listed<'a>(people: impl Iterator<Item = &'a Person>) -> Vec<Value> {
    people
        .map(|person| {
            let mut entry = json!(person);
            entry["display_name"] = person.display_name().into();
            entry
        })
        .collect()
}
