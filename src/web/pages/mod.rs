//! The pages that are not the console's: signing in, the account, the chat, and the documents.

pub mod account;
pub mod docs;
pub mod documents;
mod facts;
pub mod handover;
pub mod help;
pub mod home;
pub mod login;
mod notice;
