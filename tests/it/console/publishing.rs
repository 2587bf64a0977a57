//! Publishing, two publishers at once, and going back.

use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::app::{AppError, Caller};
use countersign::core::id::UserId;
use countersign::core::user::Role;
use rstest_reuse::apply;

use super::{add_rule, admin, fill, filled_in, press, send};
use crate::server::{Browser, World, everywhere, wait_until};

const PUBLISH: &str = "<form method=\"post\" class=\"sheet\" id=\"publish\">";

/// The form on the page that publishes, with a reason in it.
fn publishing(browser: &Browser) -> Vec<(String, String)> {
    let mut fields = filled_in(&browser.get("/admin/mapping/publish"), PUBLISH, "publish");
    fill(&mut fields, "reason", "it is time");
    fields
}

fn add_label(browser: &Browser, text: &str) {
    let rule = add_rule(browser, "labels", "");
    press(browser, &rule, &[("from", "constant")], "preview");
    press(browser, &rule, &[("from/constant", text)], "save");
}

fn version(world: &World) -> i64 {
    world.app.published_mapping(&"default".into()).expect("asked").map_or(0, |version| version.number)
}

#[apply(everywhere)]
fn the_slower_admin_is_told_that_the_mapping_changed_and_merges_by_hand(world: &World) {
    let (ada, bob) = (admin(world, "ada"), admin(world, "bob"));
    add_label(&ada, "ada was here");
    add_label(&bob, "bob was here");
    let (by_ada, by_bob) = (publishing(&ada), publishing(&bob));
    assert_eq!(send(&ada, "/admin/mapping/publish", &by_ada).status, 303);
    let told = send(&bob, "/admin/mapping/publish", &by_bob);
    assert_eq!(told.status, 409);
    for text in [
        "Version 1 was published in the meantime",
        "<bdi>ada</bdi> published version 1",
        "ada was here",
        "bob was here",
        "Your changes are not lost",
    ] {
        assert!(told.body.contains(text), "{text}: {}", told.body);
    }
    assert_eq!(version(world), 1);
    assert!(bob.get("/admin/mapping").body.contains("Version 1 was published in the meantime"));

    let rebase = filled_in(&told, "<form method=\"post\" class=\"actions\">", "rebase");
    assert_eq!(send(&bob, "/admin/mapping/publish", &rebase).status, 303);
    let review = bob.get("/admin/mapping/publish");
    assert!(review.body.contains("Publish version 2"), "{}", review.body);
    assert_eq!(send(&bob, "/admin/mapping/publish", &publishing(&bob)).status, 303);
    assert_eq!(version(world), 2);

    let page = ada.get("/admin/mapping/versions/1");
    let back = filled_in(&page, "<form method=\"post\" class=\"sheet\" id=\"back\"", "restore");
    assert_eq!(send(&ada, "/admin/mapping/versions/1", &back).status, 303);
    assert_eq!(version(world), 3);
    let restored = ada.get("/admin/mapping/versions/3");
    assert!(
        restored.body.contains("Back to version 1") && restored.body.contains("ada was here"),
        "{}",
        restored.body
    );
    let stale = send(&ada, "/admin/mapping/versions/1", &back);
    assert_eq!(stale.status, 409, "a version was published since that page was opened");
    assert_eq!(version(world), 3);
}

