//! The command line: one file per command, each a thin layer above a use case of `app`. Errors are
//! sentences on standard error; with `--json`, answers are one object per line.

mod api_key;
mod attribute;
mod catalogue;
mod check;
mod conflicts;
mod demo;
mod device;
mod effect;
mod expected;
mod files;
mod helpdesk;
mod key;
mod log;
mod mapping;
mod messenger;
mod output;
mod serve;
mod sync;
mod token;
mod trace;
mod user;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::app::{App, AppError, clock};
use crate::config::{self, Settings};
use crate::core::user::Login;
use output::{Refused, complain};

/// Signs in a website's users and vouches for them to Deskpro Messenger.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Settings come from countersign.toml and from COUNTERSIGN_… variables; `countersign check` reports what is wrong with them.\n\
                  Exit status: 0 done, 1 refused with a reason, 2 wrong usage."
)]
struct Arguments {
    /// The settings file [default: countersign.toml in this folder, if it exists].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print answers as one JSON object per line.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve,
    /// Show the whole system in a browser, with example users and a stand-in for Deskpro.
    Demo(demo::Arguments),
    /// Report what is wrong with settings, keys, database, mapping and proxy, and how to fix it.
    Check,
    /// Add, import, list, change, disable and export users.
    #[command(subcommand)]
    User(user::Command),
    /// List attributes, and set their type and whether they are trusted.
    #[command(subcommand)]
    Attribute(attribute::Command),
    /// Manage messengers: Deskpro's values, origins, token lifetime.
    #[command(subcommand)]
    Messenger(messenger::Command),
    /// Manage the signing keys shared with Deskpro: add, switch, remove.
    #[command(subcommand)]
    Key(key::Command),
    /// Create, list and revoke the keys with which the site's own servers identify themselves.
    #[command(subcommand)]
    ApiKey(api_key::Command),
    /// Show and load what Deskpro calls the ids of groups, languages, organizations and custom fields.
    #[command(subcommand)]
    Catalogue(catalogue::Command),
    /// Connect a helpdesk's API, test its key, list the ids of its groups and fields, and show what the API would be told
    /// about a user.
    #[command(subcommand)]
    Helpdesk(helpdesk::Command),
    /// Keep the site's users in Deskpro through its API.
    #[command(subcommand)]
    Sync(sync::Command),
    /// List the sessions of native apps, and end one.
    #[command(subcommand)]
    Device(device::Command),
    /// Issue tokens, and inspect a token.
    #[command(subcommand)]
    Token(token::Command),
    /// Check, publish and preview the mapping: what Deskpro learns about a user, and from which attribute.
    #[command(subcommand)]
    Mapping(mapping::Command),
}

/// Reads the command line and runs the command.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match dispatch(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(refused) => {
            refused.print();
            ExitCode::from(1)
        }
    }
}

/// Every command with its arguments, as clap knows them.
pub fn command() -> clap::Command {
    Arguments::command()
}

fn dispatch(arguments: Arguments) -> Result<(), Refused> {
    let json = arguments.json;
    let source = source(arguments.config);
    match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Check => check::run(&source, json),
        Command::Serve => {
            let settings = settings(&source)?;
            log::start(&settings)?;
            serve::run(open(settings)?)
        }
        Command::User(command) => {
            command.check_usage();
            user::run(&quiet(&source)?, command, json)
        }
        Command::Attribute(command) => attribute::run(&quiet(&source)?, command, json),
        Command::Messenger(command) => messenger::run(&quiet(&source)?, command, json),
        Command::Key(command) => key::run(&quiet(&source)?, command, json),
        Command::ApiKey(command) => api_key::run(&quiet(&source)?, command, json),
        Command::Catalogue(command) => catalogue::run(&quiet(&source)?, command, json),
        Command::Helpdesk(command) => helpdesk::run(&quiet(&source)?, command, json),
        Command::Sync(command) => sync::run(&quiet(&source)?, command, json),
        Command::Device(command) => device::run(&quiet(&source)?, command, json),
        Command::Token(command) => token::run(&quiet(&source)?, command, json),
        Command::Mapping(command) => mapping::run(&quiet(&source)?, command, json),
    }
}

fn source(file: Option<PathBuf>) -> config::Source {
    let usual = PathBuf::from("countersign.toml");
    let is_set = |name: &std::ffi::OsString| !name.to_string_lossy().trim().is_empty();
    let named = file.or_else(|| std::env::var_os("COUNTERSIGN_CONFIG").filter(is_set).map(PathBuf::from));
    let file = named.or_else(|| usual.exists().then_some(usual));
    config::read(file.as_deref(), std::env::vars_os())
}

fn settings(source: &config::Source) -> Result<Settings, Refused> {
    config::check(source).map_err(Refused::Settings)
}

fn open(settings: Settings) -> Result<App, Refused> {
    let file = crate::app::database_file(&settings.database_url);
    let is_new = file.as_ref().is_some_and(|file| !file.exists());
    let key = crate::app::key_file(&settings.database_url).filter(|file| !file.exists());
    let app = App::open(settings, clock::system())?;
    if let (Some(file), true) = (file, is_new) {
        // A database in the wrong folder looks as if all users were gone.
        let shown = std::path::absolute(&file).unwrap_or(file);
        complain(format_args!("Created a new database: {}", shown.display()));
    }
    if let Some(file) = key.filter(|file| file.exists()) {
        let shown = std::path::absolute(&file).unwrap_or(file);
        complain(format_args!(
            "Created its master key: {}. Keep a copy apart from the database; without it, no secret can be read.",
            shown.display()
        ));
    }
    Ok(app)
}

/// The product for one command: only warnings are logged, on standard error.
fn quiet(source: &config::Source) -> Result<App, Refused> {
    let mut settings = settings(source)?;
    if settings.log == "info" {
        "warn".clone_into(&mut settings.log);
    }
    log::start(&settings)?;
    open(settings)
}

/// A secret from the terminal, where it is not shown, or from the first line of standard input.
fn ask_secret(prompt: &str) -> Result<String, Refused> {
    let failed = |error: std::io::Error| Refused::Text(format!("The key cannot be read: {error}."));
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt).map_err(failed);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(failed)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The login of a user, from the command line.
fn login(text: &str) -> Result<Login, Refused> {
    Login::known(text).map_err(|error| AppError::Refused(error.to_string()).into())
}

/// The login of a new user.
fn new_login(text: &str) -> Result<Login, Refused> {
    Login::parse(text).map_err(|error| AppError::Refused(error.to_string()).into())
}

/// A file's content, or why it cannot be read.
fn read_file(path: &std::path::Path) -> Result<Vec<u8>, Refused> {
    std::fs::read(path).map_err(|error| Refused::Text(format!("{} cannot be read: {error}.", path.display())))
}

/// A file that must be UTF-8.
fn read_text(path: &std::path::Path) -> Result<String, Refused> {
    String::from_utf8(read_file(path)?).map_err(|error| {
        let is_utf_16 = matches!(error.as_bytes(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
        let what = if is_utf_16 { "UTF-16" } else { "not UTF-8" };
        Refused::Text(format!("{} is {what}. Save it as UTF-8.", path.display()))
    })
}
