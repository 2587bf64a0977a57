//! A rule passes through its form unchanged, whatever stands in it.

use countersign::core::attribute::Definitions;
use countersign::core::catalogue::Catalogue;
use countersign::core::mapping::{RuleEntry, Tree, check};
use rstest_reuse::apply;
use serde_json::json;

use super::{RULE, admin, filled_in, send};
use crate::mapping::random::{Dice, draft, published_text};
use crate::server::{World, everywhere};

#[test]
fn a_draft_that_is_read_and_written_means_the_same() {
    for seed in 1..20_000 {
        let text = draft(&mut Dice(seed)).to_string();
        let form = Tree::read(&text).unwrap_or_else(|| panic!("it has a form: {text}"));
        let again = form.write();
        assert_eq!(Tree::read(&again).as_ref(), Some(&form), "{text}");
        let (before, after) = (
            check(&text, &Definitions::new(), &Catalogue::default()),
            check(&again, &Definitions::new(), &Catalogue::default()),
        );
        assert_eq!(after.mapping, before.mapping, "{text}");
        let found = |checked: &countersign::core::mapping::Checked| {
            checked.findings.iter().map(|found| (found.code, found.pointer.clone())).collect::<Vec<_>>()
        };
        assert_eq!(found(&after), found(&before), "{text}");
    }
}

#[test]
fn what_has_no_form_is_kept_as_it_is() {
    for rule in [
        r#"{"claim": "name"}"#,
        r#"{"claim": "name", "from": {"attribute": "a", "constant": "b"}}"#,
        r#"{"claim": "name", "from": {"attribute": 7}}"#,
        r#"{"claim": "name", "from": {"attribute": "a"}, "when": null}"#,
        r#"{"claim": "name", "from": {"attribute": "a"}, "when": ["a", true]}"#,
        r#"{"claim": "name", "from": {"attribute": "a"}, "when": {"attribute": "a", "set": true, "not": false}}"#,
        r#"{"claim": "name", "from": {"attribute": "a"}, "missing": ["x"]}"#,
        r#"{"claim": "name", "from": {"attribute": "a"}, "steps": [{"lower": null}]}"#,
        r#"{"claim": "name", "from": {"attribute": "a"}, "steps": [{"date": ["%s", "%Y"]}]}"#,
        r#"{"claim": "name", "from": {"attribute": "a"}, "colour": "red"}"#,
        r#"{"claim": "name", "claim": "email", "from": {"attribute": "a"}}"#,
        r#"["name"]"#,
        "7",
    ] {
        assert_eq!(RuleEntry::read(rule).json(), Some(rule));
        let text = format!("{{\"rules\": [{rule}]}}");
        let form = Tree::read(&text).expect("the draft has a form");
        let again = check(&form.write(), &Definitions::new(), &Catalogue::default());
        assert!(again.mapping.is_none(), "{rule} must not become right by being looked at");
    }
    for text in [
        "",
        "7",
        "[]",
        "{",
        r#"{"rules": 7}"#,
        r#"{"rules": [], "x": 1}"#,
        r#"{"rules": [], "token": null}"#,
        r#"{"rules": [], "rules": []}"#,
        r#"{"rules": [], "empty_lists": {"labels": true}}"#,
    ] {
        assert_eq!(Tree::read(text), None, "{text}");
    }
}

#[test]
fn two_equal_keys_of_a_table_are_both_kept() {
    let rule = r#"{"claim": "name", "from": {"attribute": "a"}, "steps": [{"lookup": {"values": {"x": "1", "x": "2"}}}]}"#;
    assert!(RuleEntry::read(rule).rule().is_some());
    assert_eq!(RuleEntry::read(rule).write(), rule);
}

#[apply(everywhere)]
fn a_rule_passes_through_its_form_unchanged(world: &World) {
    let ada = admin(world, "ada");
    let id = world.app.user(&countersign::core::user::Login::parse("ada").expect("a login")).expect("ada").id;
    let hostile = json!({"claim": "labels", "from": {"text": ["<b>\"'&{login}", "a\r\nb\n\tc\\n {email}"]},
            "steps": [{"split": "\r\n"}, {"lookup": {"values": {"\n": "x\\y", "</textarea><script>alert(1)</script>": "\u{2028}"}, "otherwise": " . "}}],
            "when": {"attribute": "a\nb", "in": ["1", "\u{7}\\"], "not": true}, "missing": {"default": ["'", "\"\n"]}});
    let mut drafts = vec![json!({"rules": [hostile]}).to_string()];
    // A table too large for a field a row, with everything in it that its lines are cut at.
    let rows: Vec<String> = (0..40).map(|row| format!("\"k{row}\": \"{row}\"")).collect();
    for odd in [
        r#""a = b": "c""#,
        r#"" a ": "→\t""#,
        r#""x\n→": "\\n", "": "e", "y": """#,
        "\"\u{2028}\": \"\u{85}\"",
    ] {
        drafts.push(format!(r#"{{"rules": [{{"claim": "labels", "from": {{"attribute": "login"}}, "steps": [{{"lookup": {{"values": {{{}, {odd}}}}}}}]}}]}}"#, rows.join(", ")));
    }
    drafts.extend((1..=12).map(|seed| published_text(&mut Dice(seed))));
    for text in drafts {
        let before = Tree::read(&text).expect("it has a form");
        let revision = world.app.draft(&"default".into(), &id).expect("a draft").revision;
        let kept =
            world.app.save_draft(&"default".into(), &id, revision, &text, "").expect("it is kept").revision;
        for (number, rule) in before.rules.iter().enumerate() {
            let path = format!("/admin/mapping/rules/{number}");
            let page = ada.get(&path);
            assert_eq!(page.status, 200, "{text}");
            assert!(!page.body.contains("<script>alert"));
            let mut fields = filled_in(&page, RULE, "save");
            let answer = send(&ada, &path, &fields);
            assert_eq!(answer.status, 303, "{}", answer.body);
            let draft = world.app.draft(&"default".into(), &id).expect("a draft");
            let after = Tree::read(&draft.text).expect("it has a form");
            assert_eq!(&after.rules[number], rule, "{text}");
            assert_eq!(draft.revision, kept, "nothing changed, so nothing was written: {text}");
            // A browser sends line breaks as CR LF; that changes nothing either.
            for (_, value) in &mut fields {
                *value = value.replace("\r\n", "\n").replace('\n', "\r\n");
            }
            assert_eq!(send(&ada, &path, &fields).status, 303);
            assert_eq!(world.app.draft(&"default".into(), &id).expect("a draft").text, draft.text);
        }
    }
}
