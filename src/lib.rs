//! The map follows.
rust_i18n::i18n!("locales", fallback = "en");

pub mod app;
pub mod cli;
pub mod config;
pub mod core;
pub mod standin;
pub mod store;
pub mod web;
