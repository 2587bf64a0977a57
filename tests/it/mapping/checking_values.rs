//! `mapping.md` section 4: what a draft says, once its form is right.

use serde_json::{Value as Json, json};

use super::errors;

fn check(rules: &Json, expected: &[&str]) {
    let found = errors(&json!({ "rules": rules }).to_string());
    let found: Vec<String> = found
        .iter()
        .map(|(code, at)| format!("{code} {at}"))
        .collect();
    assert_eq!(found, expected, "{rules}");
}

/// The errors of one rule beside one for the other identifier; places are told from the rule on.
fn check_rule(rule: &Json, expected: &[&str]) {
    let other = if rule["claim"] == "email" {
        "deskpro_id"
    } else {
        "email"
    };
    let rules = json!([{"claim": other, "from": {"attribute": other}}, rule]);
    let found = errors(&json!({ "rules": rules }).to_string());
    let found: Vec<String> = found
        .iter()
        .map(|(code, at)| format!("{code} {}", at.strip_prefix("/rules/1").unwrap_or(at)))
        .collect();
    assert_eq!(found, expected, "{rule}");
}

fn rule(claim: &str, from: Json) -> Json {
    json!({"claim": claim, "from": from})
}

fn stepped(claim: &str, from: Json, steps: Json) -> Json {
    json!({"claim": claim, "from": from, "steps": steps})
}

fn plan() -> Json {
    json!({"attribute": "plan"})
}

#[test]
fn claims_are_the_twelve_with_fields_by_their_ids() {
    for claim in [
        "name",
        "first_name",
        "last_name",
        "organization_id",
        "language_id",
        "timezone",
        "emails",
        "usergroup_ids",
        "labels",
        "fields.7",
        "fields.123456789012345678",
        "fields.7[]",
        "deskpro_id",
    ] {
        check_rule(&rule(claim, plan()), &[]);
    }
    for odd in [
        "",
        "Name",
        "name ",
        "fields",
        "fields.",
        "fields.0",
        "fields.07",
        "fields.x",
        "fields.7[",
        "fields.7[]x",
        "fields.[]",
        "fields.7[][]",
        "fields.1234567890123456789",
        "iat",
        "exp",
        "emails[]",
        "fields.٧",
    ] {
        check_rule(&rule(odd, plan()), &["unknown_claim /claim"]);
    }
}

#[test]
fn empty_lists_names_list_claims_that_have_a_rule() {
    let draft = json!({
        "rules": [{"claim": "email", "from": {"attribute": "email"}}, rule("labels", plan()), rule("fields.7", plan())],
        "empty_lists": {"labels": "send", "emails": "omit", "email": "omit", "fields.7[]": "send", "x~y": "send"},
    });
    let expected = [
        ("unknown_claim", "/empty_lists/emails"),
        ("unknown_claim", "/empty_lists/email"),
        ("unknown_claim", "/empty_lists/fields.7[]"),
        ("unknown_claim", "/empty_lists/x~0y"),
    ];
    let expected = expected.map(|(code, at)| (code.to_owned(), at.to_owned()));
    assert_eq!(errors(&draft.to_string()), expected);
}

#[test]
fn an_attribute_must_exist_in_sources_parts_and_conditions() {
    check_rule(
        &rule("labels", json!({"attribute": "nope"})),
        &["unknown_attribute /from/attribute"],
    );
    check_rule(
        &rule("labels", json!({"attribute": "Plan"})),
        &["unknown_attribute /from/attribute"],
    );
    check_rule(
        &rule("labels", json!({"attribute": ""})),
        &["unknown_attribute /from/attribute"],
    );
    check_rule(
        &rule("labels", json!({"attribute": " plan"})),
        &["unknown_attribute /from/attribute"],
    );
    check_rule(
        &rule("labels", json!({"text": ["x", "{plan|nope} {none}"]})),
        &["unknown_attribute /from/text/1"],
    );
    let mut silent = rule("labels", plan());
    silent["when"] = json!({"attribute": "nope", "set": true});
    check_rule(&silent, &["unknown_attribute /when/attribute"]);
}

