//! `mapping.md` section 4: the form of a draft, all errors at once, each with its place.

use std::fmt::Write;

use countersign::core::attribute::Definitions;
use countersign::core::catalogue::Catalogue;
use countersign::core::mapping::{self, Mapping, Tree};

use super::errors;

/// A draft's errors, written as `code place`.
fn check(draft: &str, expected: &[&str]) {
    let found: Vec<String> = errors(draft).iter().map(|(code, at)| format!("{code} {at}")).collect();
    assert_eq!(found, expected, "{draft}");
}

#[test]
fn the_example_has_no_error_and_comes_back_as_it_was() {
    let draft = include_str!("example.json");
    check(draft, &[]);
    let mapping = mapping::check(draft, &super::site(), &Catalogue::default()).mapping.expect("no error");
    let again = Tree::read(draft).expect("a tree").write();
    assert_eq!(Mapping::published(&again), Ok(mapping.clone()));
    let names: Vec<&str> = mapping.attributes().collect();
    let expected =
        "email display_name first_name last_name groups plan member_since interests newsletter timezone";
    assert_eq!(names.join(" "), expected);
    assert_eq!(mapping.rules().len(), 8);
}

#[test]
fn a_draft_above_200_000_bytes_or_500_rules_is_one_error() {
    let rule = r#"{"claim": "labels", "from": {"attribute": "nowhere"}}"#;
    let rules = |n: usize| format!(r#"{{"rules": [{}]}}"#, vec![rule; n].join(","));
    check(&rules(501), &["draft_too_large "]);
    assert_eq!(errors(&rules(500)).len(), 501);
    let email = r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}]}"#;
    let padded = |n: usize| format!("{email}{}", " ".repeat(n - email.len()));
    check(&padded(200_000), &[]);
    check(&padded(200_001), &["draft_too_large "]);
    check(&"[".repeat(200_001), &["draft_too_large "]);
}

#[test]
fn what_is_not_json_is_one_error() {
    for odd in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "nul",
        "tru",
        "01",
        "1.",
        ".5",
        "+1",
        "-",
        "1e",
        "NaN",
        "\"\t\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u+123\"",
        "\"",
        "{} {}",
        "// x\n{}",
        "\u{feff}{}",
        "{\"a\" 1}",
        "[1 2]",
        r#""\u0000""#,
        r#"{"\u0000":1}"#,
        r#""\ud800""#,
        r#""\ud800x""#,
        r#""\ud800\u0041""#,
        r#""\udc00""#,
        "\"\0\"",
        r#""\ud800\ud800""#,
    ] {
        check(odd, &["not_json "]);
    }
    // JSON, but nothing that a draft can be.
    for odd in ["null", "1e400", "-0.0E+10", "\"x\"", "[]", r#""\ud83d\ude00\/\b\f\n\r\t\"\\""#, "true"] {
        check(odd, &["wrong_type "]);
    }
}

#[test]
fn at_most_100_lists_and_objects_stand_in_one_another() {
    let nested = |n: usize| format!(r#"{{"rules": {}{}}}"#, "[".repeat(n), "]".repeat(n));
    check(&nested(99), &["no_identifier /rules", "wrong_type /rules/0"]);
    check(&nested(100), &["not_json "]);
}

#[test]
fn the_place_of_broken_json_is_told() {
    let checked = mapping::check("{\n  \"rülës\": x}", &Definitions::new(), &Catalogue::default());
    assert_eq!(checked.findings[0].help, "Check line 2, character 12.");
}

#[test]
fn a_key_twice_is_an_error_and_the_first_is_judged_on() {
    let email = r#"{"claim": "email", "from": {"attribute": "email"}}"#;
    check(&format!(r#"{{"rules": [{email}], "rules": 5}}"#), &["duplicate_key /rules"]);
    check(
        &format!(
            r#"{{"rules": [{email}, {{"claim": "labels", "claim": "x", "from": {{"constant": "a", "constant": 5}}}}]}}"#
        ),
        &["duplicate_key /rules/1/claim", "duplicate_key /rules/1/from/constant"],
    );
    // Anywhere, once at a place, with keys that need escaping.
    check(
        &format!(r#"{{"rules": [{email}], "x": {{"a/~": 1, "a/~": 2, "a/~": 3}}}}"#),
        &["unknown_key /x", "duplicate_key /x/a~1~0"],
    );
}

#[test]
fn what_makes_a_draft_no_json_is_named_when_it_cannot_be_seen() {
    let message = |draft: &str| {
        let found = countersign::core::mapping::check(draft, &super::site(), &Catalogue::default()).findings;
        assert_eq!(found.iter().map(|it| it.code).collect::<Vec<_>>(), ["not_json"], "{draft:?}");
        found[0].message.clone()
    };
    let draft = r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}]}"#;
    assert!(message(&format!("\u{feff}{draft}")).contains("byte-order mark (U+FEFF)"));
    assert!(message(&format!("{draft}\u{feff}")).contains("the character U+FEFF is here"));
    assert!(message(&draft.replace(": ", ":\u{a0}")).contains("the character U+00A0 is here"));
    assert!(message(&draft.replacen('"', "“", 1)).contains("the quote “ is here"));
}

#[test]
fn findings_come_in_the_order_of_the_draft() {
    let draft = r#"{"empty_lists": {"labels": "send"}, "x": 1, "rules": [
        {"missing": 1, "when": {"is": "", "attribute": "nope"}, "from": {"attribute": "nope"}, "claim": "no"}], "token": 1}"#;
    check(
        draft,
        &[
            "unknown_claim /empty_lists/labels",
            "unknown_key /x",
            "no_identifier /rules",
            "wrong_type /rules/0/missing",
            "blank_text /rules/0/when/is",
            "unknown_attribute /rules/0/when/attribute",
            "unknown_attribute /rules/0/from/attribute",
            "unknown_claim /rules/0/claim",
            "wrong_type /token",
        ],
    );
}

#[test]
fn any_draft_is_answered() {
    // Truncated and garbled, the example neither panics nor passes for what it is not.
    let draft = include_str!("example.json");
    for (i, _) in draft.char_indices() {
        assert!(!errors(draft[..i].trim_end()).is_empty() || draft[i..].trim().is_empty());
        let mut garbled = String::new();
        write!(garbled, "{}{}", &draft[..i], &draft[(i + 1).min(draft.len())..]).expect("a String");
        errors(&garbled);
    }
}
