//! `mapping …`

use serde_json::json;

use super::{Shell, names};

const GOOD: &str = r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}]}"#;
const BAD: &str = r#"{"rules": [{"claim": "mail", "from": {"attribute": "email"}, "steps": ["title"]}, {"claim": "name", "from": {"attribute": "password"}}]}"#;

#[test]
fn findings_are_told_all_at_once_in_the_shape_of_the_interface() {
    let shell = Shell::new();
    shell.file("good.json", GOOD);
    shell.file("bad.json", BAD);
    assert_eq!(shell.done(&["mapping", "check", "good.json"]), "The mapping has no errors.\n");
    assert!(shell.json(&["mapping", "check", "good.json"]).is_empty());
    let expected = [
        ("no_identifier", "/rules"),
        ("unknown_claim", "/rules/0/claim"),
        ("wrong_type", "/rules/0/steps/0"),
        ("secret_attribute", "/rules/1/from/attribute"),
    ];
    for command in ["check", "apply"] {
        let said = shell.run(&["mapping", command, "bad.json", "--json"]);
        assert_eq!((said.status, said.err.as_str()), (1, ""), "{said:?}");
        let findings = said.json();
        let found: Vec<_> = findings
            .iter()
            .map(|finding| {
                (finding["code"].as_str().expect("a code"), finding["pointer"].as_str().expect("a pointer"))
            })
            .collect();
        assert_eq!(found, expected);
        for finding in &findings {
            assert_eq!(names(finding), ["level", "code", "pointer", "message", "help"]);
            assert_eq!(finding["level"], "error");
            assert!(
                finding["message"].as_str() > Some("") && finding["help"].as_str() > Some(""),
                "{finding}"
            );
        }
        let said = shell.refused(&["mapping", command, "bad.json"]);
        for (code, pointer) in expected {
            assert!(said.contains(&format!("error {code} at {pointer}: ")), "{said}");
        }
    }
    assert_eq!(shell.json(&["mapping", "show"])[0]["version"], 0, "nothing was published");
}

#[test]
fn warnings_explain_and_do_not_block() {
    let shell = Shell::new();
    shell.done(&["attribute", "set", "plan"]);
    let draft = r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}, {"claim": "organization_id", "from": {"attribute": "plan"}}]}"#;
    shell.file("mapping.json", draft);
    let findings = shell.json(&["mapping", "check", "mapping.json"]);
    assert!(
        !findings.is_empty() && findings.iter().all(|finding| finding["level"] == "warning"),
        "{findings:?}"
    );
    let answers = shell.json(&["mapping", "apply", "mapping.json"]);
    assert_eq!(answers.len(), findings.len() + 1);
    assert_eq!(answers.last(), Some(&json!({"messenger": "default", "version": 1})));
    assert!(shell.done(&["mapping", "check", "mapping.json"]).contains("warning "));
}

