//! The only list of routes. It registers them, the guard reads from it who may use a route, and the
//! permissions test checks every entry.

use actix_web::http::Method;
use actix_web::{Route, middleware, web};

use super::admin;
use super::api::{self, health, token};
use super::http::access::{Access, Accesses};
use super::http::error::Failure;
use super::http::{assets, cors, public, session};
use super::pages::{account, docs, documents, handover, help, home, login};
use crate::app::App;
use crate::app::sessions::Use;

/// One route.
pub struct Entry {
    /// The method; GET also serves HEAD.
    pub method: Method,
    /// The path under the public URL's path, as actix writes patterns.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    handler: fn() -> Route,
}

const fn entry(method: Method, path: &'static str, access: Access, handler: fn() -> Route) -> Entry {
    Entry { method, path, access, handler }
}

/// Every route. The router tries them in this order, so those that are requested most come first.
pub const ROUTES: &[Entry] = &[
    entry(Method::GET, "/api/v1/token", Access::Token, || web::to(token::show)),
    entry(Method::OPTIONS, "/api/v1/token", Access::Token, || web::to(cors::preflight)),
    entry(Method::GET, "/api/v1/messenger", Access::Anyone, || web::to(token::messenger)),
    entry(Method::OPTIONS, "/api/v1/messenger", Access::Anyone, || web::to(cors::preflight_of_anyone)),
    entry(Method::GET, "/", Access::Page, || web::to(home::show)),
    entry(Method::GET, "/login", Access::Page, || web::to(login::show)),
    entry(Method::POST, "/login", Access::Page, || web::to(login::sign_in)),
    entry(Method::POST, "/logout", Access::Page, || web::to(login::sign_out)),
    entry(Method::GET, "/account", Access::Page, || web::to(account::show)),
    entry(Method::POST, "/account", Access::Page, || web::to(account::change)),
    entry(Method::GET, "/handover", Access::Page, || web::to(handover::show)),
    entry(Method::POST, "/handover", Access::Page, || web::to(handover::begin)),
    entry(Method::GET, "/admin", Access::Admin, || web::to(admin::show)),
    entry(Method::GET, "/admin/mapping", Access::Admin, || web::to(admin::mapping::show)),
    entry(Method::POST, "/admin/mapping", Access::Admin, || web::to(admin::mapping::change)),
    entry(Method::GET, "/admin/mapping/file", Access::Admin, || web::to(admin::mapping::file)),
    entry(Method::GET, "/admin/mapping/conflicts", Access::Admin, || web::to(admin::identity::show)),
    entry(Method::POST, "/admin/mapping/conflicts", Access::Admin, || web::to(admin::identity::look)),
    entry(Method::GET, "/admin/mapping/names", Access::Admin, || web::to(admin::names::show)),
    entry(Method::POST, "/admin/mapping/names", Access::Admin, || web::to(admin::names::change)),
    entry(Method::GET, "/admin/mapping/rules/{rule}", Access::Admin, || web::to(admin::rule::show)),
    entry(Method::POST, "/admin/mapping/rules/{rule}", Access::Admin, || web::to(admin::rule::change)),
    entry(Method::POST, "/admin/mapping/preview", Access::Admin, || web::to(admin::preview::show)),
    entry(Method::GET, "/admin/mapping/coverage", Access::Admin, || web::to(admin::coverage::show)),
    entry(Method::POST, "/admin/mapping/coverage", Access::Admin, || web::to(admin::coverage::begin)),
    entry(Method::GET, "/admin/mapping/expected", Access::Admin, || web::to(admin::expected::list)),
    entry(Method::POST, "/admin/mapping/expected", Access::Admin, || web::to(admin::expected::import)),
    entry(Method::GET, "/admin/mapping/expected/file", Access::Confirmed, || web::to(admin::expected::file)),
    entry(Method::GET, "/admin/mapping/expected/user", Access::Admin, || web::to(admin::expected::show)),
    entry(Method::POST, "/admin/mapping/expected/user", Access::Admin, || web::to(admin::expected::change)),
    entry(Method::GET, "/admin/mapping/publish", Access::Admin, || web::to(admin::publish::show)),
    entry(Method::POST, "/admin/mapping/publish", Access::Admin, || web::to(admin::publish::publish)),
    entry(Method::GET, "/admin/mapping/versions", Access::Admin, || web::to(admin::versions::list)),
    entry(Method::GET, "/admin/mapping/versions/{version}", Access::Admin, || web::to(admin::versions::show)),
    entry(Method::POST, "/admin/mapping/versions/{version}", Access::Admin, || {
        web::to(admin::versions::restore)
    }),
    entry(Method::GET, "/admin/mapping/versions/{version}/file", Access::Admin, || {
        web::to(admin::versions::file)
    }),
    entry(Method::GET, "/admin/messengers", Access::Admin, || web::to(admin::messengers::list)),
    entry(Method::POST, "/admin/messengers", Access::Confirmed, || web::to(admin::messengers::add)),
    entry(Method::GET, "/admin/messengers/{id}", Access::Admin, || web::to(admin::messengers::show)),
    entry(Method::POST, "/admin/messengers/{id}", Access::Confirmed, || web::to(admin::messengers::change)),
    entry(Method::GET, "/admin/messengers/{id}/keys", Access::Confirmed, || web::to(admin::keys::show)),
    entry(Method::POST, "/admin/messengers/{id}/keys", Access::Confirmed, || web::to(admin::keys::change)),
    entry(Method::GET, "/admin/sync", Access::Admin, || web::to(admin::desks::list)),
    entry(Method::POST, "/admin/sync", Access::Confirmed, || web::to(admin::desks::connect)),
    entry(Method::GET, "/admin/sync/{desk}", Access::Admin, || web::to(admin::sync::show)),
    entry(Method::POST, "/admin/sync/{desk}", Access::Admin, || web::to(admin::sync::act)),
    entry(Method::GET, "/admin/sync/{desk}/people", Access::Admin, || web::to(admin::sync::people)),
    entry(Method::GET, "/admin/sync/{desk}/dry-run", Access::Admin, || web::to(admin::sync::dry_run)),
    entry(Method::GET, "/admin/sync/{desk}/settings", Access::Confirmed, || web::to(admin::desks::settings)),
    entry(Method::POST, "/admin/sync/{desk}/settings", Access::Confirmed, || web::to(admin::desks::change)),
    entry(Method::GET, "/admin/integrate", Access::Admin, || web::to(admin::integrate::show)),
    entry(Method::GET, "/admin/integrate/{recipe}", Access::Admin, || web::to(admin::integrate::download)),
    entry(Method::GET, "/admin/api-keys", Access::Confirmed, || web::to(admin::api_keys::list)),
    entry(Method::POST, "/admin/api-keys", Access::Confirmed, || web::to(admin::api_keys::change)),
    entry(Method::GET, "/admin/audit", Access::Admin, || web::to(admin::audit::show)),
    entry(Method::GET, "/admin/audit/file", Access::Confirmed, || web::to(admin::audit::file)),
    entry(Method::GET, "/admin/confirm", Access::Admin, || web::to(admin::confirm::show)),
    entry(Method::POST, "/admin/confirm", Access::Admin, || web::to(admin::confirm::confirm)),
    entry(Method::POST, "/api/v1/session", Access::Token, || web::to(api::session::begin)),
    entry(Method::DELETE, "/api/v1/session", Access::Token, || web::to(api::session::end)),
    entry(Method::OPTIONS, "/api/v1/session", Access::Token, || web::to(cors::preflight)),
    entry(Method::PUT, "/api/v1/users/{external_id}", Access::Site, || web::to(api::users::put)),
    entry(Method::DELETE, "/api/v1/users/{external_id}", Access::Site, || web::to(api::users::gone)),
    entry(Method::POST, "/api/v1/mint", Access::Site, || web::to(api::mint::mint)),
    entry(Method::POST, "/api/v1/handovers", Access::Site, || web::to(api::handovers::make)),
    entry(Method::POST, "/api/v1/connections", Access::Token, || web::to(api::connections::connect)),
    entry(Method::POST, "/api/v1/deskpro/{desk}/people", Access::Deskpro, || web::to(api::deskpro::person)),
    entry(Method::PUT, "/api/v1/deskpro/{desk}/people", Access::Deskpro, || web::to(api::deskpro::person)),
    entry(Method::POST, "/api/v1/devices", Access::Token, || web::to(api::devices::begin)),
    entry(Method::GET, "/api/v1/devices", Access::Token, || web::to(api::devices::list)),
    entry(Method::DELETE, "/api/v1/devices/current", Access::Token, || web::to(api::devices::end_current)),
    entry(Method::DELETE, "/api/v1/devices/{id}", Access::Token, || web::to(api::devices::end)),
    entry(Method::GET, "/api/v1/admin/mapping", Access::AdminApi, || web::to(api::admin::mapping::show)),
    entry(Method::POST, "/api/v1/admin/mapping", Access::AdminApi, || web::to(api::admin::mapping::publish)),
    entry(Method::POST, "/api/v1/admin/mapping/check", Access::AdminApi, || {
        web::to(api::admin::mapping::check)
    }),
    entry(Method::POST, "/api/v1/admin/mapping/preview", Access::AdminApi, || {
        web::to(api::admin::mapping::preview)
    }),
    entry(Method::GET, "/api/v1/admin/mapping/versions", Access::AdminApi, || {
        web::to(api::admin::mapping::versions)
    }),
    entry(Method::GET, "/api/v1/admin/mapping/versions/{version}", Access::AdminApi, || {
        web::to(api::admin::mapping::version)
    }),
    entry(Method::POST, "/api/v1/admin/mapping/versions/{version}/restore", Access::AdminApi, || {
        web::to(api::admin::mapping::restore)
    }),
    entry(Method::GET, "/api/v1/admin/mapping/draft", Access::AdminApi, || web::to(api::admin::draft::show)),
    entry(Method::PUT, "/api/v1/admin/mapping/draft", Access::AdminApi, || web::to(api::admin::draft::put)),
    entry(Method::DELETE, "/api/v1/admin/mapping/draft", Access::AdminApi, || {
        web::to(api::admin::draft::discard)
    }),
    entry(Method::POST, "/api/v1/admin/mapping/draft/publish", Access::AdminApi, || {
        web::to(api::admin::draft::publish)
    }),
    entry(Method::POST, "/api/v1/admin/mapping/draft/rebase", Access::AdminApi, || {
        web::to(api::admin::draft::rebase)
    }),
    entry(Method::GET, "/api/v1/admin/mapping/draft/comparison", Access::AdminApi, || {
        web::to(api::admin::draft::comparison)
    }),
    entry(Method::POST, "/api/v1/admin/mapping/draft/comparison", Access::AdminApi, || {
        web::to(api::admin::draft::compare)
    }),
    entry(Method::DELETE, "/api/v1/admin/mapping/draft/comparison", Access::AdminApi, || {
        web::to(api::admin::draft::cancel)
    }),
    entry(Method::GET, "/api/v1/admin/mapping/expected", Access::ConfirmedApi, || {
        web::to(api::admin::expected::list)
    }),
    entry(Method::PUT, "/api/v1/admin/mapping/expected/{login}", Access::AdminApi, || {
        web::to(api::admin::expected::put)
    }),
    entry(Method::DELETE, "/api/v1/admin/mapping/expected/{login}", Access::AdminApi, || {
        web::to(api::admin::expected::remove)
    }),
    entry(Method::GET, "/api/v1/admin/sync", Access::AdminApi, || web::to(api::admin::sync::list)),
    entry(Method::POST, "/api/v1/admin/sync/{desk}", Access::AdminApi, || web::to(api::admin::sync::act)),
    entry(Method::GET, "/api/v1/admin/sync/{desk}/people", Access::ConfirmedApi, || {
        web::to(api::admin::sync::people)
    }),
    entry(Method::GET, "/api/v1/admin/audit", Access::ConfirmedApi, || web::to(api::admin::audit::show)),
    entry(Method::GET, "/api/openapi.json", Access::Anyone, || web::to(docs::description)),
    entry(Method::GET, "/api/docs", Access::Page, || web::to(docs::show)),
    entry(Method::GET, "/help", Access::Page, || web::to(documents::list)),
    entry(Method::GET, "/help/errors", Access::Page, || web::to(help::list)),
    entry(Method::GET, "/help/errors/{code}", Access::Page, || web::to(help::show)),
    entry(Method::GET, "/help/{document}", Access::Page, || web::to(documents::show)),
    entry(Method::GET, "/healthz", Access::Anyone, || web::to(health::alive)),
    entry(Method::GET, "/readyz", Access::Anyone, || web::to(health::ready)),
    entry(Method::GET, "/embed.js", Access::Anyone, || web::to(assets::embed)),
    entry(Method::GET, "/embed.d.ts", Access::Anyone, || web::to(assets::embed_types)),
    entry(Method::GET, "/assets/{version}/{file:.*}", Access::Anyone, || web::to(assets::show)),
];

