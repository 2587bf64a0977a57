//! `mapping.md` section 4: warnings explain and do not block.

use countersign::core::attribute::Attributes;
use countersign::core::catalogue::Catalogue;
use countersign::core::mapping::{Level, Survey, check};
use serde_json::{Value as Json, json};

use super::{copy, published, site};

fn warnings(draft: &Json) -> Vec<String> {
    let checked = check(&draft.to_string(), &site(), &Catalogue::default());
    let warnings = checked.findings.iter().filter(|finding| finding.level == Level::Warning);
    warnings.map(|warning| format!("{} {}", warning.code, warning.pointer)).collect()
}

#[test]
fn both_identifiers_are_warned_of_and_do_not_block() {
    let mut draft = json!({"rules": [copy("email", "email"), copy("deskpro_id", "deskpro_id")]});
    assert_eq!(warnings(&draft), ["both_identifiers /rules/1/claim"]);
    assert!(check(&draft.to_string(), &site(), &Catalogue::default()).mapping.is_some());
    draft["token"] = json!("id");
    assert_eq!(warnings(&draft), Vec::<String>::new());
}

#[test]
fn name_beside_the_pair_is_warned_of() {
    let draft = json!({"rules": [
        copy("email", "email"), copy("name", "display_name"), copy("first_name", "first_name"), copy("last_name", "last_name"),
    ]});
    assert_eq!(warnings(&draft), ["name_and_pair /rules/1/claim"]);
}

#[test]
fn identifiers_organizations_and_groups_without_proof_are_warned_of() {
    let draft = json!({"rules": [
        copy("email", "email"), copy("emails", "plan"), copy("organization_id", "crm_id"), copy("usergroup_ids", "groups"),
        {"claim": "usergroup_ids", "from": {"text": ["{crm_id}", "{crm_id|plan}"]}}, copy("labels", "plan"),
        {"claim": "usergroup_ids", "from": {"constant": "7"}, "when": {"attribute": "plan", "set": true}},
    ]});
    assert_eq!(
        warnings(&draft),
        [
            "not_proved /rules/1/from/attribute",
            "not_proved /rules/3/from/attribute",
            "not_proved /rules/4/from/text/1",
        ]
    );
}

#[test]
fn warnings_come_beside_errors() {
    let draft = json!({"rules": [copy("emails", "plan"), {"claim": "labels", "from": {}}]});
    assert_eq!(warnings(&draft), ["not_proved /rules/0/from/attribute"]);
}

fn survey(mapping: &Json, users: &[Json]) -> Vec<String> {
    let mut survey = Survey::new(&published(mapping));
    for user in users {
        let user: Attributes = serde_json::from_value(user.clone()).expect("attributes");
        survey.observe(&user);
    }
    let warnings = survey.warnings();
    assert!(warnings.iter().all(|warning| warning.level == Level::Warning));
    warnings.iter().map(|w| format!("{} {} {}", w.code, w.pointer, w.message)).collect()
}

#[test]
fn not_on_an_attribute_that_some_users_lack_tells_how_many() {
    let when = |condition: Json| json!({"rules": [copy("email", "email"), {"claim": "labels", "from": {"constant": "x"}, "when": condition}]});
    let users = [json!({"plan": "gold"}), json!({"plan": " "}), json!({})];
    let not = json!({"attribute": "plan", "is": "gold", "not": true});
    let warning = "not_on_lacking /rules/1/when/not 2 users have no value in “plan”, and this condition applies to them too.";
    assert_eq!(survey(&when(not.clone()), &users), [warning]);
    assert_eq!(
        survey(&when(not), &users[..1]),
        [
            "no_user_meets /rules/1/when/is Every user has this value in “plan” today, so this rule applies to no user."
        ]
    );
    assert_eq!(survey(&when(json!({"attribute": "plan", "is": "gold"})), &users), Vec::<String>::new());
    // Who asks for those without it means them.
    assert_eq!(
        survey(&when(json!({"attribute": "plan", "set": true, "not": true})), &users),
        Vec::<String>::new()
    );
}

