//! `countersign user …`

use std::io::IsTerminal as _;

use clap::Subcommand;
use clap::error::ErrorKind;

use super::output::{Refused, say, say_json, shown};
use super::{files, login, new_login};
use crate::app::{App, AppError, Caller, users};
use crate::core::user::{Role, User};

/// Manage users.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Add a user; set the password with `set-password`.
    Add {
        /// What the user signs in with.
        login: String,
        /// May use the console: mapping, messengers, keys, audit log.
        #[arg(long)]
        admin: bool,
        /// An attribute, such as email=ana@example.com. May be repeated.
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
        assignments: Vec<String>,
    },
    /// Change attributes of a user; an empty value after the = removes an attribute.
    Set {
        /// The user.
        login: String,
        /// Attributes, such as plan=gold.
        #[arg(required = true, value_name = "NAME=VALUE", value_parser = assignment)]
        assignments: Vec<String>,
    },
    /// Import a CSV file of users: the whole file is checked first, then written.
    ///
    /// The first line names the columns. A row is matched to a user by `external_id`, login or address;
    /// a row that matches no user is a new user. A cell sets its attribute, and a blank cell removes it.
    /// Attributes without a column stay as they are. New columns become attributes. The import makes no
    /// user an admin, enables no user and sets no password. If the file has errors, all are reported and
    /// nothing is imported.
    Import(files::Import),
    /// List users, the oldest first: login, name, address, and whether admin or disabled.
    List {
        /// Only users whose login, address, name or a searchable attribute starts with this.
        #[arg(long, value_name = "BEGIN")]
        search: Option<String>,
    },
    /// Set a password, read from the terminal or standard input, and end all sessions.
    SetPassword {
        /// The user.
        login: String,
        /// A password given by mistake: reported as wrong usage without being repeated.
        #[arg(hide = true)]
        typed: Vec<String>,
    },
    /// Disable a user: no sign-in, no sessions, no tokens.
    Disable {
        /// The user.
        login: String,
    },
    /// Record that a user's account is gone from the website.
    ///
    /// The user is disabled and signed out; login, address and Deskpro person become free for other
    /// users. The `external_id` stays taken, so that a late import or call does not bring the account
    /// back.
    Gone {
        /// The user.
        login: String,
    },
    /// Let a disabled user sign in and get tokens again.
    Enable {
        /// The user.
        login: String,
    },
    /// Let a user who must wait after wrong passwords try again at once.
    ///
    /// Use --network to do the same for a network, such as an office behind one address.
    Unlock {
        /// The user.
        #[arg(required_unless_present = "network")]
        login: Option<String>,
        /// An address of the network: an IPv4 address, or any address of an IPv6 /64.
        #[arg(long, value_name = "ADDRESS")]
        network: Option<std::net::IpAddr>,
    },
    /// Write all users to standard output, as CSV. No passwords or hashes.
    ///
    /// `user import` can read this file: values, types of attributes, and who is disabled. A value that
    /// a spreadsheet would run as a formula gets an apostrophe before it, which the import removes.
    Export {
        /// Leave values unchanged that a spreadsheet would run as formulas: for other programs.
        #[arg(long)]
        raw: bool,
    },
}

fn assignment(text: &str) -> Result<String, String> {
    if text.contains('=') { Ok(text.to_owned()) } else { Err("write NAME=VALUE".to_owned()) }
}

/// Splits NAME=VALUE after the longest existing name: a name may contain the sign itself.
fn cut(app: &App, assignments: &[String]) -> Result<Vec<users::Assignment>, AppError> {
    let definitions = app.attributes()?;
    let cut = |text: &String| {
        let mut places = text.match_indices('=').map(|(place, _)| place);
        let first = places.next().unwrap_or(text.len());
        let known = places.rev().find(|place| definitions.knows(&text[..*place]));
        let (name, value) = text.split_at(known.unwrap_or(first));
        (name.to_owned(), value.strip_prefix('=').unwrap_or_default().to_owned())
    };
    Ok(assignments.iter().map(cut).collect())
}

impl Command {
    /// Ends the program if a value is given that no argument may contain.
    pub(super) fn check_usage(&self) {
        if let Self::SetPassword { typed, .. } = self
            && !typed.is_empty()
        {
            let what = "Do not pass a password as an argument: other users of this machine could read it. \
                Type it when asked, or pipe it.\n\nUsage: countersign user set-password <LOGIN>";
            super::command().error(ErrorKind::TooManyValues, what).exit();
        }
    }
}

