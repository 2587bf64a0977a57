//! `/admin/integrate`: how the messenger gets into pages and apps, filled with this site's real values.
//! The recipes are files in `recipes/`, each also to download as it stands on the page.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use rust_embed::RustEmbed;
use serde::Deserialize;

use super::{Admin, encoded, file};
use crate::app::App;
use crate::app::messengers::DEFAULT;
use crate::core::messenger::Messenger;
use crate::core::secret::KeyState;
use crate::web::client::{Client, render};
use crate::web::error::Failure;
use crate::web::hop;
use crate::web::page::Page;
use crate::web::public;

#[derive(RustEmbed)]
#[folder = "recipes/"]
struct Files;

/// A recipe as the page tells it.
struct Recipe {
    /// The file in `recipes/`.
    name: &'static str,
    /// What it is called when it is downloaded.
    saved_as: &'static str,
    title: &'static str,
    lead: &'static str,
    /// Whether the project's own tests build or run it.
    is_tried: bool,
}

const fn recipe(
    name: &'static str,
    saved_as: &'static str,
    title: &'static str,
    lead: &'static str,
    is_tried: bool,
) -> Recipe {
    Recipe { name, saved_as, title, lead, is_tried }
}

/// A heading, what stands below it, and a page of the console that its recipes need, if any, with words for it.
type Heading = (&'static str, &'static str, Option<(&'static str, &'static str)>);

/// Recipes under their headings.
const GROUPS: &[(Heading, &[Recipe])] = &[
    (
        (
            "Your users sign in here",
            "For pages on the same site as Countersign: a subdomain, or a path of yours.",
            None,
        ),
        &[
            recipe(
                "page.html",
                "snippet.html",
                "Any page",
                "One line. The page's origin must be among the messenger's allowed origins.",
                true,
            ),
            recipe(
                "nginx.conf",
                "countersign.conf",
                "A path of your website (nginx)",
                "Where a subdomain is not possible.",
                true,
            ),
        ],
    ),
    (
        (
            "Your website has its own login",
            "One route on your server with an API key, one line in your pages. No second login for anybody.",
            Some(("/admin/api-keys", "Make an API key")),
        ),
        &[
            recipe("express.js", "countersign.cjs", "Express", "", true),
            recipe("django.py", "countersign.py", "Django", "", true),
            recipe("rails.rb", "chat_tokens_controller.rb", "Rails", "", false),
            recipe("laravel.php", "countersign.php", "Laravel", "", true),
            recipe(
                "next.ts",
                "route.ts",
                "Next with Auth0",
                "A route handler; with another sign-in than Auth0's it needs two other lines.",
                true,
            ),
            recipe("wordpress.php", "countersign.php", "WordPress", "A plugin in one file.", true),
            recipe(
                "handover.js",
                "handover.cjs",
                "Express, by a code",
                "Instead of a route of your own, where Countersign's own pages are to know the user, too.",
                true,
            ),
        ],
    ),
    (
        ("Single-page applications", "With either way of signing in.", None),
        &[
            recipe("react.tsx", "Countersign.tsx", "React and Next", "", true),
            recipe("vue.vue", "Countersign.vue", "Vue", "", true),
        ],
    ),
    (
        (
            "Native apps",
            "Your own backend mints the token. Without a backend, a device signs in here once. Before every chat the app fetches a token.",
            None,
        ),
        &[
            recipe("ios.swift", "Countersign.swift", "iOS", "", false),
            recipe("android.kt", "Countersign.kt", "Android", "", true),
        ],
    ),
    (
        (
            "What your pages must allow",
            "Only if they have a Content-Security-Policy: add this to what is there.",
            None,
        ),
        &[recipe("policy.txt", "policy.txt", "Content-Security-Policy", "", true)],
    ),
];

