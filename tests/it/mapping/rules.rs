//! `mapping.md` section 2: claims, sources, conditions, and what happens when there is nothing.

use serde_json::{Value as Json, json};

use super::{World, copy, given, with_email};

fn constant(claim: &str, text: &str) -> Json {
    json!({"claim": claim, "from": {"constant": text}})
}

fn text(texts: Json) -> Json {
    let mut rule = json!({"claim": "name"});
    rule["from"]["text"] = texts;
    rule
}

fn when(condition: Json) -> Json {
    let mut rule = constant("name", "there");
    rule["when"] = condition;
    rule
}

#[test]
fn the_example_of_the_specification_gives_its_payload() {
    let mapping: Json = serde_json::from_str(include_str!("example.json")).expect("JSON");
    let user = json!({
        "email": "Ana@Example.com", "email_verified": true, "first_name": "Ana", "groups": "4|1|5|4",
        "plan": "gold", "member_since": "2024-02-29", "interests": "bikes, bikes,cars",
        "newsletter": "on", "timezone": "europe/berlin",
    });
    let payload = json!({
        "email": "ana@example.com", "name": "Ana", "usergroup_ids": ["4", "5", "7"],
        "fields": {"9": "29.02.2024", "12": ["4"]}, "timezone": "Europe/Berlin",
        "labels": ["newsletter"],
    });
    assert_eq!(World::new(&user).sign(&mapping), Ok(payload));
    let payload = json!({"email": "ana@example.com", "usergroup_ids": [], "timezone": "UTC"});
    assert_eq!(World::new(&json!({})).sign(&mapping), Ok(payload));
}

#[test]
fn scalar_claims_take_one_text() {
    for claim in ["name", "first_name", "last_name", "fields.7"] {
        assert_eq!(given(&copy(claim, "plan"), &json!({"plan": "gold"})), json!("gold"), "{claim}");
    }
    for claim in ["organization_id", "language_id"] {
        assert_eq!(given(&copy(claim, "plan"), &json!({"plan": 7})), json!("7"), "{claim}");
    }
}

#[test]
fn lists_take_the_items_of_their_rules_in_order_without_duplicates() {
    for (claim, items) in [
        ("labels", ["b", "a", "c"]),
        ("usergroup_ids", ["9", "7", "8"]),
        ("fields.7[]", ["b", "a", "c"]),
        ("emails", ["b@x.de", "a@x.de", "c@x.de"]),
    ] {
        let [b, a, c] = items;
        let rules = json!([copy(claim, "plan"), copy(claim, "groups"), copy(claim, "interests")]);
        let user = json!({"plan": [b, a, b], "groups": a, "interests": [c, b]});
        let mut world = World::new(&user);
        world.verified_only = false;
        let payload = world.sign(&with_email(rules.as_array().expect("rules"))).expect("a payload");
        let list = if claim == "fields.7[]" { &payload["fields"]["7"] } else { &payload[claim] };
        assert_eq!(*list, json!(items), "{claim}");
    }
}

#[test]
fn the_first_text_whose_parts_are_all_there_is_taken() {
    let names = json!(["{display_name}", "{first_name} {last_name}", "{first_name|last_name}", "nobody"]);
    let check = |user: Json, name: &str| assert_eq!(given(&text(names.clone()), &user), json!(name));
    check(json!({"display_name": "AS", "first_name": "Ana", "last_name": "Smith"}), "AS");
    check(json!({"display_name": " ", "first_name": "Ana", "last_name": "Smith"}), "Ana Smith");
    check(json!({"last_name": "Smith"}), "Smith");
    check(json!({"first_name": "Ana"}), "Ana");
    check(json!({}), "nobody");
}

#[test]
fn a_part_is_the_first_attribute_that_is_there() {
    let user = json!({"plan": " ", "groups": ["a"], "interests": 5, "newsletter": true});
    assert_eq!(given(&text(json!(["{plan|groups|interests|newsletter}"])), &user), json!("5"));
    assert_eq!(given(&text(json!(["<{newsletter}>"])), &user), json!("<true>"));
}

#[test]
fn a_list_is_no_part() {
    assert_eq!(given(&text(json!(["{plan}"])), &json!({"plan": ["gold"]})), Json::Null);
}