pub(super) fn run(app: &App, command: Command, json: bool) -> Result<(), Refused> {
    let caller = Caller::cli();
    let done = |text: String| if json { say_json(&serde_json::json!({ "done": text })) } else { say(text) };
    match command {
        Command::Add { login: name, admin, assignments } => {
            let role = if admin { Role::Admin } else { Role::User };
            let user = app.add_user(&new_login(&name)?, role, &cut(app, &assignments)?, &caller)?;
            done(format!("Added '{0}'. Set a password: countersign user set-password {0}", user.login));
        }
        Command::Set { login: name, assignments } => {
            let before = app.user(&login(&name)?)?;
            let user = app.change_user(&before.login, &cut(app, &assignments)?, &caller)?;
            let loses_proof = before.attributes.email_verified() == Some(true)
                && user.text("email").is_some()
                && user.attributes.email_verified().is_none();
            let proof = if loses_proof {
                " The new address is not verified: add email_verified=yes if it is."
            } else {
                ""
            };
            done(format!("Changed '{}'.{proof}", user.login));
        }
        Command::Import(arguments) => return files::import(app, arguments, json),
        Command::List { search } => return list(app, search.as_deref(), json),
        Command::SetPassword { login: name, .. } => {
            let name = login(&name)?;
            app.user(&name)?;
            app.set_password(&name, &ask_password()?, &caller)?;
            done(format!("The password of '{name}' is set. The sessions of '{name}' have ended."));
        }
        Command::Disable { login: name } => {
            let name = login(&name)?;
            app.disable_user(&name, &caller)?;
            done(format!("'{name}' is disabled. The sessions of '{name}' have ended."));
        }
        Command::Gone { login: name } => {
            let name = login(&name)?;
            app.user_gone(&name, &caller)?;
            done(format!(
                "The account of '{name}' is gone. Its sessions have ended; login and address are free for other users."
            ));
        }
        Command::Enable { login: name } => {
            let name = login(&name)?;
            app.enable_user(&name, &caller)?;
            done(format!("'{name}' can sign in again."));
        }
        Command::Unlock { login: name, network } => {
            if let Some(name) = name {
                let name = login(&name)?;
                app.unlock(&name, &caller)?;
                done(format!("'{name}' can try again at once."));
            }
            if let Some(address) = network {
                let network = app.unlock_network(address, &caller)?;
                done(format!("All users at {network} can try again at once."));
            }
        }
        Command::Export { raw } => return files::export(app, raw, json),
    }
    Ok(())
}

/// A password from the terminal, twice, or the first line of standard input.
fn ask_password() -> Result<String, Refused> {
    let failed = |error: std::io::Error| Refused::Text(format!("The password cannot be read: {error}."));
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map_err(failed)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let first = rpassword::prompt_password("New password: ").map_err(failed)?;
    let second = rpassword::prompt_password("Once more: ").map_err(failed)?;
    if first == second {
        Ok(first)
    } else {
        Err(Refused::Text("The two passwords differ. Nothing was changed.".into()))
    }
}

fn list(app: &App, search: Option<&str>, json: bool) -> Result<(), Refused> {
    let print = |user: &User| {
        if json {
            return say_json(&users::as_json(user));
        }
        let mut marks = vec![user.login.as_str().to_owned(), user.shown_name()];
        match (user.text("email"), user.attributes.email_verified()) {
            (Some(address), Some(true)) => marks.extend([address, "verified".to_owned()]),
            (Some(address), _) => marks.extend([address, "not verified".to_owned()]),
            (None, _) => marks.extend(["-".to_owned(), "no address".to_owned()]),
        }
        if user.role == Role::Admin {
            marks.push("admin".to_owned());
        }
        if user.disabled {
            marks.push("disabled".to_owned());
        }
        let marks: Vec<String> = marks.iter().map(|mark| shown(mark).into_owned()).collect();
        say(marks.join("\t"));
    };
    match search {
        Some(begin) => app.search_users(begin, 1000)?.iter().for_each(print),
        None => app.each_user(print)?,
    }
    Ok(())
}