#[derive(Template)]
#[template(path = "admin/integrate.html")]
struct IntegratePage {
    page: Page,
    id: String,
    messengers: Vec<String>,
    /// What is still missing before a recipe works.
    missing: Vec<(&'static str, String)>,
    groups: Vec<Group>,
}

struct Group {
    title: &'static str,
    lead: &'static str,
    needs: Option<(String, &'static str)>,
    recipes: Vec<Filled>,
}

struct Filled {
    recipe: &'static Recipe,
    text: String,
    link: String,
}

/// Which messenger.
#[derive(Deserialize)]
pub struct Query {
    messenger: Option<String>,
}

/// `GET /admin/integrate`
pub async fn show(
    app: web::Data<App>,
    client: Client,
    admin: Admin,
    query: web::Query<Query>,
) -> Result<HttpResponse, Failure> {
    let id = query.into_inner().messenger.unwrap_or_else(|| DEFAULT.to_owned());
    let messenger = app.messenger(&id)?;
    let page = admin.page(&app);
    let link = |recipe: &Recipe| {
        page.url(&format!("/admin/integrate/{}?messenger={}", recipe.name, encoded(&messenger.id)))
    };
    let groups = GROUPS
        .iter()
        .map(|((title, lead, needs), recipes)| Group {
            title,
            lead,
            needs: needs.map(|(path, words)| (page.url(path), words)),
            recipes: recipes
                .iter()
                .map(|recipe| Filled {
                    recipe,
                    text: filled(recipe.name, &app, &client, &messenger),
                    link: link(recipe),
                })
                .collect(),
        })
        .collect();
    let (state, asked) = (app.get_ref().clone(), id.clone());
    let keys = hop(move || state.signing_keys(&asked)).await?;
    let mut missing = Vec::new();
    if !keys.iter().any(|key| key.state == KeyState::Active) {
        let keys = page.url(&format!("/admin/messengers/{id}/keys"));
        missing.push(("There is no signing key, so nobody gets a token.", keys));
    }
    let settings = page.url(&format!("/admin/messengers/{id}"));
    if messenger.deployment.is_none() {
        missing.push(("Deskpro's three values are not set.", settings.clone()));
    }
    if messenger.allowed_origins.is_empty() {
        missing.push((
            "No origin is allowed yet: pages whose users sign in here cannot fetch a token.",
            settings,
        ));
    }
    let messengers = app.messengers().iter().map(|messenger| messenger.id.clone()).collect();
    Ok(render(StatusCode::OK, &IntegratePage { page, id, messengers, missing, groups }))
}

/// `GET /admin/integrate/{recipe}`: one of them as a file.
pub async fn download(
    app: web::Data<App>,
    client: Client,
    _: Admin,
    name: web::Path<String>,
    query: web::Query<Query>,
) -> Result<HttpResponse, Failure> {
    let messenger = app.messenger(query.messenger.as_deref().unwrap_or(DEFAULT))?;
    let known = GROUPS.iter().flat_map(|(_, recipes)| *recipes).find(|recipe| recipe.name == *name);
    let recipe = known.ok_or(Failure::NotFound)?;
    let text = filled(recipe.name, &app, &client, &messenger);
    Ok(file(recipe.saved_as, "text/plain; charset=utf-8", text))
}

/// Where a program on this machine reaches what listens on an address.
fn reached(listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        ip if !ip.is_unspecified() => listen,
        IpAddr::V4(_) => (Ipv4Addr::LOCALHOST, listen.port()).into(),
        IpAddr::V6(_) => (Ipv6Addr::LOCALHOST, listen.port()).into(),
    }
}

/// A recipe with this site's values in it.
fn filled(name: &str, app: &App, client: &Client, messenger: &Messenger) -> String {
    let text =
        Files::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default();
    let desk: Vec<String> =
        messenger.page_origins().iter().map(|origin| origin.as_str().to_owned()).collect();
    let desk = if desk.is_empty() { "https://YOUR-HELPDESK".to_owned() } else { desk.join(" ") };
    // `https:` of an origin is `wss:` of its sockets.
    let sockets: Vec<String> = desk.split(' ').map(|origin| origin.replacen("http", "ws", 1)).collect();
    text.replace("{{accounts}}", &format!("{}{}", client.origin(), public::prefix(app)))
        .replace("{{origin}}", client.origin())
        .replace("{{listen}}", &reached(app.settings().listen).to_string())
        .replace("{{messenger}}", &messenger.id)
        .replace("{{desk}}", &desk)
        .replace("{{sockets}}", &sockets.join(" "))
}
