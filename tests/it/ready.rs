//! Readiness: what an instance needs for its work is there, or it says that it is not ready.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

use countersign::app::{Caller, clock};
use countersign::args;
use countersign::core::secret::Encoding;
use countersign::store::{ChangeKind, Error, Sql as _, Store};
use rstest_reuse::apply;

use crate::process::countersign;
use crate::server::{Browser, Place, World, everywhere, wait_until};
use crate::store::MASTER_KEY;

const NEW: &str = "the new key of the shop, also long enough for it";

fn is_ready(world: &World) -> bool {
    match world.browser().get("/readyz").status {
        200 => true,
        503 => false,
        status => panic!("readiness is {status}"),
    }
}

/// Runs a statement behind the program's back, as a hand or another version would.
fn by_hand(world: &World, sql: &str, args: &[countersign::store::Value]) {
    let store = Store::open(&world.database_url()).expect("it opens");
    let written = store.write(world.now(), |tx| {
        tx.changed(ChangeKind::All, "");
        tx.execute(sql, args)
    });
    assert_eq!(written.expect("written"), 1, "{sql}");
}

/// A world whose key and messenger are in the database.
fn stored(place: Place) -> World {
    let names = ["signing_key", "init_script_url", "deskpro_url", "messenger_id"];
    World::with(place, |source| names.iter().fold(source, |source, name| source.without(name)))
}

#[apply(everywhere)]
fn a_messenger_that_cannot_be_read_any_more_stays_in_use_and_readiness_says_no(world: &World) {
    world.user("ana");
    world.app.add_messenger(&"shop".into(), &Caller::cli()).expect("added");
    world.app.add_signing_key(&"shop".into(), NEW, Encoding::Raw, false, &Caller::cli()).expect("a key");
    let ana = world.browser().signed_in("ana");
    let lifetime = |id: &str| ana.get(&format!("/api/v1/token?messenger={id}")).json()["expires_in"].clone();
    let set = |id: &str, text: &str| {
        by_hand(world, "UPDATE messengers SET settings = $2 WHERE id = $1", args![id, text]);
    };
    for id in ["default", "shop"] {
        set(id, r#"{"token_lifetime": "300"}"#);
        wait_until("the change is known", || lifetime(id) == 300);
        assert!(is_ready(world));
        for broken in [r#"{"token_lifetime": "never"}"#, r#"{"ios_messenger_id": "X"}"#, "{", "[]"] {
            set(id, broken);
            wait_until("readiness says no", || !is_ready(world));
            assert_eq!(lifetime(id), 300, "{id} {broken}: the last good one stays in use");
            assert!(ana.get("/").status == 200 && world.app.broken_messengers()[0].id == id);
            set(id, r#"{"token_lifetime": "300"}"#);
            wait_until("it is ready again", || is_ready(world));
        }
    }
    // One that this process never knew otherwise has nothing that could stay.
    set("shop", "{");
    let (other, server) = world.second_instance();
    assert_eq!(other.messengers().iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["default"]);
    let base = world.base.replace(&world.server.address.to_string(), &server.address.to_string());
    let there = Browser::new(&base).with("host", &world.server.address.to_string());
    assert_eq!(there.get("/api/v1/messenger?messenger=shop").status, 503, "not 'there is no such messenger'");
}

#[apply(everywhere)]
fn a_messenger_that_is_switched_off_needs_nothing(world: &World) {
    world.app.add_messenger(&"shop".into(), &Caller::cli()).expect("added");
    assert!(is_ready(world), "one that is being set up has no key yet");
    world.app.enable_messenger(&"shop".into(), false, &Caller::cli()).expect("switched off");
    by_hand(world, "UPDATE messengers SET settings = '{' WHERE id = 'shop'", &[]);
    assert!(
        world.app.enable_messenger(&"shop".into(), true, &Caller::cli()).is_err(),
        "it cannot be switched on"
    );
    assert!(is_ready(world));
}

fn keys_are_asked_for(place: Place) {
    let world = stored(place);
    let key = |messenger: &str| {
        world
            .app
            .add_signing_key(&messenger.into(), NEW, Encoding::Raw, false, &Caller::cli())
            .expect("a key")
            .0
    };
    assert!(is_ready(&world), "before the first key the database alone");
    world.app.add_messenger(&"shop".into(), &Caller::cli()).expect("added");
    let of_shop = key("shop");
    wait_until("a key of another messenger is none of 'default'", || !is_ready(&world));
    let own = key("default");
    wait_until("its own is", || is_ready(&world));
    by_hand(&world, "UPDATE secrets SET sealed = $2 WHERE id = $1", args![&own, "cut off"]);
    wait_until("a key that cannot be opened signs nothing", || !is_ready(&world));
    world.app.remove_signing_key(&"shop".into(), &of_shop, &Caller::cli()).expect_err("it signs");
}

#[test]
fn on_sqlite_readiness_asks_for_a_usable_key_of_default_once_there_is_any_key() {
    keys_are_asked_for(Place::Sqlite);
}

#[test]
fn on_postgres_readiness_asks_for_a_usable_key_of_default_once_there_is_any_key() {
    keys_are_asked_for(Place::Postgres);
}

#[test]
fn a_read_only_postgresql_is_not_ready_and_says_why() {
    let world = World::new(Place::Postgres);
    assert!(is_ready(&world));
    let url = world.database_url();
    let (_, database) = url.rsplit_once('/').expect("a name");
    let store = Store::open(&world.database_url()).expect("it opens");
    let order = |sql: &str| store.read(|db| db.batch(sql)).expect("done");
    order(&format!("ALTER DATABASE {database} SET default_transaction_read_only = on"));
    // Connections that are open keep what they began with.
    order(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    wait_until("it is not ready", || !is_ready(&world));
    let ended = countersign(&world.database_url())
        .env("COUNTERSIGN_MASTER_KEY", MASTER_KEY)
        .args(["user", "list"])
        .output()
        .expect("it ends");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("25006: cannot execute") && !said.contains("db error"), "the whole cause: {said}");
    order("SET default_transaction_read_only = off");
    order(&format!("ALTER DATABASE {database} RESET default_transaction_read_only"));
    order(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    wait_until("it is ready again", || is_ready(&world));
}

#[test]
fn a_thousand_probes_write_no_more_than_one_a_second() {
    let world = World::new(Place::Sqlite);
    let store = Store::open(&world.database_url()).expect("it opens");
    // Counts every write of the row that readiness writes.
    store
        .write(0, |tx| {
            tx.batch(
                "CREATE TABLE seen (n BIGINT);
                 CREATE TRIGGER seen_i AFTER INSERT ON facts BEGIN INSERT INTO seen VALUES (1); END;
                 CREATE TRIGGER seen_u AFTER UPDATE ON facts BEGIN INSERT INTO seen VALUES (1); END;",
            )
        })
        .expect("made");
    let watch = clock::Stopwatch::start();
    for _ in 0..1000 {
        assert!(world.app.is_ready());
    }
    let most = i64::try_from(watch.elapsed().as_secs()).expect("short") + 1;
    let written = store.read(|db| db.query("SELECT COUNT(*) FROM seen", &[])).expect("read")[0]
        .int(0)
        .expect("a number");
    assert!((1..=most).contains(&written), "{written} writes, at most {most}");
}

/// What somebody on the way sees when the server is said to have no TLS.
fn sent_without_tls(more: &str) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let between = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody comes");
        let mut asked = [0; 8];
        stream.read_exact(&mut asked).expect("a request");
        if asked != [0, 0, 0, 8, 4, 210, 22, 47] {
            return asked.to_vec();
        }
        stream.write_all(b"N").expect("answered");
        let mut sent = vec![0; 500];
        let length = stream.read(&mut sent).unwrap_or_default();
        sent.truncate(length);
        sent
    });
    let url = format!("postgres://somebody:s3cret@{address}/users{more}");
    let refused = Store::open(&url).and_then(|store| store.read(|db| db.query("SELECT 1", &[])));
    assert!(matches!(refused, Err(Error::Unavailable(_))));
    between.join().expect("no panic")
}

