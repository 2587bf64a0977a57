//! Settings with an empty value: they are not set, wherever they are written.

use countersign::config::SETTINGS;

use super::{KEY, MASTER, Shell};

#[test]
fn a_setting_with_an_empty_value_is_not_set() {
    let mut shell = Shell::new();
    shell.done(&["user", "list"]);
    let (expected, settings) = (shell.done(&["check"]), shell.settings.clone());
    for empty in ["", " ", "\t\n", "\u{a0}", ",", " , ,"] {
        shell.settings.clone_from(&settings);
        for setting in SETTINGS {
            let name = setting.name.to_uppercase();
            if setting.secret {
                let blank = if empty.contains(',') { "" } else { empty };
                shell.set(&format!("{name}_FILE"), blank);
                if !shell.has(&name) {
                    shell.set(&name, blank);
                }
            } else if !shell.has(&name) {
                shell.set(&name, empty);
            }
        }
        shell.set("CONFIG", if empty.contains(',') { "" } else { empty });
        assert_eq!(shell.done(&["check"]), expected, "{empty:?}");
    }
}

#[test]
fn a_setting_with_an_empty_value_in_the_settings_file_is_not_set() {
    let shell = Shell::new();
    shell.done(&["user", "list"]);
    let expected = shell.done(&["check"]);
    for empty in ["''", "' '", "[]", "['']", "[' ', '']", "','"] {
        let lines = SETTINGS.iter().map(|setting| {
            let value = if setting.secret && empty == "','" { "''" } else { empty };
            let file = if setting.secret { format!("{}_file = ''\n", setting.name) } else { String::new() };
            format!("{} = {value}\n{file}", setting.name)
        });
        shell.file("countersign.toml", lines.collect::<String>());
        assert_eq!(shell.done(&["check"]), expected, "{empty}");
    }
}

#[test]
fn an_empty_variable_leaves_the_settings_file_and_the_stored_values_as_they_are() {
    let mut shell = Shell::new().with("BLOCKED", "").with("IOS_MESSENGER_ID", "").with("TOKEN_LIFETIME", " ");
    shell.file("countersign.toml", "token_lifetime = 120\n");
    shell.done(&[
        "messenger",
        "set",
        "default",
        "blocked=ana@example.com",
        "ios_messenger_id=IOS",
        "ios_deskpro_url=https://desk.example.com/deskpro-messenger/2",
    ]);
    shell.done(&["user", "add", "ana", "--set", "email=ana@example.com", "--set", "email_verified=yes"]);
    let answer = &shell.json(&["token", "issue", "--all"])[0];
    assert_eq!(answer["refused"]["code"], "blocked", "{answer}");
    let shown = &shell.json(&["messenger", "show", "default"])[0];
    assert_eq!(shown["settings"]["token_lifetime"], "120");
    assert_eq!(shown["environment"], serde_json::json!(["token_lifetime"]), "an empty one fixes nothing");
    // One that is filled in wins, of course.
    shell.set("BLOCKED", "bob@example.com");
    assert!(shell.json(&["token", "issue", "--all"])[0]["token"].is_string());
}

#[test]
fn a_named_file_without_a_value_is_an_error_that_says_so() {
    for text in ["", "\n", " \r\n", "\u{feff}", "\u{feff}\n"] {
        let mut shell = Shell::bare().with("DATABASE_URL", "sqlite:test.db").with("MASTER_KEY", MASTER);
        shell.file("key", text);
        shell.set("SIGNING_KEY_FILE", "key");
        let said = shell.refused(&["check"]);
        assert!(said.contains("COUNTERSIGN_SIGNING_KEY_FILE: The file key is empty."), "{text:?}: {said}");
        shell.unset("SIGNING_KEY_FILE");
        shell.file("countersign.toml", "signing_key_file = 'key'\n");
        let said = shell.refused(&["serve"]);
        assert!(said.contains("signing_key_file in countersign.toml: The file key is empty."), "{said}");
    }
    // An empty variable beside a file that is named is no second value.
    let shell = Shell::new().with("SIGNING_KEY", "").with("SIGNING_KEY_FILE", "key");
    shell.file("key", KEY);
    let said = shell.done(&["check"]);
    assert!(said.contains("The signing key has 32 bytes"), "{said}");
}
