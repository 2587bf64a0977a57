//! The API's description says what there is, and nothing else.

use std::collections::BTreeSet;

use countersign::web::ROUTES;
use rstest_reuse::apply;

use crate::server::{World, everywhere};

#[apply(everywhere)]
fn every_route_of_the_api_is_described_and_nothing_else(world: &World) {
    let description = world.browser().get("/api/openapi.json").json();
    assert_eq!(description["openapi"], "3.1.0");
    assert_eq!(description["servers"][0]["url"], world.base.as_str());
    let described: BTreeSet<(String, String)> = description["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .flat_map(|(path, methods)| {
            methods
                .as_object()
                .expect("methods")
                .keys()
                .map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    // What a browser asks before it asks is CORS', and the page to read is no part of itself.
    let there: BTreeSet<(String, String)> = ROUTES
        .iter()
        .filter(|route| {
            route.path.starts_with("/api/")
                && route.path != "/api/docs"
                && route.method != actix_web::http::Method::OPTIONS
        })
        .map(|route| (route.method.to_string(), route.path.to_owned()))
        .collect();
    assert_eq!(described, there);
    let mut ids = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let id = operation["operationId"].as_str().expect("an id");
            assert!(ids.insert(id.to_owned()), "{id} twice");
            for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
                let known = operation["parameters"]
                    .as_array()
                    .is_some_and(|list| list.iter().any(|it| it["name"] == part && it["in"] == "path"));
                assert!(known, "{method} {path}: {part}");
            }
        }
    }
}

#[apply(everywhere)]
fn every_answer_of_the_api_has_an_example_with_the_fields_that_it_promises(world: &World) {
    let description = world.browser().get("/api/openapi.json").json();
    let mut count = 0;
    for (path, methods) in description["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            for (status, answer) in operation["responses"].as_object().expect("answers") {
                let content = &answer["content"]["application/json"];
                if !status.starts_with('2') || content.is_null() || path == "/api/openapi.json" {
                    continue;
                }
                let place = content["schema"]["$ref"]
                    .as_str()
                    .or_else(|| content["schema"]["anyOf"][0]["$ref"].as_str());
                let schema = description.pointer(&place.expect("a schema")[1..]).expect("it is there");
                let example = content["example"]
                    .as_object()
                    .unwrap_or_else(|| panic!("{method} {path} {status} has no example"));
                for name in schema["required"].as_array().into_iter().flatten() {
                    assert!(example.contains_key(name.as_str().expect("a name")), "{method} {path}: {name}");
                }
                for name in example.keys() {
                    assert!(!schema["properties"][name].is_null(), "{method} {path}: {name}");
                }
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count}");
    assert!(world.browser().get("/api/docs").body.contains("&#34;refresh_in&#34;: 480"));
}

#[apply(everywhere)]
fn the_api_is_read_without_a_script_or_another_host(world: &World) {
    let page = world.browser().get("/api/docs");
    assert_eq!(page.status, 200);
    for text in [
        "Get a token for a user of the site",
        "/api/v1/users/{external_id}",
        "Authorization: Bearer API_KEY",
        "refresh_in",
    ] {
        assert!(page.body.contains(text), "{text}");
    }
    assert!(
        !page.body.contains("https://cdn")
            && page
                .header("content-security-policy")
                .is_some_and(|policy| policy.contains("default-src 'none'"))
    );
}
