//! Who changes, as a job: it goes on where it was, whoever does it, and finds what the command line
//! finds.

use std::fmt::Write as _;

use countersign::app::import::Options;
use countersign::core::id::UserId;
use std::sync::atomic::Ordering;

use countersign::app::jobs::new_worker;
use countersign::app::{App, Caller};
use countersign::core::user::{Login, Role};
use countersign::store::Sql as _;
use rstest_reuse::apply;

use super::{Storage, every_storage};

/// More users than one step looks at, and an admin whose id is answered.
fn fill(app: &App) -> UserId {
    let mut file = String::from("login,email,email_verified,plan\n");
    for i in 0..1_200 {
        let plan = ["gold", "silver", ""][i % 3];
        writeln!(file, "user{i},user{i}@example.com,{},{plan}", ["yes", "no"][i % 2]).expect("written");
    }
    app.import_users(file.as_bytes(), Options::default(), &Caller::cli(), |_| {}, |_| {}).expect("taken in");
    let ada = Login::parse("ada").expect("a login");
    app.add_user(&ada, Role::Admin, &[], &Caller::cli()).expect("added").id
}

const DRAFT: &str = r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}},
    {"claim": "labels", "from": {"attribute": "plan"}, "missing": "refuse"}]}"#;

fn begun(storage: &Storage) -> (App, UserId) {
    let app = storage.app();
    let ada = fill(&app);
    app.save_draft(&"default".into(), &ada, 0, DRAFT, "typed").expect("kept");
    app.begin_comparison(&"default".into(), &ada).expect("begun");
    (app, ada)
}

#[apply(every_storage)]
fn a_comparison_goes_on_where_it_was_and_finds_the_same(storage: &Storage) {
    let (first, ada) = begun(storage);
    let comparison = |app: &App| app.comparison(&"default".into(), &ada).expect("asked").expect("begun");
    assert_eq!((comparison(&first).state.as_str(), comparison(&first).total), ("waiting", 1_201));
    first.begin_comparison(&"default".into(), &ada).expect("it is there");
    assert_eq!(storage.number("SELECT COUNT(*) FROM jobs"), 1);

    // Told to stop, an instance does one step and lets another go on.
    first.stop();
    assert!(first.work(&new_worker()).expect("a step"));
    assert_eq!((comparison(&first).state.as_str(), comparison(&first).done), ("waiting", 500));
    // Killed, it moves its beat no more.
    let second = storage.app();
    second.stop();
    assert!(second.work(&new_worker()).expect("a step"));
    storage.write(|db| db.execute("UPDATE jobs SET state = 'running', worker = 'killed'", &[]));
    let (third, seconds) = storage.app_with_seconds();
    for after in [0, 29] {
        seconds.store(after, Ordering::SeqCst);
        assert!(!third.work(&new_worker()).expect("asked"), "somebody has it, for all that is known");
    }
    // It lives.
    storage.write(|db| db.execute("UPDATE jobs SET beat = beat + 1", &[]));
    seconds.store(58, Ordering::SeqCst);
    assert!(!third.work(&new_worker()).expect("asked"));
    seconds.store(88, Ordering::SeqCst);
    assert!(third.work(&new_worker()).expect("the rest"), "30 s without a beat");
    assert!(!third.work(&new_worker()).expect("asked"), "nothing is left");

    let found = comparison(&third);
    assert_eq!((found.state.as_str(), found.done, found.percent()), ("done", 1_201, 100));
    let at_once = third.compare_mapping(&"default".into(), DRAFT, |_, _| {}).expect("compared");
    assert_eq!((&found.effect, &found.coverage), (&at_once.effect, &at_once.coverage));
    let coverage = at_once.coverage;
    assert_eq!(
        (coverage.users, coverage.attributes["plan"], coverage.attributes["login"]),
        (1_201, 800, 1_201)
    );
    assert_eq!(
        (
            coverage.rules[0].given,
            coverage.rules[0].nothing["unverified"],
            coverage.rules[0].nothing["not_set"]
        ),
        (600, 600, 1)
    );
    assert_eq!((coverage.rules[1].given, coverage.rules[1].nothing["not_set"]), (800, 401));
    let at_once = at_once.effect;
    assert_eq!(
        (at_once.users, at_once.changed, at_once.newly_refused(), at_once.unchanged),
        (1_201, 400, 200, 601)
    );
    assert_eq!(at_once.claims["labels"].users, 400);
    assert_eq!(at_once.refused["missing"].samples.len(), 5);
}

#[apply(every_storage)]
fn a_job_that_cannot_be_read_fails_and_can_begin_again(storage: &Storage) {
    let (app, ada) = begun(storage);
    storage.write(|db| db.execute("UPDATE jobs SET report = '{\"users\": 7}'", &[]));
    assert!(app.work(&new_worker()).expect("it is taken"));
    assert_eq!(storage.texts("SELECT state FROM jobs"), ["failed"]);
    assert_eq!(app.comparison(&"default".into(), &ada).expect("asked"), None);
    app.begin_comparison(&"default".into(), &ada).expect("begun");
    assert!(app.work(&new_worker()).expect("done"));
    assert_eq!(
        app.comparison(&"default".into(), &ada).expect("asked").expect("there").state.as_str(),
        "done"
    );
}

