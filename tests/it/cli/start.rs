//! What `check` says before, instead of and beside a start, and what it leaves alone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use countersign::args;
use countersign::store::{ChangeKind, Sql as _, Store};

use super::{KEY, MASTER, Shell};
use crate::postgres;

/// Everything below a folder, by name and with its text.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            (path.display().to_string(), std::fs::read(&path).unwrap_or_default())
        })
        .collect();
    found.sort();
    found
}

/// Writes the settings of `default` as no command would.
fn damage(shell: &Shell, settings: &str) {
    let url = format!("sqlite:{}", shell.folder.path().join("test.db").display());
    let store = Store::open(&url).expect("it opens");
    let written = store.write(0, |tx| {
        tx.changed(ChangeKind::Messenger, "default");
        tx.execute("UPDATE messengers SET settings = $1 WHERE id = 'default'", args![settings])
    });
    assert_eq!(written.expect("written"), 1);
}

#[test]
fn a_check_in_an_empty_folder_makes_nothing() {
    for shell in [
        Shell::bare().with("SIGNING_KEY", KEY),
        Shell::new().with("DATABASE_URL", "sqlite:deep/in/it/test.db"),
    ] {
        let said = shell.run(&["check"]);
        assert_eq!((said.status, said.err.as_str()), (0, ""), "{said:?}");
        assert!(said.out.contains("! attention database  There is no database yet."), "{}", said.out);
        assert!(said.out.contains("The signing key has 32 bytes"), "{}", said.out);
        assert!(contents(shell.folder.path()).is_empty(), "{:?}", contents(shell.folder.path()));
    }
    let bare = Shell::bare();
    let said = bare.run(&["check"]);
    assert!(said.status == 1 && said.out.contains("There is no signing key"), "{said:?}");
    assert!(contents(bare.folder.path()).is_empty());
    // An empty file is no database either, and stays empty.
    let shell = Shell::new();
    shell.file("test.db", "");
    assert!(shell.done(&["check"]).contains("There is no database yet."));
    assert_eq!(contents(shell.folder.path()).len(), 1);
    assert!(contents(shell.folder.path())[0].1.is_empty());
}

#[test]
fn a_check_leaves_a_database_and_a_missing_key_as_they_are() {
    let mut shell = Shell::new();
    shell.unset("MASTER_KEY");
    shell.done(&["user", "add", "ana"]);
    let before = contents(shell.folder.path());
    shell.done(&["check"]);
    assert_eq!(contents(shell.folder.path()), before);
    std::fs::remove_file(shell.folder.path().join("test.key")).expect("removed");
    let said = shell.refused(&["check"]);
    assert!(said.contains("The master key of this database is missing. Restore the .key file"), "{said}");
    assert_eq!(contents(shell.folder.path()).len(), 1, "none was made");
}

#[test]
fn a_check_migrates_nothing() {
    let shell = Shell::new();
    shell.done(&["user", "list"]);
    let url = format!("sqlite:{}", shell.folder.path().join("test.db").display());
    Store::open(&url)
        .and_then(|store| store.write(0, |tx| tx.execute("UPDATE schema_info SET version = 1", &[])))
        .expect("written");
    let before = contents(shell.folder.path());
    let said = shell.done(&["check"]);
    assert!(
        said.contains("The database has schema version 1. The next start updates it to version"),
        "{said}"
    );
    assert_eq!(contents(shell.folder.path()), before);
}

