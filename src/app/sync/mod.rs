//! Users kept in Deskpro through its API. What a person should look like comes from the same mapping as the tokens of the
//! desk's messenger.
//!
//! One server at a time has a desk (`thread`). It runs over all users, or looks at users who are due or have changed
//! (`run`): for each, what is to be done is planned (`plan`), a few threads send it (`batch`, `one`) as fast as the
//! budget allows (`talk`), and what came of it is stored with the user.

mod addresses;
mod alerts;
mod as_json;
mod batch;
mod cost;
mod dry_run;
mod held;
mod look;
mod names;
mod next;
mod one;
mod plan;
mod retire;
mod run;
mod status;
mod talk;
mod thread;
mod visits;
mod webhook;
mod work;

pub use as_json::run_json;
pub use dry_run::{Planned, Would};
pub use status::{DeskStatus, Health, Listed};
pub(super) use thread::Watched;
pub(super) use visits::Visits;
pub use webhook::{Presented, USER_NAME};
