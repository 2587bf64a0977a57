//! `mapping.md` section 3: what claims can hold, and proof. Addresses are in
//! `addresses`.

use serde_json::{Value as Json, json};

use super::{World, copy, given, with_email};

#[test]
fn ids_are_1_to_18_digits_the_first_not_0() {
    // 3.1
    for claim in ["organization_id", "language_id", "usergroup_ids", "deskpro_id"] {
        let check = |id: Json, is_held: bool| {
            let user = json!({"deskpro_id": id, "plan": id});
            let source = if claim == "deskpro_id" { "deskpro_id" } else { "plan" };
            let value = given(&copy(claim, source), &user);
            let value = value.get(0).cloned().unwrap_or(value);
            assert_eq!(value.is_string(), is_held, "{claim} {id}");
        };
        check(json!("7"), true);
        check(json!(7), true);
        check(json!(" 7 "), true);
        check(json!("123456789012345678"), true);
        check(json!("1234567890123456789"), false);
        check(json!("0"), false);
        check(json!("07"), false);
        check(json!("-7"), false);
        check(json!("7.5"), false);
        check(json!("٧"), false);
        check(json!("7 8"), false);
    }
}

#[test]
fn groups_are_not_1_or_2() {
    // 3.1; an item is dropped, the others stay
    let groups = given(&copy("usergroup_ids", "plan"), &json!({"plan": ["1", "2", "3", "x", "12"]}));
    assert_eq!(groups, json!(["3", "12"]));
    assert_eq!(given(&copy("organization_id", "plan"), &json!({"plan": "1"})), json!("1"));
}

#[test]
fn time_zones_are_written_as_the_iana_database_does() {
    // 3.1
    let check = |written: &str, zone: Json| {
        assert_eq!(given(&copy("timezone", "timezone"), &json!({"timezone": written})), zone, "{written}");
    };
    for zone in
        ["Europe/Berlin", "UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires", "US/Pacific", "GB", "EST5EDT"]
    {
        check(zone, json!(zone));
        check(&zone.to_uppercase(), json!(zone));
        check(&zone.to_lowercase(), json!(zone));
    }
    for odd in [
        "Etc/Unknown",
        "localtime",
        "posixrules",
        "posix/Europe/Berlin",
        "right/UTC",
        "Europe",
        "Europe/",
        "+01:00",
        "CEST",
        "Europe/Berlin ",
        "europe/berlın",
        "zone.tab",
        "leapseconds",
        "tzdata.zi",
        "../UTC",
    ] {
        let expected = if odd == "Europe/Berlin " { json!("Europe/Berlin") } else { Json::Null };
        check(odd, expected);
    }
}

#[test]
fn a_list_for_a_scalar_claim_is_missing_also_with_one_item() {
    // 3.1
    assert_eq!(given(&copy("name", "plan"), &json!({"plan": ["gold"]})), Json::Null);
    assert_eq!(given(&copy("timezone", "plan"), &json!({"plan": ["UTC"]})), Json::Null);
}

#[test]
fn one_bad_time_zone_never_costs_a_user_the_chat_unless_its_rule_refuses() {
    // 3.1
    let mut rule = copy("timezone", "timezone");
    let world = World::new(&json!({"timezone": "Mars"}));
    assert_eq!(world.sign(&with_email(&[rule.clone()])), Ok(json!({"email": "ana@example.com"})));
    rule["missing"] = json!("refuse");
    assert_eq!(world.sign(&with_email(&[rule])), Err(("missing", Some("timezone".to_owned()))));
}

#[test]
fn addresses_are_signed_with_their_domain_in_ascii() {
    // 3.2
    let world = World::new(&json!({"email": " Ana@BÜCHER.example "}));
    assert_eq!(world.sign(&with_email(&[])), Ok(json!({"email": "Ana@xn--bcher-kva.example"})));
    let broken = World::new(&json!({"email": "ana@localhost"}));
    assert_eq!(broken.sign(&with_email(&[])).unwrap_err().0, "no_identifier");
}