#[test]
fn a_messenger_that_cannot_be_used_stops_the_start_and_is_named_by_check() {
    let shell = Shell::new();
    shell.done(&["messenger", "add", "shop"]);
    for (settings, word) in [
        (r#"{"ios_messenger_id": "IOS"}"#, "ios_deskpro_url: It is not set, but the other one is."),
        (
            r#"{"token_lifetime": "soon"}"#,
            "token_lifetime: 'soon' cannot be used. Use a whole number from 60 to 3600.",
        ),
        ("no JSON", "The stored settings are damaged. Restore a backup of the database."),
        (r#"{"blocked": ["a@example.com"]}"#, "The stored settings are damaged."),
    ] {
        damage(&shell, settings);
        let said = shell.refused(&["serve"]);
        assert!(
            said.contains("The settings of the messenger 'default' cannot be used.") && said.contains(word),
            "{said}"
        );
        assert!(said.contains("countersign messenger set default"), "what to do: {said}");
        let said = shell.run(&["check"]);
        assert_eq!(said.status, 1, "{said:?}");
        assert!(
            said.out.contains("✗ bad       messenger The settings of the messenger 'default'")
                && said.out.contains(word),
            "{said:?}"
        );
        assert!(
            said.out.contains("'shop': Deskpro's three values are not set"),
            "the others are still checked: {said:?}"
        );
        assert!(said.out.contains("proxy"), "{said:?}");
        let said = shell.refused(&["token", "issue", "--all"]);
        assert!(said.contains(word), "a command says the same: {said}");
    }
    damage(&shell, r#"{"ios_messenger_id": "IOS"}"#);
    shell.done(&["messenger", "set", "default", "ios_messenger_id="]);
    let said = shell.refused(&["serve"]);
    assert!(said.contains("cannot listen"), "it starts again: {said}");
}

#[test]
fn a_default_messenger_that_is_switched_off_by_hand_stops_the_start() {
    let shell = Shell::new();
    shell.done(&["user", "list"]);
    let url = format!("sqlite:{}", shell.folder.path().join("test.db").display());
    Store::open(&url)
        .and_then(|store| store.write(0, |tx| tx.execute("UPDATE messengers SET enabled = 0", &[])))
        .expect("written");
    let said = shell.refused(&["serve"]);
    assert!(said.contains("countersign messenger enable default"), "{said}");
    shell.done(&["messenger", "enable", "default"]);
    assert!(shell.refused(&["serve"]).contains("cannot listen"), "it starts again");
}

#[test]
fn check_says_what_is_dangerous_of_every_messenger() {
    let shell = Shell::new();
    shell.done(&["messenger", "add", "shop"]);
    shell.done(&["messenger", "add", "off"]);
    shell.done(&["messenger", "disable", "off"]);
    let said = shell.run(&["check"]);
    for line in [
        "! attention messenger The block list is empty",
        "! attention messenger 'shop': The block list is empty",
        "! attention messenger 'shop': Deskpro's three values are not set",
        "! attention mapping   No mapping has been published",
        "! attention mapping   'shop': No mapping has been published",
        "✗ bad       keys      There is no signing key of 'shop'",
    ] {
        assert!(said.out.contains(line), "{line}\n{}", said.out);
    }
    assert!(!said.out.contains("verified_only") && !said.out.contains("'off'"), "{}", said.out);
    shell.done(&["messenger", "set", "shop", "verified_only=false", "blocked=example.com"]);
    let said = shell.run(&["check"]);
    assert!(
        said.out.contains("! attention messenger 'shop': Unverified addresses are signed"),
        "{}",
        said.out
    );
    assert!(!said.out.contains("'shop': The block list is empty"), "{}", said.out);
    shell.done(&["attribute", "set", "plan"]);
    shell.file("mapping.json", r#"{"rules": [{"claim": "organization_id", "from": {"attribute": "plan"}}, {"claim": "email", "from": {"attribute": "email"}}]}"#);
    shell.done(&["mapping", "apply", "mapping.json", "--messenger", "shop"]);
    let said = shell.run(&["check"]);
    assert!(
        said.out.contains("! attention mapping   'shop': ") && said.out.contains("/rules/0"),
        "{}",
        said.out
    );
}

#[test]
fn check_names_files_with_secrets_that_others_may_read() {
    let mut shell = Shell::bare().with("DATABASE_URL", "sqlite:test.db").with("SIGNING_KEY_FILE", "pasted");
    shell.file("countersign.toml", "blocked = 'example.com'\n");
    let pasted = shell.file("pasted", KEY);
    let mode = |name: &str, mode: u32| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(shell.folder.path().join(name), permissions).expect("the mode is set");
    };
    mode("pasted", 0o600);
    shell.done(&["user", "list"]);
    assert!(!shell.done(&["check"]).contains("every user of this machine"), "{}", shell.done(&["check"]));
    mode("pasted", 0o640);
    assert!(!shell.done(&["check"]).contains("every user of this machine"), "a group is somebody's choice");
    for name in ["pasted", "test.key", "test.db"] {
        mode(name, 0o644);
        let said = shell.done(&["check"]);
        assert!(
            said.contains(&format!("! attention files     {name} contains secrets"))
                || said.contains(&format!("{name} contains secrets")),
            "{name}: {said}"
        );
        assert!(said.contains("(mode 644). Run `chmod o="), "{said}");
        mode(name, 0o600);
    }
    shell.unset("SIGNING_KEY_FILE");
    std::fs::remove_file(pasted).expect("removed");
    let path = shell.file("countersign.toml", format!("signing_key = '{KEY}'\n"));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).expect("the mode is set");
    assert!(shell.done(&["check"]).contains("countersign.toml contains secrets"));
}

#[test]
fn a_wrong_master_key_does_not_keep_check_from_the_rest() {
    let mut shell = Shell::new();
    shell.done(&["user", "list"]);
    shell.set("MASTER_KEY", &MASTER.replace("9f3b", "1c7e"));
    let said = shell.run(&["check"]);
    assert_eq!(said.status, 1);
    assert!(said.err.contains("not the one this database was set up with"), "{said:?}");
    assert!(said.out.contains("proxy     COUNTERSIGN_PUBLIC_URL is not set"), "{said:?}");
    let items = shell.run(&["check", "--json"]).json();
    assert_eq!((&items[0]["part"], &items[0]["state"]), (&"start".into(), &"bad".into()));
    assert!(items.len() > 1, "{items:?}");
}

#[test]
fn a_check_of_an_empty_postgresql_makes_no_tables() {
    let url = postgres::shared().database();
    let shell = Shell::new().with("DATABASE_URL", &url);
    assert!(shell.done(&["check"]).contains("There is no database yet."));
    let tables = Store::open(&url).expect("it opens").read(|db| {
        db.query("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'public'", &[])
    });
    assert_eq!(tables.expect("read")[0].int(0).expect("a number"), 0);
    shell.done(&["user", "list"]);
    assert!(shell.done(&["check"]).contains("PostgreSQL answers; 0 users"));
}
