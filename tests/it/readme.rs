//! The README's table of settings is the code's. To write it anew:
//! `UPDATE_README=1 cargo test the_readme_lists_every_setting`.

use std::fmt::Write as _;

use countersign::config::SETTINGS;

const BEGIN: &str = "<!-- settings: written by the test `the_readme_lists_every_setting` -->\n";

#[test]
fn the_readme_lists_every_setting() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).expect("README.md");
    let (before, rest) = readme.split_once(BEGIN).expect("the mark");
    let (_, after) = rest.split_once("\n## ").expect("a heading behind the table");
    let mut table = String::from("\n| name | default | what it does |\n|---|---|---|\n");
    for setting in SETTINGS {
        let mark = if setting.secret { " \\*" } else { "" };
        let default =
            if setting.default.is_empty() { String::new() } else { format!("`{}`", setting.default) };
        writeln!(table, "| `{}`{mark} | {default} | {} |", setting.name, setting.meaning)
            .expect("a text grows");
    }
    let expected = format!("{before}{BEGIN}{table}\n## {after}");
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(path, &expected).expect("written");
    }
    assert!(readme == expected, "README.md lags behind config::SETTINGS; see the head of this file");
}
