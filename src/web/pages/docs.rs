//! The API's description: `/api/openapi.json` (`OpenAPI` 3.1), and a readable page at `/api/docs`. It is
//! served from one file; tests check it against the routes and the error codes.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde_json::{Map, Value, json};

use crate::web::http::client::{Client, render};
use crate::web::http::cookies::session_cookie_name;
use crate::web::http::page::Page;
use crate::web::http::public;
use crate::web::http::visitor::Visitor;

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../static/openapi.json")).expect("the description is JSON")
});

/// `GET /api/openapi.json`, with the address of this server in it.
pub async fn description(client: Client) -> HttpResponse {
    let mut description = DESCRIPTION.clone();
    description["servers"] = json!([{ "url": address(&client) }]);
    description["components"]["securitySchemes"]["session"]["name"] = session_cookie_name(&client.app).into();
    HttpResponse::Ok().json(description)
}

fn address(client: &Client) -> String {
    format!("{}{}", client.origin(), public::prefix(&client.app))
}

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage {
    page: Page,
    address: String,
    groups: Vec<Group>,
}

/// Operations under one heading.
struct Group {
    name: String,
    description: String,
    operations: Vec<Operation>,
}

/// One operation, as the page shows it.
struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    /// Name, place, description.
    parameters: Vec<(String, String, String)>,
    /// Description of the whole body.
    body: String,
    /// Fields of the body: name, type, description.
    fields: Vec<(String, String, String)>,
    sample: String,
    /// Status and meaning of successful responses, and the fields of the response.
    answers: Vec<(String, String)>,
    answer_fields: Vec<(String, String, String)>,
    /// An example response; empty if there is no response body.
    example: String,
    problems: Vec<(String, String)>,
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// The target of a reference.
fn resolved(value: &Value) -> &Value {
    let place = value["$ref"].as_str().and_then(|place| place.strip_prefix('#'));
    place.and_then(|place| DESCRIPTION.pointer(place)).unwrap_or(value)
}

fn kind(schema: &Value) -> String {
    let words = match &schema["anyOf"].as_array().and_then(|list| list.first()).map_or(schema, resolved)["type"]
    {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => "object".to_owned(),
    };
    // For a value that may also be null, the type without null is shown.
    let schema = schema["anyOf"].as_array().and_then(|list| list.first()).map_or(schema, resolved);
    match schema["enum"].as_array() {
        Some(values) => values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        None => words,
    }
}

/// `sent`: in a request, required fields are marked; in a response, fields that may be missing.
fn fields(schema: &Value, sent: bool) -> Vec<(String, String, String)> {
    let schema = resolved(schema);
    if let Some(variants) = schema["oneOf"].as_array() {
        let mut all: Vec<(String, String, String)> = Vec::new();
        let lists: Vec<_> = variants.iter().map(|variant| fields(variant, sent)).collect();
        let in_all = |name: &str| lists.iter().all(|list| list.iter().any(|(known, ..)| known == name));
        for (number, mut field) in lists
            .iter()
            .enumerate()
            .flat_map(|(number, list)| list.iter().map(move |field| (number + 1, field.clone())))
        {
            if !in_all(&field.0) {
                field.1 = format!("{}, way {number} of {}", field.1, lists.len());
            }
            if !all.iter().any(|(name, ..)| *name == field.0) {
                all.push(field);
            }
        }
        return all;
    }
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let required = |name: &str| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name))
    };
    let line = |(name, property): (&String, &Value)| {
        let property = resolved(property);
        let note = match (sent, required(name)) {
            (true, true) => ", required",
            (false, false) => ", may be missing",
            _ => "",
        };
        (name.clone(), format!("{}{note}", kind(property)), text(property, "description"))
    };
    let lines = |(name, property): (&String, &Value)| {
        let mut lines = vec![line((name, property))];
        // The fields of a referenced object are listed here, too, although the description defines it
        // elsewhere.
        if !property["$ref"].is_null() {
            let within = fields(property, sent);
            lines.extend(
                within.into_iter().map(|(inner, kind, what)| (format!("{name}.{inner}"), kind, what)),
            );
        }
        lines
    };
    properties.iter().flat_map(lines).collect()
}

