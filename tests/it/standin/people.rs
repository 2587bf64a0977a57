//! What a token makes of people: created, found, updated, refused.

use countersign::standin::{OmittedLists, Person, Play, Presented, Reason, State};
use serde_json::json;

use super::{ana, present, start};

#[test]
fn a_token_creates_a_person_once_and_updates_them_after() {
    let standin = start(Play::default());
    let first = present(&standin, &ana());
    assert_eq!((first.state, first.created), (State::Confirmed, true));
    let again =
        present(&standin, &json!({"email": "ANA@example.com", "first_name": "Ana", "last_name": "Diaz"}));
    assert!(!again.created);
    assert_eq!(again.display_name.as_deref(), Some("Ana Diaz"));
    assert_eq!(standin.people().len(), 1);

    let id = standin.people()[0].id.to_string();
    present(&standin, &json!({"deskpro_id": id, "email": "new@example.com"}));
    let person = &standin.people()[0];
    assert_eq!(person.email.as_deref(), Some("new@example.com"));
    assert_eq!(person.emails, ["ANA@example.com"], "the old address still finds her");
    assert_eq!(person.display_name(), "Ana Diaz", "an omitted name stays");
}

#[test]
fn identifiers_of_two_people_are_refused_and_change_nobody() {
    let standin = start(Play::default());
    let with = |email: &str| Person { email: Some(email.to_owned()), ..Person::default() };
    let ana = standin.seed(with("ana@example.com"));
    standin.seed(with("bo@example.com"));
    let before = standin.people();
    let refused =
        present(&standin, &json!({"deskpro_id": ana.to_string(), "email": "bo@example.com", "name": "X"}));
    assert_eq!((refused.state, refused.reason), (State::Refused, Some(Reason::TwoPeople)));
    assert_eq!(standin.people(), before);
    let one = present(&standin, &json!({"deskpro_id": ana.to_string(), "email": "ana@example.com"}));
    assert_eq!(one.state, State::Confirmed);
    let stale = present(&standin, &json!({"deskpro_id": "999", "email": "bo@example.com"}));
    assert_eq!((stale.state, stale.notes.len()), (State::Confirmed, 1), "999 is nobody, so Bo is meant");
    assert_eq!(standin.people().len(), 2);
}

#[test]
fn agents_and_nobody_in_particular_are_refused() {
    let standin = start(Play::default());
    let boss = Person { email: Some("boss@example.com".to_owned()), is_agent: true, ..Person::default() };
    standin.seed(boss);
    let as_agent = present(&standin, &json!({"email": "boss@example.com"}));
    assert_eq!(as_agent.reason, Some(Reason::Agent));
    assert_eq!(present(&standin, &json!({"name": "Ana"})).reason, Some(Reason::NoIdentifier));
}

#[test]
fn the_switch_for_omitted_lists_keeps_or_clears_them() {
    for (omitted_lists, kept) in [(OmittedLists::Kept, true), (OmittedLists::Cleared, false)] {
        let standin = start(Play { omitted_lists, ..Play::default() });
        let full = json!({"email": "ana@example.com", "labels": ["vip"], "usergroup_ids": ["2", "5"],
            "fields": {"7": "x", "8": ["1"]}});
        present(&standin, &full);
        assert_eq!(standin.people()[0].usergroup_ids, ["5"], "2 is implied");
        present(&standin, &json!({"email": "ana@example.com", "fields": {"7": "y"}}));
        let person = &standin.people()[0];
        assert_eq!(person.fields["7"], "y");
        let found = (person.labels.len(), person.usergroup_ids.len(), person.fields.len());
        assert_eq!(found, if kept { (1, 1, 2) } else { (0, 0, 1) });
        present(&standin, &json!({"email": "ana@example.com", "labels": []}));
        assert!(standin.people()[0].labels.is_empty(), "an empty list clears either way");
    }
}

#[test]
fn a_visitor_without_a_token_is_unconfirmed_unless_one_is_required() {
    let standin = start(Play::default());
    assert_eq!(standin.judge(&Presented::Nothing).state, State::Unconfirmed);
    standin.set_play(Play { require_jwt: true, ..Play::default() });
    assert_eq!(standin.judge(&Presented::Nothing).reason, Some(Reason::TokenRequired));
    assert_eq!(standin.judge(&Presented::NotAToken).reason, Some(Reason::Malformed));
}
