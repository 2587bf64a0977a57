//! The synchronization in the console: connected, started, and everything that goes wrong on the way.

use countersign::core::sync::PersonState;
use countersign::standin::API_KEY;
use rstest_reuse::apply;

use super::{admin, fill, filled_in, send};
use crate::server::{Place, every_place, wait_until};
use crate::sync::{settle, standin, world};

#[apply(every_place)]
fn a_helpdesk_is_connected_started_and_repaired_in_the_browser(place: Place) {
    let standin = standin();
    let world = world(place, &standin);
    let ada = admin(&world, "ada");
    world.user("gus");
    world.user_with("hal <i>", countersign::core::user::Role::User, &[]);

    let connect = |key: &str| {
        let mut fields = filled_in(&ada.get("/admin/sync"), "<form class=\"sheet\" method=\"post\">", "");
        fill(&mut fields, "api_key", key);
        fields.push(("private".to_owned(), "yes".to_owned()));
        send(&ada, "/admin/sync", &fields)
    };
    let refused = connect("2:WRONG");
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("Copy the key again") && !refused.body.contains("2:WRONG"),
        "{}",
        refused.body
    );
    let connected = connect(API_KEY);
    let at = connected.header("location").expect("a redirect").to_owned();
    let at = at.split_once('?').expect("what was done").0.trim_start_matches("/accounts").to_owned();
    let page = ada.get(&at);
    assert!(page.body.contains("Not started yet") && !page.body.contains(API_KEY), "{}", page.body);

    let dry = ada.get(&format!("{at}/dry-run"));
    assert!(dry.body.contains("A person is created") && dry.body.contains("gus@example.com"), "{}", dry.body);
    assert!(dry.body.contains("hal &#60;i&#62;"), "{}", dry.body);
    assert_eq!(standin.people().len(), 0, "only looked at");

    let press = |button: &str| {
        let fields = filled_in(&ada.get(&at), "<form class=\"actions between\" method=\"post\"", button);
        send(&ada, &at, &fields)
    };
    assert_eq!(press("resume").status, 303);
    let desk = world.app.desks().expect("desks")[0].id.clone();
    wait_until("a run has ended", || {
        world.app.desk_status(&desk).is_ok_and(|status| status.last_done.is_some())
    });
    settle(&world, &desk);
    let page = ada.get(&at);
    assert!(page.body.contains("All users are as they should be"), "{}", page.body);
    let silent = ada.get(&format!("{at}/people?state={}", PersonState::NoAddress.as_str()));
    assert!(silent.body.contains("hal &#60;i&#62;"), "{}", silent.body);
    assert_eq!(press("pause").status, 303);
    let again = press("run");
    assert!(again.status == 422 && again.body.contains("Resume it first"), "{}", again.body);

    // What was typed stays, with each error at its field.
    let settings = format!("{at}/settings");
    let mut fields = filled_in(&ada.get(&settings), "<form class=\"sheet\" method=\"post\">", "");
    fill(&mut fields, "every_minutes", "soon");
    fill(&mut fields, "cron", "30 3 * *");
    let bad = send(&ada, &settings, &fields);
    assert_eq!(bad.status, 422);
    for part in ["value=\"soon\"", "value=\"30 3 * *\"", "Use five fields", "Nothing was saved"] {
        assert!(bad.body.contains(part), "{part}: {}", bad.body);
    }
    fill(&mut fields, "every_minutes", "90");
    fill(&mut fields, "cron", "");
    assert_eq!(send(&ada, &settings, &fields).status, 303);
    assert!(ada.get(&settings).body.contains("value=\"90\""));
    // A second window with the values from before.
    fill(&mut fields, "every_minutes", "95");
    assert_eq!(send(&ada, &settings, &fields).status, 409);

    let webhook = |button: &str| {
        let fields = filled_in(&ada.get(&settings), "<h2>Webhook from Deskpro</h2>", button);
        send(&ada, &settings, &fields)
    };
    let made = webhook("webhook");
    let url = format!("{}/api/v1/deskpro/{desk}/people", world.base);
    assert!(made.status == 200 && made.body.contains(&url) && made.body.contains("$.id"), "{}", made.body);
    let (_, rest) = made.body.split_once("id=\"webhook-secret\">").expect("a password");
    let password = rest.split_once('<').expect("its end").0.to_owned();
    let shown = ada.get(&settings).body;
    assert!(shown.contains("Deskpro has not called yet") && !shown.contains(&password), "{shown}");
    assert_eq!(webhook("no-webhook").status, 303);
    assert!(!ada.get(&settings).body.contains("Remove the webhook"));

    let fields = filled_in(&ada.get(&settings), "<h2>Disconnect</h2>", "ask");
    let asked = send(&ada, &settings, &fields);
    assert!(asked.body.contains("Disconnect http://"), "{}", asked.body);
    let fields = filled_in(&asked, "class=\"banner banner-attention\"", "disconnect");
    assert_eq!(send(&ada, &settings, &fields).status, 303);
    assert!(world.app.desks().expect("desks").is_empty());
    assert_eq!(ada.get(&at).status, 404);
    assert_eq!(standin.people().len(), 2, "nothing is changed at Deskpro");
}

