//! Reads a draft's rules and judges each by itself. What takes more than one rule to see, and what
//! a rule makes of its own texts, is `check`'s.

use std::collections::HashSet;

use crate::core::attribute::{Definitions, is_secret_name};
use crate::core::mapping::apply::rule::{Condition, Missing, Rule, Source, Test};
use crate::core::mapping::claim::Claim;
use crate::core::mapping::read::finding::{Findings, Place, quoted};
use crate::core::mapping::read::json::{Json, Node};
use crate::core::mapping::read::read_step::{identifier_rule, read_steps};
use crate::core::mapping::read::spot::{Spot, blank_text, only_one};
use crate::core::mapping::text::{BadText, Text};
use crate::core::payload::Texts;
use crate::core::visible::differ_by;

/// A rule as far as it could be read.
pub(crate) struct Read<'a> {
    pub spot: Spot<'a>,
    pub claim: Option<Claim>,
    /// The whole rule, when every part could be read.
    pub rule: Option<Rule>,
}

/// What the readers share: the findings, and the attributes that exist, if anybody asks.
pub(crate) struct Reader<'d> {
    pub found: Findings,
    pub attributes: Option<&'d Definitions>,
}

impl Reader<'_> {
    /// Reads one of the rules.
    pub fn rule<'a>(&mut self, spot: Spot<'a>) -> Read<'a> {
        let needed = "an object with “claim” and “from”";
        let Some(mut keys) = spot.object(&mut self.found, needed) else {
            return Read { spot, claim: None, rule: None };
        };
        let (claim, source) = (keys.take("claim"), keys.take("from"));
        let (steps, when, missing) = (keys.take("steps"), keys.take("when"), keys.take("missing"));
        let absent = [("claim", claim.is_none()), ("from", source.is_none())];
        let absent: Vec<&str> = absent.iter().filter(|(_, gone)| *gone).map(|(k, _)| *k).collect();
        keys.need(&mut self.found, &absent);
        keys.no_others(&mut self.found, "“claim”, “from”, “steps”, “when”, “missing”");

        let claim = claim.and_then(|spot| self.claim(&spot));
        let after_text = source.as_ref().is_some_and(|source| source.get("text").is_some());
        let source = source.and_then(|spot| self.source(&spot, claim.as_ref()));
        let steps = match steps {
            None => Some(Vec::new()),
            Some(spot) => read_steps(&mut self.found, &spot, claim.as_ref(), after_text),
        };
        let condition = match when {
            None => Some(None),
            Some(spot) => self.condition(&spot).map(Some),
        };
        let missing = match missing {
            None => Some(Missing::Omit),
            Some(spot) => self.missing(&spot, claim.as_ref()),
        };
        let rule = || {
            Some(Rule {
                claim: claim.clone()?,
                source: source?,
                steps: steps?,
                condition: condition?,
                missing: missing?,
            })
        };
        Read { rule: rule(), claim, spot }
    }

    fn claim(&mut self, spot: &Spot<'_>) -> Option<Claim> {
        let text = spot.text(&mut self.found, "the name of a claim in double quotes")?;
        let claim = Claim::parse(text);
        if claim.is_none() {
            unknown_claim(&mut self.found, &spot.place, text);
        }
        claim
    }

    fn source(&mut self, spot: &Spot<'_>, claim: Option<&Claim>) -> Option<Source> {
        const KNOWN: &str = "“attribute”, “constant”, “text”";
        let needed = "an object with “attribute”, “constant” or “text”";
        let mut keys = spot.object(&mut self.found, needed)?;
        let attribute = keys.take("attribute");
        let constant = keys.take("constant");
        let texts = keys.take("text");
        for spot in [&constant, &texts].into_iter().flatten() {
            identifier_rule(&mut self.found, claim, &spot.place);
        }
        let attribute = attribute.map(|spot| self.name(&spot).map(Source::Attribute));
        let constant = constant.map(|spot| spot.filled_text(&mut self.found).map(Source::Constant));
        let texts = texts.map(|spot| self.texts(&spot));
        let sources = [attribute, constant, texts].into_iter().flatten();
        only_one(&mut self.found, spot, &keys, sources.collect(), KNOWN)
    }

    fn name(&mut self, spot: &Spot<'_>) -> Option<String> {
        let name = spot.text(&mut self.found, "the name of an attribute in double quotes")?;
        self.known(&[name], &spot.place);
        Some(name.to_owned())
    }

    /// Says which of the names at a place are secrets, and which are unknown.
    fn known(&mut self, names: &[&str], place: &Place) {
        let Some(attributes) = self.attributes else {
            return;
        };
        let (secret, others): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| is_secret_name(name));
        if !secret.is_empty() {
            let message = format!("{} is a secret by its name.", listed(&secret));
            let help = "Passwords, hashes and keys are never attributes; use another one.";
            self.found.error("secret_attribute", place, message, help);
        }
        let unknown: Vec<&str> = others.into_iter().filter(|name| !attributes.knows(name)).collect();
        if let Some(first) = unknown.first() {
            let message = if first.is_empty() {
                "No attribute is chosen here.".to_owned()
            } else {
                format!("There is no attribute {}.", listed(&unknown))
            };
            let help = match attributes.spelled_otherwise(first) {
                Some(other) => match differ_by(first, other) {
                    Some(by) => format!("It differs from {} by {by} alone: write that.", quoted(other)),
                    None => format!("Write {}.", quoted(other)),
                },
                None => "Create the attribute first, or use one that exists.".to_owned(),
            };
            self.found.error("unknown_attribute", place, message, help);
        }
    }

    fn texts(&mut self, spot: &Spot<'_>) -> Option<Source> {
        let needed = "a list of at least one text";
        let items = spot.filled_list(&mut self.found, needed)?;
        let texts: Vec<Option<Text>> = items.iter().map(|spot| self.one_text(spot)).collect();
        texts.into_iter().collect::<Option<Vec<Text>>>().map(Source::Text)
    }

    fn one_text(&mut self, spot: &Spot<'_>) -> Option<Text> {
        let written = spot.text(&mut self.found, "a text in double quotes")?;
        let text = match Text::parse(written) {
            Ok(text) => text,
            Err(bad) => {
                let message = match bad {
                    BadText::Brace => "A single brace opens or closes nothing.",
                    BadText::NoName => "A part in braces has no name.",
                };
                let help = "Write parts as {name} or {name|other}, and a brace itself twice.";
                self.found.error("bad_text", &spot.place, message, help);
                return None;
            }
        };
        if text.without_parts().is_some_and(crate::core::attribute::is_blank) {
            blank_text(&mut self.found, &spot.place);
            return None;
        }
        let mut once = HashSet::new();
        let names = text.attributes().filter(|name| once.insert(*name));
        let names: Vec<&str> = names.collect();
        self.known(&names, &spot.place);
        Some(text)
    }

    fn condition(&mut self, spot: &Spot<'_>) -> Option<Condition> {
        let mut keys = spot.object(&mut self.found, "an object with “attribute” and a test")?;
        let attribute = keys.take("attribute");
        let (set, yes) = (keys.take("set"), keys.take("true"));
        let (is, within, not) = (keys.take("is"), keys.take("in"), keys.take("not"));
        if attribute.is_none() {
            keys.need(&mut self.found, &["attribute"]);
        }
        let attribute = attribute.and_then(|spot| self.name(&spot));
        let found = &mut self.found;
        let set = set.map(|spot| spot.only_true(found).map(|()| Test::Set));
        let yes = yes.map(|spot| spot.only_true(found).map(|()| Test::True));
        let is = is.map(|spot| spot.filled_text(found).map(Test::Is));
        let within = within.map(|spot| {
            let items = spot.filled_list(found, "a list of at least one text")?;
            let texts: Vec<Option<String>> = items.iter().map(|s| s.filled_text(found)).collect();
            texts.into_iter().collect::<Option<Vec<String>>>().map(Test::In)
        });
        let not = not.map_or(Some(false), |spot| spot.only_true(found).map(|()| true));
        let tests = [set, yes, is, within].into_iter().flatten().collect();
        let known = "“attribute”, “set”, “true”, “is”, “in”, “not”";
        let test = only_one(&mut self.found, spot, &keys, tests, known);
        Some(Condition { attribute: attribute?, test: test?, not: not? })
    }

    fn missing(&mut self, spot: &Spot<'_>, claim: Option<&Claim>) -> Option<Missing> {
        let needed = "“omit”, “refuse”, or an object with “default”";
        match &spot.node.json {
            Json::Text(text) if text == "omit" => return Some(Missing::Omit),
            Json::Text(text) if text == "refuse" => return Some(Missing::Refuse),
            _ => {}
        }
        let mut keys = spot.object(&mut self.found, needed)?;
        let default = keys.take("default");
        if default.is_none() {
            keys.need(&mut self.found, &["default"]);
        }
        keys.no_others(&mut self.found, "“default”");
        let default = default?;
        identifier_rule(&mut self.found, claim, &default.place);
        if !matches!(default.node.json, Json::List(_)) {
            let text = default.filled_text(&mut self.found)?;
            return Some(Missing::Default { default: Texts::One(text) });
        }
        let is_list = claim.is_none_or(Claim::is_list);
        if !is_list {
            let message = "This claim takes one text, and the default is a list.";
            let help = "Write one text in double quotes, without brackets.";
            self.found.error("list_in_scalar", &default.place, message, help);
        }
        let items = default.filled_list(&mut self.found, "a text, or a list of texts")?;
        let texts: Vec<Option<String>> = items.iter().map(|spot| spot.filled_text(&mut self.found)).collect();
        let texts = texts.into_iter().collect::<Option<Vec<String>>>()?;
        is_list.then_some(Missing::Default { default: Texts::List(texts) })
    }
}

/// The first few of some names.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| quoted(name)).collect();
    if names.len() > SHOWN {
        shown.push("others".to_owned());
    }
    shown.join(" and ")
}

pub(crate) fn unknown_claim(found: &mut Findings, place: &Place, text: &str) {
    let message = if text.is_empty() {
        "No claim is chosen here.".to_owned()
    } else {
        format!("There is no claim {}.", quoted(text))
    };
    let help = "Use deskpro_id, email, emails, name, first_name, last_name, organization_id, \
                language_id, usergroup_ids, timezone, labels, fields.7 or fields.7[].";
    found.error("unknown_claim", place, message, help);
}

/// Whether a draft's rules are too many to be judged one by one.
pub(crate) fn rules_in(root: &Node) -> usize {
    match Spot::whole(root).get("rules").map(|rules| &rules.node.json) {
        Some(Json::List(rules)) => rules.len(),
        _ => 0,
    }
}
