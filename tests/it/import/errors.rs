//! Files with errors: each is named by row and line, all at once, and nothing is left of the file.

use rstest_reuse::apply;

use super::{done, events, everybody, take_in, totals};
use crate::server::{Place, World, everywhere};

/// The columns of the file below.
const HEADER: &str =
    "login,email,external_id,plan,plan,PLAN,,password_hash,api token,Company,deskpro_id,{x},badge,a,b,c,d";

/// A row of that file: cells by their column, the others blank.
fn row(cells: &[(&str, &str)]) -> Vec<u8> {
    let cells: Vec<String> = HEADER
        .split(',')
        .map(|column| {
            cells
                .iter()
                .find(|(name, _)| *name == column)
                .map_or(String::new(), |(_, text)| (*text).to_owned())
        })
        .collect();
    format!("{}\n", cells.join(",")).into_bytes()
}

/// A row with bytes put before its line end.
fn ending(cells: &[(&str, &str)], end: &[u8]) -> Vec<u8> {
    let mut row = row(cells);
    row.pop();
    [row.as_slice(), end, b"\n"].concat()
}

/// A file as it grows, with the errors that must be found.
struct Planted {
    file: Vec<u8>,
    rows: usize,
    errors: Vec<(usize, usize, Option<&'static str>, &'static str)>,
}

impl Planted {
    fn line(&self) -> usize {
        self.file.split(|byte| *byte == b'\n').count()
    }

    fn good(&mut self, row: &[u8]) {
        self.file.extend_from_slice(row);
        self.rows += 1;
    }

    /// A row in which a column is named, or none, with a word of the message.
    fn bad(&mut self, row: &[u8], column: Option<&'static str>, word: &'static str) {
        self.errors.push((self.rows + 1, self.line(), column, word));
        self.good(row);
    }
}

/// A file with eight errors in its header and twenty-three in its rows.
fn planted() -> Planted {
    let mut file = Planted { file: format!("{HEADER}\n").into_bytes(), rows: 0, errors: Vec::new() };
    for (column, word) in [
        ("plan", "columns 4 and 5"),
        ("PLAN", "columns 4 and 6"),
        ("column 7", "has no name"),
        ("password_hash", "secrets"),
        ("api token", "secrets"),
        ("Company", "'company'"),
        ("deskpro_id", "--deskpro-id"),
        ("{x}", "{"),
    ] {
        file.errors.push((0, 1, Some(column), word));
    }
    file.good(&row(&[("login", "ana")]));
    file.bad(&ending(&[("login", "b1")], b"\xff\xfe"), Some("d"), "UTF-8");
    file.bad(&ending(&[("login", "b2")], b"x\0y"), Some("d"), "NUL");
    file.bad(&row(&[("login", "b3"), ("a", "12\" records")]), None, "quote inside");
    file.bad(&row(&[("login", "b4"), ("a", "\"gold\" plan")]), None, "Text after a closing quote");
    file.bad(&row(&[("login", "b5"), ("a", "\"gold")]), None, "closes on line");
    file.good(&row(&[("login", "good"), ("a", "\"two\nlines\"")]));
    file.bad(&ending(&[("login", "b6")], b",one,more"), None, "19 columns, but the header names 17");
    file.bad(b"b7,b7@example.com\n", None, "2 columns");
    file.bad(&row(&[("login", " ANA")]), Some("login"), "row 1 (line 2)");
    file.good(&row(&[("login", "\u{e1}gnes")]));
    file.bad(&row(&[("login", "A\u{301}gnes")]), Some("login"), "row 11");
    file.good(&row(&[("login", "c1"), ("email", "twin@example.com")]));
    file.bad(&row(&[("login", "c2"), ("email", "Twin@EXAMPLE.com")]), Some("email"), "row 13 (line 15)");
    file.good(&row(&[("login", "c3"), ("external_id", "X1")]));
    file.bad(&row(&[("login", "c4"), ("external_id", " X1 ")]), Some("external_id"), "row 15 (line 17)");
    file.bad(
        &row(&[("login", "c5"), ("email", "ana.example.com")]),
        Some("email"),
        "'ana.example.com' is not an email",
    );
    file.bad(&row(&[("login", "c\u{7}6")]), Some("login"), "control");
    file.bad(&row(&[("plan", "gold")]), Some("login"), "needs a login");
    file.bad(&row(&[("login", "c7"), ("a", &"x".repeat(16 * 1024 + 1))]), Some("a"), "16384");
    let long = "x".repeat(15_000);
    let much = [("login", "c8"), ("a", &long), ("b", &long), ("c", &long), ("d", &long), ("badge", &long)];
    file.bad(&row(&much), None, "65536");
    file.bad(
        &row(&[("login", "sam"), ("email", "eve@example.com")]),
        Some("email"),
        "'sam', external_id 'S1'",
    );
    file.bad(
        &row(&[("login", "c9"), ("badge", "$2b$12$abcdefghijklmnopqrstuv")]),
        Some("badge"),
        "stored password",
    );
    file.bad(&row(&[("login", "d1"), ("a", "gold\rsilver")]), None, "only CR");
    file.good(&row(&[("external_id", "S1")]));
    // The row before takes the address away from its user.
    file.bad(&row(&[("email", "sam@example.com")]), Some("login"), "needs a login");
    file.bad(&row(&[("login", &"x".repeat(201))]), Some("login"), "200");
    file.bad(&row(&[("login", "d3"), ("external_id", &"x".repeat(201))]), Some("external_id"), "200");
    // Nothing behind it closes it.
    file.bad(&row(&[("login", "d2"), ("a", "\"gold")]), None, "never closed");
    file.good(&row(&[("login", "zoe")]));
    file
}

