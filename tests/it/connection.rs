//! Connections whose request never ends, and a server that is told to stop.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::server::{Place, World};

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
fn a_body_that_does_not_come_ends_its_connection() {
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
    assert_eq!(answers.matches("HTTP/1.1 403").count(), 2, "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 1, "{answers}");
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
