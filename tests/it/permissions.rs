//! Every route with every kind of caller. A route that is not in the table fails the test.

use actix_web::http::Method;
use countersign::core::user::Role;
use countersign::web::{Access, ROUTES, allowed};
use rstest_reuse::apply;

use crate::server::{Browser, World, everywhere};

/// (method, path to ask, pattern, status for nobody, for a user, for an admin): all without a form's
/// proof. An admin's form that comes without one is shown again (401), a stranger's leads to the
/// sign-in and is shown again as well.
const TABLE: &[(&str, &str, &str, u16, u16, u16)] = &[
    ("GET", "/api/v1/token", "/api/v1/token", 401, 200, 403),
    ("OPTIONS", "/api/v1/token", "/api/v1/token", 204, 204, 204),
    ("GET", "/api/v1/messenger", "/api/v1/messenger", 200, 200, 200),
    ("OPTIONS", "/api/v1/messenger", "/api/v1/messenger", 204, 204, 204),
    ("GET", "/", "/", 200, 200, 200),
    ("GET", "/login", "/login", 200, 303, 303),
    ("POST", "/login", "/login", 403, 303, 303),
    ("POST", "/logout", "/logout", 303, 403, 403),
    ("GET", "/account", "/account", 303, 200, 200),
    ("POST", "/account", "/account", 303, 403, 403),
    ("GET", "/handover", "/handover", 403, 403, 403),
    ("POST", "/handover", "/handover", 403, 403, 403),
    ("GET", "/admin", "/admin", 303, 403, 303),
    ("GET", "/admin/mapping", "/admin/mapping", 303, 403, 200),
    ("POST", "/admin/mapping", "/admin/mapping", 401, 403, 401),
    ("GET", "/admin/mapping/file", "/admin/mapping/file", 303, 403, 200),
    ("GET", "/admin/mapping/conflicts", "/admin/mapping/conflicts", 303, 403, 200),
    ("POST", "/admin/mapping/conflicts", "/admin/mapping/conflicts", 401, 403, 401),
    ("GET", "/admin/mapping/names", "/admin/mapping/names", 303, 403, 200),
    ("POST", "/admin/mapping/names", "/admin/mapping/names", 401, 403, 401),
    ("GET", "/admin/mapping/rules/0", "/admin/mapping/rules/{rule}", 303, 403, 200),
    ("POST", "/admin/mapping/rules/0", "/admin/mapping/rules/{rule}", 401, 403, 401),
    ("POST", "/admin/mapping/preview", "/admin/mapping/preview", 401, 403, 401),
    ("GET", "/admin/mapping/coverage", "/admin/mapping/coverage", 303, 403, 200),
    ("POST", "/admin/mapping/coverage", "/admin/mapping/coverage", 401, 403, 401),
    ("GET", "/admin/mapping/expected", "/admin/mapping/expected", 303, 403, 200),
    ("POST", "/admin/mapping/expected", "/admin/mapping/expected", 401, 403, 401),
    ("GET", "/admin/mapping/expected/file", "/admin/mapping/expected/file", 303, 403, 200),
    ("GET", "/admin/mapping/expected/user?login=ada", "/admin/mapping/expected/user", 303, 403, 200),
    ("POST", "/admin/mapping/expected/user", "/admin/mapping/expected/user", 401, 403, 401),
    ("GET", "/admin/mapping/publish", "/admin/mapping/publish", 303, 403, 200),
    ("POST", "/admin/mapping/publish", "/admin/mapping/publish", 401, 403, 401),
    ("GET", "/admin/mapping/versions", "/admin/mapping/versions", 303, 403, 200),
    ("GET", "/admin/mapping/versions/1", "/admin/mapping/versions/{version}", 303, 403, 404),
    ("POST", "/admin/mapping/versions/1", "/admin/mapping/versions/{version}", 401, 403, 401),
    ("GET", "/admin/mapping/versions/1/file", "/admin/mapping/versions/{version}/file", 303, 403, 404),
    ("GET", "/admin/messengers", "/admin/messengers", 303, 403, 200),
    ("POST", "/admin/messengers", "/admin/messengers", 401, 403, 401),
    ("GET", "/admin/messengers/default", "/admin/messengers/{id}", 303, 403, 200),
    ("POST", "/admin/messengers/default", "/admin/messengers/{id}", 401, 403, 401),
    ("GET", "/admin/messengers/default/keys", "/admin/messengers/{id}/keys", 303, 403, 200),
    ("POST", "/admin/messengers/default/keys", "/admin/messengers/{id}/keys", 401, 403, 401),
    ("GET", "/admin/sync", "/admin/sync", 303, 403, 200),
    ("POST", "/admin/sync", "/admin/sync", 401, 403, 401),
    ("GET", "/admin/sync/none", "/admin/sync/{desk}", 303, 403, 404),
    ("POST", "/admin/sync/none", "/admin/sync/{desk}", 401, 403, 401),
    ("GET", "/admin/sync/none/people", "/admin/sync/{desk}/people", 303, 403, 404),
    ("GET", "/admin/sync/none/dry-run", "/admin/sync/{desk}/dry-run", 303, 403, 404),
    ("GET", "/admin/sync/none/settings", "/admin/sync/{desk}/settings", 303, 403, 404),
    ("POST", "/admin/sync/none/settings", "/admin/sync/{desk}/settings", 401, 403, 401),
    ("GET", "/admin/integrate", "/admin/integrate", 303, 403, 200),
    ("GET", "/admin/integrate/express.js", "/admin/integrate/{recipe}", 303, 403, 200),
    ("GET", "/admin/api-keys", "/admin/api-keys", 303, 403, 200),
    ("POST", "/admin/api-keys", "/admin/api-keys", 401, 403, 401),
    ("GET", "/admin/audit", "/admin/audit", 303, 403, 200),
    ("GET", "/admin/audit/file", "/admin/audit/file", 303, 403, 200),
    ("GET", "/admin/confirm", "/admin/confirm", 303, 403, 200),
    ("POST", "/admin/confirm", "/admin/confirm", 401, 403, 401),
    ("POST", "/api/v1/session", "/api/v1/session", 403, 403, 403),
    ("DELETE", "/api/v1/session", "/api/v1/session", 403, 403, 403),
    ("OPTIONS", "/api/v1/session", "/api/v1/session", 204, 204, 204),
    ("PUT", "/api/v1/users/7", "/api/v1/users/{external_id}", 401, 401, 401),
    ("DELETE", "/api/v1/users/7", "/api/v1/users/{external_id}", 401, 401, 401),
    ("POST", "/api/v1/mint", "/api/v1/mint", 401, 401, 401),
    ("POST", "/api/v1/handovers", "/api/v1/handovers", 401, 401, 401),
    ("POST", "/api/v1/connections", "/api/v1/connections", 415, 415, 415),
    ("POST", "/api/v1/deskpro/7/people", "/api/v1/deskpro/{desk}/people", 401, 401, 401),
    ("PUT", "/api/v1/deskpro/7/people", "/api/v1/deskpro/{desk}/people", 401, 401, 401),
    ("POST", "/api/v1/devices", "/api/v1/devices", 415, 415, 415),
    ("GET", "/api/v1/devices", "/api/v1/devices", 401, 401, 401),
    ("DELETE", "/api/v1/devices/current", "/api/v1/devices/current", 401, 401, 401),
    ("DELETE", "/api/v1/devices/7", "/api/v1/devices/{id}", 401, 401, 401),
    ("GET", "/api/v1/admin/mapping", "/api/v1/admin/mapping", 401, 403, 200),
    ("POST", "/api/v1/admin/mapping", "/api/v1/admin/mapping", 401, 403, 403),
    ("POST", "/api/v1/admin/mapping/check", "/api/v1/admin/mapping/check", 401, 403, 403),
    ("POST", "/api/v1/admin/mapping/preview", "/api/v1/admin/mapping/preview", 401, 403, 403),
    ("GET", "/api/v1/admin/mapping/versions", "/api/v1/admin/mapping/versions", 401, 403, 200),
    ("GET", "/api/v1/admin/mapping/versions/1", "/api/v1/admin/mapping/versions/{version}", 401, 403, 404),
    (
        "POST",
        "/api/v1/admin/mapping/versions/1/restore",
        "/api/v1/admin/mapping/versions/{version}/restore",
        401,
        403,
        403,
    ),
    ("GET", "/api/v1/admin/mapping/draft", "/api/v1/admin/mapping/draft", 401, 403, 200),
    ("PUT", "/api/v1/admin/mapping/draft", "/api/v1/admin/mapping/draft", 401, 403, 403),
    ("DELETE", "/api/v1/admin/mapping/draft", "/api/v1/admin/mapping/draft", 401, 403, 403),
    ("POST", "/api/v1/admin/mapping/draft/publish", "/api/v1/admin/mapping/draft/publish", 401, 403, 403),
    ("POST", "/api/v1/admin/mapping/draft/rebase", "/api/v1/admin/mapping/draft/rebase", 401, 403, 403),
    (
        "GET",
        "/api/v1/admin/mapping/draft/comparison",
        "/api/v1/admin/mapping/draft/comparison",
        401,
        403,
        404,
    ),
    (
        "POST",
        "/api/v1/admin/mapping/draft/comparison",
        "/api/v1/admin/mapping/draft/comparison",
        401,
        403,
        403,
    ),
    (
        "DELETE",
        "/api/v1/admin/mapping/draft/comparison",
        "/api/v1/admin/mapping/draft/comparison",
        401,
        403,
        403,
    ),
    ("GET", "/api/v1/admin/mapping/expected", "/api/v1/admin/mapping/expected", 401, 403, 200),
    ("PUT", "/api/v1/admin/mapping/expected/ana", "/api/v1/admin/mapping/expected/{login}", 401, 403, 403),
    ("DELETE", "/api/v1/admin/mapping/expected/ana", "/api/v1/admin/mapping/expected/{login}", 401, 403, 403),
    ("GET", "/api/v1/admin/sync", "/api/v1/admin/sync", 401, 403, 200),
    ("POST", "/api/v1/admin/sync/none", "/api/v1/admin/sync/{desk}", 401, 403, 403),
    ("GET", "/api/v1/admin/sync/none/people?state=sent", "/api/v1/admin/sync/{desk}/people", 401, 403, 404),
    ("GET", "/api/v1/admin/audit", "/api/v1/admin/audit", 401, 403, 200),
    ("GET", "/api/openapi.json", "/api/openapi.json", 200, 200, 200),
    ("GET", "/api/docs", "/api/docs", 200, 200, 200),
    ("GET", "/help", "/help", 200, 200, 200),
    ("GET", "/help/errors", "/help/errors", 200, 200, 200),
    ("GET", "/help/errors/signed_out", "/help/errors/{code}", 200, 200, 200),
    ("GET", "/help/embed", "/help/{document}", 200, 200, 200),
    ("GET", "/healthz", "/healthz", 200, 200, 200),
    ("GET", "/readyz", "/readyz", 200, 200, 200),
    ("GET", "/embed.js", "/embed.js", 200, 200, 200),
    ("GET", "/embed.d.ts", "/embed.d.ts", 200, 200, 200),
    ("GET", "/assets/x/app.css", "/assets/{version}/{file:.*}", 404, 404, 404),
];

