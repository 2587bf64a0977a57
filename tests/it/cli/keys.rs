//! Keys that cannot be used: the start ends with what to do, and nothing of the key is shown.

use super::{KEY, MASTER, Shell};
use crate::postgres;

/// The reason why `serve` ends and `check` is refused.
fn reason(shell: &Shell) -> String {
    let served = shell.refused(&["serve"]);
    let checked = shell.run(&["check"]);
    assert_eq!(checked.status, 1, "{checked:?}");
    assert!(!served.contains("cannot listen"), "it was about to serve: {served}");
    served
}

#[test]
fn a_signing_key_that_cannot_be_used_stops_the_start_and_shows_nothing_of_itself() {
    let check = |key: &str, encoding: &str, word: &str| {
        let mut shell = Shell::new().with("SIGNING_KEY", key).with("SIGNING_KEY_ENCODING", encoding);
        let said = reason(&shell);
        assert!(said.contains("COUNTERSIGN_SIGNING_KEY") && said.contains(word), "{key} {encoding}: {said}");
        assert!(said.contains("Paste the secret from Deskpro"), "what to do: {said}");
        // The same from a file, by either way.
        shell.unset("SIGNING_KEY");
        let path = shell.file("pasted", format!("{key}\n"));
        shell.set("SIGNING_KEY_FILE", &path.display().to_string());
        let said = shell.run(&["serve"]);
        assert!(said.status == 1 && said.err.contains(word), "{said:?}");
        said.keeps(key);
        shell.unset("SIGNING_KEY_FILE");
        shell.file("countersign.toml", format!("signing_key = {key:?}\n"));
        let said = shell.run(&["serve"]);
        assert!(said.status == 1 && said.err.contains(word), "{said:?}");
        assert!(said.err.contains("signing_key in countersign.toml"), "{said:?}");
        said.keeps(key);
    };
    check(&KEY[..31], "raw", "31 bytes");
    check("cVg3fnZNMiRrTDlAcFI0IXdUNiV6TjheYkgzJmpGNQ==", "base64", "31 bytes");
    check("cVg3-nZNMiRrTDlAcFI0IXdUNiV6TjheYkgzJmpGNSo", "base64", "cannot be read as base64");
    check("cVg3+nZNMiRrTDlAcFI0IXdUNiV6TjheYkgzJmpGNSo", "base64url", "cannot be read as base64url");
    check("71583776766d32246b4c394070523421775436257a4e385e624833266a46352g", "hex", "cannot be read as hex");
    check("your-256-bit-secret", "raw", "example");
    check("a-string-secret-at-least-256-bits-long", "raw", "example");
    check("QUJDREFCQ0RBQkNEQUJDREFCQ0RBQkNEQUJDREFCQ0Q=", "base64", "example");
}

#[test]
fn without_a_signing_key_nothing_is_signed_and_everybody_is_told() {
    let mut shell = Shell::new();
    shell.unset("SIGNING_KEY");
    for value in [None, Some("")] {
        if let Some(empty) = value {
            shell.set("SIGNING_KEY", empty);
        } else {
            shell.done(&["user", "add", "ana"]);
        }
        let said = shell.run(&["check"]);
        assert!(said.status == 1 && said.out.contains("There is no signing key"), "{said:?}");
        assert!(said.out.contains("COUNTERSIGN_SIGNING_KEY_FILE"), "{said:?}");
        assert!(shell.refused(&["token", "issue", "ana"]).contains("There is no signing key"));
    }
}

/// The console is where the first key is pasted.
#[test]
fn without_a_signing_key_the_server_starts_and_says_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let mut command = crate::process::countersign(&url);
    command.arg("serve");
    let served = crate::process::Served::without_key(command);
    let browser = crate::server::Browser::new(&served.base);
    assert_eq!((browser.get("/readyz").status, browser.get("/login").status), (200, 200));
    assert!(served.log().contains("There is no signing key"), "{}", served.log());
}

