//! Settings from files and the environment, and what `check` says of everything.

use super::{KEY, MASTER, Shell, names};

#[test]
fn unknown_settings_are_refused_with_the_nearest_name() {
    let shell = Shell::new().with("LISTN", "127.0.0.1:0").with("TOKEN_LIFE_TIME", "60");
    let said = shell.refused(&["serve"]);
    assert!(
        said.contains("COUNTERSIGN_LISTN: There is no such setting. Did you mean COUNTERSIGN_LISTEN?"),
        "{said}"
    );
    assert!(
        said.contains(
            "COUNTERSIGN_TOKEN_LIFE_TIME: There is no such setting. Did you mean COUNTERSIGN_TOKEN_LIFETIME?"
        ),
        "{said}"
    );
    let shell = Shell::new();
    shell.file("countersign.toml", "anonymos = 'hide'\n[messenger]\nid = 'x'\n");
    let said = shell.refused(&["check"]);
    assert!(
        said.contains("anonymos in countersign.toml: There is no such setting. Did you mean 'anonymous'?"),
        "{said}"
    );
    assert!(said.contains("messenger in countersign.toml"), "{said}");
}

#[test]
fn values_that_cannot_be_used_are_named_all_at_once_with_what_to_do() {
    let shell = Shell::new()
        .with("LISTEN", "here")
        .with("TOKEN_LIFETIME", "59")
        .with("HOME", "nowhere")
        .with("TRUSTED_PROXIES", "10.0.0.0/8, ten")
        .with("BLOCKED", "example.com,@")
        .with("MESSENGER_OPTIONS", "[]")
        .with("DESKPRO_URL", "https://desk.example.com/x")
        .with("VERIFIED_ONLY", "maybe");
    let said = shell.refused(&["check"]);
    for line in [
        "COUNTERSIGN_LISTEN: 'here' cannot be used. Use an address and a port",
        "COUNTERSIGN_TOKEN_LIFETIME: '59' cannot be used. Use a whole number from 60 to 3600.",
        "COUNTERSIGN_HOME: 'nowhere' cannot be used. Use 'page', 'off', or a URL",
        "COUNTERSIGN_TRUSTED_PROXIES: 'ten' cannot be used. Use networks",
        "COUNTERSIGN_BLOCKED: ",
        "COUNTERSIGN_MESSENGER_OPTIONS: '[]' cannot be used. Use a JSON object",
        "COUNTERSIGN_INIT_SCRIPT_URL: It is not set, but at least one of Deskpro's other two values is.",
        "COUNTERSIGN_VERIFIED_ONLY: 'maybe' cannot be used. Use true or false.",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    let said = shell.run(&["check", "--json"]);
    assert_eq!(said.status, 1);
    assert_eq!(said.json().len(), 8, "{said:?}");
    for item in said.json() {
        assert_eq!(
            (names(&item), &item["part"], &item["state"]),
            (vec!["part", "state", "message"], &"settings".into(), &"bad".into())
        );
    }
}

#[test]
fn secrets_are_read_from_files_and_not_from_both_places() {
    let mut shell = Shell::bare()
        .with("DATABASE_URL_FILE", "url")
        .with("MASTER_KEY_FILE", "master")
        .with("SIGNING_KEY_FILE", "key");
    shell.file("url", "sqlite:other.db\n");
    shell.file("master", format!("{MASTER}\r\n"));
    shell.file("key", format!("{KEY}\n"));
    shell.done(&["user", "list"]);
    assert!(shell.folder.path().join("other.db").exists());
    shell.set("SIGNING_KEY", KEY);
    let said = shell.refused(&["check"]);
    assert!(
        said.contains(
            "Both COUNTERSIGN_SIGNING_KEY_FILE and COUNTERSIGN_SIGNING_KEY are set. Remove one of them."
        ),
        "{said}"
    );
    shell.unset("SIGNING_KEY");
    shell.set("SIGNING_KEY_FILE", "gone");
    assert!(shell.refused(&["check"]).contains("The file gone cannot be read"));
    shell.set("SIGNING_KEY_FILE", "key");
    shell.set("LISTEN_FILE", "key");
    assert!(
        shell.refused(&["check"]).contains("COUNTERSIGN_LISTEN_FILE: There is no such setting"),
        "no secret"
    );
    shell.unset("LISTEN_FILE");
    shell.unset("SIGNING_KEY_FILE");
    shell.file("countersign.toml", format!("signing_key_file = 'key'\nsigning_key = '{KEY}'\n"));
    let said = shell.run(&["check"]);
    assert!(
        said.status == 1 && said.err.contains("'signing_key' is also set. Remove one of them."),
        "{said:?}"
    );
    said.keeps(KEY);
}

#[test]
fn the_settings_file_holds_arrays_numbers_and_yes_or_no_and_the_environment_wins() {
    let mut shell = Shell::new();
    shell.unset("SIGNING_KEY");
    shell.file("key", KEY);
    shell.file(
        "countersign.toml",
        "signing_key_file = 'key'\ntoken_lifetime = 120\nverified_only = false\nblocked = ['Bob@example.com', 42]\n\
         trusted_proxies = ['10.0.0.0/8', '::1']\nmessenger_options = { showLauncherButton = false }\n",
    );
    for login in ["ana", "bob"] {
        shell.done(&["user", "add", login, "--set", &format!("email={login}@example.com")]);
    }
    shell.done(&["user", "add", "eve", "--set", "email=eve@example.com", "--set", "deskpro_id=42"]);
    let answers = shell.json(&["token", "issue", "--all"]);
    assert!(answers[0]["token"].is_string(), "not verified, but let through: {answers:?}");
    assert_eq!(
        (&answers[1]["refused"]["code"], &answers[2]["refused"]["code"]),
        (&"blocked".into(), &"blocked".into())
    );
    shell.set("VERIFIED_ONLY", "true");
    shell.set("BLOCKED", "nobody@example.net");
    let answers = shell.json(&["token", "issue", "--all"]);
    assert!(answers[..2].iter().all(|answer| answer["refused"]["code"] == "unverified"), "{answers:?}");
    let said = shell.done(&["--config", "countersign.toml", "check"]);
    assert!(!said.contains("No proxy is trusted"), "{said}");
    assert!(
        shell
            .refused(&["--config", "none.toml", "check"])
            .contains("none.toml: The settings file cannot be read")
    );
}

#[test]
fn a_settings_file_that_is_no_toml_is_refused_by_line_without_its_text() {
    let shell = Shell::new();
    shell.file("countersign.toml", format!("listen = '127.0.0.1:0'\nsigning_key = \"{}\n", &KEY[..20]));
    let said = shell.run(&["check"]);
    assert!(said.status == 1 && said.err.contains("countersign.toml: Line 2 is not valid TOML"), "{said:?}");
    said.keeps(&KEY[..20]);
}

#[test]
fn a_variable_that_is_not_utf_8_is_refused_by_name_and_others_do_not_matter() {
    use std::os::unix::ffi::OsStrExt as _;
    let odd = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    let shell = Shell::new();
    let said = shell.command(&["check"]).env("LESSOPEN", odd).output().expect("it runs");
    assert_eq!(said.status.code(), Some(0), "{said:?}");
    let said = shell.command(&["check"]).env("COUNTERSIGN_HOME", odd).output().expect("it runs");
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    assert!(String::from_utf8_lossy(&said.stderr).contains("COUNTERSIGN_HOME: The value is not UTF-8."));
}

#[test]
fn check_says_how_every_part_stands_and_how_to_mend_it() {
    let mut shell = Shell::new();
    shell.done(&["user", "list"]);
    let said = shell.run(&["check"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    for line in [
        "✓ good      database  SQLite answers; 0 users",
        "✓ good      keys      The master key belongs to this database.",
        "✓ good      keys      The signing key has 32 bytes, read as raw.",
        "! attention messenger Deskpro's three values are not set",
        "! attention messenger The block list is empty",
        "! attention mapping   No mapping has been published",
        "! attention proxy     COUNTERSIGN_PUBLIC_URL is not set",
        "✓ good      proxy     No proxy is trusted",
    ] {
        assert!(said.out.contains(line), "{line}\n{}", said.out);
    }
    shell.set("PUBLIC_URL", "http://www.example.com/accounts");
    shell.set("INIT_SCRIPT_URL", "https://desk.example.com/deskpro-messenger-init/web.js");
    shell.set("DESKPRO_URL", "https://desk.example.com/deskpro-messenger/1");
    shell.set("MESSENGER_ID", "01HGFZRNX7M9S4PX2G3RIA8S0C");
    shell.done(&["attribute", "set", "plan"]);
    let mapping = r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}, {"claim": "organization_id", "from": {"attribute": "plan"}}]}"#;
    shell.file("mapping.json", mapping);
    shell.done(&["mapping", "apply", "mapping.json"]);
    let items = shell.json(&["check"]);
    let found: Vec<_> = items
        .iter()
        .map(|item| (item["part"].as_str().expect("a part"), item["state"].as_str().expect("a state")))
        .collect();
    assert_eq!(
        found,
        [
            ("database", "good"),
            ("keys", "good"),
            ("keys", "good"),
            ("messenger", "good"),
            ("messenger", "attention"),
            ("mapping", "attention"),
            ("proxy", "attention"),
            ("proxy", "good")
        ]
    );
    assert!(items.iter().all(|item| names(item) == ["part", "state", "message"]), "{items:?}");
    assert!(items[5]["message"].as_str().expect("a text").contains("/rules/1"), "{}", items[5]);
    shell.unset("SIGNING_KEY");
    let said = shell.run(&["check", "--json"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.json().iter().any(|item| item["part"] == "keys" && item["state"] == "bad"), "{said:?}");
}

#[test]
fn check_says_what_is_wrong_with_the_database() {
    let check = |url: &str, word: &str| {
        let shell = Shell::new().with("DATABASE_URL", url);
        shell.file(
            "broken.db",
            "this is no database at all, though it is long enough to be taken for one".repeat(20),
        );
        let said = shell.refused(&["check"]);
        assert!(said.contains(word), "{url}: {said}");
        let said = shell.run(&["check", "--json"]);
        assert_eq!((said.status, &said.json()[0]["state"]), (1, &"bad".into()), "{said:?}");
    };
    check("sqlite:broken.db", "broken.db");
    check("sqlite:/proc/none/test.db", "/proc/none");
    check("mysql://localhost/x", "neither 'sqlite:' nor 'postgres:'");
    check("postgres://nobody:s3cretw0rd@127.0.0.1:1/none", "does not answer");
    let shell = Shell::new().with("DATABASE_URL", "postgres://nobody:s3cretw0rd@127.0.0.1:1/none");
    shell.run(&["check"]).keeps("s3cretw0rd");
    shell.run(&["check", "--json"]).keeps("s3cretw0rd");
}

#[test]
fn wrong_usage_ends_with_2_and_passwords_are_no_arguments() {
    let shell = Shell::new();
    for words in [
        [].as_slice(),
        &["serv"],
        &["user"],
        &["user", "add"],
        &["user", "add", "ana", "--password", "nine small birds sang"],
        &["user", "set-password", "ana", "nine small birds sang"],
        &["user", "set", "ana"],
        &["user", "set", "ana", "plan"],
        &["token", "issue"],
        &["token", "issue", "ana", "--all"],
        &["attribute", "set", "plan", "--trusted", "--no-trusted"],
        &["attribute", "set", "plan", "--searchable", "--no-searchable"],
        &["attribute", "set", "plan", "--type", "date"],
        &["mapping", "apply"],
    ] {
        let said = shell.run(words);
        assert_eq!((said.status, said.out.as_str()), (2, ""), "{words:?} {said:?}");
        assert!(said.err.contains("Usage:") || said.err.contains("--help"), "{words:?} {said:?}");
    }
    assert!(!shell.folder.path().join("test.db").exists(), "nothing was begun");
    let help = shell.done(&["--help"]);
    for command in ["serve", "demo", "check", "user", "attribute", "token", "mapping"] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
    }
    assert!(help.contains("1 refused with a reason, 2 wrong usage"), "{help}");
}

