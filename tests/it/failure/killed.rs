//! The program killed or told to end: nothing is half written, and what was begun can be
//! completed.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Output};

use countersign::core::user::Login;
use countersign::store::{Store, counts, users};

use crate::process::countersign;
use crate::server::{Browser, KEY, Place, World, wait_until};
use crate::store::{MASTER_KEY, empty};

const ROWS: usize = 12_000;
const COLUMNS: [&str; 5] = ["login", "external_id", "email", "display_name", "plan"];

/// The cells of one row, by the order of [`COLUMNS`].
fn cells(row: usize) -> [String; 5] {
    [
        format!("user{row:06}"),
        format!("E-{row}"),
        format!("user{row}@example.com"),
        format!("Somebody Größer {row}"),
        format!("plan {}", row % 7),
    ]
}

fn write_file(path: &Path) {
    let lines: Vec<String> = (0..ROWS).map(|row| cells(row).join(",")).collect();
    std::fs::write(path, format!("{}\n{}\n", COLUMNS.join(","), lines.join("\n"))).expect("it is written");
}

fn import(url: &str, file: &Path) -> Command {
    let mut import = countersign(url);
    import.env("COUNTERSIGN_MASTER_KEY", MASTER_KEY).args(["user", "import"]).arg(file);
    import
}

fn count(store: &Store) -> i64 {
    store.read(users::count).expect("it is read")
}

/// Makes sure that whoever is there is there whole, with every attribute and search key.
fn everybody_is_whole(store: &Store) {
    let (mut after, mut found) = (None, 0);
    loop {
        let page = store.read(|db| users::page(db, after.as_ref(), 1000)).expect("it is read");
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        for user in page {
            let row: usize = user.login.as_str()["user".len()..].parse().expect("a row's number");
            for (name, cell) in COLUMNS.iter().zip(cells(row)) {
                assert_eq!(user.text(name).as_deref(), Some(cell.as_str()), "{}", user.login);
            }
            found += 1;
        }
    }
    assert_eq!(found, count(store));
    // Login, external id, address and three words of the name: six each.
    let keys = store.read(|db| db.query("SELECT COUNT(*) FROM user_keys", &[])).expect("it is read");
    assert_eq!(keys[0].int(0).expect("a number"), found * 6);
}

fn is_sound(url: &str) {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let file = rusqlite::Connection::open(path).expect("it opens");
        let found: String =
            file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("it is checked");
        assert_eq!(found, "ok");
    }
}

/// "12 added, 0 changed, 8 unchanged, 0 skipped", by the words.
fn totals(ended: &Output) -> [i64; 4] {
    let text = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{text}{}", String::from_utf8_lossy(&ended.stderr));
    ["added", "changed", "unchanged", "skipped"].map(|word| {
        let mut parts = text.trim().split(", ").filter_map(|part| part.split_once(' '));
        let (number, _) = parts.find(|(_, found)| *found == word).unwrap_or_else(|| panic!("{word}: {text}"));
        number.parse().expect("a number")
    })
}

fn an_import_that_is_killed_is_completed_by_the_next(place: Place) {
    let (url, folder) = empty(place);
    let file = folder.path().join("users.csv");
    write_file(&file);
    let store = Store::open(&url).expect("it opens");
    store.migrate().expect("it is migrated");
    for _ in 0..2 {
        let before = count(&store);
        let mut killed = import(&url, &file).spawn().expect("it starts");
        wait_until("rows are written", || {
            count(&store) > before || killed.try_wait().expect("it is asked").is_some()
        });
        killed.kill().expect("it is killed");
        let ended = killed.wait().expect("it has ended");
        assert_eq!(ended.signal(), Some(9), "it did not end by itself");
        is_sound(&url);
        everybody_is_whole(&store);
    }
    // A server of PostgreSQL may still be at the last commit of the one that was killed.
    let found = count(&store);
    let [added, changed, unchanged, skipped] = totals(&import(&url, &file).output().expect("it ends"));
    let rows = i64::try_from(ROWS).expect("a small number");
    assert_eq!((added + unchanged, changed, skipped), (rows, 0, 0));
    assert!(found > 0 && unchanged >= found && added > 0, "{found} {unchanged} {added}");
    assert_eq!(count(&store), rows);
    is_sound(&url);
    everybody_is_whole(&store);
}

#[test]
fn an_import_that_is_killed_on_sqlite_is_completed_by_the_next() {
    an_import_that_is_killed_is_completed_by_the_next(Place::Sqlite);
}

