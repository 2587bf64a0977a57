//! Recipes with the values of this server in them.

use rstest_reuse::apply;

use super::admin;
use crate::server::{World, everywhere};

#[apply(everywhere)]
fn every_recipe_is_filled_with_this_server_s_values(world: &World) {
    let ada = admin(world, "ada");
    let page = ada.get("/admin/integrate");
    assert!(page.body.contains("No origin is allowed yet"), "{}", page.body);
    for left in ["{{accounts}}", "{{messenger}}", "{{desk}}", "{{origin}}", "{{listen}}", "{{sockets}}"] {
        assert!(!page.body.contains(left), "{left}");
    }
    let links: Vec<String> = page
        .body
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| link.contains("/admin/integrate/"))
        .map(|link| link.replace("&#38;", "&"))
        .collect();
    assert_eq!(links.len(), 14);
    for link in links {
        let path = &link[link.find("/admin").expect("ours")..];
        let file = ada.get(path);
        assert_eq!(file.status, 200, "{path}");
        assert!(
            file.header("content-disposition")
                .is_some_and(|value| value.starts_with("attachment; filename=")),
            "{path}"
        );
        if path.contains(".zip") {
            // A browser test installs it.
            assert_eq!(file.header("content-type"), Some("application/zip"));
            continue;
        }
        for left in ["{{accounts}}", "{{messenger}}", "{{desk}}", "{{origin}}", "{{listen}}", "{{sockets}}"] {
            assert!(!file.body.contains(left), "{path}: {left}");
        }
        let needs = if path.contains("policy") {
            "https://desk.example.com wss://desk.example.com;"
        } else if path.contains("nginx") {
            "location ^~ /countersign/"
        } else {
            &world.base
        };
        assert!(file.body.contains(needs), "{path}: {}", file.body);
    }
    assert_eq!(ada.get("/admin/integrate/../../etc/passwd").status, 404);
    for wrong in [
        "/admin/integrate/nothing.js",
        "/admin/integrate?messenger=other",
        "/admin/integrate/express.js?messenger=other",
    ] {
        assert_eq!(ada.get(wrong).status, 404, "{wrong}");
    }
    world.app.add_messenger(&"shop".into(), &countersign::app::Caller::cli()).expect("added");
    let shop = ada.get("/admin/integrate?messenger=shop");
    assert!(
        shop.body.contains("data-messenger=&#34;shop&#34;")
            && shop.body.contains("three values are not set")
            && shop.body.contains("There is no signing key"),
        "{}",
        shop.body
    );
}
