//! `countersign api-key …`

use clap::Subcommand;
use serde_json::{Value, json};

use super::output::{Refused, complain, say, say_json, shown};
use crate::app::api_keys::NewKey;
use crate::app::{App, Caller};
use crate::core::api_key::{ApiKey, LIFETIME, Scope};
use crate::core::id::MessengerId;
use crate::core::throttle::DAY;

/// Manage the keys of the site's own servers.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Create a key. It is printed once, on standard output, and cannot be shown again.
    Create {
        /// What it is for, such as "shop server".
        name: String,
        /// What it may do: users (write users), mint (fetch tokens), handovers (create handover codes).
        #[arg(long = "scope", value_name = "SCOPE", value_parser = Scope::WORDS, value_delimiter = ',', required = true)]
        scopes: Vec<String>,
        /// The messengers it is for.
        #[arg(long = "messenger", value_name = "ID", value_delimiter = ',', default_values_t = [MessengerId::default()])]
        messengers: Vec<MessengerId>,
        /// Treat addresses sent with this key as verified, unless a call says otherwise.
        #[arg(long)]
        email_verified: bool,
        /// Prefix for the external IDs that it writes, so that customer 7 of one website is not customer
        /// 7 of another. Required for a second messenger; '' means that both websites have the same
        /// customers.
        #[arg(long, value_name = "TEXT")]
        prefix: Option<String>,
        /// Days until it expires.
        #[arg(long, value_name = "N", default_value_t = LIFETIME / DAY)]
        days: i64,
        /// Print a connection code instead, with which a plugin gets the key. It works once and expires
        /// after 15 minutes.
        #[arg(long)]
        code: bool,
    },
    /// List the keys, newest first.
    List,
    /// Revoke a key: the next request with it is refused.
    Revoke {
        /// Its ID, as shown by `api-key list`.
        id: String,
        /// Also end the sessions of browsers and apps that its codes started: for a stolen key.
        #[arg(long)]
        end_sign_ins: bool,
    },
}

pub(super) fn run(app: &App, command: Command, json: bool) -> Result<(), Refused> {
    match command {
        Command::Create { name, scopes, messengers, email_verified, prefix, days, code } => {
            let scopes = scopes.iter().filter_map(|word| Scope::parse(word)).collect();
            let lifetime = days.saturating_mul(DAY);
            let new = NewKey { id: None, name, scopes, messengers, email_verified, prefix, lifetime };
            let (key, secret) = if code {
                app.offer_api_key(&new, &Caller::cli())?
            } else {
                app.create_api_key(&new, &Caller::cli())?
            };
            if json {
                let mut line = written(app, &key);
                line[if code { "code" } else { "key" }] = json!(secret);
                say_json(&line);
            } else if code {
                complain(format_args!(
                    "Created a connection code for '{}' (id {}). It works once and expires after 15 minutes.",
                    shown(&key.name),
                    key.id
                ));
                say(secret);
            } else {
                complain(format_args!(
                    "Created the API key '{}' (id {}). Store it now: it is shown only once.",
                    shown(&key.name),
                    key.id
                ));
                say(secret);
            }
        }
        Command::List => {
            for key in app.api_keys()? {
                print(app, &key, json);
            }
        }
        Command::Revoke { id, end_sign_ins } => {
            let (key, ended) = app.revoke_api_key(&id, end_sign_ins, &Caller::cli())?;
            if end_sign_ins {
                complain(format_args!("Sessions that ended with it: {ended}."));
            }
            print(app, &key, json);
        }
    }
    Ok(())
}

fn written(app: &App, key: &ApiKey) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "hint": key.hint,
        "scopes": key.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
        "messengers": key.messengers,
        "email_verified": key.email_verified,
        "prefix": key.prefix,
        "state": key.state(app.now()).as_str(),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "used_at": key.used_at,
        "revoked_at": key.revoked_at,
        "code_until": key.code_until,
    })
}

fn print(app: &App, key: &ApiKey, json: bool) {
    if json {
        return say_json(&written(app, key));
    }
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    say(format_args!(
        "{}  {}  …{}  {}  {}  {}",
        key.id,
        key.state(app.now()).as_str(),
        key.hint,
        scopes.join(","),
        key.messengers.join(","),
        shown(&key.name)
    ));
}
