//! `user …` and `attribute …`.

use serde_json::json;

use super::{PASSWORD, Shell, names};

#[test]
fn users_are_added_changed_listed_and_found() {
    let shell = Shell::new();
    let said = shell.done(&[
        "user",
        "add",
        " ANA ",
        "--set",
        "email=Ana@Example.com",
        "--set",
        "email_verified=yes",
    ]);
    assert_eq!(said, "Added 'ana'. Set a password: countersign user set-password ana\n");
    assert_eq!(
        shell.json(&["user", "add", "boss", "--admin"])[0]["done"].as_str().map(|done| &done[..12]),
        Some("Added 'boss'")
    );
    let said = shell.refused(&["user", "add", "bob", "--set", "plan=gold"]);
    assert!(
        said.contains("There is no attribute 'plan'. Create it with `countersign attribute set plan`."),
        "{said}"
    );
    shell.done(&["attribute", "set", "plan", "--searchable"]);
    shell.done(&["user", "set", "ana", "plan=Gold=1", "display_name=Ana Kovač"]);
    assert_eq!(
        shell.done(&["user", "list"]),
        "ana\tAna Kovač\tAna@example.com\tverified\nboss\tboss\t-\tno address\tadmin\n"
    );
    let users = shell.json(&["user", "list"]);
    assert_eq!(names(&users[0]), ["login", "role", "disabled", "attributes"]);
    assert_eq!(
        users[0],
        json!({"login": "ana", "role": "user", "disabled": false, "attributes": {
            "display_name": "Ana Kovač", "email": "Ana@example.com", "email_verified": true, "login": "ana", "plan": "Gold=1"}})
    );
    for begin in ["ANA@", "kov", "gold=", "an"] {
        assert_eq!(shell.json(&["user", "list", "--search", begin])[0]["login"], "ana", "{begin}");
    }
    assert_eq!(shell.done(&["user", "list", "--search", "na"]), "");
    shell.done(&["user", "set", "ana", "plan="]);
    assert_eq!(shell.json(&["user", "list"])[0]["attributes"]["plan"], json!(null));
}

#[test]
fn what_cannot_be_written_is_refused_with_the_reason() {
    let shell = Shell::new();
    shell.done(&["user", "add", "ana", "--set", "email=ana@example.com", "--set", "external_id=7"]);
    shell.done(&["user", "add", "bob"]);
    for (words, reason) in [
        (["user", "add", "ANA"].as_slice(), "already used"),
        (&["user", "add", " "], "A login cannot be empty."),
        (&["user", "add", "a\nb"], "control characters"),
        (&["user", "set", "bob", "email=Ana@example.com"], "This address is already used by 'ana'."),
        (&["user", "set", "bob", "external_id=7"], "This external_id is already used by 'ana'."),
        (&["user", "set", "bob", "email=ana"], "email: 'ana' is not an email address"),
        (&["user", "set", "bob", "deskpro_id=007"], "1 to 18 digits"),
        (&["user", "set", "bob", "login="], "A login cannot be empty."),
        (&["user", "set", "bob", "password=nine small birds sang"], "There is no attribute 'password'"),
        (&["user", "set", "eve", "email="], "There is no user 'eve'."),
        (
            &["user", "disable", "ANA@example.com"],
            "There is no user 'ana@example.com'. The user with this address has the login 'ana'.",
        ),
        (
            &["token", "issue", "7"],
            "There is no user '7'. The user with this external ID has the login 'ana'.",
        ),
        (&["user", "disable", "eve"], "There is no user 'eve'."),
        (&["user", "set-password", "eve"], "There is no user 'eve'."),
    ] {
        let said = shell.refused(words);
        assert!(said.contains(reason), "{words:?}: {said}");
    }
    assert_eq!(
        shell.json(&["user", "list"])[1]["attributes"],
        json!({"login": "bob"}),
        "nothing was written"
    );
}

#[test]
fn a_password_is_read_from_standard_input_and_judged() {
    let shell = Shell::new();
    shell.done(&["user", "add", "ana"]);
    let said = shell.typed(&["user", "set-password", "ana"], &format!("{PASSWORD}\r\nmore\n"));
    assert_eq!(
        (said.status, said.out.as_str()),
        (0, "The password of 'ana' is set. The sessions of 'ana' have ended.\n"),
        "{said:?}"
    );
    for (typed, reason) in [
        ("", "at least 15 characters"),
        ("too short\n", "at least 15 characters"),
        ("1234567890123456\n", "most common"),
        ("a line with \u{7} a bell in it\n", "control characters"),
    ] {
        let said = shell.typed(&["user", "set-password", "ana"], typed);
        assert!(said.status == 1 && said.err.contains(reason), "{typed:?}: {said:?}");
    }
    let said = shell.run(&["user", "list", "--json"]);
    assert!(!said.out.contains("argon2"), "no hash: {said:?}");
}

