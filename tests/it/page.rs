//! The host page: what it sets, for whom, and what hostile texts do to it.

use countersign::app::Caller;
use countersign::config::Source;
use countersign::core::user::Role;
use rstest_reuse::apply;

use crate::server::{Place, World, everywhere};

#[apply(everywhere)]
fn options_come_before_the_module_script_and_only_deskpro_may_be_loaded(world: &World) {
    world.user("ana");
    let page = world.browser().signed_in("ana").get("/");
    let options = page.body.find("window.DpMessengerOptions = {").expect("options");
    let module = page
        .body
        .find("<script type=\"module\" src=\"https://desk.example.com/deskpro-messenger-init/web.js\"")
        .expect("the module");
    assert!(options < module);
    assert!(page.body.contains("data-messenger-id=\"01HGFZRNX7M9S4PX2G3RIA8S0C\""));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("frame-src https://desk.example.com;"), "{policy}");
    assert!(
        policy.contains("connect-src 'self' https://desk.example.com wss://desk.example.com;"),
        "{policy}"
    );
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce");
    assert_eq!(
        page.body.matches("<script").count(),
        page.body.matches(&format!("nonce=\"{nonce}\"")).count()
    );
    let again = world.browser().get("/");
    assert!(!again.body.contains(nonce), "each answer has a nonce of its own");
}

#[apply(everywhere)]
fn hostile_texts_neither_change_the_page_nor_the_token(world: &World) {
    let hostile = "</script><script>alert(1)</script><!-- \u{2028}\u{2029} \" ' ` \\ &amp; {{7*7}}";
    world.attribute("notes");
    world.user_with(
        "eve",
        Role::User,
        &[
            ("display_name", hostile),
            ("notes", hostile),
            ("email", "eve@example.com"),
            ("email_verified", "yes"),
        ],
    );
    world.user_with(
        "ana",
        Role::User,
        &[("display_name", "Ana"), ("notes", "x"), ("email", "ana@example.com"), ("email_verified", "yes")],
    );
    let draft = r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}, {"claim": "name", "from": {"attribute": "display_name"}},
            {"claim": "labels", "from": {"attribute": "notes"}}, {"claim": "fields.3", "from": {"attribute": "notes"}}]}"#;
    world.app.publish_mapping(&"default".into(), draft, "", &Caller::cli()).expect("published");
    let tags = |body: &str| {
        body.split('<')
            .skip(1)
            .map(|tag| tag.split([' ', '>', '\n']).next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let (eve, ana) = (world.browser().signed_in("eve").get("/"), world.browser().signed_in("ana").get("/"));
    assert_eq!(tags(&eve.body), tags(&ana.body));
    assert!(
        !eve.body.contains("<script>alert") && !eve.body.contains('\u{2028}')
            || eve.body.contains("&lt;/script&gt;")
            || eve.body.contains("&#60;/script&#62;")
    );
    let token = eve.signed_user_info().expect("a token");
    let claims = world.app.inspect_token(&token).expect("a token").claims;
    assert_eq!(claims["name"], hostile);
    assert_eq!(claims["labels"][0], hostile);
    assert_eq!(claims["fields"]["3"], hostile);
}

#[apply(everywhere)]
fn what_stands_for_something_at_deskpro_is_told_in_words_and_not_as_a_number(world: &World) {
    for name in ["plan", "customer"] {
        world.attribute(name);
    }
    world.user_with(
        "ana",
        Role::User,
        &[("plan", "gold"), ("customer", "20260"), ("email", "ana@example.com"), ("email_verified", "yes")],
    );
    let draft = r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}, {"claim": "fields.8", "from": {"attribute": "plan"}},
            {"claim": "fields.7", "from": {"attribute": "customer"}}, {"claim": "fields.9", "from": {"constant": "4711"}}, {"claim": "usergroup_ids", "from": {"constant": "3912"}}]}"#;
    world.app.publish_mapping(&"default".into(), draft, "", &Caller::cli()).expect("published");
    let ana = world.browser().signed_in("ana");
    for (path, labels) in [
        ("/", "Groups · Other details"),
        ("/account", "Groups · Other details"),
        ("/account?lang=de", "Gruppen · Weitere Angaben"),
    ] {
        let page = ana.get(path).body;
        let facts = page
            .split_once("<dl class=\"facts\">")
            .expect("facts")
            .1
            .split_once("</dl>")
            .expect("their end")
            .0;
        assert!(
            facts.contains("ana@example.com") && facts.contains("20260 · gold") && facts.contains(labels),
            "{facts}"
        );
        assert!(!facts.contains("4711") && !facts.contains("3912"), "{facts}");
    }
}

