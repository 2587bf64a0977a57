//! Checks a draft as a whole: all errors at once, and warnings (`mapping.md` section 4).

use std::borrow::Cow;
use std::collections::HashSet;

use super::finding::{Finding, Findings, Place};
use super::json::{self, Node};
use super::judge::{Judging, Read, unknown_claim};
use super::located::{Located, find_duplicate_keys};
use super::rule::{Default, Missing, Source};
use super::tree::{RuleEntry, Tree, read_sent, read_token};
use super::unknown::warn_of_unknown;
use super::warnings::warn;
use crate::core::attribute::Definitions;
use crate::core::catalogue::Catalogue;
use crate::core::mapping::apply::mapping::{Mapping, Token};
use crate::core::mapping::apply::reason::Why;
use crate::core::mapping::apply::rule::{CompiledRule, CompiledSource};
use crate::core::mapping::apply::trace::Run;
use crate::core::mapping::apply::value::{Flow, MAX_BYTES, MAX_ITEMS, clean};
use crate::core::mapping::claim::Claim;
use crate::core::mapping::steps::run_all;

/// The longest draft, in bytes.
pub const MAX_DRAFT_BYTES: usize = 200_000;

/// The maximum number of rules in a draft.
pub const MAX_RULES: usize = 500;

/// What was found in a draft.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// Errors and warnings, in the order of the draft.
    pub findings: Vec<Finding>,
    /// The mapping, if there is no error.
    pub mapping: Option<Mapping>,
    /// The parts of the draft, unless it can only be edited as JSON.
    pub tree: Option<Tree>,
}

/// Finds everything that is wrong with a draft, given the attributes that exist, and what is known of the helpdesk.
pub fn check(draft: &str, attributes: &Definitions, names: &Catalogue) -> Checked {
    judge(draft, Some((attributes, names)))
}

impl Mapping {
    /// Reads a mapping that was published: everything is checked except whether its attributes still exist. A
    /// rule whose attribute no longer exists has no value (`mapping.md` 3.5).
    pub fn published(text: &str) -> Result<Self, Vec<Finding>> {
        let checked = judge(text, None);
        checked.mapping.ok_or(checked.findings)
    }
}

/// Without attributes, the check does not ask whether they exist or are trusted, and there are no warnings.
fn judge(text: &str, known: Option<(&Definitions, &Catalogue)>) -> Checked {
    let (attributes, names) = known.unzip();
    let mut judging = Judging { found: Findings::default(), attributes, names };
    let whole = Place { pointer: String::new(), at: 0 };
    let (mut mapping, mut tree) = (None, None);
    let too_long = text.len() > MAX_DRAFT_BYTES;
    if too_long {
        let message = format!("The draft has {} bytes; the maximum is 200,000.", text.len());
        too_large(&mut judging.found, &whole, message);
    }
    match json::read(text) {
        Err(_) if too_long => {}
        Err(error) => not_json(&mut judging.found, &whole, text, &error),
        Ok(root) => {
            let rules = RuleEntry::all(&root, text);
            let count = rules.as_ref().map_or(0, Vec::len);
            if !too_long && count > MAX_RULES {
                let message = format!("The draft has {count} rules; the maximum is 500.");
                too_large(&mut judging.found, &whole, message);
            } else if !too_long {
                mapping = whole_draft(&mut judging, &root, rules.as_deref());
            }
            tree = Tree::of(&root, rules);
        }
    }
    let mapping = mapping.filter(|_| !judging.found.any_error());
    Checked { findings: judging.found.in_document_order(), mapping, tree }
}

fn too_large(found: &mut Findings, place: &Place, message: String) {
    let help = "Shorten lookup tables, or remove rules that are not needed.";
    found.error("draft_too_large", place, message, help);
}

fn not_json(found: &mut Findings, place: &Place, text: &str, error: &json::NotJson) {
    let before = text.get(..error.at).unwrap_or(text);
    let line = before.split('\n').count();
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let message = format!("The draft is not JSON: {}.", error.what);
    let help = format!("Check line {line}, character {column}.");
    found.error("not_json", place, message, help);
}

