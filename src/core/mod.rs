//! The decisions of the product, as pure types and functions. No request, no SQL, no clock, no
//! randomness and no log: the current time and random bytes are parameters, so that everything here
//! can be tested as a table of inputs and outputs.

// Users, and what is known about them.
pub mod address;
pub mod assign;
pub mod attribute;
pub mod csv;
pub mod id;
pub mod import;
pub mod incoming;
pub mod name;
pub mod nearest;
pub mod user;
pub mod visible;

// What a mapping produces for them, and how it is signed.
pub mod hs256;
pub mod mapping;
pub mod payload;
pub mod person;
pub mod seal;
pub mod secret;
pub mod token;

// Messengers and the pages they are on.
pub mod messenger;
pub mod network;
pub mod next;
pub mod origin;
pub mod pasted;

// Users who are kept in Deskpro through its API.
pub mod alert;
pub mod catalogue;
pub mod desk;
pub mod person_event;
pub mod schedule;
pub mod shared_values;
pub mod sync;
pub mod zone;

// Signing in, and protection against attackers.
pub mod agent;
pub mod api_key;
pub mod csrf;
pub mod password;
pub mod session;
pub mod throttle;

// Results of checks, problems, and long work.
pub mod finding;
pub mod job;
pub mod problem;
