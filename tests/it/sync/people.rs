//! Which person a user becomes.

use countersign::app::Caller;
use countersign::core::sync::{PersonState, RunKind, RunState};
use countersign::core::user::{Login, Role};
use countersign::standin::{Fault, FaultRule, On, Person};
use rstest_reuse::apply;
use serde_json::json;

use super::Synced;
use crate::server::{Place, World, every_place};

fn seed(synced: &Synced, person: Person) -> u64 {
    synced.standin.seed(Person { name: Some("Somebody".into()), ..person })
}

fn with_email(email: &str) -> Person {
    Person { email: Some(email.into()), ..Person::default() }
}

#[apply(every_place)]
fn users_become_people_and_their_tokens_name_them(place: Place) {
    let synced = Synced::new(place);
    let world = &synced.world;
    world.user("ana");
    world.user("ben");
    synced.change("ana", "plan", "gold");
    let known = seed(&synced, with_email("BEN@Example.com"));
    assert_eq!(synced.payload("ana"), json!("no_identifier"));
    let run = synced.run();
    assert_eq!((run.state, run.counts.compared), (RunState::Done, 2), "{run:?}");
    let ana = synced.person("ana@example.com").expect("created");
    assert_eq!(
        (ana.usergroup_ids.as_slice(), ana.name.as_deref()),
        (&["7".to_owned()][..], Some("A customer"))
    );
    assert_eq!(synced.payload("ana"), json!({ "deskpro_id": ana.id.to_string() }));
    assert_eq!(synced.payload("ben"), json!({ "deskpro_id": known.to_string() }));
    assert_eq!(synced.standin.people().len(), 2, "nobody is there twice");
    // A second run sends nothing.
    let before = synced.writes().len();
    let again = synced.run();
    assert_eq!((again.counts.unchanged, again.counts.changed), (2, 0));
    assert_eq!(synced.writes().len(), before);
    // A change is sent by itself, once.
    synced.change("ben", "plan", "gold");
    synced.settle();
    assert_eq!(synced.writes().len(), before + 1);
    assert_eq!(synced.person("ben@example.com").expect("there").usergroup_ids, ["7"]);
    // The page of a user who signs in has the token.
    let browser = world.browser().signed_in("ana");
    let token = browser.get("/").signed_user_info().expect("a token");
    let judged = synced.standin.judge(&countersign::standin::Presented::Token(token));
    assert_eq!(judged.state, countersign::standin::State::Confirmed, "{judged:?}");
}

#[apply(every_place)]
fn nobody_is_taken_for_somebody_else(place: Place) {
    let synced = Synced::new(place);
    let world = &synced.world;
    let own = |login: &str, attributes: &[(&str, &str)]| world.user_with(login, Role::User, attributes);
    world.user("agent");
    seed(&synced, Person { is_agent: true, ..with_email("agent@example.com") });
    world.user("binned");
    seed(&synced, Person { is_deleted: true, ..with_email("binned@example.com") });
    world.user("further");
    seed(&synced, Person { emails: vec!["further@example.com".into()], ..with_email("first@example.com") });
    own("silent", &[]);
    own("unverified", &[("email", "unverified@example.com"), ("email_verified", "no")]);
    world.user("fine");
    let run = synced.run();
    assert_eq!(run.state, RunState::Done, "{run:?}");
    assert_eq!((run.counts.created, run.counts.conflicts, run.counts.left_out), (1, 3, 2), "{run:?}");
    let state = |login: &str| synced.state(login);
    assert_eq!(state("agent"), (PersonState::Conflict, "agent".into()));
    assert_eq!(state("binned"), (PersonState::Conflict, "deleted".into()));
    assert_eq!(state("further"), (PersonState::Conflict, "further_address".into()));
    assert_eq!(state("silent"), (PersonState::NoAddress, "no_address".into()));
    assert_eq!(state("unverified"), (PersonState::NoAddress, "no_address".into()));
    for login in ["agent", "binned", "further", "silent", "unverified"] {
        assert_eq!(synced.payload(login), json!("no_identifier"), "{login}");
        assert_eq!(synced.row(login).deskpro_id, None, "{login}");
    }
    // They are not tried again by themselves, until somebody asks.
    let asked = synced.standin.asked().len();
    assert_eq!(synced.run().counts.conflicts, 3);
    assert_eq!(synced.standin.asked().len(), asked + 1, "only whether the key works");
    let first = synced.person("first@example.com").expect("there");
    synced.standin.remove(first.id);
    assert_eq!(world.app.retry_people(&synced.desk, None).expect("asked for"), 3);
    synced.settle();
    assert_eq!(synced.row("further").state, PersonState::Sent);
    // What is verified later is sent by itself.
    synced.change("unverified", "email_verified", "yes");
    synced.settle();
    assert_eq!(synced.row("unverified").state, PersonState::Sent);
}

