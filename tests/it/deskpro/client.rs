//! Requests and answers, and everything that an answer can be instead.

use std::time::Duration;

use countersign::core::origin::Origin;
use countersign::deskpro::{Access, Client, Error, PersonId, TOTAL};
use countersign::standin::{API_KEY, Catalogue, Entry, Fault, FaultRule, On, Person, Play, StandIn};
use serde_json::{Map, Value, json};

use crate::server::BEGIN;

pub fn standin() -> StandIn {
    StandIn::start("127.0.0.1:0", b"a secret of the tests", Play::default(), || BEGIN).expect("it listens")
}

fn access(origin: &str) -> Access {
    let origin = Origin::parse(origin).expect("an origin");
    Access { origin, key: API_KEY.into(), is_private: true, total: TOTAL }
}

fn client(standin: &StandIn) -> Client {
    Client::new(&access(standin.origin())).expect("a client")
}

fn input(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(input) => input,
        other => panic!("{other} is no object"),
    }
}

fn every(fault: Fault) -> Vec<FaultRule> {
    vec![FaultRule { fault, on: On::All }]
}

#[test]
fn a_person_is_created_found_updated_and_read() {
    let standin = standin();
    let client = client(&standin);
    assert_eq!(client.discover().expect("a Deskpro").build.as_deref(), Some("stand-in"));
    assert_eq!(client.me().expect("an agent").id, PersonId(1));
    assert_eq!(client.people_by_address("ana@example.com"), Ok(vec![]));
    let id = client
        .create_person(&input(
            json!({ "name": "Ana Kovač", "primary_email": "ana@example.com", "user_groups": [7] }),
        ))
        .expect("created");
    let found = client.people_by_address("ANA@example.com").expect("found");
    assert_eq!(found.iter().map(|person| person.id).collect::<Vec<_>>(), [id]);
    client
        .update_person(id, &input(json!({ "user_groups": [8], "fields": { "7": 9 }, "labels": ["new"] })))
        .expect("updated");
    let person = client.person(id).expect("read").expect("there");
    assert_eq!(person.name.as_deref(), Some("Ana Kovač"));
    assert_eq!((&person.all["user_groups"], &person.all["labels"]), (&json!([8]), &json!(["new"])));
    assert_eq!(client.person(PersonId(9_999)), Ok(None));
    let both = client.people(&[PersonId(9_999), id]).expect("read");
    assert_eq!(both.iter().map(|person| person.id).collect::<Vec<_>>(), [id]);
    assert_eq!(client.people(&[]), Ok(vec![]));
    let asked = standin.asked();
    assert!(
        asked.iter().all(|asked| !asked.target.contains('@') && !asked.target.contains("%40")),
        "{asked:?}"
    );
    assert!(!asked[0].had_key, "the key is not sent to find out whether it is a Deskpro");
}

#[test]
fn a_search_never_creates_a_person() {
    let standin = standin();
    let client = client(&standin);
    for _ in 0..3 {
        assert_eq!(client.people_by_address("nobody@example.com"), Ok(vec![]));
    }
    assert_eq!(standin.people(), []);
}

#[test]
fn what_deskpro_refuses_is_said_in_its_words() {
    let standin = standin();
    let client = client(&standin);
    standin.seed(Person {
        email: Some("ben@example.com".into()),
        name: Some("Ben".into()),
        ..Person::default()
    });
    let create = |value| client.create_person(&input(value)).expect_err("refused");
    let taken = create(json!({ "name": "Ana", "primary_email": "BEN@example.com" }));
    assert!(taken.is_taken_address(), "{taken:?}");
    assert_eq!(
        taken.to_string(),
        "Deskpro refuses the request: emails.emails_0: This email address is already in use. (dupe_email)"
    );
    for (value, words) in [
        (json!({ "primary_email": "a@example.com" }), "name: A name is required. (required)"),
        (
            json!({ "name": "A", "user_groups": [77] }),
            "user_groups: The selected choice is invalid. (invalid_choice)",
        ),
        (
            json!({ "name": "A", "nickname": "B" }),
            "This form should not contain extra fields. (extra_fields)",
        ),
    ] {
        let error = create(value);
        assert!(!error.is_taken_address() && !error.is_transient());
        assert_eq!(error.to_string(), format!("Deskpro refuses the request: {words}"));
    }
    assert_eq!(standin.people().len(), 1);
}

#[test]
fn every_answer_that_is_none_has_its_meaning() {
    let standin = standin();
    let hurried = Access { total: Duration::from_secs(1), ..access(standin.origin()) };
    let client = Client::new(&hurried).expect("a client");
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let paused = |is_maintenance, wait| Error::Paused { is_maintenance, wait };
    let check = |fault: Fault, is_it: &dyn Fn(&Error) -> bool| {
        standin.set_faults(every(fault.clone()));
        let error = client.me().expect_err("a fault");
        assert!(is_it(&error), "{fault:?}: {error:?}");
    };
    check(Fault::KeyRefused, &|error| *error == Error::KeyRefused("The API key is not valid".into()));
    check(Fault::Forbidden, &|error| *error == Error::Forbidden("This agent may not edit users".into()));
    check(Fault::NotFound, &|error| *error == Error::NotFound("Not found".into()));
    check(Fault::Maintenance(String::new()), &|error| *error == paused(true, None));
    check(Fault::Limited("3".into()), &|error| *error == paused(false, seconds(3)));
    check(Fault::Limited("soon".into()), &|error| *error == paused(false, None));
    check(Fault::Status(502), &|error| *error == Error::Server(502));
    check(Fault::Hang, &|error| matches!(error, Error::Lost(_)));
    check(Fault::Reset, &|error| matches!(error, Error::Lost(_)));
    check(Fault::Drip, &|error| matches!(error, Error::Lost(_)));
    check(Fault::Html, &|error| {
        *error
            == Error::NotDeskpro(
                "it is not JSON: “<!doctype html><title>Login</title><p>Please sign in.”".into(),
            )
    });
    check(Fault::BadJson, &|error| matches!(error, Error::NotDeskpro(_)));
    check(Fault::Huge, &|error| {
        matches!(error, Error::NotDeskpro(why) if why.contains("10 MB")) || matches!(error, Error::Lost(_))
    });
    check(Fault::DupeEmail, &Error::is_taken_address);
    check(Fault::Status(404), &|error| matches!(error, Error::NotDeskpro(why) if why.contains("404")));
    check(Fault::Status(408), &|error| matches!(error, Error::Lost(_)));
    standin.set_faults(vec![]);
    client.me().expect("well again");
    drop(standin);
    assert!(matches!(client.me(), Err(Error::Unreachable(_) | Error::Lost(_))));
    let fresh = Client::new(&hurried).expect("a client");
    let refused = fresh.me().expect_err("nobody listens");
    assert!(matches!(refused, Error::Unreachable(_)) && !refused.may_be_done(), "{refused:?}");
}

