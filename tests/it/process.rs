//! The real program as a process of its own, for what only a process can show: starting five at
//! once, being killed, having no rights.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

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

/// The server as a process of its own. It is killed when this is dropped.
pub struct Served {
    pub child: Child,
    /// Where it listens: `http://address`.
    pub base: String,
    log: Arc<Mutex<String>>,
}

impl Served {
    /// Starts a command that serves, and waits until it listens.
    pub fn start(mut command: Command) -> Self {
        command.env("COUNTERSIGN_SIGNING_KEY", crate::server::KEY);
        Self::without_key(command)
    }

    /// The same without a signing key.
    pub fn without_key(mut command: Command) -> Self {
        command.env("COUNTERSIGN_MASTER_KEY", crate::store::MASTER_KEY);
        let mut child = command.env("COUNTERSIGN_LISTEN", "127.0.0.1:0").spawn().expect("it starts");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let log = Arc::<Mutex<String>>::default();
        let base = lines.by_ref().map_while(Result::ok).find_map(|line| {
            log.lock().expect("no writer panics").push_str(&(line.clone() + "\n"));
            let (_, rest) = line.split_once("listening on ")?;
            rest.split(';').next().map(str::to_owned)
        });
        let written = log.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                written.lock().expect("no writer panics").push_str(&(line + "\n"));
            }
        });
        Self { child, base: base.expect("it listens"), log }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.log.lock().expect("no writer panics").clone()
    }

    /// A file that the system keeps about it.
    pub fn proc(&self, file: &str) -> std::path::PathBuf {
        format!("/proc/{}/{file}", self.child.id()).into()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
