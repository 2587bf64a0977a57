//! Keys: the master key with its sub-keys, and the signing key shared with Deskpro. They reveal nothing when
//! they are printed.

pub mod digest;
pub mod master_key;
pub mod signing_key;

pub use digest::{digest, hex, keyed_digest};
pub use master_key::{MasterKey, Purpose};
pub use signing_key::{Encoding, KeyError, KeyState, SigningKey};