#[test]
fn a_published_mapping_is_shown_as_it_was_written_and_is_in_force() {
    let shell = Shell::new();
    shell.done(&[
        "user",
        "add",
        "ana",
        "--set",
        "email=ana@example.com",
        "--set",
        "email_verified=y",
        "--set",
        "first_name=Ana",
    ]);
    let said = shell.run(&["mapping", "show"]);
    assert!(said.err.contains("Nothing has been published yet; this starter mapping is used."), "{said:?}");
    shell.file("starter.json", &said.out);
    shell.done(&["mapping", "check", "starter.json"]);
    shell.file("mapping.json", format!("{GOOD}\n"));
    assert_eq!(
        shell.done(&["mapping", "apply", "mapping.json", "--reason", "only the address"]),
        "Version 1 is published.\n"
    );
    assert_eq!(
        shell.json(&["mapping", "show"]),
        [json!({"messenger": "default", "version": 1, "text": format!("{GOOD}\n")})]
    );
    assert_eq!(shell.done(&["mapping", "show"]), format!("{GOOD}\n"));
    assert_eq!(shell.json(&["mapping", "preview", "ana"])[0]["claims"]["first_name"], json!(null));
    let named = GOOD.replace("]}", r#", {"claim": "first_name", "from": {"attribute": "first_name"}}]}"#);
    shell.file("named.json", named);
    let preview = shell.json(&["mapping", "preview", "ana", "--file", "named.json"]).remove(0);
    assert_eq!(preview["claims"]["first_name"], "Ana", "the file instead");
    let token = shell.json(&["token", "issue", "ana"]).remove(0);
    let claims = shell.json(&["token", "inspect", token["token"].as_str().expect("a token")]).remove(0);
    assert_eq!(claims["claims"]["first_name"], json!(null), "a preview publishes nothing");
    shell.done(&["mapping", "apply", "named.json"]);
    assert_eq!(shell.json(&["mapping", "show"])[0]["version"], 2);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let shell = Shell::new();
    shell.file("latin.json", b"{\"rules\": \"\xe9\"}");
    for command in ["check", "apply"] {
        assert!(shell.refused(&["mapping", command, "none.json"]).contains("none.json cannot be read"));
        assert!(shell.refused(&["mapping", command, "latin.json"]).contains("latin.json is not UTF-8"));
    }
    for command in [["mapping", "show"], ["mapping", "apply"]] {
        shell.file("good.json", GOOD);
        let words = [
            command.as_slice(),
            if command[1] == "apply" { &["good.json"] } else { &[] },
            &["--messenger", "shop"],
        ]
        .concat();
        assert!(shell.refused(&words).contains("There is no messenger 'shop'"), "{words:?}");
    }
}

#[test]
fn a_mapping_is_held_against_expected_payloads() {
    let shell = Shell::new();
    shell.done(&["user", "add", "ana", "--set", "email=ana@example.com", "--set", "email_verified=yes"]);
    shell.done(&["user", "add", "bob", "--set", "email=bob@example.com"]);
    shell.file("mapping.json", r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}, {"claim": "labels", "from": {"constant": "x"}}]}"#);
    shell.file("right.jsonl", "{\"login\": \"ana\", \"payload\": {\"labels\": [\"x\"], \"email\": \"ana@example.com\"}}\n\n{\"login\": \"BOB\", \"refused\": \"unverified\"}\n");
    let said = shell.done(&["mapping", "check", "mapping.json", "--expect", "right.jsonl"]);
    assert!(said.ends_with("Checked 2 expected payloads: all are as expected.\n"), "{said}");
    shell.file(
        "wrong.jsonl",
        r#"{"login": "ana", "payload": {"email": "ana@example.com", "name": "Ana"}}
{"login": "bob", "payload": {}}
{"login": "ana", "refused": "blocked"}
{"login": "bob", "refused": "blocked"}
{"login": "nobody", "payload": {}}
{"login": "ana"}
{"login": "ana", "claims": {}}
"#,
    );
    let said = shell.refused(&["mapping", "check", "mapping.json", "--expect", "wrong.jsonl"]);
    for line in [
        "line 1, ana: labels is [\"x\"], but must not be sent.",
        "line 1, ana: name is not sent, but must be \"Ana\".",
        "line 2, bob: There is no token (unverified)",
        "line 3, ana: There is a token, but the refusal blocked is expected.",
        "line 4, bob: The token is refused as unverified, but blocked is expected.",
        "line 5, nobody: There is no user with this login.",
        "line 6: This line cannot be read: It must contain either “payload” (an object) or “refused” (a code).",
        "line 7: This line cannot be read: Unknown key “claims”.",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    assert_eq!(said.lines().count(), 8, "{said}");
}

