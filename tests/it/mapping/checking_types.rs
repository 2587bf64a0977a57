//! `mapping.md` section 4: values of a wrong kind, keys, and texts with nothing in them.

use serde_json::{Value as Json, json};

use super::errors;

/// A draft's errors, written as `code place`.
fn check(draft: &str, expected: &[&str]) {
    let found: Vec<String> = errors(draft).iter().map(|(code, at)| format!("{code} {at}")).collect();
    assert_eq!(found, expected, "{draft}");
}

/// The errors of one rule beside one for the address; places are told from the rule on.
fn check_rule(rule: &Json, expected: &[&str]) {
    let draft = json!({"rules": [{"claim": "email", "from": {"attribute": "email"}}, rule]});
    let found = errors(&draft.to_string());
    let found: Vec<String> = found
        .iter()
        .map(|(code, at)| format!("{code} {}", at.strip_prefix("/rules/1").unwrap_or(at)))
        .collect();
    assert_eq!(found, expected, "{rule}");
}

fn with(key: &str, value: Json) -> Json {
    let mut rule = json!({"claim": "labels", "from": {"attribute": "plan"}});
    rule[key] = value;
    rule
}

#[test]
fn lookup_keys_are_compared_as_trimmed() {
    let rule = with(
        "steps",
        json!([{"lookup": {"values": {"gold": "7", " gold ": " ", "Gold": "8", "\u{200b}": "9"}}}]),
    );
    check_rule(
        &rule,
        &["duplicate_key /steps/0/lookup/values/ gold ", "blank_text /steps/0/lookup/values/\u{200b}"],
    );
}

#[test]
fn lookup_keys_are_compared_in_nfc() {
    let rule = with("steps", json!([{"lookup": {"values": {"Prämie": "7", "Pra\u{308}mie ": "8"}}}]));
    check_rule(&rule, &["duplicate_key /steps/0/lookup/values/Pra\u{308}mie "]);
}

#[test]
fn null_is_an_output_of_a_table_and_nothing_else() {
    let lookup = |rest: Json| {
        let mut lookup = json!({"values": {"gold": "7", "free": null}});
        lookup.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        with("steps", json!([{ "lookup": lookup }]))
    };
    check_rule(&lookup(json!({})), &[]);
    check_rule(&lookup(json!({"keep": true})), &[]);
    check_rule(&lookup(json!({"otherwise": null})), &["wrong_type /steps/0/lookup/otherwise"]);
    check_rule(&lookup(json!({"values": null})), &["wrong_type /steps/0/lookup/values"]);
    check_rule(
        &with("steps", json!([{"lookup": {"values": {" ": null, "": "7"}}}])),
        &["blank_text /steps/0/lookup/values/ ", "duplicate_key /steps/0/lookup/values/"],
    );
    check_rule(
        &with("steps", json!([{"yes_no": {"yes": null, "no": "0"}}])),
        &["wrong_type /steps/0/yes_no/yes"],
    );
    // It is no output that the claim must be able to hold, but nothing is left of a constant by it.
    let mut rule = lookup(json!({}));
    rule["claim"] = json!("usergroup_ids");
    check_rule(&rule, &[]);
    rule["from"] = json!({"constant": "free"});
    check_rule(&rule, &["rejected_value /from/constant"]);
}