#[apply(everywhere)]
fn a_file_with_31_errors_names_each_by_row_and_line_and_leaves_nothing(world: &World) {
    done(world, "login,email,external_id,company\nsam,sam@example.com,S1,A\neve,eve@example.com,E1,B\n");
    let (users, attributes) = (everybody(world), world.app.attributes().expect("attributes"));
    let planted = planted();
    let errors = take_in(world, &planted.file, false).expect_err("errors");
    let found: Vec<_> = errors
        .iter()
        .map(|error| (error.place.row, error.place.line, error.place.column.as_deref()))
        .collect();
    let expected: Vec<_> =
        planted.errors.iter().map(|(row, line, column, _)| (*row, *line, *column)).collect();
    assert_eq!(found, expected, "{errors:#?}");
    assert_eq!(found.len(), 31);
    for (error, (.., word)) in errors.iter().zip(&planted.errors) {
        assert!(error.what.contains(word), "{word}: {error:?}");
        assert!(error.what.ends_with('.'), "a sentence: {error:?}");
    }
    assert_eq!(everybody(world), users);
    assert_eq!(world.app.attributes().expect("attributes"), attributes);
    assert_eq!(events(world, "users_imported"), 1, "the first file alone");
}

/// The only error of a file.
fn only(file: &[u8]) -> (usize, usize, String) {
    let world = World::new(Place::Sqlite);
    let errors = take_in(&world, file, false).expect_err("an error");
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(everybody(&world).is_empty());
    (errors[0].place.row, errors[0].place.line, errors[0].what.clone())
}

#[test]
fn a_file_that_cannot_be_read_at_all_says_how_to_save_it() {
    for (file, word) in [
        (b"".as_slice(), "empty"),
        (b"\xef\xbb\xbf\n\n", "empty"),
        (b"login,plan\rana,gold\rbob,\r", "only CR"),
        (b"city;plan\nana;Split\n", "names no column 'login'"),
        (b"lo\xffgin\nana\n", "UTF-8"),
    ] {
        let (row, line, message) = only(file);
        assert_eq!((row, message.contains(word)), (0, true), "{word}: {message}");
        assert!(line == 1, "{word}: {line}");
    }
}

#[test]
fn a_quote_that_is_never_closed_hides_nothing_behind_it() {
    let world = World::new(Place::Sqlite);
    let file = "login,email\nana,\"ana@example.com\nbob,bob\ncy,\"cy@example.com\"\ndan,dan\n";
    let errors = take_in(&world, file.as_bytes(), false).expect_err("errors");
    let found: Vec<_> = errors.iter().map(|error| (error.place.row, error.place.line)).collect();
    assert_eq!(found, [(1, 2), (2, 3), (4, 5)], "{errors:#?}");
}

#[test]
fn a_cause_that_repeats_is_told_a_few_times_and_hides_no_other() {
    let world = World::new(Place::Sqlite);
    let many = "nobody,nobody\n".repeat(2000);
    let file = format!("login,email\n{many}x\u{7},x@example.com\n{many}");
    let errors = take_in(&world, file.as_bytes(), false).expect_err("errors");
    // Addresses, and logins that stand there twice.
    assert_eq!(errors.len(), 5 + 5 + 1, "{errors:#?}");
    let last = errors.last().expect("one");
    assert_eq!((last.place.row, last.place.line, last.place.column.as_deref()), (2001, 2002, Some("login")));
    let counted: Vec<&str> =
        errors.iter().filter_map(|error| error.what.split_once(" … and ").map(|(_, more)| more)).collect();
    assert_eq!(
        counted,
        [
            "3995 more rows have the same error: lines 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 and others.",
            "3994 more rows have the same error: lines 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 and others.",
        ]
    );
}

#[test]
fn a_file_without_logins_says_so_once() {
    let world = World::new(Place::Sqlite);
    let file: String = (0..1000).map(|i| format!("{i},u{i}@example.com\n")).collect();
    let errors =
        take_in(&world, format!("external_id,email\n{file}").as_bytes(), false).expect_err("no logins");
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0].what.starts_with("The file has no column 'login'"), "{errors:?}");
    assert!(errors[0].what.contains("and 999 more rows"), "{errors:?}");
}

