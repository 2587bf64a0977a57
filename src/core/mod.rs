//! What is decided: pure types and functions. No request, no SQL, no clock, no randomness and no
//! log: the moment and random bytes are parameters, so that everything here can be tested as a
//! table of inputs and outputs.

pub mod address;
pub mod agent;
pub mod api_key;
pub mod assign;
pub mod attribute;
pub mod csrf;
pub mod csv;
pub mod finding;
pub mod id;
pub mod import;
pub mod incoming;
pub mod job;
pub mod mapping;
pub mod messenger;
pub mod name;
pub mod network;
pub mod next;
pub mod origin;
pub mod password;
pub mod pasted;
pub mod payload;
pub mod problem;
pub mod seal;
pub mod secret;
pub mod session;
pub mod throttle;
pub mod token;
pub mod user;
pub mod visible;
