//! `countersign key …`: the secrets shared with Deskpro. A key comes from the terminal or standard
//! input, never from an argument.

use std::io::IsTerminal as _;

use clap::Subcommand;
use serde_json::json;

use super::output::{Refused, complain, say, say_json};
use crate::app::signing_keys::Shown;
use crate::app::{App, Caller};
use crate::core::id::MessengerId;
use crate::core::secret::{Encoding, KeyState};

/// What to do with signing keys.
#[derive(Subcommand)]
pub(super) enum Command {
    /// List the keys of a messenger, the newest first.
    List {
        /// Whose.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Paste a key: it waits as the next one, or signs at once where none does yet.
    Add {
        /// Whose.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
        /// How the key is written.
        #[arg(long, default_value = "raw", value_parser = Encoding::WORDS)]
        encoding: String,
        /// Accept a key below 32 bytes (RFC 7518 section 3.2 forbids it).
        #[arg(long)]
        allow_short: bool,
    },
    /// Let a key sign from now on; the one before is retired. The same brings a retired one back.
    Activate {
        /// Its id, as `key list` shows it.
        id: String,
        /// Whose.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Forget a key that does not sign.
    Remove {
        /// Its id, as `key list` shows it.
        id: String,
        /// Whose.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
}

pub(super) fn run(app: &App, command: Command, json: bool) -> Result<(), Refused> {
    let caller = Caller::cli();
    let messenger = match command {
        Command::List { messenger } => messenger,
        Command::Add { messenger, encoding, allow_short } => {
            let text = ask_key()?;
            let encoding = Encoding::parse(&encoding).unwrap_or_default();
            let (id, state) = app.add_signing_key(&messenger, &text, encoding, allow_short, &caller)?;
            if !json {
                let keys = app.signing_keys(&messenger)?;
                let added = keys.iter().filter(|key| key.id == id).flat_map(|key| &key.oddities);
                added.for_each(complain);
            }
            if state == KeyState::Next && !json {
                complain(format_args!(
                    "It waits as the next key. Let it sign with `countersign key activate {id} --messenger {messenger}` once Deskpro knows it."
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

fn ask_key() -> Result<String, Refused> {
    let failed = |error: std::io::Error| Refused::Text(format!("The key cannot be read: {error}."));
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password("The signing key, as Deskpro shows it: ").map_err(failed);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(failed)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
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
