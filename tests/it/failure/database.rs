//! PostgreSQL stopped or stalled under a running server: no request waits longer than 6 s, nobody
//! is taken for signed in, and the service comes back by itself.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use actix_web::http::Method;

use countersign::app::clock::{self, Stopwatch};
use countersign::app::{App, AppError, Caller};
use countersign::core::user::{Login, Role};
use countersign::store::{Error, Store, lock, users};
use countersign::web::{Access, ROUTES};

use crate::postgres::Postgres;
use crate::process::countersign;
use crate::server::{Answer, Browser, PASSWORD, Place, World, encode, wait_until};
use crate::store::{MASTER_KEY, at_once};

/// A page that may sign somebody in.
const PAGE: &str = "https://www.example.com";

/// A server on a PostgreSQL of the test's own, and somebody signed in.
fn world(postgres: &Postgres) -> (World, Browser) {
    let url = postgres.database();
    let world = World::with(Place::Sqlite, |source| {
        // Every answer needs the database.
        source.with("database_url", &url).with("allowed_origins", PAGE).with("token_cache", "0")
    });
    let attributes = [("display_name", "Ana Kovač"), ("email", "ana@example.com"), ("email_verified", "yes")];
    world.user_with("ana", Role::User, &attributes);
    let browser = Browser::impatient(&world.base).signed_in("ana");
    assert_eq!(browser.get("/api/v1/token").status, 200);
    (world, browser)
}

/// The same browser once more, for another thread.
fn again(browser: &Browser) -> Browser {
    let again = Browser::impatient(&browser.base);
    *again.cookies.borrow_mut() = browser.cookies.borrow().clone();
    again
}

fn shows_nobody(answer: &Answer) {
    assert!(!answer.body.contains("Kovač") && !answer.body.contains("\"token\""), "{}", answer.body);
    assert!(answer.signed_user_info().is_none(), "{}", answer.body);
}

fn is_unavailable(what: &str, answer: &Answer) {
    assert_eq!(answer.status, 503, "{what}: {}", answer.body);
    let seconds = answer.header("retry-after").and_then(|value| value.parse::<u32>().ok());
    assert!(seconds.is_some_and(|seconds| seconds > 0), "{what}: {:?}", answer.headers);
    shows_nobody(answer);
}

