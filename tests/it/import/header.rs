//! The names of columns: what looks like another name is asked about before anything is written.

use countersign::app::attributes::Change;
use countersign::app::import::Options;

use super::{choose, done, everybody, of, plainly, totals};
use crate::server::{Place, World};

/// The errors of a header, each with its column.
fn refused(world: &World, header: &str) -> Vec<(String, String)> {
    let errors = plainly(world, format!("{header}\n").as_bytes()).expect_err(header);
    errors
        .into_iter()
        .map(|error| {
            assert_eq!(error.place.row, 0, "{error:?}");
            (error.place.column.unwrap_or_default(), error.what)
        })
        .collect()
}

#[test]
fn a_column_that_is_probably_a_built_in_attribute_stops_the_import_before_anything_is_written() {
    let world = World::new(Place::Sqlite);
    let check = |column: &str, meant: &str| {
        let key = if meant == "login" { "external_id" } else { "login" };
        let found = refused(&world, &format!("{key},{column}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, column);
        assert!(found[0].1.contains(&format!("Did you mean '{meant}'?")), "{found:?}");
        assert!(found[0].1.contains("--new-attributes"), "{found:?}");
    };
    for (column, meant) in [
        ("user_email", "email"),
        ("mail", "email"),
        ("e-mail", "email"),
        ("Email Address", "email"),
        ("emial", "email"),
        ("username", "login"),
        ("user_login", "login"),
        ("cognito:username", "login"),
        ("ID", "external_id"),
        ("Customer ID", "external_id"),
        ("_id", "external_id"),
        ("given_name", "first_name"),
        ("First Name", "first_name"),
        ("Family Name", "last_name"),
        ("name", "display_name"),
        ("zoneinfo", "timezone"),
        ("locale", "language"),
        ("email_verified_at", "email_verified"),
    ] {
        check(column, meant);
    }
    assert!(everybody(&world).is_empty());
    // WordPress: all of it at once.
    let found = refused(&world, "ID,user_login,user_email,roles");
    assert_eq!(
        found.iter().map(|(column, _)| column.as_str()).collect::<Vec<_>>(),
        ["ID", "user_login", "user_email"]
    );
    let options = Options { new_attributes: true, ..Options::default() };
    choose(&world, b"login,user_email\nana,x\n", options).expect("allowed");
    assert_eq!(of(&world, "ana", "user_email").as_deref(), Some("x"));
    // Beside the attribute that it could be it is one of its own; and so is one that exists.
    assert_eq!(done(&world, "login,email,mail,user_email\nana,ana@example.com,y,z\n"), totals(0, 1, 0));
    for column in ["plan", "phone", "company", "Tags", "plan1", "plan2", "roles", "created_at"] {
        plainly(&world, format!("login,{column}\n").as_bytes())
            .unwrap_or_else(|errors| panic!("{column}: {errors:?}"));
    }
    done(&world, "login,company\nana,\n");
    let found = refused(&world, "login,compny");
    assert!(found[0].1.contains("Did you mean 'company'?"), "{found:?}");
}

#[test]
fn white_space_around_a_name_is_no_part_of_it() {
    let world = World::new(Place::Sqlite);
    assert_eq!(
        done(&world, "login\u{a0},\u{2003}email , first_name\u{3000}\nana,ana@example.com,Ana\n"),
        totals(1, 0, 0)
    );
    assert_eq!(of(&world, "ana", "first_name").as_deref(), Some("Ana"));
}

#[test]
fn a_name_with_what_nobody_sees_is_refused_with_its_code_and_the_name_that_is_meant() {
    let world = World::new(Place::Sqlite);
    done(&world, "login,L\u{e4}ndercode,member number\nana,DE,7\n");
    let check = |column: &str, words: &[&str]| {
        let found = refused(&world, &format!("login,{column}"));
        assert_eq!(found.len(), 1, "{found:?}");
        for word in words {
            assert!(found[0].1.contains(word), "{word}: {found:?}");
        }
        found[0].0.clone()
    };
    assert_eq!(check("email\u{200b}", &["U+200B", "Character 6 of the name", "'email'"]), "email[U+200B]");
    assert_eq!(check("e\u{ad}mail", &["U+00AD", "Character 2 of the name", "'email'"]), "e[U+00AD]mail");
    check("La\u{308}ndercode", &["U+0308", "NFC", "'L\u{e4}ndercode'"]);
    check("Cafe\u{301}", &["U+0301", "'Caf\u{e9}'"]);
    check("member\u{a0}number", &["U+00A0", "'member number'"]);
    check("member  number", &["'member number'", "looks the same"]);
    check("pl\u{2060}an", &["U+2060", "Character 3 of the name"]);
    let found = refused(&world, "login,plan,pl\u{200b}an");
    assert!(found[0].1.contains("columns 2 and 3"), "{found:?}");
    assert_eq!(everybody(&world).len(), 1);
}

#[test]
fn a_type_that_differs_from_the_attribute_s_is_an_error() {
    let world = World::new(Place::Sqlite);
    let change = Change { kind: countersign::core::attribute::Kind::parse("number"), ..Change::default() };
    world.app.set_attribute("limit", change, &super::Caller::cli(), |_| {}).expect("made");
    let found = refused(&world, "login,limit{list}");
    assert!(found[0].1.contains("type number in Countersign and list in the file"), "{found:?}");
    done(&world, "login,limit{number},tags{list searchable}\nana,1,\"[\"\"x\"\"]\"\n");
    let tags = *world.app.attributes().expect("attributes").get("tags").expect("made");
    assert_eq!((tags.kind.as_str(), tags.searchable, tags.proved), ("list", true, false));
    assert_eq!(refused(&world, "login,odd{kind}").len(), 1);
}
