//! The stand-in over HTTP, as the panel and the host page ask it, and while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use countersign::standin::{Expiry, Play, Reason, StandIn, State};
use serde_json::{Value, json};

use super::{NOW, SECRET, ana, present, start, token};

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

fn post(url: &str, body: &Value) -> (u16, Value) {
    let mut answer = agent().post(url).send_json(body).expect("the stand-in answers");
    (answer.status().as_u16(), answer.body_mut().read_json().expect("the stand-in answers"))
}

#[test]
fn time_and_secret_can_change_while_it_runs() {
    let clock = Arc::new(AtomicI64::new(NOW));
    let hands = Arc::clone(&clock);
    let standin =
        StandIn::start("127.0.0.1:0", SECRET, Play::default(), move || hands.load(Ordering::SeqCst)).unwrap();
    assert_eq!(present(&standin, &ana()).state, State::Confirmed);
    clock.store(NOW + 600, Ordering::SeqCst);
    assert_eq!(present(&standin, &ana()).reason, Some(Reason::Expired));
    standin.set_secret(b"rotated");
    assert_eq!(present(&standin, &ana()).reason, Some(Reason::BadSignature));
    let states: Vec<_> = standin.verifications().iter().map(|line| (line.number, line.state)).collect();
    assert_eq!(states, [(3, State::Refused), (2, State::Refused), (1, State::Confirmed)]);
}

#[test]
fn a_conversation_belongs_to_the_person_and_not_to_the_browser() {
    let standin = start(Play::default());
    let url = format!("{}/messages", standin.deskpro_url());
    let say = |token: Option<String>, text: &str| {
        let mut body =
            json!({"messenger_id": standin.messenger_id(), "visitor": "one browser", "text": text});
        if let Some(token) = token {
            body["signedUserInfo"] = token.into();
        }
        let (status, answer) = post(&url, &body);
        assert_eq!(status, 200, "{answer}");
        answer["messages"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|message| message["from_support"] == false)
            .count()
    };
    let bo = json!({"email": "bo@example.com"});
    assert_eq!(say(Some(token(&ana())), "hello"), 1);
    assert_eq!(say(Some(token(&ana())), "<img src=x onerror=alert(1)>"), 2);
    assert_eq!(say(Some(token(&bo)), "hi"), 1);
    assert_eq!(say(None, "who am I"), 1);
    assert_eq!(say(Some(token(&ana())), "back"), 3);
    assert_eq!(say(Some("broken".to_owned()), "not kept"), 0);
}

#[test]
fn over_http_a_null_token_is_a_mistake_and_an_absent_one_is_a_visitor() {
    let standin = start(Play::default());
    let url = format!("{}/session", standin.deskpro_url());
    let id = standin.messenger_id();
    let (_, absent) = post(&url, &json!({"messenger_id": id}));
    assert_eq!(absent["state"], "unconfirmed");
    for wrong in [json!(null), json!(""), json!(7)] {
        let (_, answer) = post(&url, &json!({"messenger_id": id, "signedUserInfo": wrong}));
        assert_eq!(
            (&answer["state"], &answer["reason"]),
            (&json!("refused"), &json!("malformed")),
            "{wrong}"
        );
    }
    let (status, _) = post(&url, &json!({"messenger_id": "another"}));
    assert_eq!(status, 400);
}

#[test]
fn pages_of_other_origins_may_load_the_script_and_frame_the_panel_and_nothing_else() {
    let standin = start(Play::default());
    let header = |path: &str, name: &str| {
        let answer = agent().get(format!("{}{path}", standin.origin())).call().unwrap();
        answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    for file in ["web.js", "bridge.js", "web.css", "tokens.css", "launcher.svg"] {
        let path = format!("/deskpro-messenger-init/{file}");
        assert_eq!(header(&path, "cross-origin-resource-policy"), "cross-origin", "{file}");
        assert_eq!(header(&path, "access-control-allow-origin"), "*", "{file}");
    }
    for path in ["/", "/standin/state.json", "/standin/people.json", "/nothing"] {
        assert_eq!(header(path, "cross-origin-resource-policy"), "same-origin", "{path}");
        assert_eq!(header(path, "access-control-allow-origin"), "", "{path}");
        assert_eq!(header(path, "cache-control"), "no-store", "{path}");
        assert!(header(path, "content-security-policy").contains("frame-ancestors 'none'"), "{path}");
    }
    let panel = standin.deskpro_url().replace(standin.origin(), "") + "/panel?host=";
    let policy = header(&format!("{panel}http://127.0.0.1:8080"), "content-security-policy");
    assert!(policy.ends_with("frame-ancestors http://127.0.0.1:8080"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for host in ["*", "https://a.example/", "https://a.example%20*", "javascript:x", ""] {
        let answer = agent().get(format!("{}{panel}{host}", standin.origin())).call().unwrap();
        assert_eq!(answer.status().as_u16(), 400, "{host}");
    }
}

#[test]
fn the_page_can_switch_how_it_plays() {
    let standin = start(Play::default());
    let url = format!("{}/standin/play", standin.origin());
    let put = |body: Value| agent().put(&url).send_json(body).unwrap().status().as_u16();
    assert_eq!(put(json!({"exp": "required", "leeway": 5, "require_jwt": true})), 200);
    let wanted = Play { exp: Expiry::Required, leeway: 5, require_jwt: true, ..Play::default() };
    assert_eq!(standin.play(), wanted);
    assert_eq!(put(json!({"exp": "sometimes"})), 400);
    assert_eq!(put(json!({"expiry": "ignored"})), 400);
    assert_eq!(standin.play(), wanted);
}
