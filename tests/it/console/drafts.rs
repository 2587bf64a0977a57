//! A draft as a file, in a second window, and undone: nothing typed is lost.

use rstest_reuse::apply;

use super::{RULE, add_rule, admin, fill, filled_in, press, send};
use crate::server::{World, everywhere};

#[apply(everywhere)]
fn a_file_takes_the_place_of_the_draft_and_comes_back_as_it_was(world: &World) {
    let ada = admin(world, "ada");
    let file = ada.get("/admin/mapping/file");
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"mapping-draft.json\""));
    let mut fields = filled_in(&ada.get("/admin/mapping"), "id=\"file\"", "text");
    let text = "{\"rules\": [{\"claim\": \"email\", \"from\": {\"attribute\": \"email\"}}]}\n";
    fill(&mut fields, "text", text);
    assert_eq!(send(&ada, "/admin/mapping", &fields).status, 303);
    assert_eq!(ada.get("/admin/mapping/file").body, text);
    assert!(ada.get("/admin/audit?event=draft_imported").body.contains("rules: <bdi>1</bdi>"));
    // What is no mapping is kept as it is, to be mended.
    let mut fields = filled_in(&ada.get("/admin/mapping"), "id=\"file\"", "text");
    fill(&mut fields, "text", "{\"rules\": [}");
    assert_eq!(send(&ada, "/admin/mapping", &fields).status, 303);
    let page = ada.get("/admin/mapping");
    assert!(
        page.body.contains("The draft as text") && page.body.contains("The draft is not JSON"),
        "{}",
        page.body
    );
}

#[apply(everywhere)]
fn a_second_window_is_told_and_keeps_what_was_typed(world: &World) {
    let ada = admin(world, "ada");
    let rule = add_rule(&ada, "labels", "login");
    let mut first = filled_in(&ada.get(&rule), RULE, "save");
    let mut second = first.clone();
    fill(&mut first, "from/attribute", "email");
    fill(&mut second, "from", "constant");
    fill(&mut second, "from/constant", "from the second window");
    assert_eq!(send(&ada, &rule, &first).status, 303);
    let told = send(&ada, &rule, &second);
    assert_eq!(told.status, 409);
    assert!(told.body.contains("changed in another window") && told.body.contains("from the second window"));
    assert!(ada.get(&rule).body.contains("<option value=\"email\" selected>"));
}

#[apply(everywhere)]
fn a_button_of_a_page_that_is_old_changes_nothing_and_says_so(world: &World) {
    let ada = admin(world, "ada");
    let remove =
        filled_in(&ada.get("/admin/mapping"), "<form method=\"post\" class=\"rule-actions\">", "remove-0");
    assert_eq!(send(&ada, "/admin/mapping", &remove).status, 303);
    let again = send(&ada, "/admin/mapping", &remove);
    assert_eq!(again.status, 409);
    assert!(
        again.body.contains("This was changed in the meantime") && again.body.contains("changed_meanwhile"),
        "{}",
        again.body
    );
    assert_eq!(
        ada.get("/admin/mapping").body.matches("class=\"rule-actions\"").count(),
        2,
        "one rule is gone, not two"
    );
    let mut fields = filled_in(&ada.get("/admin/mapping"), "id=\"file\"", "text");
    fill(&mut fields, "text", "a\0b");
    let refused = send(&ada, "/admin/mapping", &fields);
    assert_eq!(refused.status, 400, "{}", refused.body);
}

#[apply(everywhere)]
fn looking_at_another_user_keeps_what_was_typed(world: &World) {
    world.user("gil");
    let ada = admin(world, "ada");
    let rule = add_rule(&ada, "labels", "login");
    let mut fields = filled_in(&ada.get(&rule), RULE, "preview");
    fill(&mut fields, "from", "constant");
    fill(&mut fields, "from/constant", "typed");
    // The search stands outside the form and belongs to it.
    fields.push(("user".to_owned(), "gil".to_owned()));
    let shown = send(&ada, &rule, &fields);
    assert!(shown.header("location").is_some_and(|to| to.ends_with("?user=gil&focus=preview")), "{shown:?}");
    let page = ada.get(&format!("{rule}?user=gil&focus=preview")).body;
    assert!(page.contains("value=\"typed\"") && page.contains("<bdi><b>gil</b></bdi>"), "{page}");
    let mut fields = filled_in(&ada.get(&rule), RULE, "");
    fill(&mut fields, "from/constant", "typed again");
    fields.push(("show".to_owned(), "gil".to_owned()));
    assert!(send(&ada, &rule, &fields).header("location").is_some_and(|to| to.contains("user=gil")));
    assert!(ada.get(&rule).body.contains("value=\"typed again\""));
}

#[apply(everywhere)]
fn a_discarded_draft_comes_back_by_undo(world: &World) {
    let ada = admin(world, "ada");
    let rule = add_rule(&ada, "labels", "");
    press(&ada, &rule, &[("from", "constant")], "preview");
    press(&ada, &rule, &[("from/constant", "worth keeping")], "save");
    let button = |button: &str| {
        let fields =
            filled_in(&ada.get("/admin/mapping"), "<form method=\"post\" class=\"actions\">", button);
        assert_eq!(send(&ada, "/admin/mapping", &fields).status, 303);
        ada.get("/admin/mapping").body
    };
    let discarded = button("discard");
    assert!(
        !discarded.contains("worth keeping") && discarded.contains("Last change: Discarded the draft."),
        "{discarded}"
    );
    assert!(button("undo").contains("worth keeping"));
}

#[apply(everywhere)]
fn a_change_can_be_undone(world: &World) {
    let ada = admin(world, "ada");
    let before = ada.get("/admin/mapping").body.matches("class=\"rule-actions\"").count();
    let fields =
        filled_in(&ada.get("/admin/mapping"), "<form method=\"post\" class=\"rule-actions\">", "remove-0");
    assert_eq!(send(&ada, "/admin/mapping", &fields).status, 303);
    let page = ada.get("/admin/mapping");
    assert_eq!(page.body.matches("class=\"rule-actions\"").count(), before - 1);
    assert!(page.body.contains("Last change: Removed the rule for Email address."));
    let undo = filled_in(&page, "<form method=\"post\" class=\"actions\">", "undo");
    assert_eq!(send(&ada, "/admin/mapping", &undo).status, 303);
    assert_eq!(ada.get("/admin/mapping").body.matches("class=\"rule-actions\"").count(), before);
}
