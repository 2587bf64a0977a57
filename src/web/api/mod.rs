//! The API: the routes for programs. This module contains what they share: reading JSON bodies and writing
//! responses. Errors are problems (RFC 9457), created in `edge`.

pub mod admin;
pub mod connections;
pub mod deskpro;
pub mod devices;
pub mod handovers;
pub mod health;
pub mod mint;
pub mod session;
pub mod site;
pub mod token;
pub mod users;

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev, web};
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::web::http::access::Access;
use crate::web::http::client::header;
use crate::web::http::error::Failure;

/// The maximum body of a route (bytes).
pub fn longest(access: Access) -> usize {
    match access {
        Access::Site => site::LONGEST,
        Access::Deskpro => deskpro::LONGEST,
        _ => admin::LONGEST,
    }
}

/// Reads a JSON body, after its sender was admitted.
async fn body<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: &mut dev::Payload,
) -> Result<T, actix_web::Error> {
    let kind = header(request, CONTENT_TYPE).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Failure::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE).into());
    }
    let body = web::Bytes::from_request(request, payload).await?;
    let mut read = serde_json::Deserializer::from_slice(&body);
    let value =
        serde_path_to_error::deserialize(&mut read).map_err(|error| Failure::Body(body_problem(&error)))?;
    read.end().map_err(|error| Failure::Body(format!("This route does not accept the body: {error}.")))?;
    Ok(value)
}

/// What is wrong with a body: the field, and what to send instead if that is clear.
fn body_problem(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let (path, what) = (error.path().to_string(), error.inner().to_string());
    let Some(what) = what.strip_prefix("invalid ").filter(|_| path != ".") else {
        return format!("This route does not accept the body: {what}.");
    };
    let found = what.strip_prefix("type: ").and_then(|what| what.split_once(", expected a string"));
    match found.map(|(found, _)| found.split('`').nth(1).unwrap_or_default()) {
        Some("") | None => format!("{path}: invalid {what}."),
        Some(value) => format!("{path}: send it as a string: \"{value}\"."),
    }
}

/// An object in which each key occurs once: if a key occurred twice, one reader would use the first value
/// and another the last (RFC 8259 section 4).
pub struct Object(pub Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
                let mut map = Map::new();
                while let Some((key, value)) = access.next_entry::<String, Value>()? {
                    if map.contains_key(&key) {
                        return Err(A::Error::custom(format!("duplicate field `{key}`")));
                    }
                    map.insert(key, value);
                }
                Ok(Object(map))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// A response with a JSON body.
fn answer(body: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(body)
}

/// The same, for a request that created something.
fn created(body: impl Serialize) -> HttpResponse {
    HttpResponse::Created().json(body)
}

/// Success without a body.
fn nothing() -> HttpResponse {
    HttpResponse::NoContent().finish()
}
