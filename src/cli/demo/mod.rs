//! `countersign demo`: the whole system on one machine, with example users and a stand-in for Deskpro.
//! Its data is in a temporary folder and is deleted with it.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::output::{Refused, say};
use super::{log, open};
use crate::app::import::Options;
use crate::app::{App, Caller, clock};
use crate::config::{self, Source};
use crate::core::id::MessengerId;
use crate::core::secret::Encoding;
use crate::core::user::{Login, Role};
use crate::standin::{Person, Play, StandIn};
use crate::web::Server;

/// Where to listen. The demo reads no settings.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Address and port of Countersign; port 0 chooses a free port.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// Address and port of the stand-in for Deskpro.
    #[arg(long, default_value = "127.0.0.1:8090")]
    deskpro_listen: String,
}

const USERS: &str = include_str!("users.csv");
const MAPPING: &str = include_str!("mapping.json");
/// The user who may open the console.
const ADMIN: &str = "admin";
/// The password of every user, in the demo only.
const PASSWORD: &str = "a demo of four words";

/// The folder of the demo, removed when it ends.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Refused> {
    let folder = Folder(std::env::temp_dir().join(format!("countersign-demo-{}", clock::new_id())));
    // Also valid as base64, so that the stand-in can demonstrate the wrong encoding.
    let key = STANDARD.encode(clock::random::<32>());
    let now = clock::system();
    let standin = StandIn::start(&arguments.deskpro_listen, key.as_bytes(), Play::default(), move || now())
        .map_err(|error| taken("--deskpro-listen", &arguments.deskpro_listen, &error))?;
    for person in people() {
        standin.seed(person);
    }
    let database = format!("sqlite:{}", folder.0.join("demo.db").display());
    let source = Source::default()
        .with("database_url", &database)
        .with("site_name", "Example Shop")
        .with("listen", &arguments.listen)
        .with("log", "warn");
    let settings = config::check(&source).map_err(Refused::Settings)?;
    log::start(&settings)?;
    let app = open(settings)?;
    fill(&app)?;
    connect(&app, &standin, &key)?;
    let server = Server::start(app, true).map_err(|error| taken("--listen", &arguments.listen, &error))?;
    introduce(&format!("http://{}", server.address), standin.origin(), &database);
    server.wait().map_err(|error| Refused::Text(format!("The server ended: {error}.")))
}

fn taken(flag: &str, listen: &str, error: &std::io::Error) -> Refused {
    Refused::Text(format!("Cannot listen on {listen}: {error}. Choose another one with {flag} 127.0.0.1:0."))
}

fn fill(app: &App) -> Result<(), Refused> {
    let caller = Caller::cli();
    let options = Options { deskpro_id: true, ..Options::default() };
    app.import_users(USERS.as_bytes(), options, &caller, |_| {}, |_| {})?;
    app.publish_mapping(&MessengerId::default(), MAPPING, "The demo's own", &caller)?;
    let admin = Login::parse(ADMIN).map_err(|_| Refused::Text("The demo's admin has no login.".into()))?;
    app.add_user(&admin, Role::Admin, &[], &caller)?;
    let logins = USERS.lines().skip(1).filter_map(|line| line.split(',').next());
    for login in logins.chain([ADMIN]) {
        if let Ok(login) = Login::parse(login) {
            app.set_password(&login, PASSWORD, &caller)?;
        }
    }
    Ok(())
}

/// Deskpro's values and its secret, stored where the console can change them.
fn connect(app: &App, standin: &StandIn, key: &str) -> Result<(), Refused> {
    let caller = Caller::cli();
    let texts = [
        ("init_script_url", standin.init_script_url()),
        ("deskpro_url", standin.deskpro_url()),
        ("messenger_id", standin.messenger_id().to_owned()),
    ];
    let texts = texts.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    app.change_messenger(&MessengerId::default(), &texts, None, &caller)?;
    app.add_signing_key(&MessengerId::default(), key, Encoding::Raw, false, &caller)?;
    Ok(())
}

/// The people whom the stand-in knows before the first chat.
fn people() -> [Person; 2] {
    let person = |id, name: &str, email: &str| Person {
        id,
        name: Some(name.to_owned()),
        email: Some(email.to_owned()),
        ..Person::default()
    };
    [person(41, "Dana Reyes", "dana@example.com"), person(42, "Daniel Reyes", "daniel@example.net")]
}

fn introduce(site: &str, desk: &str, database: &str) {
    let api_key = crate::standin::API_KEY;
    say(format_args!(
        "
Countersign is running with example users. Everything is in a temporary folder.

  The website   {site}/
  The console   {site}/admin    (sign in as admin)
  The stand-in  {desk}/    (plays Deskpro: whom it knows, what it verified)

Sign in with the password   {PASSWORD}

  ana    confirmed, with groups and labels from her plan
  bora   a name in another script, confirmed
  chris  the address is not verified: support does not know who it is
  dana   her ID and her address belong to two people at Deskpro: refused

Try
  1. Open the website and the chat at the bottom right: support sees you as unconfirmed.
  2. Sign in as ana and open the chat: confirmed, because of the token that this server signed.
  3. Sign out: the chat closes, and when you open it again support sees you as unconfirmed.
  4. In the stand-in choose 'read the secret as base64', and see what a wrong encoding looks like.
  5. In the console change what support learns (Mapping), and in the stand-in create another secret:
     the chat is refused until you add it under Messengers, default, Signing keys, and use it.

  6. In the console open Synchronization and connect the stand-in's API (private network, key
     {api_key}), and see the users become people there.

To use the command line with it, run this in another terminal:

  export COUNTERSIGN_DATABASE_URL={database} COUNTERSIGN_PUBLIC_URL={site}

Ctrl-C stops it.
"
    ));
}