#[test]
fn duplicates_in_emails_are_found_folded_and_the_claim_email_is_left_out_at_the_end() {
    // 3.2
    let user = json!({"more": ["B@x.de", "b@X.de", "ANA@example.com", "c@x.de"]});
    let rules = json!({"rules": [copy("emails", "more"), copy("email", "email")]});
    let payload = World::new(&user).proved("more").sign(&rules);
    assert_eq!(payload, Ok(json!({"email": "ana@example.com", "emails": ["B@x.de", "c@x.de"]})));
    // Without the claim the item stays.
    let rules = json!({"rules": [copy("emails", "more"), copy("deskpro_id", "deskpro_id")]});
    let user = json!({"more": "ana@example.com", "deskpro_id": "7"});
    let payload = World::new(&user).proved("more").sign(&rules);
    assert_eq!(payload, Ok(json!({"deskpro_id": "7", "emails": ["ana@example.com"]})));
}

#[test]
fn identifiers_need_proof() {
    // 3.3
    let check = |claim: &str, source: &str, user: Json, expected: Result<Json, &str>| {
        let rules = json!({"rules": [copy(claim, source)]});
        let world = World::without_address(&user);
        let signed = world.sign(&rules).map(|p| p[claim].clone()).map_err(|e| e.0);
        assert_eq!(signed, expected, "{claim} from {source}");
    };
    let address = json!("ana@example.com");
    check("email", "email", json!({"email": address, "email_verified": true}), Ok(address.clone()));
    check("email", "email", json!({"email": address, "email_verified": "y"}), Ok(address.clone()));
    check("email", "email", json!({"email": address, "email_verified": false}), Err("unverified"));
    check("email", "email", json!({"email": address}), Err("unverified"));
    check("email", "login", json!({"login": address, "email_verified": true}), Err("unverified"));
    check("email", "work", json!({"work": address, "email_verified": true}), Err("unverified"));
    check("deskpro_id", "deskpro_id", json!({"deskpro_id": "7"}), Ok(json!("7")));
    check("deskpro_id", "crm_id", json!({"crm_id": "7"}), Err("unverified"));
    check("deskpro_id", "external_id", json!({"external_id": "7"}), Err("unverified"));

    let rules = json!({"rules": [copy("deskpro_id", "crm_id")]});
    let world = World::without_address(&json!({"crm_id": "7"})).proved("crm_id");
    assert_eq!(world.sign(&rules), Ok(json!({"deskpro_id": "7"})));
}

#[test]
fn proof_is_judged_after_the_form() {
    // 3.3: what is no address is not unverified
    let world = World::without_address(&json!({"email": "nonsense", "email_verified": false}));
    assert_eq!(world.sign(&with_email(&[])), Err(("no_identifier", None)));
    let mut refusing = with_email(&[]);
    refusing["rules"][0]["missing"] = json!("refuse");
    assert_eq!(world.sign(&refusing), Err(("missing", Some("email".to_owned()))));
}

#[test]
fn proof_is_asked_of_identifiers_alone_and_switched_off_by_the_setting_alone() {
    // 3.3
    let user = json!({"email": "ana@example.com", "more": "b@x.de"});
    let rules = with_email(&[copy("emails", "more"), copy("name", "email"), copy("organization_id", "more")]);
    let mut world = World::without_address(&user);
    assert_eq!(world.sign(&rules).unwrap_err().0, "unverified");
    world.verified_only = false;
    let payload = json!({"email": "ana@example.com", "emails": ["b@x.de"], "name": "ana@example.com"});
    assert_eq!(world.sign(&rules), Ok(payload));
}

#[test]
fn a_published_rule_whose_attribute_is_gone_yields_missing() {
    // 3.5, whatever still stands on the user's row
    let rules = with_email(&[
        copy("name", "plan"),
        json!({"claim": "first_name", "from": {"text": ["{plan}", "none"]}}),
        json!({"claim": "labels", "from": {"constant": "x"}, "when": {"attribute": "plan", "set": true}}),
    ]);
    let mut world = World::new(&json!({"plan": "gold"}));
    let payload = json!({"email": "ana@example.com", "name": "gold", "first_name": "gold", "labels": ["x"]});
    assert_eq!(world.sign(&rules), Ok(payload));
    world.definitions.remove("plan");
    assert_eq!(world.sign(&rules), Ok(json!({"email": "ana@example.com", "first_name": "none"})));
}
