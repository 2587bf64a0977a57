//! `mapping.md` section 4: what a draft says, once its form is right.

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
    check_rule(&rule("labels", json!({"attribute": "nope"})), &["unknown_attribute /from/attribute"]);
    check_rule(&rule("labels", json!({"attribute": "Plan"})), &["unknown_attribute /from/attribute"]);
    check_rule(&rule("labels", json!({"attribute": ""})), &["unknown_attribute /from/attribute"]);
    check_rule(&rule("labels", json!({"attribute": " plan"})), &["unknown_attribute /from/attribute"]);
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
    check_rule(&rule("labels", json!({"attribute": "Password"})), &["secret_attribute /from/attribute"]);
    check_rule(&rule("labels", json!({"text": ["{api_key}"]})), &["secret_attribute /from/text/0"]);
    check_rule(
        &rule("labels", json!({"text": ["{api_key}{nope}"]})),
        &["secret_attribute /from/text/0", "unknown_attribute /from/text/0"],
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
        check_rule(&rule("labels", json!({ "text": [odd] })), &["bad_text /from/text/0"]);
    }
    check_rule(&rule("labels", json!({"text": ["{{{plan}}}", "{{}}"]})), &[]);
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
        "%y %Y-%m-%d",
        "%Y-%m-%d %",
        "%s %s",
        "x%s",
        "%Y-%m-%d %s",
        "%s%%",
        "%s%*",
        "%y-%m",
        "% Y-%m-%d",
        "%%Y-%m-%d",
        "%Y-%m-%d %b",
        "%Y %b %B %d",
        "%Y-%m-%d %d",
        "%Y-%m-%d %I",
        "%Y-%m-%d %p",
        "%Y-%m-%d %H %p",
        "%Y-%m-%d %H %I %p",
        "%Y-%m-%d %I %I %p",
        "%Y-%m-%d %I %p %p",
        "%Y-%m-%d %M:%M",
        "%Y-%m-%d %S:%S",
        "%Y-%m-%d %f%f",
        "%Y-%m-%d %z%z",
        "%Y-%m-%d%*%*",
        "%Y-%m-%d%*x",
        "%*%Y-%m-%d",
        "%Y-%m-%d%*%%",
        "%Y-%m-%d %Z",
        "%Y-%m-%d %A",
    ] {
        check(odd, "%Y", &["bad_date /steps/0/date/in"]);
    }
    for good in
        ["%y-%b-%d", "%B %Y %d", "%d%m%Y%H%M%S%f%z%*", "%p%I%Y%m%d", "%Y-%m-%d%* ", "%Y-%m-%d %I%M%S%p%f"]
    {
        check(good, "%y%Y%b%B%I%I%p", &[]);
    }
    for odd in [
        "", " ", "date", "%%", "%s", "%Y %s", "%Y %f", "%Y %z", "%Y %*", "%f", "%z", "%*", "%Y %", "%A",
        "%Z %Y",
    ] {
        check("%s", odd, &["bad_date /steps/0/date/out"]);
    }
}

#[test]
fn split_stands_first_in_list_claims_and_never_behind_a_text() {
    let split = json!({"split": ","});
    check_rule(&stepped("labels", plan(), json!([split])), &[]);
    check_rule(&stepped("name", plan(), json!([split])), &["bad_split /steps/0"]);
    check_rule(&stepped("labels", plan(), json!(["lower", split])), &["bad_split /steps/1"]);
    check_rule(&stepped("labels", plan(), json!([split, split])), &["bad_split /steps/1"]);
    check_rule(&stepped("labels", json!({"text": ["{plan}"]}), json!([split])), &["bad_split /steps/0"]);
    check_rule(&stepped("labels", json!({"constant": "a,b"}), json!([split])), &[]);
    check_rule(&stepped("email", json!({"attribute": "email"}), json!([split])), &["bad_split /steps/0"]);
    for by in [",", ";", "|", " ", "\n", "\r\n"] {
        check_rule(&stepped("emails", json!({"attribute": "crm_id"}), json!([{ "split": by }])), &[]);
    }
    for by in ["\t", "/", ", ", ",,", "a"] {
        let rule = stepped("emails", json!({"attribute": "crm_id"}), json!([{ "split": by }]));
        check_rule(&rule, &["bad_split /steps/0"]);
    }
}

#[test]
fn a_bad_split_is_the_only_code_for_the_step() {
    for by in [json!(""), json!(7)] {
        let split = json!([{ "split": by }]);
        check_rule(&stepped("email", json!({"attribute": "email"}), split.clone()), &["bad_split /steps/0"]);
        check_rule(&stepped("labels", plan(), split), &["wrong_type /steps/0/split"]);
    }
    let emails = |by: Json| stepped("emails", json!({"attribute": "crm_id"}), json!([{ "split": by }]));
    check_rule(&emails(json!("")), &["bad_split /steps/0"]);
    check_rule(&emails(json!(7)), &["wrong_type /steps/0/split"]);
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
        &json!([email, rule("fields.7[]", plan()), rule("fields.7[]", plan()), rule("fields.7", plan())]),
        &["second_rule /rules/3/claim"],
    );
    check(&json!([email, rule("fields.7", plan()), rule("fields.8[]", plan())]), &[]);
}

#[test]
fn a_list_is_no_default_of_a_scalar_claim() {
    let mut one = rule("name", plan());
    one["missing"] = json!({"default": ["a"]});
    check_rule(&one, &["list_in_scalar /missing/default"]);
    one["missing"] = json!({"default": ["a", " "]});
    check_rule(&one, &["list_in_scalar /missing/default", "blank_text /missing/default/1"]);
    one["claim"] = json!("labels");
    one["missing"] = json!({"default": ["a"]});
    check_rule(&one, &[]);
}

#[test]
fn identifiers_come_straight_from_an_attribute() {
    for claim in ["email", "emails", "deskpro_id"] {
        check_rule(&rule(claim, json!({"constant": "x"})), &["identifier_rule /from/constant"]);
        check_rule(&rule(claim, json!({"text": ["{plan}"]})), &["identifier_rule /from/text"]);
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
fn a_mapping_needs_an_identifier() {
    check(&json!([]), &["no_identifier /rules"]);
    check(&json!([rule("emails", json!({"attribute": "email"}))]), &["no_identifier /rules"]);
    check(&json!([rule("deskpro_id", json!({"attribute": "crm_id"}))]), &[]);
    let upfront =
        |claim: &str| json!({"token": "id", "rules": [rule(claim, json!({"attribute": claim}))]}).to_string();
    assert_eq!(errors(&upfront("email")), [("no_identifier".to_owned(), "/rules".to_owned())]);
    assert_eq!(errors(&upfront("deskpro_id")), []);
}
