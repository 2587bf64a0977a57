//! `countersign mapping expected …`

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::output::{Refused, complain, say, say_json, shown};
use super::{login, read_text};
use crate::app::expected::{Mismatch, line};
use crate::app::{App, Caller};
use crate::core::id::MessengerId;
use crate::core::mapping::Mapping;

/// Manage expected payloads.
#[derive(Subcommand)]
pub(super) enum Command {
    /// List them, in the format of a file.
    List {
        /// The messenger they belong to.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Store every line of a file, in the format that `list` prints; each line replaces what was stored
    /// for its user.
    Add {
        /// The file: one JSON object per line, `{"login": …, "payload": {…}}` or `{"login": …,
        /// "refused": "code"}`.
        file: PathBuf,
        /// The messenger they belong to.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Remove the expected payload of a user.
    Remove {
        /// The user.
        login: String,
        /// The messenger it belongs to.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
}

pub(super) fn run(app: &App, command: Command, json: bool) -> Result<(), Refused> {
    match command {
        Command::List { messenger } => {
            for (user, expected) in app.expected(&messenger)? {
                say(line(user.login.as_str(), &expected));
            }
            Ok(())
        }
        Command::Add { file, messenger } => {
            match app.import_expected(&messenger, &read_text(&file)?, &Caller::cli())? {
                Ok(count) if json => say_json(&json!({ "kept": count })),
                Ok(count) => say(format_args!("Expected payloads stored: {count}.")),
                Err(wrong) => {
                    wrong.iter().for_each(|mismatch| complain_of(mismatch, json));
                    return Err(Refused::Said);
                }
            }
            Ok(())
        }
        Command::Remove { login: name, messenger } => {
            app.stop_expecting(&messenger, &login(&name)?, &Caller::cli())?;
            if !json {
                say(format_args!("Removed the expected payload of {name}."));
            }
            Ok(())
        }
    }
}

/// Prints where a mapping does not produce the expected payloads. This only warns; publishing requires a
/// reason.
pub(super) fn warn(app: &App, messenger: &MessengerId, mapping: Mapping, json: bool) -> Result<(), Refused> {
    for Mismatch { place, what: message, .. } in app.unexpected(messenger, mapping)? {
        let login = place.login.unwrap_or_default();
        if json {
            let help = "Fix the rule, or change the expected payload of this user.";
            say_json(&json!({
                "level": "warning", "code": "not_as_expected", "pointer": "", "login": login,
                "message": message, "help": help,
            }));
        } else {
            say(shown(&format!("warning not_as_expected for {login}: {message}")));
        }
    }
    Ok(())
}

/// Prints what is wrong with a line of a file, or how the payload differs from it.
pub(super) fn complain_of(mismatch: &Mismatch, json: bool) {
    if json {
        say_json(mismatch);
        return;
    }
    let login = mismatch.place.login.as_ref().map(|login| format!(", {login}")).unwrap_or_default();
    let line = mismatch.place.line.unwrap_or_default();
    complain(shown(&format!("line {line}{login}: {}", mismatch.what)));
}