#[apply(every_place)]
fn an_id_that_was_written_here_is_judged_like_one_that_was_found(place: Place) {
    let synced = Synced::new(place);
    let world = &synced.world;
    for login in ["ana", "ben", "eve"] {
        world.user(login);
    }
    let ana = seed(&synced, with_email("old@example.com"));
    let agent = seed(&synced, Person { is_agent: true, ..with_email("agent@example.com") });
    synced.change("ana", "deskpro_id", &ana.to_string());
    synced.change("eve", "deskpro_id", &agent.to_string());
    synced.change("ben", "deskpro_id", "987654");
    assert_eq!(synced.payload("eve"), json!({ "deskpro_id": agent.to_string() }), "an admin wrote it");
    synced.run();
    synced.settle();
    assert_eq!(synced.payload("ana"), json!({ "deskpro_id": ana.to_string() }));
    assert_eq!(synced.person("ana@example.com").map(|person| person.id), Some(ana));
    assert_eq!(synced.state("eve"), (PersonState::Conflict, "agent".into()));
    assert_eq!(synced.payload("eve"), json!("no_identifier"), "whoever wrote it");
    let ben = synced.person("ben@example.com").expect("created");
    assert_eq!(synced.payload("ben"), json!({ "deskpro_id": ben.id.to_string() }));
}

#[apply(every_place)]
fn a_person_who_was_merged_or_deleted_is_found_again(place: Place) {
    let synced = Synced::new(place);
    for login in ["ana", "ben"] {
        synced.world.user(login);
    }
    synced.run();
    let (ana, ben) = (synced.row("ana"), synced.row("ben"));
    // An agent merges ana into a person who then gets her address as the primary one.
    let kept = seed(&synced, with_email("ana.k@example.com"));
    let number = |id: Option<String>| id.and_then(|id| id.parse::<u64>().ok()).expect("a person");
    synced.standin.merge(number(ana.deskpro_id), kept);
    synced.standin.seed(Person {
        id: kept,
        emails: vec!["ana.k@example.com".into()],
        name: Some("Ana".into()),
        ..with_email("ana@example.com")
    });
    synced.standin.remove(number(ben.deskpro_id));
    let run = synced.run_of(RunKind::Verify);
    assert_eq!(run.state, RunState::Done, "{run:?}");
    assert_eq!(synced.row("ana").deskpro_id, Some(kept.to_string()));
    let again = synced.person("ben@example.com").expect("created again");
    assert_eq!(synced.row("ben").deskpro_id, Some(again.id.to_string()));
    assert_eq!(synced.standin.people().len(), 2);
}