#[test]
fn compare_says_who_changes() {
    let shell = Shell::new();
    shell.done(&["user", "add", "ana", "--set", "email=ana@example.com", "--set", "email_verified=yes"]);
    shell.done(&[
        "user",
        "add",
        "bob",
        "--set",
        "email=bob@example.com",
        "--set",
        "email_verified=yes",
        "--set",
        "display_name=Bob",
    ]);
    shell.file("mapping.json", r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}, {"claim": "name", "from": {"attribute": "display_name"}, "missing": "refuse"}, {"claim": "labels", "from": {"constant": "x"}}]}"#);
    let said = shell.done(&["mapping", "compare", "mapping.json"]);
    assert!(said.starts_with("2 users: 0 unchanged, 1 changed, 1 lose the token, 0 get one\n"), "{said}");
    assert!(
        said.contains(
            "lose the token (missing): 1\n  ana: nothing → The mapping requires “name” for a token"
        ),
        "{said}"
    );
    assert!(said.contains("labels: 1\n  bob: nothing → x\n"), "{said}");
    let effect = &shell.json(&["mapping", "compare", "mapping.json"])[0];
    assert_eq!((&effect["users"], &effect["refused"]["missing"]["users"]), (&json!(2), &json!(1)));
}

#[test]
fn coverage_says_how_far_each_rule_reaches() {
    let shell = Shell::new();
    shell.file("users.csv", "login,email,email_verified,plan\na,a@example.com,yes,gold\nb,b@example.com,no,silver\nc,,,silver\nd,,,\n");
    shell.done(&["user", "import", "users.csv"]);
    shell.file("mapping.json", r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}},
        {"claim": "usergroup_ids", "from": {"attribute": "plan"}, "steps": [{"lookup": {"values": {"gold": "7"}}}]},
        {"claim": "labels", "from": {"attribute": "plan"}, "when": {"attribute": "plan", "is": "gold"}, "missing": {"default": "none"}}]}"#);
    let said = shell.done(&["mapping", "coverage", "mapping.json"]);
    assert_eq!(
        said,
        "rule 1 (email): 1 of 4 users get a value\n  2: The user has no value in this attribute. (not_set)\n  1: It is not verified as the user's own. (unverified)\n\
         rule 2 (usergroup_ids): 1 of 4 users get a value\n  2: The lookup table does not contain this value. (not_in_table)\n  1: The user has no value in this attribute. (not_set)\n  values that were left out, by the number of users who have them:\n    2: \"silver\" is not in the lookup table\n\
         rule 3 (labels): 1 of 4 users get a value\n  3: the condition does not hold\n"
    );
    assert!(shell.done(&["mapping", "coverage"]).starts_with("rule 1 (email): 1 of 4"));
    let coverage = &shell.json(&["mapping", "coverage", "mapping.json"])[0];
    assert_eq!(
        (&coverage["rules"][1]["unmatched"]["silver"], &coverage["attributes"]["plan"]),
        (&json!(2), &json!(3))
    );
}

#[test]
fn a_file_that_begins_with_a_byte_order_mark_is_told_so() {
    let shell = Shell::new();
    shell.file("bom.json", format!("\u{feff}{GOOD}"));
    let said = shell.run(&["mapping", "check", "bom.json"]);
    assert!(said.status == 1 && said.err.contains("it starts with a byte-order mark (U+FEFF)"), "{said:?}");
    shell.file("wide.json", [0xff, 0xfe, b'{', 0]);
    assert!(shell.refused(&["mapping", "check", "wide.json"]).contains("is UTF-16. Save it as UTF-8."));
}

#[test]
fn coverage_lists_the_values_and_says_what_a_row_that_looks_the_same_differs_by() {
    let shell = Shell::new();
    // As `24_lookup_nfd.csv` has them: a Mac's ä, a no-break space, other capitals, two spaces.
    shell.file(
        "users.csv",
        "login,email,email_verified,plan,timezone\n\
         ana,ana@example.com,yes,Pra\u{308}mie,W. Europe Standard Time\n\
         ben,ben@example.com,yes,Gold\u{a0}Plan,Europe/Amsterdam\u{200b}\n\
         cy,cy@example.com,yes,gold plan,utc\n\
         di,di@example.com,yes,Gold  Plan,\n",
    );
    shell.done(&["user", "import", "users.csv"]);
    shell.file("mapping.json", r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}},
        {"claim": "usergroup_ids", "from": {"attribute": "plan"}, "steps": [{"lookup": {"values": {"Prämie": "7", "Gold Plan": "8"}}}]},
        {"claim": "timezone", "from": {"attribute": "timezone"}}]}"#);
    let said = shell.done(&["mapping", "coverage", "mapping.json"]);
    for line in [
        "rule 2 (usergroup_ids): 1 of 4 users get a value\n",
        "  1: \"Gold[U+00A0]Plan\" is not in the lookup table. The row “Gold Plan” differs from it only by white space (U+0020, U+00A0).\n",
        "  1: \"gold plan\" is not in the lookup table. The row “Gold Plan” differs from it only by uppercase and lowercase.\n",
        "  1: \"Gold [U+0020]Plan\" is not in the lookup table. The row “Gold Plan” differs from it only by white space.\n",
        "rule 3 (timezone): 1 of 4 users get a value\n",
        "  1: \"W. Europe Standard Time\" (not_a_timezone)\n",
        "  1: \"Europe/Amsterdam[U+200B]\" (not_a_timezone)\n",
    ] {
        assert!(said.contains(line), "{line}{said}");
    }
}

