//! `mapping.md` section 5: the trace.

use serde_json::{Value as Json, json};

use super::{World, copy, with_email};

/// The trace of the claims after `email`.
fn traced(world: &World, rules: &[Json]) -> Json {
    let trace = serde_json::to_value(world.apply(&with_email(rules)).trace).expect("JSON");
    Json::Array(trace["claims"].as_array().expect("claims")[1..].to_vec())
}

fn reason(code: &str) -> impl Fn(&Json) -> bool {
    move |json| json["code"] == code && json["message"].as_str().is_some_and(|m| m.ends_with('.'))
}

#[test]
fn a_trace_tells_the_value_read_and_the_value_after_each_step() {
    let rule = json!({"claim": "labels", "from": {"attribute": "plan"}, "steps": [
        {"split": ","}, "upper", {"lookup": {"values": {"A": "1"}}}]});
    let claims = traced(&World::new(&json!({"plan": " a,b, "})), &[rule]);
    let rule = &claims[0]["rules"][0];
    assert_eq!(claims[0]["claim"], "labels");
    assert_eq!(claims[0]["value"], json!(["1"]));
    assert_eq!(rule["rule"], 1);
    assert_eq!(rule["read"], json!({"from": "attribute", "attribute": "plan", "value": "a,b,"}));
    let steps = json!([
        {"step": "split", "value": ["a", "b"]}, {"step": "upper", "value": ["A", "B"]}, {"step": "lookup", "value": ["1"]},
    ]);
    assert_eq!(rule["steps"], steps);
    let dropped = &rule["dropped"];
    assert!(dropped[0]["value"] == "" && reason("blank")(&dropped[0]), "{dropped}");
    assert!(dropped[1]["value"] == "B" && reason("not_in_table")(&dropped[1]), "{dropped}");
    assert_eq!(rule["gave"], json!(["1"]));
    assert_eq!(rule["default"], json!(false));
}

#[test]
fn a_trace_tells_that_the_table_gives_nothing_for_a_value() {
    let rule = json!({"claim": "labels", "from": {"attribute": "plan"}, "steps": [
        {"lookup": {"values": {"free": null}, "otherwise": "x"}}]});
    let rule = &traced(&World::new(&json!({"plan": "free"})), &[rule])[0]["rules"][0];
    assert_eq!(rule["steps"], json!([{"step": "lookup", "value": null}]));
    assert!(reason("empty_output")(&rule["nothing"]), "{rule}");
}

#[test]
fn a_trace_warns_of_a_unix_time_that_may_be_the_day_number_of_a_spreadsheet() {
    let rule = json!({"claim": "labels", "from": {"attribute": "plan"}, "steps": [
        {"date": {"in": "%s", "out": "%Y"}}]});
    for (time, is_odd) in [
        ("45351", true),
        ("0", true),
        ("1234567", true),
        ("12345678", false),
        ("00045351", false),
        ("x", false),
    ] {
        for value in [json!(time), json!(["1488388800", time])] {
            let claims = traced(&World::new(&json!({"plan": value})), std::slice::from_ref(&rule));
            let doubt = &claims[0]["rules"][0]["steps"][0]["doubt"];
            assert_eq!(!doubt.is_null(), is_odd, "{value}");
            assert!(!is_odd || reason("short_unix_time")(doubt), "{doubt}");
        }
    }
}

#[test]
fn a_trace_tells_which_text_and_which_part() {
    let rule =
        json!({"claim": "name", "from": {"text": ["{display_name}", "{plan|first_name} {last_name}", "x"]}});
    let user = json!({"plan": "", "first_name": "Ana", "last_name": "Smith"});
    let read = traced(&World::new(&user), &[rule])[0]["rules"][0]["read"].clone();
    assert_eq!(read["from"], "text");
    assert_eq!(read["value"], "Ana Smith");
    assert_eq!(read["texts"].as_array().map(Vec::len), Some(2));
    assert!(reason("part_missing")(&read["texts"][0]["not_taken"]), "{read}");
    let taken = json!({"text": "{plan|first_name} {last_name}", "parts": ["first_name", "last_name"]});
    assert_eq!(read["texts"][1], taken);
}

#[test]
fn a_trace_tells_the_conditions_answer_and_whether_the_default_spoke() {
    let mut rule = copy("labels", "plan");
    rule["when"] = json!({"attribute": "newsletter", "true": true});
    rule["missing"] = json!({"default": "none"});
    let world = |newsletter: &str| World::new(&json!({"newsletter": newsletter, "plan": " "}));
    let claims = traced(&world("on"), std::slice::from_ref(&rule));
    let condition = json!({"attribute": "newsletter", "value": "on", "holds": true});
    let spoken = &claims[0]["rules"][0];
    assert_eq!(spoken["condition"], condition);
    assert!(reason("blank")(&spoken["nothing"]), "{spoken}");
    assert_eq!((&spoken["default"], &spoken["gave"]), (&json!(true), &json!(["none"])));
    let claims = traced(&world("off"), &[rule]);
    let silent = &claims[0]["rules"][0];
    assert_eq!(silent["condition"]["holds"], json!(false));
    assert_eq!(silent["read"], Json::Null);
    assert!(reason("condition_false")(&claims[0]["absent"]), "{claims}");
}

