//! What is chosen for an import: values that mean nothing, times that mean yes, rows set aside.

use countersign::app::import::Options;
use rstest_reuse::apply;

use super::{choose, done, everybody, of, plainly, totals};
use crate::server::{Place, World, everywhere};

/// Words as a list of choices.
fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

const OUTFILE: &str = "login,external_id,email,first_name,last_name,timezone,plan\n\
    ana,1,ana@example.com,Ana,\\N,Europe/Kyiv,gold\n\
    ben,2,ben@example.com,\\N,\\N,NULL,\\N\n";

#[apply(everywhere)]
fn values_that_look_like_nothing_are_told_and_read_as_nothing_only_by_choice(world: &World) {
    let imported = plainly(world, OUTFILE.as_bytes()).expect("no error");
    assert_eq!(of(world, "ben", "first_name").as_deref(), Some("\\N"), "not guessed");
    assert_eq!(
        imported.notes.last().map(String::as_str),
        Some(
            "Some values look like \"no value\" and were imported as they are: first_name '\\N' (1 cell); \
                 last_name '\\N' (2 cells); timezone 'NULL' (1 cell); plan '\\N' (1 cell). \
                 If they mean that, import again with --nothing 'NULL,\\N'."
        )
    );
    let options = Options { nothing: words(&["\\N", "NULL"]), ..Options::default() };
    let imported = choose(world, OUTFILE.as_bytes(), options).expect("no error");
    assert_eq!((imported.totals, imported.notes.len()), (totals(0, 2, 0), 0), "{imported:?}");
    for name in ["first_name", "last_name", "timezone", "plan"] {
        assert_eq!(of(world, "ben", name), None, "{name}");
    }
    assert_eq!(of(world, "ana", "plan").as_deref(), Some("gold"));
}

#[apply(everywhere)]
fn a_time_means_yes_by_choice(world: &World) {
    let file = "login,email,email_verified_at\nana,ana@example.com,2024-01-15 10:00:00\nben,ben@example.com,\n\
            cy,cy@example.com,0000-00-00 00:00:00\ndi,di@example.com,1705312800\nem,em@example.com,no\n";
    let options = || Options { yes_when_set: words(&["email_verified_at"]), ..Options::default() };
    choose(world, file.as_bytes(), options()).expect("no error");
    let verified = |login: &str| of(world, login, "email_verified");
    let found: Vec<_> = ["ana", "ben", "cy", "di", "em"].map(verified).into_iter().flatten().collect();
    assert_eq!(found, ["true", "false", "false", "true", "false"]);
    assert!(world.app.attributes().expect("attributes").get("email_verified_at").is_none());
    // A word that may mean nothing verifies nobody.
    let errors = choose(world, b"login,email_verified_at\nana,NULL\nben,1970-01-01 00:00:00\n", options())
        .expect_err("words");
    assert_eq!(
        errors.iter().map(|error| (error.place.line, error.place.column.as_deref())).collect::<Vec<_>>(),
        [(2, Some("email_verified_at")), (3, Some("email_verified_at"))]
    );
    assert!(errors[0].what.contains("add it to --nothing"), "{errors:?}");
    let nothing = Options { nothing: words(&["NULL"]), ..options() };
    choose(world, b"login,email_verified_at\nana,NULL\n", nothing).expect("no error");
    assert_eq!(verified("ana").as_deref(), Some("false"));
    let errors = choose(world, b"login,plan\nana,x\n", options()).expect_err("no such column");
    assert!(errors[0].what.contains("no column 'email_verified_at'"), "{errors:?}");
    let key = Options { yes_when_set: words(&["email"]), ..Options::default() };
    assert_eq!(choose(world, b"login,email\nana,x\n", key).expect_err("a key").len(), 1);
}

