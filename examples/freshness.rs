//! Whether a token is ever older than what it depends on: two servers on one database, changes of every kind at random
//! moments, and after each change the next tokens of both. `benches/README.md` says what the figures mean.
//!
//! `freshness DATABASE_URL [CHANGES]`: so many changes of each kind (1,000).

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::app::attributes::Change;
use countersign::app::devices::NewDevice;
use countersign::app::login::Guess;
use countersign::app::{App, Caller, clock};
use countersign::config::{self, Source};
use countersign::core::id::MessengerId;
use countersign::core::messenger::Platform;
use countersign::core::messenger::fields::Texts;
use countersign::core::secret::{Encoding, SigningKey};
use countersign::core::token;
use countersign::core::user::{Login, Role};
use countersign::web::Server;
use serde_json::Value;

const WORDS: &str = "a load of four words";

type Failed = Box<dyn Error + Send + Sync>;

/// One of the two servers, and the way to it.
#[derive(Clone)]
struct Place {
    app: App,
    base: String,
    agent: ureq::Agent,
}

/// An answer of the token route.
struct Answer {
    status: u16,
    token: String,
    claims: Value,
}

/// What the next answer must be.
type Expected = Box<dyn Fn(&Answer) -> bool + Send>;

/// What was found about changes of one kind.
#[derive(Default)]
struct Found {
    changes: usize,
    /// Changes before which both servers remembered the token.
    remembered: usize,
    checks: usize,
    /// Answers of the server that acknowledged the change that were older than it.
    stale_here: usize,
    /// Changes that the other server did not know after a second.
    stale_there: usize,
    longest: Duration,
}

impl Place {
    fn start(url: &str, master_key: &str) -> Result<(Self, Server), Failed> {
        let source = Source::default()
            .with("database_url", url)
            .with("master_key", master_key)
            .with("listen", "127.0.0.1:0")
            .with("log", "error")
            .with("token_requests", "1000000")
            .with("guesses_per_network", "1000000");
        let settings = config::check(&source).map_err(|problems| format!("{problems:?}"))?;
        let app = App::open(settings, clock::system())?;
        let server = Server::start(app.clone(), false)?;
        let base = format!("http://{}", server.address);
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Ok((Self { app, base, agent }, server))
    }

    fn token(&self, device: &str) -> Result<Answer, Failed> {
        let request = self.agent.get(format!("{}/api/v1/token", self.base));
        let mut answer = request.header("authorization", format!("Bearer {device}")).call()?;
        let status = answer.status().as_u16();
        let body: Value = answer.body_mut().read_json()?;
        let token = body["token"].as_str().unwrap_or_default().to_owned();
        let claims = token.split('.').nth(1).map(|part| URL_SAFE_NO_PAD.decode(part)).transpose()?;
        let claims = claims.map(|json| serde_json::from_slice(&json)).transpose()?.unwrap_or_default();
        Ok(Answer { status, token, claims })
    }

    fn end_device(&self, device: &str) -> Result<(), Failed> {
        let request = self.agent.delete(format!("{}/api/v1/devices/current", self.base));
        request.header("authorization", format!("Bearer {device}")).call()?;
        Ok(())
    }

    fn sign_in(&self, login: &str) -> Result<String, Failed> {
        let device = NewDevice { name: "a device".to_owned(), platform: Platform::Ios };
        match self.app.log_in_device(login, WORDS, &device, "192.0.2.1", &Caller::cli())? {
            Guess::Right(begun) => Ok(begun.token.clone()),
            guess => Err(format!("{login}: {guess:?}").into()),
        }
    }
}

/// The kinds of changes, one after another: a change for all users would make everybody's tokens new, and so hide a change
/// of one user that is not noticed. Each has a user of its own.
const KINDS: [&str; 9] =
    ["attribute", "disabled", "device", "password", "mapping", "messenger", "block list", "key", "trusted"];

