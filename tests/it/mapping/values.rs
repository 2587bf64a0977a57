//! `mapping.md` section 1: what a value is, and how it is read.

use countersign::core::attribute::{Attributes, AttributesError, Value, ValueError};
use serde_json::{Value as Json, json};

use super::{World, copy, given, with_email};

fn check_label(value: &Json, label: &Json) {
    let labels = given(&copy("labels", "plan"), &json!({ "plan": value }));
    let one = labels.get(0).cloned().unwrap_or(Json::Null);
    assert_eq!(one, *label, "{value}");
}

fn check_name(value: &Json, name: &Json) {
    assert_eq!(given(&copy("name", "plan"), &json!({ "plan": value })), *name, "{value}");
}

#[test]
fn a_value_is_a_text_a_yes_no_a_number_or_a_flat_list_of_these() {
    // 1.1
    for json in [json!("a"), json!(true), json!(1.5), json!(["a", false, 2])] {
        let value: Value = serde_json::from_value(json.clone()).expect("a value");
        assert_eq!(serde_json::to_value(value).expect("JSON"), json);
    }
    for json in [json!(null), json!({"a": 1}), json!([["a"]]), json!([null])] {
        assert!(serde_json::from_value::<Value>(json.clone()).is_err(), "{json}");
    }
}