#[apply(everywhere)]
fn rows_with_errors_are_set_aside_by_choice_and_nothing_of_them_is_lost(world: &World) {
    let rows = "login,email,'=x,{reason}\nana,\"Ana <ana@example.com>\",'+49,old\nben,ben@example.com,=1,\n\
            cy,\"a\"b,\nd\u{e4},d@example.com,,\nem,em@example.com,a,b,c\nfi\n=1+1,g\u{200b}@example.com,'12,\nben,,,\nhe,he@example.com,,\n";
    let (before, after) = rows.split_once('\u{e4}').expect("a letter");
    let file = &[before.as_bytes(), b"\xe4", after.as_bytes()].concat();
    plainly(world, file).expect_err("all or nothing");
    assert!(everybody(world).is_empty());
    let mut aside = Vec::new();
    let options = Options { set_aside: Some(&mut aside), ..Options::default() };
    let imported = choose(world, file, options).expect("some rows");
    assert_eq!((imported.totals.added, imported.totals.set_aside), (2, 7), "{imported:?}");
    assert_eq!(everybody(world).iter().map(|user| user.login.to_string()).collect::<Vec<_>>(), ["ben", "he"]);
    assert_eq!(imported.set_aside.len(), 7, "each is told");
    let text = String::from_utf8(aside).expect("UTF-8");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 8, "{text}");
    assert_eq!(lines[0], "login,email,'=x,{reason}");
    for (line, begin) in lines[1..].iter().zip([
        "ana,Ana <ana@example.com>,'+49,\"email: 'Ana <ana@example.com>' is not an email address",
        "\"cy,\"\"a\"\"b,\",,,Text after a closing quote",
        "\"d\\xE4,d@example.com,,\",,,login: The byte 0xE4",
        "em,em@example.com,a,\"5 columns, but the header names 4.",
        "fi,,,\"1 column, but the header names 4.",
        "'=1+1,g\u{200b}@example.com,12,\"email: ",
        "ben,,,login: 'ben' is also in row 2 (line 3). Keep one row per user: remove the other.",
    ]) {
        assert!(line.starts_with(begin), "{begin}\n{line}");
    }
    // Corrected, the rows are imported as they were meant.
    let corrected =
        format!("{}\n{}\n", lines[0], lines[1].replace("Ana <ana@example.com>,'+49", "ana@example.com,'+49"));
    assert_eq!(done(world, &corrected), totals(1, 0, 0));
    assert_eq!(of(world, "ana", "=x").as_deref(), Some("+49"));
    assert!(world.app.attributes().expect("attributes").get("{reason}").is_none());
}

#[test]
fn keys_that_look_like_nothing_are_told_as_such() {
    let world = World::new(Place::Sqlite);
    let file = b"login,external_id,email\nana,NULL,ana@example.com\nben,NULL,ben@example.com\ncy,NULL,cy@example.com\n";
    let errors = plainly(&world, file).expect_err("two with one id");
    assert!(
        errors[0].what.ends_with("If it means \"no value\" in your file, import with --nothing 'NULL'."),
        "{errors:?}"
    );
    let options = Options { nothing: words(&["NULL"]), ..Options::default() };
    assert_eq!(choose(&world, file, options).expect("no error").totals, totals(3, 0, 0));
    let errors = plainly(&world, b"login,email\nnone,NULL\nNone,\n").expect_err("an address");
    assert!(errors.iter().all(|error| error.what.contains("--nothing")), "{errors:?}");
}

#[test]
fn nobody_is_given_an_apostrophe_that_a_program_wrote_for_a_spreadsheet() {
    let world = World::new(Place::Sqlite);
    let file = "external_id,login,email,phone\n'9980000000001,ana,ana@example.com,'+573000000001\n'9980000000002,ben,ben@example.com,'tis\n";
    let imported = plainly(&world, file.as_bytes()).expect("no error");
    assert_eq!(of(&world, "ana", "external_id").as_deref(), Some("9980000000001"));
    assert_eq!(of(&world, "ana", "phone").as_deref(), Some("+573000000001"));
    assert_eq!(of(&world, "ben", "phone").as_deref(), Some("'tis"));
    assert_eq!(
        imported.notes.last().map(String::as_str),
        Some(
            "An apostrophe before a number or a formula, which programs write for spreadsheets, was removed: \
             external_id (2 cells, such as '9980000000001); phone (1 cell, such as '+573000000001)."
        )
    );
}

#[test]
fn other_words_for_yes_and_no_are_listed() {
    let world = World::new(Place::Sqlite);
    let file = "login,email_verified\na,TRUE\nb,oui\nc,ja\nd,nein\ne,X\nf,ja\ng,1.0\n";
    let imported = plainly(&world, file.as_bytes()).expect("no error");
    assert!(
        imported.notes[0].starts_with("email_verified: 6 cells are neither yes nor no, so the address is not verified: '1.0' (1), 'X' (1), 'ja' (2), 'nein' (1), 'oui' (1)."),
        "{imported:?}"
    );
}
