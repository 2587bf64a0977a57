//! The helper for pages, as it is served.

use rstest_reuse::apply;

use crate::server::{World, everywhere};

#[apply(everywhere)]
fn pages_of_every_site_load_the_helper_and_ask_whether_it_is_still_the_same(world: &World) {
    let anybody = world.browser();
    let first = anybody.get("/embed.js");
    assert_eq!((first.status, first.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    assert_eq!(first.header("cross-origin-resource-policy"), Some("cross-origin"));
    assert_eq!(
        (first.header("access-control-allow-origin"), first.header("cache-control")),
        (Some("*"), Some("public, max-age=300"))
    );
    let tag = first.header("etag").expect("a tag").to_owned();
    for (known, status) in [
        (tag.as_str(), 304),
        ("\"other\"", 200),
        ("*", 304),
        (&format!("\"x\", {tag}"), 304),
        (tag.trim_start_matches("W/"), 304),
    ] {
        let again = anybody.send("GET", "/embed.js", None, &[("if-none-match", known)]);
        assert_eq!((again.status, again.header("etag")), (status, Some(tag.as_str())), "{known}");
        assert_eq!(again.body.is_empty(), status == 304);
        assert_eq!(again.header("cross-origin-resource-policy"), Some("cross-origin"));
    }
    // The same under the address that never changes what it holds.
    let version = tag.trim_start_matches("W/").trim_matches('"');
    let versioned = anybody.get(&format!("/assets/{version}/embed.js"));
    assert_eq!((versioned.status, &versioned.body), (200, &first.body));
    assert_eq!(versioned.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(versioned.header("cross-origin-resource-policy"), Some("cross-origin"));
    assert_eq!(anybody.get("/assets/0000/embed.js").status, 404);
    let types = anybody.get("/embed.d.ts");
    assert!(types.status == 200 && types.body.contains("interface CountersignOptions"));
    let small = anybody.send("GET", "/embed.js", None, &[("accept-encoding", "br")]);
    assert_eq!(small.header("content-encoding"), Some("br"));
    // Nothing else of ours may be put into other people's pages.
    assert_eq!(anybody.get("/login").header("cross-origin-resource-policy"), Some("same-origin"));
}

#[apply(everywhere)]
fn a_page_learns_what_it_needs_for_a_visitor_who_is_nobody(world: &World) {
    let anybody = world.browser();
    let answer = anybody.send("GET", "/api/v1/messenger", None, &[("cookie", "countersign=x")]);
    assert_eq!(
        (answer.status, answer.json()["messenger_id"].as_str()),
        (200, Some("01HGFZRNX7M9S4PX2G3RIA8S0C"))
    );
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "it stands in every page");
    assert!(answer.header("access-control-allow-credentials").is_none());
    assert_eq!(anybody.get("/api/v1/messenger?messenger=other").json()["code"], "unknown_messenger");
    let cross = [("sec-fetch-site", "cross-site")];
    for (headers, code) in [(&cross[..0], "signed_out"), (&cross[..], "cookie_not_sent")] {
        let asked = anybody.send("GET", "/api/v1/token?optional=1", None, headers);
        assert_eq!(
            (asked.status, asked.header("x-countersign-code"), asked.body.as_str()),
            (204, Some(code), "")
        );
    }
}

#[apply(everywhere)]
fn a_page_that_shows_somebody_gets_nobody_else_s_token(world: &World) {
    world.user("ana");
    world.user_with(
        "bob",
        countersign::core::user::Role::User,
        &[("external_id", "C-7"), ("email", "bob@example.com"), ("email_verified", "yes")],
    );
    let (ana, bob) = (world.browser().signed_in("ana"), world.browser().signed_in("bob"));
    for (browser, shown, status) in [
        (&ana, "ana", 200),
        (&ana, "ANA", 200),
        (&ana, "bob", 401),
        (&ana, "", 401),
        (&ana, "C-7", 401),
        (&bob, "C-7", 200),
        (&bob, "c-7", 401),
        (&bob, "bob", 401),
        (&bob, "", 401),
    ] {
        let answer = browser.get(&format!("/api/v1/token?shown={shown}"));
        assert_eq!(answer.status, status, "{shown}: {}", answer.body);
        if status == 401 {
            assert_eq!(answer.json()["code"], "other_user");
            let quiet = browser.get(&format!("/api/v1/token?optional=1&shown={shown}"));
            assert_eq!((quiet.status, quiet.header("x-countersign-code")), (204, Some("other_user")));
        }
    }
}