#[test]
fn doubled_braces_are_braces() {
    let user = json!({"plan": "gold"});
    let check = |written: &str, name: &str| assert_eq!(given(&text(json!([written])), &user), json!(name));
    check("{{plan}}", "{plan}");
    check("{{{plan}}}", "{gold}");
    check("}}{{", "}{");
    check("{plan}{plan}", "goldgold");
    check("a|b", "a|b");
}

#[test]
fn what_is_put_in_is_never_read_again() {
    let user = json!({"plan": "{login}", "login": "secret", "interests": "{{}}%Y"});
    assert_eq!(given(&text(json!(["{plan}{interests}"])), &user), json!("{login}{{}}%Y"));
}

#[test]
fn a_text_that_gets_too_long_is_passed_over() {
    let user = json!({"plan": "x".repeat(5000), "interests": "x".repeat(9000)});
    assert_eq!(given(&text(json!(["{plan}{plan}", "short"])), &user), json!("short"));
    assert_eq!(given(&text(json!(["{interests|plan}"])), &user), json!("x".repeat(5000)));
    let exact = json!({"plan": "x".repeat(8190)});
    let filled = "x".repeat(8190) + "ab";
    assert_eq!(given(&text(json!([" {plan}ab ", "short"])), &exact), json!(filled));
    assert_eq!(given(&text(json!(["{plan}abc", "short"])), &exact), json!("short"));
}

#[test]
fn a_condition_asks_one_thing_of_an_attribute() {
    let check = |condition: &Json, plan: Json, holds: bool| {
        let user = if plan.is_null() { json!({}) } else { json!({ "plan": plan }) };
        let mut world = World::new(&user);
        world.definitions = super::site();
        let payload = world.sign(&with_email(&[when(condition.clone())])).expect("a payload");
        assert_eq!(payload["name"].is_string(), holds, "{condition} {plan}");
        let mut turned = condition.clone();
        turned["not"] = json!(true);
        let payload = world.sign(&with_email(&[when(turned)])).expect("a payload");
        assert_eq!(payload["name"].is_string(), !holds, "not {condition} {plan}");
    };
    let set = json!({"attribute": "plan", "set": true});
    check(&set, json!("x"), true);
    check(&set, json!(false), true);
    check(&set, json!(["", "x"]), true);
    check(&set, json!(" "), false);
    check(&set, json!([""]), false);
    check(&set, Json::Null, false);
    let yes = json!({"attribute": "plan", "true": true});
    check(&yes, json!(" ON "), true);
    check(&yes, json!(1), true);
    check(&yes, json!(["no", "yes"]), true);
    check(&yes, json!("no"), false);
    check(&yes, json!("perhaps"), false);
    check(&yes, Json::Null, false);
    let is = json!({"attribute": "plan", "is": " gold "});
    check(&is, json!("gold "), true);
    check(&is, json!(["silver", "gold"]), true);
    check(&is, json!("Gold"), false);
    check(&is, Json::Null, false);
    let within = json!({"attribute": "plan", "in": ["gold", "7", "true"]});
    check(&within, json!(7), true);
    check(&within, json!(true), true);
    check(&within, json!(["x", "gold"]), true);
    check(&within, json!("x"), false);
    check(&within, Json::Null, false);
}

#[test]
fn a_false_condition_leaves_the_rule_silent_missing_included() {
    let mut rule = copy("name", "plan");
    rule["when"] = json!({"attribute": "newsletter", "true": true});
    for missing in [json!("refuse"), json!({"default": "nobody"})] {
        rule["missing"] = missing;
        assert_eq!(given(&rule, &json!({"newsletter": "no", "plan": ""})), Json::Null);
    }
}

#[test]
fn missing_omits_refuses_or_gives_a_default() {
    let with = |missing: Json| {
        let mut rule = copy("name", "plan");
        rule["missing"] = missing;
        World::new(&json!({"plan": " "})).sign(&with_email(&[rule]))
    };
    let email = json!({"email": "ana@example.com"});
    assert_eq!(with(json!("omit")), Ok(email.clone()));
    assert_eq!(with(json!("refuse")), Err(("missing", Some("name".to_owned()))));
    let named = json!({"email": "ana@example.com", "name": "nobody"});
    assert_eq!(with(json!({"default": " nobody "})), Ok(named));
    assert_eq!(World::new(&json!({"plan": ""})).sign(&with_email(&[copy("name", "plan")])), Ok(email));
}