/// Makes the change number `n` of a kind in the first server, and says what its user's next token must be.
fn change(kind: &str, n: usize, here: &Place, device: &mut String) -> Result<Expected, Failed> {
    let (app, caller, default) = (&here.app, Caller::cli(), MessengerId::default());
    let login = Login::parse(&user_of(kind)).map_err(|error| format!("{error:?}"))?;
    let is_even = n.is_multiple_of(2);
    let refused = |status: u16| -> Expected { Box::new(move |answer| answer.status == status) };
    let claim = |name: &'static str, value: Value| -> Expected {
        Box::new(move |answer| answer.claims.get(name).cloned().unwrap_or_default() == value)
    };
    let fields = |name: &str, value: &str| {
        let texts = Texts::from([(name.to_owned(), value.to_owned())]);
        app.change_messenger(&default, &texts, None, &caller)
    };
    Ok(match kind {
        "attribute" => {
            let name = format!("Ana {n}");
            app.change_user(&login, &[("display_name".to_owned(), name.clone())], &caller)?;
            claim("name", name.into())
        }
        "disabled" if is_even => {
            app.disable_user(&login, &caller)?;
            refused(401)
        }
        "disabled" => {
            app.enable_user(&login, &caller)?;
            *device = here.sign_in(login.as_str())?;
            refused(200)
        }
        "device" if is_even => {
            here.end_device(device)?;
            refused(401)
        }
        "password" if is_even => {
            app.set_password(&login, WORDS, &caller)?;
            refused(401)
        }
        "device" | "password" => {
            *device = here.sign_in(login.as_str())?;
            refused(200)
        }
        "mapping" => {
            let label = format!("version {n}");
            let text = mapping(&label);
            app.publish_mapping(&default, &text, "a change", &caller)?;
            claim("labels", vec![label].into())
        }
        "messenger" => {
            let lifetime = 60 + i64::try_from(n % 3000)?;
            fields("token_lifetime", &lifetime.to_string())?;
            Box::new(move |answer| {
                let time = |name: &str| answer.claims[name].as_i64().unwrap_or_default();
                time("exp") - time("iat") == lifetime + token::IAT_BACK
            })
        }
        "block list" => {
            fields("blocked", if is_even { "block-list@example.com" } else { "" })?;
            refused(if is_even { 403 } else { 200 })
        }
        "key" => {
            let text = format!("key number {n:06} of this trial, long enough");
            let key = SigningKey::parse(&text, Encoding::Raw, false).map_err(|error| format!("{error:?}"))?;
            let before: Vec<String> = app.signing_keys(&default)?.into_iter().map(|key| key.id).collect();
            let (id, _) = app.add_signing_key(&default, &text, Encoding::Raw, false, &caller)?;
            app.activate_signing_key(&default, &id, &caller)?;
            for old in before {
                app.remove_signing_key(&default, &old, &caller)?;
            }
            Box::new(move |answer| {
                token::inspect(&answer.token, Some(&key)).and_then(|found| found.verified) == Some(true)
            })
        }
        "trusted" => {
            let change = Change { proved: Some(is_even), ..Change::default() };
            app.set_attribute("other", change, &caller, |_| {})?;
            claim("emails", if is_even { vec!["other@example.com"].into() } else { Value::Null })
        }
        kind => return Err(format!("there is no kind {kind}").into()),
    })
}

fn mapping(label: &str) -> String {
    format!(
        r#"{{"rules": [
            {{"claim": "email", "from": {{"attribute": "email"}}}},
            {{"claim": "name", "from": {{"attribute": "display_name"}}}},
            {{"claim": "emails", "from": {{"attribute": "other"}}}},
            {{"claim": "labels", "from": {{"constant": "{label}"}}}}
        ]}}"#
    )
}

fn user_of(kind: &str) -> String {
    kind.replace(' ', "-")
}

