//! Connections whose request never ends, and a server that is told to stop.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::process::{Served, countersign};
use crate::server::{Place, World, wait_until};

/// What a client that sends no more gets until the connection is closed; it fails when that takes
/// longer than any client may hold on.
fn answer_to(world: &World, request: &str) -> String {
    let mut stream = TcpStream::connect(world.server.address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(35))).expect("a limit");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection is still open: {error}"),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_head_or_body_that_does_not_come_ends_its_connection() {
    let world = &World::new(Place::Sqlite);
    let head = |line: &str, how: &str| {
        format!(
            "{line} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n{how}\r\n\r\n"
        )
    };
    let (length, chunked) = ("content-length: 2000", "transfer-encoding: chunked");
    let requests = [
        head("POST /login", length) + "login=a",
        head("POST /login", length),
        head("POST /login", chunked) + "7\r\nlogin=a\r\n",
        head("POST /nothing", chunked) + "1\r\nx\r\n",
        head("GET /api/v1/token", chunked),
        head("POST /admin/mapping", chunked) + "1\r\nx\r\n",
        head("GET /healthz", length),
        head("GET /healthz", "x: y") + "GET /healthz HTTP/1.1\r\nho",
        head("GET /healthz", "x: y") + "\r\n",
    ];
    std::thread::scope(|scope| {
        let clients = requests.iter().map(|request| scope.spawn(move || answer_to(world, request)));
        for client in clients.collect::<Vec<_>>() {
            client.join().expect("the connection ends");
        }
    });
    assert_eq!(world.browser().get("/healthz").status, 200);
}