/// Spellings of a path that must not reach the route without being that path.
fn spellings(path: &str) -> Vec<String> {
    vec![
        format!("{path}/"),
        format!("/{path}"),
        format!("{path}%00"),
        format!("{path};x"),
        format!("{path}%2f"),
        path.to_uppercase(),
        format!("/x/..{path}"),
        format!("/.{path}"),
    ]
}

#[test]
fn the_table_lists_every_route() {
    let listed: Vec<(Method, &str)> =
        TABLE.iter().map(|(method, _, pattern, ..)| (method.parse().expect("a method"), *pattern)).collect();
    let known: Vec<(Method, &str)> = ROUTES.iter().map(|entry| (entry.method.clone(), entry.path)).collect();
    assert_eq!(listed, known);
}

/// What stands before a path is chosen by its first route: it must do for the others, too.
#[test]
fn all_routes_of_a_path_have_the_same_guard() {
    let guard = |access| match access {
        Access::Admin | Access::Confirmed => "console",
        Access::AdminApi | Access::ConfirmedApi => "admins' programs",
        Access::Page => "pages",
        Access::Site => "servers",
        Access::Deskpro => "Deskpro",
        Access::Anyone | Access::Token => "none",
    };
    for route in ROUTES {
        let first = ROUTES.iter().find(|other| other.path == route.path).expect("itself");
        assert_eq!(guard(route.access), guard(first.access), "{} {}", route.method, route.path);
    }
}