#[test]
fn without_sslmode_somebody_on_the_way_can_strip_the_tls_of_postgresql_and_check_says_so() {
    let has_name = |sent: &[u8]| sent.windows(8).any(|part| part == b"somebody");
    assert!(has_name(&sent_without_tls("")), "it goes on in clear text");
    assert!(has_name(&sent_without_tls("?sslmode=prefer")));
    assert!(!has_name(&sent_without_tls("?sslmode=require")), "it gives up");
    for (url, expected) in [
        ("postgres://u@db.example.com/x", Some("db.example.com")),
        ("postgres://u@db.example.com/x?sslmode=prefer", Some("db.example.com")),
        ("postgres://u@db.example.com/x?sslmode=disable", Some("db.example.com")),
        ("postgres://u@10.0.0.7/x", Some("10.0.0.7")),
        ("postgres://u@localhost,db.example.com/x", Some("db.example.com")),
        ("postgres://u@localhost/x?hostaddr=10.0.0.7", Some("localhost")),
        ("postgres:///x?hostaddr=10.0.0.7", Some("10.0.0.7")),
        ("postgres://u@db.example.com/x?sslmode=require", None),
        ("postgres://u@localhost/x", None),
        ("postgres://u@127.0.0.1:5432/x", None),
        ("postgres://u@[::1]/x", None),
        ("postgres://u@%2Frun%2Fpostgresql/x", None),
        ("sqlite:x.db", None),
    ] {
        assert_eq!(Store::host_without_tls(url).as_deref(), expected, "{url}");
    }
    let said = |url: &str| {
        let mut command: Command = countersign(url);
        command.env("COUNTERSIGN_MASTER_KEY", MASTER_KEY).arg("check");
        let ended = command.output().expect("it ends");
        String::from_utf8_lossy(&ended.stdout).into_owned()
    };
    let warned = said("postgres://u@192.0.2.1:1/x");
    assert!(
        warned
            .contains("! attention database  The connection to PostgreSQL on 192.0.2.1 does not require TLS"),
        "{warned}"
    );
    assert!(warned.contains("sslmode=require"), "{warned}");
    assert!(!said("postgres://u@127.0.0.1:1/x").contains("TLS"));
}
