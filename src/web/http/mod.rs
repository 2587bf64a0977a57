//! HTTP itself: connections, what passes every request (`edge`), who asks, forms, and how an error is answered.

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
pub mod public;
pub mod query;
pub mod run;
pub mod session;
pub mod texts;
pub mod visitor;