#[test]
fn rows_of_nothing_are_no_rows() {
    let world = World::new(Place::Sqlite);
    let blank_tail = format!("login,email\nana,ana@example.com\n{}", ",\n".repeat(1200));
    assert_eq!(done(&world, &blank_tail), totals(1, 0, 0));
    assert_eq!(
        done(&world, "login,email,plan\nana,ana@example.com,gold\n,,\n \u{a0},,\u{200b}\n\"\",,\n,,,,,\n"),
        totals(0, 1, 0)
    );
    // A separator at the end of every row, and one at the end of the header.
    assert_eq!(done(&world, "login,email\nana,ana@example.com,\nben,ben@example.com, ,\n"), totals(1, 0, 1));
    assert_eq!(
        done(&world, "login,email,,\nana,ana@example.com,,\nben,ben@example.com,,\n"),
        totals(0, 0, 2)
    );
    let errors = take_in(&world, b"login,email,\nana,ana@example.com,gold\n", false).expect_err("a value");
    assert_eq!(
        (errors[0].place.line, errors[0].place.column.as_deref()),
        (2, Some("column 3")),
        "{errors:?}"
    );
    assert!(errors[0].what.contains("no name in the header"), "{errors:?}");
}

#[test]
fn an_odd_address_is_told_by_its_character_and_place() {
    let world = World::new(Place::Sqlite);
    let check = |address: &str, word: &str| {
        let cell = address.replace('"', "\"\"");
        let errors =
            take_in(&world, format!("login,email\nana,\"{cell}\"\n").as_bytes(), false).expect_err(address);
        assert_eq!(
            (errors.len(), errors[0].place.line, errors[0].place.column.as_deref()),
            (1, 2, Some("email"))
        );
        assert!(errors[0].what.contains(word), "{word}: {}", errors[0].what);
    };
    check("Ana <ana@example.com>", "Character 5 is '<' (U+003C)");
    check("mailto:ana2@example.com", "starts with 'mailto:'");
    check("ana3@example.com.", "Character 17 is a dot (U+002E)");
    check("\u{200b}ana5@example.com", "'[U+200B]ana5@example.com' is not an email address");
    check("\u{200b}ana5@example.com", "Character 1 is U+200B, which cannot be seen");
    check("ana\u{ad}@example.com", "Character 4 is U+00AD");
    check("ana\u{a0}b@example.com", "Character 4 is U+00A0");
    check("try..this@phones.example", "Character 5 is a dot (U+002E)");
    check("xyz.@phones.example", "Character 4 is a dot (U+002E)");
    check(".xyz@phones.example", "Character 1 is a dot (U+002E)");
    check("\"xyz.\"@phones.example", "Character 1 is '\"' (U+0022)");
    check("jos\u{e9}@example.com", "Character 4 is '\u{e9}' (U+00E9)");
    check("ana soto@example.com", "Character 4 is ' ' (U+0020)");
    check("ana@example.com, ben@example.com", "more than one @");
    check("ana\u{ff20}example.com", "U+FF20");
    check("ana.example.com", "no @");
    check("ana@", "nothing after the @");
    check("@example.com", "nothing before the @");
    check("ana@localhost", "has no dot");
    check("ana@ex_ample.com", "Character 7 is '_' (U+005F)");
    check("ana@example..com", "Character 13 is a dot (U+002E)");
    check("ana@-example.com", "not a domain name");
    check(&format!("{}@example.com", "x".repeat(65)), "more than 64");
    check(&format!("ana@{}.com", "x.".repeat(130)), "");
    // What is odd to the eye and right all the same. UTS #46 takes what cannot be seen out of a domain.
    done(&world, "login,email\nana,ana6@example.com\u{200b}\n");
    assert_eq!(super::of(&world, "ana", "email").as_deref(), Some("ana6@example.com"));
    done(
        &world,
        "login,email\na,\"ana4@example.com\u{a0}\"\nb,ana@b\u{fc}cher.example\nc,ana+shop@example.com\nd,o'hara@example.com\n",
    );
}

#[test]
fn a_header_alone_is_no_error() {
    let world = World::new(Place::Sqlite);
    assert_eq!(done(&world, "login,plan\n"), totals(0, 0, 0));
}

#[test]
fn columns_of_hashes_and_secrets_are_refused_by_name_and_by_value() {
    for name in [
        "password",
        "Passwort_Hash",
        "ＰＡＳＳＷＯＲＤ",
        "apiKey",
        "reset token",
        "otp",
        "sessionTokens",
        "pwd",
        "user_pass",
        "credentials",
    ] {
        let (row, line, message) = only(format!("login,{name}\nana,x\n").as_bytes());
        assert_eq!((row, line, message.contains("secrets")), (0, 1, true), "{name}: {message}");
    }
    for value in [
        "$2a$10$x",
        "$2y$x",
        "$argon2id$v=19$",
        "$scrypt$x",
        "$P$Bx",
        "$wp$x",
        "$5$x",
        "$6$x",
        "pbkdf2_sha256$x",
        "{SSHA}x",
        " $2b$x",
    ] {
        let (row, line, message) = only(format!("login,badge\nana,ok\nbob,{value}\n").as_bytes());
        assert_eq!((row, line, message.contains("stored password")), (2, 3, true), "{value}: {message}");
    }
    let (row, line, _) = only(b"login,badge\nana,$2y$one\nbob,$2y$two\ncy,$2y$three\n");
    assert_eq!((row, line), (1, 2), "a column is named once");
}
