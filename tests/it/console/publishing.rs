//! Publishing, two publishers at once, and going back.

use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::app::{AppError, Caller};
use countersign::core::user::Role;

use super::{add_rule, admin, fill, filled_in, press, send};
use crate::everywhere;
use crate::server::{Browser, World, wait_until};

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
    world.app.published_mapping("default").expect("asked").map_or(0, |version| version.number)
}

everywhere! {
    fn the_slower_admin_is_told_that_the_mapping_changed_and_merges_by_hand(world) {
        let (ada, bob) = (admin(world, "ada"), admin(world, "bob"));
        add_label(&ada, "ada was here");
        add_label(&bob, "bob was here");
        let (by_ada, by_bob) = (publishing(&ada), publishing(&bob));
        assert_eq!(send(&ada, "/admin/mapping/publish", &by_ada).status, 303);
        let told = send(&bob, "/admin/mapping/publish", &by_bob);
        assert_eq!(told.status, 409);
        for text in ["Version 1 was published meanwhile", "<bdi>ada</bdi> published version 1", "ada was here", "bob was here", "Nothing of yours is lost"] {
            assert!(told.body.contains(text), "{text}: {}", told.body);
        }
        assert_eq!(version(world), 1);
        assert!(bob.get("/admin/mapping").body.contains("Version 1 was published meanwhile"));

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
        assert!(restored.body.contains("Back to version 1") && restored.body.contains("ada was here"), "{}", restored.body);
        let stale = send(&ada, "/admin/mapping/versions/1", &back);
        assert_eq!(stale.status, 409, "a version was published since that page was opened");
        assert_eq!(version(world), 3);
    }

    fn who_changes_is_known_before_publishing_and_a_lost_token_needs_a_reason(world) {
        world.app.set_attribute("plan", countersign::app::attributes::Change::default(), &Caller::cli()).expect("made");
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
        let early = send(&ada, "/admin/mapping/publish", &filled_in(&ada.get("/admin/mapping/publish"), PUBLISH, "publish"));
        assert_eq!(early.status, 422);
        assert!(early.body.contains("It is not known yet who changes by this."), "{}", early.body);
        assert_eq!(review("compare").status, 303);
        wait_until("all users are looked at", || ada.get("/admin/mapping/publish").body.contains("Lose the token"));
        let page = ada.get("/admin/mapping/publish").body;
        for number in ["<dt>Unchanged</dt><dd>1</dd>", "<dt>Changed</dt><dd>2</dd>", "<dt>Lose the token</dt><dd>2</dd>", "<dt>Get one</dt><dd>0</dd>"] {
            assert!(page.contains(number), "{number}: {page}");
        }
        for text in ["<code>missing</code>", "<bdi>tom</bdi>", "<bdi>gold</bdi>", "<bdi>sue</bdi>"] {
            assert!(page.contains(text), "{text}: {page}");
        }
        let blank = send(&ada, "/admin/mapping/publish", &filled_in(&ada.get("/admin/mapping/publish"), PUBLISH, "publish"));
        assert_eq!(blank.status, 422);
        assert!(blank.body.contains("2 users lose the token by this. Say why."), "{}", blank.body);
        assert_eq!(version(world), 0);
        assert_eq!(send(&ada, "/admin/mapping/publish", &publishing(&ada)).status, 303);
        assert_eq!(version(world), 1);
    }

    fn nobody_s_token_is_lost_so_no_reason_is_needed(world) {
        let ada = admin(world, "ada");
        add_label(&ada, "x");
        let fields = filled_in(&ada.get("/admin/mapping/publish"), "<form method=\"post\">", "compare");
        send(&ada, "/admin/mapping/publish", &fields);
        wait_until("all users are looked at", || ada.get("/admin/mapping/publish").body.contains("Lose the token"));
        let fields = filled_in(&ada.get("/admin/mapping/publish"), PUBLISH, "publish");
        assert_eq!(send(&ada, "/admin/mapping/publish", &fields).status, 303);
        assert_eq!(version(world), 1);
    }

    fn of_two_admins_who_publish_at_once_one_wins_and_the_other_keeps_the_draft(world) {
        let admins: Vec<String> = ["ada", "bob"].iter().map(|login| {
            admin(world, login);
            world.app.user(&countersign::core::user::Login::parse(login).expect("a login")).expect("there").id
        }).collect();
        let (other, _server) = world.second_instance();
        for round in 0..20 {
            let text = |who: &str| format!(r#"{{"rules": [{{"claim": "email", "from": {{"attribute": "email"}}}}, {{"claim": "labels", "from": {{"constant": "{who} {round}"}}}}]}}"#);
            let drafts: Vec<_> = admins.iter().map(|id| {
                world.app.discard_draft("default", id).expect("thrown away");
                world.app.save_draft("default", id, 0, &text(id), "typed").expect("kept")
            }).collect();
            let won = AtomicUsize::new(0);
            std::thread::scope(|scope| {
                for ((app, id), draft) in [&world.app, &other].into_iter().zip(&admins).zip(&drafts) {
                    let won = &won;
                    scope.spawn(move || match app.publish_draft("default", id, draft.revision, "at once", &Caller::cli()) {
                        Ok(version) => {
                            assert_eq!(version.number, round + 1);
                            won.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(AppError::MappingMoved(theirs)) => {
                            assert_eq!(theirs.number, round + 1);
                            assert_eq!(app.draft("default", id).expect("a draft").text, text(id), "nothing is lost");
                        }
                        Err(error) => panic!("{error}"),
                    });
                }
            });
            assert_eq!(won.into_inner(), 1, "round {round}");
            assert_eq!(version(world), round + 1);
        }
    }
}
