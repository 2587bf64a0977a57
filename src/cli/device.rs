//! `countersign device …`

use clap::Subcommand;
use serde_json::json;

use super::output::{Refused, say, say_json, shown};
use crate::app::devices::LiveDevice;
use crate::app::{App, Caller};

/// Manage the sessions of native apps.
#[derive(Subcommand)]
pub(super) enum Command {
    /// List the devices of a user, the most recently used first.
    List {
        /// The user.
        login: String,
    },
    /// End the session of a device: its next request is refused.
    Revoke {
        /// The user.
        login: String,
        /// Its ID, as shown by `device list`.
        id: String,
    },
}

pub(super) fn run(app: &App, command: Command, json: bool) -> Result<(), Refused> {
    match command {
        Command::List { login } => {
            let user = app.user(&super::login(&login)?)?;
            for LiveDevice { device, ends_at: expires_at } in app.devices(&user.id)? {
                if json {
                    say_json(&json!({
                        "id": device.id,
                        "name": device.name,
                        "platform": device.platform,
                        "created_at": device.created_at,
                        "used_at": device.used_at,
                        "expires_at": expires_at,
                        "address": device.address,
                    }));
                } else {
                    say(format_args!(
                        "{}  {}  {}  {}",
                        device.id,
                        device.platform,
                        device.address,
                        shown(&device.name)
                    ));
                }
            }
        }
        Command::Revoke { login, id } => {
            app.end_device_of(&super::login(&login)?, &id, &Caller::cli())?;
            if json {
                say_json(&json!({ "id": id, "ended": true }));
            } else {
                say("Ended. The app must sign in again.");
            }
        }
    }
    Ok(())
}