#[test]
fn a_secret_name_has_its_own_code_alone() {
    check_rule(
        &rule("labels", json!({"attribute": "Password"})),
        &["secret_attribute /from/attribute"],
    );
    check_rule(
        &rule("labels", json!({"text": ["{api_key}"]})),
        &["secret_attribute /from/text/0"],
    );
    check_rule(
        &rule("labels", json!({"text": ["{api_key}{nope}"]})),
        &[
            "secret_attribute /from/text/0",
            "unknown_attribute /from/text/0",
        ],
    );
    let mut silent = rule("labels", plan());
    silent["when"] = json!({"attribute": "user_token", "set": true});
    check_rule(&silent, &["secret_attribute /when/attribute"]);
}

#[test]
fn a_single_brace_or_a_part_without_a_name_is_a_bad_text_alone() {
    for odd in [
        "{",
        "}",
        "a}b",
        "{plan",
        "plan}",
        "{plan}}",
        "{{plan}",
        "{a{b}",
        "{}",
        "{|}",
        "{plan|}",
        "{|plan}",
        "{nope||plan}",
        "{a\u{7d}\u{7d}",
    ] {
        check_rule(
            &rule("labels", json!({ "text": [odd] })),
            &["bad_text /from/text/0"],
        );
    }
    check_rule(
        &rule("labels", json!({"text": ["{{{plan}}}", "{{}}"]})),
        &[],
    );
}

#[test]
fn a_form_of_a_date_is_judged() {
    let check = |input: &str, output: &str, expected: &[&str]| {
        let date = json!([{"date": {"in": input, "out": output}}]);
        check_rule(&stepped("labels", plan(), date), expected);
    };
    check("%Y-%m-%d", "%d", &[]);
    check(" %s ", "%H%H", &[]);
    check("%%%Y%m%d%H%M%S", "%%%S", &[]);
    for odd in [
        "",
        "%Y-%m",
        "%Y-%d",
        "%m-%d",
        "%Y-%m-%d %Y",
        "%Y-%m-%d %H:%H",
        "%Y-%m-%d %y",
        "%Y-%m-%d %",
        "%s %s",
        "x%s",
        "%Y-%m-%d %s",
        "%s%%",
        "%y-%m-%d",
        "% Y-%m-%d",
        "%%Y-%m-%d",
    ] {
        check(odd, "%Y", &["bad_date /steps/0/date/in"]);
    }
    for odd in ["", " ", "date", "%%", "%s", "%Y %s", "%y", "%Y %"] {
        check("%s", odd, &["bad_date /steps/0/date/out"]);
    }
}

#[test]
fn split_stands_first_in_list_claims_and_never_behind_a_text() {
    let split = json!({"split": ","});
    check_rule(&stepped("labels", plan(), json!([split])), &[]);
    check_rule(
        &stepped("name", plan(), json!([split])),
        &["bad_split /steps/0"],
    );
    check_rule(
        &stepped("labels", plan(), json!(["lower", split])),
        &["bad_split /steps/1"],
    );
    check_rule(
        &stepped("labels", plan(), json!([split, split])),
        &["bad_split /steps/1"],
    );
    check_rule(
        &stepped("labels", json!({"text": ["{plan}"]}), json!([split])),
        &["bad_split /steps/0"],
    );
    check_rule(
        &stepped("labels", json!({"constant": "a,b"}), json!([split])),
        &[],
    );
    check_rule(
        &stepped("email", json!({"attribute": "email"}), json!([split])),
        &["bad_split /steps/0"],
    );
    for by in [",", ";", "|", " ", "\n", "\r\n"] {
        check_rule(
            &stepped(
                "emails",
                json!({"attribute": "crm_id"}),
                json!([{ "split": by }]),
            ),
            &[],
        );
    }
    for by in ["\t", "/", ", ", ",,", "a"] {
        let rule = stepped(
            "emails",
            json!({"attribute": "crm_id"}),
            json!([{ "split": by }]),
        );
        check_rule(&rule, &["bad_split /steps/0"]);
    }
}

