//! Pages of other origins: those on the list read tokens and end sessions, all others read nothing.

use crate::server::{Answer, Browser, Place, World};

const ALLOWED: &str = "https://www.example.com";
const OTHERS: [&str; 16] = [
    "null",
    "*",
    "",
    "http://www.example.com",
    "https://www.example.com:443",
    "https://www.example.com:8443",
    "https://www.example.com.evil.example",
    "https://evil-www.example.com",
    "https://example.com",
    "https://sub.www.example.com",
    "https://www.example.com/",
    "HTTPS://WWW.EXAMPLE.COM",
    "https://www.example.com, https://evil.example",
    "https://www.example.com evil",
    "https://user@www.example.com",
    "https://www.example.com%00",
];
const TOKEN: &str = "/api/v1/token";
const SESSION: &str = "/api/v1/session";

fn world(place: Place) -> World {
    let world = World::with(place, |source| {
        source.with("allowed_origins", "https://www.example.com,http://127.0.0.1:4000")
    });
    world.user("ana");
    world
}

fn asked(browser: &Browser, method: &str, path: &str, origin: &str) -> Answer {
    let headers = [("origin", origin), ("sec-fetch-site", "same-site"), ("x-countersign", "1")];
    browser.send(method, path, None, &headers)
}

fn granted(answer: &Answer) -> Vec<&str> {
    let names = ["access-control-allow-origin", "access-control-allow-credentials"];
    names.iter().filter_map(|name| answer.header(name)).collect()
}

fn varies(answer: &Answer) -> bool {
    answer.headers.iter().any(|(name, value)| name == "vary" && value.contains("Origin"))
}

fn check(place: Place) {
    let world = world(place);
    let (ana, nobody) = (world.browser().signed_in("ana"), world.browser());
    for origin in [ALLOWED, "http://127.0.0.1:4000"] {
        for (browser, status) in [(&ana, 200), (&nobody, 401)] {
            let answer = asked(browser, "GET", TOKEN, origin);
            assert_eq!((answer.status, granted(&answer)), (status, vec![origin, "true"]), "{}", answer.body);
            assert!(varies(&answer));
        }
        let preflight = asked(&nobody, "OPTIONS", SESSION, origin);
        assert_eq!((preflight.status, granted(&preflight)), (204, vec![origin, "true"]));
        assert_eq!(preflight.header("access-control-allow-methods"), Some("POST, DELETE"));
        assert_eq!(preflight.header("access-control-allow-headers"), Some("X-Countersign, Content-Type"));
        assert_eq!(preflight.header("access-control-max-age"), Some("600"));
    }
    let mut tried = 0;
    for origin in OTHERS {
        for (method, path) in
            [("GET", TOKEN), ("HEAD", TOKEN), ("OPTIONS", TOKEN), ("OPTIONS", SESSION), ("DELETE", SESSION)]
        {
            let answer = asked(&ana, method, path, origin);
            let names: Vec<&String> = answer
                .headers
                .iter()
                .map(|(name, _)| name)
                .filter(|name| name.starts_with("access-control"))
                .collect();
            assert!(names.is_empty() && varies(&answer), "{method} {path} {origin:?}: {names:?}");
            tried += 1;
        }
    }
    assert_eq!(tried, 80);
    // Twice is once too often.
    let twice = ana.send("GET", TOKEN, None, &[("origin", ALLOWED), ("origin", ALLOWED)]);
    assert!(granted(&twice).is_empty());
    // Nothing else is shared.
    for path in ["/", "/login", "/admin/mapping", "/api/v1/admin/mapping", "/healthz"] {
        assert!(granted(&asked(&ana, "GET", path, ALLOWED)).is_empty(), "{path}");
    }
    assert_eq!(ana.get(TOKEN).status, 200, "nothing has ended the session");
}

fn ends(place: Place) {
    let world = world(place);
    let refused = |headers: &[(&str, &str)]| {
        let ana = world.browser().signed_in("ana");
        let answer = ana.send("DELETE", SESSION, None, headers);
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (403, Some("header_needed")),
            "{headers:?}"
        );
        assert_eq!(ana.get(TOKEN).status, 200, "{headers:?}");
    };
    refused(&[]);
    refused(&[("origin", ALLOWED)]);
    refused(&[("origin", ALLOWED), ("x-countersign", "yes")]);
    for origin in OTHERS {
        refused(&[("origin", origin), ("x-countersign", "1")]);
    }
    refused(&[("sec-fetch-site", "cross-site"), ("x-countersign", "1")]);
    let ana = world.browser().signed_in("ana");
    let cookies = ana.cookies.borrow().clone();
    let done = asked(&ana, "DELETE", SESSION, ALLOWED);
    assert_eq!((done.status, granted(&done)), (204, vec![ALLOWED, "true"]));
    assert!(!ana.cookies.borrow().contains_key(&world.session_cookie()), "the cookie is gone");
    *ana.cookies.borrow_mut() = cookies;
    assert_eq!(ana.get(TOKEN).status, 401, "and replayed it is nobody's");
    assert_eq!(asked(&ana, "DELETE", SESSION, ALLOWED).status, 204, "again is no error");
    let own = world.browser().signed_in("ana");
    assert_eq!(own.send("DELETE", SESSION, None, &[("x-countersign", "1")]).status, 204);
    assert_eq!(own.get(TOKEN).status, 401);
}

#[test]
fn headers_that_tracing_adds_to_every_request_may_be_sent() {
    let world = world(Place::Sqlite);
    let nobody = world.browser();
    let preflight = |path: &str, asked: &str| {
        let headers = [("origin", ALLOWED), ("access-control-request-headers", asked)];
        nobody.send("OPTIONS", path, None, &headers)
    };
    let traced = "baggage,sentry-trace,traceparent,x-countersign";
    for path in [TOKEN, SESSION, "/api/v1/messenger"] {
        let answer = preflight(path, traced);
        assert_eq!(
            (answer.status, answer.header("access-control-allow-headers")),
            (204, Some(traced)),
            "{path}"
        );
    }
    assert_eq!(granted(&preflight("/api/v1/messenger", traced)), ["*"], "what any page may read");
    for odd in ["x;y", "*", &"a,".repeat(501)] {
        let answer = preflight(TOKEN, odd);
        assert_eq!(
            answer.header("access-control-allow-headers"),
            Some("X-Countersign, Content-Type"),
            "{odd}"
        );
    }
    let stranger = [("origin", "https://evil.example"), ("access-control-request-headers", traced)];
    assert_eq!(nobody.send("OPTIONS", TOKEN, None, &stranger).header("access-control-allow-headers"), None);
}

#[test]
fn pages_of_the_list_read_tokens_and_no_others_on_sqlite() {
    check(Place::Sqlite);
}

#[test]
fn pages_of_the_list_read_tokens_and_no_others_on_postgres() {
    check(Place::Postgres);
}

#[test]
fn pages_of_the_list_read_tokens_and_no_others_under_a_path() {
    check(Place::Path);
}

#[test]
fn a_session_is_ended_by_pages_of_the_list_on_sqlite() {
    ends(Place::Sqlite);
}

#[test]
fn a_session_is_ended_by_pages_of_the_list_on_postgres() {
    ends(Place::Postgres);
}

#[test]
fn a_session_is_ended_by_pages_of_the_list_under_a_path() {
    ends(Place::Path);
}
