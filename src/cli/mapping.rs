//! `countersign mapping …`

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::output::{Refused, complain, finding_line, say, say_json};
use super::{login, read_text, trace};
use crate::app::tokens::PreviewResult;
use crate::app::{App, AppError, Caller, mapping};
use crate::core::mapping::{Checked, Level};

/// What to do with the mapping.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Show the mapping in force.
    Show {
        /// The messenger whose mapping it is.
        #[arg(long, default_value = "default")]
        messenger: String,
    },
    /// Say everything that is wrong with a mapping in a file, and warn of what may be.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Check a mapping in a file and put it in force, as the next version.
    Apply {
        /// The file.
        file: PathBuf,
        /// The messenger whose mapping it is.
        #[arg(long, default_value = "default")]
        messenger: String,
        /// Why, for the list of versions.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Show what a user's token would hold, and why.
    Preview {
        /// The user.
        login: String,
        /// A file instead of the mapping in force.
        #[arg(long)]
        file: Option<PathBuf>,
        /// The messenger whose mapping it is.
        #[arg(long, default_value = "default")]
        messenger: String,
    },
}

pub(super) fn run(app: &App, command: Command, json: bool) -> Result<(), Refused> {
    match command {
        Command::Show { messenger } => show(app, &messenger, json),
        Command::Check { file } => {
            let checked = app.check_mapping(&read_text(&file)?)?;
            print_findings(&checked, json);
            if checked.mapping.is_none() {
                return Err(Refused::Said);
            }
            if !json {
                say("The mapping has no errors.");
            }
            Ok(())
        }
        Command::Apply { file, messenger, reason } => {
            let (version, checked) =
                match app.publish_mapping(&messenger, &read_text(&file)?, &reason, &Caller::cli()) {
                    Err(AppError::Mapping(findings)) if json => {
                        findings.iter().for_each(say_json);
                        return Err(Refused::Said);
                    }
                    published => published?,
                };
            print_findings(&checked, json);
            if json {
                say_json(&json!({ "messenger": messenger, "version": version.number }));
            } else {
                say(format_args!("Version {} is in force.", version.number));
            }
            Ok(())
        }
        Command::Preview { login: name, file, messenger } => {
            let draft = match file {
                None => None,
                Some(file) => {
                    let checked = app.check_mapping(&read_text(&file)?)?;
                    if checked.mapping.is_none() {
                        print_findings(&checked, json);
                        return Err(Refused::Said);
                    }
                    checked.mapping
                }
            };
            let user = app.user(&login(&name)?)?;
            let preview = app.issuer(&messenger, draft)?.preview(&user);
            if json {
                say_json(&preview);
                return Ok(());
            }
            say(format_args!("header  {}", preview.header));
            match &preview.result {
                PreviewResult::Claims(claims) => say(format_args!("claims  {claims:#}")),
                PreviewResult::Refused(refusal) => {
                    say(format_args!("no token ({}): {}", refusal.code.as_str(), refusal.message));
                }
            }
            say("");
            trace::print(&preview.trace);
            Ok(())
        }
    }
}

fn show(app: &App, messenger: &str, json: bool) -> Result<(), Refused> {
    let version = app.published_mapping(messenger)?;
    let (number, text) =
        version.map_or_else(|| (0, mapping::STARTER.to_owned()), |version| (version.number, version.text));
    if json {
        say_json(&json!({ "messenger": messenger, "version": number, "text": text }));
    } else {
        if number == 0 {
            complain("Nothing was published yet; this starter mapping is in force.");
        } else {
            complain(format_args!("Version {number}:"));
        }
        say(text.trim_end());
    }
    Ok(())
}

fn print_findings(checked: &Checked, json: bool) {
    for finding in &checked.findings {
        if json {
            say_json(finding);
        } else if finding.level == Level::Error {
            complain(finding_line(finding));
        } else {
            say(finding_line(finding));
        }
    }
}
