//! The pages outside the console: sign-in, account, chat, and documents.

pub mod account;
pub mod docs;
pub mod documents;
mod facts;
pub mod gaps;
pub mod handover;
pub mod help;
pub mod home;
pub mod login;
mod notice;
