//! The words of the project's dialect stay out of what people read: documents, pages, messages, and comments.

use std::path::{Path, PathBuf};

/// What is not said, each with what is said in its place. Lowercase; whole words.
const NOT: &[(&str, &str)] = &[
    ("anew", "again, new"),
    ("mend", "fix"),
    ("mended", "fixed"),
    ("mends", "fixes"),
    ("fault", "error, problem"),
    ("faults", "errors, problems"),
    ("faulty", "wrong"),
    ("a text", "a value, a string, a message"),
    ("in force", "current, published"),
    ("small letters", "lowercase"),
    ("capitals", "uppercase"),
    ("stands in", "is in, means"),
    ("stands for", "means"),
    ("looks at all users", "checks all users"),
    ("nothing to give", "no value"),
    ("held against", "checked against"),
    ("taken in", "imported"),
    ("look after", "manage"),
    ("looks after", "manages"),
    ("by a code", "with a code"),
    ("is silent", "does not apply"),
    ("rule speaks", "the rule applies"),
    ("is none of", "is not one of"),
    ("hand users over", "sign users in with a handover code"),
];

/// What people read. Test code names its own things, and what others wrote keeps its words.
const READ: [&str; 11] = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs",
    "templates",
    "locales/en.toml",
    "static/openapi.json",
    "static/embed.js",
    "src",
    "benches",
];

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.file_name().is_some_and(|name| name == "node_modules") {
        // Other people's.
    } else if path.is_dir() {
        for entry in std::fs::read_dir(path).expect("a folder") {
            files(&entry.expect("an entry").path(), found);
        }
    } else if path
        .extension()
        .is_some_and(|kind| ["md", "html", "toml", "json", "js", "rs", "py"].iter().any(|it| kind == *it))
    {
        found.push(path.to_owned());
    }
}

/// The lines of a text that use a word of the list, each with the word.
fn used(text: &str, is_code: bool) -> Vec<(usize, &'static str)> {
    let mut used = Vec::new();
    for (number, line) in text.lines().enumerate() {
        // Of code, what is said: comments and strings. Identifiers are no sentences.
        let said: String = if is_code { said_in(line) } else { line.to_lowercase() };
        for (word, _) in NOT {
            let mut rest = said.as_str();
            while let Some(at) = rest.find(word) {
                let (before, after) =
                    (rest[..at].chars().next_back(), rest[at + word.len()..].chars().next());
                let is_letter = |letter: Option<char>| {
                    letter.is_some_and(|it| it.is_alphanumeric() || "_-`.:/".contains(it) && it != '.')
                };
                if !is_letter(before) && !is_letter(after) {
                    used.push((number + 1, *word));
                    break;
                }
                rest = &rest[at + word.len()..];
            }
        }
    }
    used
}

/// The comment and the strings of a line of Rust, in lowercase.
fn said_in(line: &str) -> String {
    if let Some(at) = line.find("//") {
        return line[at..].to_lowercase();
    }
    // A string without a space is a name, and braces hold code.
    let strings = line.split('"').skip(1).step_by(2).filter(|string| string.contains(' '));
    let mut said = String::new();
    let mut depth = 0;
    for letter in strings.collect::<Vec<_>>().join(" ").chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            letter if depth <= 0 => said.push(letter),
            _ => {}
        }
    }
    said.to_lowercase()
}

#[test]
fn no_text_speaks_the_old_dialect() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for part in READ {
        let mut list = Vec::new();
        files(&root.join(part), &mut list);
        for path in list.into_iter().filter(|path| !path.ends_with("plan.md")) {
            let text = std::fs::read_to_string(&path).expect("a text file");
            let is_code = path.extension().is_some_and(|kind| kind == "rs" || kind == "js");
            let name = path.strip_prefix(root).expect("below the root").display().to_string();
            found.extend(
                used(&text, is_code).into_iter().map(|(line, word)| format!("{name}:{line}: {word}")),
            );
        }
    }
    assert!(found.is_empty(), "{} places:\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_planted_word_is_found_and_an_identifier_is_not() {
    assert_eq!(used("Fix it.\nMend it: open the page anew.", false), [(2, "anew"), (2, "mend")]);
    assert_eq!(used("let fault = mend(anew); // as it is", true), []);
    assert_eq!(used("let text = \"A fault.\"; ", true), [(1, "fault")]);
    assert_eq!(used("amendment, default, `a-text`", false), []);
}