fn whole_draft(judging: &mut Judging<'_>, root: &Node, rules: Option<&[RuleEntry]>) -> Option<Mapping> {
    let located = Located::whole(root);
    find_duplicate_keys(&located, &mut judging.found);
    let mut keys = located.object(&mut judging.found, "an object with “rules”")?;
    let (token, list, empty) = (keys.take("token"), keys.take("rules"), keys.take("empty_lists"));
    if list.is_none() {
        keys.need(&mut judging.found, &["rules"]);
    }
    keys.no_others(&mut judging.found, "“token”, “rules”, “empty_lists”");

    let token = token.and_then(|located| token_at(&mut judging.found, &located)).unwrap_or_default();
    if let (Some(list), None) = (&list, rules) {
        list.wrong_type(&mut judging.found, "a list of rules");
    }
    let (place, has_list) = (list.map(|list| list.place), rules.is_some());
    let below = place.clone().unwrap_or_else(|| located.place.clone());
    let entries = rules.unwrap_or_default().iter().enumerate();
    let reads: Vec<Read<'_>> =
        entries.map(|(i, entry)| judging.rule(entry, below.item(i, entry.at))).collect();
    let sent_empty = empty
        .map_or(Vec::new(), |located| read_empty(&mut judging.found, &located, has_list.then_some(&reads)));

    second_rules(&mut judging.found, &reads);
    if let Some(place) = place.filter(|_| has_list) {
        no_identifier(&mut judging.found, &place, token, &reads);
    }
    rejected_values(&mut judging.found, &reads);
    if let Some(attributes) = judging.attributes {
        warn(&mut judging.found, token, &reads, attributes);
    }
    if let Some(names) = judging.names {
        warn_of_unknown(&mut judging.found, &reads, names);
    }
    let rules = reads.into_iter().map(|read| read.rule).collect::<Option<Vec<CompiledRule>>>()?;
    Some(Mapping::new(token, rules, sent_empty))
}

fn token_at(found: &mut Findings, located: &Located<'_>) -> Option<Token> {
    let token = read_token(&located.node.json);
    if token.is_none() {
        located.wrong_type(found, "“all” or “id”");
    }
    token
}

/// The list claims that are sent when they are empty. `reads` are the rules if they are a list; otherwise it
/// is unknown which claims have no rule.
fn read_empty(found: &mut Findings, located: &Located<'_>, reads: Option<&Vec<Read<'_>>>) -> Vec<Claim> {
    let needed = "an object of list claims, each with “omit” or “send”";
    let Some(entries) = located.object(found, needed) else {
        return Vec::new();
    };
    let fed = reads.map(|reads| reads.iter().filter_map(|read| read.claim.as_ref()).collect::<HashSet<_>>());
    let mut sent = Vec::new();
    for entry in entries.into_list() {
        let claim = Claim::parse(entry.key);
        match &claim {
            None => unknown_claim(found, &entry.place, entry.key),
            Some(claim) if !claim.is_list() => {
                let message = format!("“{claim}” is not a list.");
                found.error("unknown_claim", &entry.place, message, "Remove it.");
            }
            Some(claim) if fed.as_ref().is_some_and(|fed| !fed.contains(claim)) => {
                let message = format!("No rule feeds “{claim}”.");
                let help = "Remove it, or add a rule for it.";
                found.error("unknown_claim", &entry.place, message, help);
            }
            Some(_) => {}
        }
        match read_sent(&entry.value.node.json) {
            Some(false) => {}
            Some(true) => sent.extend(claim),
            None => entry.value.wrong_type(found, "“omit” or “send”"),
        }
    }
    sent
}