#[test]
fn a_text_has_at_most_16_kib_and_no_nul() {
    // 1.1
    let check = |text: &str, error: Option<ValueError>| {
        assert_eq!(Value::from(text).check().err(), error);
        assert_eq!(Value::from(vec!["a", text]).check().err(), error);
    };
    check("", None);
    check(&"x".repeat(16_384), None);
    check(&"x".repeat(16_385), Some(ValueError::TooLong { bytes: 16_385 }));
    check("a\0b", Some(ValueError::Nul));
    let nested = Value::List(vec![Value::List(Vec::new())]);
    assert_eq!(nested.check(), Err(ValueError::Nested));
    assert!(serde_json::from_str::<Value>(r#""\ud800""#).is_err(), "half a surrogate");
}

#[test]
fn a_user_has_at_most_64_kib() {
    // 1.1, counted as JSON
    let text = "x".repeat(16_000);
    let mut user: Attributes = (1..=4).map(|i| (format!("a{i}"), text.clone())).collect();
    assert_eq!(user.check(), Ok(()));
    let bytes = serde_json::to_string(&user).expect("JSON").len();
    let room = 65_536 - bytes - r#","a5":"""#.len();
    user.set("a5", "x".repeat(room));
    assert_eq!(user.check(), Ok(()));
    user.set("a5", "x".repeat(room + 1));
    assert!(matches!(user.check(), Err(AttributesError::TooLarge { .. })));
    user.set("a5", "x\0");
    let error = AttributesError::Value { name: "a5".to_owned(), error: ValueError::Nul };
    assert_eq!(user.check(), Err(error));
}

#[test]
fn an_email_verified_that_says_neither_yes_nor_no_is_missing() {
    // 1.1
    let check = |value: Json, text: Json| {
        let user = json!({"email_verified": value, "deskpro_id": "7"});
        let rules = json!({"rules": [copy("deskpro_id", "deskpro_id"), copy("name", "email_verified")]});
        let payload = World::new(&user).sign(&rules).expect("a payload");
        assert_eq!(payload["name"], text, "{value}");
    };
    check(json!(true), json!("true"));
    check(json!("Yes"), json!("true"));
    check(json!(0), json!("false"));
    check(json!("perhaps"), Json::Null);
    check(json!([true]), Json::Null);
    let unclear = World::new(&json!({"email_verified": "perhaps"}));
    assert_eq!(unclear.sign(&with_email(&[])).unwrap_err().0, "unverified");
}

#[test]
fn every_text_is_trimmed_where_it_is_read() {
    // 1.2: Unicode White_Space
    check_name(&json!("  Ana  "), &json!("Ana"));
    check_name(&json!("\t\u{a0}\u{2003}\u{3000}\u{85}Ana Smith\n"), &json!("Ana Smith"));
    check_name(&json!("\u{200b}Ana"), &json!("\u{200b}Ana"));
    let labels = given(&copy("labels", "plan"), &json!({"plan": [" a ", "b\n"]}));
    assert_eq!(labels, json!(["a", "b"]));
}

#[test]
fn a_blank_text_is_missing() {
    // 1.2: nothing but White_Space, Cc and Cf
    for blank in ["", " ", "\u{a0}", "\u{1}", "\u{7f}", "\u{200b}", "\u{feff}", " \u{2060}\u{ad} \u{9f}"] {
        check_name(&json!(blank), &Json::Null);
        check_label(&json!([blank, "x"]), &json!("x"));
    }
    for seen in ["-", "\u{200b}x", "\u{301}", "\u{e000}", "\u{115f}"] {
        check_name(&json!(seen), &json!(seen));
    }
}

#[test]
fn a_list_loses_its_blank_items_and_an_empty_list_is_missing() {
    // 1.2
    let labels = |plan: Json| given(&copy("labels", "plan"), &json!({ "plan": plan }));
    assert_eq!(labels(json!(["", "a", " ", "b"])), json!(["a", "b"]));
    assert_eq!(labels(json!([])), Json::Null);
    assert_eq!(labels(json!(["", "\u{200b}"])), Json::Null);
}

#[test]
fn a_text_above_8192_bytes_is_missing() {
    // 1.2, in bytes, trimmed
    let long = |n: usize| json!({"plan": "x".repeat(n), "email": "ana@example.com"});
    let set = json!({"claim": "name", "from": {"constant": "there"},
                     "when": {"attribute": "plan", "set": true}});
    assert_eq!(given(&set, &long(8192)), json!("there"));
    assert_eq!(given(&set, &long(8193)), Json::Null);
    assert_eq!(given(&set, &json!({"plan": format!("  {}  ", "x".repeat(8192))})), json!("there"));
    assert_eq!(given(&set, &json!({"plan": "é".repeat(4097)})), Json::Null);
    // After a step: capitals of ß are two letters.
    let grown = json!({"claim": "labels", "from": {"attribute": "plan"}, "steps": ["upper"]});
    assert_eq!(given(&grown, &json!({"plan": ["ŉ".repeat(3000), "x"]})), json!(["X"]));
}

#[test]
fn a_list_of_more_than_1000_items_is_missing() {
    // 1.2
    let rule = json!({"claim": "name", "from": {"constant": "there"},
                      "when": {"attribute": "plan", "set": true}});
    let items = |n: usize| json!({"plan": vec!["x"; n]});
    assert_eq!(given(&rule, &items(1000)), json!("there"));
    assert_eq!(given(&rule, &items(1001)), Json::Null);
    let split = json!({"claim": "labels", "from": {"attribute": "plan"}, "steps": [{"split": ","}]});
    assert_eq!(given(&split, &json!({"plan": "x,".repeat(1000)})), json!(["x"]));
    assert_eq!(given(&split, &json!({"plan": "x,".repeat(1001)})), Json::Null);
    assert_eq!(given(&split, &json!({"plan": vec!["x,x"; 501]})), Json::Null);
}

#[test]
fn no_rule_yields_nothing_in_quotes_or_null() {
    // 1.2: neither "", " Smith" nor null
    let user = json!({"first_name": " ", "last_name": "Smith"});
    let text = |t: Json| json!({"claim": "name", "from": {"text": t}});
    assert_eq!(given(&text(json!(["{first_name} {last_name}"])), &user), Json::Null);
    assert_eq!(given(&text(json!([" {last_name} "])), &user), json!("Smith"));
    let payload = World::new(&user).sign(&with_email(&[copy("first_name", "first_name")]));
    assert_eq!(payload, Ok(json!({"email": "ana@example.com"})));
}

#[test]
fn separators_and_names_are_not_trimmed() {
    // 1.2
    let split =
        |by: &str| json!({"claim": "labels", "from": {"attribute": "plan"}, "steps": [{"split": by}]});
    assert_eq!(given(&split(" - "), &json!({"plan": "a - b-c"})), json!(["a", "b-c"]));
    assert_eq!(given(&copy("name", " plan"), &json!({" plan": "silver"})), json!("silver"));
    let text = json!({"claim": "name", "from": {"text": ["{ plan}"]}});
    assert_eq!(given(&text, &json!({" plan": "silver"})), json!("silver"));
    assert_eq!(given(&text, &json!({"plan": "gold"})), Json::Null);
}

#[test]
fn a_yes_no_is_true_or_false_as_text() {
    // 1.3
    check_name(&json!(true), &json!("true"));
    check_name(&json!(false), &json!("false"));
}

#[test]
fn a_number_is_its_shortest_decimal_as_text() {
    // 1.3: without exponent or .0
    let check = |json: &str, text: &str| {
        let value: Value = serde_json::from_str(json).expect("a number");
        assert_eq!(value.as_text().as_deref(), Some(text), "{json}");
    };
    check("1", "1");
    check("1.0", "1");
    check("-0", "0");
    check("-0.0", "0");
    check("-2.50", "-2.5");
    check("0.1", "0.1");
    check("1e3", "1000");
    check("1e21", "1000000000000000000000");
    check("1e-7", "0.0000001");
    check("123456789012345678", "123456789012345678");
    check("18446744073709551615", "18446744073709551615");
    check("-9223372036854775808", "-9223372036854775808");
    check_name(&json!(5.0), &json!("5"));
}

#[test]
fn lower_and_upper_are_unicodes_full_mappings_without_a_locale() {
    // 1.3; nothing else changes letters
    let step = |step: &str, text: &str| {
        let rule = json!({"claim": "name", "from": {"attribute": "plan"}, "steps": [step]});
        given(&rule, &json!({ "plan": text }))
    };
    assert_eq!(step("upper", "straße"), json!("STRASSE"));
    assert_eq!(step("upper", "ﬁn"), json!("FIN"));
    assert_eq!(step("lower", "ΟΔΟΣ"), json!("οδος"));
    assert_eq!(step("lower", "İI"), json!("i\u{307}i"));
    assert_eq!(step("upper", "iı"), json!("II"));
    check_name(&json!("e\u{301} ﬁ Å"), &json!("e\u{301} ﬁ Å"));
}

#[test]
fn is_in_and_lookup_compare_exactly() {
    // 1.4: that text, capitals included
    let is = |text: &str| json!({"claim": "name", "from": {"constant": "x"}, "when": {"attribute": "plan", "is": text}});
    assert_eq!(given(&is("gold"), &json!({"plan": " gold "})), json!("x"));
    assert_eq!(given(&is(" gold "), &json!({"plan": "gold"})), json!("x"));
    assert_eq!(given(&is("gold"), &json!({"plan": "Gold"})), Json::Null);
    assert_eq!(given(&is("1"), &json!({"plan": 1.0})), json!("x"));
    assert_eq!(given(&is("true"), &json!({"plan": true})), json!("x"));
    // In NFC, on both sides and for the comparison alone.
    assert_eq!(given(&is("é"), &json!({"plan": "e\u{301}"})), json!("x"));
    assert_eq!(given(&is("e\u{301}"), &json!({"plan": ["a", "é"]})), json!("x"));
    let within = json!({"claim": "name", "from": {"attribute": "plan"}, "when": {"attribute": "plan", "in": ["x", "é"]}});
    assert_eq!(given(&within, &json!({"plan": "e\u{301}"})), json!("e\u{301}"));
    let lookup = json!({"claim": "name", "from": {"attribute": "plan"},
                        "steps": [{"lookup": {"values": {" gold ": " 7 "}}}]});
    assert_eq!(given(&lookup, &json!({"plan": "gold\n"})), json!("7"));
    assert_eq!(given(&lookup, &json!({"plan": "GOLD"})), Json::Null);
}

#[test]
fn yes_and_no_are_read_in_any_ascii_capitals() {
    // 1.4
    let answer = |value: &Json| {
        let rule = json!({"claim": "name", "from": {"attribute": "plan"},
                          "steps": [{"yes_no": {"yes": "Y", "no": "N"}}]});
        given(&rule, &json!({ "plan": value }))
    };
    for yes in [
        json!("1"),
        json!("TRUE"),
        json!(" Yes "),
        json!("oN"),
        json!("y"),
        json!("T"),
        json!(1),
        json!(true),
    ] {
        assert_eq!(answer(&yes), json!("Y"), "{yes}");
    }
    for no in [
        json!("0"),
        json!("False"),
        json!("NO"),
        json!("off"),
        json!("n"),
        json!("F"),
        json!(-0.0),
        json!(false),
    ] {
        assert_eq!(answer(&no), json!("N"), "{no}");
    }
    for neither in ["2", "ja", "yes!", "oui", "ｙｅｓ", "01"] {
        assert_eq!(answer(&json!(neither)), Json::Null, "{neither}");
    }
}