#[test]
fn every_absent_claim_is_explained() {
    let check = |rule: Json, user: Json, code: &str| {
        let mut world = World::new(&user);
        world.definitions = super::site();
        let claims = traced(&world, std::slice::from_ref(&rule));
        assert_eq!(claims[0]["value"], Json::Null, "{rule}");
        assert!(reason(code)(&claims[0]["absent"]), "{code} {}", claims[0]["absent"]);
    };
    let stepped = |step: Json| json!({"claim": "name", "from": {"attribute": "plan"}, "steps": [step]});
    check(copy("name", "plan"), json!({}), "not_set");
    check(copy("name", "gone"), json!({"gone": "x"}), "unknown_attribute");
    check(copy("name", "plan"), json!({"plan": " "}), "blank");
    check(copy("name", "plan"), json!({"plan": []}), "blank");
    check(copy("name", "plan"), json!({"plan": "x".repeat(9000)}), "too_long");
    check(copy("name", "plan"), json!({"plan": vec!["x"; 1001]}), "too_many_items");
    check(copy("name", "plan"), json!({"plan": ["x"]}), "is_list");
    check(json!({"claim": "name", "from": {"text": ["{plan}"]}}), json!({}), "no_text");
    check(stepped(json!({"lookup": {"values": {"a": "b"}}})), json!({"plan": "x"}), "not_in_table");
    check(stepped(json!({"date": {"in": "%s", "out": "%Y"}})), json!({"plan": "x"}), "unreadable_date");
    check(stepped(json!({"yes_no": {"yes": "a", "no": "b"}})), json!({"plan": "x"}), "neither_yes_nor_no");
    check(copy("organization_id", "plan"), json!({"plan": "x"}), "not_an_id");
    check(copy("usergroup_ids", "plan"), json!({"plan": ["2", "x"]}), "implied_group");
    check(copy("emails", "plan"), json!({"plan": "x"}), "not_an_address");
    check(copy("timezone", "plan"), json!({"plan": "x"}), "not_a_timezone");
    check(copy("emails", "plan"), json!({"plan": "x,b@x.de"}), "not_an_address");
    check(copy("emails", "plan"), json!({"plan": ["x", "b@x.de"]}), "unverified");
    check(copy("emails", "email"), json!({}), "equals_email");
}

#[test]
fn a_trace_tells_of_items_given_already_and_of_the_claim_email() {
    let rules = [copy("labels", "plan"), copy("labels", "groups"), copy("emails", "email")];
    let claims = traced(&World::new(&json!({"plan": ["a"], "groups": ["a", "b"]})), &rules);
    assert_eq!(claims[0]["rules"][1]["gave"], json!(["b"]));
    let dropped = &claims[0]["rules"][1]["dropped"][0];
    assert!(dropped["value"] == "a" && reason("given_already")(dropped), "{dropped}");
    assert_eq!(claims[1]["rules"][0]["gave"], json!(["ana@example.com"]));
    assert!(reason("equals_email")(&claims[1]["dropped"][0]), "{claims}");
}

#[test]
fn a_trace_is_whole_also_when_the_token_is_refused() {
    let mut rule = copy("name", "plan");
    rule["missing"] = json!("refuse");
    let mut world = World::new(&json!({"plan": "", "groups": "x"}));
    world.disabled = true;
    let claims = traced(&world, &[rule.clone(), copy("labels", "groups")]);
    assert_eq!(claims.as_array().map(Vec::len), Some(2));
    assert_eq!(claims[1]["value"], json!(["x"]));
    let outcome = world.apply(&with_email(&[rule, copy("labels", "groups")]));
    assert!(outcome.result.is_err());
    let preview = serde_json::to_value(outcome.would_sign).expect("JSON");
    assert_eq!(preview, json!({"email": "ana@example.com", "labels": ["x"]}));
}

#[test]
fn what_token_id_does_not_sign_is_told_and_an_empty_list_that_is_sent_is_there() {
    let mapping = json!({"token": "id", "rules": [copy("deskpro_id", "deskpro_id"), copy("name", "plan"), copy("labels", "groups")],
        "empty_lists": {"labels": "send"}});
    let world = World::new(&json!({"deskpro_id": "7", "plan": "Ana", "groups": ""}));
    let trace = serde_json::to_value(world.apply(&mapping).trace).expect("JSON");
    let claims = &trace["claims"];
    assert_eq!(claims[0]["absent"], Json::Null);
    assert_eq!(claims[1]["value"], "Ana");
    assert!(reason("not_signed")(&claims[1]["absent"]), "{claims}");
    assert_eq!(claims[2]["value"], json!([]));
}
