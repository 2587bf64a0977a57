//! One integration crate: the real server over HTTP, the real command line, both databases.
//! Tests are plain functions; each has a database of its own and a clock it can move.

mod postgres;
mod process;
mod server;
mod site;

mod account;
mod api;
mod architecture;
mod cli;
mod clocks;
mod connection;
mod connections;
mod console;
mod cors;
mod counters;
mod description;
mod deskpro;
mod deskpro_address;
mod devices;
mod docs;
mod documents;
mod edge;
mod embed;
mod failure;
mod growth;
mod handover;
mod identity;
mod identity_conflicts;
mod import;
mod instances;
mod login;
mod mapping;
mod messengers;
mod metrics;
mod page;
mod permissions;
mod picture;
mod readme;
mod ready;
mod remembered;
mod standin;
mod store;
mod sync;
mod token;
mod words;
