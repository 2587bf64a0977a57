//! Which user a row means, on how things stand after the whole file; the same rule as the API's.

use countersign::app::Caller;
use countersign::app::import::Options;
use countersign::core::user::{Login, Role};
use rstest_reuse::apply;

use super::{choose, done, of, take_in, totals};
use crate::server::{World, everywhere};

const HEADER: &str = "external_id,login,email,email_verified\n";

/// The code of the only error of a file.
fn refused(world: &crate::server::World, rows: &str) -> Option<&'static str> {
    let errors = take_in(world, format!("{HEADER}{rows}").as_bytes(), false).expect_err("it is refused");
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].code
}

#[apply(everywhere)]
fn a_recycled_login_or_address_is_another_person(world: &World) {
    done(world, &format!("{HEADER}1041,jdoe,john@example.com,yes\n"));
    assert_eq!(refused(world, "2290,jdoe,jane@example.com,yes\n"), Some("other_external_id"));
    assert_eq!(refused(world, "2290,jane,john@example.com,yes\n"), Some("other_external_id"));
    assert_eq!(of(world, "jdoe", "external_id").as_deref(), Some("1041"));
}

#[apply(everywhere)]
fn an_address_that_nobody_proved_joins_nothing(world: &World) {
    world.user("ana");
    assert_eq!(refused(world, "shop-666,thief,ana@example.com,\n"), Some("address_taken"));
    assert_eq!(refused(world, "shop-666,ana,other@example.com,yes\n"), Some("not_proved_same"));
    let adopted = done(world, &format!("{HEADER}shop-1,ana,ana@example.com,yes\n"));
    assert_eq!((adopted.adopted, adopted.added), (1, 0));
    assert_eq!(of(world, "ana", "external_id").as_deref(), Some("shop-1"));
}

#[apply(everywhere)]
fn logins_are_the_same_people_by_choice(world: &World) {
    world.user("ana");
    let file = b"external_id,login\n7,ana\n";
    assert_eq!(take_in(world, file, false).expect_err("not proved")[0].code, Some("not_proved_same"));
    let options = Options { same_logins: true, ..Options::default() };
    assert_eq!(choose(world, file, options).expect("imported").totals.adopted, 1);
}

#[apply(everywhere)]
fn keys_move_between_the_rows_of_one_file(world: &World) {
    done(
        world,
        &format!("{HEADER}1,ana,ana@example.com,yes\n2,bob,bob@example.com,yes\n3,cem,cem@example.com,yes\n"),
    );
    // A ring of logins, a swap of addresses, and a new user with a login that is given up.
    let moved = format!(
        "{HEADER}1,bob,bob@example.com,yes\n2,cem,ana@example.com,yes\n3,dan,cem@example.com,yes\n4,ana,new@example.com,yes\n"
    );
    assert_eq!(done(world, &moved), totals(1, 3, 0));
    let whose = |login: &str| (of(world, login, "external_id"), of(world, login, "email"));
    let is = |id: &str, email: &str| (Some(id.to_owned()), Some(email.to_owned()));
    assert_eq!(whose("bob"), is("1", "bob@example.com"));
    assert_eq!(whose("cem"), is("2", "ana@example.com"));
    assert_eq!(whose("dan"), is("3", "cem@example.com"));
    assert_eq!(whose("ana"), is("4", "new@example.com"));
    // Without external ids the login is the key, and addresses move all the same.
    done(world, "login,email,email_verified\nkim,kim@example.com,yes\nlee,lee@example.com,yes\n");
    let swapped = done(
        world,
        "login,email,email_verified\nkim,lee@example.com,yes\nlee,kim@example.com,yes\nzoe,new@example.org,yes\n",
    );
    assert_eq!((swapped.added, swapped.changed), (1, 2));
    assert_eq!(of(world, "kim", "email").as_deref(), Some("lee@example.com"));
}

#[apply(everywhere)]
fn a_record_without_the_strong_key_takes_no_key_away_and_gives_no_other_address(world: &World) {
    done(world, &format!("{HEADER}1,ana,ana@example.com,yes\n"));
    let other = take_in(world, b"login,email,email_verified\nana,other@example.com,yes\n", false)
        .expect_err("refused");
    assert!(other.iter().any(|error| error.code == Some("needs_external_id")), "{other:?}");
    done(world, "external_id,login,plan\n,ana,gold\n");
    assert_eq!(of(world, "ana", "external_id").as_deref(), Some("1"));
    // A proof belongs to the address that comes with it, and other capitals are no other address.
    done(world, "login,email,email_verified\ntom,ceo@example.com,no\n");
    done(world, "login,email_verified\ntom,yes\n");
    assert_eq!(of(world, "tom", "email_verified").as_deref(), Some("false"));
    done(world, "external_id,login,email\n1,ana,ANA@example.com\n");
    assert_eq!(of(world, "ana", "email_verified").as_deref(), Some("true"));
}

#[apply(everywhere)]
fn a_row_that_waits_for_an_admin_s_row_is_told_so(world: &World) {
    world.user_with("root", Role::Admin, &[("email", "root@example.com"), ("email_verified", "yes")]);
    done(world, &format!("{HEADER}1,a,a@example.com,yes\n"));
    for file in [
        ",mallory,a@example.com,yes\n1,a,root@example.com,yes\n",
        "1,a,root@example.com,yes\n,mallory,a@example.com,yes\n",
    ] {
        let errors = take_in(world, format!("{HEADER}{file}").as_bytes(), false).expect_err("refused");
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].code, Some("names_another"));
    }
}

