//! The real server on a free port with a database of its own and a clock the test moves, and a
//! browser that keeps cookies and shows every answer as it came.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use countersign::app::attributes::Change;
use countersign::app::clock::Monotonic;
use countersign::app::{App, Caller};
use countersign::config::{self, Source};
use countersign::core::user::{Login, Role};
use countersign::web::Server;
use rstest_reuse::template;

use super::postgres;

/// The signing key of the tests.
pub const KEY: &str = "a key of the tests, long enough for HS256";
/// The password of every user of the tests.
pub const PASSWORD: &str = "nine small birds sing";
/// When the tests begin (unix seconds).
pub const BEGIN: i64 = 1_800_000_000;

/// What a test runs on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Sqlite,
    Postgres,
    /// SQLite, and a public URL with a path.
    Path,
}

/// Runs a test on SQLite, on PostgreSQL, and under a path.
#[template]
#[rstest::rstest]
#[case::on_sqlite(&crate::server::World::new(crate::server::Place::Sqlite))]
#[case::on_postgres(&crate::server::World::new(crate::server::Place::Postgres))]
#[case::under_a_path(&crate::server::World::new(crate::server::Place::Path))]
pub fn everywhere(#[case] world: &World) {}

/// The same for a test with a world of its own settings.
#[template]
#[rstest::rstest]
#[case::on_sqlite(crate::server::Place::Sqlite)]
#[case::on_postgres(crate::server::Place::Postgres)]
#[case::under_a_path(crate::server::Place::Path)]
pub fn every_place(#[case] place: Place) {}

/// A server with its database, users and clock.
pub struct World {
    pub app: App,
    pub server: Server,
    /// Where pages are: the origin and the path of the public URL.
    pub base: String,
    clock: Arc<AtomicI64>,
    source: Source,
    _folder: tempfile::TempDir,
}

const MASTER_KEY: &str = "5a175a175a175a175a175a175a175a175a175a175a175a175a175a175a175a17";

impl World {
    pub fn new(place: Place) -> Self {
        Self::with(place, |source| source)
    }

    /// A world with other settings.
    pub fn with(place: Place, change: impl FnOnce(Source) -> Source) -> Self {
        Self::with_monotonic(place, change, countersign::app::clock::monotonic())
    }

    /// A world whose waits are measured by another monotonic clock than the machine's.
    pub fn with_monotonic(place: Place, change: impl FnOnce(Source) -> Source, monotonic: Monotonic) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = match place {
            Place::Postgres => postgres::shared().database(),
            _ => format!("sqlite:{}", folder.path().join("test.db").display()),
        };
        let clock = Arc::new(AtomicI64::new(BEGIN));
        let listen = free_address();
        let path = if place == Place::Path { "/accounts" } else { "" };
        let source = Source::default()
            .with("database_url", &url)
            .with("master_key", MASTER_KEY)
            .with("signing_key", KEY)
            .with("listen", &listen)
            .with("init_script_url", "https://desk.example.com/deskpro-messenger-init/web.js")
            .with(
                "deskpro_url",
                "https://desk.example.com/deskpro-messenger/00000000-0000-0000-0000-000000000000",
            )
            .with("messenger_id", "01HGFZRNX7M9S4PX2G3RIA8S0C");
        let source = if path.is_empty() {
            source
        } else {
            source.with("public_url", &format!("http://{listen}{path}"))
        };
        let source = match std::env::var("TEST_TOKEN_CACHE") {
            Ok(mib) => source.with("token_cache", &mib),
            Err(_) => source,
        };
        let source = change(source);
        let app = open_with(&source, &clock, monotonic);
        let server = Server::start(app.clone(), false).expect("the server starts");
        let base = format!("http://{}{path}", server.address);
        Self { app, server, base, clock, source, _folder: folder }
    }

    /// Another server on the same database, as a second instance would be.
    pub fn second_instance(&self) -> (App, Server) {
        let app = open(&self.source.clone().with("listen", &free_address()), &self.clock);
        let server = Server::start(app.clone(), false).expect("the second server starts");
        (app, server)
    }

    /// The name of the session cookie.
    #[expect(clippy::unused_self, reason = "it is the world's, whatever it is called")]
    pub fn session_cookie(&self) -> String {
        "countersign".to_owned()
    }

    /// Where the database is.
    pub fn database_url(&self) -> String {
        self.app.settings().database_url.clone()
    }

    /// The command line on the same database and with the same key: what it answers as JSON.
    pub fn cli(&self, words: &[&str]) -> serde_json::Value {
        let mut command = crate::process::countersign(&self.database_url());
        command.env("COUNTERSIGN_MASTER_KEY", MASTER_KEY).env("COUNTERSIGN_SIGNING_KEY", KEY);
        let ended = command.arg("--json").args(words).output().expect("it runs");
        // Otherwise the server learns within a second what the command has changed.
        self.app.poll_changes().expect("the database answers");
        let out = String::from_utf8(ended.stdout).expect("UTF-8");
        serde_json::from_str(out.lines().next().unwrap_or_default()).unwrap_or_else(|error| {
            panic!("{words:?}: {error}: {out}{}", String::from_utf8_lossy(&ended.stderr))
        })
    }

    /// The moment, in unix seconds.
    pub fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// Lets time pass (seconds).
    pub fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Adds a user with [`PASSWORD`] and a verified address.
    pub fn user(&self, login: &str) -> Login {
        self.user_with(
            login,
            Role::User,
            &[("email", &format!("{login}@example.com")), ("email_verified", "yes")],
        )
    }

    /// Adds a custom attribute.
    pub fn attribute(&self, name: &str) {
        self.app.set_attribute(name, Change::default(), &Caller::cli(), |_| {}).expect("made");
    }

    /// Adds a user with [`PASSWORD`] and attributes.
    pub fn user_with(&self, login: &str, role: Role, attributes: &[(&str, &str)]) -> Login {
        let login = Login::parse(login).expect("a login");
        let attributes: Vec<_> =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.app.add_user(&login, role, &attributes, &Caller::cli()).expect("the user is added");
        self.app.set_password(&login, PASSWORD, &Caller::cli()).expect("the password is set");
        login
    }

    /// Somebody's browser, without cookies.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.base)
    }
}