/// The same for programs.
#[apply(every_place)]
fn a_program_of_an_admin_reads_starts_and_pauses(place: Place) {
    let standin = standin();
    let world = world(place, &standin);
    let desk = crate::sync::connect(&world);
    let ada = admin(&world, "ada");
    world.user_with("hal", countersign::core::user::Role::User, &[]);
    let order = |what: &str| {
        let body = format!("{{\"do\": \"{what}\"}}");
        let headers = [("content-type", "application/json"), ("x-countersign", "1")];
        ada.send("POST", &format!("/api/v1/admin/sync/{desk}"), Some(&body), &headers)
    };
    assert_eq!(order("run").status, 200);
    wait_until("a run has ended", || {
        world.app.desk_status(&desk).is_ok_and(|status| status.last_done.is_some())
    });
    settle(&world, &desk);
    let listed = ada.get("/api/v1/admin/sync").json();
    let one = &listed["desks"][0];
    assert_eq!((one["id"].as_str(), one["health"].as_str()), (Some(desk.as_str()), Some("good")), "{listed}");
    assert_eq!(
        (one["users"]["no_address"].as_i64(), one["users"]["sent"].as_i64()),
        (Some(1), Some(1)),
        "{listed}"
    );
    let people = ada.get(&format!("/api/v1/admin/sync/{desk}/people?state=no_address")).json();
    assert_eq!(people["people"][0]["login"], "hal", "{people}");
    assert_eq!(ada.get(&format!("/api/v1/admin/sync/{desk}/people?state=odd")).status, 400);
    assert_eq!(order("pause").json()["paused"], true);
    let refused = order("run");
    assert_eq!((refused.status, refused.json()["code"].as_str()), (422, Some("not_possible")));
    assert_eq!(order("resume").json()["paused"], false);
    assert_eq!(order("stop").status, 400);
}

/// Before a mapping is published, an admin knows how many people it would send.
#[apply(every_place)]
fn before_publishing_it_is_known_how_many_people_would_be_sent(place: Place) {
    let standin = standin();
    let world = world(place, &standin);
    let desk = crate::sync::connect(&world);
    for login in ["gus", "hal", "ida"] {
        world.user(login);
    }
    crate::sync::run(&world, &desk, countersign::core::sync::RunKind::Sync);
    crate::sync::set(&world, &desk, "requests_per_hour", "2");
    let same = crate::sync::UPFRONT;
    let sends = |mapping: &str| {
        world.app.compare_mapping(&"default".into(), mapping, |_, _| {}).expect("compared").sends
    };
    assert_eq!(sends(same), Some(0));
    let other = same.replace("A customer", "A good customer");
    assert_eq!(sends(&other), Some(3));
    let ada = admin(&world, "ada");
    crate::sync::settle(&world, &desk);
    let user = world.app.user(&countersign::core::user::Login::parse("ada").expect("a login")).expect("ada");
    let draft = world.app.draft(&"default".into(), &user.id).expect("a draft");
    world.app.save_draft(&"default".into(), &user.id, draft.revision, &other, "a test").expect("saved");
    world.app.begin_comparison(&"default".into(), &user.id).expect("begun");
    wait_until("it is compared", || {
        let found = world.app.comparison(&"default".into(), &user.id).expect("read");
        found.is_some_and(|found| !found.is_running())
    });
    let page = ada.get("/admin/mapping/publish").body;
    assert!(
        page.contains("4 people would be sent to Deskpro. With your limits, this takes about 2 hours"),
        "{page}"
    );
}
