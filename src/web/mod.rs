//! The product over HTTP: pages and the API. Thin: a handler reads the request, runs one use case on a blocking thread,
//! and writes the answer.
//!
//! `routes` says which handler answers what, and who may come. `pages` has the pages for everybody, `admin` the console,
//! `api` the answers for programs; `http` is what they share, and `server` runs it all.

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