fn operation(address: &str, path: &str, method: &str, value: &Value) -> Operation {
    let content = &value["requestBody"]["content"]["application/json"];
    let responses = value["responses"].as_object().cloned().unwrap_or_default();
    let (good, bad): (Vec<_>, Vec<_>) = responses.iter().partition(|(status, _)| status.starts_with('2'));
    let described = |list: Vec<(&String, &Value)>| -> Vec<(String, String)> {
        list.into_iter()
            .map(|(status, answer)| (status.clone(), text(resolved(answer), "description")))
            .collect()
    };
    let answer = good.iter().map(|(_, answer)| &answer["content"]["application/json"]["schema"]);
    let answer_fields =
        answer.map(|schema| fields(schema, false)).find(|fields| !fields.is_empty()).unwrap_or_default();
    let example = good.iter().map(|(_, answer)| &answer["content"]["application/json"]["example"]);
    let example = example.filter(|example| !example.is_null()).map(|example| format!("{example:#}")).next();
    let parameter = |parameter: &Value| {
        let note = if parameter["required"] == true { ", required" } else { "" };
        let place = format!("{}{note}", text(parameter, "in"));
        (text(parameter, "name"), place, text(parameter, "description"))
    };
    Operation {
        id: text(value, "operationId"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(value, "summary"),
        description: text(value, "description"),
        parameters: value["parameters"]
            .as_array()
            .map(|list| list.iter().map(parameter).collect())
            .unwrap_or_default(),
        body: text(resolved(&content["schema"]), "description"),
        fields: fields(&content["schema"], true),
        sample: sample(address, path, method, value),
        answers: described(good),
        answer_fields,
        example: example.unwrap_or_default(),
        problems: described(bad),
    }
}

/// The request, as typed in a shell.
fn sample(address: &str, path: &str, method: &str, value: &Value) -> String {
    let mut asked = path.to_owned();
    // Replaces what a shell would treat as a pattern with an example.
    for parameter in value["parameters"].as_array().into_iter().flatten().map(resolved) {
        let example = parameter["example"].to_string();
        asked = asked.replace(&format!("{{{}}}", text(parameter, "name")), example.trim_matches('"'));
    }
    let mut lines = vec![format!("curl -X {} '{address}{asked}'", method.to_uppercase())];
    let schemes: Vec<&String> = value["security"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(Map::keys)
        .collect();
    match schemes.last().map(|name| name.as_str()) {
        Some("apiKey") => lines.push("-H 'Authorization: Bearer API_KEY'".into()),
        Some("deviceToken") => lines.push("-H 'Authorization: Bearer DEVICE_TOKEN'".into()),
        Some("session") => lines.push("-b 'countersign=SESSION'".into()),
        _ => {}
    }
    let headers = value["parameters"].as_array().into_iter().flatten();
    for header in headers.filter(|parameter| parameter["in"] == "header") {
        let value = if header["name"] == "Origin" { "https://www.example.com" } else { "1" };
        lines.push(format!("-H '{}: {value}'", text(header, "name")));
    }
    let content = &value["requestBody"]["content"]["application/json"];
    if !content.is_null() {
        lines.push("-H 'Content-Type: application/json'".into());
        let example = match &content["example"] {
            Value::Null => "{…}".to_owned(),
            // The shell's own quotes.
            example => example.to_string().replace('\'', "'\\''"),
        };
        lines.push(format!("-d '{example}'"));
    }
    lines.join(" \\\n  ")
}

/// `GET /api/docs`
pub async fn show(visitor: Visitor) -> HttpResponse {
    let page = Page::console(visitor.visit.as_ref(), &visitor);
    let address = address(&visitor);
    let cookie = format!("-b '{}=", session_cookie_name(&visitor.app));
    let mut groups: Vec<Group> = DESCRIPTION["tags"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tag| Group {
            name: text(tag, "name"),
            description: text(tag, "description"),
            operations: Vec::new(),
        })
        .collect();
    for (path, methods) in DESCRIPTION["paths"].as_object().into_iter().flatten() {
        for (method, value) in methods.as_object().into_iter().flatten() {
            let group = groups.iter_mut().find(|group| value["tags"][0] == group.name.as_str());
            if let Some(group) = group {
                let mut operation = operation(&address, path, method, value);
                operation.sample = operation.sample.replace("-b 'countersign=", &cookie);
                group.operations.push(operation);
            }
        }
    }
    render(StatusCode::OK, &DocsPage { page, address, groups })
}
