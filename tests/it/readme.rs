//! The table in `docs/settings.md`, to which the README leads, lists the settings of the code. To write it
//! again: `UPDATE_README=1 cargo test the_readme_lists_every_setting`.

use std::fmt::Write as _;

use countersign::config::SETTINGS;

const BEGIN: &str = "<!-- settings: written by the test `the_readme_lists_every_setting` -->\n";

#[test]
fn the_readme_lists_every_setting() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/settings.md");
    let document = std::fs::read_to_string(path).expect("docs/settings.md");
    let (before, rest) = document.split_once(BEGIN).expect("the mark");
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
    assert!(document == expected, "docs/settings.md lags behind config::SETTINGS; see the head of this file");
}