#[test]
fn a_scalar_claim_has_one_rule() {
    check(
        &json!([
            rule("email", json!({"attribute": "email"})),
            rule("name", plan()),
            rule("name", plan()),
            rule("name", plan())
        ]),
        &["second_rule /rules/2/claim", "second_rule /rules/3/claim"],
    );
    check(
        &json!([
            rule("email", json!({"attribute": "email"})),
            rule("labels", plan()),
            rule("labels", plan())
        ]),
        &[],
    );
    let email = rule("email", json!({"attribute": "email"}));
    check(
        &json!([email, rule("fields.7", plan()), rule("fields.7[]", plan())]),
        &["second_rule /rules/2/claim"],
    );
    check(
        &json!([
            email,
            rule("fields.7[]", plan()),
            rule("fields.7[]", plan()),
            rule("fields.7", plan())
        ]),
        &["second_rule /rules/3/claim"],
    );
    check(
        &json!([email, rule("fields.7", plan()), rule("fields.8[]", plan())]),
        &[],
    );
}

#[test]
fn a_list_is_no_default_of_a_scalar_claim() {
    let mut one = rule("name", plan());
    one["missing"] = json!({"default": ["a"]});
    check_rule(&one, &["list_in_scalar /missing/default"]);
    one["missing"] = json!({"default": ["a", " "]});
    check_rule(
        &one,
        &[
            "list_in_scalar /missing/default",
            "blank_text /missing/default/1",
        ],
    );
    one["claim"] = json!("labels");
    one["missing"] = json!({"default": ["a"]});
    check_rule(&one, &[]);
}

#[test]
fn identifiers_come_straight_from_an_attribute() {
    for claim in ["email", "emails", "deskpro_id"] {
        check_rule(
            &rule(claim, json!({"constant": "x"})),
            &["identifier_rule /from/constant"],
        );
        check_rule(
            &rule(claim, json!({"text": ["{plan}"]})),
            &["identifier_rule /from/text"],
        );
        let mut other = rule(claim, json!({"attribute": "crm_id"}));
        other["missing"] = json!({"default": "7"});
        check_rule(&other, &["identifier_rule /missing/default"]);
        other["missing"] = json!("refuse");
        check_rule(&other, &[]);
        other["steps"] = json!(["lower"]);
        check_rule(&other, &[]);
        other["steps"] = json!(["upper", {"date": {"in": "%s", "out": "%Y"}}, {"yes_no": {"yes": "a", "no": "b"}}, {"lookup": {"values": {"a": "b"}}}]);
        check_rule(
            &other,
            &[
                "identifier_rule /steps/0",
                "identifier_rule /steps/1",
                "identifier_rule /steps/2",
                "identifier_rule /steps/3",
            ],
        );
    }
}

#[test]
fn what_a_rule_itself_writes_must_fit_its_claim() {
    let from = |claim: &str, text: &str| rule(claim, json!({ "constant": text }));
    check_rule(
        &from("organization_id", "seven"),
        &["rejected_value /from/constant"],
    );
    check_rule(&from("organization_id", " 7 "), &[]);
    check_rule(
        &from("usergroup_ids", "2"),
        &["rejected_value /from/constant"],
    );
    check_rule(
        &from("timezone", "Mars"),
        &["rejected_value /from/constant"],
    );
    check_rule(&from("timezone", "europe/berlin"), &[]);
    check_rule(
        &from("name", &"x".repeat(8193)),
        &["rejected_value /from/constant"],
    );
    let texts = json!({"text": ["{plan}", "x", "7", "{{7"]});
    check_rule(
        &rule("organization_id", texts),
        &["rejected_value /from/text/1", "rejected_value /from/text/3"],
    );
}

