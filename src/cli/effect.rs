//! `countersign mapping compare` and `coverage`: what a mapping does to all users.

use std::io::IsTerminal as _;

use indicatif::ProgressBar;
use serde_json::json;

use super::output::{Refused, say, say_json, shown};
use super::read_text;
use crate::app::compare::Found;
use crate::app::mapping::STARTER;
use crate::app::{App, AppError};
use crate::core::id::MessengerId;
use crate::core::mapping::{RuleCoverage, RuleEntry, Tally, Tree, Why};
use crate::core::visible;

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

pub(super) fn coverage(
    app: &App,
    messenger: &MessengerId,
    file: Option<&std::path::Path>,
    json: bool,
) -> Result<(), Refused> {
    let text = match file {
        Some(file) => read_text(file)?,
        None => app.published_mapping(messenger)?.map_or_else(|| STARTER.to_owned(), |version| version.text),
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

pub(super) fn compare(
    app: &App,
    messenger: &MessengerId,
    file: &std::path::Path,
    json: bool,
) -> Result<(), Refused> {
    let found = look_at_all(app, messenger, &read_text(file)?, json)?;
    let effect = found.effect;
    if json {
        let mut object = json!(effect);
        if let Some(sends) = found.sends {
            object["people_sent"] = sends.into();
        }
        say_json(&object);
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
    if let Some(sends) = found.sends {
        let takes = app.described_desk(messenger)?.and_then(|desk| desk.settings.duration_of(sends));
        let takes =
            takes.map(|seconds| format!(". With your limits, this takes about {} min", (seconds + 59) / 60));
        say(format_args!("{sends} people would be sent to Deskpro{}", takes.unwrap_or_default()));
    }
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