#[test]
fn an_import_that_is_killed_on_postgres_is_completed_by_the_next() {
    an_import_that_is_killed_is_completed_by_the_next(Place::Postgres);
}

#[test]
fn people_sign_in_while_another_process_imports_into_the_same_file() {
    let world = World::new(Place::Sqlite);
    world.user("ana");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("users.csv");
    write_file(&file);
    let store = Store::open(&world.database_url()).expect("it opens");
    let mut importing = import(&world.database_url(), &file).spawn().expect("it starts");
    wait_until("rows are written", || count(&store) > 1);
    let mut statuses = Vec::new();
    while importing.try_wait().expect("it is asked").is_none() {
        statuses.push(world.browser().sign_in("ana", crate::server::PASSWORD).status);
    }
    // One alone would have waited for the whole import.
    assert!(statuses.len() > 3 && statuses.iter().all(|status| *status == 303), "{statuses:?}");
    let ended = importing.wait_with_output().expect("it has ended");
    assert_eq!(totals(&ended), [i64::try_from(ROWS).expect("a small number"), 0, 0, 0]);
}

/// The server as a process of its own, and its address.
fn serve(url: &str) -> (Child, String) {
    let mut server = countersign(url)
        .env("COUNTERSIGN_MASTER_KEY", MASTER_KEY)
        .env("COUNTERSIGN_SIGNING_KEY", KEY)
        .env("COUNTERSIGN_LISTEN", "127.0.0.1:0")
        .arg("serve")
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(server.stderr.take().expect("it is piped")).lines();
    let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, rest) = line.split_once("listening on ")?;
        rest.split(';').next().map(str::to_owned)
    });
    // Read to the end, or the server would wait for room in the pipe.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    (server, address.expect("it listens"))
}

fn a_server_that_is_told_to_end_writes_what_it_counted_and_ends_well(place: Place, signal: &str) {
    let (url, _folder) = empty(place);
    let (mut server, base) = serve(&url);
    assert_eq!(Browser::new(&base).sign_in("nobody", "wrong").status, 401);
    let told =
        Command::new("kill").args(["-s", signal, &server.id().to_string()]).status().expect("kill runs");
    assert!(told.success());
    wait_until("the server has ended", || server.try_wait().expect("it is asked").is_some());
    let ended = server.wait().expect("it has ended");
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let store = Store::open(&url).expect("it opens");
    let counted = store.read(|db| counts::by_code(db, "sign_in", 0)).expect("it is read");
    assert_eq!(counted, [("wrong".to_owned(), 1)]);
}

#[test]
fn a_server_on_sqlite_that_is_told_to_end_writes_what_it_counted_and_ends_well() {
    for signal in ["TERM", "HUP", "INT", "QUIT"] {
        a_server_that_is_told_to_end_writes_what_it_counted_and_ends_well(Place::Sqlite, signal);
    }
}

#[test]
fn a_server_on_postgres_that_is_told_to_end_writes_what_it_counted_and_ends_well() {
    for signal in ["TERM", "HUP"] {
        a_server_that_is_told_to_end_writes_what_it_counted_and_ends_well(Place::Postgres, signal);
    }
}

#[test]
fn users_whom_a_server_acknowledged_are_there_after_it_was_killed() {
    for place in [Place::Sqlite, Place::Postgres] {
        let (url, _folder) = empty(place);
        for round in 0..5 {
            let login = format!("user{round}");
            let mut add = countersign(&url);
            add.env("COUNTERSIGN_MASTER_KEY", MASTER_KEY).args(["user", "add", &login]);
            let added = add.output().expect("it ends");
            assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
            let (mut server, base) = serve(&url);
            assert_eq!(Browser::new(&base).sign_in(&login, "wrong").status, 401);
            server.kill().expect("it is killed");
            server.wait().expect("it has ended");
            is_sound(&url);
            let store = Store::open(&url).expect("it opens");
            for known in 0..=round {
                let login = Login::parse(&format!("user{known}")).expect("a login");
                assert!(store.read(|db| users::by_login(db, &login)).expect("it is read").is_some());
            }
            let events = store
                .read(|db| countersign::store::audit::page(db, None, None, None, 100))
                .expect("it is read");
            let failed = events.iter().filter(|entry| entry.event == "sign_in_failed").count();
            assert_eq!(failed, round + 1, "the guess was written before its answer");
        }
    }
}
