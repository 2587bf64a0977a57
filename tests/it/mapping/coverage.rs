//! How far rules reach: every reason for which a value is lost, with the values.

use countersign::core::attribute::Attributes;
use countersign::core::mapping::{Coverage, Tree};
use serde_json::{Value as Json, json};

use super::{World, copy, with_email};

fn coverage(rule: Json, users: &[Json]) -> Json {
    let mapping = with_email(&[rule]);
    let mut coverage = Coverage::default();
    for user in users {
        let attributes: Attributes = serde_json::from_value(user.clone()).expect("attributes");
        coverage.observe(&attributes, &World::without_address(user).apply(&mapping).trace);
    }
    serde_json::to_value(&coverage.rules[1]).expect("JSON")
}

#[test]
fn the_values_are_told_for_every_reason_that_lies_in_them() {
    let user = |plan: &str| json!({ "plan": plan });
    let stepped = |claim: &str, step: Json| {
        let mut rule = copy(claim, "plan");
        rule["steps"] = json!([step]);
        rule
    };
    let check = |rule: Json, value: &str, code: &str| {
        let users = [user(value), user(value), user(" ")];
        let found = coverage(rule, &users);
        assert_eq!(found["lost"], json!({code: {"values": {value: 2}, "more": 0}}), "{found}");
        assert_eq!(found["nothing"], json!({code: 2, "blank": 1}), "{found}");
    };
    check(copy("timezone", "plan"), "W. Europe Standard Time", "not_a_timezone");
    check(copy("organization_id", "plan"), "ACME", "not_an_id");
    check(copy("usergroup_ids", "plan"), "2", "implied_group");
    check(copy("emails", "plan"), "ana(at)example.com", "not_an_address");
    check(stepped("name", json!({"date": {"in": "%s", "out": "%Y"}})), "yesterday", "unreadable_date");
    check(stepped("name", json!({"yes_no": {"yes": "1", "no": "0"}})), "ja", "neither_yes_nor_no");
    check(stepped("name", json!({"lookup": {"values": {"free": null}}})), "free", "empty_output");
    let found = coverage(stepped("name", json!({"lookup": {"values": {"free": "1"}}})), &[user("gold")]);
    assert_eq!((&found["unmatched"], &found["lost"]), (&json!({"gold": 1}), &json!({})));
}

#[test]
fn the_values_of_items_are_told_and_their_number_is_bounded() {
    let groups = copy("usergroup_ids", "plan");
    let found = coverage(groups.clone(), &[json!({"plan": ["7", "x", "x", "2"]})]);
    let expected = json!({"not_an_id": {"values": {"x": 1}, "more": 0}, "implied_group": {"values": {"2": 1}, "more": 0}});
    assert_eq!((&found["lost"], &found["given"]), (&expected, &json!(1)));
    let users: Vec<Json> = (0..250).map(|i| json!({"plan": format!("x{i}")})).collect();
    let lost = &coverage(groups.clone(), &users)["lost"]["not_an_id"];
    assert_eq!(
        (lost["values"].as_object().map(serde_json::Map::len), &lost["more"]),
        (Some(200), &json!(50))
    );
    // Of a long value the beginning, cut between letters.
    let lost = &coverage(groups, &[json!({"plan": "ü".repeat(300)})])["lost"]["not_an_id"]["values"];
    assert_eq!(lost, &json!({format!("{}…", "ü".repeat(100)): 1}));
}

#[test]
fn a_value_that_is_not_in_the_table_is_compared_with_the_rows() {
    let form = Tree::read(
        &json!({"rules": [{"claim": "labels", "from": {"attribute": "plan"},
            "steps": [{"lookup": {"values": {"Gold Plan": "1", "Prämie": "2"}}}]}]})
        .to_string(),
    );
    let rule = &form.expect("a form").rules[0];
    assert_eq!(
        rule.looks_like_a_row("Gold\u{a0}Plan").as_deref(),
        Some("The row “Gold Plan” differs from it only by white space (U+0020, U+00A0).")
    );
    assert_eq!(
        rule.looks_like_a_row("gold  plan").as_deref(),
        Some("The row “Gold Plan” differs from it only by white space and uppercase and lowercase.")
    );
    assert_eq!(
        rule.looks_like_a_row("Pra\u{308}mie\u{200b}").as_deref(),
        Some("The row “Prämie” differs from it only by invisible characters (U+200B) and the Unicode form.")
    );
    assert_eq!(rule.looks_like_a_row("silver"), None);
}
