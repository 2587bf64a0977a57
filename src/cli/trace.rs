//! The trace of a preview, for people: each claim with its rules, what they read, what each step
//! produced and what was dropped.

use super::output::say;
use crate::core::mapping::{Dropped, RuleTrace, Trace};

/// Prints a trace.
pub(super) fn print(trace: &Trace) {
    for claim in &trace.claims {
        match (claim.value.as_ref().and_then(json), &claim.absent) {
            (_, Some(why)) => say(format_args!("{}: left out. {}", claim.claim, why.message())),
            (Some(value), None) => say(format_args!("{}: {value}", claim.claim)),
            (None, None) => say(format_args!("{}: left out.", claim.claim)),
        }
        claim.rules.iter().for_each(print_rule);
        claim.dropped.iter().for_each(print_dropped);
    }
}

fn print_rule(rule: &RuleTrace) {
    let mut parts = Vec::new();
    if let Some(condition) = &rule.condition {
        let answer = if condition.holds { "holds" } else { "does not hold" };
        let value = json(&condition.value).unwrap_or_else(|| "no value".to_owned());
        parts.push(format!("the condition on {} ({value}) {answer}", condition.attribute));
    }
    if let Some(read) = &rule.read {
        let source = read.attribute.as_deref().unwrap_or(read.from);
        let text = read.texts.iter().find(|text| text.not_taken.is_none());
        let source = text.map_or_else(|| source.to_owned(), |text| format!("text \"{}\"", text.text));
        // Which text was used is not known if none was.
        if text.is_some() || read.texts.is_empty() {
            parts.push(match json(&read.value) {
                Some(value) => format!("{source} is {value}"),
                None => format!("{source} has no value"),
            });
        }
    }
    for step in &rule.steps {
        let value = json(&step.value).unwrap_or_else(|| "no value".to_owned());
        parts.push(format!("{} produces {value}", step.step));
        parts.extend(step.doubt.map(|doubt| format!("warning: {}", doubt.message().trim_end_matches('.'))));
    }
    if rule.default {
        parts.push("the default was used".to_owned());
    }
    let what = parts.join("; ");
    let why = rule.nothing.as_ref().map_or("", |why| why.message());
    let stop = if what.is_empty() || why.is_empty() { "" } else { ". " };
    say(format_args!("  rule {}: {what}{stop}{why}", rule.rule + 1));
    rule.dropped.iter().for_each(print_dropped);
}

fn print_dropped(dropped: &Dropped) {
    say(format_args!("    dropped {:?} ({}): {}", dropped.value, dropped.why.code(), dropped.why.message()));
}

/// As JSON; `None` for no value.
fn json(value: &impl serde::Serialize) -> Option<String> {
    match serde_json::to_string(value) {
        Ok(text) => (text != "null").then_some(text),
        Err(error) => Some(error.to_string()),
    }
}
