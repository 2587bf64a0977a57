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

/// What to do with expected payloads.
#[derive(Subcommand)]
pub(super) enum Command {
    /// List them, in the lines of a file.
    List {
        /// The messenger whose they are.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Keep every line of a file, such as `list` prints; what was kept of the same users is replaced.
    Add {
        /// The file: a JSON object a line, `{"login": …, "payload": {…}}` or `{"login": …, "refused": "code"}`.
        file: PathBuf,
        /// The messenger whose they are.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Expect nothing of a user any more.
    Remove {
        /// The user.
        login: String,
        /// The messenger whose it is.
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
                Ok(count) => say(format_args!("{count} expected payloads are kept.")),
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
                say(format_args!("Nothing is expected of {name} any more."));
            }
            Ok(())
        }
    }
}

/// Says what a mapping makes otherwise than it is kept. It blocks nothing here; publishing asks why.
pub(super) fn warn(app: &App, messenger: &MessengerId, mapping: Mapping, json: bool) -> Result<(), Refused> {
    for Mismatch { place, what: message, .. } in app.unexpected(messenger, mapping)? {
        let login = place.login.unwrap_or_default();
        if json {
            let help = "Mend the rule, or change what is expected of this user.";
            say_json(&json!({
                "level": "warning", "code": "not_as_expected", "pointer": "", "login": login,
                "message": message, "help": help,
            }));
        } else {
            say(shown(&format!("warning not_as_expected of {login}: {message}")));
        }
    }
    Ok(())
}

/// Says what is wrong with a line of a file, or otherwise than it says.
pub(super) fn complain_of(mismatch: &Mismatch, json: bool) {
    if json {
        say_json(mismatch);
        return;
    }
    let login = mismatch.place.login.as_ref().map(|login| format!(", {login}")).unwrap_or_default();
    let line = mismatch.place.line.unwrap_or_default();
    complain(shown(&format!("line {line}{login}: {}", mismatch.what)));
}