/// The methods of a path, as `Allow` lists them.
pub fn allowed(path: &str) -> Vec<Method> {
    let mut methods: Vec<Method> =
        ROUTES.iter().filter(|entry| entry.path == path).map(|entry| entry.method.clone()).collect();
    if methods.contains(&Method::GET) {
        methods.push(Method::HEAD);
    }
    methods
}

/// Registers every route with actix, under the path of the public URL.
pub(super) fn register(services: &mut web::ServiceConfig, app: &App) {
    let prefix = public::prefix(app).to_owned();
    let mut paths: Vec<&str> = ROUTES.iter().map(|entry| entry.path).collect();
    paths.dedup();
    for path in paths {
        // Probes ask the server itself, whatever path people see.
        let mut places = vec![format!("{prefix}{path}")];
        if let Some(rest) = path.strip_prefix("/admin/mapping") {
            // The same for every other messenger.
            places.push(format!("{prefix}{}/mapping{rest}", admin::OF_MESSENGER));
        }
        if !prefix.is_empty() {
            match path {
                "/healthz" | "/readyz" => places.push(path.to_owned()),
                // The address as people know it, without a slash at its end.
                "/" => places.push(prefix.clone()),
                _ => {}
            }
        }
        for place in places {
            let entries = || ROUTES.iter().filter(|entry| entry.path == path);
            let accesses = entries().map(|entry| (entry.method.clone(), entry.access)).collect();
            let mut resource = web::resource(place).app_data(Accesses(accesses));
            for entry in entries() {
                resource = resource.route((entry.handler)().method(entry.method.clone()));
                if entry.method == Method::GET {
                    resource = resource.route((entry.handler)().method(Method::HEAD));
                }
            }
            let resource = resource.default_service(web::to(move || async move {
                Err::<&str, _>(Failure::Method(allowed(path)))
            }));
            let access = entries().map(|entry| entry.access).next().unwrap_or(Access::Anyone);
            match access {
                Access::Page => {
                    services.service(resource.wrap(session::middleware(app, Use::Website)));
                }
                Access::Admin | Access::Confirmed => {
                    let forms = web::FormConfig::default().limit(admin::LONGEST_FORM);
                    let guarded = resource.app_data(forms).wrap(middleware::from_fn(admin::guard));
                    services.service(guarded.wrap(session::middleware(app, Use::Console)));
                }
                Access::Anyone if path.starts_with("/assets/") || path.starts_with("/embed") => {
                    // Only files: the length of a compressed page would reveal its secrets (BREACH).
                    services.service(resource.wrap(middleware::Compress::default()));
                }
                Access::AdminApi | Access::ConfirmedApi | Access::Site | Access::Deskpro => {
                    let bodies = web::PayloadConfig::new(api::longest(access));
                    services.service(resource.app_data(bodies));
                }
                Access::Anyone | Access::Token => {
                    services.service(resource);
                }
            }
        }
    }
}
