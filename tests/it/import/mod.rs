//! Taking in a file of users: what a row means, and what is left alone. Faulty files are in `errors`.

use countersign::app::AppError;
use countersign::app::Caller;
use countersign::app::import::{Action, Imported, Options, Row, Totals};
use countersign::core::id::UserId;
use countersign::core::problem::Problem;
use countersign::core::user::{Login, Role, User};
use rstest_reuse::apply;

use crate::server::{PASSWORD, Place, World, everywhere};

mod choices;
mod dialects;
mod errors;
mod header;
mod people;
mod round_trip;

/// Takes in a file whose column `deskpro_id` is ticked or not.
fn take_in(
    world: &World,
    file: &[u8],
    deskpro_id: bool,
) -> Result<(Totals, Vec<Row>), Vec<Problem<countersign::app::import::Place>>> {
    let mut rows = Vec::new();
    let options = Options { deskpro_id, ..Options::default() };
    match world.app.import_users(file, options, &Caller::cli(), |row| rows.push(row), |_| {}) {
        Ok(imported) => Ok((imported.totals, rows)),
        Err(AppError::Import(errors)) => Err(errors),
        Err(other) => panic!("{other:?}"),
    }
}

/// Imports a file by some choices.
fn choose(
    world: &World,
    file: &[u8],
    options: Options<'_>,
) -> Result<Imported, Vec<Problem<countersign::app::import::Place>>> {
    match world.app.import_users(file, options, &Caller::cli(), |_| {}, |_| {}) {
        Ok(imported) => Ok(imported),
        Err(AppError::Import(errors)) => Err(errors),
        Err(other) => panic!("{other:?}"),
    }
}

/// The same with no choice made.
fn plainly(world: &World, file: &[u8]) -> Result<Imported, Vec<Problem<countersign::app::import::Place>>> {
    choose(world, file, Options::default())
}

/// Takes in a file without errors.
fn done(world: &World, file: &str) -> Totals {
    take_in(world, file.as_bytes(), false).unwrap_or_else(|errors| panic!("{errors:#?}")).0
}

/// Totals in the order added, changed, unchanged, skipped.
fn totals(added: usize, changed: usize, unchanged: usize) -> Totals {
    Totals { added, changed, unchanged, ..Totals::default() }
}

fn user(world: &World, login: &str) -> User {
    world.app.user(&Login::parse(login).expect("a login")).unwrap_or_else(|error| panic!("{login}: {error}"))
}

/// A user's attribute as a text.
fn of(world: &World, login: &str, name: &str) -> Option<String> {
    user(world, login).text(name)
}

fn everybody(world: &World) -> Vec<User> {
    let mut users = Vec::new();
    world.app.each_user(|user| users.push(user.clone())).expect("users");
    users
}

fn events(world: &World, event: &str) -> usize {
    let events =
        world.app.events(&countersign::app::history::Filter::default(), 1000).expect("events").expect("all");
    events.iter().filter(|entry| entry.word == event).count()
}

#[apply(everywhere)]
fn a_second_import_finds_every_row_unchanged(world: &World) {
    let file = "login,email,plan\nana,ana@example.com,gold\nBob,Bob@Example.com,\n";
    let (first, rows) = take_in(world, file.as_bytes(), false).expect("no errors");
    assert_eq!(first, totals(2, 0, 0));
    let found: Vec<_> = rows.iter().map(|row| (row.row, row.line, row.login.as_str(), row.action)).collect();
    assert_eq!(found, [(1, 2, "ana", Action::Added), (2, 3, "bob", Action::Added)]);
    let before = everybody(world);
    world.advance(60);
    assert_eq!(done(world, file), totals(0, 0, 2));
    assert_eq!(everybody(world), before, "not even the time of the change");
    assert_eq!(of(world, "bob", "email").as_deref(), Some("Bob@example.com"), "the local part as written");
    assert_eq!(events(world, "users_imported"), 2);
}

#[apply(everywhere)]
fn a_blank_cell_takes_away_and_an_absent_column_leaves_alone(world: &World) {
    done(world, "login,plan,city,email,email_verified\nana,gold,Split,ana@example.com,yes\n");
    assert_eq!(done(world, "login,plan\nana,\u{200b} \n"), totals(0, 1, 0));
    assert_eq!(of(world, "ana", "plan"), None);
    assert_eq!(of(world, "ana", "city").as_deref(), Some("Split"));
    assert_eq!(of(world, "ana", "email_verified").as_deref(), Some("true"));
    done(world, "login,email\nana,\n");
    assert_eq!(
        (of(world, "ana", "email"), of(world, "ana", "email_verified")),
        (None, None),
        "no address, no proof"
    );
}

