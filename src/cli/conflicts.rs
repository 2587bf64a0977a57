//! `countersign mapping conflicts`: users whom Deskpro would take for one person.

use std::io::IsTerminal as _;

use indicatif::ProgressBar;

use super::output::{Refused, say, say_json, shown};
use crate::app::App;
use crate::core::id::MessengerId;

/// Checks all users, and lists those who are not certain; fails if there are any.
pub(super) fn run(app: &App, messenger: &MessengerId, json: bool) -> Result<(), Refused> {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(1) } else { ProgressBar::hidden() };
    let found = app.uncertain_users(messenger, |done, total| {
        bar.set_length(u64::try_from(total).unwrap_or_default());
        bar.set_position(u64::try_from(done).unwrap_or_default());
    });
    bar.finish_and_clear();
    let found = found?;
    for user in &found.users {
        if json {
            say_json(user);
        } else {
            say(format_args!("{}: {}", shown(&user.login), user.words));
        }
    }
    let listed = i64::try_from(found.users.len()).unwrap_or_default();
    if !json && found.count > listed {
        say(format_args!("And {} more.", found.count - listed));
    }
    if !json && found.count == 0 {
        say(format_args!("Checked {} users: no two share an address or a Deskpro id.", found.looked_at));
    }
    if found.count == 0 { Ok(()) } else { Err(Refused::Said) }
}
