//! Files that a document names, and where its links lead.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::document::Document;
use super::names::{is_route, path};
use super::root;

/// Folders of the repository. A path that begins with one of them is a path of the repository.
const FOLDERS: [&str; 12] = [
    ".ci",
    ".github",
    "benches",
    "docs",
    "examples",
    "locales",
    "migrations",
    "recipes",
    "src",
    "static",
    "templates",
    "tests",
];
/// Files and folders that the tests make.
const MADE: [&str; 5] = ["node_modules", ".venv", ".wordpress", ".nginx", ".state"];

/// Files of the repository that do not exist.
pub fn wrong_files(place: &str, text: &str) -> Vec<String> {
    let document = Document::read(text);
    let words = document.code().flat_map(|code| code.split_whitespace());
    let words = words.map(|word| word.trim_matches(['"', '\'', '(', ')', ',', ';', ':']));
    words.filter(|word| is_file(word) && !is_there(place, word)).map(str::to_owned).collect()
}

/// Whether a word means a file of the repository: it begins with one of the folders, or is a path to a
/// source file.
fn is_file(word: &str) -> bool {
    let is_plain = word.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-./*".contains(letter));
    let kind = Path::new(word).extension().and_then(OsStr::to_str);
    let Some((folder, rest)) = word.split_once('/') else { return false };
    let is_ours =
        FOLDERS.contains(&folder) || !folder.is_empty() && matches!(kind, Some("rs" | "py" | "mjs" | "md"));
    is_plain && is_ours && !rest.split('/').any(|part| MADE.contains(&part))
}

/// Whether a file is there: from the root of the repository, from `src/`, or beside the document.
fn is_there(place: &str, word: &str) -> bool {
    let path: PathBuf = word.split('/').take_while(|part| !part.contains('*')).collect();
    let beside = root().join(place).with_file_name("");
    [root().to_owned(), root().join("src"), beside].iter().any(|folder| folder.join(&path).exists())
}

/// Links that lead nowhere: to a file that does not exist, or to a heading that its document does not have.
pub fn wrong_links(place: &str, text: &str) -> Vec<String> {
    let document = Document::read(text);
    let is_wrong = |link: &&String| !leads_somewhere(place, &document, link);
    document.links.iter().filter(is_wrong).cloned().collect()
}

fn leads_somewhere(place: &str, document: &Document, link: &str) -> bool {
    if link.contains("://") || link.starts_with("mailto:") {
        return true;
    }
    if link.starts_with('/') {
        return is_route(None, path(link));
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let has_anchor =
        |document: &Document| anchor.is_empty() || document.anchors.iter().any(|known| known == anchor);
    if file.is_empty() {
        return has_anchor(document);
    }
    let target = root().join(place).with_file_name("").join(file);
    if target.extension().is_none_or(|kind| kind != "md") {
        return target.exists();
    }
    std::fs::read_to_string(&target).is_ok_and(|text| has_anchor(&Document::read(&text)))
}