#[apply(everywhere)]
fn changing_an_address_takes_its_proof_away_unless_the_same_file_gives_it(world: &World) {
    let check = |file: &str, email: &str, verified: Option<&str>| {
        done(world, file);
        assert_eq!(of(world, "ana", "email").as_deref(), Some(email), "{file}");
        assert_eq!(of(world, "ana", "email_verified").as_deref(), verified, "{file}");
    };
    check("login,email,email_verified\nana,a@example.com,yes\n", "a@example.com", Some("true"));
    check("login,email\nana, a@EXAMPLE.com\n", "a@example.com", Some("true"));
    check("login,email\nana,b@example.com\n", "b@example.com", None);
    // The order of the columns does not matter.
    check("login,email_verified,email\nana,TRUE,c@example.com\n", "c@example.com", Some("true"));
    check("login,email_verified,email\nana,no,d@example.com\n", "d@example.com", Some("false"));
    check("login,email_verified,email\nana,,e@example.com\n", "e@example.com", None);
    check("login,email_verified,email\nana,perhaps,e@example.com\n", "e@example.com", None);
}

#[apply(everywhere)]
fn a_row_is_recognised_by_external_id_or_login_or_address(world: &World) {
    done(world, "login,external_id,email\nana,7,ana@example.com\nbob,8,bob@example.com\n");
    let ids: Vec<UserId> = everybody(world).iter().map(|user| user.id.clone()).collect();
    assert_eq!(done(world, "external_id,login,email\n7,ann,ann@example.com\n"), totals(0, 1, 0));
    let other = take_in(world, b"login,external_id,plan\n BOB,9,gold\n", false).expect_err("another person");
    assert_eq!(other[0].code, Some("other_external_id"));
    let unproved =
        take_in(world, b"email,plan\nANN@example.com,silver\n", false).expect_err("nobody's address");
    assert_eq!(unproved[0].code, Some("address_unproved"));
    done(world, "login,email,email_verified\nann,ann@example.com,yes\n");
    assert_eq!(done(world, "email,email_verified,plan\nANN@example.com,yes,silver\n"), totals(0, 1, 0));
    assert_eq!(of(world, "ann", "plan").as_deref(), Some("silver"));
    assert_eq!(of(world, "bob", "external_id").as_deref(), Some("8"));
    assert_eq!(
        everybody(world).iter().map(|user| user.id.clone()).collect::<Vec<_>>(),
        ids,
        "the same users"
    );
    let found: Vec<String> =
        world.app.search_users("ann", 10).expect("found").iter().map(|user| user.login.to_string()).collect();
    assert_eq!(found, ["ann"], "found by the new keys, and by the new ones alone");
    assert!(world.app.search_users("ana", 10).expect("nobody").is_empty());
}