#[apply(everywhere)]
fn who_signs_out_is_told_so_and_a_missing_page_asks_nobody_to_sign_in(world: &World) {
    world.user("ana");
    let ana = world.browser().signed_in("ana");
    let missing = ana.get("/nothing");
    assert!(missing.status == 404 && !missing.body.contains("Sign in"), "{}", missing.body);
    let token = ana.get("/").csrf();
    let out = ana.post("/logout", &[("csrf_token", &token)]);
    let to = out.header("location").expect("a place").to_owned();
    let told = ana.get(&to[to.find("/?").expect("the start page")..]).body;
    assert!(told.contains("You are signed out"), "{told}");
    // Nobody can tell it to somebody who is signed in.
    let other = world.browser().signed_in("ana");
    assert!(!other.get("/?signed_out=1").body.contains("You are signed out"));
    for path in [
        "/?signed_out=1&signed_out=1",
        "/login?signed_out&signed_out=1&next=/",
        "/login?next=/&next=/account",
    ] {
        assert_eq!(world.browser().get(path).status, 200, "{path}");
    }
    assert_eq!(other.get("/login?signed_out=1").status, 303);
}

#[apply(everywhere)]
fn a_person_s_own_language_is_spoken(world: &World) {
    let german = world.browser().with("accept-language", "de-DE,de;q=0.9,en;q=0.8").get("/login");
    assert!(
        german.body.contains("<html lang=\"de\">") && german.body.contains("Anmelden"),
        "{}",
        german.body
    );
    let chosen = world.browser();
    chosen.get("/login?lang=de");
    assert!(chosen.get("/login").body.contains("<html lang=\"de\">"), "the choice is kept");
    assert!(world.browser().with("accept-language", "fr").get("/login").body.contains("<html lang=\"en\">"));
}

#[apply(everywhere)]
fn what_a_problem_is_of_type_can_be_read(world: &World) {
    world.user_with("eve", Role::User, &[("email", "eve@example.com")]);
    for (browser, path) in [
        (world.browser(), "/api/v1/token"),
        (world.browser().signed_in("eve"), "/api/v1/token"),
        (world.browser(), "/api/nothing"),
        (world.browser(), "/api/v1/token?messenger=other"),
    ] {
        let problem = browser.get(path).json();
        let (kind, code) =
            (problem["type"].as_str().expect("a type"), problem["code"].as_str().expect("a code"));
        let page = world.browser().get(kind);
        assert_eq!(page.status, 200, "{kind}");
        assert!(page.body.contains(&format!("\"code\": \"{code}\"")), "{kind}");
        assert!(page.body.contains(&format!("<code>{}</code>", problem["status"])), "{kind}");
        assert!(page.body.contains(problem["title"].as_str().expect("a title")), "{kind}");
        // Not one for browsers, and with what stands in the problem in words.
        assert!(!problem["detail"].as_str().expect("a detail").contains("browser"), "{problem}");
        let list = world.browser().get("/help/errors");
        assert!(list.body.contains(&format!("/help/errors/{code}\"")), "{code}");
    }
    assert_eq!(world.browser().get("/help/errors/nonsense").status, 404);
}

#[apply(everywhere)]
fn an_unknown_page_says_so_to_people_and_programs(world: &World) {
    let page = world.browser().get("/nothing");
    assert_eq!((page.status, page.header("content-type")), (404, Some("text/html; charset=utf-8")));
    assert!(page.body.contains("not_found"));
    let problem = world.browser().get("/api/nothing");
    assert_eq!((problem.status, problem.header("content-type")), (404, Some("application/problem+json")));
    assert_eq!(problem.json()["code"], "not_found");
}

#[apply(everywhere)]
fn a_body_that_is_too_long_is_refused(world: &World) {
    let answer = world.browser().post("/login", &[("login", &"x".repeat(100_000))]);
    assert_eq!(answer.status, 413);
    let answer = world.browser().send("POST", "/login", Some("{}"), &[("content-type", "application/json")]);
    assert_eq!(answer.status, 415);
}

#[test]
fn anonymous_visitors_get_the_messenger_as_the_setting_says() {
    for (policy, shown) in [("allow", true), ("hide", false)] {
        let world = World::with(Place::Sqlite, |source| source.with("anonymous", policy));
        let page = world.browser().get("/");
        assert_eq!(page.body.contains("DpMessengerOptions"), shown, "{policy}");
        assert!(!page.body.contains("signedUserInfo"));
    }
}

