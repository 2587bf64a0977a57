//! Users whom Deskpro would take for one person, found among all of them.

use countersign::app::Caller;
use countersign::app::identity::Uncertainties;
use countersign::core::user::{Login, Role};
use rstest_reuse::apply;

use crate::console::{admin, filled_in, send};
use crate::server::{World, everywhere, wait_until};

const MAPPING: &str = r#"{"rules": [
    {"claim": "email", "from": {"attribute": "contact"}},
    {"claim": "emails", "from": {"attribute": "more"}},
    {"claim": "deskpro_id", "from": {"attribute": "person"}},
    {"claim": "name", "from": {"attribute": "display_name"}}
]}"#;

/// A login, attributes, and the code that is expected.
type Planted = (&'static str, &'static [(&'static str, &'static str)], &'static str);

/// Addresses and ids come from trusted attributes, so that two users can have the same.
fn prepare(world: &World) {
    for name in ["contact", "more", "person"] {
        world.attribute(name);
        let proved = countersign::app::attributes::Change { proved: Some(true), ..Default::default() };
        world.app.set_attribute(name, proved, &Caller::cli(), |_| {}).expect("trusted");
    }
    world.app.publish_mapping(&"default".into(), MAPPING, "a test", &Caller::cli()).expect("published");
}

fn add(world: &World, login: &str, attributes: &[(&str, &str)]) {
    let login = Login::parse(login).expect("a login");
    let attributes: Vec<_> =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    world.app.add_user(&login, Role::User, &attributes, &Caller::cli()).expect("added");
}

fn found(world: &World) -> Uncertainties {
    world.app.uncertain_users(&"default".into(), |_, _| {}).expect("looked")
}

#[apply(everywhere)]
fn every_kind_is_found_with_what_to_do_and_nobody_else(world: &World) {
    prepare(world);
    for n in 0..600 {
        let address = format!("u{n}@example.com");
        world.user_with(
            &format!("u{n}"),
            Role::User,
            &[("contact", &address), ("person", &format!("{}", n + 1_000))],
        );
    }
    assert_eq!((found(world).count, found(world).looked_at), (0, 600), "nobody is taken for another one");
    let planted: &[Planted] = &[
        ("case-1", &[("contact", "Same@Example.com")], "same_address"),
        ("case-2", &[("contact", "same@example.COM")], "same_address"),
        ("idn-1", &[("contact", "a@müller.example")], "same_address"),
        ("idn-2", &[("contact", "a@xn--mller-kva.example")], "same_address"),
        ("form", &[("contact", "a@mu\u{308}ller.example")], "same_address"),
        ("id-1", &[("contact", "i1@example.com"), ("person", "77")], "same_id"),
        ("id-2", &[("contact", "i2@example.com"), ("person", "77")], "same_id"),
        ("further", &[("contact", "f@example.com"), ("more", "U7@example.com")], "others_address"),
        ("late", &[("contact", "u599@example.com")], "same_address"),
    ];
    for (login, attributes, _) in planted {
        add(world, login, attributes);
    }
    let found = found(world);
    for (login, _, code) in planted {
        let one = found.users.iter().find(|user| user.login == *login);
        assert_eq!(one.map(|user| user.code.as_str()), Some(*code), "{login}");
    }
    let login_of = |login: &str| &found.users.iter().find(|user| user.login == login).expect("listed").words;
    assert!(login_of("case-1").contains("'case-2'") && login_of("late").contains("'u599'"));
    assert_eq!(found.count, 10, "the planted ones, and u599: {:?}", found.users);
    let check = countersign::app::App::check(world.app.settings(), &countersign::app::clock::system());
    let item = check.items.iter().find(|item| item.part == "conflicts").expect("an item");
    assert!(item.message.contains("10 users"), "{}", item.message);
    let said = world.app.user(&Login::parse("late").expect("a login")).expect("a user");
    world.app.disable_user(&said.login, &Caller::cli()).expect("disabled");
    assert_eq!(self::found(world).count, 8, "a user who is disabled is nobody's twin");
}

#[apply(everywhere)]
fn an_admin_looks_and_reads_what_to_do(world: &World) {
    prepare(world);
    for login in ["ana", "anna"] {
        world.user_with(login, Role::User, &[("contact", "ana@example.com"), ("display_name", "Ana <i>")]);
    }
    let ada = admin(world, "ada");
    let path = "/admin/mapping/conflicts";
    let page = ada.get(path);
    assert!(page.body.contains("Check all users</button>"), "{}", page.body);
    let fields = filled_in(&page, "<form method=\"post\" class=\"actions between\">", "");
    assert_eq!(send(&ada, path, &fields).status, 303);
    // Twice at once is one look.
    assert_eq!(send(&ada, path, &fields).status, 303);
    wait_until("it has ended", || {
        let check = world.app.identity_check(&"default".into()).expect("read");
        check.is_some_and(|check| !check.state.is_under_way())
    });
    let page = ada.get(path).body;
    assert!(
        page.contains("2 users are in conflict") && page.contains("&#39;anna&#39; the same address"),
        "{page}"
    );
    let preview = ada.get("/admin/mapping?user=anna").body;
    assert!(preview.contains("&#39;ana&#39; the same address"), "{preview}");
    let metrics = world.app.metrics().expect("metrics");
    assert!(metrics.contains("countersign_users_in_conflict{messenger=\"default\"} 2"), "{metrics}");

    let said = world.cli(&["mapping", "conflicts"]);
    assert_eq!(
        (said["login"].as_str(), said["code"].as_str()),
        (Some("ana"), Some("same_address")),
        "{said}"
    );
}
