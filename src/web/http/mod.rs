//! HTTP itself: connections, the layer around every request (`edge`), who sends a request, forms, and error
//! responses.

pub mod access;
pub mod assets;
pub mod client;
pub mod codes;
pub mod connection;
pub mod cookies;
pub mod cors;
pub mod edge;
pub mod error;
pub mod form;
pub mod headers;
mod nul;
pub mod page;
pub mod person;
pub mod public;
pub mod query;
pub mod run;
pub mod session;
pub mod texts;
pub mod visitor;
