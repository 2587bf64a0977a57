//! What single steps cost: signing, applying a mapping, checking a password, reading a session. Criterion compares each
//! with its last run.
//!
//! `cargo bench --bench steps`

use std::hint::black_box;
use std::sync::Arc;

use countersign::app::login::{Browser, Guess};
use countersign::app::sessions::Use;
use countersign::app::{App, Caller};
use countersign::config::{self, Source};
use countersign::core::attribute::{Attributes, Definition, Definitions, Value};
use countersign::core::mapping::{self, BlockList, Mapping, Signing, Subject};
use countersign::core::password::{self, Memory, Password};
use countersign::core::payload::Payload;
use countersign::core::secret::{Encoding, SigningKey};
use countersign::core::token::{self, Prepared, Times};
use countersign::core::user::{Login, Role};
use criterion::{Criterion, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const KEY: &str = "a key of the benchmarks, long enough";
const WORDS: &str = "a load of four words";

/// Ten rules over nine claims.
const MAPPING: &str = include_str!("mapping.json");

const ATTRIBUTES: [(&str, &str); 8] = [
    ("email", "ana@example.com"),
    ("display_name", "Ana Kovač"),
    ("first_name", "Ana"),
    ("last_name", "Kovač"),
    ("timezone", "Europe/Zagreb"),
    ("language", "en"),
    ("plan", "gold"),
    ("member_since", "2021-04-17"),
];

fn payload(mapping: &Mapping, attributes: &Attributes) -> Payload {
    let mut definitions = Definitions::new();
    for name in ["plan", "member_since"] {
        definitions.define(name, Definition::default()).expect("a name");
    }
    let blocked = BlockList::default();
    let signing =
        Signing { verified_only: true, blocked: &blocked, attributes: &definitions, iat: true, exp: true };
    mapping::payload(mapping, &Subject { attributes, disabled: false }, &signing).expect("a payload")
}

fn attributes() -> Attributes {
    let mut attributes = Attributes::default();
    for (name, value) in ATTRIBUTES {
        attributes.set(name, Value::Text(value.to_owned()));
    }
    attributes.set("email_verified", Value::YesNo(true));
    attributes
}

fn tokens(criterion: &mut Criterion) {
    let key = SigningKey::parse(KEY, Encoding::Raw, false).expect("a key");
    let (mapping, attributes) = (Mapping::published(MAPPING).expect("a mapping"), attributes());
    let payload = payload(&mapping, &attributes);
    let prepared = Prepared::new(&payload, &key);
    let (times, _) = Times::at(1_800_000_000, 600, None, true, true);
    let signed = token::sign(&payload, &times, &key);
    let message = signed.rsplit_once('.').expect("three parts").0.to_owned();
    let mut group = criterion.benchmark_group("token");
    group.bench_function("HMAC over the same bytes", |bench| {
        bench.iter(|| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).expect("any key");
            mac.update(black_box(message.as_bytes()));
            mac.finalize()
        });
    });
    group.bench_function("of a remembered payload", |bench| bench.iter(|| prepared.sign(black_box(&times))));
    group.bench_function("jsonwebtoken, of a payload", |bench| {
        bench.iter(|| token::sign(black_box(&payload), &times, &key));
    });
    group.bench_function("jsonwebtoken, mapping read from its text", |bench| {
        bench.iter(|| {
            let mapping = Mapping::published(black_box(MAPPING)).expect("a mapping");
            token::sign(&self::payload(&mapping, &attributes), &times, &key)
        });
    });
    group.finish();
}

fn mappings(criterion: &mut Criterion) {
    let (mapping, attributes) = (Mapping::published(MAPPING).expect("a mapping"), attributes());
    let mut group = criterion.benchmark_group("mapping");
    group.bench_function("read and checked", |bench| bench.iter(|| Mapping::published(black_box(MAPPING))));
    group.bench_function("applied to a user", |bench| {
        bench.iter(|| payload(black_box(&mapping), &attributes));
    });
    group.finish();
}

fn passwords(criterion: &mut Criterion) {
    let password = Password::new(WORDS);
    let mut memory = Memory::default();
    let mut group = criterion.benchmark_group("password");
    group.sample_size(20);
    group.bench_function("hashed", |bench| {
        bench.iter(|| password::hash(black_box(&password), [7; 16], &mut memory));
    });
    group.finish();
}

fn sessions(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("bench.db").display());
    let source = Source::default().with("database_url", &url).with("signing_key", KEY);
    let settings = config::check(&source).expect("settings");
    let app = App::open(settings, Arc::new(|| 1_800_000_000)).expect("the product opens");
    let (login, caller) = (Login::parse("ana").expect("a login"), Caller::cli());
    app.add_user(&login, Role::User, &[], &caller).expect("added");
    app.set_password(&login, WORDS, &caller).expect("set");
    let Guess::Right(reference) =
        app.log_in("ana", WORDS, "192.0.2.1", &Browser::default(), &caller).expect("it is checked")
    else {
        panic!("the password is right")
    };
    let mut group = criterion.benchmark_group("store");
    group.bench_function("session and user, SQLite", |bench| {
        bench.iter(|| app.session(black_box(&reference), Use::Website));
    });
    group.finish();
}

criterion_group!(steps, tokens, mappings, passwords, sessions);
criterion_main!(steps);
