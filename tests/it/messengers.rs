//! Messengers and their keys: several, changed and switched without a restart.

use std::sync::atomic::{AtomicBool, Ordering};

use countersign::app::{AppError, Caller};
use countersign::core::messenger::fields::Texts;
use countersign::core::secret::{Encoding, KeyState};
use countersign::core::user::Role;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::server::{Browser, KEY, Place, World, everywhere, wait_until};
use crate::store::at_once;

const OLD: &str = "the old key of the shop, long enough for HS256";
const NEW: &str = "the new key of the shop, also long enough for it";

pub fn texts(pairs: &[(&str, &str)]) -> Texts {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

pub fn set(world: &World, id: &str, pairs: &[(&str, &str)]) -> Result<(), AppError> {
    world.app.change_messenger(&id.into(), &texts(pairs), None, &Caller::cli()).map(drop)
}

fn add_key(world: &World, messenger: &str, text: &str) -> (String, KeyState) {
    world.app.add_signing_key(&messenger.into(), text, Encoding::Raw, false, &Caller::cli()).expect("a key")
}

/// Fetches some tokens, each with whether the switch was acknowledged before it was asked for.
type Fetching<'a> = Box<dyn FnOnce() -> Vec<(bool, String)> + Send + 'a>;

/// The shop's messenger, with a key.
fn shop(world: &World) {
    world.app.add_messenger(&"shop".into(), &Caller::cli()).expect("added");
    set(
        world,
        "shop",
        &[
            ("init_script_url", "https://shop.example.net/deskpro-messenger-init/web.js"),
            ("deskpro_url", "https://shop.example.net/deskpro-messenger/1"),
            ("messenger_id", "SHOP"),
            ("ios_deskpro_url", "https://shop.example.net/deskpro-messenger/2"),
            ("ios_messenger_id", "IOS"),
            ("token_lifetime", "120"),
            ("allowed_origins", "https://shop.example.com\nhttps://m.shop.example.com"),
        ],
    )
    .expect("set");
    assert_eq!(add_key(world, "shop", OLD).1, KeyState::Active, "the first signs at once");
}

fn verifies(token: &str, key: &str) -> bool {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    countersign::core::hs256::install();
    jsonwebtoken::decode::<Value>(token, &DecodingKey::from_secret(key.as_bytes()), &validation).is_ok()
}

fn token(browser: &Browser, messenger: &str) -> String {
    let answer = browser.get(&format!("/api/v1/token?messenger={messenger}"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["token"].as_str().expect("a token").to_owned()
}

fn cors(browser: &Browser, origin: &str) -> bool {
    let answer = browser.send("GET", "/api/v1/token?messenger=shop", None, &[("origin", origin)]);
    answer.header("access-control-allow-origin") == Some(origin)
}

#[apply(everywhere)]
fn each_messenger_has_values_a_key_and_origins_of_its_own(world: &World) {
    world.user("ana");
    shop(world);
    let ana = world.browser().signed_in("ana");
    let (shops, standard) = (token(&ana, "shop"), token(&ana, "default"));
    assert!(
        verifies(&shops, OLD)
            && !verifies(&shops, KEY)
            && verifies(&standard, KEY)
            && !verifies(&standard, OLD)
    );
    let answer = ana.get("/api/v1/token?messenger=shop").json();
    assert_eq!((&answer["expires_in"], &answer["messenger"]["messenger_id"]), (&json!(120), &json!("SHOP")));
    assert_ne!(
        answer["subject"],
        ana.get("/api/v1/token").json()["subject"],
        "nobody is followed from one to the other"
    );
    for (platform, id) in [("ios", "IOS"), ("android", "SHOP"), ("other", "SHOP"), ("web", "SHOP")] {
        let asked = ana.get(&format!("/api/v1/token?messenger=shop&platform={platform}")).json();
        assert_eq!(asked["messenger"]["messenger_id"], json!(id), "{platform}");
    }
    assert_eq!(ana.get("/api/v1/token?platform=windows").json()["code"], "bad_body");
    assert!(cors(&ana, "https://shop.example.com") && cors(&ana, "https://m.shop.example.com"));
    assert!(!cors(&ana, "https://www.example.com"));
    // Whom nobody may be, here or there.
    set(world, "shop", &[("blocked", "example.com")]).expect("set");
    assert_eq!(ana.get("/api/v1/token?messenger=shop").json()["code"], "blocked");
    assert_eq!(ana.get("/api/v1/token").status, 200);
    world.app.enable_messenger(&"shop".into(), false, &Caller::cli()).expect("switched off");
    assert_eq!(ana.get("/api/v1/token?messenger=shop").json()["code"], "unknown_messenger");
    assert!(!cors(&ana, "https://shop.example.com"));
}

#[apply(everywhere)]
fn what_cannot_be_used_is_told_whole_and_changes_nothing(world: &World) {
    shop(world);
    let before = world.app.describe_messenger(&"shop".into()).expect("it is there");
    let wrong = [
        (
            "allowed_origins",
            "https://a.example\n*\nnull\nhttps://b.example/x\nhttps://*.c.example\nhttps://d.example;sandbox",
        ),
        ("token_lifetime", "59"),
        ("token_iat", "perhaps"),
        ("anonymous", "show"),
        ("messenger_options", "[1]"),
        ("deskpro_url", "javascript:alert(1)"),
        ("messenger_id", "a b"),
        ("csp_extra", "'unsafe-inline'"),
        ("blocked", "no address at all"),
        ("android_messenger_id", "X1"),
    ];
    let Err(AppError::Messenger(errors)) = set(world, "shop", &wrong) else { panic!("it was taken") };
    let mut named: Vec<&str> = errors.iter().map(|error| error.place).collect();
    named.dedup();
    named.sort_unstable();
    assert_eq!(
        named,
        [
            "allowed_origins",
            "android_deskpro_url",
            "anonymous",
            "blocked",
            "csp_extra",
            "deskpro_url",
            "messenger_id",
            "messenger_options",
            "token_iat",
            "token_lifetime"
        ]
    );
    assert!(
        matches!(set(world, "shop", &[("init_script_url", "")]), Err(AppError::Messenger(_))),
        "one of three"
    );
    assert!(matches!(set(world, "shop", &[("signing_key", NEW)]), Err(AppError::Refused(_))));
    assert_eq!(world.app.describe_messenger(&"shop".into()).expect("it is there"), before);
    for id in ["", "Shop", "shop/x", "-shop", "shöp", &"x".repeat(41)] {
        assert!(world.app.add_messenger(&id.into(), &Caller::cli()).is_err(), "{id}");
    }
    assert!(matches!(world.app.add_messenger(&"shop".into(), &Caller::cli()), Err(AppError::Taken(_))));
    let moved = world.app.change_messenger(
        &"shop".into(),
        &texts(&[("token_lifetime", "300")]),
        Some(before.revision - 1),
        &Caller::cli(),
    );
    assert!(matches!(moved, Err(AppError::MessengerMoved)));
}

#[apply(everywhere)]
fn what_the_environment_sets_wins_and_stays(world: &World) {
    set(world, "default", &[("messenger_id", "OTHER"), ("token_lifetime", "300")])
        .expect("the rest is taken");
    let described = world.app.describe_messenger(&"default".into()).expect("it is there");
    assert_eq!(
        (described.texts["messenger_id"].as_str(), described.texts["token_lifetime"].as_str()),
        ("01HGFZRNX7M9S4PX2G3RIA8S0C", "300")
    );
    assert_eq!(described.fixed, ["init_script_url", "deskpro_url", "messenger_id"]);
    world.user("ana");
    assert_eq!(world.browser().signed_in("ana").get("/api/v1/token").json()["expires_in"], 300);
    let fixed = world.app.add_signing_key(&"default".into(), NEW, Encoding::Raw, false, &Caller::cli());
    assert!(fixed.expect_err("it is fixed").to_string().contains("COUNTERSIGN_SIGNING_KEY"));
    assert!(world.app.enable_messenger(&"default".into(), false, &Caller::cli()).is_err());
}

#[apply(everywhere)]
fn another_instance_learns_of_a_change_by_itself(world: &World) {
    world.user("ana");
    shop(world);
    let (_, other) = world.second_instance();
    let browser =
        Browser::new(&world.base.replace(&world.server.address.to_string(), &other.address.to_string()));
    assert!(cors(&browser, "https://shop.example.com"));
    set(world, "shop", &[("allowed_origins", "https://new.example.com")]).expect("set");
    wait_until("the other instance knows", || cors(&browser, "https://new.example.com"));
    assert!(!cors(&browser, "https://shop.example.com"));
}

#[apply(everywhere)]
fn a_key_is_staged_switched_and_taken_back(world: &World) {
    shop(world);
    let first = world.app.signing_keys(&"shop".into()).expect("keys")[0].id.clone();
    let (second, state) = add_key(world, "shop", NEW);
    assert_eq!(state, KeyState::Next);
    world.user("ana");
    let ana = world.browser().signed_in("ana");
    assert!(verifies(&token(&ana, "shop"), OLD), "it waits");
    let switch = |id: &str| world.app.activate_signing_key(&"shop".into(), id, &Caller::cli());
    switch(&second).expect("switched");
    assert!(verifies(&token(&ana, "shop"), NEW));
    switch(&first).expect("taken back");
    assert!(verifies(&token(&ana, "shop"), OLD));
    assert!(world.app.remove_signing_key(&"shop".into(), &first, &Caller::cli()).is_err(), "it signs");
    world.app.flush_counts().expect("counted");
    let shown = world.app.signing_keys(&"shop".into()).expect("keys");
    let found: Vec<_> = shown.iter().map(|key| (key.state, key.hint.as_str(), key.bytes, key.used)).collect();
    assert_eq!(found, [(KeyState::Retired, "r it", NEW.len(), 1), (KeyState::Active, "S256", OLD.len(), 2)]);
    world.app.remove_signing_key(&"shop".into(), &second, &Caller::cli()).expect("removed");
    for (text, encoding) in [
        ("too short", Encoding::Raw),
        ("your-256-bit-secret-your-256-bit-secret", Encoding::Raw),
        ("zz", Encoding::Hex),
        (OLD, Encoding::Raw),
    ] {
        let refused = world
            .app
            .add_signing_key(&"shop".into(), text, encoding, false, &Caller::cli())
            .expect_err("refused")
            .to_string();
        assert!(!refused.contains(text), "{refused}");
    }
    let words: Vec<String> = world
        .app
        .events(&countersign::app::history::Filter::default(), 30)
        .expect("events")
        .expect("all")
        .into_iter()
        .map(|row| row.word)
        .filter(|word| word.starts_with("signing_key"))
        .collect();
    assert_eq!(
        words,
        [
            "signing_key_removed",
            "signing_key_switched",
            "signing_key_switched",
            "signing_key_added",
            "signing_key_added"
        ]
    );
}

#[apply(everywhere)]
fn while_tokens_are_fetched_each_verifies_with_one_key_and_none_with_the_old_one_after_the_switch(
    world: &World,
) {
    world.user("ana");
    shop(world);
    let first = world.app.signing_keys(&"shop".into()).expect("keys")[0].id.clone();
    let (second, _) = add_key(world, "shop", NEW);
    let (there, other) = world.second_instance();
    let bases = [
        world.base.clone(),
        world.base.replace(&world.server.address.to_string(), &other.address.to_string()),
    ];
    let ana = world.browser().signed_in("ana");
    for (id, key, before) in [(&second, NEW, OLD), (&first, OLD, NEW)] {
        let switched = AtomicBool::new(false);
        let fetch = |thread: usize| {
            let browser = Browser::new(&bases[thread % 2]).with("host", &world.server.address.to_string());
            *browser.cookies.borrow_mut() = ana.cookies.borrow().clone();
            let switched = &switched;
            move || {
                (0..25)
                    .map(|_| {
                        // Whether the switch was acknowledged before this one was asked for.
                        let after = switched.load(Ordering::SeqCst);
                        (after, token(&browser, "shop"))
                    })
                    .collect::<Vec<_>>()
            }
        };
        let mut work: Vec<Fetching<'_>> = (0..8).map(|thread| Box::new(fetch(thread)) as Box<_>).collect();
        work.push(Box::new(|| {
            world.app.activate_signing_key(&"shop".into(), id, &Caller::cli()).expect("switched");
            // The other server learns of it within a second otherwise.
            there.poll_changes().expect("the database answers");
            switched.store(true, Ordering::SeqCst);
            Vec::new()
        }));
        let fetched: Vec<(bool, String)> = at_once(work).into_iter().flatten().collect();
        assert_eq!(fetched.len(), 200);
        for (after, token) in &fetched {
            assert!(verifies(token, OLD) != verifies(token, NEW), "exactly one key");
            assert!(!*after || verifies(token, key), "signed with the old key after the switch");
        }
        assert!(verifies(&token(&ana, "shop"), key) && !verifies(&token(&ana, "shop"), before));
    }
}

#[apply(everywhere)]
fn a_page_works_where_nothing_can_be_signed(world: &World) {
    world.app.add_messenger(&"bare".into(), &Caller::cli()).expect("added");
    world.user("ana");
    let answer = world.browser().signed_in("ana").get("/api/v1/token?messenger=bare");
    assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("no_signing_key")));
    world.user_with("ada", Role::Admin, &[]);
}

/// A key may be found nowhere, in the clear or in the usual ways to write it.
#[test]
fn a_signing_key_is_found_in_no_file_of_the_database() {
    let world = World::new(Place::Sqlite);
    shop(&world);
    add_key(&world, "shop", NEW);
    let url = world.database_url();
    let file = std::path::PathBuf::from(url.strip_prefix("sqlite:").expect("a file"));
    let mut looked_at = 0;
    for entry in std::fs::read_dir(file.parent().expect("a folder")).expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        looked_at += 1;
        for key in [OLD, NEW] {
            for form in written(key) {
                assert!(!bytes.windows(form.len()).any(|window| window == form.as_bytes()), "{form}");
            }
        }
    }
    assert!(looked_at >= 2, "the database and its log");
    let events = format!(
        "{:?}",
        world.app.events(&countersign::app::history::Filter::default(), 50).expect("events").expect("all")
    );
    let listed = world.cli(&["key", "list", "--messenger", "shop"]).to_string();
    for form in [OLD, NEW].into_iter().flat_map(written) {
        assert!(!events.contains(&form) && !listed.contains(&form));
    }
}

/// A key as it stands, in hex, and in base64 whatever stands before it.
fn written(key: &str) -> Vec<String> {
    use base64::Engine as _;
    let hex: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![key.to_owned(), hex.to_uppercase(), hex];
    for skipped in 0..3 {
        let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&key.as_bytes()[skipped..]);
        forms.push(text[..text.len() - 3].to_owned());
    }
    forms
}
