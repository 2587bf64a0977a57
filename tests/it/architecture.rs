//! The layers, enforced by words that may not stand in a folder.

use std::path::{Path, PathBuf};

/// (folder or file below `src/`, words its code may not name, why).
const RULES: &[(&str, &[&str], &str)] = &[
    (
        "core",
        &[
            "actix",
            "rusqlite",
            "tokio",
            "askama",
            "tracing",
            "crate::store",
            "crate::app",
            "crate::web",
            "crate::cli",
            "crate::config",
            "crate::standin",
            "SystemTime",
            "Instant::now",
            "getrandom",
            "std::fs",
            "std::net::Tcp",
            "std::env",
        ],
        "core is pure: the moment, random bytes and everything read are parameters",
    ),
    (
        "store",
        &[
            "actix",
            "askama",
            "crate::app",
            "crate::web",
            "crate::cli",
            "crate::config",
            "crate::standin",
            "SystemTime",
        ],
        "store knows only core",
    ),
    (
        "app",
        &[
            "actix",
            "askama",
            "rusqlite",
            "tokio_postgres",
            "crate::web",
            "crate::cli",
            "crate::standin",
            "\"SELECT ",
            "\"INSERT ",
            "\"UPDATE ",
            "\"DELETE ",
        ],
        "app holds use cases: no request and no SQL text",
    ),
    (
        "web",
        &[
            "crate::cli",
            "crate::standin",
            "rusqlite",
            "tokio_postgres",
            "\"SELECT ",
            "\"INSERT ",
            "\"UPDATE ",
        ],
        "web reaches the database through app",
    ),
    (
        "cli",
        &["actix", "rusqlite", "tokio_postgres", "\"SELECT ", "\"INSERT ", "\"UPDATE "],
        "the command line reaches everything through app",
    ),
    (
        "config",
        &["crate::app", "crate::store", "crate::web", "crate::cli", "actix"],
        "settings are a value; they name only core",
    ),
    ("standin", &["crate::"], "the stand-in shares nothing with the signer"),
];

#[test]
fn every_layer_names_only_what_lies_below() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for (place, words, why) in RULES {
        for file in rust_files(&src.join(place)) {
            let text = std::fs::read_to_string(&file).expect("a source file");
            for (number, line) in
                text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
            {
                for word in words.iter().filter(|word| line.contains(**word)) {
                    found.push(format!("{}:{}: {word} ({why})", file.display(), number + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn only_the_demo_and_tests_name_the_stand_in() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let users: Vec<PathBuf> = rust_files(&src)
        .into_iter()
        .filter(|file| !file.starts_with(src.join("standin")))
        .filter(|file| std::fs::read_to_string(file).expect("a source file").contains("crate::standin"))
        .collect();
    assert_eq!(users, [src.join("cli/demo/mod.rs")]);
}

#[test]
fn every_file_says_what_it_holds_and_is_no_longer_than_400_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = rust_files(&root.join("src")).into_iter().chain(rust_files(&root.join("tests")));
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source file");
        assert!(text.starts_with("//!"), "{} does not open with //!", file.display());
        let lines = text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines", file.display());
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "node_modules" && name != ".venv") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
    files
}