#[test]
fn users_are_disabled_enabled_and_unlocked_and_the_last_admin_stays() {
    let shell = Shell::new();
    shell.done(&["user", "add", "ana", "--admin"]);
    assert!(shell.refused(&["user", "disable", "ana"]).contains("'ana' is the last admin."));
    shell.done(&["user", "add", "bob", "--admin"]);
    assert_eq!(
        shell.done(&["user", "disable", "ANA"]),
        "'ana' is disabled. The sessions of 'ana' have ended.\n"
    );
    assert_eq!(
        shell.done(&["user", "list"]),
        "ana\tana\t-\tno address\tadmin\tdisabled\nbob\tbob\t-\tno address\tadmin\n"
    );
    assert!(
        shell.refused(&["user", "disable", "bob"]).contains("last admin"),
        "a disabled one does not count"
    );
    assert_eq!(shell.done(&["user", "enable", "ana"]), "'ana' can sign in again.\n");
    assert_eq!(shell.json(&["user", "list"])[0]["disabled"], false);
    assert_eq!(shell.json(&["user", "unlock", "ana"]), [json!({"done": "'ana' can try again at once."})]);
}

#[test]
fn attributes_are_made_marked_and_converted_whole_or_not_at_all() {
    let shell = Shell::new();
    let listed = shell.json(&["attribute", "list"]);
    assert_eq!(listed.len(), 10);
    assert_eq!(names(&listed[0]), ["name", "built_in", "type", "searchable", "proved"]);
    assert!(listed.iter().all(|attribute| attribute["built_in"] == true));
    assert_eq!(shell.done(&["attribute", "set", "plan"]), "plan: text\n");
    assert_eq!(
        shell.done(&["attribute", "set", "plan", "--searchable", "--trusted"]),
        "plan: text, searchable, trusted\n"
    );
    assert_eq!(
        shell.done(&["attribute", "set", "plan", "--no-trusted"]),
        "plan: text, searchable\n",
        "the rest stays"
    );
    assert_eq!(
        shell.json(&["attribute", "set", "plan", "--no-searchable", "--trusted"]),
        [json!({"name": "plan", "built_in": false, "type": "text", "searchable": false, "proved": true})]
    );
    shell.done(&["user", "add", "ana", "--set", "plan=12.0"]);
    shell.done(&["user", "add", "bob", "--set", "plan=gold"]);
    let said = shell.refused(&["attribute", "set", "plan", "--type", "number"]);
    assert!(said.contains("'bob'") && said.contains("'gold' is not a number"), "{said}");
    assert_eq!(shell.json(&["user", "list"])[0]["attributes"]["plan"], "12.0", "nothing was changed");
    shell.done(&["user", "set", "bob", "plan=7"]);
    assert_eq!(shell.done(&["attribute", "set", "plan", "--type", "number"]), "plan: number, trusted\n");
    assert_eq!(shell.json(&["user", "list"])[1]["attributes"]["plan"], json!(7));
    shell.done(&["attribute", "set", "plan", "--type", "list"]);
    assert_eq!(shell.json(&["user", "list"])[1]["attributes"]["plan"], json!(["7"]));
    shell.done(&["user", "set", "bob", "plan=[\"a\", true]"]);
    assert!(
        shell
            .refused(&["attribute", "set", "plan", "--type", "text"])
            .contains("'bob' has a list with 2 items.")
    );
    for (name, reason) in [
        ("Plan", "uppercase"),
        ("email", "built"),
        ("password", "secret"),
        ("api_token", "secret"),
        ("{x}", "{"),
        (" ", "blank"),
    ] {
        let said = shell.refused(&["attribute", "set", name]);
        assert!(said.contains(reason), "{name}: {said}");
    }
    assert_eq!(shell.done(&["attribute", "list"]).lines().last(), Some("plan: list, trusted"));
}

#[test]
fn a_user_s_own_text_moves_no_cursor_and_forges_no_line() {
    let shell = Shell::new();
    shell.done(&["user", "add", "ana", "--set", "display_name=\u{1b}[2JAna\nboss\tboss\tadmin"]);
    let said = shell.done(&["user", "list"]);
    assert_eq!(said.lines().count(), 1, "{said:?}");
    assert!(!said.contains('\u{1b}') && !said.contains("\tadmin"), "{said:?}");
}

