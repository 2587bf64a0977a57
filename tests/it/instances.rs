//! Two servers on one PostgreSQL are one product: what happens on one holds on the other as soon as it has
//! learned of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use countersign::app::clock::Clock;
use countersign::app::{App, Caller};
use countersign::config::{self, Settings, Source};
use countersign::core::user::Login;
use countersign::store::Store;
use countersign::web::Server;

use crate::postgres;
use crate::server::{BEGIN, Browser, KEY, PASSWORD, Place, World};
use crate::store::MASTER_KEY;

/// One world with two servers.
struct Pair {
    world: World,
    app: App,
    server: Server,
}

impl Pair {
    fn new() -> Self {
        let world = World::new(Place::Postgres);
        let (app, server) = world.second_instance();
        Self { world, app, server }
    }

    /// Lets each server learn what the other has changed, which takes up to a second otherwise.
    fn catch_up(&self) {
        for app in [&self.world.app, &self.app] {
            app.poll_changes().expect("the database answers");
        }
    }

    /// Somebody's browser at the second server.
    fn elsewhere(&self) -> Browser {
        Browser::new(&format!("http://{}", self.server.address))
    }

    /// The same browser as another one, at the second server.
    fn moved(&self, browser: &Browser) -> Browser {
        let moved = self.elsewhere();
        *moved.cookies.borrow_mut() = browser.cookies.borrow().clone();
        moved
    }
}

fn token(browser: &Browser) -> u16 {
    browser.get("/api/v1/token").status
}

#[test]
fn whoever_signs_in_on_one_server_gets_a_token_from_the_other() {
    let pair = Pair::new();
    pair.world.user("ana");
    let here = pair.world.browser().signed_in("ana");
    let there = pair.moved(&here);
    let (one, other) = (here.get("/api/v1/token").json(), there.get("/api/v1/token").json());
    assert_eq!(one["subject"], other["subject"], "both mean the same user");
    let issued = other["token"].as_str().expect("a token");
    assert!(pair.world.app.inspect_token(issued).expect("a token").verified == Some(true));
    assert!(there.get("/").signed_user_info().is_some());
}

#[test]
fn whoever_is_disabled_on_one_server_is_refused_by_the_other_as_soon_as_it_knows() {
    let pair = Pair::new();
    let ana = pair.world.user("ana");
    for _ in 0..5 {
        let here = pair.world.browser().signed_in("ana");
        let there = pair.moved(&here);
        assert_eq!((token(&here), token(&there)), (200, 200));
        pair.world.app.disable_user(&ana, &Caller::cli()).expect("disabled");
        pair.catch_up();
        assert_eq!((token(&there), token(&here)), (401, 401));
        assert!(there.get("/").signed_user_info().is_none());
        assert_eq!(pair.elsewhere().sign_in("ana", PASSWORD).status, 401);
        pair.app.enable_user(&ana, &Caller::cli()).expect("enabled");
        pair.world.app.unlock(&ana, &Caller::cli()).expect("unlocked");
        assert_eq!(token(&there), 401, "the old session stays dead");
    }
}

#[test]
fn whoever_signs_out_on_one_server_is_nobody_on_the_other() {
    let pair = Pair::new();
    pair.world.user("ana");
    let here = pair.world.browser().signed_in("ana");
    let (there, stays) = (pair.moved(&here), pair.elsewhere().signed_in("ana"));
    assert_eq!(token(&there), 200);
    assert_eq!(here.sign_out().status, 303);
    pair.catch_up();
    assert_eq!((token(&there), token(&stays)), (401, 200));
}

#[test]
fn a_new_password_on_one_server_ends_the_sessions_of_the_other() {
    let pair = Pair::new();
    let ana = pair.world.user("ana");
    let there = pair.elsewhere().signed_in("ana");
    assert_eq!(token(&there), 200);
    pair.world.app.set_password(&ana, "another set of words", &Caller::cli()).expect("set");
    pair.catch_up();
    assert_eq!(token(&there), 401);
    assert_eq!(pair.elsewhere().sign_in("ana", PASSWORD).status, 401);
    assert_eq!(pair.elsewhere().sign_in("ana", "another set of words").status, 303);
}