#[apply(everywhere)]
fn unknown_columns_become_texts_that_prove_nothing(world: &World) {
    done(world, "login,member number,Straße\nana,007,  2500.50 \n");
    let attributes = world.app.attributes().expect("attributes");
    for name in ["member number", "Straße"] {
        let definition = attributes.get(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(
            (definition.kind.as_str(), definition.searchable, definition.proved),
            ("text", false, false)
        );
    }
    assert_eq!(of(world, "ana", "member number").as_deref(), Some("007"));
    assert_eq!(of(world, "ana", "Straße").as_deref(), Some("  2500.50 "), "as it was written");
}

#[apply(everywhere)]
fn what_is_said_of_an_attribute_stays_and_its_type_is_kept(world: &World) {
    let change = countersign::app::attributes::Change {
        kind: countersign::core::attribute::Kind::parse("number"),
        searchable: Some(true),
        proved: Some(true),
    };
    world.app.set_attribute("limit", change, &Caller::cli(), |_| {}).expect("made");
    done(world, "login,limit\nana,2500.50\n");
    assert_eq!(of(world, "ana", "limit").as_deref(), Some("2500.5"), "a number");
    let definition = *world.app.attributes().expect("attributes").get("limit").expect("it");
    assert!(definition.searchable && definition.proved);
    let errors = take_in(world, b"login,limit\nana,much\n", false).expect_err("no number");
    assert_eq!(
        (errors[0].place.row, errors[0].place.line, errors[0].place.column.as_deref()),
        (1, 2, Some("limit"))
    );
}

#[apply(everywhere)]
fn nobody_is_made_admin_or_enabled_or_given_a_password(world: &World) {
    let ana = world.user("ana");
    world.app.disable_user(&ana, &Caller::cli()).expect("disabled");
    let boss = world.user_with("boss", Role::Admin, &[]);
    done(
        world,
        "login,role,admin,disabled,is_admin\nana,admin,yes,false,1\nboss,user,no,true,0\nnew,admin,yes,no,1\n",
    );
    assert!(user(world, "ana").disabled && user(world, "ana").role == Role::User);
    assert!(!user(world, "boss").disabled && user(world, "boss").role == Role::Admin);
    assert_eq!(user(world, "new").role, Role::User);
    assert_eq!(world.browser().sign_in("new", "").status, 401);
    assert_eq!(world.browser().sign_in("boss", PASSWORD).status, 303, "the old password is {boss}'s still");
}

#[apply(everywhere)]
fn ids_of_deskpro_s_people_are_taken_in_only_when_ticked(world: &World) {
    done(world, "login\nana\n");
    let file = b"login,deskpro_id\nana, 42\n";
    let errors = take_in(world, file, false).expect_err("not ticked");
    assert_eq!(
        (errors.len(), errors[0].place.row, errors[0].place.column.as_deref()),
        (1, 0, Some("deskpro_id"))
    );
    assert!(errors[0].what.contains("--deskpro-id"), "{}", errors[0].what);
    assert_eq!(of(world, "ana", "deskpro_id"), None);
    assert_eq!(take_in(world, file, true).expect("ticked").0, totals(0, 1, 0));
    assert_eq!(of(world, "ana", "deskpro_id").as_deref(), Some("42"));
    for id in ["042", "x", "0", "１２", "1234567890123456789", "4 2", "+4"] {
        let errors = take_in(world, format!("login,deskpro_id\nana,{id}\n").as_bytes(), true).expect_err(id);
        assert_eq!(
            (errors[0].place.row, errors[0].place.line, errors[0].place.column.as_deref()),
            (1, 2, Some("deskpro_id")),
            "{id}"
        );
    }
    take_in(world, b"login,deskpro_id\nana,\n", true).expect("taken away");
    assert_eq!(of(world, "ana", "deskpro_id"), None);
}

#[apply(everywhere)]
fn what_is_not_in_the_file_counts_towards_the_limit_of_a_user(world: &World) {
    let long = "x".repeat(16 * 1024);
    done(world, &format!("login,a,b,c\nana,{long},{long},{long}\n"));
    let errors =
        take_in(world, format!("login,d\nbob,\nana,{long}\n").as_bytes(), false).expect_err("too much");
    assert_eq!(errors.iter().map(|error| (error.place.row, error.place.line)).collect::<Vec<_>>(), [(2, 3)]);
    assert!(errors[0].what.contains("65536"), "{}", errors[0].what);
    assert_eq!(everybody(world).len(), 1);
    done(world, &format!("login,c,d\nana,,{long}\n"));
}

#[test]
fn lines_are_counted_right_behind_cells_with_several_lines() {
    let world = World::new(Place::Sqlite);
    let file = "\u{feff}login,notes\r\nana,\"one\r\ntwo\nthree\"\r\n\r\nbob,\"say \"\"hi\"\", please\"\r\n\"cy\",last";
    let (_, rows) = take_in(&world, file.as_bytes(), false).expect("no errors");
    let found: Vec<_> = rows.iter().map(|row| (row.row, row.line, row.login.as_str())).collect();
    assert_eq!(found, [(1, 2, "ana"), (2, 6, "bob"), (3, 7, "cy")]);
    assert_eq!(of(&world, "ana", "notes").as_deref(), Some("one\r\ntwo\nthree"), "as it was written");
    assert_eq!(of(&world, "bob", "notes").as_deref(), Some("say \"hi\", please"));
}

#[test]
fn progress_is_told_while_rows_are_checked_and_written() {
    let world = World::new(Place::Sqlite);
    let file: String =
        std::iter::once("login\n".to_owned()).chain((0..2000).map(|i| format!("u{i}\n"))).collect();
    let mut told = Vec::new();
    world
        .app
        .import_users(
            file.as_bytes(),
            Options::default(),
            &Caller::cli(),
            |_| {},
            |countersign::app::progress::Progress { step, done, total }| {
                told.push((step, done, total));
            },
        )
        .expect("no errors");
    assert!(told.iter().any(|(step, done, _)| *step == "checking" && *done == 500), "{told:?}");
    assert_eq!(told.last(), Some(&("writing", 2000, 2000)));
    assert!(told.is_sorted_by(|(a, m, _), (b, n, _)| a != b || m <= n), "{told:?}");
}