#[apply(every_place)]
fn a_verify_run_repairs_what_agents_changed(place: Place) {
    let synced = Synced::new(place);
    for login in ["ana", "ben"] {
        synced.world.user(login);
    }
    synced.run();
    let person = synced.person("ana@example.com").expect("there");
    synced.standin.seed(Person { name: Some("Typed by hand".into()), ..person.clone() });
    let ben = synced.person("ben@example.com").expect("there");
    synced.standin.seed(Person { is_agent: true, ..ben });
    let before = synced.writes().len();
    assert_eq!(synced.run().counts.changed, 0, "compared with what was sent");
    let run = synced.run_of(RunKind::Verify);
    assert_eq!((run.counts.changed, run.counts.conflicts), (1, 1), "{run:?}");
    assert_eq!(synced.writes().len(), before + 1);
    assert_eq!(synced.person("ana@example.com").expect("there").name.as_deref(), Some("A customer"));
    assert_eq!(synced.state("ben"), (PersonState::Conflict, "agent".into()));
    assert_eq!(synced.payload("ben"), json!("no_identifier"));
}

#[apply(every_place)]
fn an_answer_that_is_lost_creates_nobody_twice(place: Place) {
    let synced = Synced::new(place);
    synced.world.user("ana");
    synced.standin.set_faults(vec![FaultRule { fault: Fault::Lost, on: On::Next(2) }]);
    let run = synced.run();
    assert_eq!(run.state, RunState::Done, "{run:?}");
    assert_eq!(synced.standin.people().len(), 1);
    let ana = synced.person("ana@example.com").expect("created");
    assert_eq!(synced.payload("ana"), json!({ "deskpro_id": ana.id.to_string() }));
}

#[apply(every_place)]
fn disabled_users_are_treated_as_the_policy_says(place: Place) {
    let synced = Synced::new(place);
    let world = &synced.world;
    let login = world.user("ana");
    synced.change("ana", "plan", "gold");
    synced.run();
    let person = synced.person("ana@example.com").expect("created");
    synced.standin.seed(Person { usergroup_ids: vec!["7".into(), "8".into()], ..person });
    let groups = || synced.person("ana@example.com").expect("there").usergroup_ids;
    let labels = || synced.person("ana@example.com").expect("there").labels;
    let caller = Caller::cli();
    let set_disabled = |disabled: bool| {
        let done = if disabled {
            world.app.disable_user(&login, &caller)
        } else {
            world.app.enable_user(&login, &caller)
        };
        done.expect("done");
        synced.run();
    };
    set_disabled(true);
    assert_eq!((groups().len(), synced.row("ana").state), (2, PersonState::Retired), "left");
    set_disabled(false);
    synced.set("on_disabled", "ungroup");
    set_disabled(true);
    assert_eq!(groups(), ["8"], "only the group that was given by us");
    set_disabled(false);
    assert_eq!(groups(), ["7"], "what the mapping says");
    synced.set("on_disabled", "label");
    set_disabled(true);
    assert_eq!(labels(), ["account closed"]);
    let before = synced.writes().len();
    synced.run();
    assert_eq!(synced.writes().len(), before);
    set_disabled(false);
    assert_eq!(labels(), [""; 0], "the label goes when the user is back");
}

#[apply(every_place)]
fn a_person_of_an_account_that_is_gone_may_be_somebody_elses(place: Place) {
    let synced = Synced::new(place);
    let login = synced.world.user("ana");
    synced.run();
    let person = synced.row("ana").deskpro_id;
    synced.world.app.user_gone(&login, &Caller::cli()).expect("gone");
    synced.world.user_with("anna", Role::User, &[("email", "ana@example.com"), ("email_verified", "yes")]);
    synced.run();
    assert_eq!(synced.row("anna").deskpro_id, person);
    assert_eq!(synced.standin.people().len(), 1);
}

