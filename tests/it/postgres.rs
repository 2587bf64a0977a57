//! A PostgreSQL of the tests' own, from the machine's binaries: in a temporary folder, on a
//! socket, as a user who is not root. A small shell keeps it; when this process ends, however,
//! the shell's input ends, and it stops the server and removes the folder.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes a template once per machine, copies it, starts it, and stops it when its input ends.
const KEEPER: &str = r#"
set -eu
bin=$1 base=$2 data=$3
mkdir -p "$base"
exec 9>"$base/lock"
flock 9
# Sorted as people do where the server can, so that a column without COLLATE "C" is noticed.
if [ ! -d "$base/sorted" ]; then
  make() {
    rm -rf "$base/new"
    "$bin/initdb" -D "$base/new" -U countersign -A trust -E UTF8 --locale=C.UTF-8 --no-sync "$@" >/dev/null
  }
  make --locale-provider=icu --icu-locale=de-DE 2>/dev/null || make
  mv "$base/new" "$base/sorted"
fi
exec 9>&-
mkdir -m 700 "$data"
cp -a "$base/sorted" "$data/db"
start() {
  "$bin/postgres" -D "$data/db" -k "$data" -c listen_addresses= -c fsync=off -c full_page_writes=off \
    -c max_connections=200 -c shared_buffers=32MB -c unix_socket_permissions=0777 >"$data/log" 2>&1 9>&- </dev/null &
  server=$!
  tries=0
  until "$bin/pg_isready" -q -h "$data" -U countersign; do
    tries=$((tries + 1))
    if [ $tries -gt 600 ]; then cat "$data/log" >&2; exit 1; fi
    sleep 0.05
  done
  echo ready
}
# The server and its backends; a stopped one would not even notice that it shall end.
all() { echo $server $(ps -o pid= --ppid $server); }
trap 'kill -CONT $(all) 2>/dev/null || true; kill -INT $server 2>/dev/null || true
  wait $server 2>/dev/null || true; rm -rf "$data"' EXIT
start
while read -r order; do
  case $order in
    stop) kill -INT $server; wait $server || true; echo stopped ;;
    start) start ;;
    # The server first: then it starts no backend that would not be counted.
    # A worker may end between being listed and being told.
    pause) kill -STOP $server; kill -STOP $(all) 2>/dev/null || true; echo paused ;;
    resume) kill -CONT $(all) 2>/dev/null || true; echo resumed ;;
  esac
done
"#;

/// One running server.
pub struct Postgres {
    keeper: Child,
    answers: BufReader<std::process::ChildStdout>,
    folder: PathBuf,
}

impl Postgres {
    /// Starts a server of this test's own, which it may stop and start.
    pub fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("countersign-pg-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let base = std::env::temp_dir().join(if is_root() {
            "countersign-postgres-root"
        } else {
            "countersign-postgres"
        });
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args([
                "--reuid=postgres",
                "--regid=postgres",
                "--init-groups",
                "sh",
                "-c",
                KEEPER,
                "keeper",
            ]);
            command
        } else {
            let mut command = Command::new("sh");
            command.args(["-c", KEEPER, "keeper"]);
            command
        };
        let mut keeper = command
            .args([binaries().as_path(), base.as_path(), folder.as_path()])
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("sh runs");
        let answers = BufReader::new(keeper.stdout.take().expect("it is piped"));
        let mut server = Self { keeper, answers, folder };
        server.expect("ready");
        server
    }

    /// Stops the server, as an administrator would.
    pub fn stop(&mut self) {
        self.order("stop", "stopped");
    }

    /// Starts it again with the same data.
    pub fn start_again(&mut self) {
        self.order("start", "ready");
    }

    /// Makes the server stall: connections stay open, and nothing answers.
    pub fn pause(&mut self) {
        self.order("pause", "paused");
    }

    /// Lets it go on where it stood.
    pub fn resume(&mut self) {
        self.order("resume", "resumed");
    }

    fn order(&mut self, order: &str, answer: &str) {
        use std::io::Write as _;
        let stdin = self.keeper.stdin.as_mut().expect("it is piped");
        writeln!(stdin, "{order}").expect("the keeper reads");
        self.expect(answer);
    }

    fn expect(&mut self, answer: &str) {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the keeper answers");
        if line.trim() != answer {
            // It is about to end, so all it had to say can be read.
            drop(self.keeper.stdin.take());
            let mut said = String::new();
            let stderr = self.keeper.stderr.as_mut().map(|stderr| stderr.read_to_string(&mut said));
            panic!("PostgreSQL: {answer:?} was expected, {line:?} came: {said} {stderr:?}");
        }
    }

    /// The URL of a new, empty database.
    pub fn database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let created = Command::new(binaries().join("psql"))
            .args(["-q", "-h"])
            .arg(&self.folder)
            .args(["-U", "countersign", "-d", "postgres", "-c", &format!("CREATE DATABASE {name}")])
            .status()
            .expect("psql runs");
        assert!(created.success(), "a database is created");
        format!("postgres://countersign@{}/{name}", self.folder.display().to_string().replace('/', "%2F"))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The server that tests of this process share; each takes a database of its own.
pub fn shared() -> &'static Postgres {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    SHARED.get_or_init(Postgres::start)
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    id.stdout.trim_ascii() == b"0"
}

/// Where initdb and postgres are: Debian keeps them out of PATH.
fn binaries() -> PathBuf {
    let versions = (13..=18).rev().map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")));
    let in_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    versions
        .chain(in_path.into_iter().flatten())
        .find(|folder: &PathBuf| Path::new(folder).join("initdb").exists())
        .expect("PostgreSQL's initdb is installed: tests/run does it")
}