#[test]
fn a_built_in_attribute_may_be_called_trusted_and_nothing_else() {
    let shell = Shell::new();
    assert_eq!(
        shell.done(&["attribute", "set", "login", "--trusted"]),
        "login: text, searchable, trusted, built in\n"
    );
    let listed = shell.json(&["attribute", "list"]);
    assert_eq!(
        (listed.len(), listed[0]["name"].as_str(), &listed[0]["proved"]),
        (10, Some("login"), &json!(true))
    );
    // A login that is an address is now one that the site vouches for.
    shell.done(&["user", "add", "ana@example.com"]);
    let rule = r#"{"rules": [{"claim": "email", "from": {"attribute": "login"}}]}"#;
    std::fs::write(shell.folder.path().join("mapping.json"), rule).expect("it is written");
    shell.done(&["mapping", "apply", "mapping.json"]);
    assert_eq!(shell.json(&["token", "issue", "ana@example.com"])[0]["login"], "ana@example.com");
    assert_eq!(shell.json(&["token", "issue", "--all"])[0]["refused"], serde_json::Value::Null);
    shell.done(&["attribute", "set", "login", "--no-trusted"]);
    assert_eq!(shell.json(&["token", "issue", "--all"])[0]["refused"]["code"], "unverified");
    assert!(
        shell
            .refused(&["attribute", "set", "login", "--type", "list"])
            .contains("it is built in, and only --trusted or --no-trusted can be set for it")
    );
    assert!(shell.refused(&["attribute", "set", "email", "--trusted"]).contains("email_verified"));
    assert!(shell.refused(&["attribute", "set", "deskpro_id", "--no-trusted"]).contains("always trusted"));
}

#[test]
fn a_name_with_an_equals_sign_is_cut_behind_the_longest_name_there_is() {
    let shell = Shell::new();
    shell.done(&["attribute", "set", "a=b"]);
    shell.done(&["user", "add", "ana", "--set", "a=b=c=d"]);
    assert_eq!(shell.json(&["user", "list"])[0]["attributes"]["a=b"], "c=d");
    shell.done(&["attribute", "set", "a"]);
    shell.done(&["user", "set", "ana", "a=x=y", "a=b="]);
    let attributes = &shell.json(&["user", "list"])[0]["attributes"];
    assert_eq!((attributes["a"].as_str(), attributes.get("a=b")), (Some("x=y"), None));
    assert!(shell.refused(&["user", "set", "ana", "nope=b=c"]).contains("There is no attribute 'nope'."));
    // What other systems call it.
    for (name, meant) in [("name", "display_name"), ("mail", "email"), ("given_name", "first_name")] {
        let said = shell.refused(&["user", "set", "ana", &format!("{name}=x")]);
        assert!(said.contains(&format!("There is no attribute '{name}'. Did you mean '{meant}'?")), "{said}");
    }
}

#[test]
fn an_attribute_is_removed_with_its_values_unless_a_published_mapping_reads_it() {
    let shell = Shell::new();
    shell.done(&["attribute", "set", "plan", "--searchable"]);
    shell.done(&["user", "add", "ana", "--set", "plan=gold"]);
    let rule = r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}},
        {"claim": "labels", "from": {"attribute": "plan"}}]}"#;
    std::fs::write(shell.folder.path().join("mapping.json"), rule).expect("it is written");
    shell.done(&["mapping", "apply", "mapping.json"]);
    assert!(shell.refused(&["attribute", "remove", "plan"]).contains("published mapping of 'default' reads"));
    let without = rule.replace(
        r#",
        {"claim": "labels", "from": {"attribute": "plan"}}"#,
        "",
    );
    std::fs::write(shell.folder.path().join("mapping.json"), without).expect("it is written");
    shell.done(&["mapping", "apply", "mapping.json"]);
    shell.done(&["attribute", "remove", "plan"]);
    assert_eq!(shell.json(&["attribute", "list"]).len(), 10);
    assert_eq!(shell.json(&["user", "list"])[0]["attributes"]["plan"], serde_json::Value::Null);
    assert_eq!(shell.done(&["user", "list", "--search", "gold"]), "");
    assert!(shell.refused(&["attribute", "remove", "plan"]).contains("There is no attribute 'plan'"));
}
