//! `countersign messenger …`

use clap::Subcommand;
use serde_json::json;

use super::output::{Refused, complain, say, say_items, say_json, shown};
use crate::app::messengers::Described;
use crate::app::{App, Caller};
use crate::core::finding::{Item, State};
use crate::core::id::MessengerId;
use crate::core::messenger::fields::Texts;
use crate::core::messenger::snippet;
use crate::core::origin::Origin;

/// Manage messengers.
#[derive(Subcommand)]
pub(super) enum Command {
    /// List the messengers.
    List,
    /// Show all settings of a messenger, and which of them the environment sets.
    Show {
        /// Its ID.
        #[arg(default_value_t)]
        id: MessengerId,
    },
    /// Add a messenger.
    Add {
        /// Its ID, such as `shop`: lowercase letters, digits and hyphens.
        id: MessengerId,
    },
    /// Change settings of a messenger: `messenger set shop allowed_origins=https://www.example.com`.
    Set {
        /// Its ID.
        id: MessengerId,
        /// Settings as NAME=VALUE; an empty value restores the default.
        #[arg(value_name = "NAME=VALUE", required_unless_present = "snippet")]
        settings: Vec<String>,
        /// A file with Deskpro's deployment snippet, to read the values from; - reads standard input.
        #[arg(long, value_name = "FILE")]
        snippet: Option<std::path::PathBuf>,
    },
    /// Show what a browser would do on a page of your website: whether the page gets a token, and if
    /// not, why.
    Probe {
        /// The messenger's ID.
        id: MessengerId,
        /// The page's address, such as `https://www.example.com/cart`.
        page: String,
    },
    /// Switch a messenger on.
    Enable {
        /// Its ID.
        id: MessengerId,
    },
    /// Switch a messenger off: no tokens, and its origins are not allowed.
    Disable {
        /// Its ID.
        id: MessengerId,
    },
}

pub(super) fn run(app: &App, command: Command, json: bool) -> Result<(), Refused> {
    let caller = Caller::cli();
    let id = match command {
        Command::List => {
            for messenger in app.describe_messengers()? {
                if json {
                    print(&messenger, true);
                } else {
                    let state = if messenger.enabled { "" } else { "  (switched off)" };
                    say(format_args!("{}{state}", messenger.id));
                }
            }
            return Ok(());
        }
        Command::Show { id } => id,
        Command::Add { id } => {
            app.add_messenger(&id, &caller)?;
            id
        }
        Command::Set { id, settings, snippet } => {
            let mut changes = Texts::new();
            if let Some(file) = snippet {
                changes.extend(of_snippet(&file)?);
            }
            for setting in settings {
                let Some((name, value)) = setting.split_once('=') else {
                    return Err(Refused::Text(format!("'{setting}' is not of the form NAME=VALUE.")));
                };
                changes.insert(name.to_owned(), value.to_owned());
            }
            let fixed = app.describe_messenger(&id)?.fixed;
            if let Some(name) = changes.keys().find(|name| fixed.contains(&name.as_str())) {
                return Err(Refused::Text(format!(
                    "The environment sets {name} (COUNTERSIGN_{}). Change it there.",
                    name.to_uppercase()
                )));
            }
            app.change_messenger(&id, &changes, None, &caller)?;
            id
        }
        Command::Probe { id, page } => {
            let texts = app.describe_messenger(&id)?.texts;
            let accounts = own_origin(app)?;
            let probe = app.probe_page(&id, &texts, &page, &accounts)?;
            if !json {
                let gets = if probe.gets_token() { "the token" } else { "no token" };
                say(format_args!(
                    "A page at {} gets {gets} of a user who is signed in at {}.",
                    probe.page.as_str(),
                    accounts.as_str()
                ));
            }
            let mut items = probe.items;
            if app.settings().public_url.is_none() {
                let what = format!(
                    "No public URL is set, so {} is assumed. If people open another address, set COUNTERSIGN_PUBLIC_URL to it and try again.",
                    accounts.as_str()
                );
                items.insert(0, Item::new("address", State::Attention, what));
            }
            return say_items(&items, json);
        }
        Command::Enable { id } => {
            app.enable_messenger(&id, true, &caller)?;
            id
        }
        Command::Disable { id } => {
            app.enable_messenger(&id, false, &caller)?;
            id
        }
    };
    print(&app.describe_messenger(&id)?, json);
    Ok(())
}

/// Countersign's origin as browsers see it.
fn own_origin(app: &App) -> Result<Origin, Refused> {
    let settings = app.settings();
    let listens = || Origin::parse(&format!("http://{}", settings.listen));
    let origin = settings.public_url.as_ref().map(|url| url.origin.clone()).or_else(listens);
    origin.ok_or_else(|| Refused::Text("Set COUNTERSIGN_PUBLIC_URL to the public address.".into()))
}

fn of_snippet(file: &std::path::Path) -> Result<Texts, Refused> {
    let text = if file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())
            .map_err(|error| Refused::Text(format!("Standard input cannot be read: {error}.")))?
    } else {
        super::read_text(file)?
    };
    let found = snippet::read(&text);
    for key in &found.left_out {
        complain(format_args!("The option '{}' is not a plain value, so it was left out.", shown(key)));
    }
    let texts = found.texts();
    if texts.is_empty() {
        return Err(Refused::Text(
            "There is no deployment snippet in this file: no data-deskpro-url and no data-messenger-id. Copy the whole snippet from Deskpro.".into(),
        ));
    }
    Ok(texts)
}

fn print(messenger: &Described, json: bool) {
    if json {
        return say_json(&json!({
            "id": messenger.id,
            "enabled": messenger.enabled,
            "settings": messenger.texts,
            "environment": messenger.fixed,
            "warnings": messenger.warnings,
        }));
    }
    say(format_args!("{}{}", messenger.id, if messenger.enabled { "" } else { "  (switched off)" }));
    for (name, text) in &messenger.texts {
        let note = if messenger.fixed.contains(&name.as_str()) { "  (environment)" } else { "" };
        say(format_args!("  {name} = {}{note}", shown(&text.replace('\n', ", "))));
    }
    messenger.warnings.iter().for_each(complain);
}
