//! Random mappings over random users: the preview, the page, the API and the command line make the same.

use countersign::app::attributes::Change;
use countersign::app::{AppError, Caller};
use countersign::core::user::{Login, Role};
use rstest_reuse::apply;
use serde_json::{Value, json};

use super::admin;
use crate::mapping::random::{Dice, published_text, user};
use crate::server::{Answer, Browser, PASSWORD, World, everywhere};

const MAPPINGS: u64 = 12;
const USERS: u64 = 4;

/// Users with random attributes, as far as the table takes them.
fn users(world: &World) -> Vec<Login> {
    let mut logins = Vec::new();
    for seed in 1..=USERS {
        let login = Login::parse(&format!("user{seed}")).expect("a login");
        world.app.add_user(&login, Role::User, &[], &Caller::cli()).expect("added");
        let attributes = serde_json::to_value(user(&mut Dice(seed * 7919))).expect("JSON");
        for (name, value) in attributes.as_object().expect("an object") {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Array(_) | Value::Object(_) | Value::Null => continue,
                other => other.to_string(),
            };
            if name == "login" {
                continue;
            }
            match world.app.set_attribute(name, Change::default(), &Caller::cli(), |_| {}) {
                Ok(_) | Err(AppError::Refused(_) | AppError::Taken(_)) => {}
                Err(error) => panic!("{error}"),
            }
            match world.app.change_user(&login, &[(name.clone(), text)], &Caller::cli()) {
                Ok(_) | Err(AppError::Refused(_) | AppError::Taken(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        // Some of them can be signed at all.
        if seed % 2 == 0 {
            let address = [
                ("email".to_owned(), format!("user{seed}@example.com")),
                ("email_verified".to_owned(), "yes".to_owned()),
            ];
            world.app.change_user(&login, &address, &Caller::cli()).expect("changed");
        }
        world.app.set_password(&login, PASSWORD, &Caller::cli()).expect("set");
        logins.push(login);
    }
    logins
}

/// The claims of a token without the moment, or the code of the refusal.
fn untimed(mut claims: Value) -> Value {
    if let Some(claims) = claims.as_object_mut() {
        claims.retain(|name, _| name != "iat" && name != "exp");
    }
    claims
}

fn of_preview(preview: &Value) -> Value {
    match &preview["refused"] {
        Value::Null => untimed(preview["claims"].clone()),
        refused => refused["code"].clone(),
    }
}

fn of_token(world: &World, token: &str) -> Value {
    untimed(world.app.inspect_token(token).expect("a token").claims)
}

/// What the console's page shows of a draft and a user: the second JSON of it, or the refusal's code.
fn on_console(page: &Answer) -> Value {
    let text = |html: &str| {
        let text =
            html.replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">");
        text.replace("&#38;", "&")
    };
    let (_, result) = page.body.split_once("id=\"preview-result\"").expect("a preview");
    if let Some((_, refused)) = result.split_once("This user would get no token") {
        let (_, code) = refused.split_once("<code>").expect("a code");
        return json!(code.split('<').next());
    }
    let (_, json) = result.split_once("<code>{").unwrap_or_else(|| panic!("{result}"));
    let json = text(&format!("{{{}", json.split("</code>").next().expect("an end")));
    let mut values = serde_json::Deserializer::from_str(&json).into_iter::<Value>();
    untimed(values.nth(1).expect("claims behind the header").expect("JSON"))
}

fn unsaved(ada: &Browser, login: &Login, text: &str) -> Value {
    let headers = [("content-type", "application/json"), ("x-countersign", "1")];
    let body = json!({"login": login.as_str(), "text": text}).to_string();
    of_preview(&ada.send("POST", "/api/v1/admin/mapping/preview", Some(&body), &headers).json())
}

#[apply(everywhere)]
fn preview_page_api_and_command_line_make_the_same_of_random_users(world: &World) {
    let logins = users(world);
    let ada = admin(world, "ada");
    let browsers: Vec<Browser> =
        logins.iter().map(|login| world.browser().signed_in(login.as_str())).collect();
    let id = world.app.user(&Login::parse("ada").expect("a login")).expect("ada").id;
    let mut tried = (0, 0);
    for seed in 1..=MAPPINGS {
        let text = published_text(&mut Dice(seed * 104_729));
        // An attribute that a user has none of is none of the site's.
        if world
            .app
            .judge_draft(&countersign::core::id::MessengerId::default(), &text)
            .expect("judged")
            .0
            .mapping
            .is_none()
        {
            for name in ["plan", "groups", "interests", "newsletter", "member_since", "crm_id", "gone"] {
                world.attribute(name);
            }
        }
        let revision = world.app.draft(&"default".into(), &id).expect("a draft").revision;
        let kept = world.app.save_draft(&"default".into(), &id, revision, &text, "").expect("kept").revision;
        let before: Vec<(Value, Value)> = logins
            .iter()
            .map(|login| {
                (
                    unsaved(&ada, login, &text),
                    on_console(&ada.get(&format!("/admin/mapping?user={}", login.as_str()))),
                )
            })
            .collect();
        world
            .app
            .publish_draft(&"default".into(), &id, kept, "at random", &Caller::cli())
            .expect("published");
        for ((login, browser), (unsaved, on_console)) in logins.iter().zip(&browsers).zip(before) {
            let answer = browser.get("/api/v1/token");
            let expected = match answer.status {
                200 => of_token(world, answer.json()["token"].as_str().expect("a token")),
                _ => answer.json()["code"].clone(),
            };
            if answer.status == 200 {
                tried.0 += 1;
            } else {
                tried.1 += 1;
            }
            assert_eq!(unsaved, expected, "the API's preview of the unsaved draft: {text} {login:?}");
            assert_eq!(on_console, expected, "the console's: {text} {login:?}");
            let page = browser.get("/").signed_user_info().map(|token| of_token(world, &token));
            assert_eq!(page, expected.is_object().then(|| expected.clone()), "the page: {text} {login:?}");
            let preview = world.cli(&["mapping", "preview", login.as_str()]);
            assert_eq!(of_preview(&preview), expected, "the command line's preview: {text} {login:?}");
            let issued = world.cli(&["token", "issue", login.as_str()]);
            let issued = match issued["token"].as_str() {
                Some(token) => of_token(world, token),
                None => issued["refused"]["code"].clone(),
            };
            assert_eq!(issued, expected, "the command line's token: {text} {login:?}");
        }
    }
    assert!(tried.0 > 5 && tried.1 > 5, "{tried:?}");
}