#[test]
fn a_log_setting_that_would_log_nothing_is_refused() {
    for (log, fits) in [
        ("verbose", false),
        ("wanr", false),
        ("info,actix", false),
        ("warn,countersign=debug", true),
        ("off", true),
    ] {
        let shell = Shell::new().with("LOG", log);
        let said = shell.run(&["check"]);
        assert_eq!(said.status == 0, fits, "{log}: {said:?}");
        assert_eq!(
            said.err.contains(&format!("COUNTERSIGN_LOG: '{log}' cannot be used.")),
            !fits,
            "{said:?}"
        );
    }
}

#[test]
fn a_public_url_whose_path_others_would_read_otherwise_is_refused() {
    for url in ["http://h//evil", "http://h/a%20b", "http://h/k\u{e4}se", "http://h/{x}", "http://h/a?b"] {
        let said = Shell::new().with("PUBLIC_URL", url).refused(&["check"]);
        assert!(said.contains("COUNTERSIGN_PUBLIC_URL"), "{url}: {said}");
    }
}

#[test]
fn check_remarks_on_a_key_that_was_not_copied_whole_and_on_trusting_everybody() {
    for (key, word) in [
        ("\u{feff}a key of the tests, long enough for HS256", "byte-order mark"),
        ("a key of the tests, long enough for HS256 ", "white space"),
        ("a key of the tests,\nlong enough for HS256", "line break"),
        ("0d4f8a63b1c97e25f06b3d8a41c9e7725bd0163fa8e94c2d7061b5f3a98ce402", "looks like hex"),
    ] {
        let said = Shell::new().with("SIGNING_KEY", key).done(&["check"]);
        assert!(said.contains("! attention keys") && said.contains(word), "{word}: {said}");
    }
    let said = Shell::new().with("TRUSTED_PROXIES", "0.0.0.0/0").done(&["check"]);
    assert!(said.contains("Every address is trusted as a proxy"), "{said}");
}

#[test]
fn a_duration_that_cannot_be_added_to_a_moment_is_refused() {
    for name in ["SESSION_IDLE", "SESSION_ABSOLUTE", "ADMIN_SESSION_IDLE", "DEVICE_ABSOLUTE"] {
        for value in ["9223372036854775807", "315360001", "59", "-1"] {
            let said = Shell::new().with(name, value).refused(&["check"]);
            assert!(said.contains(&format!("COUNTERSIGN_{name}: '{value}' cannot be used.")), "{said}");
            assert!(said.contains("Use a whole number from 60 to 315360000."), "{said}");
        }
    }
}