fn open(source: &Source, clock: &Arc<AtomicI64>) -> App {
    open_with(source, clock, countersign::app::clock::monotonic())
}

fn open_with(source: &Source, clock: &Arc<AtomicI64>, monotonic: Monotonic) -> App {
    let settings = config::check(source).unwrap_or_else(|problems| panic!("{problems:?}"));
    let clock = clock.clone();
    App::open_with(settings, Arc::new(move || clock.load(Ordering::SeqCst)), monotonic)
        .expect("the product opens")
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    /// A header's value, if it is there once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The CSRF token of the form on the page.
    pub fn csrf(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"csrf_token\" value=\"").expect("a form with a token");
        rest.split('"').next().expect("a value").to_owned()
    }

    /// The token that the page hands to the Messenger.
    pub fn signed_user_info(&self) -> Option<String> {
        let (_, rest) = self.body.split_once("\"signedUserInfo\":\"")?;
        rest.split('"').next().map(str::to_owned)
    }

    /// Everything but what must differ from answer to answer: nonce, request id, CSRF token, cookies.
    pub fn shape(&self) -> String {
        let mut headers: Vec<String> = self
            .headers
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "date" | "set-cookie" | "content-length"))
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        headers.sort();
        let text = format!("{}\n{}\n{}", self.status, headers.join("\n"), self.body);
        let mut shape = String::new();
        for word in text.split_inclusive([' ', '"', '\'', '<', '>', '\n']) {
            let bare = word.trim_end_matches([' ', '"', '\'', '<', '>', '\n']);
            let varies = bare.starts_with("nonce-")
                || (bare.len() >= 22
                    && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
            shape.push_str(if varies { "…" } else { word });
        }
        shape
    }
}

/// A client with cookies. Redirects are shown, not followed.
pub struct Browser {
    agent: ureq::Agent,
    pub base: String,
    pub cookies: RefCell<BTreeMap<String, String>>,
    /// Headers sent with every request.
    pub headers: RefCell<Vec<(String, String)>>,
}

impl Browser {
    pub fn new(base: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .build()
            .into();
        Self { agent, base: base.to_owned(), cookies: RefCell::default(), headers: RefCell::default() }
    }

    /// A browser that gives up, and the test with it, when an answer takes longer than any may
    /// while the database is away: 6 s.
    pub fn impatient(base: &str) -> Self {
        let limit = Some(std::time::Duration::from_secs(6));
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(limit)
            .build()
            .into();
        Self { agent, ..Self::new(base) }
    }

    /// The same with a header on every request.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        self.headers.borrow_mut().push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, &[])
    }

    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.post_with(path, form, &[])
    }

    pub fn post_with(&self, path: &str, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let body: Vec<String> =
            form.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/x-www-form-urlencoded"));
        self.send("POST", path, Some(&body.join("&")), &headers)
    }

    pub fn send(&self, method: &str, path: &str, body: Option<&str>, headers: &[(&str, &str)]) -> Answer {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        let cookies: Vec<String> =
            self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        for (name, value) in self.headers.borrow().iter() {
            request = request.header(name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.unwrap_or_default().to_owned()).expect("a request");
        let mut response = self.agent.run(request).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let headers: Vec<(String, String)> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        for (_, cookie) in headers.iter().filter(|(name, _)| name == "set-cookie") {
            self.keep(cookie);
        }
        let body = response.body_mut().read_to_string().unwrap_or_default();
        Answer { status: response.status().as_u16(), headers, body }
    }

    fn keep(&self, cookie: &str) {
        let mut parts = cookie.split("; ");
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a cookie");
        let is_removed = parts.any(|part| part.eq_ignore_ascii_case("max-age=0")) || value.is_empty();
        if is_removed {
            self.cookies.borrow_mut().remove(name);
        } else {
            self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
        }
    }

    /// Opens the sign-in page and sends its form.
    pub fn sign_in(&self, login: &str, password: &str) -> Answer {
        let token = self.get("/login").csrf();
        self.post("/login", &[("csrf_token", &token), ("login", login), ("password", password), ("next", "")])
    }

    /// Signs in with the password of the tests, and makes sure of it.
    pub fn signed_in(self, login: &str) -> Self {
        let answer = self.sign_in(login, PASSWORD);
        assert_eq!(answer.status, 303, "{}", answer.body);
        self
    }

    /// Sends the sign-out form of the host page.
    pub fn sign_out(&self) -> Answer {
        let token = self.get("/").csrf();
        self.post("/logout", &[("csrf_token", &token)])
    }
}

/// Waits until something holds, or gives up after about a minute.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if holds() {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    panic!("waited in vain until {what}");
}

/// Percent-encodes everything but letters and digits.
pub fn encode(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}