#[test]
fn a_default_can_be_a_list_in_list_claims_and_no_step_touches_it() {
    let mut rule = copy("labels", "plan");
    rule["steps"] = json!([{"split": ","}, "upper"]);
    rule["missing"] = json!({"default": ["a,b", " c ", "c"]});
    assert_eq!(given(&rule, &json!({"plan": ""})), json!(["a,b", "c"]));
    rule["missing"] = json!({"default": "a,b"});
    assert_eq!(given(&rule, &json!({"plan": ""})), json!(["a,b"]));
    assert_eq!(given(&rule, &json!({"plan": "x"})), json!(["X"]));
}

#[test]
fn missing_speaks_after_all_checks_of_section_3() {
    let mut rule = copy("timezone", "plan");
    rule["missing"] = json!({"default": "utc"});
    assert_eq!(given(&rule, &json!({"plan": "Mars/Base"})), json!("UTC"));
    let mut rule = copy("usergroup_ids", "plan");
    rule["missing"] = json!({"default": ["7"]});
    assert_eq!(given(&rule, &json!({"plan": ["1", "x"]})), json!(["7"]));
    assert_eq!(given(&rule, &json!({"plan": ["1", "8"]})), json!(["8"]));
}

#[test]
fn items_that_another_rule_gave_count_as_given() {
    let mut second = copy("labels", "groups");
    second["missing"] = json!("refuse");
    let rules = json!([constant("labels", "a"), second]);
    assert_eq!(given(&rules, &json!({"groups": "a"})), json!(["a"]));
    let mut emails = copy("emails", "email");
    emails["missing"] = json!("refuse");
    assert_eq!(given(&emails, &json!({})), Json::Null, "the item equal to the claim is left out");
}

#[test]
fn an_empty_list_is_sent_only_where_the_mapping_says_so() {
    let mut mapping = with_email(&[
        copy("labels", "plan"),
        copy("fields.7[]", "plan"),
        json!({"claim": "usergroup_ids", "from": {"constant": "7"}, "when": {"attribute": "plan", "set": true}}),
        copy("emails", "email"),
    ]);
    let world = World::new(&json!({"plan": ""}));
    assert_eq!(world.sign(&mapping), Ok(json!({"email": "ana@example.com"})));
    mapping["empty_lists"] =
        json!({"labels": "omit", "fields.7[]": "send", "usergroup_ids": "send", "emails": "send"});
    let sent = json!({"email": "ana@example.com", "emails": [], "usergroup_ids": [], "fields": {"7": []}});
    assert_eq!(world.sign(&mapping), Ok(sent));
}

#[test]
fn token_id_signs_deskpro_id_alone_and_the_other_rules_neither_sign_nor_refuse() {
    let mut refusing = copy("name", "plan");
    refusing["missing"] = json!("refuse");
    let mapping = json!({"token": "id", "rules": [
        copy("deskpro_id", "deskpro_id"), copy("email", "email"), refusing, constant("labels", "a"),
    ]});
    let outcome = World::new(&json!({"deskpro_id": "42", "plan": ""})).apply(&mapping);
    let signed = outcome.result.expect("a payload");
    assert_eq!(serde_json::to_value(&signed).expect("JSON"), json!({"deskpro_id": "42"}));
    let person = serde_json::to_value(&outcome.person).expect("JSON");
    assert_eq!(person, json!({"deskpro_id": "42", "email": "ana@example.com", "labels": ["a"]}));
    let nobody = World::new(&json!({"plan": ""}));
    assert_eq!(nobody.sign(&mapping).unwrap_err().0, "no_identifier");
    let mut refusing = mapping.clone();
    refusing["rules"][0]["missing"] = json!("refuse");
    assert_eq!(nobody.sign(&refusing), Err(("missing", Some("deskpro_id".to_owned()))));
}
