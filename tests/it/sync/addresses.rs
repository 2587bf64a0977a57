//! Addresses that move between users, or that several of them have.

use countersign::app::Caller;
use countersign::core::sync::{PersonState, RunState};
use countersign::core::user::Role;
use rstest_reuse::apply;

use super::Synced;
use crate::server::{Place, every_place};

#[apply(every_place)]
fn an_address_that_moves_waits_for_its_holder_and_an_exchange_is_shown(place: Place) {
    let synced = Synced::new(place);
    let world = &synced.world;
    for login in ["ana", "ben", "cleo", "dan"] {
        world.user(login);
    }
    synced.run();
    let id = |login: &str| synced.row(login).deskpro_id.expect("a person");
    let (ana, ben, cleo, dan) = (id("ana"), id("ben"), id("cleo"), id("dan"));
    // Paused, so that all changes are seen at once, and the one who waits comes first.
    world.app.pause_desk(&synced.desk, true, &Caller::cli()).expect("paused");
    synced.change("ben", "email", "ben2@example.com");
    synced.change("ben", "email_verified", "yes");
    synced.change("ana", "email", "ben@example.com");
    synced.change("ana", "email_verified", "yes");
    synced.change("cleo", "email", "spare@example.com");
    synced.change("dan", "email", "cleo@example.com");
    synced.change("cleo", "email", "dan@example.com");
    for login in ["cleo", "dan"] {
        synced.change(login, "email_verified", "yes");
    }
    world.app.pause_desk(&synced.desk, false, &Caller::cli()).expect("resumed");
    synced.settle();
    let run = synced.run();
    assert_eq!(run.state, RunState::Done, "{run:?}");
    assert_eq!((id("ana"), id("ben")), (ana.clone(), ben.clone()));
    assert_eq!(synced.person("ben@example.com").map(|person| person.id.to_string()), Some(ana));
    assert_eq!(synced.person("ben2@example.com").map(|person| person.id.to_string()), Some(ben));
    for (login, person) in [("cleo", cleo), ("dan", dan)] {
        assert_eq!(synced.state(login), (PersonState::Conflict, "swap".into()), "{login}");
        assert_eq!(id(login), person, "{login} stays who it is");
    }
    assert_eq!(synced.standin.people().len(), 4);
}

#[apply(every_place)]
fn one_address_of_two_users_is_found_before_either_is_sent(place: Place) {
    let synced = Synced::new(place);
    let world = &synced.world;
    world.app.pause_desk(&synced.desk, true, &Caller::cli()).expect("paused");
    let trusted = countersign::app::attributes::Change { proved: Some(true), ..Default::default() };
    world.app.set_attribute("work", trusted, &Caller::cli(), |_| {}).expect("made");
    let mapping =
        super::UPFRONT.replace(r#""from": {"attribute": "email"}"#, r#""from": {"attribute": "work"}"#);
    super::publish(world, &mapping);
    for (login, work, more) in [
        ("ana", "Team@example.com", ""),
        ("ben", "team@example.com", ""),
        ("cleo", "cleo@example.com", "dan@example.com"),
        ("dan", "dan@example.com", ""),
        ("eve", "eve@example.com", "eve2@example.com"),
    ] {
        world.user_with(login, Role::User, &[("work", work), ("more", more)]);
    }
    world.app.pause_desk(&synced.desk, false, &Caller::cli()).expect("resumed");
    synced.settle();
    let run = synced.run();
    assert_eq!(run.state, RunState::Done, "{run:?}");
    assert_eq!(synced.state("cleo"), (PersonState::Conflict, "others_address".into()));
    assert_eq!(synced.state("eve").0, PersonState::Sent);
    let teams = synced.standin.people().into_iter().filter(|person| {
        person.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case("team@example.com"))
    });
    assert_eq!(teams.count(), 0, "neither was sent");
    for (login, other) in [("ana", "'ben'"), ("ben", "'ana'")] {
        assert_eq!(synced.state(login), (PersonState::Conflict, "same_address".into()));
        assert!(synced.row(login).words.contains(other), "{}", synced.row(login).words);
    }
    // A change of something else does not let one of them through.
    synced.change("ana", "plan", "gold");
    synced.settle();
    assert_eq!(synced.state("ana"), (PersonState::Conflict, "same_address".into()));
    synced.change("ana", "work", "ana@example.com");
    synced.settle();
    assert_eq!(synced.state("ana").0, PersonState::Sent);
}
