//! `countersign mapping …`

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::effect::{compare, coverage};
use super::output::{Refused, complain, finding_line, say, say_json, shown};
use super::{conflicts, expected, login, read_text, trace};
use crate::app::history::Published;
use crate::app::tokens::PreviewResult;
use crate::app::{App, AppError, Caller, mapping};
use crate::core::id::MessengerId;
use crate::core::mapping::{Checked, Level, Mapping};

/// Manage the mapping.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Show the published mapping, or an earlier version.
    Show {
        /// The number of a version.
        #[arg(long)]
        version: Option<i64>,
        /// The messenger the mapping belongs to.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Check a mapping in a file: report all errors and warnings.
    Check {
        /// The file.
        file: PathBuf,
        /// Users with the payloads they must get: one JSON object per line, `{"login": …, "payload": {…}}`
        /// or `{"login": …, "refused": "code"}`.
        #[arg(long, value_name = "FILE")]
        expect: Option<PathBuf>,
        /// The messenger the mapping belongs to.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Check a mapping in a file and publish it as the next version.
    Apply {
        /// The file.
        file: PathBuf,
        /// The messenger the mapping belongs to.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
        /// The reason, for the list of versions.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Show who would change if a mapping in a file were published: how many users, in which claims,
    /// who would lose the token and who would get one.
    Compare {
        /// The file.
        file: PathBuf,
        /// The messenger the mapping belongs to.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// List users whom Deskpro would treat as the same person, because they share an address or a Deskpro id.
    Conflicts {
        /// The messenger the mapping belongs to.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Show who gets a value from each rule of a mapping: how many users per rule, and which values no
    /// lookup table covers.
    Coverage {
        /// A file instead of the published mapping.
        file: Option<PathBuf>,
        /// The messenger the mapping belongs to.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// List every published version: number, date, author, reason, and changes.
    Versions {
        /// The messenger the mapping belongs to.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Publish an earlier version again, as the next version.
    Restore {
        /// Its number.
        version: i64,
        /// The messenger the mapping belongs to.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
        /// The reason, for the list of versions.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Users whose payload you know in advance; every draft is checked against them.
    #[command(subcommand)]
    Expected(expected::Command),
    /// Show what a user's token would contain, and why.
    Preview {
        /// The user.
        login: String,
        /// A file instead of the published mapping.
        #[arg(long)]
        file: Option<PathBuf>,
        /// The messenger the mapping belongs to.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
}

pub(super) fn run(app: &App, command: Command, json: bool) -> Result<(), Refused> {
    match command {
        Command::Show { version, messenger } => show(app, &messenger, version, json),
        Command::Check { file, expect, messenger } => {
            let checked = app.check_mapping(&messenger, &read_text(&file)?)?;
            print_findings(&checked, json);
            let Some(mapping) = checked.mapping else { return Err(Refused::Said) };
            expected::warn(app, &messenger, mapping.clone(), json)?;
            if !json {
                say("The mapping has no errors.");
            }
            match expect {
                Some(expected) => hold_against(app, &messenger, mapping, &read_text(&expected)?, json),
                None => Ok(()),
            }
        }
        Command::Apply { file, messenger, reason } => {
            let (version, checked) =
                match app.publish_mapping(&messenger, &read_text(&file)?, &reason, &Caller::cli()) {
                    Err(AppError::Mapping(findings)) if json => {
                        findings.iter().for_each(say_json);
                        return Err(Refused::Said);
                    }
                    published => published.map_err(reason_needed)?,
                };
            print_findings(&checked, json);
            if json {
                say_json(&json!({ "messenger": messenger, "version": version.number }));
            } else {
                say(format_args!("Version {} is published.", version.number));
            }
            Ok(())
        }
        Command::Versions { messenger } => versions(app, &messenger, json),
        Command::Restore { version, messenger, reason } => restore(app, &messenger, version, &reason, json),
        Command::Expected(command) => expected::run(app, command, json),
        Command::Compare { file, messenger } => compare(app, &messenger, &file, json),
        Command::Coverage { file, messenger } => coverage(app, &messenger, file.as_deref(), json),
        Command::Conflicts { messenger } => conflicts::run(app, &messenger, json),
        Command::Preview { login: name, file, messenger } => {
            let draft = match file {
                None => None,
                Some(file) => {
                    let checked = app.check_mapping(&messenger, &read_text(&file)?)?;
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
            match &preview.result {
                PreviewResult::Claims(claims) => {
                    say(format_args!("header  {}", preview.header));
                    say(format_args!("claims  {claims:#}"));
                }
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

/// The number and text of the published mapping; 0 while the starter mapping is used.
fn in_force(app: &App, messenger: &MessengerId) -> Result<(i64, String), Refused> {
    let version = app.published_mapping(messenger)?;
    Ok(version.map_or_else(|| (0, mapping::STARTER.to_owned()), |version| (version.number, version.text)))
}

fn show(app: &App, messenger: &MessengerId, version: Option<i64>, json: bool) -> Result<(), Refused> {
    let (number, text) = match version {
        None => in_force(app, messenger)?,
        Some(number) => (number, app.mapping_version(messenger, number)?.text),
    };
    if json {
        say_json(&json!({ "messenger": messenger, "version": number, "text": text }));
    } else {
        if number == 0 {
            complain("Nothing has been published yet; this starter mapping is used.");
        } else {
            complain(format_args!("Version {number}:"));
        }
        say(text.trim_end());
    }
    Ok(())
}

fn versions(app: &App, messenger: &MessengerId, json: bool) -> Result<(), Refused> {
    for Published { version, author: by, changes } in app.mapping_history(messenger)? {
        let (at, reason) = (timestamp(version.created_at), &version.reason);
        if json {
            say_json(&json!({
                "version": version.number, "at": version.created_at, "by": by, "reason": reason,
                "changes": changes,
            }));
        } else {
            let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            say(shown(&format!("{} {at} by {by}{reason}", version.number)));
            changes.iter().for_each(|change| say(shown(&format!("  {change}"))));
        }
    }
    Ok(())
}

fn restore(app: &App, messenger: &MessengerId, number: i64, reason: &str, json: bool) -> Result<(), Refused> {
    let (in_force, _) = in_force(app, messenger)?;
    let version = app.mapping_version(messenger, number)?;
    let restored = app.restore_mapping(messenger, &version, in_force, reason, &Caller::cli());
    let restored = restored.map_err(reason_needed)?;
    if json {
        say_json(&json!({ "messenger": messenger, "version": restored.number }));
    } else {
        say(format_args!("Version {} is published. It is the same as version {number}.", restored.number));
    }
    Ok(())
}

/// The error with the option for a reason, if a reason is needed.
fn reason_needed(error: AppError) -> Refused {
    match error {
        AppError::ReasonNeeded(text) => Refused::Text(format!("{text} Use the option --reason.")),
        error => error.into(),
    }
}

/// A time in unix seconds, in the format of RFC 3339.
pub(super) fn timestamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string())
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

fn hold_against(
    app: &App,
    messenger: &MessengerId,
    mapping: Mapping,
    expected: &str,
    json: bool,
) -> Result<(), Refused> {
    let (lines, mismatches) = app.check_expected(messenger, mapping, expected)?;
    mismatches.iter().for_each(|mismatch| expected::complain_of(mismatch, json));
    if !mismatches.is_empty() {
        return Err(Refused::Said);
    }
    if !json {
        say(format_args!("Checked {lines} expected payloads: all are as expected."));
    }
    Ok(())
}
