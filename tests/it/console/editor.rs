//! Building a mapping by its forms: nothing typed is lost, every error is at its field, and the
//! preview says what will be signed.

use rstest_reuse::apply;
use serde_json::json;

use super::{ADD, RULE, add_rule, admin, fill, filled_in, press, send};
use crate::server::{World, everywhere};

#[apply(everywhere)]
fn an_admin_builds_a_rule_with_a_table_and_sees_what_it_gives(world: &World) {
    world.attribute("plan");
    world.user_with(
        "gil",
        countersign::core::user::Role::User,
        &[("email", "gil@example.com"), ("email_verified", "yes"), ("plan", "gold")],
    );
    let ada = admin(world, "ada");
    let rule = add_rule(&ada, "usergroup_ids", "plan");
    assert_eq!(press(&ada, &rule, &[("steps/new", "lookup")], "steps.add").status, 303);
    let fresh = ada.get(&format!("{rule}?focus=steps/0"));
    assert!(
        !fresh.body.contains("field-error"),
        "nothing is wrong yet with a row that waits: {}",
        fresh.body
    );
    let row = [("steps/0/lookup/values/0/key", "gold"), ("steps/0/lookup/values/0/value", "7")];
    assert_eq!(press(&ada, &rule, &row, "steps/0/lookup.add").status, 303);
    assert_eq!(press(&ada, &rule, &[], "save").status, 303, "the empty row goes");
    let list = ada.get("/admin/mapping?user=gil");
    assert!(
        list.body.contains("<q class=\"value\"><bdi>gold</bdi></q> → <q class=\"value\"><bdi>7</bdi></q>"),
        "{}",
        list.body
    );
    assert!(list.body.contains("<bdi class=\"given\">7</bdi>") && list.body.contains("differs"));

    let publish = ada.get("/admin/mapping/publish");
    let mut fields = filled_in(&publish, "<form method=\"post\" class=\"sheet\" id=\"publish\">", "publish");
    fill(&mut fields, "reason", "gold customers");
    let done = send(&ada, "/admin/mapping/publish", &fields);
    assert_eq!(
        (done.status, done.header("location").map(|to| to.ends_with("/admin/mapping/versions/1?done=true"))),
        (303, Some(true))
    );
    let token = world.browser().signed_in("gil").get("/api/v1/token").json()["token"].clone();
    let claims = world.app.inspect_token(token.as_str().expect("a token")).expect("a token").claims;
    assert_eq!(claims["usergroup_ids"], json!(["7"]));
    let version = ada.get("/admin/mapping/versions/1");
    assert!(version.body.contains("gold customers") && version.body.contains("ada"), "{}", version.body);
    let file = ada.get("/admin/mapping/versions/1/file");
    assert_eq!(file.json()["rules"][3]["claim"], "usergroup_ids");
    assert!(ada.get("/admin/audit?event=mapping_published").body.contains("What version 1 changed"));
}

#[apply(everywhere)]
fn a_table_is_pasted_from_a_spreadsheet_and_edited_as_lines_when_it_is_large(world: &World) {
    let ada = admin(world, "ada");
    let rule = add_rule(&ada, "usergroup_ids", "login");
    press(&ada, &rule, &[("steps/new", "lookup")], "steps.add");
    press(&ada, &rule, &[("steps/0/lookup/paste", "gold\t7\r\nsilver\t8")], "steps/0/lookup.paste");
    let small = ada.get(&rule).body;
    assert!(small.contains("id=\"steps/0/lookup/values/1/value\" name=\"steps/0/lookup/values/1/value\" type=\"text\" value=\"8\""), "{small}");
    let rows: Vec<String> = (100..140).map(|row| format!("plan {row}\t{row}")).collect();
    press(&ada, &rule, &[("steps/0/lookup/paste", &format!("gold = 70\n{}", rows.join("\n")))], "save");
    let large = ada.get(&rule).body;
    assert!(
        !large.contains("lookup/values/0/key") && large.contains("\ngold → 70\nsilver → 8\nplan 100 → 100\n"),
        "{large}"
    );
    for (line, error) in [("no arrow", "“no arrow”: This value is blank."), ("gold → x", "“gold”: ")]
    {
        press(&ada, &rule, &[("steps/0/lookup/lines", &format!("{line}\n{}", rows.join("\n")))], "save");
        let wrong = ada.get(&rule).body;
        assert!(wrong.contains("id=\"steps/0/lookup/lines-error\""), "{wrong}");
        assert!(wrong.contains(&format!("<a href=\"#steps/0/lookup/lines\">{error}")), "{wrong}");
    }
}

