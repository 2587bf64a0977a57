//! What kind of file it is: separators and encodings are recognised, other kinds of files are named.

use super::{done, everybody, of, plainly};
use crate::server::{Place, World};

/// Ana of a file that has no error, and its notes.
fn read(file: &[u8]) -> (World, Vec<String>) {
    let world = World::new(Place::Sqlite);
    let imported = plainly(&world, file)
        .unwrap_or_else(|errors| panic!("{}: {errors:#?}", String::from_utf8_lossy(file)));
    assert!(imported.totals.added > 0, "{imported:?}");
    assert_eq!(
        of(&world, "ana", "email").as_deref(),
        Some("ana@example.com"),
        "{}",
        String::from_utf8_lossy(file)
    );
    (world, imported.notes)
}

#[test]
fn any_usual_separator_is_recognised_and_said_once() {
    let check = |file: &str, note: Option<&str>| {
        let (world, notes) = read(file.as_bytes());
        assert_eq!(notes.first().map(String::as_str), note, "{file}");
        assert!(notes.len() < 2, "{notes:?}");
        world
    };
    let semicolons = Some("The columns of this file are separated by semicolons. It was read that way.");
    let tabs = Some("The columns of this file are separated by tabs. It was read that way.");
    check("login,email\nana,ana@example.com\n", None);
    check("\"login\";\"email\"\n\"ana\";\"ana@example.com\"\n", semicolons);
    check("login;email\nana;ana@example.com\n\"b; b\";\n", semicolons);
    check("login\temail\nana\tana@example.com\n", tabs);
    check(
        "login|email\nana|ana@example.com\n",
        Some("The columns of this file are separated by vertical bars. It was read that way."),
    );
    check("sep=;\r\nlogin;email\r\nana;ana@example.com\r\n", semicolons);
    check("\u{feff}sep=,\r\nlogin,email\r\nana,ana@example.com\r\n", None);
    check("\"sep=\t\"\nlogin\temail\nana\tana@example.com\n", tabs);
    check(
        "SEP=^\nlogin^email\nana^ana@example.com\n",
        Some("The columns of this file are separated by '^'. It was read that way."),
    );
    let world = World::new(Place::Sqlite);
    world
        .app
        .set_attribute(
            "a;b;c;d",
            countersign::app::attributes::Change::default(),
            &super::Caller::cli(),
            |_| {},
        )
        .expect("made");
    done(&world, "login,a;b;c;d,email\nana,x;y,ana@example.com\n");
    assert_eq!(of(&world, "ana", "a;b;c;d").as_deref(), Some("x;y"), "the separator that finds the login");
    done(&world, "external_id;login\n1,5;\"ben\"\n");
    assert_eq!(of(&world, "ben", "external_id").as_deref(), Some("1,5"));
}

#[test]
fn utf_16_is_read_and_half_a_letter_is_an_error() {
    let text = "\u{feff}login\temail\tfirst_name\r\nana\tana@example.com\t\u{1f600} Ána\r\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for file in [little.clone(), big] {
        let (world, notes) = read(&file);
        assert_eq!(
            notes,
            ["This file is UTF-16. The columns of this file are separated by tabs. It was read that way."]
        );
        assert_eq!(of(&world, "ana", "first_name").as_deref(), Some("\u{1f600} Ána"));
    }
    let world = World::new(Place::Sqlite);
    // A first half with nothing behind it, and a byte too few.
    let mut halved: Vec<u16> = "\u{feff}login,x\nana,".encode_utf16().collect();
    halved.push(0xd83d);
    halved.extend("y\n".encode_utf16());
    let mut halved: Vec<u8> = halved.into_iter().flat_map(u16::to_le_bytes).collect();
    let errors = plainly(&world, &halved).expect_err("half a letter");
    assert_eq!(
        (errors.len(), errors[0].place.line, errors[0].place.column.as_deref()),
        (1, 2, Some("x")),
        "{errors:?}"
    );
    halved = [little.as_slice(), b"x"].concat();
    assert_eq!(plainly(&world, &halved).expect_err("a byte too many").len(), 1);
    let bare: Vec<u8> = "login,email\nana,\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let errors = plainly(&world, &bare).expect_err("no mark");
    assert!(errors[0].what.contains("UTF-16 without its byte-order mark"), "{errors:?}");
}

