//! Messengers, signing keys and API keys in the console.

use countersign::app::Caller;
use countersign::core::secret::{Encoding, KeyState};
use rstest_reuse::apply;

use super::{admin, fill, filled_in, send};
use crate::server::{Answer, Browser, Place, World, everywhere};

const SAMPLE: &str = r#"<script> window.DpMessengerOptions = { showLauncherButton: false signedUserInfo: jwt } </script> <script type="module" src="<https://example.com/deskpro-messenger-init/web.js>" data-deskpro-url="<https://example.com/deskpro-messenger/00000000-0000-0000-0000-000000000000>" data-messenger-id="01HGFZRNX7M9S4PX2G3RIA8S0C" ></script>"#;
const KEY: &str = "the key of the shop, pasted into the console";

/// Fills the form of a page and presses a button.
pub(super) fn press(
    browser: &Browser,
    path: &str,
    form: &str,
    button: &str,
    texts: &[(&str, &str)],
) -> Answer {
    let mut fields = filled_in(&browser.get(path), form, button);
    for (name, text) in texts {
        fill(&mut fields, name, text);
    }
    send(browser, path, &fields)
}

fn shop(ada: &Browser) {
    let added =
        press(ada, "/admin/messengers", "<form class=\"sheet\" method=\"post\">", "", &[("id", "shop")]);
    assert!(
        added.header("location").is_some_and(|to| to.ends_with("/admin/messengers/shop")),
        "{}",
        added.body
    );
}

const FORM: &str = "<form method=\"post\" id=\"messenger\">";

#[apply(everywhere)]
fn an_admin_adds_a_messenger_and_fills_it_from_the_broken_snippet(world: &World) {
    let ada = admin(world, "ada");
    shop(&ada);
    let read = press(
        &ada,
        "/admin/messengers/shop",
        FORM,
        "snippet",
        &[("snippet", SAMPLE), ("allowed_origins", "https://shop.example.com")],
    );
    assert!(
        read.status == 200 && read.body.contains("These values were read from the snippet"),
        "{}",
        read.body
    );
    assert!(
        world.app.messenger(&"shop".into()).expect("it is there").deployment.is_none(),
        "nothing is saved yet"
    );
    // What the page shows now is saved as it stands, with what was typed before.
    let saved = send(&ada, "/admin/messengers/shop", &filled_in(&read, FORM, "save"));
    assert_eq!(saved.status, 303, "{}", saved.body);
    let messenger = world.app.messenger(&"shop".into()).expect("it is there");
    let deployment = messenger.deployment.expect("Deskpro's values");
    assert_eq!(deployment.init_script_url.as_str(), "https://example.com/deskpro-messenger-init/web.js");
    assert_eq!(
        (messenger.options.len(), &messenger.options["showLauncherButton"]),
        (1, &serde_json::json!(false))
    );
    assert_eq!(messenger.allowed_origins[0].as_str(), "https://shop.example.com");
    assert!(
        messenger.token_iat && messenger.token_exp && messenger.policy.verified_only,
        "ticked boxes stay so"
    );
    let nothing = press(&ada, "/admin/messengers/shop", FORM, "snippet", &[("snippet", "hello")]);
    assert!(
        nothing.status == 422 && nothing.body.contains("Nothing was read") && nothing.body.contains("hello"),
        "{}",
        nothing.body
    );
}