#[test]
fn a_short_key_is_taken_only_where_the_setting_says_so() {
    let shell = Shell::new().with("SIGNING_KEY", "qX7~vM2$kL9@").with("ALLOW_SHORT_KEY", "true");
    let said = shell.run(&["check"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(
        said.out.contains("! attention keys      The signing key has 12 bytes, read as raw."),
        "{}",
        said.out
    );
}

#[test]
fn a_master_key_that_cannot_be_used_stops_the_start_and_shows_nothing_of_itself() {
    let check = |key: &str, word: &str| {
        let said = reason(&Shell::new().with("MASTER_KEY", key));
        assert!(said.contains("COUNTERSIGN_MASTER_KEY") && said.contains(word), "{said}");
        assert!(said.contains("openssl rand -hex 32"), "what to do: {said}");
    };
    check(&MASTER[1..], "cannot be read as hex");
    check(&MASTER[2..], "31 bytes");
    check(&"ab".repeat(32), "example");
    check("zyxwvutsrqponmlkjihgfedcba", "cannot be read as hex");
}

#[test]
fn another_master_key_than_the_database_s_stops_the_start() {
    let mut shell = Shell::new();
    shell.done(&["user", "add", "ana"]);
    shell.set("MASTER_KEY", &MASTER.replace('9', "8"));
    let served = reason(&shell);
    for said in [
        served,
        shell.refused(&["check"]),
        shell.refused(&["user", "list"]),
        shell.refused(&["token", "issue", "ana"]),
    ] {
        assert!(said.contains("The master key is not the one this database was set up with"), "{said}");
        assert!(said.contains("COUNTERSIGN_MASTER_KEY_FILE"), "what to do: {said}");
    }
    shell.set("MASTER_KEY", MASTER);
    assert!(shell.done(&["user", "list"]).starts_with("ana\t"));
}

#[test]
fn with_sqlite_a_master_key_is_made_beside_the_database_for_its_owner_alone() {
    let mut shell = Shell::new();
    shell.unset("MASTER_KEY");
    shell.done(&["user", "add", "ana"]);
    let path = shell.folder.path().join("test.key");
    let key = std::fs::read_to_string(&path).expect("the key");
    assert_eq!(key.trim_end().len(), 64);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).expect("a file").permissions());
    assert_eq!(mode & 0o777, 0o600);
    shell.run(&["check"]).keeps(key.trim_end());
    assert_eq!(std::fs::read_to_string(&path).expect("the key"), key, "made once");
    for broken in ["", "9f3b", &"z".repeat(64)] {
        shell.file("test.key", broken);
        let said = shell.refused(&["user", "list"]);
        assert!(said.contains("test.key") && said.contains("restore it from a backup"), "{said}");
    }
    std::fs::remove_file(path).expect("removed");
    assert!(
        shell.refused(&["user", "list"]).contains("not the one this database was set up with"),
        "another is made"
    );
}

#[test]
fn with_postgresql_a_master_key_is_never_made() {
    let mut shell = Shell::new().with("DATABASE_URL", &postgres::shared().database());
    shell.unset("MASTER_KEY");
    let said = reason(&shell);
    assert!(said.contains("There is no master key") && said.contains("openssl rand -hex 32"), "{said}");
}

#[test]
fn what_is_around_a_key_is_named_where_the_key_is_pasted_and_where_it_is_checked() {
    for (pasted, word) in [
        (format!("\"{KEY}\""), "quotation mark"),
        (format!("JWT_SECRET={KEY}"), "starts with a name"),
        (format!("{KEY}\u{a0}"), "no-break space"),
        (format!("{}\u{200b}{}", &KEY[..9], &KEY[9..]), "invisible character"),
        (format!("Bearer {KEY}"), "'Bearer'"),
        (format!("`{KEY}`"), "quotation mark"),
        (format!("{KEY}%"), "ends with '%'"),
        ("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY%3D".to_owned(), "percent-encoded"),
    ] {
        let checked = Shell::new().with("SIGNING_KEY", &pasted).done(&["check"]);
        assert!(checked.contains("! attention keys") && checked.contains(word), "{word}: {checked}");
        let mut shell = Shell::new();
        shell.unset("SIGNING_KEY");
        let said = shell.typed(&["key", "add"], &format!("{pasted}\n"));
        assert!(said.status == 0 && said.err.contains(word), "{word}: {said:?}");
        said.keeps(KEY);
        let said = shell.run(&["check"]);
        assert!(said.out.contains(word), "{word}: {said:?}");
        said.keeps(KEY);
        let listed = shell.json(&["key", "list"])[0]["oddities"].to_string();
        assert!(listed.contains(word), "{word}: {listed}");
    }
    // A key that cannot even be read says what is around it.
    let said = Shell::new()
        .with("SIGNING_KEY", "'cVg3+nZNMiRrTDlAcFI0IXdUNiV6TjheYkgzJmpGNSo='")
        .with("SIGNING_KEY_ENCODING", "base64")
        .refused(&["check"]);
    assert!(said.contains("cannot be read as base64") && said.contains("quotation mark"), "{said}");
    let said = Shell::new().with("MASTER_KEY", &format!("\"{MASTER}\"")).refused(&["check"]);
    assert!(said.contains("COUNTERSIGN_MASTER_KEY") && said.contains("quotation mark"), "{said}");
}
