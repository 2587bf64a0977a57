//! An export that is imported into an empty database gives the same users.

use countersign::app::attributes::Change;
use countersign::app::import::Options;
use countersign::app::{App, Caller};
use countersign::core::attribute::{Attributes, Kind, Value};
use countersign::core::user::{Login, Role};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::{choose, everybody};
use crate::server::{Place, World};

/// Texts that spreadsheets, CSV readers and this one take for something else.
fn text() -> impl Strategy<Value = String> {
    let parts = prop_oneof![
        Just("'"),
        Just("="),
        Just("+"),
        Just("-"),
        Just("@"),
        Just("\t"),
        Just("\r"),
        Just("\n"),
        Just("\""),
        Just(","),
        Just(";"),
        Just("|"),
        Just(" "),
        Just("0"),
        Just("12"),
        Just("NULL"),
        Just("\\N"),
        Just("a"),
        Just("\u{e4}"),
        Just("\u{a0}"),
        Just("\u{200b}"),
        Just("\u{1a}"),
        Just("\u{feff}"),
        Just("\u{1f600}"),
        Just("yes"),
        Just("[1]"),
        Just("＝"),
    ];
    let odd = proptest::collection::vec(parts, 1..6).prop_map(|parts| parts.concat());
    // Nothing but white space is no value.
    prop_oneof![odd, "\\PC{1,12}"].prop_map(|text| if text.trim().is_empty() { "x".into() } else { text })
}

/// A user as it is written: login, whether admin, whether disabled, attributes.
type Draft = (String, bool, bool, Vec<(&'static str, String)>);

/// Attributes with names that a reader could take for something else, and their types.
const NAMES: [(&str, &str, bool); 9] = [
    ("tags", "list", true),
    ("limit", "number", false),
    ("vip", "yes_no", false),
    ("'note", "text", false),
    ("=sum", "text", true),
    ("a,b", "text", false),
    ("a;b;c;d;e;f;g;h;i;j;k;l", "text", false),
    ("x:list", "text", false),
    ("quote\"d", "text", false),
];

fn user() -> impl Strategy<Value = Draft> {
    let number = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>()
            .prop_map(|n| { serde_json::Number::from_f64(n).map_or("2.0".into(), |n| n.to_string()) })
    ];
    let item = prop_oneof![
        text().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from)
    ];
    let list =
        proptest::collection::vec(item, 1..4).prop_map(|items| serde_json::to_string(&items).expect("JSON"));
    let texts = proptest::collection::vec(text(), 9);
    let login = prop_oneof!["[a-z]{1,6}", text()];
    (login, any::<bool>(), any::<bool>(), number, list, any::<bool>(), texts).prop_map(
        |(login, is_admin, is_disabled, number, list, vip, texts)| {
            let named = [
                "'note",
                "=sum",
                "a,b",
                NAMES[6].0,
                "x:list",
                "quote\"d",
                "display_name",
                "external_id",
                "language",
            ];
            let mut attributes: Vec<_> = named.into_iter().zip(texts).collect();
            attributes.extend([("limit", number), ("tags", list), ("vip", vip.to_string())]);
            attributes.extend([
                ("email", format!("{}@Example.com", attributes.len())),
                ("email_verified", vip.to_string()),
            ]);
            (login, is_admin, is_disabled, attributes)
        },
    )
}

fn define(app: &App) {
    for (name, kind, searchable) in NAMES {
        let change = Change { kind: Kind::parse(kind), searchable: Some(searchable), ..Change::default() };
        app.set_attribute(name, change, &Caller::cli(), |_| {}).expect(name);
    }
}

/// Writes users; what cannot be a value is left out.
fn fill(app: &App, drafts: &[Draft]) {
    define(app);
    for (login, is_admin, is_disabled, attributes) in drafts {
        let Ok(login) = Login::parse(login) else { continue };
        let role = if *is_admin { Role::Admin } else { Role::User };
        if app.add_user(&login, role, &[], &Caller::cli()).is_err() {
            continue;
        }
        for (name, text) in attributes {
            // A refusal is no matter here: two have one key, or a text is too odd for it.
            let _ = app.change_user(&login, &[((*name).to_owned(), text.clone())], &Caller::cli());
        }
        if *is_disabled {
            let _ = app.disable_user(&login, &Caller::cli());
        }
    }
}

fn exported(app: &App, is_raw: bool) -> String {
    let mut file = String::new();
    app.export_users(is_raw, |line| file.push_str(line)).expect("an export");
    file
}