#[test]
fn a_second_request_by_the_same_connection_is_answered() {
    let world = World::new(Place::Sqlite);
    let post = "POST /logout HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 3\r\n\r\na=b";
    let last = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answers = answer_to(&world, &format!("{post}{post}{last}"));
    assert_eq!(answers.matches("HTTP/1.1 303").count(), 2, "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 1, "{answers}");
}

#[test]
fn requests_that_come_together_are_answered_in_their_order() {
    let world = World::new(Place::Sqlite);
    let get = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n{more}\r\n");
    let post = "POST /logout HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let chunked = format!("{post}transfer-encoding: chunked\r\n\r\n1;x\r\na\r\n2\r\n=b\r\n0\r\nt: x\r\n\r\n");
    let with_body = format!("{post}content-length: 3\r\n\r\na=b");
    let block = get("/healthz", "") + &chunked + "\r\n" + &get("/nothing", "") + &with_body;
    let sent = block.repeat(200) + &get("/healthz", "connection: close\r\n");
    let answers = answer_to(&world, &sent);
    let statuses: Vec<&str> =
        answers.match_indices("HTTP/1.1 ").map(|(place, _)| &answers[place + 9..place + 12]).collect();
    let expected = ["200", "303", "404", "303"].repeat(200);
    assert_eq!(statuses[..800], expected[..]);
    assert_eq!(statuses[800..], ["200"]);
}

#[test]
fn a_line_ends_with_both_of_its_signs() {
    let world = World::new(Place::Sqlite);
    for request in [
        "GET /healthz HTTP/1.1\nhost: x\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: x\nx: y\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: x\n\n",
        "\nGET /healthz HTTP/1.1\r\nhost: x\r\n\r\n",
    ] {
        let answer = answer_to(&world, request);
        assert!(answer.starts_with("HTTP/1.1 400") && !answer.contains(" 200 "), "{request:?}: {answer}");
        for guard in ["x-content-type-options: nosniff", "content-security-policy: default-src 'none'"] {
            assert!(answer.contains(guard), "{answer}");
        }
    }
}

/// The real program with an empty database.
fn served(folder: &tempfile::TempDir, shell: Option<&str>) -> Served {
    let mut command = countersign(&format!("sqlite:{}", folder.path().join("test.db").display()));
    let Some(shell) = shell else {
        command.arg("serve");
        return Served::start(command);
    };
    let program = command.get_program().to_owned();
    let mut inside = std::process::Command::new("sh");
    inside.arg("-c").arg(format!("{shell}; exec \"$0\" serve")).arg(program).env_clear().current_dir("/");
    for (name, value) in command.get_envs() {
        inside.env(name, value.unwrap_or_default());
    }
    inside.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
    Served::start(inside)
}

fn connect(served: &Served) -> TcpStream {
    TcpStream::connect(served.base.trim_start_matches("http://")).expect("a connection")
}

/// The memory that a process has (kB).
fn memory(served: &Served) -> i64 {
    let status = std::fs::read_to_string(served.proc("status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn a_client_that_does_not_take_its_answers_is_cut_and_makes_no_memory_grow() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = served(&folder, None);
    let many = "GET /embed.js HTTP/1.1\r\nhost: x\r\n\r\n".repeat(10_000);
    let before = memory(&served);
    std::thread::scope(|scope| {
        for client in 0..20 {
            let mut stream = connect(&served);
            let (many, served) = (&many, &served);
            scope.spawn(move || {
                stream.set_nonblocking(true).expect("it does not wait");
                let mut rest = many.as_bytes();
                wait_until("the connection is cut", || {
                    if client == 0 {
                        // One byte now and then does not help.
                        let _ = stream.read(&mut [0]);
                    }
                    match stream.write(rest) {
                        Ok(written) => rest = &rest[written..],
                        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                        Err(_) => return true,
                    }
                    if rest.is_empty() {
                        rest = many.as_bytes();
                    }
                    assert!(
                        memory(served) - before < 20_000,
                        "{before} kB have become {} kB",
                        memory(served)
                    );
                    false
                });
            });
        }
    });
}

#[test]
fn a_connection_costs_one_descriptor_and_the_limit_is_raised() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = served(&folder, Some("ulimit -Sn 200"));
    let limits = std::fs::read_to_string(served.proc("limits")).expect("it runs");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a line");
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[3], words[4], "the soft limit is the hard one: {line}");
    let open = || std::fs::read_dir(served.proc("fd")).expect("it runs").count();
    let ask = || {
        let mut stream = connect(&served);
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").expect("sent");
        assert!(stream.read(&mut [0; 1000]).expect("an answer") > 12);
        stream
    };
    let first = ask();
    let before = open();
    let connections: Vec<TcpStream> = (0..300).map(|_| ask()).collect();
    let by_connections = open() - before;
    assert!((300..310).contains(&by_connections), "{by_connections}");
    drop((first, connections));
}

#[test]
fn a_server_that_was_started_to_survive_a_hangup_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let ignored = |served: &Served| {
        let status = std::fs::read_to_string(served.proc("status")).expect("it runs");
        let mask =
            status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("a line").trim().to_owned();
        u64::from_str_radix(&mask, 16).expect("a number") & 1 == 1
    };
    assert!(ignored(&served(&folder, Some("trap '' HUP"))));
    assert!(!ignored(&served(&folder, None)));
}

#[test]
fn a_malformed_request_is_logged_with_its_address_and_as_no_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = served(&folder, None);
    connect(&served).write_all(b"no HTTP\r\n\r\n").expect("sent");
    wait_until("it is logged", || served.log().contains("is not HTTP/1.1"));
    let log = served.log();
    let line = log.lines().find(|line| line.contains("is not HTTP/1.1")).expect("a line");
    assert!(line.contains("WARN") && line.contains("127.0.0.1"), "{line}");
    assert!(!log.contains("ERROR"), "{log}");
}

#[test]
fn a_server_that_stops_says_first_that_it_is_not_ready() {
    let world = World::new(Place::Sqlite);
    assert_eq!(world.browser().get("/readyz").status, 200);
    world.app.stop();
    assert_eq!(world.browser().get("/readyz").status, 503);
    assert_eq!(world.browser().get("/healthz").status, 200, "it is alive as long as it answers");
}

#[test]
fn a_target_with_a_foreign_host_is_refused() {
    let world = World::with(Place::Sqlite, |source| source.with("public_url", "https://www.example.com"));
    let ask = |target: &str| {
        let answer = answer_to(
            &world,
            &format!("GET {target} HTTP/1.1\r\nhost: www.example.com\r\nconnection: close\r\n\r\n"),
        );
        answer[9..12].to_owned()
    };
    assert_eq!(ask("/login"), "200");
    assert_eq!(ask("http://evil.example/login"), "421");
    assert_eq!(ask("https://www.example.com/login"), "200");
}