#[apply(everywhere)]
fn each_error_stands_at_its_field_and_nothing_is_lost_or_saved(world: &World) {
    let ada = admin(world, "ada");
    shop(&ada);
    let wrong = [
        ("allowed_origins", "https://a.example\n*\nnull"),
        ("token_lifetime", "5"),
        ("messenger_options", "{"),
        ("deskpro_url", "example.com"),
        ("blocked", "nobody"),
    ];
    let page = press(&ada, "/admin/messengers/shop", FORM, "save", &wrong);
    assert_eq!(page.status, 422);
    for (name, text) in wrong {
        assert!(page.body.contains(&format!("id=\"{name}-error\"")), "{name}");
        assert!(page.body.contains(text.lines().last().expect("a line")), "{text} is still there");
    }
    assert!(
        page.body.contains("nothing was saved") && page.body.contains("&#39;*&#39; cannot be used"),
        "{}",
        page.body
    );
    // A second window.
    let mut mine = filled_in(&ada.get("/admin/messengers/shop"), FORM, "save");
    assert_eq!(press(&ada, "/admin/messengers/shop", FORM, "save", &[("token_lifetime", "300")]).status, 303);
    fill(&mut mine, "token_lifetime", "900");
    let moved = send(&ada, "/admin/messengers/shop", &mine);
    assert!(
        moved.status == 409
            && moved.body.contains("changed in the meantime")
            && moved.body.contains("value=\"900\""),
        "{}",
        moved.body
    );
    assert_eq!(world.app.messenger(&"shop".into()).expect("it is there").token_lifetime, 300);
    for id in ["Shop", "", "a/b"] {
        let refused =
            press(&ada, "/admin/messengers", "<form class=\"sheet\" method=\"post\">", "", &[("id", id)]);
        assert!(
            refused.status == 422
                && refused.body.contains("No messenger was added")
                && refused.body.contains("id=\"id-error\""),
            "{id}"
        );
    }
    assert_eq!(
        press(&ada, "/admin/messengers", "<form class=\"sheet\" method=\"post\">", "", &[("id", "shop")])
            .status,
        422,
        "there is one"
    );
}

#[apply(everywhere)]
fn a_page_is_tried_with_what_stands_in_the_form_and_nothing_is_saved(world: &World) {
    let ada = admin(world, "ada");
    shop(&ada);
    let path = "/admin/messengers/shop";
    // Another port of the same host.
    let own = world.base.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let page = format!("{}:1/cart?x=1", own.rsplit_once(':').expect("a port").0);
    let tried = press(&ada, path, FORM, "probe", &[("page", &page), ("token_lifetime", "300")]);
    assert_eq!(tried.status, 200, "{}", tried.body);
    assert!(
        tried.body.contains("gets no token")
            && tried.body.contains("is not an allowed origin of &#39;shop&#39;"),
        "{}",
        tried.body
    );
    assert!(tried.body.contains("value=\"300\""), "what was typed stays");
    // Added in the form, and tried by Enter before it is saved; once more Enter saves.
    let listed = page.strip_suffix("/cart?x=1").expect("its end").to_owned();
    let mut fields = filled_in(&tried, FORM, "enter");
    fill(&mut fields, "allowed_origins", &listed);
    fill(&mut fields, "page", &listed);
    let better = send(&ada, path, &fields);
    assert!(
        better.status == 200 && better.body.contains("gets the token of a session here"),
        "{}",
        better.body
    );
    assert!(
        world.app.messenger(&"shop".into()).expect("it is there").allowed_origins.is_empty(),
        "nothing is saved yet"
    );
    assert_eq!(send(&ada, path, &filled_in(&better, FORM, "enter")).status, 303);
    assert_eq!(world.app.messenger(&"shop".into()).expect("it is there").allowed_origins.len(), 1);
    let none = press(&ada, path, FORM, "probe", &[("page", "<b>null")]);
    assert!(
        none.status == 422
            && none.body.contains("is not the address of a web page")
            && !none.body.contains("<b>null"),
        "{}",
        none.body
    );
    let refused = press(&ada, path, FORM, "probe", &[("page", &page), ("allowed_origins", "*")]);
    assert!(
        refused.status == 422
            && refused.body.contains("id=\"allowed_origins-error\"")
            && refused.body.contains(&listed),
        "{}",
        refused.body
    );
}

