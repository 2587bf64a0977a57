//! Judges a draft as a whole: all errors at once, and warnings (`mapping.md` section 4).

use std::borrow::Cow;
use std::collections::HashSet;

use crate::core::attribute::Definitions;
use crate::core::mapping::apply::rule::{Missing, Rule, Source};
use crate::core::mapping::apply::trace::Run;
use crate::core::mapping::apply::value::{Flow, MAX_BYTES, MAX_ITEMS, clean};
use crate::core::mapping::apply::why::Why;
use crate::core::mapping::claim::Claim;
use crate::core::mapping::read::finding::{Finding, Findings, Place};
use crate::core::mapping::read::json::{self, Json, Node};
use crate::core::mapping::read::rules::{Read, Reader, rules_in, unknown_claim};
use crate::core::mapping::read::spot::{Spot, find_duplicate_keys};
use crate::core::mapping::read::warnings::warn;
use crate::core::mapping::steps::step::{Otherwise, Step, run_all};
use crate::core::mapping::{Mapping, Token};
use crate::core::payload::Texts;

/// The longest draft, in bytes.
pub const MAX_DRAFT_BYTES: usize = 200_000;

/// The most rules of a draft.
pub const MAX_RULES: usize = 500;

/// What was found in a draft.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// Errors and warnings, in the order of the draft.
    pub findings: Vec<Finding>,
    /// The mapping, when there is no error.
    pub mapping: Option<Mapping>,
}

/// Finds everything that is wrong with a draft, given the attributes that exist.
pub fn check(draft: &str, attributes: &Definitions) -> Checked {
    judge(draft, Some(attributes))
}

pub(crate) fn published(text: &str) -> Result<Mapping, Vec<Finding>> {
    let checked = judge(text, None);
    checked.mapping.ok_or(checked.findings)
}

/// Without attributes nobody asks whether they exist or are proved, and nothing is warned of.
fn judge(text: &str, attributes: Option<&Definitions>) -> Checked {
    let mut reader = Reader { found: Findings::default(), attributes };
    let whole = Place { pointer: String::new(), at: 0 };
    let mut mapping = None;
    if text.len() > MAX_DRAFT_BYTES {
        let message = format!("The draft has {} bytes, and 200,000 are the most.", text.len());
        too_large(&mut reader.found, &whole, message);
    } else {
        match json::read(text) {
            Err(fault) => not_json(&mut reader.found, &whole, text, &fault),
            Ok(root) if rules_in(&root) > MAX_RULES => {
                let message = format!("The draft has {} rules, and 500 are the most.", rules_in(&root));
                too_large(&mut reader.found, &whole, message);
            }
            Ok(root) => mapping = whole_draft(&mut reader, &root),
        }
    }
    let mapping = mapping.filter(|_| !reader.found.any_error());
    Checked { findings: reader.found.in_document_order(), mapping }
}

fn too_large(found: &mut Findings, place: &Place, message: String) {
    let help = "Shorten lookup tables, or take out rules that are not needed.";
    found.error("draft_too_large", place, message, help);
}

fn not_json(found: &mut Findings, place: &Place, text: &str, fault: &json::NotJson) {
    let before = text.get(..fault.at).unwrap_or(text);
    let line = before.split('\n').count();
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let message = format!("The draft is not JSON: {}.", fault.what);
    let help = format!("Look at line {line}, character {column}.");
    found.error("not_json", place, message, help);
}

fn whole_draft(reader: &mut Reader<'_>, root: &Node) -> Option<Mapping> {
    let spot = Spot::whole(root);
    find_duplicate_keys(&spot, &mut reader.found);
    let mut keys = spot.object(&mut reader.found, "an object with “rules”")?;
    let (token, rules, empty) = (keys.take("token"), keys.take("rules"), keys.take("empty_lists"));
    if rules.is_none() {
        keys.need(&mut reader.found, &["rules"]);
    }
    keys.no_others(&mut reader.found, "“token”, “rules”, “empty_lists”");

    let token = token.and_then(|spot| read_token(&mut reader.found, &spot)).unwrap_or_default();
    let place = rules.as_ref().map(|rules| rules.place.clone());
    let items = rules.and_then(|rules| rules.list(&mut reader.found, "a list of rules"));
    let has_list = items.is_some();
    let reads: Vec<Read<'_>> = items.unwrap_or_default().into_iter().map(|spot| reader.rule(spot)).collect();
    let sent_empty =
        empty.map_or(Vec::new(), |spot| read_empty(&mut reader.found, &spot, has_list.then_some(&reads)));

    second_rules(&mut reader.found, &reads);
    if let Some(place) = place.filter(|_| has_list) {
        no_identifier(&mut reader.found, &place, token, &reads);
    }
    rejected_values(&mut reader.found, &reads);
    if let Some(attributes) = reader.attributes {
        warn(&mut reader.found, token, &reads, attributes);
    }
    let rules = reads.into_iter().map(|read| read.rule).collect::<Option<Vec<Rule>>>()?;
    Some(Mapping { token, rules, sent_empty })
}

