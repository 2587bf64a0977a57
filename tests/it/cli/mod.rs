//! The real program on the command line: what it answers, how it ends, and that it keeps secrets.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

mod files;
mod helpdesk;
mod keys;
mod logs;
mod mappings;
mod messengers;
mod nothing;
mod settings;
mod start;
mod tokens;
mod users;

/// A signing key of 32 bytes, none of which stands in any message by chance.
const KEY: &str = "qX7~vM2$kL9@pR4!wT6%zN8^bH3&jF5*";
/// A master key.
const MASTER: &str = "9f3b61c70d84e25a9f3b61c70d84e25b9f3b61c70d84e25c9f3b61c70d84e25d";
/// A password that the policy accepts.
const PASSWORD: &str = "nine small birds sing";

/// A folder, settings, and the program in it.
struct Shell {
    folder: tempfile::TempDir,
    settings: Vec<(String, String)>,
}

/// What the program said, and how it ended.
#[derive(Debug)]
struct Said {
    status: i32,
    out: String,
    err: String,
}

impl Shell {
    /// Everything that is needed, with a database in the folder.
    fn new() -> Self {
        Self::bare()
            .with("DATABASE_URL", "sqlite:test.db")
            .with("MASTER_KEY", MASTER)
            .with("SIGNING_KEY", KEY)
    }

    /// Nothing but a folder.
    fn bare() -> Self {
        let shell = Self { folder: tempfile::tempdir().expect("a temporary folder"), settings: Vec::new() };
        // No machine has this address (RFC 5737): a server that should not start ends all the same.
        shell.with("LISTEN", "192.0.2.1:8080")
    }

    /// The same with a setting in the environment, by its name without the prefix.
    fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.settings.push((format!("COUNTERSIGN_{name}"), value.to_owned()));
    }

    fn has(&self, name: &str) -> bool {
        self.settings.iter().any(|(known, _)| *known == format!("COUNTERSIGN_{name}"))
    }

    fn unset(&mut self, name: &str) {
        self.settings.retain(|(known, _)| *known != format!("COUNTERSIGN_{name}"));
    }

    /// Writes a file into the folder.
    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command
            .args(words)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command. Whatever it is, it says nothing of the keys.
    fn run(&self, words: &[&str]) -> Said {
        self.typed(words, "")
    }

    /// The same with something on standard input.
    fn typed(&self, words: &[&str], input: &str) -> Said {
        let mut child = self.command(words).stdin(Stdio::piped()).spawn().expect("the program runs");
        // A program that does not read its input may have ended already.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("it ends");
        let said = Said {
            status: output.status.code().expect("an exit status"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        };
        let secrets =
            self.settings.iter().filter(|(name, _)| name.contains("_KEY") && !name.contains("_KEY_"));
        let secrets = secrets.map(|(_, value)| value.as_str()).filter(|value| value.trim().len() >= 8);
        for secret in secrets.chain([PASSWORD]) {
            said.keeps(secret);
        }
        said
    }

    /// Runs a command that is done, and returns what it answered.
    fn done(&self, words: &[&str]) -> String {
        let said = self.run(words);
        assert_eq!(said.status, 0, "{words:?} {said:?}");
        said.out
    }

    /// Runs a command that is refused, and returns the reason.
    fn refused(&self, words: &[&str]) -> String {
        let said = self.run(words);
        assert_eq!((said.status, said.err.is_empty()), (1, false), "{words:?} {said:?}");
        said.err
    }

    /// The answer of a command with `--json`: one object a line.
    fn json(&self, words: &[&str]) -> Vec<Json> {
        self.done(&[words, &["--json"]].concat()).lines().map(object).collect()
    }
}

impl Said {
    /// No part of a secret is in the answer: no eight bytes that stand in it one after another.
    fn keeps(&self, secret: &str) {
        let letters: Vec<char> = secret.chars().collect();
        for part in letters.windows(8.min(letters.len().max(1))) {
            let part: String = part.iter().collect();
            assert!(!self.out.contains(&part) && !self.err.contains(&part), "'{part}' in {self:?}");
        }
    }

    fn json(&self) -> Vec<Json> {
        self.out.lines().map(object).collect()
    }
}

fn object(line: &str) -> Json {
    let json: Json = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert!(json.is_object(), "{line}");
    json
}

/// The keys of an object, in order.
fn names(object: &Json) -> Vec<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}