fn second_rules(found: &mut Findings, reads: &[Read<'_>]) {
    let mut known = HashSet::new();
    for read in reads {
        let Some(claim) = &read.claim else { continue };
        let place = read.claim_place();
        let other = claim.excludes().filter(|other| known.contains(other));
        if let Some(other) = other {
            let message =
                format!("There are rules for “{claim}” and “{other}”, but a field can use only one of them.");
            let help = "Use the form with [] for all rules of a field with several choices.";
            found.error("second_rule", &place, message, help);
        } else if !claim.is_list() && known.contains(claim) {
            let message = format!("“{claim}” already has a rule, and it can have only one.");
            let help = "Keep one of them. The source “text” can try several values in turn.";
            found.error("second_rule", &place, message, help);
        }
        known.insert(claim.clone());
    }
}

fn no_identifier(found: &mut Findings, place: &Place, token: Token, reads: &[Read<'_>]) {
    let has = |wanted: Claim| reads.iter().any(|read| read.claim.as_ref() == Some(&wanted));
    match token {
        Token::All if !has(Claim::Email) && !has(Claim::DeskproId) => {
            let message = "No rule feeds “email” or “deskpro_id”, so Deskpro cannot identify the user.";
            found.error("no_identifier", place, message, "Add a rule for one of them.");
        }
        Token::Id if !has(Claim::DeskproId) => {
            let message = "The token carries only “deskpro_id”, but no rule feeds it.";
            let help = "Add a rule for it, or let the token carry all claims.";
            found.error("no_identifier", place, message, help);
        }
        _ => {}
    }
}

/// Finds values that the rules themselves write and that are not valid for their claims. It checks only
/// rules in which nothing else is wrong.
fn rejected_values(found: &mut Findings, reads: &[Read<'_>]) {
    let wrong: HashSet<usize> = found.errors().filter_map(Finding::rule).collect();
    let mut run = Run::traced();
    for (i, read) in reads.iter().enumerate() {
        let Some(rule) = read.rule.as_ref().filter(|_| !wrong.contains(&i)) else { continue };
        for (place, why) in rejected(rule, read, &mut run) {
            let message = format!("This value is not valid for “{}”. {}", rule.claim, why.message());
            let help = "Write a value that is valid for the claim.";
            found.error("rejected_value", &place, message, help);
        }
    }
}

fn rejected(rule: &CompiledRule, read: &Read<'_>, run: &mut Run) -> Vec<(Place, Why)> {
    let mut rejected = Vec::new();
    let mut judge = |place: Place, why: Option<Why>| rejected.extend(why.map(|why| (place, why)));
    let (typed, source) = (read.typed, read.source_place());
    match (&rule.source, &typed.source) {
        (CompiledSource::Constant(text), Source::Constant(leaf)) => {
            judge(source.key("constant", leaf.at()), written(rule, text, run));
        }
        (CompiledSource::Text(texts), Source::Text(leaves)) => {
            let places = leaves.places(source.key("text", leaves.at()));
            for (text, (place, _)) in texts.iter().zip(places) {
                judge(place, text.without_parts().and_then(|text| written(rule, text, run)));
            }
        }
        // The compiled source is made from the typed one, so no other pair writes a string.
        (CompiledSource::Attribute(_) | CompiledSource::Constant(_) | CompiledSource::Text(_), _) => {}
    }
    if let Missing::Default(Default::List(leaves)) = &typed.missing
        && leaves.list.len() > MAX_ITEMS
    {
        let missing = read.place.key("missing", read.place.at);
        judge(missing.key("default", leaves.at()), Some(Why::TooManyItems));
    }
    for (place, leaf) in read.given_unchanged() {
        judge(place, held(&rule.claim, leaf.as_str().trim()));
    }
    rejected
}

/// Why a string that a rule writes unchanged is not valid for a claim.
fn held(claim: &Claim, text: &str) -> Option<Why> {
    if text.len() > MAX_BYTES {
        return Some(Why::TooLong);
    }
    claim.hold(text).err()
}

/// Why a string that a rule starts with does not reach its claim completely after the steps. Blank pieces
/// between separators are not a loss.
fn written(rule: &CompiledRule, text: &str, run: &mut Run) -> Option<Why> {
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
