//! The trace of a preview, for people: each claim with its rules, what they read, what each step
//! produced and what was dropped.

use super::output::say;
use crate::core::mapping::{Dropped, RuleTrace, Trace};

/// Prints a trace.
pub(super) fn print(trace: &Trace) {
    for claim in &trace.claims {
        match (&claim.value, &claim.absent) {
            (_, Some(why)) => say(format_args!("{}: left out. {}", claim.claim, why.message())),
            (Some(value), None) => say(format_args!("{}: {}", claim.claim, json(value))),
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
        parts.push(format!("the condition on {} ({}) {answer}", condition.attribute, json(&condition.value)));
    }
    if let Some(read) = &rule.read {
        let source = read.attribute.as_deref().unwrap_or(read.from);
        let text = read.texts.iter().find(|text| text.not_taken.is_none());
        let source = text.map_or_else(|| source.to_owned(), |text| format!("text \"{}\"", text.text));
        parts.push(format!("{source} is {}", json(&read.value)));
    }
    for step in &rule.steps {
        parts.push(format!("{} produces {}", step.step, json(&step.value)));
        parts.extend(step.doubt.map(|doubt| format!("warning: {}", doubt.message().trim_end_matches('.'))));
    }
    if rule.default {
        parts.push("the default was used".to_owned());
    }
    if let Some(why) = &rule.nothing {
        parts.push(why.message().to_owned());
    }
    say(format_args!("  rule {}: {}", rule.rule + 1, parts.join("; ")));
    rule.dropped.iter().for_each(print_dropped);
}

fn print_dropped(dropped: &Dropped) {
    say(format_args!("    dropped {:?} ({}): {}", dropped.value, dropped.why.code(), dropped.why.message()));
}

fn json(value: &impl serde::Serialize) -> String {
    match serde_json::to_string(value) {
        Ok(text) if text == "null" => "missing".to_owned(),
        Ok(text) => text,
        Err(error) => error.to_string(),
    }
}
