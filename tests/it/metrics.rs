//! Metrics: what operators watch, on a listener of its own.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use rstest_reuse::apply;

use crate::server::{Browser, PASSWORD, Place, World, every_place};

/// A world with metrics, and what its listener answers.
pub fn watched(place: Place) -> (World, Browser) {
    let world = World::with(place, |source| source.with("metrics_listen", "127.0.0.1:0"));
    let address: SocketAddr = world.server.metrics_address.expect("it serves metrics");
    (world, Browser::new(&format!("http://{address}")))
}

/// The value of a series, 0 if it is not there.
pub fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().expect("a number"))
}

#[apply(every_place)]
fn what_happens_is_counted_and_says_nothing_about_people(place: Place) {
    let (world, monitoring) = watched(place);
    let base = world.browser();
    world.user("ana");
    let ana = world.browser().signed_in("ana");
    assert_eq!(base.sign_in("ana", "not the password").status, 401);
    world.app.poll_changes().expect("the database answers");
    for _ in 0..3 {
        assert_eq!(ana.get("/api/v1/token").status, 200);
    }
    assert_eq!(ana.get("/").status, 200);
    base.get("/api/v1/token");
    base.get("/a-path-that-somebody-typed?with=words");
    base.send("BREW", "/", None, &[]);
    let answer = monitoring.get("/metrics");
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = &answer.body;
    for (series, expected) in [
        ("countersign_tokens_total{messenger=\"default\"}", 4.0),
        ("countersign_token_cache_hits_total", 2.0),
        ("countersign_token_cache_misses_total{reason=\"absent\"}", 2.0),
        ("countersign_outcomes_total{kind=\"sign_in\",outcome=\"right\"}", 1.0),
        ("countersign_outcomes_total{kind=\"sign_in\",outcome=\"wrong\"}", 1.0),
        ("countersign_http_requests_total{method=\"GET\",route=\"/api/v1/token\",status=\"200\"}", 3.0),
        ("countersign_http_requests_total{method=\"GET\",route=\"/api/v1/token\",status=\"401\"}", 1.0),
        ("countersign_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"}", 1.0),
        ("countersign_http_requests_total{method=\"other\",route=\"/\",status=\"405\"}", 1.0),
        ("countersign_http_request_seconds_count{route=\"/api/v1/token\"}", 4.0),
        ("countersign_jobs{state=\"waiting\"}", 0.0),
        ("countersign_build_info{version=\"0.1.0\"}", 1.0),
    ] {
        assert!((value(text, series) - expected).abs() < f64::EPSILON, "{series}: {text}");
    }
    // Adding the user and two guesses were hashed.
    assert!(value(text, "countersign_password_hash_seconds_count") >= 3.0, "{text}");
    assert!(value(text, "countersign_database_wait_seconds_count") >= 1.0, "{text}");
    assert!(value(text, "countersign_token_cache_bytes") > 500.0, "{text}");
    assert!(value(text, "countersign_changes_poll_age_seconds") < 60.0, "{text}");
    for word in ["ana", "somebody-typed", "?with", "BREW", PASSWORD] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

#[test]
fn metrics_have_a_listener_of_their_own() {
    let (world, monitoring) = watched(Place::Sqlite);
    assert_eq!(world.browser().get("/metrics").status, 404);
    assert_eq!(monitoring.get("/").status, 404);
    assert_eq!(monitoring.get("/api/v1/token").status, 404);
    let without = World::new(Place::Sqlite);
    assert_eq!(without.server.metrics_address, None);
}

#[test]
fn a_document_says_what_each_metric_means() {
    let (world, monitoring) = watched(Place::Sqlite);
    world.user("ana");
    world.browser().signed_in("ana").get("/api/v1/token");
    world.attribute("plan");
    let text = monitoring.get("/metrics").body;
    let known: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let document = include_str!("../../docs/metrics.md");
    let documented: BTreeSet<&str> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `countersign_"))
        .filter_map(|rest| rest.split('`').next())
        .collect();
    let known: BTreeSet<&str> = known.iter().filter_map(|name| name.strip_prefix("countersign_")).collect();
    let unseen: Vec<&&str> = documented.difference(&known).collect();
    // Nobody was refused a token, and no helpdesk is connected.
    assert_eq!(unseen, [&"sync_people", &"sync_problems", &"token_refusals_total", &"users_in_conflict"]);
    assert!(known.is_subset(&documented), "{known:?}");
}

#[test]
fn promtool_accepts_them() {
    let (world, monitoring) = watched(Place::Sqlite);
    world.user("ana");
    world.browser().signed_in("ana").get("/api/v1/token");
    let text = monitoring.get("/metrics").body;
    let unpacked = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/.prometheus/usr/bin/promtool");
    let program = if std::path::Path::new(unpacked).exists() { unpacked } else { "promtool" };
    let mut promtool = Command::new(program)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, of Debian's package prometheus");
    std::io::Write::write_all(&mut promtool.stdin.take().expect("its input"), text.as_bytes())
        .expect("written");
    let checked = promtool.wait_with_output().expect("it ends");
    let said =
        String::from_utf8_lossy(&checked.stderr).into_owned() + &String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success() && said.is_empty(), "{said}");
}
