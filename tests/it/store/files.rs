//! The SQLite file and the key beside it: what cannot be used is named and left untouched, what is
//! made belongs to its owner alone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use countersign::store::Store;

use super::migrations::refusal;
use super::{MASTER_KEY, Storage, at_once, open};
use crate::process::{countersign, without_rights};
use crate::server::Place;

/// A file in a folder of the test's own.
fn file(bytes: &[u8]) -> (PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("countersign.db");
    std::fs::write(&path, bytes).expect("it is written");
    (path, folder)
}

/// Everything in a folder, by name.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.clone(), std::fs::read(&path).expect("a file")))
        .collect();
    files.sort();
    files
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("the mode is set");
}

/// The bytes of a database with users, closed.
fn database() -> Vec<u8> {
    let storage = Storage::new(Place::Sqlite);
    for number in 0..200 {
        storage.user(&format!("user{number}"), &[("display_name", "Somebody With A Name")]);
    }
    let Storage { store, url, _folder } = storage;
    drop(store);
    std::fs::read(url.trim_start_matches("sqlite:")).expect("a file")
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_untouched() {
    let database = database();
    let mut wrong_magic = database.clone();
    wrong_magic[..6].copy_from_slice(b"SQLATE");
    let half = database.len() / 2;
    let cases: [(&str, &[u8]); 7] = [
        ("a text", &b"login,email\nana,ana@example.com\n".repeat(200)),
        ("three bytes", b"abc"),
        ("a key", MASTER_KEY.as_bytes()),
        ("another magic", &wrong_magic),
        ("cut in half", &database[..half - half % 4096]),
        ("cut inside a page", &database[..half / 4096 * 4096 + 100]),
        ("cut after its head", &database[..100]),
    ];
    for (what, bytes) in cases {
        let (path, folder) = file(bytes);
        let before = contents(folder.path());
        let opened = open(&format!("sqlite:{}", path.display()), "");
        assert!(opened.is_err(), "{what}: it was opened");
        let text = refusal(opened);
        assert!(text.contains(&path.display().to_string()), "{what}: {text}");
        assert!(text.contains("backup"), "{what}: says what to do: {text}");
        assert_eq!(contents(folder.path()), before, "{what}: nothing was written");
    }
}

/// A database that a newer program wrote, which this one must not touch.
fn newer(change: &str) -> (PathBuf, tempfile::TempDir) {
    let (path, folder) = file(&database());
    let newer = rusqlite::Connection::open(&path).expect("it opens");
    newer
        .execute_batch(&format!("UPDATE schema_info SET version = 900, min_reader = 800; {change}"))
        .expect("written");
    (path, folder)
}

fn is_refused_untouched(what: &str, path: &Path, folder: &Path) {
    let before = contents(folder);
    for _ in 0..2 {
        let text = refusal(open(&format!("sqlite:{}", path.display()), MASTER_KEY));
        assert!(text.contains("written by a newer Countersign (schema version 900)"), "{what}: {text}");
        assert!(text.contains(&path.display().to_string()), "{what}: {text}");
        assert!(contents(folder) == before, "{what}: something was written: {:?}", names(folder));
    }
    let peeked = Store::peek(&format!("sqlite:{}", path.display()));
    assert!(peeked.is_err() && contents(folder) == before, "{what}: check leaves it as well");
}

fn names(folder: &Path) -> Vec<PathBuf> {
    contents(folder).into_iter().map(|(path, _)| path).collect()
}

#[test]
fn a_file_of_a_newer_program_is_left_untouched_byte_for_byte() {
    let (path, folder) = newer("PRAGMA journal_mode = DELETE");
    is_refused_untouched("with a rollback journal", &path, folder.path());
    assert_eq!(names(folder.path()).len(), 1);
    let (path, folder) = newer("PRAGMA journal_mode = WAL");
    is_refused_untouched("with a log", &path, folder.path());
    assert_eq!(names(folder.path()).len(), 1);
    // The newer program was killed: what it wrote last is in the log alone.
    let (path, folder) = file(&database());
    let killed = rusqlite::Connection::open(&path).expect("it opens");
    killed
        .execute_batch(
            "PRAGMA wal_autocheckpoint = 0; UPDATE schema_info SET version = 900, min_reader = 800",
        )
        .expect("written");
    for kept in [&["", "-wal", "-shm"][..], &["", "-wal"]] {
        let copy = tempfile::tempdir().expect("a temporary folder");
        let name = |end: &str| format!("countersign.db{end}");
        for end in kept {
            std::fs::copy(folder.path().join(name(end)), copy.path().join(name(end))).expect("copied");
        }
        is_refused_untouched(&format!("killed, with {kept:?}"), &copy.path().join(name("")), copy.path());
    }
    drop(killed);
}

#[test]
fn a_database_of_another_program_is_named_and_left_untouched() {
    let (path, folder) = file(b"");
    let other = rusqlite::Connection::open(&path).expect("it opens");
    other.execute_batch("CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('ana')").expect("written");
    drop(other);
    let before = contents(folder.path());
    let text = refusal(open(&format!("sqlite:{}", path.display()), MASTER_KEY));
    assert!(
        text.contains("is the database of another program") && text.contains("a file of its own"),
        "{text}"
    );
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn a_folder_in_place_of_the_file_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = refusal(open(&format!("sqlite:{}", folder.path().display()), MASTER_KEY));
    assert!(text.contains(&folder.path().display().to_string()), "{text}");
}

#[test]
fn a_file_in_place_of_the_folder_is_named() {
    let (path, _folder) = file(b"in the way");
    let inside = path.join("countersign.db");
    let text = refusal(open(&format!("sqlite:{}", inside.display()), MASTER_KEY));
    assert!(text.contains(&inside.display().to_string()), "{text}");
}

/// Runs the program without the rights of root; what it wrote on standard error.
fn refused_without_rights(path: &Path) -> String {
    let mut program = countersign(&format!("sqlite:{}", path.display()));
    program.env("COUNTERSIGN_MASTER_KEY", MASTER_KEY).args(["user", "list"]);
    let copy = tempfile::tempdir().expect("a temporary folder");
    set_mode(copy.path(), 0o755);
    let ended = without_rights(program, copy.path()).output().expect("it ends");
    let text = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{text}");
    assert!(text.contains(&path.display().to_string()), "{text}");
    text
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_what_to_check() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    set_mode(folder.path(), 0o555);
    refused_without_rights(&folder.path().join("countersign.db"));
    assert!(contents(folder.path()).is_empty());
    set_mode(folder.path(), 0o755);
}

#[test]
fn a_file_that_cannot_be_written_is_named_and_left_untouched() {
    for (file_mode, folder_mode) in [(0o444, 0o777), (0o444, 0o555), (0o666, 0o555)] {
        let (path, folder) = file(&database());
        set_mode(&path, file_mode);
        set_mode(folder.path(), folder_mode);
        let before = contents(folder.path());
        let text = refused_without_rights(&path);
        assert!(text.contains("cannot be written") && text.contains("owns the file"), "{text}");
        assert!(contents(folder.path()) == before, "nothing was written, not even beside it");
        set_mode(folder.path(), 0o755);
    }
}

#[test]
fn the_file_and_its_companions_belong_to_their_owner_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("data/deep/countersign.db");
    let app = open(&format!("sqlite:{}", path.display()), "").expect("it opens");
    assert!(app.is_ready());
    for name in ["countersign.db", "countersign.db-wal", "countersign.db-shm", "countersign.key"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
}

#[test]
fn the_master_key_is_made_once_and_kept() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("countersign.db");
    let url = format!("sqlite:{}", path.display());
    let opened = at_once((0..5).map(|_| || open(&url, "").map(drop)));
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    let key = std::fs::read_to_string(path.with_extension("key")).expect("a key");
    assert!(key.trim().len() == 64 && key.trim().bytes().all(|byte| byte.is_ascii_hexdigit()));
    open(&url, "").expect("the same key fits again");
    open(&url, key.trim()).expect("from the settings, too");
    let names: Vec<_> = contents(folder.path()).into_iter().map(|(path, _)| path).collect();
    assert!(
        names.iter().all(|name| !name.display().to_string().contains(".key.")),
        "no drafts are left: {names:?}"
    );

    std::fs::write(path.with_extension("key"), "half a key").expect("it is written");
    let text = refusal(open(&url, ""));
    assert!(
        text.contains("countersign.key") && text.contains("backup") && !text.contains("half a key"),
        "{text}"
    );
    std::fs::remove_file(path.with_extension("key")).expect("it is removed");
    let text = refusal(open(&url, ""));
    assert!(text.contains("master key"), "a new one is no substitute: {text}");
}

#[test]
fn a_url_of_another_kind_is_refused_with_examples() {
    let Err(error) = Store::open("mysql://root@localhost/countersign") else { panic!("it was opened") };
    assert!(
        error.to_string().contains("sqlite:data/countersign.db") && error.to_string().contains("postgres://")
    );
    let Err(error) = Store::open("postgres://user:se%%cret@host:port/x") else { panic!("it was opened") };
    assert!(
        error.to_string().contains("COUNTERSIGN_DATABASE_URL") && !error.to_string().contains("cret"),
        "{error}"
    );
}