#[apply(everywhere)]
fn an_output_that_is_left_empty_gives_nothing(world: &World) {
    let ada = admin(world, "ada");
    let rule = add_rule(&ada, "usergroup_ids", "login");
    press(&ada, &rule, &[("steps/new", "lookup")], "steps.add");
    let row = [("steps/0/lookup/values/0/key", "gold"), ("steps/0/lookup/values/0/value", "")];
    press(&ada, &rule, &row, "save");
    let page = ada.get(&rule).body;
    assert!(!page.contains("field-error"), "{page}");
    assert!(ada.get("/admin/mapping").body.contains("<bdi>gold</bdi></q> → no value"));
    let id = world.app.user(&countersign::core::user::Login::parse("ada").expect("a login")).expect("ada").id;
    let draft = || world.app.draft(&"default".into(), &id).expect("a draft").text;
    assert!(draft().contains(r#"{"lookup": {"values": {"gold": null}}}"#), "{}", draft());
    // A large table: with the arrow it is left empty, without one it is still to be filled in.
    let rows: Vec<String> = (100..140).map(|row| format!("plan {row} →")).collect();
    press(&ada, &rule, &[("steps/0/lookup/paste", &rows.join("\n"))], "save");
    assert!(draft().contains(r#""plan 139": null"#), "{}", draft());
    assert!(ada.get(&rule).body.contains("\ngold → \nplan 100 → \n"));
    press(&ada, &rule, &[], "save");
    assert!(draft().contains(r#""gold": null, "plan 100": null"#), "{}", draft());
}

#[apply(everywhere)]
fn the_editor_explains_the_parts_of_a_date_and_the_preview_doubts_a_short_unix_time(world: &World) {
    world.attribute("since");
    world.user_with("gil", countersign::core::user::Role::User, &[("since", "45351")]);
    let ada = admin(world, "ada");
    let rule = add_rule(&ada, "labels", "since");
    press(&ada, &rule, &[("steps/new", "date")], "steps.add");
    let page = ada.get(&rule).body;
    for part in
        ["%Y", "%y", "%m", "%b", "%B", "%d", "%H", "%I", "%p", "%M", "%S", "%f", "%z", "%*", "%s", "%%"]
    {
        assert!(page.contains(&format!("<code>{part}</code>")), "{part}");
    }
    press(&ada, &rule, &[("steps/0/date/in", "%d-%b-%y"), ("steps/0/date/out", "%B")], "save");
    assert!(!ada.get(&rule).body.contains("field-error"));
    press(&ada, &rule, &[("steps/0/date/in", "%s")], "save");
    let page = ada.get(&format!("{rule}?user=gil")).body;
    assert!(page.contains("may be the day number of a spreadsheet"), "{page}");
}

#[apply(everywhere)]
fn a_rule_with_more_than_fits_into_fields_is_changed_as_json(world: &World) {
    let ada = admin(world, "ada");
    let id = world.app.user(&countersign::core::user::Login::parse("ada").expect("a login")).expect("ada").id;
    let texts: Vec<String> = (0..2_000).map(|text| format!("\"text {text}\"")).collect();
    let text = format!(
        r#"{{"rules": [{{"claim": "labels", "from": {{"text": [{}]}}, "steps": ["upper"]}}]}}"#,
        texts.join(", ")
    );
    world.app.save_draft(&"default".into(), &id, 0, &text, "").expect("kept");
    let page = ada.get("/admin/mapping/rules/0");
    assert!(page.body.contains("<textarea id=\"json\"") && page.body.len() < 200_000, "{}", page.body.len());
    let fields = filled_in(&page, RULE, "save");
    assert_eq!(send(&ada, "/admin/mapping/rules/0", &fields).status, 303);
    assert_eq!(world.app.draft(&"default".into(), &id).expect("a draft").text, text, "nothing changed");
    // What would make the whole draft unreadable, or slip something else into it, is not kept.
    for typed in [
        r#"{"claim": "labels""#,
        r#"{"claim": "labels", "from": {"constant": "x"}}],"token":"id","rules":[{}"#,
        "{}, {}",
        "",
    ] {
        let mut fields = filled_in(&page, RULE, "save");
        fill(&mut fields, "json", typed);
        let told = send(&ada, "/admin/mapping/rules/0", &fields);
        assert_eq!(
            (told.status, told.body.contains("This is not valid JSON, so it was not saved")),
            (422, true),
            "{typed}: {}",
            told.body
        );
        assert!(told.body.contains(&typed.replace('"', "&#34;")), "{}", told.body);
        assert_eq!(world.app.draft(&"default".into(), &id).expect("a draft").text, text, "{typed}");
    }
}

#[apply(everywhere)]
fn what_was_typed_for_a_rule_or_a_file_stays_when_the_draft_moved(world: &World) {
    let ada = admin(world, "ada");
    let rule = add_rule(&ada, "labels", "login");
    let mut late = filled_in(&ada.get(&rule), RULE, "save");
    fill(&mut late, "from", "constant");
    fill(&mut late, "from/constant", "typed with care");
    let mut file = filled_in(&ada.get("/admin/mapping"), "id=\"file\"", "text");
    fill(&mut file, "text", "{\"rules\": []} with care");
    let remove =
        filled_in(&ada.get("/admin/mapping"), "<form method=\"post\" class=\"rule-actions\">", "remove-3");
    assert_eq!(send(&ada, "/admin/mapping", &remove).status, 303);
    let told = send(&ada, &rule, &late);
    assert_eq!((told.status, told.body.contains("value=\"typed with care\"")), (409, true), "{}", told.body);
    let told = send(&ada, "/admin/mapping", &file);
    assert_eq!(
        (told.status, told.body.contains("{&#34;rules&#34;: []} with care")),
        (409, true),
        "{}",
        told.body
    );
    assert!(told.body.contains("This draft was changed in another window."));
}

#[apply(everywhere)]
fn values_that_a_table_does_not_know_are_put_into_it(world: &World) {
    world.attribute("plan");
    for (login, plan) in [("gil", "gold"), ("sue", "silver"), ("tom", "<b>free</b>")] {
        world.user_with(
            login,
            countersign::core::user::Role::User,
            &[("email", &format!("{login}@example.com")), ("email_verified", "yes"), ("plan", plan)],
        );
    }
    let ada = admin(world, "ada");
    let rule = add_rule(&ada, "usergroup_ids", "plan");
    press(&ada, &rule, &[("steps/new", "lookup")], "steps.add");
    press(&ada, &rule, &[("steps/0/lookup/paste", "gold = 7")], "save");
    let look = filled_in(&ada.get("/admin/mapping/coverage"), "<form method=\"post\">", "look");
    assert_eq!(send(&ada, "/admin/mapping/coverage", &look).status, 303);
    crate::server::wait_until("all are looked at", || {
        ada.get("/admin/mapping/coverage").body.contains("to the table")
    });
    let page = ada.get("/admin/mapping/coverage");
    assert!(page.body.contains("2 values are not in the table"), "{}", page.body);
    let (_, reach) = page.body.split_once("values are not in the table").expect("there");
    let form = crate::server::Answer { status: 200, headers: Vec::new(), body: reach.to_owned() };
    let filled = send(&ada, "/admin/mapping/coverage", &filled_in(&form, "<form method=\"post\">", "fill-3"));
    assert_eq!(filled.status, 303, "{}", filled.body);
    let page = ada.get(&rule).body;
    for value in ["value=\"silver\"", "value=\"&#60;b&#62;free&#60;/b&#62;\""] {
        assert!(page.contains(value), "{value}: {page}");
    }
    let again = send(&ada, "/admin/mapping/coverage", &filled_in(&form, "<form method=\"post\">", "fill-3"));
    assert_eq!(again.status, 409, "the draft is another by now");
}

#[apply(everywhere)]
fn an_error_stands_at_its_field_and_in_the_summary_and_loses_nothing(world: &World) {
    let ada = admin(world, "ada");
    let rule = add_rule(&ada, "labels", "");
    press(&ada, &rule, &[("from", "constant")], "preview");
    press(&ada, &rule, &[("from/constant", " ")], "save");
    let page = ada.get(&rule);
    assert!(page.body.contains("id=\"from/constant-error\""), "{}", page.body);
    assert!(page.body.contains("<a href=\"#from/constant\">This value is blank."));
    let list = ada.get("/admin/mapping");
    assert!(list.body.contains("Fix 1 problem before publishing") && list.body.contains("1 error"));
    let publish = ada.get("/admin/mapping/publish");
    assert!(publish.body.contains("cannot be published yet") && !publish.body.contains("value=\"publish\""));
    assert!(world.app.published_mapping(&"default".into()).expect("asked").is_none());
}

#[apply(everywhere)]
fn what_was_typed_outlives_the_session(world: &World) {
    let ada = admin(world, "ada");
    let rule = add_rule(&ada, "labels", "login");
    let mut fields = filled_in(&ada.get(&rule), RULE, "save");
    fill(&mut fields, "from", "constant");
    fill(&mut fields, "from/constant", "typed <b>with</b> care");
    world.advance(9 * 3600);
    let late = send(&ada, &rule, &fields);
    assert_eq!(late.status, 401);
    assert!(late.body.contains("What you typed is still here") && late.body.contains("sign in in a new tab"));
    let kept = filled_in(&late, "<form id=\"again\"", "");
    ada.sign_in("ada", crate::server::PASSWORD);
    let without_button = |fields: Vec<(String, String)>| fields.into_iter().skip(1).collect::<Vec<_>>();
    let again = send(&ada, &rule, &without_button(kept));
    assert_eq!(again.status, 401, "a form of another sign-in is asked about once");
    let done = send(&ada, &rule, &without_button(filled_in(&again, "<form id=\"again\"", "")));
    assert_eq!(done.status, 303, "{}", done.body);
    assert!(ada.get(&rule).body.contains("typed &#60;b&#62;with&#60;/b&#62; care"));
}

#[apply(everywhere)]
fn a_form_from_elsewhere_is_refused_and_not_shown_again(world: &World) {
    let ada = admin(world, "ada");
    let fields = filled_in(&ada.get("/admin/mapping"), ADD, "add");
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for header in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")] {
        let answer = ada.post_with("/admin/mapping", &fields, &[header]);
        assert_eq!(answer.status, 403, "{header:?}");
        assert!(!answer.body.contains("from/attribute"), "{header:?}");
    }
}

#[apply(everywhere)]
fn a_stranger_cannot_send_a_long_form_and_an_admin_can(world: &World) {
    let long = "x".repeat(100_000);
    let stranger = world.browser().post("/admin/mapping", &[("text", &long)]);
    assert_eq!((stranger.status, stranger.body.contains("xxxx")), (413, false));
    let ada = admin(world, "ada");
    let mut fields = filled_in(&ada.get("/admin/mapping"), ADD, "text");
    fields.push(("text".to_owned(), long.clone()));
    assert_eq!(send(&ada, "/admin/mapping", &fields).status, 303);
    world.advance(3600);
    let late = send(&ada, "/admin/mapping", &fields);
    assert_eq!((late.status, late.body.contains(&long)), (401, true), "who was signed in loses nothing");
}