#[apply(everywhere)]
fn an_unverified_address_gives_way_to_a_proved_one(world: &World) {
    done(world, &format!("{HEADER}1,squatter,ana@example.com,no\n"));
    assert_eq!(done(world, &format!("{HEADER}2,ana,ana@example.com,yes\n")), totals(1, 0, 0));
    assert_eq!(
        (of(world, "squatter", "email"), of(world, "ana", "email").as_deref()),
        (None, Some("ana@example.com"))
    );
}

#[apply(everywhere)]
fn no_row_changes_an_admin_or_takes_what_an_admin_gives_up(world: &World) {
    world.user_with(
        "boss",
        Role::Admin,
        &[("external_id", "9"), ("email", "boss@example.com"), ("email_verified", "yes")],
    );
    for file in [
        format!("{HEADER}9,other,other@example.com,yes\n13,boss,new@example.com,yes\n"),
        "login,email,email_verified\nboss,new@example.com,yes\nthief,boss@example.com,yes\n".to_owned(),
        format!("{HEADER}9,boss,boss@example.com,yes\n"),
    ] {
        let before = super::user(world, "boss");
        let imported =
            choose(world, file.as_bytes(), Options::default()).expect("the other rows are imported");
        assert_eq!(imported.totals.added + imported.totals.changed, 0, "{file}");
        assert!(imported.notes.iter().any(|note| note.contains("admins")), "{:?}", imported.notes);
        assert_eq!(super::user(world, "boss"), before);
    }
}

#[apply(everywhere)]
fn an_account_that_is_gone_does_not_come_back_and_frees_its_names(world: &World) {
    done(world, &format!("{HEADER}1,ana,ana@example.com,yes\n"));
    world.app.user_gone(&Login::parse("ana").expect("a login"), &Caller::cli()).expect("gone");
    assert_eq!(refused(world, "1,ana,ana@example.com,yes\n"), Some("gone"));
    assert_eq!(done(world, &format!("{HEADER}2,ana,ana@example.com,yes\n")), totals(1, 0, 0));
}

#[apply(everywhere)]
fn an_account_that_is_gone_is_exported_and_stays_gone(world: &World) {
    done(world, &format!("{HEADER}1,ana,ana@example.com,yes\n2,bob,bob@example.com,yes\n"));
    world.app.user_gone(&Login::parse("ana").expect("a login"), &Caller::cli()).expect("gone");
    let mut file = String::new();
    world.app.export_users(false, |line| file.push_str(line)).expect("an export");
    let import = |world: &crate::server::World| {
        let options = Options { deskpro_id: true, ..Options::default() };
        choose(world, file.as_bytes(), options).expect("imported").totals
    };
    assert_eq!(import(world), totals(0, 0, 2));
    let elsewhere = crate::server::World::new(crate::server::Place::Sqlite);
    assert_eq!(import(&elsewhere), totals(2, 0, 0));
    assert_eq!(refused(&elsewhere, "1,ana,ana@example.com,yes\n"), Some("gone"));
}

#[apply(everywhere)]
fn a_row_that_is_left_out_takes_nothing_from_anybody(world: &World) {
    let with_id =
        |file: &str| choose(world, file.as_bytes(), Options { deskpro_id: true, ..Options::default() });
    with_id("external_id,login,email,email_verified,deskpro_id\n1,ana,ana@example.com,no,7\n2,bob,bob@example.com,yes,8\n").expect("imported");
    let errors = with_id("external_id,login,email,email_verified,deskpro_id\n3,new,ana@example.com,yes,8\n")
        .expect_err("somebody else's person");
    assert_eq!(errors[0].code, Some("deskpro_id_taken"));
    assert_eq!(of(world, "ana", "email").as_deref(), Some("ana@example.com"));
}

#[apply(everywhere)]
fn a_disabled_user_of_a_file_is_judged_by_the_user_it_means(world: &World) {
    done(world, "login,email,email_verified\na,a@example.com,yes\nb,b@example.com,yes\n");
    let errors = take_in(world, b"login,email,email_verified,{state}\nb,a@example.com,yes,disabled\n", false)
        .expect_err("taken");
    assert_eq!(errors[0].code, Some("address_taken"));
    assert_eq!(
        done(world, "login,email,email_verified,{state}\nc,a@example.com,yes,disabled\n"),
        totals(1, 0, 0)
    );
}

#[apply(everywhere)]
fn a_prefix_keeps_the_ids_of_two_shops_apart(world: &World) {
    done(world, &format!("{HEADER}7,ana,ana@example.com,yes\n"));
    let options = Options { prefix: "b-".into(), email_verified: true, ..Options::default() };
    choose(world, b"external_id,login,email\n7,bob,bob@example.com\n", options).expect("imported");
    assert_eq!(of(world, "bob", "external_id").as_deref(), Some("b-7"));
    assert_eq!(of(world, "bob", "email_verified").as_deref(), Some("true"));
}
