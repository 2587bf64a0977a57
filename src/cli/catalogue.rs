//! `countersign catalogue …`: what Deskpro calls the ids of groups, languages, organizations and custom fields.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::output::{Refused, say, say_json, shown};
use super::read_text;
use crate::app::{App, Caller};
use crate::core::catalogue::{Catalogue, Entry};
use crate::core::id::MessengerId;

/// What Deskpro calls the ids of groups, languages, organizations and custom fields, so that mappings can be read and
/// written with names.
#[derive(Subcommand)]
pub(super) enum Command {
    /// List the names that are known.
    Show {
        /// The messenger of the helpdesk.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Read the names from Deskpro's API, with the key of the connected helpdesk.
    Refresh {
        /// The messenger of the helpdesk.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Read the names from a file, for sites without an API key: CSV with the columns kind, id and name, or what
    /// `countersign helpdesk names --json` prints.
    Import {
        /// The file; `-` for standard input.
        file: PathBuf,
        /// The messenger of the helpdesk.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
}

pub(super) fn run(app: &App, command: Command, json: bool) -> Result<(), Refused> {
    let caller = Caller::cli();
    let stored = match command {
        Command::Show { messenger } => {
            app.helpdesk(&messenger)?;
            let Some(stored) = app.stored_catalogue(&messenger)? else {
                return Err(Refused::Text(
                    "No names are known yet. Read them with `countersign catalogue refresh`, or load a file with `countersign \
                     catalogue import FILE`."
                        .into(),
                ));
            };
            stored
        }
        Command::Refresh { messenger } => app.refresh_catalogue(&messenger, &caller)?,
        Command::Import { file, messenger } => {
            app.import_catalogue(&messenger, &read_text(&file)?, &caller)?
        }
    };
    print(&stored.names, json);
    Ok(())
}

/// All names, one per line.
pub(super) fn print(names: &Catalogue, json: bool) {
    let lists = [
        ("user_group", &names.user_groups),
        ("language", &names.languages),
        ("organization", &names.organizations),
    ];
    for (kind, list) in lists {
        list.iter().for_each(|entry| print_one(kind, &entry.id.to_string(), entry, json));
    }
    for field in &names.fields {
        let id = field.entry.id;
        print_one("field", &id.to_string(), &field.entry, json);
        field.choices.iter().for_each(|choice| {
            print_one("choice", &format!("{id}.{}", choice.id), choice, json);
        });
    }
}

/// One name; the id of a choice follows that of its field.
fn print_one(kind: &str, id: &str, entry: &Entry, json: bool) {
    if json {
        let mut object = json!({ "kind": kind, "id": id, "name": entry.name });
        if entry.gone {
            object["gone"] = true.into();
        }
        say_json(&object);
    } else {
        let gone = if entry.gone { "  (no longer in Deskpro)" } else { "" };
        say(format_args!("{kind:12} {id:>8}  {}{gone}", shown(&entry.name)));
    }
}
