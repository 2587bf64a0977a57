//! `countersign helpdesk …` against the stand-in.

use countersign::standin::{API_KEY, Fault, FaultRule, On};

use super::*;
use crate::deskpro::standin;

#[test]
fn a_key_is_tried_in_plain_words() {
    let (shell, standin) = (Shell::new(), standin());
    let origin = standin.origin();
    let words = ["helpdesk", "test", "--origin", origin, "--private"];
    let good = shell.typed(&words, API_KEY);
    assert_eq!(good.status, 0, "{good:?}");
    for what in ["is Deskpro", "the agent Agent of the key (person 1)", "may search people"] {
        assert!(good.out.contains(what), "{good:?}");
    }
    let check = |fault: Option<Fault>, key: &str, part: &str, words_of_it: &str| {
        standin.set_faults(fault.clone().into_iter().map(|fault| FaultRule { fault, on: On::All }).collect());
        let said = shell.typed(&["--json", "helpdesk", "test", "--origin", origin, "--private"], key);
        let last: Json = serde_json::from_str(said.out.lines().last().unwrap_or_default()).expect("JSON");
        assert_eq!(
            (said.status, &last["part"], &last["state"]),
            (1, &part.into(), &"bad".into()),
            "{said:?}"
        );
        assert!(
            last["message"].as_str().is_some_and(|text| text.contains(words_of_it)),
            "{fault:?}: {said:?}"
        );
        assert!(!said.out.contains(key) && !said.err.contains(key));
    };
    check(None, "2:NOTTHEKEY", "api-key", "Copy the key again");
    check(Some(Fault::Html), API_KEY, "helpdesk", "a login page");
    check(Some(Fault::KeyRefused), API_KEY, "helpdesk", "asks for a login");
    check(Some(Fault::Status(404)), API_KEY, "helpdesk", "a login page");
    check(Some(Fault::NotFound), API_KEY, "helpdesk", "without a path");
    check(Some(Fault::Limited("40".into())), API_KEY, "helpdesk", "40 seconds");
    check(Some(Fault::Maintenance(String::new())), API_KEY, "helpdesk", "in maintenance");
    standin.set_faults(vec![]);
    let without = shell.typed(&["helpdesk", "test", "--origin", origin], API_KEY);
    assert!(without.out.contains("allow private addresses (`--private`)"), "{without:?}");
    let odd = shell.typed(&["helpdesk", "test", "--origin", "support.example.com"], API_KEY);
    assert_eq!(odd.status, 1);
    assert!(odd.err.contains("https://support.example.com"), "{odd:?}");
    let none = shell.typed(&["helpdesk", "test"], API_KEY);
    assert!(none.err.contains("has no helpdesk yet"), "{none:?}");
}

#[test]
fn names_are_listed_with_their_numbers() {
    let (shell, standin) = (Shell::new(), standin());
    let said = shell.typed(&["helpdesk", "names", "--origin", standin.origin(), "--private"], API_KEY);
    assert_eq!(said.status, 0, "{said:?}");
    let lines: Vec<String> =
        said.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "user_group 7 Gold",
        "language 2 Español",
        "organization 2 Muster GmbH",
        "field 7 Plan",
        "choice 7.9 Gold",
    ] {
        assert!(lines.contains(&line.to_owned()), "{line}: {said:?}");
    }
    let refused = shell.typed(&["helpdesk", "names", "--origin", standin.origin(), "--private"], "2:NO");
    assert_eq!(refused.status, 1);
    assert!(refused.err.contains("Copy the key again"), "{refused:?}");
}

#[test]
fn a_person_is_shown_as_the_api_would_be_told() {
    let shell = Shell::new();
    let values = ["email=ana@example.com", "email_verified=yes", "display_name=Ana Kovač"];
    let set: Vec<&str> = values.into_iter().flat_map(|value| ["--set", value]).collect();
    shell.done(&[&["user", "add", "ana"], &set[..]].concat());
    shell.done(&["user", "add", "ben", "--set", "email=ben@example.com"]);
    let rules = r#"{"token": "id", "rules": [
        {"claim": "deskpro_id", "from": {"attribute": "deskpro_id"}},
        {"claim": "email", "from": {"attribute": "email"}},
        {"claim": "name", "from": {"attribute": "display_name"}},
        {"claim": "usergroup_ids", "from": {"constant": "7"}}
    ]}"#;
    let file = shell.file("mapping.json", rules);
    shell.done(&["mapping", "apply", file.to_str().expect("a path")]);
    let person = &shell.json(&["helpdesk", "person", "ana"])[0];
    let expected =
        serde_json::json!({ "primary_email": "ana@example.com", "name": "Ana Kovač", "user_groups": [7] });
    assert_eq!(person, &expected, "although only deskpro_id is signed");
    let ben = shell.run(&["helpdesk", "person", "ben"]);
    assert!(ben.err.contains("not verified") && !ben.out.contains("ben@example.com"), "{ben:?}");
    assert!(shell.refused(&["helpdesk", "person", "nobody"]).contains("nobody"));
    shell.done(&["user", "disable", "ana"]);
    assert!(
        shell.refused(&["helpdesk", "person", "ana"]).contains("disabled"),
        "nothing is said about such a user"
    );
}