#[apply(everywhere)]
fn a_messenger_is_switched_off_after_asking_and_on_again_from_what_is_said_then(world: &World) {
    let ada = admin(world, "ada");
    shop(&ada);
    let path = "/admin/messengers/shop";
    let is_on = || world.app.messenger(&"shop".into()).is_ok();
    let asked = press(&ada, path, FORM, "ask-disable", &[("token_lifetime", "300")]);
    assert!(
        asked.status == 200 && asked.body.contains("Switch <bdi>shop</bdi> off?") && is_on(),
        "{}",
        asked.body
    );
    assert!(asked.body.contains("value=\"300\""), "what was typed is still there");
    let off = send(&ada, path, &filled_in(&asked, "id=\"asked\"", "disable"));
    assert!(off.header("location").is_some_and(|to| to.ends_with("done=off")) && !is_on(), "{}", off.body);
    let said = ada.get(&format!("{path}?done=off"));
    assert!(said.body.contains("The messenger is switched off"), "{}", said.body);
    let on = send(&ada, path, &filled_in(&said, "banner banner-good", "enable"));
    assert!(on.header("location").is_some_and(|to| to.ends_with("done=on")) && is_on(), "{}", on.body);
    assert!(ada.get(&format!("{path}?done=on")).body.contains("The messenger is switched on"));
    assert!(
        !ada.get(&format!("{path}?done=off")).body.contains("is switched off"),
        "an old link says nothing wrong"
    );
}

