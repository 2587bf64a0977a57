//! Expected payloads: written down by a form, held against drafts, asked about before publishing.

use countersign::app::Caller;
use countersign::core::user::{Login, Role};
use rstest_reuse::apply;

use super::{add_rule, admin, fill, filled_in, press, send};
use crate::server::{Browser, World, everywhere};

const FORM: &str = "<form id=\"expect\"";
const PUBLISH: &str = "<form method=\"post\" class=\"sheet\" id=\"publish\">";

fn page_of(login: &str) -> String {
    format!("/admin/mapping/expected/user?login={login}")
}

/// Writes down what a user must get, from what the form offers.
fn keep(browser: &Browser, login: &str, changes: &[(&str, &str)], button: &str) {
    let mut fields = filled_in(&browser.get(&page_of(login)), FORM, button);
    for (name, value) in changes {
        fill(&mut fields, name, value);
    }
    let kept = send(browser, "/admin/mapping/expected/user", &fields);
    assert_eq!(kept.status, 303, "{}", kept.body);
}

fn file(browser: &Browser) -> String {
    browser.get("/admin/mapping/expected/file").body
}

fn ana(world: &World) {
    world.user_with(
        "ana",
        Role::User,
        &[("email", "ana@example.com"), ("email_verified", "yes"), ("display_name", "Ana Kovač")],
    );
}

#[apply(everywhere)]
fn what_a_user_must_get_is_kept_as_the_draft_makes_it_and_as_it_is_typed(world: &World) {
    ana(world);
    let ada = admin(world, "ada");
    assert!(ada.get("/admin/mapping/expected").body.contains("There are no expected payloads yet."));
    let page = ada.get(&page_of("ana")).body;
    assert!(
        page.contains("There is no expected payload for <bdi>ana</bdi> yet")
            && page.contains("value=\"Ana Kovač\""),
        "{page}"
    );
    keep(&ada, "ana", &[], "keep");
    assert_eq!(
        file(&ada),
        "{\"login\":\"ana\",\"payload\":{\"email\":\"ana@example.com\",\"name\":\"Ana Kovač\"}}\n"
    );
    assert!(ada.get("/admin/mapping/expected").body.matches("as expected").count() == 2);
    // Lists by lines, one of them with a line break in it; a list that is there but empty.
    keep(
        &ada,
        "ana",
        &[("claim/name", " <b>Ana</b> "), ("claim/labels", "one\r\n\r\ntwo words\r\n"), ("claim/email", "")],
        "keep",
    );
    assert_eq!(
        file(&ada),
        "{\"login\":\"ana\",\"payload\":{\"labels\":[\"one\",\"two words\"],\"name\":\"<b>Ana</b>\"}}\n"
    );
    let list = ada.get("/admin/mapping/expected").body;
    assert!(
        list.contains("3 differences") && list.contains("but must not be sent") && !list.contains("<b>Ana"),
        "{list}"
    );
    assert!(
        ada.get("/admin/mapping?user=ana").body.contains("This is not the expected payload of this user")
    );
    keep(&ada, "ana", &[], "draft");
    assert!(file(&ada).contains("Ana Kovač"));
    keep(&ada, "ana", &[("outcome", "refused"), ("refused", "unverified")], "keep");
    assert_eq!(file(&ada), "{\"login\":\"ana\",\"refused\":\"unverified\"}\n");
    assert!(
        ada.get("/admin/mapping/expected")
            .body
            .contains("There is a token, but the refusal unverified is expected.")
    );
    keep(&ada, "ana", &[], "remove");
    assert_eq!(file(&ada), "");
    let audit = ada.get("/admin/audit").body;
    assert!(audit.contains("Expected payload set") && audit.contains("Expected payload removed"));
}

#[apply(everywhere)]
fn every_text_of_a_payload_passes_through_the_form(world: &World) {
    ana(world);
    let ada = admin(world, "ada");
    let line = r#"{"login":"ana","payload":{"emails":[],"labels":["a\nb","c\\n","d","[]"],"name":"</textarea>\r\n\"&#39;","fields":{"7":"x","9":["y","z"]}}}"#;
    world.app.import_expected(&"default".into(), line, &Caller::cli()).expect("asked").expect("kept");
    let before = file(&ada);
    keep(&ada, "ana", &[], "keep");
    // A browser writes every line break of a field as CR LF; ours travel escaped.
    let after = file(&ada);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&after).expect("JSON"),
        serde_json::from_str::<serde_json::Value>(&before).expect("JSON")
    );
}

