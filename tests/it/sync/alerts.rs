//! Alerts, as their receiver sees them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::app::Caller;
use countersign::core::hs256::State;
use countersign::standin::{API_KEY, Fault, FaultRule, On, Person};
use rstest_reuse::apply;
use serde_json::Value;

use super::Synced;
use crate::server::{Place, every_place, wait_until};

/// A message with its headers.
struct Received {
    headers: Vec<(String, String)>,
    body: String,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(known, _)| known == name).expect("a header").1
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    fn text(&self, pointer: &str) -> String {
        self.json().pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("its prefix")).expect("base64");
        let start = format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp"));
        let expected = STANDARD.encode(State::after(&key, start.as_bytes()).over(self.body.as_bytes()));
        self.header("webhook-signature") == format!("v1,{expected}")
    }
}

/// A server that answers messages with the statuses it is given, and 200 after that.
fn receiver(statuses: Vec<u16>) -> (String, Receiver<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("it listens");
    let url = format!("http://{}/alerts?of=us", listener.local_addr().expect("an address"));
    let (sender, received) = mpsc::channel();
    let mut statuses = statuses.into_iter();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut reader = BufReader::new(stream.try_clone().expect("the same one"));
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("a line");
                if line.trim().is_empty() {
                    break;
                }
                lines.push(line.trim().to_owned());
            }
            let headers: Vec<(String, String)> = lines
                .iter()
                .skip(1)
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            let length = headers.iter().find(|(name, _)| name == "content-length").expect("a length");
            let mut body = vec![0; length.1.parse().expect("a number")];
            reader.read_exact(&mut body).expect("a body");
            let status = statuses.next().unwrap_or(200);
            let answer = format!(
                "HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).expect("it is answered");
            let body = String::from_utf8(body).expect("text");
            if status == 200 && sender.send(Received { headers, body }).is_err() {
                return;
            }
        }
    });
    (url, received)
}

fn send(synced: &Synced) {
    synced.world.app.send_alerts().expect("looked at");
}

#[apply(every_place)]
fn a_refused_key_is_told_once_a_day_and_its_end_once(place: Place) {
    let synced = Synced::new(place);
    synced.world.user("ana");
    let (url, received) = receiver(vec![500, 302]);
    let secret = synced.world.app.send_alerts_to(&synced.desk, &url, &Caller::cli()).expect("on");
    synced.run();
    send(&synced);
    assert!(received.try_recv().is_err(), "there is no problem");

    synced.standin.set_api_key("2:ANOTHER");
    synced.run();
    // A receiver that fails is tried again, not at once.
    for why in ["status 500", "redirects"] {
        send(&synced);
        let unsent = synced.world.app.unsent_alerts(&synced.desk).expect("read");
        assert!(unsent.len() == 1 && unsent[0].1.contains(why), "{unsent:?}");
        send(&synced);
        assert!(received.try_recv().is_err());
        if place == Place::Postgres {
            // Its clock is the real one.
            return;
        }
        synced.world.advance(301);
    }
    send(&synced);
    let alert = received.recv().expect("an alert");
    assert_eq!(
        (alert.text("/type"), alert.text("/data/kind"), alert.text("/data/code")),
        ("sync.problem".into(), "stopped".into(), "key_refused".into())
    );
    assert!(alert.is_signed_with(&secret) && !alert.is_signed_with("whsec_AAAA"));
    assert!(!alert.body.contains(API_KEY) && !alert.body.contains("ana"), "{}", alert.body);
    assert!(synced.world.app.unsent_alerts(&synced.desk).expect("read").is_empty());
    let metrics = synced.world.app.metrics().expect("metrics");
    assert!(
        metrics.contains("countersign_sync_problems{kind=\"stopped\",messenger=\"default\"} 1"),
        "{metrics}"
    );

    for _ in 0..23 {
        synced.world.advance(3_600);
        send(&synced);
    }
    assert!(received.try_recv().is_err(), "once a day");
    synced.world.advance(3_601);
    send(&synced);
    let again = received.recv().expect("the next day");
    assert!(
        again.text("/type") == "sync.problem" && again.header("webhook-id") != alert.header("webhook-id")
    );

    synced.standin.set_api_key(API_KEY);
    synced.run();
    send(&synced);
    send(&synced);
    let clear = received.recv().expect("an all-clear");
    assert_eq!((clear.text("/type"), clear.text("/data/kind")), ("sync.all_clear".into(), "stopped".into()));
    assert!(received.try_recv().is_err());
}

