//! Deskpro's REST API: our client against the stand-in.

mod client;

pub use client::standin;