#[test]
fn every_download_of_data_of_users_asks_for_the_password() {
    // A mapping is no data of users, and stands in the pages that every admin sees.
    let open = ["/admin/mapping/file", "/admin/mapping/versions/{version}/file", "/admin/integrate/{recipe}"];
    for route in ROUTES.iter().filter(|route| route.path.ends_with("/file") && !open.contains(&route.path)) {
        assert_eq!(route.access, Access::Confirmed, "{}", route.path);
    }
    for path in ["/api/v1/admin/audit", "/api/v1/admin/mapping/expected"] {
        let route =
            ROUTES.iter().find(|route| route.path == path && route.method == Method::GET).expect(path);
        assert_eq!(route.access, Access::ConfirmedApi, "{path}");
    }
}

#[apply(everywhere)]
fn each_route_answers_each_caller_as_the_table_says(world: &World) {
    world.user("ana");
    world.user_with("ada", Role::Admin, &[]);
    let (nobody, ana, ada) =
        (world.browser(), world.browser().signed_in("ana"), world.browser().signed_in("ada"));
    let check = |browser: &Browser, method: &str, path: &str, expected: u16, who: &str| {
        let answer = browser.send(
            method,
            path,
            (method == "POST").then_some(""),
            &[("content-type", "application/x-www-form-urlencoded")],
        );
        assert_eq!(answer.status, expected, "{method} {path} as {who}: {}", answer.body);
    };
    for (method, path, _, for_nobody, for_ana, for_ada) in TABLE {
        check(&nobody, method, path, *for_nobody, "nobody");
        check(&ana, method, path, *for_ana, "a user");
        check(&ada, method, path, *for_ada, "an admin");
    }
}

