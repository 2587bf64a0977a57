//! `countersign key …`: the secrets shared with Deskpro. A key is read from the terminal or standard
//! input, never from an argument.

use clap::Subcommand;
use serde_json::json;

use super::ask_secret;
use super::output::{Refused, complain, say, say_json};
use crate::app::signing_keys::Shown;
use crate::app::{App, Caller};
use crate::core::id::MessengerId;
use crate::core::secret::{Encoding, KeyState};

/// Manage signing keys.
#[derive(Subcommand)]
pub(super) enum Command {
    /// List the keys of a messenger, newest first.
    List {
        /// The messenger.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Add a key: it waits as the next key, or is used at once if there is none yet.
    Add {
        /// The messenger.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
        /// The encoding of the key.
        #[arg(long, default_value = "raw", value_parser = Encoding::WORDS)]
        encoding: String,
        /// Accept a key shorter than 32 bytes (RFC 7518 section 3.2 forbids it).
        #[arg(long)]
        allow_short: bool,
    },
    /// Use a key from now on; the key before it is retired. Use the same command to go back to a retired
    /// key.
    Activate {
        /// Its ID, as shown by `key list`.
        id: String,
        /// The messenger.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Remove a key that is not in use.
    Remove {
        /// Its ID, as shown by `key list`.
        id: String,
        /// The messenger.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
}

pub(super) fn run(app: &App, command: Command, json: bool) -> Result<(), Refused> {
    let caller = Caller::cli();
    let messenger = match command {
        Command::List { messenger } => messenger,
        Command::Add { messenger, encoding, allow_short } => {
            let text = ask_secret("The signing key, as Deskpro shows it: ")?;
            let encoding = Encoding::parse(&encoding).unwrap_or_default();
            let (id, state) = app.add_signing_key(&messenger, &text, encoding, allow_short, &caller)?;
            if !json {
                let keys = app.signing_keys(&messenger)?;
                let added = keys.iter().filter(|key| key.id == id).flat_map(|key| &key.oddities);
                added.for_each(complain);
            }
            if state == KeyState::Next && !json {
                complain(format_args!(
                    "It waits as the next key. Once Deskpro uses it, run `countersign key activate {id} --messenger {messenger}`."
                ));
            }
            messenger
        }
        Command::Activate { id, messenger } => {
            app.activate_signing_key(&messenger, &id, &caller)?;
            messenger
        }
        Command::Remove { id, messenger } => {
            app.remove_signing_key(&messenger, &id, &caller)?;
            messenger
        }
    };
    for key in app.signing_keys(&messenger)? {
        print(&key, json);
    }
    Ok(())
}

fn print(key: &Shown, json: bool) {
    if json {
        return say_json(&json!({
            "id": key.id,
            "state": key.state.as_str(),
            "encoding": key.encoding.as_str(),
            "bytes": key.bytes,
            "hint": key.hint,
            "created_at": key.created_at,
            "changed_at": key.changed_at,
            "used_at": key.used_at,
            "used": key.used,
            "oddities": key.oddities,
        }));
    }
    say(format_args!(
        "{}  {}  …{}  {} bytes, read as {}  {} tokens",
        key.id,
        key.state.as_str(),
        key.hint,
        key.bytes,
        key.encoding.as_str(),
        key.used
    ));
}