/// What an import may bring back: everything of everybody but admins.
fn known(world: &World) -> Vec<(String, bool, Attributes)> {
    let users = everybody(world).into_iter().filter(|user| user.role == Role::User);
    users.map(|user| (user.login.to_string(), user.disabled, user.attributes)).collect()
}

#[test]
fn an_export_is_imported_into_an_empty_database_as_it_was() {
    let mut runner = TestRunner::new(Config { cases: 12, ..Config::default() });
    let users = proptest::collection::vec(user(), 1..12);
    let checked = runner.run(&users, |drafts| {
        let world = World::new(Place::Sqlite);
        fill(&world.app, &drafts);
        for is_raw in [false, true] {
            let file = exported(&world.app, is_raw);
            let empty = World::new(Place::Sqlite);
            let options = Options { deskpro_id: true, ..Options::default() };
            choose(&empty, file.as_bytes(), options)
                .map_err(|errors| TestCaseError::fail(format!("{errors:#?}\n{file}")))?;
            proptest::prop_assert_eq!(known(&empty), known(&world), "raw {}\n{}", is_raw, file);
            proptest::prop_assert_eq!(
                empty.app.attributes().expect("attributes"),
                world.app.attributes().expect("attributes")
            );
            // And where they are already, nothing changes.
            let options = Options { deskpro_id: true, ..Options::default() };
            let again = choose(&empty, file.as_bytes(), options).expect("no error").totals;
            proptest::prop_assert_eq!((again.added, again.changed, again.skipped), (0, 0, 0));
        }
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn an_export_has_everybody_once_while_somebody_is_renamed() {
    let world = World::new(Place::Sqlite);
    // More than are read at once.
    let file: String = (0..1001).map(|number| format!("user{number:04},{number}\n")).collect();
    super::done(&world, &format!("login,external_id\n{file}"));
    let rename = |from: &str, to: &str| {
        let login = Login::parse(from).expect("a login");
        world.app.change_user(&login, &[("login".into(), to.into())], &Caller::cli()).expect("renamed");
    };
    let mut ids = Vec::new();
    let print = |line: &str| {
        ids.push(line.split(',').nth(1).expect("a second column").to_owned());
        if ids.len() == 2 {
            rename("user0000", "zoe");
            rename("user1000", "ana");
        }
    };
    world.app.export_users(true, print).expect("an export");
    let mut expected: Vec<String> = (0..1001).map(|number| number.to_string()).collect();
    expected.sort();
    ids.remove(0);
    ids.sort();
    assert!(ids == expected, "{} lines", ids.len());
}

#[test]
fn disabled_users_stay_disabled_and_admins_are_left_out() {
    let world = World::new(Place::Sqlite);
    for (login, role) in
        [("ana", Role::User), ("ben", Role::User), ("ada", Role::Admin), ("eve", Role::Admin)]
    {
        let login = Login::parse(login).expect("a login");
        world.app.add_user(&login, role, &[], &Caller::cli()).expect("added");
    }
    for login in ["ben", "eve"] {
        world.app.disable_user(&Login::parse(login).expect("a login"), &Caller::cli()).expect("disabled");
    }
    let file = exported(&world.app, false);
    assert!(
        file.ends_with(
            "ana,,,,,,,,,,\nben,,,,,,,,,,disabled\nada,,,,,,,,,,admin\neve,,,,,,,,,,admin disabled\n"
        ),
        "{file}"
    );
    let empty = World::new(Place::Sqlite);
    let options = || Options { deskpro_id: true, ..Options::default() };
    let imported = choose(&empty, file.as_bytes(), options()).expect("no error");
    assert_eq!(imported.totals.added, 2);
    assert_eq!(known(&empty), known(&world));
    assert!(imported.notes[0].starts_with("2 rows have the state admin and were left out."), "{imported:?}");
    // Nobody who is there is disabled or enabled by a file.
    let turned = file
        .replace("ben,,,,,,,,,,disabled", "ben,,,,,,,,,,")
        .replace("ana,,,,,,,,,,", "ana,,,,,,,,,,disabled");
    choose(&empty, turned.as_bytes(), options()).expect("no error");
    assert_eq!(known(&empty), known(&world));
    let errors = choose(&empty, b"login,{state}\nana,asleep\n", options()).expect_err("no state");
    assert_eq!((errors[0].place.line, errors[0].place.column.as_deref()), (2, Some("{state}")), "{errors:?}");
}