#[test]
fn versions_are_listed_with_what_they_changed_and_one_is_put_in_force_again() {
    let shell = Shell::new();
    shell.done(&["attribute", "set", "plan"]);
    let table = |last: &str| {
        let rows: Vec<String> = (0..9).map(|row| format!("\"p{row}\": \"{row}9\"")).collect();
        format!(
            r#"{{"rules": [{{"claim": "email", "from": {{"attribute": "email"}}}}, {{"claim": "labels", "from": {{"attribute": "plan"}}, "steps": [{{"lookup": {{"values": {{{}, "last": "{last}"}}}}}}]}}]}}"#,
            rows.join(", ")
        )
    };
    for (file, last) in [("one.json", "1"), ("two.json", "2")] {
        shell.file(file, table(last));
        shell.done(&["mapping", "apply", file, "--reason", file]);
    }
    let said = shell.done(&["mapping", "versions"]);
    assert!(
        said.starts_with("2 ")
            && said.contains(" by the command line: two.json\n  Changed: Labels, rows “last”: “1” → “2”\n1 "),
        "{said}"
    );
    assert_eq!(
        shell.done(&["mapping", "restore", "1"]),
        "Version 3 is published. It is the same as version 1.\n"
    );
    assert_eq!(shell.done(&["mapping", "show"]).trim_end(), table("1"));
    assert_eq!(shell.done(&["mapping", "show", "--version", "2"]).trim_end(), table("2"));
    assert!(shell.refused(&["mapping", "restore", "9"]).contains("There is no version 9 of this mapping."));
    assert_eq!(shell.json(&["mapping", "versions"])[0]["reason"], "Back to version 1");
}

#[test]
fn expected_payloads_are_kept_and_warned_of_and_applying_asks_why() {
    let shell = Shell::new();
    shell.done(&["user", "add", "ana", "--set", "email=ana@example.com", "--set", "email_verified=yes"]);
    shell.file("mapping.json", GOOD);
    shell.file("expected.jsonl", "{\"login\": \"ana\", \"payload\": {\"email\": \"other@example.com\"}}\n");
    assert_eq!(
        shell.done(&["mapping", "expected", "add", "expected.jsonl"]),
        "Expected payloads stored: 1.\n"
    );
    assert_eq!(
        shell.done(&["mapping", "expected", "list"]),
        "{\"login\":\"ana\",\"payload\":{\"email\":\"other@example.com\"}}\n"
    );
    let checked = shell.json(&["mapping", "check", "mapping.json"]);
    assert_eq!((&checked[0]["level"], &checked[0]["code"]), (&json!("warning"), &json!("not_as_expected")));
    let refused = shell.refused(&["mapping", "apply", "mapping.json"]);
    assert!(refused.contains("not the expected payload of ana") && refused.contains("--reason"), "{refused}");
    shell.done(&["mapping", "apply", "mapping.json", "--reason", "the address is right"]);
    shell.done(&["mapping", "expected", "remove", "ana"]);
    assert!(
        shell
            .refused(&["mapping", "expected", "remove", "ana"])
            .contains("There is no expected payload for 'ana'.")
    );
}
