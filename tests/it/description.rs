//! The API's description says what there is, and nothing else.

use std::collections::BTreeSet;

use countersign::web::ROUTES;

use crate::everywhere;

everywhere! {
    fn every_route_of_the_api_is_described_and_nothing_else(world) {
        let description = world.browser().get("/api/openapi.json").json();
        assert_eq!(description["openapi"], "3.1.0");
        assert_eq!(description["servers"][0]["url"], world.base.as_str());
        let described: BTreeSet<(String, String)> = description["paths"].as_object().expect("paths").iter()
            .flat_map(|(path, methods)| methods.as_object().expect("methods").keys().map(move |method| (method.to_uppercase(), path.clone())))
            .collect();
        // What a browser asks before it asks is CORS', and the page to read is no part of itself.
        let there: BTreeSet<(String, String)> = ROUTES.iter()
            .filter(|route| route.path.starts_with("/api/") && route.path != "/api/docs" && route.method != actix_web::http::Method::OPTIONS)
            .map(|route| (route.method.to_string(), route.path.to_owned()))
            .collect();
        assert_eq!(described, there);
        let mut ids = BTreeSet::new();
        for (path, methods) in description["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                let id = operation["operationId"].as_str().expect("an id");
                assert!(ids.insert(id.to_owned()), "{id} twice");
                for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
                    let known = operation["parameters"].as_array().is_some_and(|list| list.iter().any(|it| it["name"] == part && it["in"] == "path"));
                    assert!(known, "{method} {path}: {part}");
                }
            }
        }
    }

    fn the_api_is_read_without_a_script_or_another_host(world) {
        let page = world.browser().get("/api/docs");
        assert_eq!(page.status, 200);
        for text in ["A token for a user of the site", "/api/v1/users/{external_id}", "Authorization: Bearer API_KEY", "refresh_in"] {
            assert!(page.body.contains(text), "{text}");
        }
        assert!(!page.body.contains("https://cdn") && page.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")));
    }
}