#[test]
fn a_constant_is_judged_after_its_steps() {
    let from =
        |text: &str, steps: Json| stepped("usergroup_ids", json!({ "constant": text }), steps);
    let split = json!({"split": ","});
    let lookup = json!({"lookup": {"values": {"gold": "7"}}});
    check_rule(&from("gold", json!([lookup])), &[]);
    check_rule(
        &from("tin", json!([lookup])),
        &["rejected_value /from/constant"],
    );
    check_rule(&from("7,8,", json!([split])), &[]);
    check_rule(
        &from("7,x", json!([split])),
        &["rejected_value /from/constant"],
    );
    check_rule(
        &from("gold,tin", json!([split, lookup])),
        &["rejected_value /from/constant"],
    );
    check_rule(
        &from(",", json!([split])),
        &["rejected_value /from/constant"],
    );
    check_rule(
        &from(&"7,".repeat(1001), json!([split])),
        &["rejected_value /from/constant"],
    );
    let text = stepped("timezone", json!({"text": ["UTC"]}), json!(["lower"]));
    check_rule(&text, &[]);
}

#[test]
fn outputs_of_the_last_step_and_defaults_must_fit_the_claim() {
    let lookup = json!({"lookup": {"values": {"a": "7", " b/c": "x"}, "otherwise": "1"}});
    check_rule(
        &stepped("usergroup_ids", plan(), json!([lookup])),
        &[
            "rejected_value /steps/0/lookup/values/ b~1c",
            "rejected_value /steps/0/lookup/otherwise",
        ],
    );
    check_rule(
        &stepped("usergroup_ids", plan(), json!([lookup, "lower"])),
        &[],
    );
    let yes_no = json!({"yes_no": {"yes": "7", "no": "none"}});
    check_rule(
        &stepped("organization_id", plan(), json!([yes_no])),
        &["rejected_value /steps/0/yes_no/no"],
    );
    let mut groups = rule("usergroup_ids", plan());
    groups["missing"] = json!({"default": ["7", "1", "x"]});
    check_rule(
        &groups,
        &[
            "rejected_value /missing/default/1",
            "rejected_value /missing/default/2",
        ],
    );
    groups["missing"] = json!({"default": "1"});
    check_rule(&groups, &["rejected_value /missing/default"]);
    groups["missing"] = json!({"default": vec!["7"; 1001]});
    check_rule(&groups, &["rejected_value /missing/default"]);
}

#[test]
fn a_rejected_value_shows_only_where_nothing_else_is_wrong_in_the_rule() {
    let mut zone = rule("timezone", json!({"constant": "Mars"}));
    zone["missing"] = json!({"default": "Venus"});
    check_rule(
        &zone,
        &[
            "rejected_value /from/constant",
            "rejected_value /missing/default",
        ],
    );
    zone["x"] = json!(1);
    check_rule(&zone, &["unknown_key /x"]);
    let mars = rule("timezone", json!({"constant": "Mars"}));
    let email = rule("email", json!({"attribute": "email"}));
    check(
        &json!([email, mars, mars]),
        &[
            "rejected_value /rules/1/from/constant",
            "second_rule /rules/2/claim",
        ],
    );
}

#[test]
fn a_mapping_needs_an_identifier() {
    check(&json!([]), &["no_identifier /rules"]);
    check(
        &json!([rule("emails", json!({"attribute": "email"}))]),
        &["no_identifier /rules"],
    );
    check(
        &json!([rule("deskpro_id", json!({"attribute": "crm_id"}))]),
        &[],
    );
    let upfront = |claim: &str| {
        json!({"token": "id", "rules": [rule(claim, json!({"attribute": claim}))]}).to_string()
    };
    assert_eq!(
        errors(&upfront("email")),
        [("no_identifier".to_owned(), "/rules".to_owned())]
    );
    assert_eq!(errors(&upfront("deskpro_id")), []);
}
