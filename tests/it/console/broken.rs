//! Broken drafts: each error of the grammar alone and in pairs. Every error is named at its field, the
//! summary leads there, and the mapping in force goes on.

use std::collections::BTreeSet;

use countersign::app::Caller;
use countersign::core::id::UserId;
use countersign::core::mapping::{Finding, Level};
use countersign::core::user::Login;
use rstest_reuse::apply;

use super::admin;
use crate::server::{Answer, World, everywhere};

/// A broken rule, the code, and the field that says so; `json` where the rule has no form.
const BROKEN: &[(&str, &str, &str)] = &[
    (r#"{"claim": "", "from": {"attribute": "login"}}"#, "unknown_claim", "claim"),
    (r#"{"claim": "groups", "from": {"attribute": "login"}}"#, "unknown_claim", "claim"),
    (r#"{"claim": "fields.07", "from": {"attribute": "login"}}"#, "unknown_claim", "claim"),
    (r#"{"claim": "labels", "from": {"attribute": ""}}"#, "unknown_attribute", "from/attribute"),
    (r#"{"claim": "labels", "from": {"attribute": "Login"}}"#, "unknown_attribute", "from/attribute"),
    (r#"{"claim": "labels", "from": {"attribute": "password_hash"}}"#, "secret_attribute", "from/attribute"),
    (r#"{"claim": "labels", "from": {"constant": " \t"}}"#, "blank_text", "from/constant"),
    (r#"{"claim": "usergroup_ids", "from": {"constant": "gold"}}"#, "rejected_value", "from/constant"),
    (r#"{"claim": "labels", "from": {"text": ["{login}", " "]}}"#, "blank_text", "from/text/1"),
    (r#"{"claim": "labels", "from": {"text": ["{login"]}}"#, "bad_text", "from/text/0"),
    (r#"{"claim": "labels", "from": {"text": ["{}"]}}"#, "bad_text", "from/text/0"),
    (r#"{"claim": "labels", "from": {"text": ["{nobody}"]}}"#, "unknown_attribute", "from/text/0"),
    (r#"{"claim": "labels", "from": {"text": ["{login|api_key}"]}}"#, "secret_attribute", "from/text/0"),
    (r#"{"claim": "timezone", "from": {"text": ["Mars/Base"]}}"#, "rejected_value", "from/text/0"),
    (
        r#"{"claim": "fields.9", "from": {"attribute": "login"}, "steps": [{"split": ","}]}"#,
        "bad_split",
        "steps/0",
    ),
    (
        r#"{"claim": "labels", "from": {"attribute": "login"}, "steps": ["lower", {"split": ","}]}"#,
        "bad_split",
        "steps/1",
    ),
    (
        r#"{"claim": "labels", "from": {"text": ["{login}"]}, "steps": [{"split": ","}]}"#,
        "bad_split",
        "steps/0",
    ),
    (
        r#"{"claim": "emails", "from": {"attribute": "email"}, "steps": [{"split": "/"}]}"#,
        "bad_split",
        "steps/0",
    ),
    (
        r#"{"claim": "labels", "from": {"attribute": "login"}, "steps": [{"split": ""}]}"#,
        "wrong_type",
        "steps/0/split",
    ),
    (
        r#"{"claim": "labels", "from": {"attribute": "login"}, "steps": [{"date": {"in": "%Y-%m", "out": "%Y"}}]}"#,
        "bad_date",
        "steps/0/date/in",
    ),
    (
        r#"{"claim": "labels", "from": {"attribute": "login"}, "steps": [{"date": {"in": "%s", "out": "%Q"}}]}"#,
        "bad_date",
        "steps/0/date/out",
    ),
    (
        r#"{"claim": "labels", "from": {"attribute": "login"}, "steps": [{"yes_no": {"yes": "", "no": "0"}}]}"#,
        "blank_text",
        "steps/0/yes_no/yes",
    ),
    (
        r#"{"claim": "usergroup_ids", "from": {"attribute": "login"}, "steps": [{"yes_no": {"yes": "7", "no": "no"}}]}"#,
        "rejected_value",
        "steps/0/yes_no/no",
    ),
    (
        r#"{"claim": "labels", "from": {"attribute": "login"}, "steps": [{"lookup": {"values": {}}}]}"#,
        "wrong_type",
        "steps/0/lookup/values",
    ),
    (
        r#"{"claim": "labels", "from": {"attribute": "login"}, "steps": [{"lookup": {"values": {"a": "1", " ": "2"}}}]}"#,
        "blank_text",
        "steps/0/lookup/values/1/key",
    ),
    (
        r#"{"claim": "labels", "from": {"attribute": "login"}, "steps": [{"lookup": {"values": {"a/b~c": ""}}}]}"#,
        "blank_text",
        "steps/0/lookup/values/0/value",
    ),
    (
        r#"{"claim": "labels", "from": {"attribute": "login"}, "steps": [{"lookup": {"values": {"a": "1", "b": "2", " a": "3"}}}]}"#,
        "duplicate_key",
        "steps/0/lookup/values/2/key",
    ),
    (
        r#"{"claim": "usergroup_ids", "from": {"attribute": "login"}, "steps": [{"lookup": {"values": {"a": "7", "b": "2"}}}]}"#,
        "rejected_value",
        "steps/0/lookup/values/1/value",
    ),
    (
        r#"{"claim": "usergroup_ids", "from": {"attribute": "login"}, "steps": [{"lookup": {"values": {"a": "7"}, "otherwise": "x"}}]}"#,
        "rejected_value",
        "steps/0/lookup/otherwise",
    ),
    (
        r#"{"claim": "labels", "from": {"attribute": "login"}, "when": {"attribute": "nobody", "set": true}}"#,
        "unknown_attribute",
        "when/attribute",
    ),
    (
        r#"{"claim": "labels", "from": {"attribute": "login"}, "when": {"attribute": "login", "is": ""}}"#,
        "blank_text",
        "when/is",
    ),
    (
        r#"{"claim": "labels", "from": {"attribute": "login"}, "when": {"attribute": "login", "in": ["a", ""]}}"#,
        "blank_text",
        "when/in/1",
    ),
    (
        r#"{"claim": "labels", "from": {"attribute": "login"}, "missing": {"default": " "}}"#,
        "blank_text",
        "missing/default",
    ),
    (
        r#"{"claim": "usergroup_ids", "from": {"attribute": "login"}, "missing": {"default": ["7", "x"]}}"#,
        "rejected_value",
        "missing/default/1",
    ),
    (
        r#"{"claim": "first_name", "from": {"attribute": "login"}, "missing": {"default": ["a"]}}"#,
        "list_in_scalar",
        "missing/default",
    ),
    (r#"{"claim": "deskpro_id", "from": {"constant": "7"}}"#, "identifier_rule", "from/constant"),
    (
        r#"{"claim": "emails", "from": {"attribute": "email"}, "missing": {"default": ["a@example.com"]}}"#,
        "identifier_rule",
        "missing/default",
    ),
    (
        r#"{"claim": "emails", "from": {"attribute": "email"}, "steps": ["upper"]}"#,
        "identifier_rule",
        "steps/0",
    ),
    (r#"{"claim": "email", "from": {"attribute": "email"}}"#, "second_rule", "claim"),
    (r#"{"claim": "name"}"#, "missing_key", "json"),
    (r#"{"claim": "name", "from": {"attribute": "login"}, "colour": "red"}"#, "unknown_key", "json"),
    (r#"{"claim": "name", "from": {"attribute": 7}}"#, "wrong_type", "json"),
    (r#"{"claim": "name", "from": {"attribute": "login", "constant": "x"}}"#, "wrong_type", "json"),
    (
        r#"{"claim": "name", "from": {"attribute": "login"}, "steps": [{"reverse": true}]}"#,
        "unknown_key",
        "json",
    ),
    (r#"["name"]"#, "wrong_type", "json"),
];

const RIGHT: &str = r#"{"claim": "email", "from": {"attribute": "email"}}"#;

fn text(rules: &[&str]) -> String {
    format!("{{\"rules\": [{}]}}", rules.join(",\n"))
}

/// The ids on a page, with what stands in each element up to the next tag that closes it.
fn said_at<'a>(page: &'a Answer, id: &str) -> Option<&'a str> {
    let (_, rest) = page.body.split_once(&format!(" id=\"{id}\""))?;
    rest.split("</p>").next()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&#38;")
        .replace('<', "&#60;")
        .replace('>', "&#62;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

/// Makes sure that every error of a draft stands at a field of its rule, and that the summary leads to it.
fn look(
    browser: &crate::server::Browser,
    number: usize,
    draft: &str,
    findings: &[&Finding],
) -> BTreeSet<(String, String)> {
    let page = browser.get(&format!("/admin/mapping/rules/{number}"));
    assert_eq!(page.status, 200, "{draft}");
    let mut found = BTreeSet::new();
    for finding in findings {
        let told = escaped(&finding.text());
        if page.body.contains("<textarea id=\"json\"") {
            assert!(page.body.contains(&told), "{draft}: {told}");
            found.insert((finding.code.to_owned(), "json".to_owned()));
            continue;
        }
        let (before, _) = page
            .body
            .split_once(&format!("\">{told}</a></li>"))
            .unwrap_or_else(|| panic!("{draft}: {told} is not in the summary"));
        let (_, id) = before.rsplit_once("<a href=\"#").expect("a link");
        assert!(page.body.contains(&format!(" id=\"{id}\"")), "{draft}: {id} is no field");
        let at_field = said_at(&page, &format!("{id}-error"))
            .unwrap_or_else(|| panic!("{draft}: nothing is said at {id}"));
        assert!(at_field.contains(&told), "{draft}: {told} is not at {id}");
        found.insert((finding.code.to_owned(), id.to_owned()));
    }
    found
}

fn check(
    world: &World,
    browser: &crate::server::Browser,
    id: &UserId,
    rules: &[&str],
    expected: &[(&str, &str)],
) {
    let draft = text(rules);
    let revision = world.app.draft(&"default".into(), id).expect("a draft").revision;
    world.app.save_draft(&"default".into(), id, revision, &draft, "").expect("kept, right or wrong");
    let (checked, _) =
        world.app.judge_draft(&countersign::core::id::MessengerId::default(), &draft).expect("judged");
    let errors: Vec<&Finding> = checked.findings.iter().filter(|found| found.level == Level::Error).collect();
    assert!(checked.mapping.is_none() && !errors.is_empty(), "{draft}");
    let list = browser.get("/admin/mapping");
    assert_eq!(list.status, 200, "{draft}");
    for error in &errors {
        assert!(list.body.contains(&escaped(&error.text())), "{draft}: {}", error.text());
    }
    let mut found = BTreeSet::new();
    for number in 0..rules.len() {
        let of_rule: Vec<&Finding> =
            errors.iter().copied().filter(|found| found.rule() == Some(number)).collect();
        if !of_rule.is_empty() {
            found.extend(look(browser, number, &draft, &of_rule));
        }
    }
    for (code, field) in expected {
        assert!(
            found.contains(&((*code).to_owned(), (*field).to_owned())),
            "{draft}: {code} at {field}: {found:?}"
        );
    }
}

#[apply(everywhere)]
fn every_error_alone_and_in_pairs_is_named_at_its_field_and_the_mapping_in_force_goes_on(world: &World) {
    world.user("ana");
    let ana = world.browser().signed_in("ana");
    world
        .app
        .publish_mapping(
            &"default".into(),
            &text(&[RIGHT, r#"{"claim": "labels", "from": {"constant": "in force"}}"#]),
            "",
            &Caller::cli(),
        )
        .expect("published");
    let ada = admin(world, "ada");
    let id = world.app.user(&Login::parse("ada").expect("a login")).expect("ada").id;
    for (rule, code, field) in BROKEN {
        check(world, &ada, &id, &[RIGHT, rule], &[(code, field)]);
    }
    // In pairs: each with some that stand further down, the whole round.
    let mut drafts = BROKEN.len();
    for (i, (one, one_code, one_field)) in BROKEN.iter().enumerate() {
        for step in [1, 7, 16, 22] {
            let (other, ..) = BROKEN[(i + step) % BROKEN.len()];
            check(world, &ada, &id, &[RIGHT, one, other], &[(one_code, one_field)]);
            drafts += 1;
        }
    }
    assert!(drafts >= 200, "{drafts}");
    for whole in [
        "",
        "{",
        "[]",
        "{\"rules\": 7}",
        "{\"rules\": []}",
        "{\"rules\": [], \"rules\": []}",
        "{\"rules\": [], \"token\": \"some\"}",
        "{\"rules\": [], \"empty_lists\": {\"name\": \"send\"}}",
    ] {
        let revision = world.app.draft(&"default".into(), &id).expect("a draft").revision;
        world.app.save_draft(&"default".into(), &id, revision, whole, "").expect("kept");
        let (checked, _) =
            world.app.judge_draft(&countersign::core::id::MessengerId::default(), whole).expect("judged");
        let page = ada.get("/admin/mapping").body;
        for error in checked.findings.iter().filter(|found| found.level == Level::Error) {
            assert!(page.contains(&escaped(&error.text())), "{whole}: {}", error.text());
        }
    }
    let token = ana.get("/api/v1/token").json()["token"].as_str().expect("a token").to_owned();
    assert_eq!(
        world.app.inspect_token(&token).expect("a token").claims["labels"],
        serde_json::json!(["in force"])
    );
}