#[test]
fn another_kind_of_value_is_a_wrong_type() {
    check(r#"{"rules": {}}"#, &["wrong_type /rules"]);
    check(r#"{"rules": [5, null]}"#, &["no_identifier /rules", "wrong_type /rules/0", "wrong_type /rules/1"]);
    let draft = json!({"token": "both", "empty_lists": [], "rules": [{"claim": "email", "from": {"attribute": "email"}}]});
    check(&draft.to_string(), &["wrong_type /token", "wrong_type /empty_lists"]);
    let draft = json!({"token": null, "empty_lists": {"labels": true}, "rules": [
        {"claim": "email", "from": {"attribute": "email"}}, {"claim": "labels", "from": {"attribute": "plan"}}]});
    check(&draft.to_string(), &["wrong_type /token", "wrong_type /empty_lists/labels"]);

    check_rule(
        &json!({"claim": 7, "from": 7, "steps": 7, "when": 7, "missing": 7}),
        &[
            "wrong_type /claim",
            "wrong_type /from",
            "wrong_type /steps",
            "wrong_type /when",
            "wrong_type /missing",
        ],
    );
    check_rule(&with("from", json!({"attribute": 7})), &["wrong_type /from/attribute"]);
    check_rule(&with("from", json!({"constant": 7})), &["wrong_type /from/constant"]);
    check_rule(&with("from", json!({"text": "x"})), &["wrong_type /from/text"]);
    check_rule(&with("from", json!({"text": []})), &["wrong_type /from/text"]);
    check_rule(&with("from", json!({"text": ["x", 7]})), &["wrong_type /from/text/1"]);
    check_rule(&with("missing", json!("never")), &["wrong_type /missing"]);
    check_rule(&with("missing", json!({"default": 7})), &["wrong_type /missing/default"]);
    check_rule(&with("missing", json!({"default": []})), &["wrong_type /missing/default"]);
    check_rule(&with("missing", json!({"default": ["x", 7]})), &["wrong_type /missing/default/1"]);
    check_rule(&with("steps", json!([])), &[]);
}

#[test]
fn steps_of_another_kind_are_a_wrong_type() {
    let check = |step: Json, expected: &[&str]| check_rule(&with("steps", json!([step])), expected);
    check(json!("Lower"), &["wrong_type /steps/0"]);
    check(json!(7), &["wrong_type /steps/0"]);
    check(json!({"split": ""}), &["wrong_type /steps/0/split"]);
    check(json!({"split": 7}), &["wrong_type /steps/0/split"]);
    check(json!({"date": "%Y"}), &["wrong_type /steps/0/date"]);
    check(
        json!({"date": {"in": 7, "out": null}}),
        &["wrong_type /steps/0/date/in", "wrong_type /steps/0/date/out"],
    );
    check(
        json!({"yes_no": {"yes": true, "no": 0}}),
        &["wrong_type /steps/0/yes_no/yes", "wrong_type /steps/0/yes_no/no"],
    );
    check(json!({"lookup": {"values": {}}}), &["wrong_type /steps/0/lookup/values"]);
    check(json!({"lookup": {"values": {"a": 7}}}), &["wrong_type /steps/0/lookup/values/a"]);
    check(json!({"lookup": {"values": {"a": "b"}, "keep": false}}), &["wrong_type /steps/0/lookup/keep"]);
    check(
        json!({"lookup": {"values": {"a": "b"}, "otherwise": null}}),
        &["wrong_type /steps/0/lookup/otherwise"],
    );
    check(
        json!({"lookup": {"values": {"a": "b"}, "otherwise": "x", "keep": true}}),
        &["wrong_type /steps/0/lookup"],
    );
}

#[test]
fn conditions_of_another_kind_are_a_wrong_type() {
    let check = |when: Json, expected: &[&str]| check_rule(&with("when", when), expected);
    check(json!({"attribute": "plan", "set": false}), &["wrong_type /when/set"]);
    check(json!({"attribute": "plan", "true": "true"}), &["wrong_type /when/true"]);
    check(json!({"attribute": "plan", "set": true, "not": false}), &["wrong_type /when/not"]);
    check(json!({"attribute": "plan", "is": 7}), &["wrong_type /when/is"]);
    check(json!({"attribute": "plan", "in": []}), &["wrong_type /when/in"]);
    check(json!({"attribute": "plan", "in": "x"}), &["wrong_type /when/in"]);
    check(json!({"attribute": "plan", "in": ["x", 7]}), &["wrong_type /when/in/1"]);
}

#[test]
fn of_two_the_object_is_the_place_and_what_stands_inside_is_judged_as_well() {
    check_rule(
        &with("from", json!({"attribute": "nowhere", "constant": " "})),
        &["wrong_type /from", "unknown_attribute /from/attribute", "blank_text /from/constant"],
    );
    check_rule(
        &with("when", json!({"attribute": "plan", "set": true, "is": " "})),
        &["wrong_type /when", "blank_text /when/is"],
    );
    check_rule(
        &with("steps", json!([{"split": ",", "yes_no": {"yes": "a"}}])),
        &["wrong_type /steps/0", "missing_key /steps/0/yes_no"],
    );
    check_rule(
        &with("steps", json!([{"lookup": {"values": {"a": " "}, "otherwise": " ", "keep": 1}}])),
        &[
            "wrong_type /steps/0/lookup",
            "blank_text /steps/0/lookup/values/a",
            "blank_text /steps/0/lookup/otherwise",
            "wrong_type /steps/0/lookup/keep",
        ],
    );
}

#[test]
fn a_missing_key_is_told_at_the_object_and_an_unknown_one_at_the_key() {
    check("{}", &["missing_key "]);
    check(r#"{"Rules": []}"#, &["missing_key ", "unknown_key /Rules"]);
    check_rule(&json!({}), &["missing_key "]);
    check_rule(&json!({"claim": "labels"}), &["missing_key "]);
    let split = json!([{"split": ","}]);
    check_rule(&json!({"claim": "labels", "steps": split}), &["missing_key "]);
    check_rule(&with("From", json!({})), &["unknown_key /From"]);
    check_rule(&with("from", json!({})), &["missing_key /from"]);
    check_rule(&with("from", json!({"attribute": "plan", "x": 1})), &["unknown_key /from/x"]);
    check_rule(&with("when", json!({"attribute": "plan"})), &["missing_key /when"]);
    check_rule(&with("when", json!({"set": true})), &["missing_key /when"]);
    check_rule(&with("when", json!({})), &["missing_key /when"]);
    check_rule(&with("missing", json!({})), &["missing_key /missing"]);
    check_rule(
        &with("missing", json!({"defualt": "x"})),
        &["missing_key /missing", "unknown_key /missing/defualt"],
    );
    let check = |step: Json, expected: &[&str]| check_rule(&with("steps", json!([step])), expected);
    check(json!({}), &["missing_key /steps/0"]);
    check(json!({"date": {"in": "%s"}}), &["missing_key /steps/0/date"]);
    check(json!({"date": {}}), &["missing_key /steps/0/date"]);
    check(json!({"yes_no": {"yes": "a", "no": "b", "x": 1}}), &["unknown_key /steps/0/yes_no/x"]);
    check(json!({"lookup": {"otherwise": "x"}}), &["missing_key /steps/0/lookup"]);
    check(json!({"lookup": {"values": {"a": "b"}, "else": "x"}}), &["unknown_key /steps/0/lookup/else"]);
}

#[test]
fn an_object_whose_only_error_is_an_unknown_source_test_or_step_has_that_alone() {
    check_rule(&with("from", json!({"column": "plan"})), &["unknown_key /from/column"]);
    check_rule(&with("when", json!({"attribute": "plan", "equals": "x"})), &["unknown_key /when/equals"]);
    check_rule(
        &with("when", json!({"attribute": "plan", "not": true, "equals": "x"})),
        &["unknown_key /when/equals"],
    );
    check_rule(&with("when", json!({"equals": "x"})), &["missing_key /when", "unknown_key /when/equals"]);
    check_rule(&with("steps", json!([{"trim": true}])), &["unknown_key /steps/0/trim"]);
}

#[test]
fn a_text_with_nothing_in_it_is_blank() {
    for blank in ["", " ", "\u{a0}\u{200b}"] {
        check_rule(&with("from", json!({"constant": blank})), &["blank_text /from/constant"]);
        check_rule(&with("from", json!({"text": ["{plan}", blank]})), &["blank_text /from/text/1"]);
        check_rule(&with("missing", json!({"default": blank})), &["blank_text /missing/default"]);
        check_rule(&with("missing", json!({"default": ["a", blank]})), &["blank_text /missing/default/1"]);
        check_rule(&with("when", json!({"attribute": "plan", "is": blank})), &["blank_text /when/is"]);
        check_rule(
            &with("when", json!({"attribute": "plan", "in": ["a", blank]})),
            &["blank_text /when/in/1"],
        );
        let steps = json!([{"lookup": {"values": {"a": blank}, "otherwise": blank}}, {"yes_no": {"yes": blank, "no": blank}}]);
        check_rule(
            &with("steps", steps),
            &[
                "blank_text /steps/0/lookup/values/a",
                "blank_text /steps/0/lookup/otherwise",
                "blank_text /steps/1/yes_no/yes",
                "blank_text /steps/1/yes_no/no",
            ],
        );
    }
}
