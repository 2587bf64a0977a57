//! `mapping.md` 3.4: what refuses a token, and in which order.

use serde_json::{Value as Json, json};

use super::{World, copy, with_email};

#[test]
fn refusals_come_in_their_order() {
    // 3.4: each step takes the first reason away, and the next one shows
    let mut rule = copy("name", "plan");
    rule["missing"] = json!("refuse");
    let mut emails = copy("emails", "more");
    emails["missing"] = json!("refuse");
    let mut label = copy("labels", "big");
    label["steps"] = json!([{"split": ","}]);
    let rules = json!({"rules": [copy("email", "email"), rule, emails, label]});
    let numbers: Vec<String> = (10_000_000..10_000_900).map(|n: u32| n.to_string()).collect();
    let big = numbers.join(",");

    let mut user =
        json!({"email": "ana@bad.example", "email_verified": false, "more": "b@evil.example", "big": big});
    let world = |user: &Json| World::without_address(user).blocking(&["bad.example", "evil.example"]);
    let refused = |world: World| world.sign(&rules).map_err(|e| (e.0, e.1.unwrap_or_default()));
    let expect = |code: &'static str, claim: &str| Err((code, claim.to_owned()));

    let mut disabled = world(&user);
    disabled.disabled = true;
    assert_eq!(refused(disabled), expect("disabled", ""));
    assert_eq!(refused(world(&user)), expect("blocked", ""));
    user["email"] = json!("ana@example.com");
    assert_eq!(refused(world(&user)), expect("missing", "name"));
    user["plan"] = json!("Ana");
    assert_eq!(refused(world(&user)), expect("unverified", "emails"));
    assert_eq!(refused(world(&user).proved("more")), expect("blocked", ""));
    user["more"] = json!("b@x.de");
    assert_eq!(refused(world(&user).proved("more")), expect("unverified", "email"));
    user["email"] = json!("ana");
    assert_eq!(refused(world(&user).proved("more")), expect("no_identifier", ""));
    user["email"] = json!("ana@example.com");
    user["email_verified"] = json!(true);
    assert_eq!(refused(world(&user).proved("more")), expect("too_large", ""));
    user["big"] = json!("small");
    assert!(refused(world(&user).proved("more")).is_ok());
}

#[test]
fn refusing_rules_refuse_in_their_order() {
    // 3.4
    let refusing = |claim: &str, source: &str| {
        let mut rule = copy(claim, source);
        rule["missing"] = json!("refuse");
        rule
    };
    let world = World::without_address(&json!({"email": "ana@example.com"}));
    let rules = json!({"rules": [refusing("name", "display_name"), refusing("email", "email")]});
    assert_eq!(world.sign(&rules), Err(("missing", Some("name".to_owned()))));
    let rules = json!({"rules": [refusing("email", "email"), refusing("name", "display_name")]});
    assert_eq!(world.sign(&rules), Err(("unverified", Some("email".to_owned()))));
}

#[test]
fn the_block_list_holds_addresses_domains_with_subdomains_and_ids() {
    // 3.4
    let check = |entry: &str, email: &str, is_blocked: bool| {
        let world = World::new(&json!({"email": email, "deskpro_id": "42"})).blocking(&[entry]);
        let refused = world.sign(&with_email(&[])).is_err_and(|e| e.0 == "blocked");
        assert_eq!(refused, is_blocked, "{entry} {email}");
    };
    check("Ana@Example.com", "ANA@EXAMPLE.COM", true);
    check("ana@example.com", "bob@example.com", false);
    check(" EXAMPLE.com ", "ana@example.com", true);
    check("example.com", "ana@mail.a.example.com", true);
    check("example.com", "ana@badexample.com", false);
    check("mail.example.com", "ana@example.com", false);
    check("bücher.example", "ana@xn--bcher-kva.example", true);
    check("42", "ana@example.com", true);
    check("4", "ana@example.com", false);
    check("", "ana@example.com", false);
}

#[test]
fn the_block_list_covers_the_own_address_that_no_rule_reads() {
    // 3.4
    let rules = json!({"rules": [copy("deskpro_id", "deskpro_id")]});
    let user = json!({"email": "ana@staff.example", "email_verified": false, "deskpro_id": 7});
    assert_eq!(World::new(&user).blocking(&["staff.example"]).sign(&rules).unwrap_err().0, "blocked");
    let rules = with_email(&[]);
    assert_eq!(World::new(&json!({"deskpro_id": 7})).blocking(&["7"]).sign(&rules).unwrap_err().0, "blocked");
    // An id in the payload that is not the attribute.
    let rules = with_email(&[copy("deskpro_id", "crm_id")]);
    let world = World::new(&json!({"crm_id": "7"})).proved("crm_id").blocking(&["7"]);
    assert_eq!(world.sign(&rules).unwrap_err().0, "blocked");
}

#[test]
fn a_block_list_refuses_what_it_cannot_read() {
    use countersign::core::mapping::BlockList;
    for odd in ["localhost", "@example.com", "*.example.com", "0", "example.com.", "a b"] {
        assert!(BlockList::parse(&[odd]).is_err(), "{odd}");
    }
    assert!(BlockList::parse(&["", " "]).expect("nothing").is_empty());
}

#[test]
fn a_token_has_at_most_8192_bytes_with_the_times_it_carries() {
    // 3.4: 8,192 = 36 + 1 + 8,111 + 1 + 43, so the payload has at most 6,083 bytes of JSON
    let fits = |label: usize, iat: bool, exp: bool| {
        let mut world = World::new(&json!({"plan": "x".repeat(label)}));
        world.blocked.clear();
        let rules = with_email(&[copy("labels", "plan")]);
        let outcome = world.apply(&rules);
        let json = serde_json::to_string(&outcome.would_sign).expect("JSON").len();
        (json, outcome.would_sign.token_bytes(iat, exp))
    };
    let (json, bytes) = fits(10, false, false);
    assert_eq!(bytes, 36 + 1 + (json * 4).div_ceil(3) + 1 + 43);
    let (_, bytes) = fits(10, true, true);
    assert_eq!(bytes, 36 + 1 + ((json + 2 * 17) * 4).div_ceil(3) + 1 + 43);
    let (_, bytes) = fits(10, true, false);
    assert_eq!(bytes, 36 + 1 + ((json + 17) * 4).div_ceil(3) + 1 + 43);

    let signed = |label: usize| {
        let rules = with_email(&[copy("labels", "plan")]);
        World::new(&json!({"plan": "x".repeat(label)})).sign(&rules).map_err(|e| e.0)
    };
    let room = 6_083 - (json - 10) - 2 * 17;
    assert!(signed(room).is_ok());
    assert_eq!(signed(room + 1), Err("too_large"));
}