#[test]
fn what_fails_before_anything_is_sent_may_be_tried_again() {
    let standin = standin();
    let port = standin.origin().rsplit(':').next().expect("a port");
    // A server without TLS, and a name that nobody has (RFC 6761).
    for origin in [format!("https://127.0.0.1:{port}"), "https://deskpro.invalid".into()] {
        let error = Client::new(&access(&origin)).expect("a client").me().expect_err("no connection");
        assert!(matches!(error, Error::Unreachable(_)), "{origin}: {error:?}");
        assert!(error.is_transient() && !error.may_be_done());
    }
    assert_eq!(standin.asked(), []);
}

#[test]
fn an_answer_after_the_work_that_cannot_be_read_is_no_proof_that_nothing_was_done() {
    let standin = standin();
    let hurried = Access { total: Duration::from_secs(1), ..access(standin.origin()) };
    let client = Client::new(&hurried).expect("a client");
    standin.set_faults(vec![FaultRule { fault: Fault::Lost, on: On::Person("ana@example.com".into()) }]);
    let ana = input(json!({ "name": "Ana", "primary_email": "ana@example.com" }));
    let error = client.create_person(&ana).expect_err("the answer is lost");
    assert!(error.may_be_done(), "{error:?}");
    assert_eq!(standin.people().len(), 1);
    assert_eq!(client.people_by_address("ana@example.com").expect("found").len(), 1);
    for fault in [Fault::Html, Fault::BadJson, Fault::Drip] {
        standin.set_faults(every(fault.clone()));
        assert!(client.create_person(&ana).expect_err("no answer").may_be_done(), "{fault:?}");
    }
}

#[test]
fn the_key_goes_to_no_other_host() {
    let (standin, other) = (standin(), standin_of_others());
    standin.set_faults(every(Fault::Redirect(format!("{}/api/v2/me", other.origin()))));
    let client = client(&standin);
    assert!(matches!(client.me(), Err(Error::NotDeskpro(_))));
    assert!(matches!(client.create_person(&input(json!({ "name": "A" }))), Err(Error::NotDeskpro(_))));
    assert_eq!(other.asked(), []);
}

fn standin_of_others() -> StandIn {
    standin()
}

#[test]
fn a_wrong_key_and_an_address_that_is_not_allowed_are_told_apart() {
    let standin = standin();
    let wrong = Access { key: "2:ANOTHER".into(), ..access(standin.origin()) };
    assert!(matches!(Client::new(&wrong).expect("a client").me(), Err(Error::KeyRefused(_))));
    for odd in ["2:A\nB", "", " "] {
        let odd = Access { key: odd.into(), ..access(standin.origin()) };
        assert!(matches!(Client::new(&odd).err(), Some(Error::NotAllowed(_))));
    }
    let public = |origin: &str| Access { is_private: false, ..access(origin) };
    assert!(matches!(Client::new(&public(standin.origin())).err(), Some(Error::NotAllowed(_))), "no TLS");
    let port = standin.origin().rsplit(':').next().expect("a port");
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254"] {
        let client = Client::new(&public(&format!("https://{host}:{port}"))).expect("a client");
        assert!(matches!(client.me(), Err(Error::NotAllowed(_))), "{host}: {:?}", client.me());
    }
    assert_eq!(standin.asked().len(), 1);
}

#[test]
fn lists_are_read_to_their_end() {
    let standin = standin();
    let organizations: Vec<Entry> =
        (1..=450).map(|id| Entry { id, title: format!("Company {id}") }).collect();
    standin.set_catalogue(Catalogue { organizations, languages: vec![], ..Catalogue::default() });
    let found = countersign::app::App::names_at_helpdesk(&access(standin.origin())).expect("read");
    let last = found.organizations.last().expect("the last one");
    assert_eq!((found.organizations.len(), last.label().as_str()), (450, "Company 450 (450)"));
    assert_eq!(found.languages, []);
    let names: Vec<&str> = found.user_groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(
        names,
        ["Everyone", "Registered", "Customers", "Newsletter readers", "Gold", "Silver", "Trial"]
    );
    let plan = found.field("7").expect("a field");
    assert_eq!((plan.entry.label().as_str(), plan.choices[0].label().as_str()), ("Plan (7)", "Gold (9)"));
    assert_eq!(standin.asked().iter().filter(|asked| asked.target.contains("organizations")).count(), 3);
}