#[apply(everywhere)]
fn a_draft_that_breaks_one_says_so_and_publishing_it_needs_a_reason(world: &World) {
    ana(world);
    let ada = admin(world, "ada");
    keep(&ada, "ana", &[], "keep");
    let rule = add_rule(&ada, "labels", "");
    press(&ada, &rule, &[("from", "constant")], "preview");
    press(&ada, &rule, &[("from/constant", "new")], "save");
    assert!(ada.get("/admin/mapping").body.contains("This draft does not produce the expected payloads"));
    let page = ada.get("/admin/mapping/publish");
    assert!(
        page.body.contains("Not as expected")
            && page.body.contains("labels is [&#34;new&#34;], but must not be sent."),
        "{}",
        page.body
    );
    let id = world.app.user(&Login::parse("ada").expect("a login")).expect("ada").id;
    world.app.begin_comparison(&"default".into(), &id).expect("begun");
    crate::server::wait_until("all are looked at", || {
        world
            .app
            .comparison(&"default".into(), &id)
            .expect("asked")
            .is_some_and(|it| it.state.as_str() == "done")
    });
    let blank = send(&ada, "/admin/mapping/publish", &filled_in(&page, PUBLISH, "publish"));
    assert_eq!(blank.status, 422);
    assert!(blank.body.contains("This is not the expected payload of ana: labels is"), "{}", blank.body);
    let mut fields = filled_in(&page, PUBLISH, "publish");
    fill(&mut fields, "reason", "labels are new");
    assert_eq!(send(&ada, "/admin/mapping/publish", &fields).status, 303);
    // Going back asks the same way.
    keep(&ada, "ana", &[], "draft");
    let starter = r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}]}"#;
    world
        .app
        .publish_mapping(&"default".into(), starter, "only the address", &Caller::cli())
        .expect("published");
    keep(&ada, "ana", &[], "draft");
    let page = ada.get("/admin/mapping/versions/1");
    assert!(
        page.body.contains("It does not produce the")
            && page.body.contains("labels is [&#34;new&#34;], but must not be sent."),
        "{}",
        page.body
    );
    let mut back = filled_in(&page, "<form method=\"post\" class=\"sheet\" id=\"back\"", "restore");
    let blank = send(&ada, "/admin/mapping/versions/1", &back);
    assert_eq!((blank.status, blank.body.contains("Give a reason.")), (422, true), "{}", blank.body);
    fill(&mut back, "reason", "\u{200b}");
    assert_eq!(send(&ada, "/admin/mapping/versions/1", &back).status, 422, "nothing that shows is no reason");
    fill(&mut back, "reason", "the labels are needed");
    assert_eq!(send(&ada, "/admin/mapping/versions/1", &back).status, 303);
    assert!(ada.get("/admin/mapping/versions/3").body.contains("Back to version 1: the labels are needed"));
}

#[apply(everywhere)]
fn a_file_with_a_wrong_line_is_refused_whole_and_stays_in_its_field(world: &World) {
    ana(world);
    let ada = admin(world, "ada");
    let mut fields =
        filled_in(&ada.get("/admin/mapping/expected"), "<details class=\"sheet\" id=\"file\"", "import");
    let text = "{\"login\": \"ana\", \"payload\": {\"name\": \"Ana\"}}\n{\"login\": \"nobody\", \"payload\": {}}\n{\"login\": \"ana\", \"payload\": {\"groups\": []}}\nx";
    fill(&mut fields, "text", text);
    let told = send(&ada, "/admin/mapping/expected", &fields);
    assert_eq!(told.status, 422);
    for sentence in [
        "Line 2, <bdi>nobody</bdi>: There is no user with this login.",
        "Line 3: This line cannot be read: There is no claim “groups”.",
        "Line 4: This line",
    ] {
        assert!(told.body.contains(sentence), "{sentence}: {}", told.body);
    }
    assert!(told.body.contains("nobody&#34;, &#34;payload"));
    assert_eq!(file(&ada), "");
    fill(
        &mut fields,
        "text",
        "{\"login\": \"ana\", \"payload\": {}}\n{\"login\": \"ANA\", \"refused\": \"missing\"}",
    );
    assert!(
        send(&ada, "/admin/mapping/expected", &fields)
            .body
            .contains("Line 2, <bdi>ana</bdi>: Line 1 already has an expected payload for this user.")
    );
    fill(&mut fields, "text", "\u{feff}{\"login\": \"ana\", \"payload\": {\"name\": \"Ana\"}}\n");
    assert_eq!(send(&ada, "/admin/mapping/expected", &fields).status, 303);
    assert_eq!(file(&ada), "{\"login\":\"ana\",\"payload\":{\"name\":\"Ana\"}}\n");
    assert_eq!(ada.get(&page_of("nobody")).status, 404);
    assert!(ada.get(&page_of("nobody")).body.contains("No single user matches “nobody”."));
    assert!(
        ada.get(&page_of("Kov")).body.contains("Expected payload of <bdi>Ana Kovač</bdi>"),
        "the beginning of a name will do"
    );
}
