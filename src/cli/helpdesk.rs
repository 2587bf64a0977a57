//! `countersign helpdesk …`: Deskpro's REST API. Its key is read from the terminal or standard input, never from an
//! argument.

use clap::Subcommand;
use serde_json::{Value, json};

use super::output::{Refused, complain, say, say_items, say_json};
use super::{ask_secret, catalogue};
use crate::app::desks::NewDesk;
use crate::app::sync::USER_NAME;
use crate::app::{App, Caller};
use crate::core::desk::Settings;
use crate::core::id::MessengerId;
use crate::core::messenger::fields::Texts;
use crate::core::origin::Origin;
use crate::deskpro::{Access, TOTAL};

/// Connect Deskpro's REST API, try it, and see what it would be told.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Connect the helpdesk of a messenger with an API key, so that users are kept there. Nothing is sent until
    /// `countersign sync resume`.
    Connect {
        /// The messenger of the helpdesk, whose mapping describes the people.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
        /// Allow a helpdesk in a private network, on this machine, or without TLS.
        #[arg(long)]
        private: bool,
    },
    /// List the helpdesks that are connected, with their settings.
    List,
    /// Change settings of a connected helpdesk, such as `requests_per_hour=1000`; an empty value resets one.
    Set {
        /// Settings as NAME=VALUE.
        #[arg(required = true, value_name = "NAME=VALUE")]
        settings: Vec<String>,
        /// The messenger of the helpdesk.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Let Deskpro's CRM Sync report that a person has changed. Prints a user name and a new password for Deskpro; an
    /// old password stops working.
    Webhook {
        /// The messenger of the helpdesk.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
        /// Remove the webhook.
        #[arg(long)]
        off: bool,
    },
    /// Send alerts about the synchronization to a URL, signed with a new secret, which is printed.
    Alerts {
        /// Where alerts are sent.
        #[arg(required_unless_present_any = ["off", "test"])]
        url: Option<String>,
        /// The messenger of the helpdesk.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
        /// No longer send alerts.
        #[arg(long, conflicts_with_all = ["url", "test"])]
        off: bool,
        /// Send a test to the current URL.
        #[arg(long, conflicts_with = "url")]
        test: bool,
    },
    /// Delete the API key, and everything that is known of the people. Nothing is changed at Deskpro.
    Disconnect {
        /// The messenger of the helpdesk.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Report whether an API key can be used, and what to do if not. Nothing is changed at Deskpro.
    Test {
        #[command(flatten)]
        place: Place,
    },
    /// Show what Deskpro's API would be told about a user, with the published mapping. Nothing is sent.
    Person {
        /// The user.
        login: String,
        /// The messenger whose mapping is used.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// List the ids and names of Deskpro's groups, languages, organizations and fields.
    Names {
        #[command(flatten)]
        place: Place,
    },
}

/// Which helpdesk.
#[derive(clap::Args)]
pub(super) struct Place {
    /// The origin, such as `https://support.example.com` [default: the messenger's].
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// The messenger of the helpdesk.
    #[arg(long, default_value_t)]
    messenger: MessengerId,
    /// Allow a helpdesk in a private network, on this machine, or without TLS.
    #[arg(long)]
    private: bool,
}

pub(super) fn run(app: &App, command: Command, json: bool) -> Result<(), Refused> {
    let caller = Caller::cli();
    match command {
        Command::Connect { messenger, private } => {
            let origin = app.helpdesk(&messenger)?;
            let key = ask_secret("The API key, as Deskpro shows it: ")?.into();
            app.connect_desk(&NewDesk { messenger, key, is_private: private }, &caller)?;
            if !json {
                say(format_args!(
                    "{} is connected. See what a run would do with `countersign sync dry-run`, then start it with \
                     `countersign sync resume`.",
                    origin.as_str()
                ));
            }
            Ok(())
        }
        Command::List => {
            for desk in app.desks()? {
                let settings = Settings::with_defaults(&desk.texts);
                if json {
                    say_json(&json!({
                        "helpdesk": desk.origin, "id": desk.id, "messenger": desk.messenger_id, "settings": settings,
                    }));
                    continue;
                }
                say(format_args!("{}  (messenger {})", desk.origin, desk.messenger_id));
                for (name, value) in settings {
                    say(format_args!("    {name} = {value}"));
                }
            }
            Ok(())
        }
        Command::Set { settings, messenger } => {
            let mut texts = Texts::new();
            for setting in settings {
                let Some((name, value)) = setting.split_once('=') else {
                    return Err(Refused::Text(format!("'{setting}' is not NAME=VALUE.")));
                };
                texts.insert(name.trim().to_owned(), value.to_owned());
            }
            app.change_desk(&app.desk(&messenger)?.id, &texts, None, &caller)?;
            Ok(())
        }
        Command::Webhook { messenger, off } => {
            let desk = app.desk(&messenger)?.id;
            if off {
                return Ok(app.refuse_calls(&desk, &caller)?);
            }
            let secret = app.allow_calls(&desk, &caller)?;
            let path = format!("/api/v1/deskpro/{desk}/people");
            if json {
                say_json(&json!({ "path": path, "user_name": USER_NAME, "password": secret }));
            } else {
                say(format_args!(
                    "Enter this in Deskpro's CRM Sync (docs/synchronization.md says where). The password is shown only once.\n\
                     URL:       https://YOUR-SERVER{path}\nUser name: {USER_NAME}\nPassword:  {secret}"
                ));
            }
            Ok(())
        }
        Command::Alerts { url, messenger, off, test } => {
            let desk = app.desk(&messenger)?.id;
            let Some(url) = url.filter(|_| !off && !test) else {
                return Ok(if test { app.test_alerts(&desk) } else { app.send_no_alerts(&desk, &caller) }?);
            };
            let secret = app.send_alerts_to(&desk, &url, &caller)?;
            if json {
                say_json(&json!({ "url": url, "secret": secret }));
            } else {
                say(format_args!(
                    "Alerts are sent to {url}. The receiver checks them with this secret, which is shown only once:\n{secret}"
                ));
            }
            Ok(())
        }
        Command::Disconnect { messenger } => {
            app.disconnect_desk(&app.desk(&messenger)?.id, &caller)?;
            Ok(())
        }
        Command::Test { place } => say_items(&App::test_helpdesk(&access(app, &place)?), json),
        Command::Person { login, messenger } => {
            let person = app.person_at_helpdesk(&super::login(&login)?, &messenger)?;
            if !person.contains_key("primary_email") {
                complain(
                    "No email address would be sent: no rule for \"email\" has a valid value, or it is not \
                     verified. Deskpro finds a person only with an id or an email address.",
                );
            }
            if json {
                say_json(&person);
            } else {
                say(format_args!("{:#}", Value::Object(person)));
            }
            Ok(())
        }
        Command::Names { place } => {
            catalogue::print(&App::names_at_helpdesk(&access(app, &place)?)?, json);
            Ok(())
        }
    }
}

fn access(app: &App, place: &Place) -> Result<Access, Refused> {
    let origin = match &place.origin {
        Some(text) => Origin::parse(text).ok_or_else(|| {
            Refused::Text(format!(
                "'{text}' is not an origin. Write it as https://support.example.com, without a path."
            ))
        })?,
        None => app.helpdesk(&place.messenger)?,
    };
    Ok(Access {
        origin,
        key: ask_secret("The API key, as Deskpro shows it: ")?.into(),
        is_private: place.private,
        total: TOTAL,
    })
}