#[test]
fn a_mapping_published_on_one_server_is_used_by_the_other_as_soon_as_it_knows() {
    let pair = Pair::new();
    pair.world.user("ana");
    let there = pair.elsewhere().signed_in("ana");
    let draft = r#"{"token": "all", "rules": [
        {"claim": "email", "from": {"attribute": "email"}},
        {"claim": "name", "from": {"text": ["Published {login}"]}}]}"#;
    assert_eq!(token(&there), 200);
    pair.world.app.publish_mapping(&"default".into(), draft, "", &Caller::cli()).expect("published");
    pair.catch_up();
    let issued = there.get("/api/v1/token").json();
    let inspected =
        pair.world.app.inspect_token(issued["token"].as_str().expect("a token")).expect("a token");
    assert!(format!("{inspected:?}").contains("Published ana"), "{inspected:?}");
}

#[test]
fn guesses_are_limited_over_the_sum_of_both_servers() {
    let pair = Pair::new();
    let ana: Login = pair.world.user("ana");
    let judged = || pair.world.app.hashes() + pair.app.hashes();
    let before = judged();
    let statuses: Vec<u16> = (0..10)
        .map(|guess| if guess % 2 == 0 { pair.world.browser() } else { pair.elsewhere() })
        .map(|browser| browser.sign_in("ana", "wrong").status)
        .collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429, 429, 429, 429]);
    assert_eq!(judged() - before, 5);
    pair.world.app.unlock(&ana, &Caller::cli()).expect("unlocked");

    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let guess = |number| {
            let base = if number % 2 == 0 { pair.world.base.clone() } else { pair.elsewhere().base };
            scope.spawn(move || Browser::new(&base).sign_in("ana", "wrong").status)
        };
        let threads: Vec<_> = (0..60).map(guess).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
    assert_eq!(judged() - before, 10, "of 60 at once on both together, five");
}

#[test]
fn one_of_two_servers_may_end_and_the_other_goes_on() {
    let pair = Pair::new();
    pair.world.user("ana");
    let here = pair.world.browser().signed_in("ana");
    let Pair { world, app, server } = pair;
    drop(server);
    drop(app);
    assert_eq!(token(&here), 200);
    let (_app, server) = world.second_instance();
    let there = Browser::new(&format!("http://{}", server.address));
    *there.cookies.borrow_mut() = here.cookies.borrow().clone();
    assert_eq!(token(&there), 200, "and one may come back");
}

/// A database without a server, and the clock of whoever opens it.
struct Shared {
    source: Source,
    clock: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

impl Shared {
    fn new(place: Place) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = match place {
            Place::Postgres => postgres::shared().database(),
            _ => format!("sqlite:{}", folder.path().join("test.db").display()),
        };
        let source = Source::default()
            .with("database_url", &url)
            .with("master_key", MASTER_KEY)
            .with("signing_key", KEY);
        Self { source, clock: Arc::new(AtomicI64::new(BEGIN)), _folder: folder }
    }

    fn clock(&self) -> Clock {
        let clock = self.clock.clone();
        Arc::new(move || clock.load(Ordering::SeqCst))
    }

    fn settings(&self, set: &[(&str, &str)]) -> Settings {
        let source = set.iter().fold(self.source.clone(), |source, (name, value)| source.with(name, value));
        config::check(&source).expect("settings")
    }

    fn open(&self, set: &[(&str, &str)]) -> App {
        App::open(self.settings(set), self.clock()).expect("the product opens")
    }

    /// A minute later, what each says of the others.
    fn round(&self, apps: &[&App]) -> Vec<Option<String>> {
        self.clock.fetch_add(60, Ordering::SeqCst);
        apps.iter().map(|app| app.compare_instances().expect("compared")).collect()
    }