#[apply(every_place)]
fn users_who_cannot_be_sent_and_new_conflicts_are_told(place: Place) {
    let synced = Synced::new(place);
    synced.set("alert_percent", "50");
    let (url, received) = receiver(Vec::new());
    synced.world.app.send_alerts_to(&synced.desk, &url, &Caller::cli()).expect("on");
    let agent = |login: &str| {
        synced.standin.seed(Person {
            email: Some(format!("{login}@example.com")),
            is_agent: true,
            ..Person::default()
        });
    };
    synced.standin.set_faults(vec![FaultRule {
        fault: Fault::Field("name".into()),
        on: On::Person("ben@example.com".into()),
    }]);
    for login in ["ana", "ben", "cleo"] {
        if login == "ana" {
            agent(login);
        }
        synced.world.user(login);
    }
    synced.run();
    send(&synced);
    let conflicts = received.recv().expect("an alert");
    assert_eq!(
        (conflicts.text("/data/kind"), conflicts.json()["data"]["users"].as_i64()),
        ("conflicts".into(), Some(1))
    );
    assert!(received.try_recv().is_err(), "one of three is not more than half");
    synced.set("alert_percent", "20");
    send(&synced);
    let refused = received.recv().expect("an alert");
    assert_eq!(refused.text("/data/kind"), "refused");
    assert!(refused.text("/data/words").contains("1 user of 3 could not be sent"), "{}", refused.body);
    assert!(!refused.body.contains("ben"), "it names no user");

    synced.world.app.pause_desk(&synced.desk, true, &Caller::cli()).expect("paused");
    synced.standin.set_faults(Vec::new());
    send(&synced);
    assert!(received.try_recv().is_err(), "a pause is no all-clear");
    synced.world.app.pause_desk(&synced.desk, false, &Caller::cli()).expect("resumed");
    synced.world.app.retry_people(&synced.desk, None).expect("retried");
    synced.settle();
    wait_until("all is sent", || synced.row("ben").deskpro_id.is_some());
    send(&synced);
    assert_eq!(received.recv().expect("an all-clear").text("/data/kind"), "refused");
    assert!(received.try_recv().is_err(), "ana is still in conflict, and that is known");
    synced.world.app.send_no_alerts(&synced.desk, &Caller::cli()).expect("off");
    send(&synced);
    assert!(received.try_recv().is_err());
}

#[apply(every_place)]
fn of_two_servers_one_sends(place: Place) {
    let synced = Synced::new(place);
    let (url, received) = receiver(Vec::new());
    synced.world.app.send_alerts_to(&synced.desk, &url, &Caller::cli()).expect("on");
    synced.standin.set_api_key("2:ANOTHER");
    synced.run();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let app = synced.world.app.clone();
            scope.spawn(move || app.send_alerts().expect("looked at"));
        }
    });
    assert!(received.recv().is_ok() && received.try_recv().is_err(), "one");
}

#[test]
fn a_url_that_cannot_be_used_is_refused() {
    let synced = Synced::new(Place::Sqlite);
    for url in ["", "example.com", "ftp://example.com", "https://me:secret@example.com/"] {
        synced.world.app.send_alerts_to(&synced.desk, url, &Caller::cli()).expect_err(url);
    }
    let refused = synced.world.app.test_alerts(&synced.desk).expect_err("nowhere");
    assert!(refused.to_string().contains("Enter a URL"), "{refused}");
    synced.world.app.send_alerts_to(&synced.desk, "http://127.0.0.1:1/", &Caller::cli()).expect("private");
    let refused = synced.world.app.test_alerts(&synced.desk).expect_err("nobody listens");
    assert!(refused.to_string().contains("did not arrive"), "{refused}");
}