#[apply(every_place)]
fn no_id_of_one_helpdesk_is_signed_or_sent_for_another(place: Place) {
    let (one, other) = (super::standin(), super::standin());
    let world = super::world(place, &one);
    let shop = "shop".into();
    world.app.add_messenger(&shop, &Caller::cli()).expect("added");
    let values = [
        ("deskpro_url", other.deskpro_url()),
        ("init_script_url", other.init_script_url()),
        ("messenger_id", other.messenger_id().to_owned()),
    ];
    let values = values.map(|(name, value)| (name.to_owned(), value)).into();
    world.app.change_messenger(&shop, &values, None, &Caller::cli()).expect("changed");
    world.app.publish_mapping(&shop, super::UPFRONT, "a test", &Caller::cli()).expect("published");
    world
        .app
        .add_signing_key(
            &shop,
            crate::server::KEY,
            countersign::core::secret::Encoding::Raw,
            false,
            &Caller::cli(),
        )
        .expect("added");
    // So that the numbers differ.
    for number in 0..5 {
        other.seed(Person { name: Some("x".into()), ..with_email(&format!("x{number}@example.com")) });
    }
    world.user("ana");
    world.user_with(
        "imported",
        Role::User,
        &[("deskpro_id", "3"), ("email", "i@example.com"), ("email_verified", "yes")],
    );
    let payload = |login: &str, messenger: &str| {
        let user = world.app.user(&Login::parse(login).expect("a login")).expect("a user");
        let issuer = world.app.issuer(&messenger.into(), None).expect("an issuer");
        issuer.payload(&user).ok().and_then(|payload| payload.deskpro_id)
    };
    assert_eq!(payload("imported", "default").as_deref(), Some("3"));
    assert_eq!(payload("imported", "shop"), None, "it is a number of the other helpdesk");
    let desks = [super::connect(&world), super::connect_messenger(&world, &shop)];
    for desk in &desks {
        super::run(&world, desk, RunKind::Sync);
    }
    let id_at = |standin: &countersign::standin::StandIn, address: &str| {
        let found = standin.people().into_iter().find(|person| person.email.as_deref() == Some(address));
        found.map(|person| person.id.to_string())
    };
    for (login, address) in [("ana", "ana@example.com"), ("imported", "i@example.com")] {
        let ids = [id_at(&one, address), id_at(&other, address)];
        assert_ne!(ids[0], ids[1]);
        assert_eq!([payload(login, "default"), payload(login, "shop")], ids, "{login}");
    }
    assert!(other.asked().iter().all(|asked| asked.target != "/api/v2/people/3"), "never asked for there");
    // A helpdesk that is disconnected leaves nothing behind.
    world.app.disconnect_desk(&desks[1], &Caller::cli()).expect("disconnected");
    assert_eq!(payload("ana", "shop"), None);
    let _: &World = &world;
}

#[apply(every_place)]
fn an_id_that_was_judged_is_not_judged_again_by_itself(place: Place) {
    let synced = Synced::new(place);
    let person = seed(&synced, with_email("somebody@example.com"));
    synced.world.user_with(
        "ana",
        Role::User,
        &[("email", "ana@example.com"), ("email_verified", "no"), ("deskpro_id", &person.to_string())],
    );
    synced.settle();
    assert_eq!(synced.state("ana"), (PersonState::Conflict, "unproved".into()));
    assert_eq!(synced.payload("ana"), json!("no_identifier"), "whatever the mapping finds");
    synced.run();
    synced.settle();
    let asked = synced.standin.asked().len();
    assert_eq!(synced.state("ana"), (PersonState::Conflict, "unproved".into()));
    synced.run();
    assert_eq!(synced.standin.asked().len(), asked + 1, "only whether the key works");
    // Her person is the one that was written, not a new one.
    synced.change("ana", "email_verified", "yes");
    synced.settle();
    assert_eq!(synced.row("ana").deskpro_id, Some(person.to_string()));
    assert_eq!(synced.standin.people().len(), 1);
    // Nobody else gets it, by whatever way.
    synced.world.user("ben");
    let assignments = [("deskpro_id".to_owned(), person.to_string())];
    let ben = Login::parse("ben").expect("a login");
    let refused = synced.world.app.change_user(&ben, &assignments, &Caller::cli()).expect_err("taken");
    assert!(refused.to_string().contains("'ana'"), "{refused}");
}
