//! The product over HTTP: pages and the API. Thin: a handler reads the request, runs one use case on a blocking thread,
//! and writes the answer.
//!
//! `routes` says which handler serves which path, and who may use it. `pages` contains the pages for all
//! visitors, `admin` the console, `api` the responses for programs; `http` is what they share, and `server`
//! runs everything.

mod admin;
mod api;
mod http;
mod pages;
mod routes;
mod server;

pub use http::access::Access;
pub use routes::{Entry, ROUTES, allowed};
pub use server::Server;
pub use server::listen::SILENT;