fn read_token(found: &mut Findings, spot: &Spot<'_>) -> Option<Token> {
    match &spot.node.json {
        Json::Text(text) if text == "all" => Some(Token::All),
        Json::Text(text) if text == "id" => Some(Token::Id),
        _ => {
            spot.wrong_type(found, "“all” or “id”");
            None
        }
    }
}

/// The list claims that are sent when they are empty. `reads` are the rules, where they are a list:
/// else nobody can say which claim has none.
fn read_empty(found: &mut Findings, spot: &Spot<'_>, reads: Option<&Vec<Read<'_>>>) -> Vec<Claim> {
    let needed = "an object of list claims, each with “omit” or “send”";
    let Some(entries) = spot.object(found, needed) else {
        return Vec::new();
    };
    let fed = reads.map(|reads| reads.iter().filter_map(|read| read.claim.as_ref()).collect::<HashSet<_>>());
    let mut sent = Vec::new();
    for entry in entries.into_list() {
        let claim = Claim::parse(entry.key);
        match &claim {
            None => unknown_claim(found, &entry.place, entry.key),
            Some(claim) if !claim.is_list() => {
                let message = format!("“{claim}” is no list.");
                found.error("unknown_claim", &entry.place, message, "Take it out.");
            }
            Some(claim) if fed.as_ref().is_some_and(|fed| !fed.contains(claim)) => {
                let message = format!("No rule feeds “{claim}”.");
                let help = "Take it out, or add a rule for it.";
                found.error("unknown_claim", &entry.place, message, help);
            }
            Some(_) => {}
        }
        match &entry.value.node.json {
            Json::Text(text) if text == "omit" => {}
            Json::Text(text) if text == "send" => sent.extend(claim),
            _ => entry.value.wrong_type(found, "“omit” or “send”"),
        }
    }
    sent
}