#[apply(every_storage)]
fn a_user_who_cannot_be_read_fails_the_job_instead_of_being_tried_for_ever(storage: &Storage) {
    let (app, _) = begun(storage);
    storage.write(|db| db.execute("UPDATE users SET custom = 'no JSON' WHERE login = 'user700'", &[]));
    assert!(app.work(&new_worker()).expect("it is taken"));
    assert_eq!(storage.texts("SELECT state FROM jobs"), ["failed"]);
    assert!(!app.work(&new_worker()).expect("asked"), "nothing is left to try");
}

#[apply(every_storage)]
fn another_draft_of_the_same_revision_is_compared_anew(storage: &Storage) {
    let (app, ada) = begun(storage);
    assert!(app.work(&new_worker()).expect("done"));
    assert!(app.comparison(&"default".into(), &ada).expect("asked").is_some());
    let known = app.draft(&"default".into(), &ada).expect("a draft").revision;
    app.discard_draft(&"default".into(), &ada, known).expect("thrown away");
    let begun = app.draft(&"default".into(), &ada).expect("a draft").revision;
    app.save_draft(&"default".into(), &ada, begun, &DRAFT.replace("refuse", "omit"), "typed").expect("kept");
    assert_eq!(app.comparison(&"default".into(), &ada).expect("asked"), None);
}

#[apply(every_storage)]
fn a_comparison_of_what_a_draft_was_before_ends(storage: &Storage) {
    let (app, ada) = begun(storage);
    let states = || storage.texts("SELECT state FROM jobs ORDER BY created_at, id");
    let known = app.draft(&"default".into(), &ada).expect("a draft").revision;
    app.save_draft(&"default".into(), &ada, known, &DRAFT.replace("refuse", "omit"), "typed").expect("kept");
    app.begin_comparison(&"default".into(), &ada).expect("begun");
    assert_eq!(states(), ["cancelled", "waiting"]);
    app.publish_draft(&"default".into(), &ada, known + 1, "enough", &Caller::cli()).expect("published");
    assert!(states().is_empty(), "comparisons go with their draft");
}

#[apply(every_storage)]
fn of_the_comparisons_of_one_draft_the_last_few_stay(storage: &Storage) {
    let (app, ada) = begun(storage);
    for round in 0..10 {
        let known = app.draft(&"default".into(), &ada).expect("a draft").revision;
        let text = DRAFT.replace(
            "\"labels\", \"from\": {\"attribute\": \"plan\"}",
            &format!("\"labels\", \"from\": {{\"constant\": \"{round}\"}}"),
        );
        app.save_draft(&"default".into(), &ada, known, &text, "typed").expect("kept");
        app.begin_comparison(&"default".into(), &ada).expect("started");
    }
    assert_eq!(storage.number("SELECT COUNT(*) FROM jobs"), 6);
}

#[apply(every_storage)]
fn comparisons_that_are_begun_at_once_are_one(storage: &Storage) {
    let (app, ada) = begun(storage);
    let (second, third) = (storage.app(), storage.app());
    super::at_once([&app, &second, &third].map(|app| {
        let ada = &ada;
        move || app.compare_anew(&"default".into(), ada).expect("begun")
    }));
    assert_eq!(storage.number("SELECT COUNT(*) FROM jobs"), 1);
}

#[apply(every_storage)]
fn a_step_of_a_draft_that_makes_much_work_ends_in_time(storage: &Storage) {
    let (app, ada) = begun(storage);
    // Every user has 500 items for 60 tables of steps: more than a step's time for all of them.
    let list: Vec<String> = (0..500).map(|item| format!("item {item}")).collect();
    app.set_attribute("tags", countersign::app::attributes::Change::default(), &Caller::cli(), |_| {})
        .expect("made");
    let mut file = String::from("login,tags\n");
    for user in 0..500 {
        writeln!(file, "user{user},{}", list.join("|")).expect("written");
    }
    app.import_users(file.as_bytes(), Options::default(), &Caller::cli(), |_| {}, |_| {}).expect("taken in");
    let rule = r#"{"claim": "labels", "from": {"attribute": "tags"}, "steps": [{"split": "|"}, "upper", "lower", "upper", "lower"]}"#;
    let draft = format!(
        r#"{{"rules": [{{"claim": "email", "from": {{"attribute": "email"}}}}, {}]}}"#,
        vec![rule; 60].join(", ")
    );
    let known = app.draft(&"default".into(), &ada).expect("a draft").revision;
    app.save_draft(&"default".into(), &ada, known, &draft, "typed").expect("kept");
    app.begin_comparison(&"default".into(), &ada).expect("begun");
    app.stop();
    app.work(&new_worker()).expect("a step");
    let done = app.comparison(&"default".into(), &ada).expect("asked").expect("there").done;
    assert!((1..500).contains(&done), "{done}");
}

#[apply(every_storage)]
fn a_cancelled_comparison_stops_and_can_begin_again(storage: &Storage) {
    let (app, ada) = begun(storage);
    app.cancel_comparison(&"default".into(), &ada).expect("cancelled");
    assert!(!app.work(&new_worker()).expect("asked"));
    let state = || app.comparison(&"default".into(), &ada).expect("asked").expect("there").state.as_str();
    assert_eq!(state(), "cancelled");
    app.begin_comparison(&"default".into(), &ada).expect("begun");
    assert_eq!(state(), "waiting");
    assert!(app.work(&new_worker()).expect("done"));
    assert_eq!(state(), "done");
}