#[apply(everywhere)]
fn who_changes_is_known_before_publishing_and_a_lost_token_needs_a_reason(world: &World) {
    world.attribute("plan");
    for (login, plan) in [("gil", "gold"), ("sue", "silver"), ("tom", "")] {
        let (address, proof) = (format!("{login}@example.com"), ("email_verified", "yes"));
        world.user_with(login, Role::User, &[("email", &address), proof, ("plan", plan)]);
    }
    world.user_with("una", Role::User, &[("email", "una@example.com")]);
    let ada = admin(world, "ada");
    let rule = add_rule(&ada, "labels", "plan");
    press(&ada, &rule, &[("missing", "refuse")], "save");
    let review = |button: &str| {
        let fields = filled_in(&ada.get("/admin/mapping/publish"), "<form method=\"post\">", button);
        send(&ada, "/admin/mapping/publish", &fields)
    };
    let early = send(
        &ada,
        "/admin/mapping/publish",
        &filled_in(&ada.get("/admin/mapping/publish"), PUBLISH, "publish"),
    );
    assert_eq!(early.status, 422);
    assert!(early.body.contains("It is not known yet who changes."), "{}", early.body);
    assert_eq!(review("compare").status, 303);
    wait_until("all users are looked at", || {
        ada.get("/admin/mapping/publish").body.contains("Lose their token")
    });
    let page = ada.get("/admin/mapping/publish").body;
    for number in [
        "<dt>Unchanged</dt><dd>1</dd>",
        "<dt>Changed</dt><dd>2</dd>",
        "<dt>Lose their token</dt><dd>2</dd>",
        "<dt>Get a token</dt><dd>0</dd>",
    ] {
        assert!(page.contains(number), "{number}: {page}");
    }
    for text in ["<code>missing</code>", "<bdi>tom</bdi>", "<bdi>gold</bdi>", "<bdi>sue</bdi>"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let blank = send(
        &ada,
        "/admin/mapping/publish",
        &filled_in(&ada.get("/admin/mapping/publish"), PUBLISH, "publish"),
    );
    assert_eq!(blank.status, 422);
    assert!(blank.body.contains("2 users would no longer get a token. Give a reason."), "{}", blank.body);
    assert_eq!(version(world), 0);
    assert_eq!(send(&ada, "/admin/mapping/publish", &publishing(&ada)).status, 303);
    assert_eq!(version(world), 1);
}

#[apply(everywhere)]
fn nobody_s_token_is_lost_so_no_reason_is_needed(world: &World) {
    let ada = admin(world, "ada");
    add_label(&ada, "x");
    let fields = filled_in(&ada.get("/admin/mapping/publish"), "<form method=\"post\">", "compare");
    send(&ada, "/admin/mapping/publish", &fields);
    wait_until("all users are looked at", || {
        ada.get("/admin/mapping/publish").body.contains("Lose their token")
    });
    let fields = filled_in(&ada.get("/admin/mapping/publish"), PUBLISH, "publish");
    assert_eq!(send(&ada, "/admin/mapping/publish", &fields).status, 303);
    assert_eq!(version(world), 1);
}

#[apply(everywhere)]
fn a_draft_that_was_begun_before_another_version_overwrites_nothing(world: &World) {
    let ada = admin(world, "ada");
    let bob = admin(world, "bob");
    let (early, remove) = (
        filled_in(&ada.get("/admin/mapping/rules/1"), super::RULE, "save"),
        "<form method=\"post\" class=\"rule-actions\">",
    );
    let stale = filled_in(&ada.get("/admin/mapping"), remove, "remove-1");
    add_label(&bob, "bob was here");
    assert_eq!(send(&bob, "/admin/mapping/publish", &publishing(&bob)).status, 303);
    let mut late = early.clone();
    fill(&mut late, "from", "constant");
    fill(&mut late, "from/constant", "typed by ada");
    let told = send(&ada, "/admin/mapping/rules/1", &late);
    assert_eq!((told.status, told.body.contains("typed by ada")), (409, true), "{}", told.body);
    assert_eq!(send(&ada, "/admin/mapping", &stale).status, 409);
    // A draft that was thrown away, and can be undone, follows the next version all the same.
    add_label(&bob, "bob again");
    let page = bob.get("/admin/mapping");
    assert_eq!(
        send(
            &bob,
            "/admin/mapping",
            &filled_in(&page, "<form method=\"post\" class=\"actions\">", "discard")
        )
        .status,
        303
    );
    world
        .app
        .publish_mapping(
            &"default".into(),
            r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}]}"#,
            "",
            &Caller::cli(),
        )
        .expect("published");
    assert_eq!(bob.get("/admin/mapping").body.matches("class=\"rule-actions\"").count(), 1);
    // The revision of a draft that was thrown away never comes back with another.
    let id = world.app.user(&countersign::core::user::Login::parse("ada").expect("a login")).expect("ada").id;
    let begun = world.app.draft(&"default".into(), &id).expect("a draft").revision;
    let first = world.app.save_draft(&"default".into(), &id, begun, "{}", "typed").expect("kept").revision;
    assert!(matches!(
        world.app.discard_draft(&"default".into(), &id, first + 999),
        Err(AppError::DraftMoved)
    ));
    assert!(
        matches!(world.app.rebase_draft(&"default".into(), &id, first, 3), Err(AppError::MappingMoved(_))),
        "version 3 is not in force"
    );
    world.app.rebase_draft(&"default".into(), &id, first, 2).expect("version 2 is");
    world.app.discard_draft(&"default".into(), &id, first + 1).expect("thrown away");
    let discarded = world.app.draft(&"default".into(), &id).expect("a draft").revision;
    world.app.save_draft(&"default".into(), &id, discarded, "[]", "typed").expect("kept");
    assert!(matches!(
        world.app.save_draft(&"default".into(), &id, first, "{}", "typed"),
        Err(AppError::DraftMoved)
    ));
    let answer = send(
        &ada,
        "/admin/mapping/publish",
        &[
            ("do".to_owned(), "publish".to_owned()),
            ("csrf_token".to_owned(), ada.get("/admin/mapping").csrf()),
            ("revision".to_owned(), first.to_string()),
            ("reason".to_owned(), "mine".to_owned()),
        ],
    );
    assert_eq!(
        (answer.status, answer.body.contains("changed in another window")),
        (409, true),
        "{}",
        answer.body
    );
}

