//! The console for programs: the same doings as JSON, with problems instead of pages.

use countersign::core::user::Login;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::console::admin;
use crate::server::{Answer, Browser, World, encode, everywhere, wait_until};

const MAPPING: &str = "/api/v1/admin/mapping";
const STARTER: &str = r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}]}"#;
const LABELLED: &str = r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}, {"claim": "labels", "from": {"constant": "x"}}]}"#;

fn send(browser: &Browser, method: &str, below: &str, body: &Value) -> Answer {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let headers = [("content-type", "application/json"), ("x-countersign", "1")];
    browser.send(method, &format!("{MAPPING}{below}"), Some(&text), &headers)
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

#[apply(everywhere)]
fn a_program_publishes_reads_and_restores(world: &World) {
    let ada = admin(world, "ada");
    assert_eq!(ada.get(MAPPING).json()["version"], 0);
    let published = send(&ada, "POST", "", &json!({"text": LABELLED, "reason": "by a program"}));
    assert_eq!((published.status, &published.json()["version"]), (201, &json!(1)), "{}", published.body);
    let shown = ada.get(MAPPING).json();
    assert_eq!(
        (&shown["text"], &shown["by"], &shown["reason"]),
        (&json!(LABELLED), &json!("ada"), &json!("by a program"))
    );
    assert_eq!(send(&ada, "POST", "", &json!({"text": STARTER, "base": 1})).status, 201);
    let moved = send(&ada, "POST", "", &json!({"text": LABELLED, "base": 1}));
    assert_eq!(code(&moved), (409, "mapping_moved".to_owned()));
    assert_eq!(
        (&moved.json()["theirs"], &moved.json()["yours"]),
        (&json!({"version": 2, "text": STARTER}), &json!({"text": LABELLED}))
    );
    let restored = send(&ada, "POST", "/versions/1/restore", &json!({"in_force": 2}));
    assert_eq!((restored.status, &restored.json()["version"]), (201, &json!(3)));
    assert_eq!(
        code(&send(&ada, "POST", "/versions/1/restore", &json!({"in_force": 2}))),
        (409, "mapping_moved".to_owned())
    );
    assert_eq!(
        code(&send(&ada, "POST", "/versions/1/restore", &json!({"in_force": 7}))),
        (409, "mapping_moved".to_owned())
    );
    assert_eq!(
        code(&send(&ada, "POST", "/versions/9/restore", &json!({"in_force": 3}))),
        (404, "not_found".to_owned())
    );
    let versions = ada.get(&format!("{MAPPING}/versions")).json();
    let numbers: Vec<&Value> =
        versions["versions"].as_array().expect("a list").iter().map(|line| &line["version"]).collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!(versions["versions"][1]["changes"], json!(["Removed: Labels ← always “x”"]));
    assert_eq!(ada.get(&format!("{MAPPING}/versions/2")).json()["text"], STARTER);
}

#[apply(everywhere)]
fn what_a_program_sends_wrongly_is_told_and_changes_nothing(world: &World) {
    let ada = admin(world, "ada");
    let broken = send(
        &ada,
        "POST",
        "",
        &json!({"text": r#"{"rules": [{"claim": "labels", "from": {"attribute": "nothing"}}]}"#}),
    );
    assert_eq!(code(&broken), (422, "mapping_errors".to_owned()));
    let found: Vec<Value> = broken.json()["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|found| found["code"].clone())
        .collect();
    assert_eq!(found, ["no_identifier", "unknown_attribute"]);
    for (body, status, code) in [
        ("", 400, "bad_body"),
        ("{", 400, "bad_body"),
        ("[]", 400, "bad_body"),
        ("{\"text\": 7}", 400, "bad_body"),
        ("{\"text\": \"\", \"user\": \"ana\"}", 400, "bad_body"),
        ("{\"reason\": \"x\"}", 400, "bad_body"),
        ("\u{fe}", 400, "bad_body"),
    ] {
        let answer = ada.send(
            "POST",
            MAPPING,
            Some(body),
            &[("content-type", "application/json"), ("x-countersign", "1")],
        );
        assert_eq!(self::code(&answer), (status, code.to_owned()), "{body}");
    }
    let form = ada.send(
        "POST",
        MAPPING,
        Some("text=x"),
        &[("content-type", "application/x-www-form-urlencoded"), ("x-countersign", "1")],
    );
    assert_eq!(form.status, 415);
    let large = send(&ada, "POST", "/check", &json!({"text": "x".repeat(200_001)}));
    assert_eq!((large.status, &large.json()["findings"][0]["code"]), (200, &json!("draft_too_large")));
    assert_eq!(send(&ada, "POST", "/check", &json!({"text": "x".repeat(3_000_000)})).status, 413);
    for messenger in ["shop", "", "default%20"] {
        assert_eq!(
            code(&ada.get(&format!("{MAPPING}?messenger={messenger}"))),
            (404, "unknown_messenger".to_owned())
        );
    }
    assert_eq!(ada.get(&format!("{MAPPING}/versions/x")).status, 404);
    let reason = |reason: &str| send(&ada, "POST", "", &json!({"text": LABELLED, "reason": reason}));
    assert_eq!(code(&reason("a\0b")), (400, "bad_request".to_owned()));
    assert_eq!(code(&reason(&"x".repeat(501))), (422, "not_possible".to_owned()));
    for path in [
        "/api/v1/admin/audit?event=%00",
        "/api/v1/admin/audit?user=%00",
        "/api/v1/admin/audit?before=%00",
        "/api/v1/admin/audit?limit=x",
        "/admin/audit?event=%00&user=%00&before=%00",
        "/admin/audit/file?event=%00",
        "/admin/mapping?user=a%00b",
        "/admin/mapping/expected/user?login=%00",
        "/api/v1/admin/mapping/expected/%00",
        "/admin/confirm?next=%00",
        "/api/v1/token?messenger=%00",
        "/admin/mapping/rules/99999999999999999999",
        "/admin/mapping/versions/-1",
        "/admin/mapping/versions/9223372036854775808",
        "/api/v1/admin/mapping/versions/-9223372036854775808",
    ] {
        let answer = ada.get(path);
        assert!(answer.status < 500, "{path}: {}", answer.body);
    }
    for body in [json!({"revision": i64::MAX, "text": "{}"}), json!({"revision": -1, "text": "{}"})] {
        let answer = send(&ada, "PUT", "/draft", &body);
        assert!(matches!(answer.status, 409 | 422), "{body}: {}", answer.body);
    }
    for body in [json!({"in_force": i64::MAX}), json!({"in_force": i64::MIN})] {
        assert!(send(&ada, "POST", "/versions/1/restore", &body).status < 500, "{body}");
    }
    for base in [i64::MAX, i64::MIN, -1, 7] {
        let answer = send(&ada, "POST", "", &json!({"text": LABELLED, "base": base}));
        assert_eq!(answer.status, 422, "{base}: {}", answer.body);
    }
    assert_eq!(ada.get(MAPPING).json()["version"], 0);
}

#[apply(everywhere)]
fn changes_need_the_header_and_our_own_origin(world: &World) {
    let ada = admin(world, "ada");
    let body = json!({"text": LABELLED}).to_string();
    let own = world.base.trim_end_matches("/accounts").to_owned();
    let json = ("content-type", "application/json");
    for headers in [
        vec![],
        vec![("x-countersign", "0")],
        vec![("x-countersign", "1"), ("origin", "https://evil.example")],
        vec![("x-countersign", "1"), ("origin", "null")],
        vec![("x-countersign", "1"), ("sec-fetch-site", "same-site")],
    ] {
        let headers: Vec<_> = headers.into_iter().chain([json]).collect();
        assert_eq!(
            code(&ada.send("POST", MAPPING, Some(&body), &headers)),
            (403, "header_needed".to_owned()),
            "{headers:?}"
        );
    }
    assert_eq!(ada.get(MAPPING).json()["version"], 0);
    let preflight = ada.send(
        "OPTIONS",
        MAPPING,
        None,
        &[("origin", "https://evil.example"), ("access-control-request-method", "POST")],
    );
    assert!(preflight.header("access-control-allow-origin").is_none());
    let headers = [json, ("x-countersign", "1"), ("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    let done = ada.send("POST", MAPPING, Some(&body), &headers);
    assert_eq!(done.status, 201, "{}", done.body);
    let stranger = world.browser().send("POST", MAPPING, Some(&"x".repeat(100_000)), &headers);
    assert_eq!(code(&stranger), (401, "signed_out".to_owned()));
}

#[apply(everywhere)]
fn a_draft_is_kept_compared_and_published_by_a_program(world: &World) {
    world.user("ana");
    let ada = admin(world, "ada");
    let draft = ada.get(&format!("{MAPPING}/draft")).json();
    assert_eq!((&draft["revision"], &draft["base"]), (&json!(0), &json!(0)));
    let revision = || ada.get(&format!("{MAPPING}/draft")).json()["revision"].clone();
    let kept = send(&ada, "PUT", "/draft", &json!({"revision": 0, "text": "{"}));
    assert_eq!(
        (kept.status, &kept.json()["findings"][0]["code"]),
        (200, &json!("not_json")),
        "right or wrong"
    );
    assert_eq!(
        code(&send(&ada, "PUT", "/draft", &json!({"revision": 0, "text": LABELLED}))),
        (409, "changed_meanwhile".to_owned())
    );
    assert_eq!(send(&ada, "PUT", "/draft", &json!({"revision": revision(), "text": LABELLED})).status, 200);
    assert_eq!(
        code(&send(&ada, "POST", "/draft/publish", &json!({"revision": revision()}))),
        (422, "reason_needed".to_owned())
    );
    assert_eq!(
        code(&send(&ada, "POST", "/draft/publish", &json!({"revision": revision(), "reason": "\u{200b} "}))),
        (422, "reason_needed".to_owned())
    );
    assert_eq!(code(&ada.get(&format!("{MAPPING}/draft/comparison"))), (404, "not_found".to_owned()));
    assert_eq!(send(&ada, "POST", "/draft/comparison", &Value::Null).status, 202);
    wait_until("all are looked at", || {
        ada.get(&format!("{MAPPING}/draft/comparison")).json()["state"] == "done"
    });
    let effect = ada.get(&format!("{MAPPING}/draft/comparison")).json()["effect"].clone();
    assert_eq!((&effect["users"], &effect["changed"]), (&json!(2), &json!(2)));
    let published = send(&ada, "POST", "/draft/publish", &json!({"revision": revision()}));
    assert_eq!((published.status, &published.json()["version"]), (201, &json!(1)), "{}", published.body);
    assert_eq!(send(&ada, "DELETE", "/draft", &Value::Null).status, 204);

    assert_eq!(send(&ada, "PUT", "/draft", &json!({"revision": revision(), "text": STARTER})).status, 200);
    assert_eq!(send(&ada, "POST", "", &json!({"text": LABELLED, "reason": "by another"})).status, 201);
    let moved = send(&ada, "POST", "/draft/publish", &json!({"revision": revision(), "reason": "mine"}));
    assert_eq!(code(&moved), (409, "mapping_moved".to_owned()));
    assert_eq!(moved.json()["yours"]["text"], STARTER, "nothing is lost");
    for base in [3, 5000, i64::MAX, -3] {
        assert_eq!(
            send(&ada, "POST", "/draft/rebase", &json!({"revision": revision(), "base": base})).status,
            409,
            "{base}"
        );
    }
    assert_eq!(send(&ada, "POST", "/draft/rebase", &json!({"revision": revision(), "base": 2})).status, 200);
    assert_eq!(
        send(&ada, "POST", "/draft/publish", &json!({"revision": revision(), "reason": "mine"})).status,
        201
    );
}

#[apply(everywhere)]
fn preview_page_api_and_token_hold_the_same(world: &World) {
    world.attribute("plan");
    world.user_with(
        "gil",
        countersign::core::user::Role::User,
        &[
            ("email", "gil@example.com"),
            ("email_verified", "yes"),
            ("plan", "a</script>\u{2028}\""),
            ("display_name", "Gil"),
        ],
    );
    let ada = admin(world, "ada");
    let text = r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}, {"claim": "labels", "from": {"attribute": "plan"}}, {"claim": "fields.7", "from": {"text": ["{display_name} {plan}"]}}]}"#;
    let unsaved = send(&ada, "POST", "/preview", &json!({"login": "gil", "text": text})).json();
    assert_eq!(unsaved["claims"]["labels"], json!(["a</script>\u{2028}\""]));
    send(&ada, "POST", "", &json!({"text": text}));
    let saved = send(&ada, "POST", "/preview", &json!({"login": "gil"})).json();
    let gil = world.browser().signed_in("gil");
    let token = gil.get("/api/v1/token").json()["token"].as_str().expect("a token").to_owned();
    let claims = world.app.inspect_token(&token).expect("a token").claims;
    let on_page =
        world.app.inspect_token(&gil.get("/").signed_user_info().expect("a token")).expect("a token").claims;
    assert_eq!((&unsaved["claims"], &saved["claims"], &on_page), (&claims, &claims, &claims));
    assert!(!saved.to_string().contains(token.rsplit('.').next().expect("a signature")));
    assert_eq!(
        code(&send(&ada, "POST", "/preview", &json!({"login": "nobody"}))),
        (404, "not_found".to_owned())
    );
    assert_eq!(
        code(&send(&ada, "POST", "/preview", &json!({"login": "gil", "text": "{}"}))),
        (422, "mapping_errors".to_owned())
    );
}

#[apply(everywhere)]
fn expected_payloads_and_the_audit_are_there_for_programs(world: &World) {
    let ana = world.user_with("a/n a", countersign::core::user::Role::User, &[]);
    let ada = admin(world, "ada");
    let of = format!("/expected/{}", encode(ana.as_str()));
    assert_eq!(
        code(&send(&ada, "PUT", &of, &json!({"payload": {"group": "7"}}))),
        (422, "not_possible".to_owned())
    );
    assert_eq!(send(&ada, "PUT", &of, &json!({"payload": {"name": "Ana"}})).status, 204);
    assert_eq!(
        ada.get(&format!("{MAPPING}/expected")).json(),
        json!({"expected": [{"payload": {"name": "Ana"}, "login": "a/n a"}]})
    );
    let found = send(&ada, "POST", "/check", &json!({"text": LABELLED})).json();
    assert_eq!(found["unexpected"][0]["login"], "a/n a");
    assert_eq!(send(&ada, "DELETE", &of, &Value::Null).status, 204);
    assert_eq!(send(&ada, "DELETE", &of, &Value::Null).status, 404);
    assert_eq!(
        code(&send(&ada, "PUT", "/expected/nobody", &json!({"refused": "missing"}))),
        (404, "not_found".to_owned())
    );
    let events = ada.get("/api/v1/admin/audit?limit=2").json();
    let words: Vec<&Value> =
        events["events"].as_array().expect("a list").iter().map(|event| &event["word"]).collect();
    assert_eq!(words, ["expected_removed", "expected_set"]);
    let last = events["events"][1]["id"].as_str().expect("an id");
    assert_eq!(
        ada.get(&format!("/api/v1/admin/audit?before={last}&limit=1")).json()["events"][0]["word"],
        "signed_in"
    );
    assert_eq!(code(&ada.get("/api/v1/admin/audit?user=nobody")), (404, "not_found".to_owned()));
    assert!(Login::parse("a/n a").is_ok());
}
