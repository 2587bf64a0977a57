//! What is logged at `debug` and below: nothing of users, whatever filter the operator writes.

use super::{PASSWORD, Shell};
use crate::postgres;

#[test]
fn no_filter_lets_a_library_log_what_is_written_to_the_database() {
    let url = postgres::shared().database();
    for filter in [
        "trace",
        "debug",
        "tokio_postgres=trace",
        "info,tokio_postgres::query=debug",
        "[]=trace",
        "warn,log=trace",
    ] {
        let shell = Shell::new().with("DATABASE_URL", &url).with("LOG", filter);
        let login = format!("u{}", filter.bytes().map(u32::from).sum::<u32>());
        let said =
            shell.run(&["user", "add", &login, "--set", &format!("email={login}.of.the.tests@example.com")]);
        assert_eq!(said.status, 0, "{said:?}");
        let password = shell.typed(&["user", "set-password", &login], PASSWORD);
        assert_eq!(password.status, 0, "{password:?}");
        for said in [&said.err, &password.err] {
            for word in [".of.the.tests", "argon2", "parameters", "tokio_postgres"] {
                assert!(!said.contains(word), "{filter}: {word} in {said}");
            }
        }
    }
}

#[test]
fn our_own_debug_messages_are_there_when_they_are_asked_for() {
    let shell = Shell::new().with("LOG", "countersign=info");
    assert!(shell.run(&["user", "list"]).err.contains("migrating the database"));
}
