//! `mapping.md` section 4: what a rule itself writes must fit its claim.

use serde_json::{Value as Json, json};

use super::errors;

fn check(rules: &Json, expected: &[&str]) {
    let found = errors(&json!({ "rules": rules }).to_string());
    let found: Vec<String> = found.iter().map(|(code, at)| format!("{code} {at}")).collect();
    assert_eq!(found, expected, "{rules}");
}

/// The errors of one rule beside one for the other identifier; places are told from the rule on.
fn check_rule(rule: &Json, expected: &[&str]) {
    let other = if rule["claim"] == "email" { "deskpro_id" } else { "email" };
    let rules = json!([{"claim": other, "from": {"attribute": other}}, rule]);
    let found = errors(&json!({ "rules": rules }).to_string());
    let found: Vec<String> = found
        .iter()
        .map(|(code, at)| format!("{code} {}", at.strip_prefix("/rules/1").unwrap_or(at)))
        .collect();
    assert_eq!(found, expected, "{rule}");
}

fn rule(claim: &str, from: Json) -> Json {
    let mut rule = json!({ "claim": claim });
    rule["from"] = from;
    rule
}

fn stepped(claim: &str, from: Json, steps: Json) -> Json {
    let mut rule = rule(claim, from);
    rule["steps"] = steps;
    rule
}

fn plan() -> Json {
    json!({"attribute": "plan"})
}

#[test]
fn what_a_rule_itself_writes_must_fit_its_claim() {
    let from = |claim: &str, text: &str| rule(claim, json!({ "constant": text }));
    check_rule(&from("organization_id", "seven"), &["rejected_value /from/constant"]);
    check_rule(&from("organization_id", " 7 "), &[]);
    check_rule(&from("usergroup_ids", "2"), &["rejected_value /from/constant"]);
    check_rule(&from("timezone", "Mars"), &["rejected_value /from/constant"]);
    check_rule(&from("timezone", "europe/berlin"), &[]);
    check_rule(&from("name", &"x".repeat(8193)), &["rejected_value /from/constant"]);
    let texts = json!({"text": ["{plan}", "x", "7", "{{7"]});
    check_rule(
        &rule("organization_id", texts),
        &["rejected_value /from/text/1", "rejected_value /from/text/3"],
    );
}

#[test]
fn a_constant_is_judged_after_its_steps() {
    let from = |text: &str, steps: Json| stepped("usergroup_ids", json!({ "constant": text }), steps);
    let split = json!({"split": ","});
    let lookup = json!({"lookup": {"values": {"gold": "7"}}});
    check_rule(&from("gold", json!([lookup])), &[]);
    check_rule(&from("tin", json!([lookup])), &["rejected_value /from/constant"]);
    check_rule(&from("7,8,", json!([split])), &[]);
    check_rule(&from("7,x", json!([split])), &["rejected_value /from/constant"]);
    check_rule(&from("gold,tin", json!([split, lookup])), &["rejected_value /from/constant"]);
    check_rule(&from(",", json!([split])), &["rejected_value /from/constant"]);
    check_rule(&from(&"7,".repeat(1001), json!([split])), &["rejected_value /from/constant"]);
    let text = stepped("timezone", json!({"text": ["UTC"]}), json!(["lower"]));
    check_rule(&text, &[]);
}

#[test]
fn outputs_of_the_last_step_and_defaults_must_fit_the_claim() {
    let lookup = json!({"lookup": {"values": {"a": "7", " b/c": "x"}, "otherwise": "1"}});
    check_rule(
        &stepped("usergroup_ids", plan(), json!([lookup])),
        &["rejected_value /steps/0/lookup/values/ b~1c", "rejected_value /steps/0/lookup/otherwise"],
    );
    check_rule(&stepped("usergroup_ids", plan(), json!([lookup, "lower"])), &[]);
    let yes_no = json!({"yes_no": {"yes": "7", "no": "none"}});
    check_rule(&stepped("organization_id", plan(), json!([yes_no])), &["rejected_value /steps/0/yes_no/no"]);
    let mut groups = rule("usergroup_ids", plan());
    groups["missing"] = json!({"default": ["7", "1", "x"]});
    check_rule(&groups, &["rejected_value /missing/default/1", "rejected_value /missing/default/2"]);
    groups["missing"] = json!({"default": "1"});
    check_rule(&groups, &["rejected_value /missing/default"]);
    groups["missing"] = json!({"default": vec!["7"; 1001]});
    check_rule(&groups, &["rejected_value /missing/default"]);
}

#[test]
fn a_rejected_value_shows_only_where_nothing_else_is_wrong_in_the_rule() {
    let mut zone = rule("timezone", json!({"constant": "Mars"}));
    zone["missing"] = json!({"default": "Venus"});
    check_rule(&zone, &["rejected_value /from/constant", "rejected_value /missing/default"]);
    zone["x"] = json!(1);
    check_rule(&zone, &["unknown_key /x"]);
    let mars = rule("timezone", json!({"constant": "Mars"}));
    let email = rule("email", json!({"attribute": "email"}));
    check(
        &json!([email, mars, mars]),
        &["rejected_value /rules/1/from/constant", "second_rule /rules/2/claim"],
    );
}
