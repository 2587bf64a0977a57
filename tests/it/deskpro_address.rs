//! Which addresses of Deskpro a messenger accepts.

use countersign::app::{App, AppError, Caller, clock};
use countersign::core::user::Role;
use rstest_reuse::apply;

use crate::messengers::set;
use crate::server::{World, everywhere};

#[apply(everywhere)]
fn an_address_of_deskpro_is_one_that_its_script_can_build_on(world: &World) {
    world.app.add_messenger(&"shop".into(), &Caller::cli()).expect("added");
    let refused = |field: &str, url: &str| match set(world, "shop", &[(field, url)]) {
        Err(AppError::Messenger(errors)) => {
            errors.iter().any(|error| error.place == field && error.what.contains("cannot be used"))
        }
        other => panic!("{field} {url}: {other:?}"),
    };
    for field in ["deskpro_url", "init_script_url", "ios_deskpro_url", "android_deskpro_url"] {
        for url in [
            "https://desk.example.com/#x",
            "https://desk.example.com/#",
            "https://ana@desk.example.com/",
            "https://ana:pw@desk.example.com/",
            "https://@desk.example.com/",
            "https:desk.example.com",
            "https:/desk.example.com/",
            "https:\\\\desk.example.com",
            "https://desk.exa\tmple.com/",
            "ftp://desk.example.com/",
            "//desk.example.com/",
            "desk.example.com",
            "https://",
            "https://desk example.com/",
        ] {
            assert!(refused(field, url), "{field} {url}");
        }
        let query = format!("https://desk.example.com/x?{field}");
        assert!(field == "init_script_url" || refused(field, &query), "{query}");
    }
    set(
        world,
        "shop",
        &[
            ("init_script_url", "https://desk.example.com/web.js?v=3"),
            ("deskpro_url", "HTTPS://desk.example.com/deskpro-messenger/1"),
            ("messenger_id", "X"),
        ],
    )
    .expect("taken");
    assert!(world.app.describe_messenger(&"shop".into()).expect("there").warnings.is_empty());
    set(
        world,
        "shop",
        &[
            ("deskpro_url", "http://10.0.0.7/deskpro-messenger/1"),
            ("allowed_origins", "http://www.example.com\nhttp://localhost:3000"),
        ],
    )
    .expect("taken");
    let warnings = world.app.describe_messenger(&"shop".into()).expect("there").warnings;
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    for word in [
        "deskpro_url starts with http:",
        "deskpro_url leads to 10.0.0.7",
        "allowed_origins has http://www.example.com",
    ] {
        assert!(warnings.iter().any(|text| text.contains(word)), "{word}: {warnings:?}");
    }
    world.user_with("ada", Role::Admin, &[]);
    let page = world.browser().signed_in("ada").get("/admin/messengers/shop");
    assert!(
        page.body.contains("Check these settings") && page.body.contains("deskpro_url leads to 10.0.0.7"),
        "{}",
        page.body
    );
    let checked: Vec<_> = App::check(world.app.settings(), &clock::system())
        .items
        .into_iter()
        .map(|item| item.message)
        .collect();
    assert!(
        checked.iter().any(|text| text.starts_with("'shop': deskpro_url leads to 10.0.0.7")),
        "{checked:?}"
    );
}