#[test]
fn a_condition_that_nobody_meets_is_told() {
    let when = |condition: Json| json!({"rules": [copy("email", "email"), {"claim": "labels", "from": {"constant": "x"}, "when": condition}]});
    let users = [json!({"newsletter": "ja"}), json!({"newsletter": "nein"}), json!({})];
    let yes = json!({"attribute": "newsletter", "true": true});
    let nobody = "no_user_meets /rules/1/when/true No user has a yes value in “newsletter” today, so this rule applies to no user.";
    assert_eq!(survey(&when(yes.clone()), &users), [format!("{nobody} Users have “ja”, “nein”.")]);
    let with_one = [users.as_slice(), &[json!({"newsletter": "on"})]].concat();
    assert_eq!(survey(&when(yes.clone()), &with_one), Vec::<String>::new());
    assert_eq!(survey(&when(yes), &[json!({"newsletter": "no"}), json!({})]), [nobody]);
    let set = when(json!({"attribute": "plan", "set": true}));
    let not_set = when(json!({"attribute": "plan", "set": true, "not": true}));
    let place = "no_user_meets /rules/1/when/set";
    let nobody =
        |what: &str| format!("{place} {what} a value in “plan” today, so this rule applies to no user.");
    assert_eq!(survey(&set, &users), [nobody("No user has")]);
    assert_eq!(survey(&not_set, &users), Vec::<String>::new());
    assert_eq!(survey(&not_set, &[json!({"plan": "x"})]), [nobody("Every user has")]);
    // With “unless … says yes”, words that are neither yes nor no are worth knowing of.
    let not = json!({"attribute": "newsletter", "true": true, "not": true});
    let told = survey(&when(not), &users[..2]);
    assert!(
        told.len() == 1 && told[0].contains("“ja”, “nein” in “newsletter”, which is neither yes nor no"),
        "{told:?}"
    );
}

#[test]
fn a_value_that_no_user_has_names_what_users_have_that_looks_the_same() {
    let mapping = json!({"rules": [
        copy("email", "email"),
        {"claim": "labels", "from": {"constant": "x"}, "when": {"attribute": "plan", "is": "gold"}},
        {"claim": "labels", "from": {"attribute": "plan"}, "steps": [
            {"lookup": {"values": {"Prämie": "1", "Gold Plan": "2", "tin": "3"}}}]},
    ]});
    let mut survey = Survey::new(&published(&mapping));
    for plan in ["Pra\u{308}mie", "Gold\u{a0}Plan", "GOLD"] {
        survey.observe(&serde_json::from_value(json!({"plan": plan})).expect("attributes"));
    }
    // What was seen can be written down.
    let seen = serde_json::to_string(&survey.seen()).expect("JSON");
    let survey = Survey::resume(&published(&mapping), serde_json::from_str(&seen).expect("JSON"));
    let help: Vec<String> =
        survey.warnings().into_iter().map(|it| format!("{} {}", it.pointer, it.help)).collect();
    assert_eq!(
        help,
        [
            "/rules/1/when/is A user has “GOLD”, which differs only by uppercase and lowercase. Use that spelling.",
            "/rules/2/steps/0/lookup/values/Gold Plan A user has “Gold[U+00A0]Plan”, which differs only by white space (U+0020, U+00A0). Use that spelling.",
            "/rules/2/steps/0/lookup/values/tin Compare it with the values that users have: uppercase and lowercase letters are different.",
        ]
    );
}

#[test]
fn values_that_no_user_has_are_told() {
    let mapping = json!({"rules": [
        copy("email", "email"),
        {"claim": "labels", "from": {"constant": "x"}, "when": {"attribute": "plan", "in": ["gold", "Silver"]}},
        {"claim": "labels", "from": {"constant": "x"}, "when": {"attribute": "plan", "is": "tin"}},
        {"claim": "labels", "from": {"attribute": "interests"}, "steps": [
            {"split": ","}, "lower", {"lookup": {"values": {" bikes ": "4", "cars/vans": "5"}}},
            {"lookup": {"values": {"4": "four", "5": "five"}}}]},
    ]});
    let users = [json!({"plan": ["gold"], "interests": "x, BIKES"}), json!({"plan": "silver"})];
    assert_eq!(
        survey(&mapping, &users),
        [
            "no_user_has /rules/1/when/in/1 No user has “Silver” today.",
            "no_user_has /rules/2/when/is No user has “tin” today.",
            "no_user_has /rules/3/steps/2/lookup/values/cars~1vans No user has “cars/vans” today.",
            "no_user_has /rules/3/steps/3/lookup/values/5 No user has “5” today.",
        ]
    );
    assert_eq!(survey(&mapping, &[]), Vec::<String>::new());
}
