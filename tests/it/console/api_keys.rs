//! API keys and connection codes in the console.

use rstest_reuse::apply;

use super::messengers::press;
use super::{admin, fill, filled_in, send};
use crate::server::{World, everywhere};

#[apply(everywhere)]
fn a_code_asks_whose_ids_it_is_for_and_an_empty_prefix_keeps_them_apart(world: &World) {
    let ada = admin(world, "ada");
    world.user_with(
        "gus",
        countersign::core::user::Role::User,
        &[("external_id", "1001"), ("display_name", "Gus <b>Tor</b>")],
    );
    let offer = |name: &str, more: &[(&str, &str)]| {
        let mut fields = filled_in(
            &ada.get("/admin/api-keys"),
            "<form class=\"sheet\" method=\"post\" id=\"make\">",
            "offer",
        );
        for (field, value) in [("name", name)].iter().chain(more) {
            fill(&mut fields, field, value);
        }
        send(&ada, "/admin/api-keys", &fields)
    };
    let asked = offer("WordPress", &[]);
    assert!(asked.status == 422 && asked.body.contains("Are these the same people?"), "{}", asked.body);
    assert!(asked.body.contains("1001") && !asked.body.contains("<b>Tor"), "{}", asked.body);
    for (name, prefix) in [("WordPress", "wordpress-"), ("日本", "website-")] {
        let mut fields = filled_in(&offer(name, &[]), "id=\"whose-ids\"", "offer");
        fields.push(("ids".to_owned(), "apart".to_owned()));
        fill(&mut fields, "prefix", "");
        assert_eq!(send(&ada, "/admin/api-keys", &fields).status, 201, "{name}");
        let keys = world.app.api_keys().expect("keys");
        assert_eq!(keys.iter().find(|key| key.name == name).expect("the key").prefix, prefix);
    }
    let mut fields = filled_in(&offer("Shop", &[]), "id=\"whose-ids\"", "offer");
    fields.push(("ids".to_owned(), "same".to_owned()));
    assert_eq!(send(&ada, "/admin/api-keys", &fields).status, 201);
    assert_eq!(world.app.api_keys().expect("keys")[0].prefix, "", "whatever stands in the field");
}

#[apply(everywhere)]
fn an_api_key_is_shown_once_and_revoked(world: &World) {
    let ada = admin(world, "ada");
    let make = "<form class=\"sheet\" method=\"post\" id=\"make\">";
    let mut fields = filled_in(&ada.get("/admin/api-keys"), make, "");
    fill(&mut fields, "name", "shop server");
    let made = send(&ada, "/admin/api-keys", &fields);
    assert_eq!(made.status, 201, "{}", made.body);
    let (_, rest) = made.body.split_once("id=\"secret\">").expect("the key");
    let secret = rest.split('<').next().expect("a text").to_owned();
    assert!(secret.starts_with("countersign_") && secret.len() > 50);
    assert!(!ada.get("/admin/api-keys").body.contains(&secret), "once");
    // A reload sends the same form again.
    let again = send(&ada, "/admin/api-keys", &fields);
    assert!(
        again.status == 422
            && again.body.contains("already created")
            && !again.body.contains("id=\"secret\""),
        "{}",
        again.body
    );
    assert_eq!(world.app.api_keys().expect("keys").len(), 1);
    let server = crate::site::server(world, &secret);
    let put = || crate::site::ask(&server, "PUT", "/api/v1/users/7", &serde_json::json!({})).status;
    assert_eq!(put(), 201);
    let id = world.app.api_keys().expect("keys")[0].id.clone();
    // Asked once, with what it has begun; nothing is done until it is answered.
    let asked = press(&ada, "/admin/api-keys", "<form method=\"post\">", &format!("ask-{id}"), &[]);
    assert!(
        asked.body.contains("No browser or app is signed in with its codes") && !asked.body.contains("end-"),
        "{}",
        asked.body
    );
    assert_eq!(
        press(&ada, "/admin/api-keys", "<form method=\"post\">", &format!("forget-{id}"), &[]).status,
        400,
        "no word of ours"
    );
    assert_eq!(put(), 200);
    let answer = "<form class=\"banner banner-attention\" id=\"asked\" method=\"post\" role=\"alert\" tabindex=\"-1\" autofocus aria-labelledby=\"asked-title\">";
    let revoked = send(&ada, "/admin/api-keys", &filled_in(&asked, answer, &format!("revoke-{id}")));
    assert!(revoked.header("location").is_some_and(|to| to.ends_with("done=revoked")));
    assert_eq!(put(), 401);
    for (name, text) in [("name", " "), ("days", "0"), ("days", "x"), ("days", "999999999999999999999")] {
        let refused = press(&ada, "/admin/api-keys", make, "", &[("name", "x"), (name, text)]);
        assert_eq!(refused.status, 422, "{name} {text}");
    }
}