#[test]
fn a_byte_that_is_no_utf_8_is_named_with_its_line_and_column() {
    let world = World::new(Place::Sqlite);
    let errors =
        plainly(&world, b"login,first_name\nana,Ana\nben,\"B\n\xe4r\"\ncy,Cy\n").expect_err("Latin-1");
    assert_eq!(errors.len(), 1);
    assert_eq!(
        (errors[0].place.row, errors[0].place.line, errors[0].place.column.as_deref()),
        (2, 4, Some("first_name"))
    );
    assert_eq!(errors[0].what, "The byte 0xE4 ('ä' in Windows-1252) is not UTF-8. Save the file as UTF-8.");
}

#[test]
fn a_ctrl_z_ends_a_file_only_at_its_end() {
    for end in ["\u{1a}", "\r\n\u{1a}", "\r\n\u{1a}\u{1a}\0\0\r\n", "\n\u{1a}\n"] {
        let (world, notes) = read(format!("login,email\nana,ana@example.com{end}").as_bytes());
        assert_eq!((everybody(&world).len(), notes.len()), (1, 0), "{end:?}");
    }
    let world = World::new(Place::Sqlite);
    let errors = plainly(&world, b"login,email\nana\x1a,ana@example.com\nben,ben@example.com\n")
        .expect_err("a control");
    assert_eq!((errors.len(), errors[0].place.line), (1, 2), "{errors:?}");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_name_however_often_it_stands_there() {
    read("\u{feff}\u{feff}login,email\nana,ana@example.com\n".as_bytes());
}

#[test]
fn a_file_of_another_kind_is_named_in_one_sentence() {
    let world = World::new(Place::Sqlite);
    let zip = |name: &str| [b"PK\x03\x04\x14\0\0\0\0\0".as_slice(), name.as_bytes(), b"rest\0\xff"].concat();
    for (file, word) in [
        (zip("[Content_Types].xml"), "Excel workbook (.xlsx)"),
        (zip("mimetypeapplication/vnd.oasis.opendocument.spreadsheet"), "LibreOffice workbook (.ods)"),
        (zip("users.csv"), "ZIP archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), "old Excel workbook"),
        (b"\x1f\x8b\x08\0\0\0".to_vec(), "gzip"),
        (b"%PDF-1.7\n".to_vec(), "PDF"),
        (b"SQLite format 3\0".to_vec(), "SQLite"),
        (b"\xff\xfe\0\0l\0\0\0".to_vec(), "UTF-32"),
        (b"\n[{\"login\": \"ana\"}]".to_vec(), "JSON"),
        (b"{\"login\": \"ana\"}\n{\"login\": \"ben\"}\n".to_vec(), "JSON"),
        (b"<!DOCTYPE html>\n<html><body>Please sign in".to_vec(), "HTML"),
        (b"\xef\xbb\xbf  <table><tr><td>login".to_vec(), "HTML"),
        (b"<?xml version=\"1.0\"?>".to_vec(), "XML"),
        (b"-- MySQL dump 10.13\n".to_vec(), "SQL"),
        (b"BEGIN:VCARD\nVERSION:3.0\n".to_vec(), "vCard"),
    ] {
        let errors = plainly(&world, &file).expect_err(word);
        assert_eq!(
            (errors.len(), errors[0].place.row, errors[0].place.line),
            (1, 0, 1),
            "{word}: {errors:?}"
        );
        assert!(errors[0].what.starts_with("This is not a CSV file"), "{word}: {errors:?}");
        assert!(errors[0].what.contains(word), "{word}: {errors:?}");
    }
}

#[test]
fn a_cell_above_the_limit_is_named_as_one_and_hides_nothing() {
    let world = World::new(Place::Sqlite);
    let long = "x".repeat(1024 * 1024);
    for cell in [long.clone(), format!("\"{long}\""), format!("\"{}\"", "many lines\n".repeat(20_000))] {
        let file = format!("login,notes\nana,{cell}\nben,\u{7f}\nc\u{7},\n");
        let errors = plainly(&world, file.as_bytes()).expect_err("too long");
        let found: Vec<_> =
            errors.iter().map(|error| (error.place.row, error.place.column.as_deref())).collect();
        assert_eq!(found, [(1, Some("notes")), (3, Some("login"))]);
        assert!(errors[0].what.contains("the maximum is 16384 bytes"), "{}", errors[0].what);
    }
    let endless =
        format!("login,notes\nana,\"{}\nben,\n", format!("{}\n", "x".repeat(1023)).repeat(17 * 1024));
    let errors = plainly(&world, endless.as_bytes()).expect_err("no end");
    assert!(errors[0].what.contains("more than 16 MiB, or its quote is never closed"), "{:?}", errors[0]);
}