fn try_kind(kind: &str, changes: usize, here: &Place, there: &Place) -> Result<Found, Failed> {
    let mut found = Found::default();
    let mut device = here.sign_in(&user_of(kind))?;
    for n in 0..changes {
        // Both remember the token of now: the last one needs no database.
        for place in [here, there, here, there] {
            place.token(&device)?;
        }
        let before = (here.app.statements(), there.app.statements());
        for place in [here, there] {
            place.token(&device)?;
        }
        found.remembered += usize::from(before == (here.app.statements(), there.app.statements()));
        let expected = change(kind, n, here, &mut device)?;
        let asked = &device;
        let watch = clock::Stopwatch::start();
        for _ in 0..6 {
            found.checks += 1;
            found.stale_here += usize::from(!expected(&here.token(asked)?));
        }
        while !expected(&there.token(asked)?) && watch.elapsed() < Duration::from_secs(5) {
            found.checks += 1;
        }
        let took = watch.elapsed();
        found.longest = found.longest.max(took);
        found.stale_there += usize::from(took > Duration::from_secs(1));
        for _ in 0..3 {
            found.checks += 1;
            found.stale_there += usize::from(!expected(&there.token(asked)?));
        }
        found.changes += 1;
    }
    Ok(found)
}

fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("usage: freshness DATABASE_URL [CHANGES]")?;
    let changes = arguments.next().map_or(Ok(1000), |text| text.parse())?;
    let master_key = "5a17".repeat(16);
    let (here, server) = Place::start(&url, &master_key)?;
    let (there, second) = Place::start(&url, &master_key)?;
    let (app, caller, default) = (&here.app, Caller::cli(), MessengerId::default());
    app.add_signing_key(&default, "the first key of this trial, long enough", Encoding::Raw, false, &caller)?;
    app.set_attribute("other", Change::default(), &caller, |_| {})?;
    app.publish_mapping(&default, &mapping("version"), "the first", &caller)?;
    for kind in KINDS.iter().chain(&["beside"]) {
        let (name, login) =
            (user_of(kind), Login::parse(&user_of(kind)).map_err(|error| format!("{error:?}"))?);
        let attributes = [
            ("email", format!("{name}@example.com")),
            ("email_verified", "true".to_owned()),
            ("other", "other@example.com".to_owned()),
        ];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value));
        app.add_user(&login, Role::User, &attributes, &caller)?;
        app.set_password(&login, WORDS, &caller)?;
    }
    let (ended, beside) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let loads: Vec<_> = [here.clone(), there.clone()]
        .into_iter()
        .map(|place| {
            let (ended, beside, device) = (ended.clone(), beside.clone(), here.sign_in("beside"));
            std::thread::spawn(move || -> Result<(), Failed> {
                let device = device?;
                while !ended.load(Ordering::Relaxed) {
                    place.token(&device)?;
                    beside.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            })
        })
        .collect();
    let mut all = BTreeMap::new();
    for kind in KINDS {
        all.insert(kind, try_kind(kind, changes, &here, &there)?);
    }
    ended.store(true, Ordering::Relaxed);
    for load in loads {
        load.join().map_err(|_| "a thread panicked")??;
    }
    println!(
        "| kind | changes | remembered before | checks | stale here | stale there after 1 s | longest |\n|---|---|---|---|---|---|---|"
    );
    let (mut checks, mut stale) = (0, 0);
    for (kind, found) in &all {
        let Found { changes, remembered, stale_here, stale_there, longest, .. } = found;
        println!(
            "| {kind} | {changes} | {remembered} | {} | {stale_here} | {stale_there} | {} ms |",
            found.checks,
            longest.as_millis()
        );
        checks += found.checks;
        stale += stale_here + stale_there;
    }
    println!("{checks} checks, {stale} stale; {} tokens beside", beside.load(Ordering::Relaxed));
    drop((server, second));
    if stale == 0 { Ok(()) } else { Err("a token was older than what it depends on".into()) }
}
