//! The query string of a page's address. People and tools build such addresses, so a name that occurs twice
//! is not reported as an error: the last one is used. (A route for programs refuses it.)

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;
use url::form_urlencoded::{Serializer, parse};

use crate::web::http::error::Failure;

/// The query of a page, read as `T`.
pub struct PageQuery<T>(pub T);

impl<T: DeserializeOwned> FromRequest for PageQuery<T> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut last: Vec<(_, _)> = Vec::new();
        for (name, value) in parse(request.query_string().as_bytes()) {
            last.retain(|(earlier, _)| *earlier != name);
            last.push((name, value));
        }
        let query = Serializer::new(String::new()).extend_pairs(last).finish();
        let read = web::Query::<T>::from_query(&query).map(|read| Self(read.into_inner()));
        ready(read.map_err(|_| Failure::BadRequest("its address is malformed")))
    }
}