/// Asks every route there is, all at once, as somebody who was signed in before the database went
/// away; `form` is what is posted. An answer after more than 6 s ends the test.
fn every_route_is_unavailable(browser: &Browser, form: &str) {
    at_once(ROUTES.iter().map(|route| {
        let browser = again(browser);
        move || {
            let path = route.path.replace("{version}", "0").replace("{file:.*}", "none");
            let form_type = [
                ("content-type", "application/x-www-form-urlencoded"),
                ("x-countersign", "1"),
                ("authorization", "Bearer countersign_of_nobody"),
            ];
            let for_apps =
                [("content-type", "application/json"), ("authorization", "Bearer device_of_nobody")];
            let answer = match (&route.method, route.path) {
                (&Method::POST, "/api/v1/devices") => {
                    let body = r#"{"login": "ana", "password": "x", "name": "x", "platform": "ios"}"#;
                    browser.send("POST", &path, Some(body), &for_apps)
                }
                (method, "/api/v1/devices") => browser.send(method.as_str(), &path, None, &for_apps),
                (&Method::POST, "/api/v1/connections") => {
                    browser.send("POST", &path, Some(r#"{"code": "x"}"#), &for_apps)
                }
                (&Method::POST, "/api/v1/session") => {
                    let page =
                        [("origin", PAGE), ("x-countersign", "1"), ("content-type", "application/json")];
                    browser.send("POST", &path, Some(r#"{"code": "x"}"#), &page)
                }
                (&Method::GET, "/handover") => browser.get("/handover?code=x"),
                (&Method::GET, _) => browser.get(&path),
                _ => browser.send(route.method.as_str(), &path, Some(form), &form_type),
            };
            let what = format!("{} {path}", route.method);
            if route.method == Method::OPTIONS {
                // What a browser may ask is in the settings.
                assert_eq!(answer.status, 204, "{what}");
                return;
            }
            match (route.access, route.path) {
                (Access::Anyone, "/readyz") => is_unavailable(&what, &answer),
                // The description needs no database, and names what answers hold.
                (Access::Anyone, "/healthz" | "/api/openapi.json") => assert_eq!(answer.status, 200),
                (Access::Anyone, _) => shows_nobody(&answer),
                _ => is_unavailable(&what, &answer),
            }
        }
    }));
}

/// The form that signs somebody in, filled in while all was well.
fn filled_in(browser: &Browser) -> String {
    let token = browser.get("/login").csrf();
    format!("csrf_token={token}&login=ana&password={}&next=", encode(PASSWORD))
}

fn is_back(browser: &Browser) {
    wait_until("the service is back", || browser.get("/api/v1/token").status == 200);
    assert_eq!(browser.get("/readyz").status, 200);
    assert!(browser.get("/").signed_user_info().is_some());
}

#[test]
fn with_the_database_stopped_every_route_says_so_and_comes_back_without_a_restart() {
    let mut postgres = Postgres::start();
    let (world, browser) = world(&postgres);
    let stranger = Browser::impatient(&world.base);
    let form = filled_in(&stranger);
    for _ in 0..2 {
        postgres.stop();
        // Connections that were open, and then none.
        every_route_is_unavailable(&browser, &format!("csrf_token={}", "0".repeat(64)));
        every_route_is_unavailable(&browser, "");
        let hashed = world.app.hashes();
        let form_type = [("content-type", "application/x-www-form-urlencoded")];
        is_unavailable("a sign-in", &stranger.send("POST", "/login", Some(&form), &form_type));
        assert_eq!(world.app.hashes(), hashed, "a guess that cannot be counted is not judged");
        shows_nobody(&stranger.get("/"));
        assert_eq!(stranger.get("/login").status, 200);
        postgres.start_again();
        is_back(&browser);
    }
    assert_eq!(
        stranger
            .send("POST", "/login", Some(&form), &[("content-type", "application/x-www-form-urlencoded")])
            .status,
        303
    );
}

#[test]
fn with_the_database_stalled_every_request_ends_in_time_and_the_service_comes_back() {
    let mut postgres = Postgres::start();
    let (world, browser) = world(&postgres);
    let stranger = Browser::impatient(&world.base);
    let form = filled_in(&stranger);
    let (done, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let stalled = Mutex::new(None::<Stopwatch>);
    std::thread::scope(|scope| {
        // Under way at the moment of the stall, wherever they are then.
        for _ in 0..4 {
            let busy = again(&browser);
            let (done, answered, stalled) = (&done, &answered, &stalled);
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    let since = || stalled.lock().expect("no thread failed").as_ref().map(Stopwatch::elapsed);
                    let begun = since();
                    let answer = busy.get("/api/v1/token");
                    if answer.status == 200 {
                        // What is remembered is used for a second at most.
                        let late = begun.filter(|_| since().is_some());
                        assert!(late < Some(Duration::from_secs(1)), "a token {late:?} after the stall");
                        answered.fetch_add(1, Ordering::SeqCst);
                    } else {
                        is_unavailable("a token", &answer);
                    }
                }
            });
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_until("tokens are fetched", || answered.load(Ordering::SeqCst) > 20);
            postgres.pause();
            *stalled.lock().expect("no thread failed") = Some(Stopwatch::start());
            every_route_is_unavailable(&browser, "");
            every_route_is_unavailable(&browser, "");
            let form_type = [("content-type", "application/x-www-form-urlencoded")];
            is_unavailable("a sign-in", &stranger.send("POST", "/login", Some(&form), &form_type));
            *stalled.lock().expect("no thread failed") = None;
            postgres.resume();
            let before = answered.load(Ordering::SeqCst);
            wait_until("tokens are fetched again", || answered.load(Ordering::SeqCst) > before + 20);
        }));
        done.store(true, Ordering::SeqCst);
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    is_back(&browser);
}

#[test]
fn a_transaction_that_stalls_anywhere_ends_in_time_and_holds_nothing_afterwards() {
    let mut postgres = Postgres::start();
    let store = Store::open(&postgres.database()).expect("it opens");
    store.migrate().expect("it is migrated");
    for at_commit in [false, true] {
        let ((inside, is_inside), (go, may_go), (end, ended)) = (channel(), channel::<()>(), channel());
        let stalling = store.clone();
        std::thread::spawn(move || {
            let outcome = stalling.write(0, |tx| {
                lock(tx, "admins")?;
                inside.send(()).expect("the test listens");
                may_go.recv().expect("the test goes on");
                if at_commit { Ok(0) } else { users::count(tx) }
            });
            // Nobody listens any more when it took too long.
            let _ = end.send(outcome);
        });
        is_inside.recv().expect("the transaction begins");
        postgres.pause();
        go.send(()).expect("the transaction waits");
        let outcome = ended.recv_timeout(Duration::from_secs(6));
        postgres.resume();
        let outcome = outcome.expect("it ends within 6 s");
        assert!(matches!(outcome, Err(Error::Unavailable(_))), "{outcome:?}");
        wait_until("the lock is free", || store.write(0, |tx| lock(tx, "admins")).is_ok());
    }
}

#[test]
fn connections_that_are_cut_are_replaced() {
    let postgres = Postgres::start();
    let (world, browser) = world(&postgres);
    // CASE, because AND promises no order: the asker would end itself.
    let cut = "SELECT CAST(pid AS BIGINT) FROM pg_stat_activity
        WHERE CASE WHEN application_name = 'countersign' AND pid <> pg_backend_pid()
        THEN pg_terminate_backend(pid) ELSE false END";
    for _ in 0..5 {
        // Anew each time: its own other connections are cut, too.
        let admin = Store::open(&world.database_url()).expect("it opens");
        let backends = admin.read(|db| db.query(cut, &[])).expect("they are cut");
        assert!(!backends.is_empty());
        wait_until("the service is back", || match browser.get("/api/v1/token") {
            answer if answer.status == 200 => true,
            answer => {
                is_unavailable("a token", &answer);
                false
            }
        });
    }
}

#[test]
fn nothing_that_was_acknowledged_is_lost_or_doubled_while_the_database_restarts() {
    let mut postgres = Postgres::start();
    let (world, _) = world(&postgres);
    let done = AtomicBool::new(false);
    let added: Vec<Vec<String>> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (app, done) = (world.app.clone(), &done);
                scope.spawn(move || {
                    let mut added = Vec::new();
                    for number in 0.. {
                        if done.load(Ordering::SeqCst) {
                            break;
                        }
                        let login = format!("user-{writer}-{number}");
                        let parsed = Login::parse(&login).expect("a login");
                        match app.add_user(&parsed, Role::User, &[], &Caller::cli()) {
                            Ok(_) => added.push(login),
                            Err(AppError::Store(Error::Unavailable(_))) => {}
                            Err(other) => panic!("{other:?}"),
                        }
                    }
                    added
                })
            })
            .collect();
        let count = || {
            App::check(world.app.settings(), &clock::system())
                .items
                .iter()
                .find_map(|item| item.message.split_once(" users;").map(|(head, _)| head.to_owned()))
        };
        for _ in 0..2 {
            let before = count();
            wait_until("users are added", || count() != before);
            postgres.stop();
            postgres.start_again();
        }
        let before = count();
        wait_until("users are added again", || count() != before && world.app.is_ready());
        done.store(true, Ordering::SeqCst);
        writers.into_iter().map(|writer| writer.join().expect("no panic")).collect()
    });
    for login in added.concat() {
        world.app.user(&Login::parse(&login).expect("a login")).expect("what was acknowledged is there");
    }
    let store = Store::open(&world.database_url()).expect("it opens");
    let odd = "SELECT subject FROM audit WHERE event = 'user_added' GROUP BY subject HAVING COUNT(*) <> 1";
    assert!(store.read(|db| db.query(odd, &[])).expect("it is read").is_empty());
}

#[test]
fn a_command_says_that_the_database_does_not_answer() {
    let mut postgres = Postgres::start();
    let url = postgres.database();
    postgres.stop();
    let ended = countersign(&url)
        .env("COUNTERSIGN_MASTER_KEY", MASTER_KEY)
        .args(["user", "list"])
        .output()
        .expect("it ends");
    let text = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{text}");
    assert!(text.contains("the database does not answer") && !text.contains("panicked"), "{text}");
}