#[test]
fn home_can_be_a_page_nothing_or_the_site() {
    let off = World::with(Place::Sqlite, |source| source.with("home", "off"));
    assert_eq!(off.browser().get("/").status, 404);
    off.user("ana");
    let ana = off.browser().signed_in("ana");
    let token = ana.get("/account").csrf();
    let out = ana.post("/logout", &[("csrf_token", &token)]);
    assert_eq!(out.header("location"), Some("/login?signed_out=1"), "there is no other page to say it");
    assert!(ana.get("/login?signed_out=1").body.contains("You are signed out"));
    let site = World::with(Place::Sqlite, |source| source.with("home", "https://www.example.com/start"));
    let answer = site.browser().get("/");
    assert_eq!((answer.status, answer.header("location")), (303, Some("https://www.example.com/start")));
}

#[test]
fn below_https_cookies_are_guarded_and_an_unknown_host_is_refused() {
    for (path, prefix) in [("", "__Host-"), ("/accounts", "__Secure-")] {
        let world = World::with(Place::Sqlite, |source| {
            source.with("public_url", &format!("https://accounts.example.com{path}"))
        });
        let url = format!("http://{}{path}/login", world.server.address);
        let unknown = world.browser().get(&url);
        assert_eq!(unknown.status, 421);
        let page = world.browser().with("host", "accounts.example.com").get(&url);
        assert_eq!(page.status, 200);
        let cookie = page.header("set-cookie").expect("the form's cookie");
        assert!(
            cookie.starts_with(&format!("{prefix}countersign-form=")) && cookie.contains("; Secure"),
            "{cookie}"
        );
        assert!(page.header("strict-transport-security").is_some());
        assert_eq!(world.browser().get(&format!("http://{}/healthz", world.server.address)).status, 200);
    }
}

#[test]
fn both_languages_have_every_text_with_the_same_placeholders() {
    let read = |language: &str| {
        let path = format!("{}/locales/{language}.toml", env!("CARGO_MANIFEST_DIR"));
        let table: toml::Table = std::fs::read_to_string(path).expect("texts").parse().expect("TOML");
        let mut texts = Vec::new();
        flatten(&toml::Value::Table(table), "", &mut texts);
        texts
    };
    assert_eq!(read("en"), read("de"));
}

/// Keys with the placeholders of their texts.
fn flatten(value: &toml::Value, key: &str, texts: &mut Vec<(String, Vec<String>)>) {
    match value {
        toml::Value::Table(table) => {
            table.iter().for_each(|(name, value)| flatten(value, &format!("{key}.{name}"), texts));
        }
        toml::Value::String(text) => {
            let mut holes: Vec<String> = text
                .split("%{")
                .skip(1)
                .filter_map(|rest| rest.split('}').next().map(str::to_owned))
                .collect();
            holes.sort();
            assert!(!text.trim().is_empty(), "{key}");
            texts.push((key.to_owned(), holes));
        }
        _ => {}
    }
}

#[test]
fn pages_for_users_bear_the_name_of_the_website_and_the_console_ours() {
    let title = |source: fn(Source) -> Source, path: &str| {
        let world = World::with(Place::Sqlite, source);
        let page = world.browser().with("host", "accounts.example.co.uk").get(path);
        assert_eq!(page.status, 200, "{}", page.body);
        page.body
            .split_once("<title>")
            .expect("a title")
            .1
            .split_once("</title>")
            .expect("its end")
            .0
            .to_owned()
    };
    assert_eq!(title(|source| source.with("site_name", "Ana & Co"), "/login"), "Sign in – Ana &#38; Co");
    assert_eq!(
        title(|source| source.with("public_url", "https://accounts.example.co.uk"), "/login"),
        "Sign in – example.co.uk"
    );
    let at_an_address =
        World::with(Place::Sqlite, |source| source.with("public_url", "https://192.168.1.10:8443"));
    let page = at_an_address.browser().with("host", "192.168.1.10:8443").get("/login").body;
    assert!(page.contains("<title>Sign in – Countersign</title>"), "{page}");
    assert_eq!(title(|source| source, "/login"), "Sign in – Countersign");
    assert_eq!(title(|source| source.with("site_name", "Ana & Co"), "/help"), "Help – Countersign");
}
