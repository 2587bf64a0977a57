//! `countersign mapping …`

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Subcommand;
use indicatif::ProgressBar;
use serde_json::json;

use super::output::{Refused, complain, finding_line, say, say_json, shown};
use super::{conflicts, expected, login, read_text, trace};
use crate::app::compare::Found;
use crate::app::history::Published;
use crate::app::tokens::PreviewResult;
use crate::app::{App, AppError, Caller, mapping};
use crate::core::id::MessengerId;
use crate::core::mapping::{Checked, Level, Mapping, RuleCoverage, RuleEntry, Tally, Tree, Why};
use crate::core::visible;

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
    /// Show which users Deskpro would take for one person: those with one address, or with one Deskpro id.
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

/// Runs a mapping over all users, with a progress bar on a terminal.
fn look_at_all(app: &App, messenger: &MessengerId, text: &str, json: bool) -> Result<Found, Refused> {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(1) } else { ProgressBar::hidden() };
    let found = app.compare_mapping(messenger, text, |done, total| {
        bar.set_length(u64::try_from(total).unwrap_or_default());
        bar.set_position(u64::try_from(done).unwrap_or_default());
    });
    bar.finish_and_clear();
    match found {
        Err(AppError::Mapping(findings)) if json => {
            findings.iter().for_each(say_json);
            Err(Refused::Said)
        }
        found => Ok(found?),
    }
}

fn coverage(
    app: &App,
    messenger: &MessengerId,
    file: Option<&std::path::Path>,
    json: bool,
) -> Result<(), Refused> {
    let text = match file {
        Some(file) => read_text(file)?,
        None => in_force(app, messenger)?.1,
    };
    let coverage = look_at_all(app, messenger, &text, json)?.coverage;
    if json {
        say_json(&coverage);
        return Ok(());
    }
    let users = coverage.users;
    let rules = Tree::read(&text).map(|tree| tree.rules).unwrap_or_default();
    for (number, (rule, found)) in rules.iter().zip(&coverage.rules).enumerate() {
        let claim = rule.claim().unwrap_or("no claim");
        say(shown(&format!("rule {} ({claim}): {} of {users} users get a value", number + 1, found.given)));
        for (count, text) in
            [(found.default, "the default was used"), (found.silent, "the condition does not hold")]
        {
            if count > 0 {
                say(format_args!("  {count}: {text}"));
            }
        }
        for (code, count) in &found.nothing {
            say(format_args!("  {count}: {} ({code})", Why::message_of(code)));
        }
        say_values(rule, found);
    }
    Ok(())
}

/// The values that a rule left out, with the number of users who have each.
fn say_values(rule: &RuleEntry, found: &RuleCoverage) {
    let mut lines = Vec::new();
    for (value, count) in &found.unmatched {
        let near = rule.looks_like_a_row(value).map(|near| format!(". {near}")).unwrap_or_default();
        lines.push(format!("{count}: \"{}\" is not in the lookup table{near}", visible::shown(value)));
    }
    if found.unmatched_more > 0 {
        lines.push(format!("{}: other values that are not in the lookup table", found.unmatched_more));
    }
    for (code, lost) in &found.lost {
        let listed = lost.values.iter();
        lines.extend(listed.map(|(value, count)| format!("{count}: \"{}\" ({code})", visible::shown(value))));
        if lost.more > 0 {
            lines.push(format!("{}: others ({code})", lost.more));
        }
    }
    if !lines.is_empty() {
        say("  values that were left out, by the number of users who have them:");
    }
    lines.iter().for_each(|line| say(format_args!("    {}", shown(line))));
}

fn compare(app: &App, messenger: &MessengerId, file: &std::path::Path, json: bool) -> Result<(), Refused> {
    let effect = look_at_all(app, messenger, &read_text(file)?, json)?.effect;
    if json {
        say_json(&effect);
        return Ok(());
    }
    let users = if effect.users == 1 { "1 user" } else { &format!("{} users", effect.users) };
    say(format_args!(
        "{users}: {} unchanged, {} changed, {} lose the token, {} get one",
        effect.unchanged,
        effect.changed,
        effect.newly_refused(),
        effect.accepted.users
    ));
    if effect.without > 0 {
        say(format_args!(
            "  Of the unchanged users, {} get no token before and after. `countersign token issue --all` says why.",
            effect.without
        ));
    }
    for (code, tally) in &effect.refused {
        say_tally(&format!("lose the token ({code})"), tally);
    }
    say_tally("get a token", &effect.accepted);
    for (claim, tally) in &effect.claims {
        say_tally(claim, tally);
    }
    Ok(())
}

fn say_tally(name: &str, tally: &Tally) {
    if tally.users == 0 {
        return;
    }
    say(format_args!("{name}: {}", tally.users));
    for sample in &tally.samples {
        let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let line = format!("  {}: {} → {}", sample.login, side(&sample.before), side(&sample.after));
        say(shown(&line));
    }
}
