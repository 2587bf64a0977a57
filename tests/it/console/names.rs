//! Names in place of ids: in rules, previews, the account, the audit log and a dry run, from the API or from a file.

use countersign::app::Caller;
use countersign::core::user::Role;
use countersign::standin::{Catalogue, Entry};
use rstest_reuse::apply;

use super::{RULE, add_rule, admin, fill, filled_in, press, send};
use crate::server::{Place, World, every_place, everywhere};
use crate::sync::{connect, run, settle, standin, world};

const FORM: &str = "<form class=\"actions between\" method=\"post\"";

/// Nobody types a number.
#[apply(every_place)]
fn gold_customers_get_the_group_gold(place: Place) {
    let standin = standin();
    let world = world(place, &standin);
    let desk = connect(&world);
    world.user_with(
        "gus",
        Role::User,
        &[("email", "gus@example.com"), ("email_verified", "yes"), ("plan", "gold")],
    );
    settle(&world, &desk);
    let ada = admin(&world, "ada");
    let rule = add_rule(&ada, "usergroup_ids", "plan");
    assert_eq!(press(&ada, &rule, &[("steps/new", "lookup")], "steps.add").status, 303);
    let saved = press(
        &ada,
        &rule,
        &[("steps/0/lookup/values/0/key", "silver"), ("steps/0/lookup/values/0/value", "Silver (8)")],
        "steps/0/lookup.add",
    );
    assert_eq!(saved.status, 303, "{}", saved.body);
    let page = ada.get(&rule);
    for part in
        ["<option value=\"Gold (7)\">", "value=\"Silver (8)\"", "list=\"offered\"", "it becomes the group<"]
    {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    assert!(!page.body.contains("Everyone (1)"), "it cannot be given");
    let saved = press(
        &ada,
        &rule,
        &[("steps/0/lookup/values/1/key", "gold"), ("steps/0/lookup/values/1/value", "gold")],
        "save",
    );
    assert_eq!(saved.status, 303, "{}", saved.body);
    let file = ada.get("/admin/mapping/file").body;
    assert!(file.contains("\"silver\": \"8\"") && file.contains("\"gold\": \"7\""), "{file}");

    // Read back: on the list, in the preview, before publishing, and in the audit log.
    let list = ada.get("/admin/mapping?user=gus").body;
    assert!(
        list.contains("<bdi>Silver (8)</bdi>") && list.contains("<bdi class=\"given\">Gold (7)</bdi>"),
        "{list}"
    );
    let publish = ada.get("/admin/mapping/publish");
    assert!(publish.body.contains("<bdi>Gold (7)</bdi>"), "{}", publish.body);
    let mut fields = filled_in(&publish, "<form method=\"post\" class=\"sheet\"", "publish");
    fill(&mut fields, "reason", "names");
    assert_eq!(send(&ada, "/admin/mapping/publish", &fields).status, 303);
    let audit = ada.get("/admin/audit").body;
    assert!(audit.contains("Gold (7)") && audit.contains("Names from Deskpro loaded"), "{audit}");

    run(&world, &desk, countersign::core::sync::RunKind::Sync);
    let gus = world.browser().signed_in("gus");
    for path in ["/", "/account"] {
        // The token only names the person; a draft of the other kind says more.
        assert_eq!(gus.get(path).status, 200);
    }
    world
        .app
        .publish_mapping(
            &"default".into(),
            &file.replace("\"token\": \"id\"", "\"token\": \"all\""),
            "for the account",
            &Caller::cli(),
        )
        .expect("published");
    for path in ["/", "/account"] {
        let seen = gus.get(path).body;
        assert!(seen.contains("<dt>Groups</dt><dd><bdi>Gold</bdi>"), "{seen}");
    }

    // A group that no longer exists, and one that was never there.
    let mut there = Catalogue::default();
    there.user_groups.retain(|group| group.id != 7);
    there.user_groups.push(Entry { id: 70, title: "Platinum".into() });
    standin.set_catalogue(there);
    let names = ada.get("/admin/mapping/names");
    assert!(names.body.contains("Read from the API"), "{}", names.body);
    let refreshed = send(&ada, "/admin/mapping/names", &filled_in(&names, FORM, "refresh"));
    assert_eq!(refreshed.status, 303, "{}", refreshed.body);
    let names = ada.get("/admin/mapping/names").body;
    assert!(names.contains("Platinum") && names.contains("no longer in Deskpro"), "{names}");
    let warned = ada.get(&rule).body;
    assert!(warned.contains("Deskpro no longer has the group “Gold (7)”"), "{warned}");
    assert!(
        !warned.contains("<option value=\"Gold (7)\">")
            && warned.contains("<option value=\"Platinum (70)\">")
    );
    let checked =
        world.app.check_mapping(&"default".into(), &file.replace("\"8\"", "\"88\"")).expect("checked");
    let found: Vec<_> = checked.findings.iter().map(|it| (it.code, it.pointer.as_str())).collect();
    let at = |key: &str| format!("/rules/5/steps/0/lookup/values/{key}");
    assert!(
        found.contains(&("unknown_id", at("silver").as_str()))
            && found.contains(&("unknown_id", at("gold").as_str())),
        "{found:?}"
    );

    let dry = ada.get(&format!("/admin/sync/{desk}/dry-run")).body;
    assert!(!dry.contains("user_groups"), "{dry}");
}

/// A field is chosen by its name, and so are its choices.
#[apply(every_place)]
fn a_custom_field_and_its_choices_are_chosen_by_name(place: Place) {
    let standin = standin();
    let world = world(place, &standin);
    connect(&world);
    let ada = admin(&world, "ada");
    world.user_with(
        "gus",
        Role::User,
        &[("email", "gus@example.com"), ("email_verified", "yes"), ("plan", "gold")],
    );
    let rule = add_rule(&ada, "fields.N", "plan");
    let saved = press(&ada, &rule, &[("field", "Plan (7)"), ("steps/new", "lookup")], "steps.add");
    assert_eq!(saved.status, 303, "{}", saved.body);
    let page = ada.get(&rule);
    for part in [
        "Plan (field 7)",
        "value=\"Plan (7)\"",
        "<option value=\"Gold (9)\">",
        "<option value=\"Interests (12)\">",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    let changes = [("steps/0/lookup/values/0/key", "gold"), ("steps/0/lookup/values/0/value", "Gold")];
    // What is typed is previewed before it is saved.
    let mut fields = filled_in(&ada.get(&rule), RULE, "");
    for (name, value) in changes {
        fill(&mut fields, name, value);
    }
    fields.push(("user".into(), "gus".into()));
    let preview = send(&ada, "/admin/mapping/preview", &fields);
    assert!(preview.body.contains("<bdi class=\"given\">Gold (9)</bdi>"), "{}", preview.body);
    assert_eq!(press(&ada, &rule, &changes, "save").status, 303);
    let file = ada.get("/admin/mapping/file").body;
    assert!(file.contains("\"fields.7\"") && file.contains("\"gold\": \"9\""), "{file}");

    let odd = press(&ada, &rule, &[("field", "Nothing")], "save");
    assert_eq!(odd.status, 303);
    assert!(ada.get(&rule).body.contains("fields.Nothing"), "what was typed stays, with its error");
}

#[apply(everywhere)]
fn a_site_without_an_api_key_loads_a_file(world: &World) {
    let ada = admin(world, "ada");
    let page = ada.get("/admin/mapping/names");
    let form = "<details";
    let mut fields = filled_in(&page, form, "import");
    fill(&mut fields, "names", "kind,id,name\nuser_group,7,Gold\ngroup,8,Silver\nuser_group,x,Bronze\n");
    let refused = send(&ada, "/admin/mapping/names", &fields);
    assert_eq!(refused.status, 422);
    for part in ["line 3", "line 4", "group,8,Silver", "Nothing was stored"] {
        assert!(refused.body.contains(part), "{part}: {}", refused.body);
    }
    fill(&mut fields, "names", "kind,id,name\nuser_group,7,<Gold> & Co\nfield,3,Plan\nchoice,3.9,Yearly\n");
    assert_eq!(send(&ada, "/admin/mapping/names", &fields).status, 303);
    let page = ada.get("/admin/mapping/names").body;
    for part in ["Imported from a file", "&#60;Gold&#62; &#38; Co", "Choices of Plan", "<code>3</code>"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let refused = world.app.refresh_catalogue(&"default".into(), &Caller::cli()).expect_err("not connected");
    assert!(refused.to_string().contains("catalogue import"), "{refused}");
}