#[apply(everywhere)]
fn who_changes_is_looked_at_again_when_users_changed(world: &World) {
    world.attribute("plan");
    world.user_with(
        "gil",
        Role::User,
        &[("email", "gil@example.com"), ("email_verified", "yes"), ("plan", "gold")],
    );
    let ada = admin(world, "ada");
    world
        .app
        .change_user(
            &countersign::core::user::Login::parse("ada").expect("a login"),
            &[("plan".to_owned(), "gold".to_owned())],
            &Caller::cli(),
        )
        .expect("changed");
    let rule = add_rule(&ada, "labels", "plan");
    press(&ada, &rule, &[("missing", "refuse")], "save");
    let look = |button: &str| {
        let page = ada.get("/admin/mapping/publish");
        let form = if button == "again" {
            "<form method=\"post\" class=\"looked\">"
        } else {
            "<form method=\"post\">"
        };
        assert_eq!(send(&ada, "/admin/mapping/publish", &filled_in(&page, form, button)).status, 303);
        wait_until("all users are looked at", || {
            ada.get("/admin/mapping/publish").body.contains("Lose their token")
        });
        ada.get("/admin/mapping/publish").body
    };
    let blank = || {
        send(
            &ada,
            "/admin/mapping/publish",
            &filled_in(&ada.get("/admin/mapping/publish"), PUBLISH, "publish"),
        )
    };
    assert!(look("compare").contains("<dt>Lose their token</dt><dd>0</dd>"));
    // Many users at once count at once.
    let file = b"login,email,email_verified\nlate,late@example.com,yes\n";
    world
        .app
        .import_users(file, countersign::app::import::Options::default(), &Caller::cli(), |_| {}, |_| {})
        .expect("taken in");
    assert!(ada.get("/admin/mapping/publish").body.contains("Users have changed since."));
    let told = blank();
    assert_eq!(
        (told.status, told.body.contains("Users have changed since the last check of who changes.")),
        (422, true),
        "{}",
        told.body
    );
    assert!(look("again").contains("<dt>Lose their token</dt><dd>1</dd>"));
    world
        .app
        .change_user(
            &countersign::core::user::Login::parse("late").expect("a login"),
            &[("plan".to_owned(), "gold".to_owned())],
            &Caller::cli(),
        )
        .expect("changed");
    assert!(
        !ada.get("/admin/mapping/publish").body.contains("Users have changed since."),
        "a single user changes all the time"
    );
    assert!(look("again").contains("<dt>Lose their token</dt><dd>0</dd>"));
    let mut invisible = filled_in(&ada.get("/admin/mapping/publish"), PUBLISH, "publish");
    fill(&mut invisible, "reason", "\u{200b}");
    assert_eq!(
        send(&ada, "/admin/mapping/publish", &invisible).status,
        303,
        "nobody loses it, so none is needed"
    );
}

#[apply(everywhere)]
fn of_two_admins_who_publish_at_once_one_wins_and_the_other_keeps_the_draft(world: &World) {
    let admins: Vec<UserId> = ["ada", "bob"]
        .iter()
        .map(|login| {
            admin(world, login);
            world.app.user(&countersign::core::user::Login::parse(login).expect("a login")).expect("there").id
        })
        .collect();
    let (other, _server) = world.second_instance();
    for round in 0..20 {
        let text = |who: &str| {
            format!(
                r#"{{"rules": [{{"claim": "email", "from": {{"attribute": "email"}}}}, {{"claim": "labels", "from": {{"constant": "{who} {round}"}}}}]}}"#
            )
        };
        let drafts: Vec<_> = admins
            .iter()
            .map(|id| {
                let known = world.app.draft(&"default".into(), id).expect("a draft").revision;
                world.app.discard_draft(&"default".into(), id, known).expect("thrown away");
                let begun = world.app.draft(&"default".into(), id).expect("a draft").revision;
                world.app.save_draft(&"default".into(), id, begun, &text(id.as_str()), "typed").expect("kept")
            })
            .collect();
        let won = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for ((app, id), draft) in [&world.app, &other].into_iter().zip(&admins).zip(&drafts) {
                let won = &won;
                scope.spawn(move || {
                    match app.publish_draft(&"default".into(), id, draft.revision, "at once", &Caller::cli())
                    {
                        Ok(version) => {
                            assert_eq!(version.number, round + 1);
                            won.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(AppError::MappingMoved(theirs)) => {
                            assert_eq!(theirs.number, round + 1);
                            assert_eq!(
                                app.draft(&"default".into(), id).expect("a draft").text,
                                text(id.as_str()),
                                "nothing is lost"
                            );
                        }
                        Err(error) => panic!("{error}"),
                    }
                });
            }
        });
        assert_eq!(won.into_inner(), 1, "round {round}");
        assert_eq!(version(world), round + 1);
    }
}
