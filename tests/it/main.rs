//! One integration crate: the real server over HTTP, the real command line, both databases.
//! Tests are plain functions; each has a database of its own and a clock it can move.

mod postgres;
mod server;

mod architecture;
mod login;
mod mapping;
mod page;
mod permissions;
mod standin;
mod readme;
mod token;