#[apply(everywhere)]
fn what_the_environment_sets_is_shown_and_stays(world: &World) {
    let ada = admin(world, "ada");
    let page = ada.get("/admin/messengers/default");
    assert!(page.body.contains("COUNTERSIGN_MESSENGER_ID") && page.body.contains("value=\"01HGFZRNX7M9S4PX2G3RIA8S0C\" autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" readonly"), "{}", page.body);
    let saved = press(
        &ada,
        "/admin/messengers/default",
        FORM,
        "save",
        &[("messenger_id", "OTHER"), ("token_lifetime", "300")],
    );
    assert_eq!(saved.status, 303, "{}", saved.body);
    let messenger = world.app.messenger(&"default".into()).expect("it is there");
    assert_eq!(
        (messenger.deployment.expect("Deskpro's values").messenger_id.as_str(), messenger.token_lifetime),
        ("01HGFZRNX7M9S4PX2G3RIA8S0C", 300)
    );
    assert!(ada.get("/admin/messengers/default/keys").body.contains("The environment sets this messenger"));
}

#[apply(everywhere)]
fn a_key_is_pasted_switched_and_never_shown(world: &World) {
    let ada = admin(world, "ada");
    shop(&ada);
    let path = "/admin/messengers/shop/keys";
    let paste = |key: &str| {
        press(&ada, path, "<form class=\"sheet\" method=\"post\" id=\"paste\">", "", &[("signing_key", key)])
    };
    let short = paste("too short");
    assert!(
        short.status == 422 && short.body.contains("9 bytes") && !short.body.contains("too short"),
        "{}",
        short.body
    );
    assert!(paste(KEY).header("location").is_some_and(|to| to.ends_with("done=added-active")));
    let again = paste(KEY);
    assert!(
        again.status == 422 && again.body.contains("This key already exists") && !again.body.contains(KEY)
    );
    assert!(
        paste("another key of the shop, long enough to sign")
            .header("location")
            .is_some_and(|to| to.ends_with("done=added-next"))
    );
    let keys = world.app.signing_keys(&"shop".into()).expect("keys");
    assert_eq!(keys.iter().map(|key| key.state).collect::<Vec<_>>(), [KeyState::Next, KeyState::Active]);
    let switched = press(&ada, path, "<form method=\"post\">", &format!("activate-{}", keys[0].id), &[]);
    assert!(switched.header("location").is_some_and(|to| to.ends_with("done=switched")), "{}", switched.body);
    let page = ada.get(path);
    assert!(
        page.body.contains("…sign")
            && page.body.contains("…sole")
            && !page.body.contains(KEY)
            && page.body.contains("Go back to this key"),
        "{}",
        page.body
    );
    let asked = press(&ada, path, "<form method=\"post\">", &format!("ask-{}", keys[1].id), &[]);
    assert!(asked.status == 200 && asked.body.contains("It is the way back"), "{}", asked.body);
    assert_eq!(world.app.signing_keys(&"shop".into()).expect("keys").len(), 2, "nothing is gone yet");
    let removed = send(&ada, path, &filled_in(&asked, "id=\"asked\"", &format!("remove-{}", keys[1].id)));
    assert!(removed.header("location").is_some_and(|to| to.ends_with("done=removed")));
    // After five minutes the password is asked for, and the key that was typed is not written back.
    let mut late = filled_in(&ada.get(path), "<form class=\"sheet\" method=\"post\" id=\"paste\">", "");
    fill(&mut late, "signing_key", KEY);
    world.advance(301);
    let asked = send(&ada, path, &late);
    assert!(
        asked.status == 401
            && !asked.body.contains(KEY)
            && asked.body.contains("Confirm your password to continue"),
        "{}",
        asked.body
    );
    assert_eq!(ada.get(path).status, 303);
    assert_eq!(ada.get("/admin/messengers/shop").status, 200, "the rest is open");
}

#[apply(everywhere)]
fn each_messenger_s_mapping_is_edited_for_itself(world: &World) {
    let ada = admin(world, "ada");
    shop(&ada);
    world.app.add_signing_key(&"shop".into(), KEY, Encoding::Raw, false, &Caller::cli()).expect("a key");
    let base = "/admin/messengers/shop/mapping";
    let page = ada.get(base);
    assert!(
        page.status == 200
            && page.body.contains("messenger shop")
            && page.body.contains("/admin/messengers/shop/mapping/rules/0"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("\"/admin/mapping/"), "every link stays with the shop");
    let added = press(&ada, base, super::ADD, "add", &[("claim", "labels")]);
    let to = added.header("location").expect("the new rule").to_owned();
    assert!(to.contains("/admin/messengers/shop/mapping/rules/3"), "{to}");
    let rule = &to[to.find("/admin").expect("ours")..];
    let mut fields = filled_in(&ada.get(rule), super::RULE, "save");
    fields.retain(|(name, _)| name != "from");
    fields.push(("from".into(), "constant".into()));
    fill(&mut fields, "from/constant", "of the shop");
    let kept = send(&ada, rule, &fields);
    assert!(
        kept.header("location").is_some_and(|to| to.contains("/admin/messengers/shop/mapping?")),
        "{}",
        kept.body
    );
    assert!(!ada.get("/admin/mapping").body.contains("of the shop"), "the draft is the shop's");
    let publish = format!("{base}/publish");
    let mut fields =
        filled_in(&ada.get(&publish), "<form method=\"post\" class=\"sheet\" id=\"publish\"", "publish");
    fill(&mut fields, "reason", "for the shop");
    let published = send(&ada, &publish, &fields);
    assert!(
        published
            .header("location")
            .is_some_and(|to| to.contains("/admin/messengers/shop/mapping/versions/1")),
        "{}",
        published.body
    );
    world.user("ana");
    let ana = world.browser().signed_in("ana");
    let labels = |messenger: &str| {
        let token = ana.get(&format!("/api/v1/token?messenger={messenger}")).json()["token"]
            .as_str()
            .expect("a token")
            .to_owned();
        world.app.inspect_token(&token).expect("a JWT").claims["labels"].clone()
    };
    assert_eq!(
        (labels("shop"), labels("default")),
        (serde_json::json!(["of the shop"]), serde_json::Value::Null)
    );
    assert!(ada.get("/admin/audit").body.contains("/admin/messengers/shop/mapping/versions/1"));
    assert_eq!(ada.get("/admin/messengers/shop/mapping/versions/1").status, 200);
    assert_eq!(ada.get("/admin/mapping/versions/1").status, 404);
    for unknown in ["/admin/messengers/nothing/mapping", "/admin/messengers/nothing/mapping/rules/0"] {
        assert_eq!(ada.get(unknown).status, 404, "{unknown}");
    }
    assert_eq!(world.browser().get(base).status, 303);
    assert_eq!(ana.get(base).status, 403);
    assert_eq!(ada.send("PUT", base, None, &[]).status, 405);
}

/// Keys that the database holds sign for `default`, too, where the environment sets none.
#[test]
fn without_a_key_in_the_environment_the_console_s_signs() {
    let world = World::with(Place::Sqlite, |source| source.without("signing_key"));
    world.user("ana");
    let ana = world.browser().signed_in("ana");
    assert_eq!(ana.get("/api/v1/token").json()["code"], "no_signing_key");
    assert_eq!(ana.get("/").status, 200, "the page works without");
    world.app.add_signing_key(&"default".into(), KEY, Encoding::Raw, false, &Caller::cli()).expect("a key");
    assert_eq!(ana.get("/api/v1/token").status, 200);
    assert!(ana.get("/").signed_user_info().is_some());
}