#[apply(everywhere)]
fn a_wrong_method_gets_405_with_the_right_ones(world: &World) {
    let browser = world.browser();
    for (_, path, pattern, ..) in TABLE {
        let right = allowed(pattern);
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            if right.iter().any(|known| known.as_str() == method) {
                continue;
            }
            let answer = browser.send(method, path, None, &[]);
            assert_eq!(answer.status, 405, "{method} {path}");
            let expected: Vec<&str> = right.iter().map(Method::as_str).collect();
            assert_eq!(answer.header("allow"), Some(expected.join(", ").as_str()), "{method} {path}");
        }
    }
}

#[apply(everywhere)]
fn head_answers_as_get_without_a_body(world: &World) {
    world.user("ana");
    let ana = world.browser().signed_in("ana");
    for (_, path, ..) in TABLE.iter().filter(|(method, ..)| *method == "GET") {
        let (get, head) = (ana.get(path), ana.send("HEAD", path, None, &[]));
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{path}");
    }
}

#[apply(everywhere)]
fn other_spellings_of_a_path_reach_nothing(world: &World) {
    world.user_with("ana", Role::Admin, &[]);
    let ana = world.browser().signed_in("ana");
    for path in ["/api/v1/token", "/api/v1/admin/mapping", "/login", "/logout", "/admin", "/admin/mapping"] {
        for spelling in spellings(path) {
            let answer = ana.get(&spelling);
            assert!(matches!(answer.status, 400 | 404), "{spelling}: {}", answer.status);
            assert!(answer.signed_user_info().is_none() && !answer.body.contains("\"token\""), "{spelling}");
        }
    }
}

#[apply(everywhere)]
fn every_answer_carries_the_security_headers(world: &World) {
    world.user("ana");
    let ana = world.browser().signed_in("ana");
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/nothing"),
        ("GET", "/api/v1/token"),
        ("GET", "/api/nothing"),
        ("PUT", "/login"),
        ("POST", "/logout"),
        ("GET", "/healthz"),
        ("GET", "/assets/x/y.css"),
        ("GET", "/admin"),
        ("POST", "/admin/mapping"),
    ] {
        let answer = ana.send(method, path, None, &[]);
        let policy = answer.header("content-security-policy").unwrap_or_default();
        for directive in ["object-src 'none'", "base-uri 'none'", "form-action ", "frame-ancestors 'none'"] {
            assert!(policy.contains(directive), "{method} {path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        for name in [
            "x-content-type-options",
            "referrer-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "permissions-policy",
        ] {
            assert!(answer.header(name).is_some(), "{method} {path}: {name}");
        }
        assert!(answer.header("server").is_none() && answer.header("x-powered-by").is_none());
        assert_eq!(answer.header("cache-control"), Some("private, no-store"), "{method} {path}");
    }
}