fn second_rules(found: &mut Findings, reads: &[Read<'_>]) {
    let mut known = HashSet::new();
    for read in reads {
        let (Some(claim), Some(spot)) = (&read.claim, read.spot.get("claim")) else {
            continue;
        };
        let other = claim.excludes().filter(|other| known.contains(other));
        if let Some(other) = other {
            let message = format!("“{claim}” stands beside “{other}”: a field is one or the other.");
            let help = "Use the form with [] for all rules of a field with several choices.";
            found.error("second_rule", &spot.place, message, help);
        } else if !claim.is_list() && known.contains(claim) {
            let message = format!("“{claim}” has a rule already, and it takes one.");
            let help = "Keep one of them; a text can try several sources in turn.";
            found.error("second_rule", &spot.place, message, help);
        }
        known.insert(claim.clone());
    }
}

fn no_identifier(found: &mut Findings, place: &Place, token: Token, reads: &[Read<'_>]) {
    let has = |wanted: Claim| reads.iter().any(|read| read.claim.as_ref() == Some(&wanted));
    match token {
        Token::All if !has(Claim::Email) && !has(Claim::DeskproId) => {
            let message = "No rule feeds “email” or “deskpro_id”, so Deskpro could not tell who it is.";
            found.error("no_identifier", place, message, "Add a rule for one of them.");
        }
        Token::Id if !has(Claim::DeskproId) => {
            let message = "The token is to carry “deskpro_id” alone, and no rule feeds it.";
            let help = "Add a rule for it, or let the token carry all.";
            found.error("no_identifier", place, message, help);
        }
        _ => {}
    }
}

/// Finds what the rules themselves write and their claims cannot hold; only in rules where nothing
/// else is wrong.
fn rejected_values(found: &mut Findings, reads: &[Read<'_>]) {
    let wrong: HashSet<String> = found.errors().filter_map(|e| rule_of(&e.pointer)).collect();
    let mut run = Run::traced();
    for read in reads {
        let Some(rule) = &read.rule else { continue };
        if wrong.contains(&read.spot.place.pointer) {
            continue;
        }
        for (spot, why) in rejected(rule, &read.spot, &mut run) {
            let message = format!("“{}” cannot hold what this writes. {}", rule.claim, why.message());
            let help = "Write something that the claim can hold.";
            found.error("rejected_value", &spot.place, message, help);
        }
    }
}

/// The pointer of the rule that a pointer leads into.
fn rule_of(pointer: &str) -> Option<String> {
    let inside = pointer.strip_prefix("/rules/")?;
    let number = inside.split('/').next()?;
    Some(format!("/rules/{number}"))
}

fn rejected<'a>(rule: &Rule, spot: &Spot<'a>, run: &mut Run) -> Vec<(Spot<'a>, Why)> {
    let mut rejected = Vec::new();
    let mut judge = |spot: Option<Spot<'a>>, why: Option<Why>| rejected.extend(spot.zip(why));
    let from = |key: &str| spot.get("from").and_then(|from| from.get(key));
    match &rule.source {
        Source::Attribute(_) => {}
        Source::Constant(text) => judge(from("constant"), written(rule, text, run)),
        Source::Text(texts) => {
            let spots = from("text").and_then(|spot| spot.items()).unwrap_or_default();
            for (text, spot) in texts.iter().zip(spots) {
                let why = text.without_parts().and_then(|text| written(rule, text, run));
                judge(Some(spot), why);
            }
        }
    }
    let step = spot.get("steps").and_then(|steps| steps.items()?.pop());
    let inside = |key: &str| step.as_ref().and_then(|step| step.get(key));
    match rule.steps.last() {
        Some(Step::YesNo { yes, no }) => {
            judge(inside("yes_no").and_then(|s| s.get("yes")), held(&rule.claim, yes));
            judge(inside("yes_no").and_then(|s| s.get("no")), held(&rule.claim, no));
        }
        Some(Step::Lookup(lookup)) => {
            let table = inside("lookup").and_then(|lookup| lookup.get("values"));
            let entries = table.and_then(|table| table.entries()).unwrap_or_default();
            for ((_, output), entry) in lookup.values().zip(entries) {
                judge(Some(entry.value), output.and_then(|output| held(&rule.claim, output)));
            }
            if let Otherwise::Text(text) = &lookup.otherwise {
                let spot = inside("lookup").and_then(|lookup| lookup.get("otherwise"));
                judge(spot, held(&rule.claim, text));
            }
        }
        _ => {}
    }
    let default = || spot.get("missing").and_then(|missing| missing.get("default"));
    match &rule.missing {
        Missing::Omit | Missing::Refuse => {}
        Missing::Default { default: Texts::One(text) } => judge(default(), held(&rule.claim, text)),
        Missing::Default { default: Texts::List(items) } => {
            if items.len() > MAX_ITEMS {
                judge(default(), Some(Why::TooManyItems));
            }
            let spots = default().and_then(|spot| spot.items()).unwrap_or_default();
            for (item, spot) in items.iter().zip(spots) {
                judge(Some(spot), held(&rule.claim, item));
            }
        }
    }
    rejected
}

/// Why a claim cannot hold a text that a rule gives as it is.
fn held(claim: &Claim, text: &str) -> Option<Why> {
    if text.len() > MAX_BYTES {
        return Some(Why::TooLong);
    }
    claim.hold(text.to_owned()).err()
}

/// Why a text that a rule begins with does not come through its steps into its claim whole. Blank
/// pieces between separators are no loss.
fn written(rule: &Rule, text: &str, run: &mut Run) -> Option<Why> {
    run.begin(0);
    let value = clean(Cow::Borrowed(text)).map(Flow::One);
    let passed = match value.and_then(|value| run_all(&rule.steps, value, run)) {
        Ok(passed) => passed,
        Err(why) => return Some(why),
    };
    let lost = run.end().dropped.into_iter().map(|dropped| dropped.why);
    let lost = lost.into_iter().find(|why| *why != Why::Blank);
    let items = match passed {
        Flow::One(text) => vec![text],
        Flow::List(items) => items,
    };
    lost.or_else(|| items.into_iter().find_map(|item| held(&rule.claim, &item)))
}