    fn rows(&self, condition: &str) -> i64 {
        let store = Store::open(&self.settings(&[]).database_url).expect("it opens");
        let sql = format!("SELECT COUNT(*) FROM instances {condition}");
        store.read(|db| db.query(&sql, &[])).expect("it is read")[0].int(0).expect("a number")
    }
}

fn servers_with_other_settings_notice_each_other(place: Place) {
    let shared = Shared::new(place);
    let one = shared.open(&[("blocked", "agent@example.com, example.org")]);
    let same = shared.open(&[
        ("blocked", "example.org,agent@example.com"),
        ("listen", "127.0.0.1:9"),
        ("log", "debug"),
    ]);
    for _ in 0..3 {
        assert_eq!(shared.round(&[&one, &same]), [None, None], "order and white space make no difference");
    }
    let other = shared.open(&[
        ("blocked", "agent@example.com"),
        ("signing_key", "another secret that is long enough for it"),
        ("session_idle", "600"),
    ]);
    assert_eq!(shared.round(&[&one, &same, &other]), [None, None, None], "who wrote once may have ended");
    shared.round(&[&one, &same, &other]);
    let said = shared.round(&[&one, &same, &other]);
    let names = " for COUNTERSIGN_BLOCKED, COUNTERSIGN_SESSION_IDLE, COUNTERSIGN_SIGNING_KEY. ";
    for (said, who) in
        said.iter().zip(["1 has different values", "1 has different values", "2 have different values"])
    {
        let text = said.as_deref().expect("a difference");
        assert!(
            text.starts_with(&format!("Of 2 other servers on this database, {who}{names}")),
            "{who}: {text}"
        );
    }
    assert_eq!(shared.rows("WHERE settings LIKE '%agent@%' OR settings LIKE '%secret%'"), 0, "digests alone");
    // One that stops is forgotten at once, one that is killed when it has not written again.
    other.leave_instances().expect("left");
    assert_eq!(shared.round(&[&one, &same]), [None, None]);
    let other = shared.open(&[("verified_only", "false")]);
    shared.round(&[&one, &other]);
    shared.round(&[&one, &other]);
    assert!(shared.round(&[&one, &other])[0].is_some());
    shared.round(&[&one]);
    assert_eq!(shared.round(&[&one]), [None]);
    shared.clock.fetch_add(24 * 3600, Ordering::SeqCst);
    shared.round(&[&one]);
    assert_eq!(shared.rows(""), 1, "no row of one that was killed is left");
}

fn a_check_with_other_settings_than_the_running_server_says_so(place: Place) {
    let shared = Shared::new(place);
    let check = |set: &[(&str, &str)]| {
        let checked = App::check(&shared.settings(set), &shared.clock());
        let items = checked.items.into_iter().map(|item| item.message);
        items.filter(|text| text.contains("nother server")).collect::<Vec<_>>()
    };
    let blocked = [("blocked", "example.org")];
    shared.open(&blocked).compare_instances().expect("written");
    assert!(check(&blocked).is_empty());
    assert!(check(&[])[0].contains(" COUNTERSIGN_BLOCKED."));
    shared.clock.fetch_add(600, Ordering::SeqCst);
    assert!(check(&[]).is_empty(), "it ended long ago");
}

#[test]
fn servers_with_other_settings_notice_each_other_on_sqlite() {
    servers_with_other_settings_notice_each_other(Place::Sqlite);
}

#[test]
fn servers_with_other_settings_notice_each_other_on_postgres() {
    servers_with_other_settings_notice_each_other(Place::Postgres);
}

#[test]
fn a_check_says_so_on_sqlite() {
    a_check_with_other_settings_than_the_running_server_says_so(Place::Sqlite);
}

#[test]
fn a_check_says_so_on_postgres() {
    a_check_with_other_settings_than_the_running_server_says_so(Place::Postgres);
}
