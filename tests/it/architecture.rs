//! The layers, enforced by words that may not stand in a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// (folder or file below `src/`, words its code may not name, why).
pub const RULES: &[(&str, &[&str], &str)] = &[
    (
        "core",
        &[
            "actix",
            "rusqlite",
            "tokio",
            "askama",
            "tracing",
            "crate::store",
            "crate::deskpro",
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
            "crate::deskpro",
            "crate::web",
            "crate::cli",
            "crate::config",
            "crate::standin",
            "SystemTime",
        ],
        "store knows only core",
    ),
    (
        "deskpro",
        &[
            "actix",
            "rusqlite",
            "tokio",
            "askama",
            "crate::app",
            "crate::store",
            "crate::web",
            "crate::cli",
            "crate::config",
            "crate::standin",
            "SystemTime",
            "Instant::now",
        ],
        "deskpro knows only core",
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
        &[
            "crate::app",
            "crate::store",
            "crate::deskpro",
            "crate::web",
            "crate::cli",
            "crate::standin",
            "actix",
        ],
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
fn no_file_reaches_itself_through_others() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&src).into_iter().map(|file| (module(&file, &src), file));
    let texts: BTreeMap<Vec<String>, String> =
        files.map(|(module, file)| (module, std::fs::read_to_string(file).expect("a source file"))).collect();
    assert_eq!(circle(&texts), None);
    // A circle of three that nobody may plant.
    let mut planted = texts;
    let names = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    for (file, line) in [
        ("core/visible", "use crate::core::address::Address;"),
        ("core/address", "use super::next::{self, Next};"),
        ("core/next", "fn plant() {\n    crate::core::visible::shown(\"\");\n}"),
    ] {
        planted.get_mut(&names(file)).expect("a file").insert_str(0, &[line, "\n"].concat());
    }
    assert!(circle(&planted).is_some());
}

/// The path of modules that a file stands for: `web/mod.rs` is `web`.
fn module(file: &Path, src: &Path) -> Vec<String> {
    let path = file.strip_prefix(src).expect("below src").with_extension("");
    let names = path.iter().map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| !matches!(name.as_str(), "mod" | "lib" | "main")).collect()
}

/// Files that name one another in a circle. That a folder's `mod.rs` names its files, and they name what it holds for
/// all of them, makes none.
fn circle(texts: &BTreeMap<Vec<String>, String>) -> Option<Vec<String>> {
    let edges: BTreeMap<&Vec<String>, Vec<Vec<String>>> =
        texts.iter().map(|(module, text)| (module, named(module, text, texts))).collect();
    let (mut done, mut open) = (BTreeSet::new(), Vec::new());
    texts.keys().find_map(|module| visit(module, &edges, &mut done, &mut open))
}

fn visit<'a>(
    module: &'a Vec<String>,
    edges: &'a BTreeMap<&Vec<String>, Vec<Vec<String>>>,
    done: &mut BTreeSet<&'a Vec<String>>,
    open: &mut Vec<&'a Vec<String>>,
) -> Option<Vec<String>> {
    if let Some(from) = open.iter().position(|known| *known == module) {
        return Some(open[from..].iter().chain([&module]).map(|module| module.join("/")).collect());
    }
    if !done.insert(module) {
        return None;
    }
    open.push(module);
    let found = edges.get(module).into_iter().flatten().find_map(|next| visit(next, edges, done, open));
    open.pop();
    found
}

/// The other files that a file names, but for the folders that it is in.
fn named(module: &[String], text: &str, texts: &BTreeMap<Vec<String>, String>) -> Vec<Vec<String>> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code: String = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| format!("{line}\n"))
        .collect();
    let mut paths = Vec::new();
    for statement in code.split(';') {
        let begin = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "];
        let last = statement.rfind("\n\n").map_or(statement, |at| &statement[at..]).trim_start();
        match begin.into_iter().find_map(|begin| last.strip_prefix(begin)) {
            Some(tree) => expand("", tree, &mut paths),
            None => paths.extend(
                statement
                    .split(|letter: char| !(letter.is_alphanumeric() || "_:".contains(letter)))
                    .map(str::to_owned),
            ),
        }
    }
    let found = paths.iter().filter_map(|path| {
        let mut names = path.split("::").map(str::trim).peekable();
        let mut place = match names.peek().copied() {
            Some("crate") => Vec::new(),
            Some("super" | "self") => module.to_vec(),
            Some(name) if texts.contains_key(&[module, &[name.to_owned()]].concat()) => module.to_vec(),
            _ => return None,
        };
        while let Some(name) = names.next_if(|name| matches!(*name, "crate" | "super" | "self")) {
            if name == "super" {
                place.pop();
            }
        }
        for name in names {
            place.push(name.to_owned());
            if !texts.contains_key(&place) {
                place.pop();
                break;
            }
        }
        (texts.contains_key(&place) && !module.starts_with(&place)).then_some(place)
    });
    found.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The paths of a `use`, one by one.
fn expand(before: &str, tree: &str, paths: &mut Vec<String>) {
    let Some((begin, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        paths.push(format!("{before}{}", path.trim()));
        return;
    };
    let (mut depth, mut from) = (0, 0);
    let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
    for (at, letter) in inside.char_indices().chain([(inside.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inside[from..at].trim().is_empty() {
                    expand(&format!("{before}{}", begin.trim()), &inside[from..at], paths);
                }
                from = at + 1;
            }
            _ => {}
        }
    }
}

#[test]
fn every_module_that_the_map_names_is_there() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let map = std::fs::read_to_string(src.join("lib.rs")).expect("the map");
    let named = map.split('`').skip(1).step_by(2).filter(|name| name.contains("::"));
    let gone = named.filter(|name| {
        let path: PathBuf =
            name.split("::").take_while(|part| part.starts_with(char::is_lowercase)).collect();
        let is_there = |path: &Path| {
            src.join(path).with_extension("rs").exists() || src.join(path).join("mod.rs").exists()
        };
        // The last part may be what the module holds.
        !is_there(&path) && !path.parent().is_some_and(is_there)
    });
    assert_eq!(gone.collect::<Vec<_>>(), [""; 0]);
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

/// The Rust files of a folder and of the folders in it.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
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
