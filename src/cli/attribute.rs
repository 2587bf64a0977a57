//! `countersign attribute …`

use clap::Subcommand;
use serde_json::json;

use super::output::{Refused, progress_bar, say, say_json, show, shown};
use crate::app::attributes::Change;
use crate::app::{App, Caller};
use crate::core::attribute::{BUILT_IN, Definition, Kind};

/// Manage attributes.
#[derive(Subcommand)]
pub(super) enum Command {
    /// List all attributes, including built-in ones.
    List,
    /// Remove an attribute and every user's value. Refused while a published mapping reads it.
    Remove {
        /// Its name.
        name: String,
    },
    /// Create an attribute, or change its properties.
    Set {
        /// Its name.
        name: String,
        /// text, `yes_no`, number or list. All users' values are converted, or nothing is changed.
        #[arg(long = "type", value_parser = Kind::WORDS)]
        kind: Option<String>,
        /// Users can be searched by it.
        #[arg(long, conflicts_with = "no_searchable")]
        searchable: bool,
        /// Users cannot be searched by it.
        #[arg(long)]
        no_searchable: bool,
        /// It is trusted: its writer vouches that the value is the user's own, so it may be an identifier
        /// at Deskpro.
        #[arg(long, alias = "proved", conflicts_with = "no_trusted")]
        trusted: bool,
        /// It is not trusted.
        #[arg(long, alias = "no-proved")]
        no_trusted: bool,
    },
}

pub(super) fn run(app: &App, command: Command, json: bool) -> Result<(), Refused> {
    match command {
        Command::List => list(app, json),
        Command::Remove { name } => {
            let bar = progress_bar();
            let removed = app.remove_attribute(&name, &Caller::cli(), |progress| show(&bar, &progress));
            bar.finish_and_clear();
            removed?;
            let text = format!("Removed the attribute '{}' and every user's value.", shown(&name));
            if json {
                say_json(&json!({ "done": text }));
            } else {
                say(text);
            }
            Ok(())
        }
        Command::Set { name, kind, searchable, no_searchable, trusted, no_trusted } => {
            let flag = |on: bool, off: bool| (on || off).then_some(on);
            let change = Change {
                kind: kind.as_deref().and_then(Kind::parse),
                searchable: flag(searchable, no_searchable),
                proved: flag(trusted, no_trusted),
            };
            let bar = progress_bar();
            let set = app.set_attribute(&name, change, &Caller::cli(), |progress| show(&bar, &progress));
            bar.finish_and_clear();
            let definition = set?;
            print(&name, BUILT_IN.contains(&name.as_str()), definition, json);
            Ok(())
        }
    }
}

fn list(app: &App, json: bool) -> Result<(), Refused> {
    let definitions = app.attributes()?;
    for name in BUILT_IN {
        print(name, true, definitions.any(name).unwrap_or_default(), json);
    }
    for (name, definition) in definitions.iter() {
        print(name, false, *definition, json);
    }
    Ok(())
}

fn print(name: &str, built_in: bool, definition: Definition, json: bool) {
    if json {
        return say_json(&json!({
            "name": name,
            "built_in": built_in,
            "type": definition.kind.as_str(),
            "searchable": definition.searchable,
            "proved": definition.proved,
        }));
    }
    let mut marks = vec![definition.kind.as_str()];
    let said =
        [(definition.searchable, "searchable"), (definition.proved, "trusted"), (built_in, "built in")];
    marks.extend(said.iter().filter(|(said, _)| *said).map(|(_, word)| *word));
    say(format_args!("{name}: {}", marks.join(", ")));
}
