//! The real program as a process of its own, for what only a process can show: starting five at
//! once, being killed, having no rights.

use std::path::Path;
use std::process::{Command, Stdio};

/// The program with a database and nothing else of this process's settings.
pub fn countersign(database_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("COUNTERSIGN_DATABASE_URL", database_url)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Whether this process may write everywhere.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    id.stdout.trim_ascii() == b"0"
}

/// The same command as a user whom the modes of files bind: root gives its rights up, and runs a
/// copy in `folder`, because the program itself may stand where only root comes.
pub fn without_rights(command: Command, folder: &Path) -> Command {
    if !is_root() {
        return command;
    }
    let copy = folder.join("countersign");
    std::fs::copy(command.get_program(), &copy).expect("the program is copied");
    let mut bound = Command::new("setpriv");
    bound.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(copy);
    bound.args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        bound.env(name, value.unwrap_or_default());
    }
    bound.current_dir("/").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    bound
}
